/* commands/replay.h - one recorded call through cleaning, scoring, judgement and rules, on the
 * recording's own clock: the same file gives the same decisions on every run. */
#ifndef COMMANDS_REPLAY_H
#define COMMANDS_REPLAY_H

#include "base/buf.h"
#include "commands/recording.h"
#include "config/config.h"
#include "cues/cues.h"
#include "mood/call.h"
#include "nlp/scorer.h"

/* Scores one text; the model, unless a test puts a table here. */
typedef int replay_score_fn(void *user, const char *text, size_t size, struct scorer_result *result,
                            struct error *err);

struct replay {
    replay_score_fn *score;
    void *score_user;
    struct scorer *scorer; /* owned, as is scratch; NULL in a test */
    struct scorer_scratch *scratch;
    struct mood_policy policy;
    struct cues_rules *rules; /* owned; NULL without rules.path */
    struct buf cleaned;
    uint64_t judged;      /* customer utterances, over all calls */
    uint64_t alerts;      /* rules' among them */
    uint64_t quarantined; /* by the judgement: unusable times */
};

/* Something that happened in a call; all of it is borrowed. */
struct replay_moment {
    int64_t at_ms; /* on the recording's clock */
    const struct recording_line *lines;
    size_t count;
    const struct call_effect *effect;
    const struct cues_rules *rules;
    const struct cues_firing *firing; /* an alert by a rule: what the rule says of it; else NULL */
};

/* Told of each reading that differs from the last one told of, and of each alert and recovery, in
 * order. */
typedef void replay_effect_fn(void *user, const struct replay_moment *moment);

/* Prepares the configuration's judgement with a scorer of the caller's, without rules. */
void replay_init(struct replay *replay, const struct config *config, replay_score_fn *score,
                 void *score_user);

/* The same with the configuration's model and rules; on failure there is nothing to close. */
int replay_open(struct replay *replay, const struct config *config, struct error *err);
void replay_close(struct replay *replay); /* accepts a zeroed object */

/* Replays one call: lines of one call in recording_sort's order, count > 0. For the rules, as for
 * the judgement, it is heard from its first line on, and is over with its last. */
int replay_call(struct replay *replay, const struct recording_line *lines, size_t count,
                replay_effect_fn *on_effect, void *user, struct error *err);

#endif
