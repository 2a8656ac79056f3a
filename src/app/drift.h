/* app/drift.h - whether scores are distributed as they were: the population stability index of the
 * last hour against the day before it. Pure; 6 KB, however many scores.
 *
 * PSI = sum over ten bins of (p - q) ln(p / q), p and q the bins' shares, each bin half a score
 * richer than it is so that none is empty. By custom, below 0.1 nothing has changed, above 0.25
 * much has: other calls, another recogniser, a model that no longer fits.
 */
#ifndef APP_DRIFT_H
#define APP_DRIFT_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DRIFT_BINS = 10,
    DRIFT_SLOT_MS = 10 * 60 * 1000,
    DRIFT_CURRENT = 6,     /* slots: an hour */
    DRIFT_REFERENCE = 144, /* a day */
    DRIFT_SLOTS = DRIFT_CURRENT + DRIFT_REFERENCE,
    DRIFT_SAMPLES_MIN = 200, /* in each, or the index says nothing */
};

struct drift {
    uint32_t counts[DRIFT_SLOTS][DRIFT_BINS]; /* a ring */
    int64_t slot;                             /* the newest, counted from the clock's start */
};

void drift_init(struct drift *drift, struct mono now);

/* A score from 0 to 1. */
void drift_add(struct drift *drift, double score, struct mono now);

struct drift_reading {
    uint64_t current;
    uint64_t reference;
    bool known;
    double index; /* 0 while not known */
};
struct drift_reading drift_read(struct drift *drift, struct mono now);

#endif
