/* store_sqlite_open.c - opens the database file and makes sure that it is ours, whole, of the
 * present schema and used by nobody else.
 *
 * The schema is a list of steps, each one a text that is never changed once released; the file's
 * user_version says how many it has been through, and the rest are done in one transaction. Write
 * ahead log with synchronous FULL: a commit that returned survives a loss of power. */
#include "store/store_sqlite_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const steps[] = {
    /* 1: calls, with their state while they are not over. */
    "CREATE TABLE store ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  last_batch INTEGER NOT NULL,"
    "  key_check TEXT NOT NULL" /* tells whether store.key_file is the one hashes were made with */
    ") STRICT;"
    "CREATE TABLE call ("
    "  number INTEGER PRIMARY KEY,"
    "  hash TEXT NOT NULL UNIQUE," /* keyed hash of the interaction id */
    "  id TEXT,"                   /* the id itself; NULL once the call is over */
    "  newest_end_ms INTEGER NOT NULL,"
    "  episodes INTEGER NOT NULL,"
    "  changed_ms INTEGER NOT NULL," /* wall clock of the batch */
    "  head BLOB"
    ") STRICT;"
    "CREATE INDEX call_closed ON call (changed_ms) WHERE id IS NULL;"
    "CREATE INDEX call_live ON call (number) WHERE id IS NOT NULL;"
    "CREATE TABLE page ("
    "  call INTEGER NOT NULL REFERENCES call ON DELETE CASCADE,"
    "  number INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL,"
    "  PRIMARY KEY (call, number)"
    ") STRICT;",
    /* 2: what was sent to agents, or may have been: enum store_suggestion_state. */
    "CREATE TABLE suggestion ("
    "  call INTEGER NOT NULL REFERENCES call ON DELETE CASCADE,"
    "  episode INTEGER NOT NULL,"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),"
    "  idempotency_key TEXT NOT NULL,"
    "  PRIMARY KEY (call, episode)"
    ") STRICT;"
    "CREATE INDEX suggestion_intended ON suggestion (state) WHERE state = 2;",
};
enum { STEPS = sizeof steps / sizeof *steps };

_Static_assert(STORE_SUGGESTION_INTENDED == 2 && STORE_SUGGESTION_UNKNOWN == 4 &&
                   STORE_SUGGESTION_DROPPED == 5,
               "numbers in the file");

static const char key_check_text[] = "undertone store";

/* --- what went wrong ------------------------------------------------------------------------- */

static bool budget_is_used(sqlite3 *handle)
{
    sqlite3_stmt *statement = NULL;
    bool used = false;
    if (sqlite3_prepare_v2(handle,
                           "SELECT page_count >= max_page_count"
                           " FROM pragma_page_count, pragma_max_page_count",
                           -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        used = sqlite3_column_int(statement, 0) != 0;
    }
    (void)sqlite3_finalize(statement);
    return used;
}

static int fail_for_room(struct error *err, const struct store_database *database, sqlite3 *handle)
{
    if (database->bytes_max > 0 && budget_is_used(handle)) {
        return error_set_retriable(err, ERROR_LIMIT,
                                   "store.path %s: store.max_bytes (%llu) is used up; raise it or "
                                   "shorten store.retention",
                                   database->path, (unsigned long long)database->bytes_max);
    }
    return error_set_retriable(err, ERROR_IO, "store.path %s: the disk is full; free some room",
                               database->path);
}

static int fail_as_damaged(struct error *err, const struct store_database *database,
                           const char *how)
{
    return error_set(err, ERROR_FORMAT,
                     "store.path %s: the database is damaged (%s). Move it and its -wal file away, "
                     "and keep them: undertone then starts with an empty store and reads live "
                     "calls again from the vendor; or put back a copy made by undertone store "
                     "backup",
                     database->path, how);
}

int store_sqlite_fail(struct error *err, const struct store_database *database, sqlite3 *handle)
{
    int code = handle ? sqlite3_extended_errcode(handle) : SQLITE_NOMEM;
    const char *path = database->path;
    int number = handle ? sqlite3_system_errno(handle) : 0;
    switch (code & 0xff) {
    case SQLITE_FULL:
        return fail_for_room(err, database, handle);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return fail_as_damaged(err, database, sqlite3_errmsg(handle));
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return error_set(err, ERROR_PERMISSION,
                         "store.path %s: cannot be written (%s): the file, its -wal and -shm files "
                         "and their folder must be writable for the user undertone runs as",
                         path, number ? strerror(number) : sqlite3_errmsg(handle));
    case SQLITE_NOMEM:
        return error_set_retriable(err, ERROR_MEMORY, "store.path %s: no memory", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set_retriable(err, ERROR_IO, "store.path %s: another program has locked it",
                                   path);
    case SQLITE_IOERR:
        if (number == ENOSPC || number == EDQUOT) {
            return fail_for_room(err, database, handle);
        }
        return error_set_retriable(err, ERROR_IO,
                                   "store.path %s: the disk does not do what it should (%s, code "
                                   "%d); look at the system's log",
                                   path, number ? strerror(number) : sqlite3_errmsg(handle), code);
    default:
        return error_set_retriable(err, ERROR_IO, "store.path %s: %s (code %d)", path,
                                   sqlite3_errmsg(handle), code);
    }
}

/* --- small tools ----------------------------------------------------------------------------- */

int store_sqlite_run(struct store_database *database, const char *sql, struct error *err)
{
    return sqlite3_exec(database->writer, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : store_sqlite_fail(err, database, database->writer);
}

/* The first column of the first row. */
static int ask_number(struct store_database *database, const char *sql, int64_t *number,
                      struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool good = sqlite3_prepare_v2(database->writer, sql, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;
    *number = good ? sqlite3_column_int64(statement, 0) : 0;
    int result = good ? 0 : store_sqlite_fail(err, database, database->writer);
    (void)sqlite3_finalize(statement);
    return result;
}

/* The same, as a text that must be this one; *says gets what it is instead. */
static int ask_text(struct store_database *database, const char *sql, const char *wanted,
                    char *says, size_t says_bytes, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool good = sqlite3_prepare_v2(database->writer, sql, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;
    int result = good ? 0 : store_sqlite_fail(err, database, database->writer);
    const unsigned char *text = good ? sqlite3_column_text(statement, 0) : NULL;
    (void)sqlite3_snprintf((int)says_bytes, says, "%s", text ? (const char *)text : "");
    if (good && strcmp(says, wanted) == 0) {
        says[0] = '\0';
    }
    (void)sqlite3_finalize(statement);
    return result;
}

const char *store_sqlite_hash(const struct store_database *database, const char *interaction_id,
                              char out[KEYHASH_TEXT_BYTES])
{
    return keyhash_text(&database->key, interaction_id, strlen(interaction_id), out);
}

/* --- opening --------------------------------------------------------------------------------- */

static int check_whole(struct store_database *database, struct error *err)
{
    char says[200];
    int result = ask_text(database, "PRAGMA quick_check(1)", "ok", says, sizeof says, err);
    if (!result && says[0]) {
        return fail_as_damaged(err, database, says);
    }
    return result;
}

/* Ours, or new; *version is how many steps it has been through. */
static int check_ours(struct store_database *database, int64_t *version, struct error *err)
{
    int64_t application;
    int64_t objects;
    int result = ask_number(database, "PRAGMA application_id", &application, err);
    if (!result) {
        result = ask_number(database, "PRAGMA user_version", version, err);
    }
    if (!result) {
        result = ask_number(database, "SELECT count(*) FROM sqlite_schema", &objects, err);
    }
    if (result) {
        return result;
    }
    if (application != STORE_SQLITE_APPLICATION &&
        (application != 0 || *version != 0 || objects != 0)) {
        return error_set(err, ERROR_CONFIG,
                         "store.path %s: this is a database of another program; name another file",
                         database->path);
    }
    if (*version > STEPS) {
        return error_set(
            err, ERROR_UNSUPPORTED,
            "store.path %s: a newer undertone wrote it (schema %lld, this one knows "
            "%d): run that version, or move the file away to start with an empty store",
            database->path, (long long)*version, STEPS);
    }
    return 0;
}

static int migrate(struct store_database *database, int64_t version, struct error *err)
{
    if (version == STEPS) {
        return 0;
    }
    char numbers[96];
    (void)sqlite3_snprintf(sizeof numbers, numbers,
                           "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                           STORE_SQLITE_APPLICATION, STEPS);
    int result = store_sqlite_run(database, "BEGIN IMMEDIATE", err);
    for (int64_t step = version; !result && step < STEPS; step++) {
        result = store_sqlite_run(database, steps[step], err);
    }
    if (!result) {
        result = store_sqlite_run(database, numbers, err);
    }
    if (!result) {
        result = store_sqlite_run(database, "COMMIT", err);
    }
    if (result && !sqlite3_get_autocommit(database->writer)) {
        (void)store_sqlite_run(database, "ROLLBACK", NULL);
    }
    return result;
}

/* The key the hashes were made with; a new file remembers ours. */
static int check_key(struct store_database *database, struct error *err)
{
    char check[KEYHASH_TEXT_BYTES];
    char sql[160];
    char says[KEYHASH_TEXT_BYTES];
    keyhash_text(&database->key, key_check_text, sizeof key_check_text - 1, check);
    (void)sqlite3_snprintf(sizeof sql, sql,
                           "INSERT INTO store VALUES (1, 0, %Q) ON CONFLICT DO NOTHING", check);
    int result = store_sqlite_run(database, sql, err);
    if (!result) {
        result = ask_text(database, "SELECT key_check FROM store", check, says, sizeof says, err);
    }
    if (!result && says[0]) {
        return error_set(err, ERROR_CONFIG,
                         "store.path %s: it was made with another key than store.key_file holds: "
                         "put the right key file back, or move the database away to start with an "
                         "empty store",
                         database->path);
    }
    return result;
}

/* Nobody can tell any more what became of a suggestion that was under way when the last process
 * ended. */
static int claim(struct store_database *database, struct error *err)
{
    int64_t last_number;
    int result = store_sqlite_run(database, "UPDATE suggestion SET state = 4 WHERE state = 2", err);
    if (!result) {
        database->unknown_at_open = (uint64_t)sqlite3_changes64(database->writer);
        result = ask_number(database, "SELECT last_batch FROM store", &last_number, err);
    }
    if (!result) {
        database->last_number = (uint64_t)last_number;
    }
    return result;
}

static int set_budget(struct store_database *database, struct error *err)
{
    char sql[64];
    int64_t page_bytes;
    int result = ask_number(database, "PRAGMA page_size", &page_bytes, err);
    if (result || database->bytes_max == 0) {
        return result;
    }
    uint64_t pages = database->bytes_max / (uint64_t)(page_bytes > 0 ? page_bytes : 4096);
    (void)sqlite3_snprintf(sizeof sql, sql, "PRAGMA max_page_count = %llu",
                           (unsigned long long)(pages ? pages : 1));
    return store_sqlite_run(database, sql, err);
}

static int set_up_writer(struct store_database *database, struct error *err)
{
    char says[32];
    int64_t version = 0;
    int result = check_ours(database, &version, err);
    if (!result) {
        result = ask_text(database, "PRAGMA journal_mode = WAL", "wal", says, sizeof says, err);
    }
    if (!result && says[0]) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "store.path %s: this file system cannot hold a write-ahead log (journal "
                         "mode is %s); put it on a local disk",
                         database->path, says);
    }
    if (!result) {
        result = store_sqlite_run(database,
                                  "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                                  "PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;"
                                  "PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = 0;"
                                  "PRAGMA journal_size_limit = 67108864;",
                                  err);
    }
    if (!result) {
        result = check_whole(database, err);
    }
    if (!result) {
        result = set_budget(database, err);
    }
    if (!result) {
        result = migrate(database, version, err);
    }
    if (!result) {
        result = check_key(database, err);
    }
    return result ? result : claim(database, err);
}

static int open_handle(struct store_database *database, int flags, sqlite3 **handle,
                       struct error *err)
{
    if (sqlite3_open_v2(database->path, handle, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        return store_sqlite_fail(err, database, *handle);
    }
    (void)sqlite3_extended_result_codes(*handle, 1);
    (void)sqlite3_busy_timeout(*handle, 5000);
    return 0;
}

int store_sqlite_open(struct store_database *database, const struct store_file_options *options,
                      struct error *err)
{
    *database = (struct store_database){
        .lock_fd = -1, .bytes_max = options->bytes_max, .key = options->key};
    database->path = strdup(options->path);
    int result = database->path ? 0 : error_set(err, ERROR_MEMORY, "no memory for the store");
    if (!result) {
        result = store_lock_take(database->path, &database->lock_fd, err);
    }
    if (!result) {
        result = store_lock_touch(database->path, err);
    }
    if (!result) {
        result = open_handle(database, SQLITE_OPEN_READWRITE, &database->writer, err);
    }
    if (!result) {
        result = set_up_writer(database, err);
    }
    if (!result) {
        result = open_handle(database, SQLITE_OPEN_READONLY, &database->reader, err);
    }
    if (result) {
        store_sqlite_close(database);
    }
    return result;
}
