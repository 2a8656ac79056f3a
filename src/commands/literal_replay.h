/* commands/literal_replay.h - one recorded call as the tutorial's program would have lived it: its
 * polling, cursor, scoring, windows and alert rule, on a pretended clock.
 *
 * The pretended vendor answers each request after round_trip_ms and shows every segment from its
 * visible time on, ordered by start. No request fails. Asking for tokens takes no time, and neither
 * does the model. Polling begins with the call and ends 5 s after its last segment has become
 * visible. Proven against the tutorial's own classes by golden.literal.
 */
#ifndef COMMANDS_LITERAL_REPLAY_H
#define COMMANDS_LITERAL_REPLAY_H

#include "base/error.h"
#include "commands/recording.h"
#include "mood/literal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LITERAL_REPLAY_ROUND_TRIP_MS = 50,
    LITERAL_REPLAY_TAIL_MS = 5000,
    LITERAL_REPLAY_TEXT_MAX = 512,      /* characters shown to the model */
    LITERAL_REPLAY_STEPS_MAX = 1000000, /* scored segments, after which a call is given up */
    LITERAL_REPLAY_SCORE_BYTES = 32,
};

/* What the startTime parameter is held against: the vendor does not say. */
enum literal_replay_filter {
    LITERAL_REPLAY_FILTER_START_AFTER,
    LITERAL_REPLAY_FILTER_START_AT_LEAST,
    LITERAL_REPLAY_FILTER_END_AFTER,
    LITERAL_REPLAY_FILTER_END_AT_LEAST,
};

/* "start>", "start>=", "end>" or "end>="; false for any other name. */
bool literal_replay_filter_find(const char *name, enum literal_replay_filter *filter);

/* Names the model's best label for a text, which outlives the replay. NULL is the pipeline raising
 * an error, as it does on more tokens than the model takes. */
typedef int literal_replay_label_fn(void *user, const char *text, size_t size, const char **label,
                                    struct error *err);

/* A segment was scored and its PATCH written. */
struct literal_replay_step {
    int64_t at_ms; /* when the reply had come */
    const struct recording_line *line;
    double score;
    double mean;
    enum call_trend trend;
    const char *written; /* the attribute's value */
    bool suggested;      /* and a suggestion was sent */
};

typedef void literal_replay_step_fn(void *user, const struct literal_replay_step *step);

struct literal_replay {
    bool labels_repaired; /* compare labels without case; as written only upper case is known */
    enum literal_replay_filter filter;
    int64_t round_trip_ms; /* more than 0 */
    literal_replay_label_fn *label;
    void *label_user;
    literal_replay_step_fn *on_step;
    void *step_user;
    /* Counted over all calls played. */
    uint64_t polls;
    uint64_t scored;
    uint64_t suggestions;
    uint64_t raised;        /* batches abandoned because the pipeline raised */
    uint64_t finals;        /* customer segments to be scored */
    uint64_t finals_missed; /* of those, never scored: its cursor was already past them */
    bool given_up;
};

/* Plays one call; count > 0. */
int literal_replay_call(struct literal_replay *replay, const struct recording_line *lines,
                        size_t count, struct error *err);

/* Bytes of the first LITERAL_REPLAY_TEXT_MAX characters, as text[:512] takes them. */
size_t literal_replay_cut(const char *text, size_t size);

/* Whether nothing is left of it after Python's str.strip(). */
bool literal_replay_is_blank(const char *text, size_t size);

/* The score of a label; 0.5 for one that the map does not know. */
double literal_replay_label_score(const char *label, bool repaired);

/* str(round(mean, 3)) for a mean in [0, 1]; returns out. */
const char *literal_replay_format(double mean, char out[LITERAL_REPLAY_SCORE_BYTES]);

#endif
