/* throttle.c - see throttle.h. Keeps at most one entry per interaction, so the array is full
 * exactly when enough different ones were seen. The share is taken over this second and the one
 * before it. */
#include "cxone/throttle.h"

static void turn(struct throttle *throttle, struct mono now)
{
    int64_t age_ms = mono_ms_between(throttle->span.begun, now);
    if (age_ms >= THROTTLE_WINDOW_MS) {
        throttle->last =
            age_ms < 2 * THROTTLE_WINDOW_MS ? throttle->span : (struct throttle_span){0};
        throttle->span = (struct throttle_span){.begun = now};
    }
}

static bool are_frequent(const struct throttle *throttle)
{
    uint64_t refused = throttle->span.refused + throttle->last.refused;
    uint64_t accepted = throttle->span.accepted + throttle->last.accepted;
    return refused * THROTTLE_SHARE >= refused + accepted;
}

void throttle_accepted(struct throttle *throttle, struct mono now)
{
    turn(throttle, now);
    throttle->span.accepted++;
}

bool throttle_record(struct throttle *throttle, uint64_t interaction, struct mono now)
{
    size_t kept = 0;
    turn(throttle, now);
    throttle->span.refused++;
    for (size_t i = 0; i < throttle->count; i++) {
        const struct throttle_entry *entry = &throttle->recent[i];
        bool is_recent = mono_ms_between(entry->at, now) < THROTTLE_WINDOW_MS;
        if (is_recent && entry->interaction != interaction) {
            throttle->recent[kept++] = *entry;
        }
    }
    throttle->recent[kept++] = (struct throttle_entry){interaction, now};
    throttle->count = kept == THROTTLE_DISTINCT ? 0 : kept;
    return kept == THROTTLE_DISTINCT && are_frequent(throttle);
}
