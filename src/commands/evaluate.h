/* commands/evaluate.h - labelled calls under several judgements: how often each is right, and when.
 *
 * The tutorial's code, as it is written and with its labels repaired, is always among them. Turns
 * are measured by the model's label against the readers'; calls by their first alert. An alert is
 * put after the newest customer turn that was visible when it was given. Alerts by rules count as
 * the mood's do, and each rule is measured on its own as well.
 */
#ifndef COMMANDS_EVALUATE_H
#define COMMANDS_EVALUATE_H

#include "commands/judge.h"
#include "commands/score_memo.h"
#include "commands/turns_file.h"
#include "eval/bootstrap.h"
#include "eval/calibration.h"
#include "eval/confusion.h"
#include "eval/outcome.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    EVALUATE_JUDGES_MAX = 6,
    EVALUATE_ROUNDS = 1000, /* of the bootstrap */
    EVALUATE_SEED = 20261124,
    EVALUATE_SUPPORT_MIN = 10, /* turns of a class for it to count in a source's macro-F1 */
};

/* The measures that have intervals, in the order of struct evaluate_row's. */
enum evaluate_measure {
    EVALUATE_PRECISION,
    EVALUATE_RECALL,
    EVALUATE_F1,
    EVALUATE_CALM_TOLD,
    EVALUATE_MACRO_F1,
    EVALUATE_KAPPA,
    EVALUATE_MEASURES,
};

/* One call under one judgement. */
struct evaluate_call {
    const struct recording_line *line; /* the first */
    size_t source;
    bool labelled; /* its readers agree whether an alert was wanted */
    struct outcome outcome;
    double confidence; /* told: of the first alert */
    struct confusion turns;
};

/* A rule's alerts, in the labelled calls of a source or of all. */
struct evaluate_rule {
    const char *source;
    const char *judgement;
    const char *name;
    uint64_t fired; /* alerts */
    uint64_t right; /* calls with one that wanted an alert */
    uint64_t wrong; /* calls with one that did not */
};

/* One source, or all of them, under one judgement. */
struct evaluate_row {
    const char *source;
    const char *judgement;
    struct outcome_measures alerts;
    struct calibration alert_calibration; /* confidence of first alerts against wanted */
    struct confusion turns;
    double macro_f1;
    unsigned classes;
    struct calibration turn_calibration; /* probability of the label taken */
    struct bootstrap_interval intervals[BOOTSTRAP_MEASURES_MAX];
};

struct evaluate {
    struct judge judges[EVALUATE_JUDGES_MAX];
    struct score_memo memos[EVALUATE_JUDGES_MAX];
    size_t judge_count;
    bool json;
    const char *sources[64];
    size_t source_count;
    struct evaluate_call *calls; /* owned; of the judge under way, in the recording's order */
    size_t call_count;
    struct calibration *turn_calibrations; /* owned; one for each source */
    uint32_t *fired; /* owned; of each call, how often each of the judge's rules fired */
};

/* `names` as for compare_open, NULL for this configuration; the literal ones are added. Zeroed but
 * for json before. */
int evaluate_open(struct evaluate *evaluate, char *names, const struct command_line_config *line,
                  enum literal_replay_filter filter, struct error *err);
void evaluate_close(struct evaluate *evaluate); /* accepts a zeroed object */

/* Judges all and prints to standard output. */
int evaluate_run(struct evaluate *evaluate, const struct recording *recording,
                 const struct turns_labels *labels, struct error *err);

/* Judges all calls by one of the judges into evaluate->calls. */
int evaluate_judge(struct evaluate *evaluate, size_t judge, const struct recording *recording,
                   const struct turns_labels *labels, struct error *err);

/* Measures evaluate->calls, those of one source or with SIZE_MAX all, without intervals. False
 * without memory. */
bool evaluate_measure(const struct evaluate *evaluate, size_t source, struct evaluate_row *row);

#endif
