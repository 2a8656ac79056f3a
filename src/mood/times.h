/* mood/times.h - which times of a segment can be used, and as what. */
#ifndef MOOD_TIMES_H
#define MOOD_TIMES_H

#include "mood/segment.h"

#include <stdbool.h>
#include <stdint.h>

struct times {
    int64_t end_ms; /* as judged */
    bool clamped;   /* it is not what the vendor said */
};

/* False: unusable. first_start_ms is the oldest start known of the call, or 0. An end before its
 * start becomes the start; one beyond vendor_ms plus the tolerance becomes that. */
bool times_judge(const struct segment *segment, int64_t first_start_ms, int64_t vendor_ms,
                 int64_t tolerance_ms, struct times *times);

#endif
