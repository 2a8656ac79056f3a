/* decisions/decision_review.h - reading a log of decisions: is the chain whole, and what became of
 * each alert. */
#ifndef DECISIONS_DECISION_REVIEW_H
#define DECISIONS_DECISION_REVIEW_H

#include "base/json.h"
#include "decisions/chain.h"

#include <stdbool.h>
#include <stddef.h>

struct decision_review {
    struct chain chain;
    bool begun;     /* a line was read */
    uint64_t first; /* number of the first line read; what came before is not known to be whole */
    uint64_t lines;
    const char *wanted; /* a hash kept elsewhere, or NULL */
    bool found;         /* a line has it */
};

/* `wanted` may be NULL. */
void decision_review_init(struct decision_review *review, const char *wanted);

/* Called with each line, checked; false ends the reading with ERROR_MEMORY. */
typedef bool decision_review_fn(void *user, const struct json *line);

/* Reads a file, which goes on where the one before ended. Errors are "FILE:LINE: ...". `each` may
 * be NULL. */
int decision_review_read(struct decision_review *review, const char *path, decision_review_fn *each,
                         void *user, struct error *err);

#endif
