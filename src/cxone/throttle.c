/* throttle.c - see throttle.h. Keeps at most one entry per interaction, so the array is full
 * exactly when enough different ones were seen. */
#include "cxone/throttle.h"

bool throttle_record(struct throttle *throttle, uint64_t interaction, struct mono now)
{
    size_t kept = 0;
    for (size_t i = 0; i < throttle->count; i++) {
        const struct throttle_entry *entry = &throttle->recent[i];
        bool is_recent = mono_ms_between(entry->at, now) < THROTTLE_WINDOW_MS;
        if (is_recent && entry->interaction != interaction) {
            throttle->recent[kept++] = *entry;
        }
    }
    throttle->recent[kept++] = (struct throttle_entry){interaction, now};
    throttle->count = kept == THROTTLE_DISTINCT ? 0 : kept;
    return kept == THROTTLE_DISTINCT;
}
