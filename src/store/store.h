/* store/store.h - what must outlive the process: where each call was, and which effects were
 * claimed.
 *
 * One small interface with interchangeable keepers: store_memory keeps it for the life of the
 * process (calls that end and reappear), store_sqlite in a file. A call is kept as a head (small,
 * replaced whole) and numbered pages (only those that changed are written), both opaque here, and
 * when it is over as a short record of where it was left and which alert numbers it used up.
 *
 * Contract
 * - A batch is kept wholly or not at all. Submitting a batch again whose fate was not known changes
 *   nothing if it had been kept: batches are numbered, and a number is taken once.
 * - What store_collect hands back without an error is durable: it survives kill -9 and, in a file,
 *   a loss of power. What may be done only once is committed as an intent first, and done after.
 * - An intent found at start was under way when the process ended; it is UNKNOWN from then on.
 * - No text. Of a call that is over not even the id is kept, only its keyed hash.
 *
 * Everything here is called on one thread. A keeper that may block writes on a thread of its own,
 * and calls `wake` there when a batch is ready to be collected.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/clock.h"
#include "base/error.h"
#include "base/keyhash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_ID_BYTES = 129 };

struct store;
struct store_batch;

struct store_call {
    char interaction_id[STORE_ID_BYTES];
    int64_t newest_end_ms; /* everything up to here was taken in; -1 before the first final */
    uint32_t episodes;     /* alert numbers 1..episodes are used up */
    bool closed;           /* followed to its end */
};

struct store_page {
    uint32_t number;
    uint32_t size; /* 0: there is no such page any more */
    const void *bytes;
};

enum store_suggestion_state {
    STORE_SUGGESTION_WAITING = 1, /* has not left */
    STORE_SUGGESTION_INTENDED,    /* may leave from now on */
    STORE_SUGGESTION_SENT,
    STORE_SUGGESTION_UNKNOWN, /* may have been shown; never sent again */
    STORE_SUGGESTION_DROPPED,
};

struct store_suggestion {
    uint32_t episode;
    enum store_suggestion_state state;
    char idempotency_key[KEYHASH_TEXT_BYTES];
};

/* How a call has changed. A closed one's head and pages are forgotten. */
struct store_change {
    struct store_call call;
    const void *head;
    size_t head_bytes;
    const struct store_page *pages;
    size_t page_count;
    const struct store_suggestion *suggestion; /* or NULL: as before */
};

/* A live call as it was kept; all borrowed for the visit. */
struct store_saved {
    struct store_call call;
    const void *head; /* NULL if it was kept without one */
    size_t head_bytes;
    const struct store_page *pages; /* by number */
    size_t page_count;
};

struct store_counts {
    uint64_t live; /* kept calls that are not over */
    uint64_t closed;
    uint64_t intended;        /* suggestions under way */
    uint64_t unknown_at_open; /* suggestions that were under way when the last process ended */
    uint64_t bytes;           /* in files; 0 in memory */
};

/* --- batches --------------------------------------------------------------------------------- */

/* NULL without memory. */
struct store_batch *store_batch_create(void);
void store_batch_destroy(struct store_batch *batch); /* accepts NULL */

/* Empties it for reuse, with a number of its own when it is submitted next; keeps memory. */
void store_batch_clear(struct store_batch *batch);

/* Copies the change. Two of one call in a batch are carried out in order. False without memory:
 * the batch is as before. */
bool store_batch_add(struct store_batch *batch, const struct store_change *change);

/* Whether it holds a change of this call. */
bool store_batch_names(const struct store_batch *batch, const char *interaction_id);

size_t store_batch_count(const struct store_batch *batch);

/* --- stores ---------------------------------------------------------------------------------- */

/* Keeps at most calls_max calls, without heads, pages and suggestions; those committed longest ago
 * are forgotten first. */
int store_open_memory(struct store **store, size_t calls_max, struct error *err);

typedef void store_wake_fn(void *user);

struct store_file_options {
    const char *path;
    uint64_t bytes_max;   /* of the database file; 0: no limit */
    int64_t retention_ms; /* of calls that are over */
    struct keyhash key;   /* for the ids; must be the one the file was made with */
    store_wake_fn *wake;  /* on the writing thread */
    void *user;
};

/* Opens or makes a SQLite database and takes it for this process. Refuses, saying what to do, a
 * file that another undertone uses, that is damaged, that a newer undertone wrote, that is
 * something else or was made with another key. Options are copied. */
int store_open_file(struct store **store, const struct store_file_options *options,
                    struct error *err);

/* Whether it outlives the process: only then are heads and pages worth giving. */
bool store_is_durable(const struct store *store);

/* Begins to keep the batch, which is the store's until it is collected. One at a time: none may be
 * under way. Retention counts from `now`. */
void store_submit(struct store *store, struct store_batch *batch, struct wall now);

/* The batch if its fate is known, else NULL. err (required) tells the fate: one that failed may be
 * submitted again. In memory that is so at once. */
struct store_batch *store_collect(struct store *store, struct error *err);

/* Waits until the batch under way, if any, can be collected. */
void store_wait(struct store *store);

/* Fills *call if the interaction is known, as of the last batch collected; *found tells. Not
 * knowing it is success. */
int store_load(struct store *store, const char *interaction_id, struct store_call *call,
               bool *found, struct error *err);

/* Shows every call that is not over. A visitor that returns false ends the walk, with success.
 * Nothing may be submitted meanwhile. */
typedef bool store_visit_fn(void *user, const struct store_saved *saved);
int store_load_live(struct store *store, store_visit_fn *visit, void *user, struct error *err);

/* Erases all that is known of a call, in the file too. *found tells if there was anything. None of
 * its changes may be under way. */
int store_forget(struct store *store, const char *interaction_id, bool *found, struct error *err);

/* House-keeping, about once a minute: forgets calls past their retention, moves the log into the
 * database. Happens on the writing thread, between batches; a failure shows at the next batch. */
void store_tend(struct store *store, struct wall now);

void store_count(struct store *store, struct store_counts *counts);

/* Ends the batch under way, if any, and closes. Accepts NULL. */
void store_close(struct store *store);

/* --- the file, without the store ------------------------------------------------------------- */

/* Copies the database, whole and consistent, while undertone may be running. `to` must not exist
 * and is readable by its owner only. */
int store_backup_file(const char *path, const char *to, struct error *err);

/* Reads 64 lower-case hexadecimal digits, KEYHASH_KEY_BYTES, from a file that only its owner may
 * read; `make` writes a fresh key first if there is no such file. */
int store_key_read(const char *path, bool make, struct keyhash *key, struct error *err);

#endif
