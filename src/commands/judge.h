/* commands/judge.h - one way of judging a recorded call: undertone with some configuration, or the
 * tutorial's code. Both give the same kind of events, so that they can be held side by side. */
#ifndef COMMANDS_JUDGE_H
#define COMMANDS_JUDGE_H

#include "commands/command_line.h"
#include "commands/literal_replay.h"
#include "commands/replay.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The names that are not those of configuration files. */
#define JUDGE_UNDERTONE        "undertone"
#define JUDGE_LITERAL          "tutorial-literal"
#define JUDGE_LITERAL_REPAIRED "tutorial-literal-repaired"

#define JUDGE_BY_MOOD UINT32_MAX

enum judge_event_kind {
    JUDGE_EVENT_READING,
    JUDGE_EVENT_ALERT,
    JUDGE_EVENT_RAISED, /* the open alert concerns a supervisor now */
    JUDGE_EVENT_RECOVERED,
};

struct judge_event {
    enum judge_event_kind kind;
    int64_t at_ms;
    double score;
    char written[LITERAL_REPLAY_SCORE_BYTES]; /* the score as it goes to the vendor */
    enum call_trend trend;
    enum call_tier tier; /* ALERT, RAISED */
    double confidence;   /* the same; 0 where it is not known */
    uint32_t rule;       /* ALERT: of the judge's rules, or JUDGE_BY_MOOD */
};

struct judge {
    const char *name; /* borrowed */
    bool is_literal;
    struct config config;
    struct replay replay; /* its model; with is_literal nothing else of it */
    struct literal_replay literal;
    struct judge_event *events; /* of the last call, in order of time; readings only on change */
    size_t event_count;
    size_t event_capacity;
    bool failed; /* without memory for an event */
};

/* `name` is one of those above or a configuration file; `line` gives the configuration otherwise
 * (the literal judgements take their model from it). A judge may not be moved once open; on failure
 * there is nothing to close. */
int judge_open(struct judge *judge, const char *name, const struct command_line_config *line,
               enum literal_replay_filter filter, struct error *err);
void judge_close(struct judge *judge); /* accepts a zeroed object */

/* The name of the rule that an alert was given by, as long as the judge is open; NULL for others.
 */
const char *judge_event_rule(const struct judge *judge, const struct judge_event *event);

/* Judges the lines of one call into judge->events. */
int judge_call(struct judge *judge, const struct recording_line *lines, size_t count,
               struct error *err);

#endif
