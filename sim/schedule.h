/* schedule.h - the disorder of one call: which utterance is stamped, shown and revised how. Pure;
 * part of making a timeline. */
#ifndef SIM_SCHEDULE_H
#define SIM_SCHEDULE_H

#include "sim/lifecycle.h"
#include "sim/timeline.h"

#include <stdint.h>

struct schedule_plan {
    struct timeline *timeline;         /* its utterances hold what was spoken, in that order */
    const struct lifecycle *lifecycle; /* or NULL */
    const struct timeline_disorder *disorder;
    uint64_t seed;
    int64_t origin_ms;
};

/* Fills in the forms and flags of every utterance, stamps some with an earlier one's start, and
 * sorts them by start. */
void schedule_make(const struct schedule_plan *plan);

/* Lets a share of turns begin while the other speaker's turn before still lasts. Order and starts
 * of each speaker stay apart. */
void schedule_overlap(struct conversation *conversation, double share, uint64_t seed);

#endif
