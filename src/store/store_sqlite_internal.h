/* store/store_sqlite_internal.h - the database file: opened, checked and brought to the present
 * schema by store_sqlite_open.c, read and written by store_sqlite.c. No other file knows SQLite. */
#ifndef STORE_STORE_SQLITE_INTERNAL_H
#define STORE_STORE_SQLITE_INTERNAL_H

#include "store/store_internal.h"

#include <sqlite3.h>

/* PRAGMA application_id: "undt". */
enum { STORE_SQLITE_APPLICATION = 0x756e6474 };

struct store_database {
    char *path;
    int lock_fd; /* -1 for none */
    sqlite3 *writer;
    sqlite3 *reader;
    uint64_t bytes_max;
    uint64_t last_number;
    uint64_t unknown_at_open;
    struct keyhash key;
};

/* What may only be written once, or not at all: the file's own name for an interaction. */
const char *store_sqlite_hash(const struct store_database *database, const char *interaction_id,
                              char out[KEYHASH_TEXT_BYTES]);

/* On failure everything is closed again. */
int store_sqlite_open(struct store_database *database, const struct store_file_options *options,
                      struct error *err);
void store_sqlite_close(struct store_database *database); /* accepts a zeroed one with lock_fd -1 */

/* Says what SQLite could not do with this file, and what to do about it. */
int store_sqlite_fail(struct error *err, const struct store_database *database, sqlite3 *handle);

/* Runs statements that give no rows. */
int store_sqlite_run(struct store_database *database, const char *sql, struct error *err);

/* Takes the lock beside the file; ERROR_IO naming the process that has it. */
int store_lock_take(const char *path, int *fd, struct error *err);

/* Makes the file, for its owner only, if it is not there. */
int store_lock_touch(const char *path, struct error *err);

#endif
