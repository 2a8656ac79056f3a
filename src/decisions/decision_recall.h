/* decisions/decision_recall.h - which alerts a log of decisions already tells of: asked at a start,
 * because a process can be killed after an alert was kept in the store and before its line was
 * written. */
#ifndef DECISIONS_DECISION_RECALL_H
#define DECISIONS_DECISION_RECALL_H

#include "base/error.h"
#include "base/map.h"

#include <stdint.h>

/* One call, by its hash in the log. */
struct decision_told {
    uint32_t expected;   /* its newest alert's number; reading stops once all are found */
    uint32_t alert;      /* the newest that a line tells of; 0: none */
    uint32_t suggestion; /* the newest whose suggestion's fate a line tells */
};

struct decision_recall {
    struct map calls; /* struct decision_told */
    size_t missing;   /* calls whose newest alert was not found yet */
};

void decision_recall_init(struct decision_recall *recall, size_t calls_max);
void decision_recall_done(struct decision_recall *recall);

/* False without memory. */
bool decision_recall_want(struct decision_recall *recall, const char *call, uint32_t alert);

/* Reads the log's files, the newest first, until every newest alert is found. The chain is not
 * checked; lines that cannot be read are passed over. ERROR_IO, ERROR_MEMORY. */
int decision_recall_read(struct decision_recall *recall, const char *path, struct error *err);

/* Of a call that was wanted. */
const struct decision_told *decision_recall_find(const struct decision_recall *recall,
                                                 const char *call);

#endif
