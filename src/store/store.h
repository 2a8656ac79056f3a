/* store/store.h - what must outlive a session: where a call was, and which alerts were claimed.
 *
 * One small interface with interchangeable keepers. store_memory keeps it for the life of the
 * process (calls that end and reappear); a durable one stands behind the same functions. All on
 * one thread.
 *
 * Contract: what is committed in one batch is kept wholly or not at all, and committing the same
 * batch again changes nothing. An effect that may be done only once is committed as an intent
 * before it leaves.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_ID_BYTES = 129 };

struct store;

struct store_call {
    char interaction_id[STORE_ID_BYTES];
    int64_t newest_end_ms; /* everything up to here was taken in; -1 before the first final */
    uint32_t episodes;     /* alert numbers 1..episodes are used up */
    bool closed;           /* followed to its end */
};

/* Keeps what is committed in memory, for at most calls_max calls; the calls committed longest ago
 * are forgotten first. */
int store_open_memory(struct store **store, size_t calls_max, struct error *err);

/* Replaces what is known of each call. */
int store_commit(struct store *store, const struct store_call *calls, size_t count,
                 struct error *err);

/* Fills *call if the interaction is known; *found tells. Not knowing it is success. */
int store_load(struct store *store, const char *interaction_id, struct store_call *call,
               bool *found, struct error *err);

size_t store_count(const struct store *store);

/* Accepts NULL. */
void store_close(struct store *store);

#endif
