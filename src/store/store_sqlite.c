/* store_sqlite.c - the keeper in a file: one transaction a batch on the writing thread, look-ups
 * on a read-only connection of the owner's thread, so that neither waits for the other. The log is
 * moved into the database when it has grown, after a batch was told durable, never before. */
#include "store/store_sqlite_internal.h"

#include "base/buf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOG_PAGES_MAX = 1000,      /* then the log is moved into the database */
    PURGE_MAX = 1000,          /* calls forgotten in one go */
    STATE_BYTES_MAX = 1 << 26, /* pages of one call */
    SUGGESTIONS_KEPT = 64,     /* of one call: the newest */
};

enum statement {
    BEGIN_BATCH,
    END_BATCH,
    UNDO_BATCH,
    TAKE_NUMBER,
    PUT_CALL,
    DROP_PAGES,
    PUT_PAGE,
    DROP_PAGE,
    PUT_SUGGESTION,
    DROP_SUGGESTIONS,
    FORGET_CALL,
    FORGET_OLD,
    WRITER_STATEMENTS,
    FIND_CALL = WRITER_STATEMENTS,
    EACH_LIVE,
    EACH_PAGE,
    COUNT,
    STATEMENTS
};

static const char *const statement_texts[STATEMENTS] = {
    [BEGIN_BATCH] = "BEGIN IMMEDIATE",
    [END_BATCH] = "COMMIT",
    [UNDO_BATCH] = "ROLLBACK",
    [TAKE_NUMBER] = "UPDATE store SET last_batch = ?1 WHERE last_batch < ?1",
    [PUT_CALL] = "INSERT INTO call (hash, id, newest_end_ms, episodes, changed_ms, head)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                 " ON CONFLICT (hash) DO UPDATE SET id = excluded.id,"
                 " newest_end_ms = excluded.newest_end_ms, episodes = excluded.episodes,"
                 " changed_ms = excluded.changed_ms, head = excluded.head RETURNING number",
    [DROP_PAGES] = "DELETE FROM page WHERE call = ?1",
    [PUT_PAGE] = "INSERT INTO page (call, number, bytes) VALUES (?1, ?2, ?3)"
                 " ON CONFLICT (call, number) DO UPDATE SET bytes = excluded.bytes",
    [DROP_PAGE] = "DELETE FROM page WHERE call = ?1 AND number = ?2",
    [PUT_SUGGESTION] = "INSERT INTO suggestion (call, episode, state, idempotency_key)"
                       " VALUES (?1, ?2, ?3, ?4)"
                       " ON CONFLICT (call, episode) DO UPDATE SET state = excluded.state",
    [DROP_SUGGESTIONS] = "DELETE FROM suggestion WHERE call = ?1 AND episode <= ?2",
    [FORGET_CALL] = "DELETE FROM call WHERE hash = ?1",
    [FORGET_OLD] = "DELETE FROM call WHERE number IN (SELECT number FROM call"
                   " WHERE id IS NULL AND changed_ms < ?1 ORDER BY changed_ms LIMIT ?2)",
    [FIND_CALL] = "SELECT newest_end_ms, episodes, id IS NULL FROM call WHERE hash = ?1",
    [EACH_LIVE] = "SELECT number, id, newest_end_ms, episodes, head FROM call"
                  " WHERE id IS NOT NULL ORDER BY number",
    [EACH_PAGE] = "SELECT number, bytes FROM page WHERE call = ?1 ORDER BY number",
    [COUNT] = "SELECT (SELECT count(*) FROM call WHERE id IS NOT NULL),"
              " (SELECT count(*) FROM call WHERE id IS NULL),"
              " (SELECT count(*) FROM suggestion WHERE state = 2)",
};

struct sqlite_keeper {
    struct store_database database;
    sqlite3_stmt *statements[STATEMENTS];
    int64_t retention_ms;
    int log_pages;
};

/* --- statements ------------------------------------------------------------------------------ */

static sqlite3 *handle_of(const struct sqlite_keeper *keeper, enum statement which)
{
    return which < WRITER_STATEMENTS ? keeper->database.writer : keeper->database.reader;
}

static int fail(struct sqlite_keeper *keeper, enum statement which, struct error *err)
{
    return store_sqlite_fail(err, &keeper->database, handle_of(keeper, which));
}

static int prepare_all(struct sqlite_keeper *keeper, struct error *err)
{
    for (enum statement which = 0; which < STATEMENTS; which++) {
        if (sqlite3_prepare_v3(handle_of(keeper, which), statement_texts[which], -1,
                               SQLITE_PREPARE_PERSISTENT, &keeper->statements[which],
                               NULL) != SQLITE_OK) {
            return fail(keeper, which, err);
        }
    }
    return 0;
}

/* Runs to the end and makes ready for the next time. */
static int finish(struct sqlite_keeper *keeper, enum statement which, struct error *err)
{
    sqlite3_stmt *statement = keeper->statements[which];
    int code = sqlite3_step(statement);
    while (code == SQLITE_ROW) {
        code = sqlite3_step(statement);
    }
    int result = code == SQLITE_DONE ? 0 : fail(keeper, which, err);
    (void)sqlite3_reset(statement);
    return result;
}

/* --- writing --------------------------------------------------------------------------------- */

static int put_call(struct sqlite_keeper *keeper, const struct store_change *change,
                    struct wall now, int64_t *number, struct error *err)
{
    const struct store_call *call = &change->call;
    sqlite3_stmt *put = keeper->statements[PUT_CALL];
    char hash[KEYHASH_TEXT_BYTES];
    store_sqlite_hash(&keeper->database, call->interaction_id, hash);
    (void)sqlite3_bind_text(put, 1, hash, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(put, 2, call->closed ? NULL : call->interaction_id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(put, 3, call->newest_end_ms);
    (void)sqlite3_bind_int64(put, 4, call->episodes);
    (void)sqlite3_bind_int64(put, 5, now.ms);
    (void)sqlite3_bind_blob64(put, 6, call->closed ? NULL : change->head, change->head_bytes,
                              SQLITE_STATIC);
    if (sqlite3_step(put) == SQLITE_ROW) {
        *number = sqlite3_column_int64(put, 0);
        return finish(keeper, PUT_CALL, err);
    }
    int result = fail(keeper, PUT_CALL, err);
    (void)sqlite3_reset(put);
    return result;
}

static int put_page(struct sqlite_keeper *keeper, int64_t call, const struct store_page *page,
                    struct error *err)
{
    enum statement which = page->size > 0 ? PUT_PAGE : DROP_PAGE;
    sqlite3_stmt *statement = keeper->statements[which];
    (void)sqlite3_bind_int64(statement, 1, call);
    (void)sqlite3_bind_int64(statement, 2, page->number);
    if (which == PUT_PAGE) {
        (void)sqlite3_bind_blob64(statement, 3, page->bytes, page->size, SQLITE_STATIC);
    }
    return finish(keeper, which, err);
}

/* A call that goes on for days takes no more room for it: what became of those long past is in the
 * log. */
static int put_suggestion(struct sqlite_keeper *keeper, int64_t call,
                          const struct store_suggestion *suggestion, struct error *err)
{
    sqlite3_stmt *put = keeper->statements[PUT_SUGGESTION];
    (void)sqlite3_bind_int64(put, 1, call);
    (void)sqlite3_bind_int64(put, 2, suggestion->episode);
    (void)sqlite3_bind_int(put, 3, (int)suggestion->state);
    (void)sqlite3_bind_text(put, 4, suggestion->idempotency_key, -1, SQLITE_STATIC);
    int result = finish(keeper, PUT_SUGGESTION, err);
    if (!result && suggestion->episode > SUGGESTIONS_KEPT) {
        sqlite3_stmt *drop = keeper->statements[DROP_SUGGESTIONS];
        (void)sqlite3_bind_int64(drop, 1, call);
        (void)sqlite3_bind_int64(drop, 2, (int64_t)suggestion->episode - SUGGESTIONS_KEPT);
        result = finish(keeper, DROP_SUGGESTIONS, err);
    }
    return result;
}

static int put_change(struct sqlite_keeper *keeper, const struct store_change *change,
                      struct wall now, struct error *err)
{
    int64_t number = 0;
    int result = put_call(keeper, change, now, &number, err);
    if (!result && change->call.closed) {
        (void)sqlite3_bind_int64(keeper->statements[DROP_PAGES], 1, number);
        result = finish(keeper, DROP_PAGES, err);
    }
    for (size_t i = 0; !result && !change->call.closed && i < change->page_count; i++) {
        result = put_page(keeper, number, &change->pages[i], err);
    }
    if (!result && change->suggestion) {
        result = put_suggestion(keeper, number, change->suggestion, err);
    }
    return result;
}

/* After some failures SQLite has rolled back by itself. */
static void undo(struct sqlite_keeper *keeper)
{
    if (!sqlite3_get_autocommit(keeper->database.writer)) {
        (void)finish(keeper, UNDO_BATCH, NULL);
    }
}

static int sqlite_commit(void *state, const struct store_batch *batch, struct error *err)
{
    struct sqlite_keeper *keeper = state;
    int result = finish(keeper, BEGIN_BATCH, err);
    if (!result) {
        (void)sqlite3_bind_int64(keeper->statements[TAKE_NUMBER], 1, (int64_t)batch->number);
        result = finish(keeper, TAKE_NUMBER, err);
    }
    bool kept_before = !result && sqlite3_changes(keeper->database.writer) == 0;
    for (size_t i = 0; !result && !kept_before && i < batch->count; i++) {
        result = put_change(keeper, &batch->items[i]->change, batch->now, err);
    }
    if (!result) {
        result = finish(keeper, END_BATCH, err);
    }
    if (result) {
        undo(keeper);
    }
    return result;
}

/* --- house-keeping --------------------------------------------------------------------------- */

static int on_log_grown(void *user, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    ((struct sqlite_keeper *)user)->log_pages = pages;
    return SQLITE_OK;
}

static void sqlite_after(void *state)
{
    struct sqlite_keeper *keeper = state;
    if (keeper->log_pages >= LOG_PAGES_MAX) {
        keeper->log_pages = 0;
        (void)sqlite3_wal_checkpoint_v2(keeper->database.writer, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                        NULL, NULL);
    }
}

/* What is erased is to be gone from the log as well, as soon as no reader needs it. */
static void sqlite_tend(void *state, struct wall now)
{
    struct sqlite_keeper *keeper = state;
    sqlite3_stmt *forget = keeper->statements[FORGET_OLD];
    int forgotten = 0;
    do {
        (void)sqlite3_bind_int64(forget, 1, now.ms - keeper->retention_ms);
        (void)sqlite3_bind_int(forget, 2, PURGE_MAX);
        forgotten = finish(keeper, FORGET_OLD, NULL) ? 0 : sqlite3_changes(keeper->database.writer);
    } while (forgotten == PURGE_MAX);
    keeper->log_pages = 0;
    (void)sqlite3_wal_checkpoint_v2(keeper->database.writer, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                    NULL);
}

static int sqlite_forget(void *state, const char *interaction_id, bool *found, struct error *err)
{
    struct sqlite_keeper *keeper = state;
    char hash[KEYHASH_TEXT_BYTES];
    store_sqlite_hash(&keeper->database, interaction_id, hash);
    (void)sqlite3_bind_text(keeper->statements[FORGET_CALL], 1, hash, -1, SQLITE_STATIC);
    int result = finish(keeper, FORGET_CALL, err);
    *found = !result && sqlite3_changes(keeper->database.writer) > 0;
    if (!result && sqlite3_wal_checkpoint_v2(keeper->database.writer, NULL,
                                             SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL)) {
        result = fail(keeper, FORGET_CALL, err);
    }
    return result;
}

/* --- reading --------------------------------------------------------------------------------- */

static int sqlite_load(void *state, const char *interaction_id, struct store_call *call,
                       bool *found, struct error *err)
{
    struct sqlite_keeper *keeper = state;
    sqlite3_stmt *find = keeper->statements[FIND_CALL];
    char hash[KEYHASH_TEXT_BYTES];
    *found = false;
    store_sqlite_hash(&keeper->database, interaction_id, hash);
    (void)sqlite3_bind_text(find, 1, hash, -1, SQLITE_STATIC);
    int code = sqlite3_step(find);
    if (code == SQLITE_ROW) {
        *found = true;
        *call = (struct store_call){
            .newest_end_ms = sqlite3_column_int64(find, 0),
            .episodes = (uint32_t)sqlite3_column_int64(find, 1),
            .closed = sqlite3_column_int(find, 2) != 0,
        };
        (void)snprintf(call->interaction_id, sizeof call->interaction_id, "%s", interaction_id);
    }
    int result = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : fail(keeper, FIND_CALL, err);
    (void)sqlite3_reset(find);
    return result;
}

/* The pages of the call being shown, their bytes one after the other. */
struct shown_pages {
    struct store_page *pages;
    size_t count;
    size_t capacity;
    struct buf bytes;
};

static bool add_page(struct shown_pages *shown, uint32_t number, const void *bytes, size_t size)
{
    if (shown->count == shown->capacity) {
        size_t capacity = shown->capacity ? shown->capacity * 2 : 64;
        struct store_page *pages = realloc(shown->pages, capacity * sizeof *pages);
        if (!pages) {
            return false;
        }
        shown->pages = pages;
        shown->capacity = capacity;
    }
    shown->pages[shown->count++] = (struct store_page){.number = number, .size = (uint32_t)size};
    return buf_append(&shown->bytes, bytes, size);
}

static int read_pages(struct sqlite_keeper *keeper, int64_t call, struct shown_pages *shown,
                      struct error *err)
{
    sqlite3_stmt *each = keeper->statements[EACH_PAGE];
    int code;
    bool room = true;
    shown->count = 0;
    buf_clear(&shown->bytes);
    (void)sqlite3_bind_int64(each, 1, call);
    while (room && (code = sqlite3_step(each)) == SQLITE_ROW) {
        const void *bytes = sqlite3_column_blob(each, 1);
        room = add_page(shown, (uint32_t)sqlite3_column_int64(each, 0), bytes,
                        (size_t)sqlite3_column_bytes(each, 1));
    }
    int result = 0;
    if (!room) {
        result = error_set(err, ERROR_MEMORY, "store.path %s: no memory to read a call",
                           keeper->database.path);
    } else if (code != SQLITE_DONE) {
        result = fail(keeper, EACH_PAGE, err);
    }
    (void)sqlite3_reset(each);
    const char *at = shown->bytes.bytes;
    for (size_t i = 0; !result && i < shown->count; i++) {
        shown->pages[i].bytes = at;
        at += shown->pages[i].size;
    }
    return result;
}

static void describe(sqlite3_stmt *each, const struct shown_pages *shown, struct store_saved *saved)
{
    const unsigned char *id = sqlite3_column_text(each, 1);
    *saved = (struct store_saved){
        .call = {.newest_end_ms = sqlite3_column_int64(each, 2),
                 .episodes = (uint32_t)sqlite3_column_int64(each, 3)},
        .head = sqlite3_column_blob(each, 4),
        .head_bytes = (size_t)sqlite3_column_bytes(each, 4),
        .pages = shown->pages,
        .page_count = shown->count,
    };
    (void)snprintf(saved->call.interaction_id, sizeof saved->call.interaction_id, "%s",
                   id ? (const char *)id : "");
}

static int sqlite_visit(void *state, store_visit_fn *visit, void *user, struct error *err)
{
    struct sqlite_keeper *keeper = state;
    sqlite3_stmt *each = keeper->statements[EACH_LIVE];
    struct shown_pages shown = {0};
    int result = 0;
    int code;
    buf_init(&shown.bytes, STATE_BYTES_MAX);
    while (!result && (code = sqlite3_step(each)) == SQLITE_ROW) {
        struct store_saved saved;
        result = read_pages(keeper, sqlite3_column_int64(each, 0), &shown, err);
        if (result) {
            break;
        }
        describe(each, &shown, &saved);
        if (!visit(user, &saved)) {
            code = SQLITE_DONE;
            break;
        }
    }
    if (!result && code != SQLITE_DONE) {
        result = fail(keeper, EACH_LIVE, err);
    }
    (void)sqlite3_reset(each);
    free(shown.pages);
    buf_done(&shown.bytes);
    return result;
}

static uint64_t file_bytes(const char *path, const char *suffix)
{
    char name[4096];
    struct stat status;
    int size = snprintf(name, sizeof name, "%s%s", path, suffix);
    bool known = size > 0 && (size_t)size < sizeof name && stat(name, &status) == 0;
    return known ? (uint64_t)status.st_size : 0;
}

static void sqlite_count(void *state, struct store_counts *counts)
{
    struct sqlite_keeper *keeper = state;
    sqlite3_stmt *count = keeper->statements[COUNT];
    if (sqlite3_step(count) == SQLITE_ROW) {
        counts->live = (uint64_t)sqlite3_column_int64(count, 0);
        counts->closed = (uint64_t)sqlite3_column_int64(count, 1);
        counts->intended = (uint64_t)sqlite3_column_int64(count, 2);
    }
    (void)sqlite3_reset(count);
    counts->unknown_at_open = keeper->database.unknown_at_open;
    counts->bytes =
        file_bytes(keeper->database.path, "") + file_bytes(keeper->database.path, "-wal");
}

/* --- life ------------------------------------------------------------------------------------ */

void store_sqlite_close(struct store_database *database)
{
    (void)sqlite3_close(database->reader);
    (void)sqlite3_close(database->writer);
    if (database->lock_fd >= 0) {
        (void)close(database->lock_fd);
    }
    free(database->path);
    keyhash_wipe(&database->key, sizeof database->key);
    *database = (struct store_database){.lock_fd = -1};
}

static void sqlite_close(void *state)
{
    struct sqlite_keeper *keeper = state;
    for (int i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(keeper->statements[i]);
    }
    store_sqlite_close(&keeper->database);
    free(keeper);
}

static const struct store_keeper sqlite_functions = {
    .blocking = true,
    .commit = sqlite_commit,
    .after = sqlite_after,
    .load = sqlite_load,
    .visit = sqlite_visit,
    .forget = sqlite_forget,
    .tend = sqlite_tend,
    .count = sqlite_count,
    .close = sqlite_close,
};

int store_open_file(struct store **store, const struct store_file_options *options,
                    struct error *err)
{
    *store = NULL;
    struct sqlite_keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper) {
        return error_set(err, ERROR_MEMORY, "no memory for the store");
    }
    keeper->retention_ms = options->retention_ms;
    int result = store_sqlite_open(&keeper->database, options, err);
    if (result) {
        free(keeper);
        return result;
    }
    (void)sqlite3_wal_hook(keeper->database.writer, on_log_grown, keeper);
    result = prepare_all(keeper, err);
    if (result) {
        sqlite_close(keeper);
        return result;
    }
    return store_create(store,
                        &(struct store_setup){.keeper = &sqlite_functions,
                                              .state = keeper,
                                              .last_number = keeper->database.last_number,
                                              .wake = options->wake,
                                              .user = options->user},
                        err);
}

/* --- a copy ---------------------------------------------------------------------------------- */

static int copy_database(const struct store_database *from, const struct store_database *to,
                         struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->writer, "main", from->writer, "main");
    int code = backup ? sqlite3_backup_step(backup, -1) : SQLITE_ERROR;
    int finished = sqlite3_backup_finish(backup);
    if (code == SQLITE_DONE && finished == SQLITE_OK) {
        return 0;
    }
    return store_sqlite_fail(err, to, to->writer);
}

int store_backup_file(const char *path, const char *to, struct error *err)
{
    struct store_database source = {.lock_fd = -1, .path = strdup(path)};
    struct store_database copy = {.lock_fd = -1, .path = strdup(to)};
    int result = source.path && copy.path ? 0 : error_set(err, ERROR_MEMORY, "no memory");
    if (!result && access(path, F_OK)) {
        result = error_set(err, ERROR_IO, "store.path %s: there is no such database", path);
    }
    if (!result && sqlite3_open_v2(path, &source.writer, SQLITE_OPEN_READWRITE, NULL)) {
        result = store_sqlite_fail(err, &source, source.writer);
    }
    int fd = result ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (!result && fd < 0) {
        result = error_set(err, ERROR_IO,
                           "%s: cannot be made: it exists, or its folder cannot be "
                           "written; name a new file",
                           to);
    }
    if (!result && sqlite3_open_v2(to, &copy.writer, SQLITE_OPEN_READWRITE, NULL)) {
        result = store_sqlite_fail(err, &copy, copy.writer);
    }
    if (!result) {
        (void)sqlite3_busy_timeout(source.writer, 5000);
        result = copy_database(&source, &copy, err);
    }
    store_sqlite_close(&copy);
    store_sqlite_close(&source);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (result && fd >= 0) {
        (void)unlink(to);
    }
    return result;
}
