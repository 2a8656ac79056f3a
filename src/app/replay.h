/* app/replay.h - one recorded call through cleaning, scoring and judgement, on the recording's own
 * clock: the same file gives the same decisions on every run. */
#ifndef APP_REPLAY_H
#define APP_REPLAY_H

#include "app/recording.h"
#include "base/buf.h"
#include "mood/call.h"
#include "nlp/scorer.h"

struct replay {
    const struct scorer *scorer;
    struct scorer_scratch *scratch;
    struct mood_policy policy;
    struct buf cleaned;
    uint64_t judged; /* customer utterances, over all calls */
    uint64_t alerts;
    uint64_t quarantined; /* by the judgement: unusable times */
};

/* Told of each reading that differs from the last one told of, and of each alert and recovery, in
 * order. at_ms is when it happened on the recording's clock; `lines` are those of the call. */
typedef void replay_effect_fn(void *user, int64_t at_ms, const struct recording_line *lines,
                              size_t count, const struct call_effect *effect);

/* Replays one call: lines of one call in end-time order (recording_sort), count > 0. */
int replay_call(struct replay *replay, const struct recording_line *lines, size_t count,
                replay_effect_fn *on_effect, void *user, struct error *err);

#endif
