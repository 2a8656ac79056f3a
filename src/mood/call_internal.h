/* mood/call_internal.h - the state of a call, shared by call.c (the step) and call_save.c (keeping
 * it for a later process). */
#ifndef MOOD_CALL_INTERNAL_H
#define MOOD_CALL_INTERNAL_H

#include "mood/episode.h"
#include "mood/masks.h"
#include "mood/transcript.h"

struct call {
    struct mood_policy policy;
    struct transcript transcript;
    struct masks masks;
    struct episode episode;
    struct call_counts counts;
    struct call_reading published;
    bool has_published;
    bool ended;
    bool held;
    int64_t first_start_ms; /* oldest start of a usable final, or 0 */
    int64_t origin_ms;      /* only what ends later adds to the CUSUM */
    int64_t newest_ms;      /* newest judged end, or 0 */
    struct mono newest_since;
};

#endif
