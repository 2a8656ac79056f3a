/* times.c - see times.h. */
#include "mood/times.h"

static const int64_t times_before_call_ms = 3600 * 1000;
static const int64_t times_after_now_ms = 24 * 3600 * 1000;

bool times_judge(const struct segment *segment, int64_t first_start_ms, int64_t vendor_ms,
                 int64_t tolerance_ms, struct times *times)
{
    if (segment->start_ms <= 0 || segment->end_ms <= 0) {
        return false;
    }
    bool reversed = segment->end_ms < segment->start_ms;
    int64_t end_ms = reversed ? segment->start_ms : segment->end_ms;
    bool ancient = first_start_ms > 0 && end_ms < first_start_ms - times_before_call_ms;
    if (ancient || end_ms > vendor_ms + times_after_now_ms) {
        return false;
    }
    int64_t latest_ms = vendor_ms + tolerance_ms;
    bool ahead = end_ms > latest_ms;
    times->end_ms = ahead ? latest_ms : end_ms;
    times->clamped = reversed || ahead;
    return true;
}
