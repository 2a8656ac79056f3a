/* script.h - a list of things that go wrong, by time or by chance. Pure but for reading the file.
 *
 *     - {at: 40s, for: 10s, do: status, status: 503, share: 0.5, endpoint: transcripts}
 *     - {do: late, share: 0.02}
 *
 * sim/README.md lists every action and its fields. Times are real time since the start. Reading is
 * in two steps: script_yaml.c takes the file apart into items of fields, script.c knows
 * what they mean.
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "base/error.h"
#include "sim/lifecycle.h"
#include "sim/timeline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum script_verb {
    /* the service: when, for whom, how often */
    SCRIPT_REVOKE_TOKENS,
    SCRIPT_EXPIRE_TOKENS_EARLY,
    SCRIPT_DENY,
    SCRIPT_STATUS,
    SCRIPT_SLOW,
    SCRIPT_DROP,
    SCRIPT_HTML,
    SCRIPT_HALF_JSON,
    SCRIPT_EMPTY_BODY,
    SCRIPT_QUOTA,
    /* the transcript: a share of utterances */
    SCRIPT_LATE,
    SCRIPT_REVISED,
    SCRIPT_DUPLICATED,
    SCRIPT_OUT_OF_ORDER,
    SCRIPT_OVERLAP,
    SCRIPT_SAME_MILLISECOND,
    SCRIPT_MISSING_FIELDS,
    SCRIPT_UNKNOWN_DIRECTION,
    SCRIPT_FUTURE,
    SCRIPT_PAST,
    SCRIPT_NUMERIC_STRINGS,
    SCRIPT_EXTRA_FIELDS,
    /* the calls: a share of them */
    SCRIPT_ODD_IDS,
    SCRIPT_HOLD,
    SCRIPT_MUTE,
    SCRIPT_MASK,
    SCRIPT_REAPPEAR,
    SCRIPT_TRANSFER,
    SCRIPT_VERBS,
};

enum {
    SCRIPT_ENDPOINT_TOKEN = 1,
    SCRIPT_ENDPOINT_TRANSCRIPTS = 2,
    SCRIPT_ENDPOINT_ATTRIBUTES = 4,
    SCRIPT_ENDPOINT_SUGGESTIONS = 8,
    SCRIPT_ENDPOINT_ACTIVE = 16,
    SCRIPT_ENDPOINTS_ALL = 30, /* all but the token's */
};

enum script_retry_after {
    SCRIPT_RETRY_SECONDS,
    SCRIPT_RETRY_DATE,
    SCRIPT_RETRY_NONE,
    SCRIPT_RETRY_GARBAGE,
    SCRIPT_RETRY_NEGATIVE,
    SCRIPT_RETRY_PAST,
    SCRIPT_RETRY_HUGE,
    SCRIPT_RETRY_MIX, /* any of those above but huge */
};

enum script_when { SCRIPT_WHEN_BEFORE, SCRIPT_WHEN_AFTER, SCRIPT_WHEN_MIX };

struct script_action {
    enum script_verb verb;
    size_t line;      /* in the file, from 1 */
    int64_t at_ms;    /* first begins */
    int64_t for_ms;   /* lasts; 0: for ever */
    int64_t every_ms; /* begins again; 0: never */
    double share;
    unsigned endpoints; /* SCRIPT_ENDPOINT_* */
    int64_t status;
    enum script_retry_after retry_after;
    enum script_when when; /* the connection drops: before or after the request took effect */
    int64_t slow_ms[2];    /* least and most */
    int64_t length_ms;     /* of a lifecycle state, a token's life, or how far ahead */
    double client_rps;     /* quota; negative: unchanged */
    double call_rps;
};

struct script {
    struct script_action *actions; /* as in the file */
    size_t count;
};

/* Reads the file. Errors are "FILE:LINE:COLUMN: ..." (ERROR_CONFIG). On success the caller must
 * script_done. */
int script_load(struct script *script, const char *path, struct error *err);

/* Accepts a zeroed script. */
void script_done(struct script *script);

const char *script_verb_name(enum script_verb verb);

/* Whether the action is on at this moment. */
bool script_is_on(const struct script_action *action, int64_t elapsed_ms);

/* How many times it has begun by this moment. */
int64_t script_beginnings(const struct script_action *action, int64_t elapsed_ms);

/* Sets what the script says about transcripts and calls; the rest stays. The last of a verb counts.
 */
void script_apply(const struct script *script, struct timeline_disorder *disorder,
                  struct lifecycle_odds *odds, double *odd_ids);

#endif
