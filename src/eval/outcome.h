/* eval/outcome.h - what became of labelled calls under some judgement, and measures of that. Pure.
 *
 * A call counts as told of if any alert was given in it. Turns are the customer's, by ordinal.
 */
#ifndef EVAL_OUTCOME_H
#define EVAL_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outcome {
    bool wanted; /* labelled: an alert was warranted */
    bool told;
    uint32_t alerts;
    uint32_t turn;     /* told: the customer turn after which, 0, 1, ... */
    int32_t turns_off; /* wanted and told: turns after the labelled one, negative: before */
    int64_t off_ms;    /* the same in time */
    int64_t told_ms;   /* told: from the call's begin */
    int64_t length_ms; /* of the call */
    bool recovery_wanted;
    bool recovered; /* told that it recovered */
    bool supervisor_wanted;
    bool supervisor; /* a supervisor was told */
};

struct outcome_measures {
    uint64_t calls;
    uint64_t wanted;
    uint64_t told_right;
    uint64_t told_wrong;
    double precision; /* these are NaN where nothing was told, or wanted */
    double recall;
    double f1;
    double calm_told; /* share of calm calls with any alert */
    double alerts_a_call;
    double wrong_an_hour;   /* alerts in calm calls, per hour of all calls */
    double turns_off;       /* median; of two in the middle their mean */
    double seconds_off;     /* the same */
    double early;           /* share more than one turn early */
    double late;            /* share more than one turn late */
    double seconds_to_tell; /* median, from the call's begin */
    double erde;            /* early risk detection error, OUTCOME_ERDE_TURNS */
    double recovered;       /* of calls rightly told of whose recovery is labelled: told so */
    uint64_t recoveries;    /* of those there are */
    double supervisor_precision;
    double supervisor_recall;
};

/* o of ERDE_o: an alert after so many customer turns costs half a miss. */
enum { OUTCOME_ERDE_TURNS = 10 };

/* Of outcomes[chosen[0 .. count)], or of the first `count` with chosen NULL. ERDE after Losada and
 * Crestani (CLEF 2016), its cost of a false alert the share of wanted calls. `scratch` holds count
 * doubles. */
void outcome_measure(const struct outcome *outcomes, const size_t *chosen, size_t count,
                     double *scratch, struct outcome_measures *out);

#endif
