/* skew.c - see skew.h.
 *
 * Date has a resolution of one second, so the instant it names lies on average half a second later;
 * the server wrote it at some moment of the exchange, on average in its middle. Each sample is thus
 * good to about half a second, and the median of the last fifteen is better, follows a clock that
 * is stepped after eight replies, and ignores single absurd ones. */
#include "cxone/skew.h"

enum { EXCHANGE_MS_MAX = 2000, DATE_RESOLUTION_MS = 1000 };

void skew_record(struct skew *skew, int64_t date_ms, int64_t arrival_ms, int64_t exchange_ms)
{
    if (date_ms < 0 || exchange_ms < 0 || (exchange_ms > EXCHANGE_MS_MAX && skew->count > 0)) {
        return;
    }
    int64_t vendor_ms = date_ms + DATE_RESOLUTION_MS / 2;
    int64_t ours_ms = arrival_ms - exchange_ms / 2;
    skew->offsets_ms[skew->next] = vendor_ms - ours_ms;
    skew->next = (skew->next + 1) % SKEW_SAMPLES;
    if (skew->count < SKEW_SAMPLES) {
        skew->count++;
    }
}

bool skew_offset_ms(const struct skew *skew, int64_t *offset_ms)
{
    int64_t sorted[SKEW_SAMPLES];
    for (size_t i = 0; i < skew->count; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > skew->offsets_ms[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = skew->offsets_ms[i];
    }
    if (skew->count == 0) {
        return false;
    }
    *offset_ms = sorted[skew->count / 2];
    return true;
}
