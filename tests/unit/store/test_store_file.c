/* The store in a file: what outlives the process, what is refused at start and in which words, and
 * what must not be found in the file. The files are looked at and spoiled with SQLite itself. */
#include "files.h"

#include "base/keyhash.h"
#include "base/lines.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void query(const struct files *files, const char *sql)
{
    sqlite3 *handle;
    char *message = NULL;
    assert_int_equal(sqlite3_open(files->path, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, sql, NULL, NULL, &message)) {
        fail_msg("%s: %s", sql, message);
    }
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static int64_t ask(const struct files *files, const char *sql)
{
    sqlite3 *handle;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(files->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    return number;
}

/* Opening must fail, with all these words in the message; returns the code. */
static int refused(struct files *files, const char *word, const char *other)
{
    struct store *store = NULL;
    struct error err = {.code = ERROR_NONE};
    int result = store_open_file(&store, &files->options, &err);
    assert_int_not_equal(result, 0);
    assert_null(store);
    if (!strstr(err.message, word) || !strstr(err.message, other) ||
        !strstr(err.message, files->path)) {
        fail_msg("says: %s", err.message);
    }
    return result;
}

static void keep_some(struct store *store)
{
    static const struct store_page pages[] = {{0, 3, "one"}, {1, 5, "three"}, {7, 1, "x"}};
    const struct store_suggestion suggestion = {4, STORE_SUGGESTION_INTENDED, "key-of-alert"};
    keep_one(store,
             &(struct store_change){.call = make_call("some-call", 1000, 4, false),
                                    .head = "head",
                                    .head_bytes = 4,
                                    .pages = pages,
                                    .page_count = 3,
                                    .suggestion = &suggestion},
             5000);
    keep_one(store, &(struct store_change){.call = make_call("past-call", 1000, 2, true)}, 6000);
}

struct seen {
    int calls;
    char text[256];
};

static bool see(void *user, const struct store_saved *saved)
{
    struct seen *seen = user;
    size_t used = strlen(seen->text);
    seen->calls++;
    used += (size_t)snprintf(seen->text + used, sizeof seen->text - used, "%s %lld %u [%.*s]",
                             saved->call.interaction_id, (long long)saved->call.newest_end_ms,
                             (unsigned)saved->call.episodes, (int)saved->head_bytes,
                             saved->head ? (const char *)saved->head : "");
    for (size_t i = 0; i < saved->page_count; i++) {
        used += (size_t)snprintf(seen->text + used, sizeof seen->text - used, " %u:%.*s",
                                 (unsigned)saved->pages[i].number, (int)saved->pages[i].size,
                                 (const char *)saved->pages[i].bytes);
    }
    return true;
}

static void what_was_kept_is_there_after_the_process(void **state)
{
    (void)state;
    struct files files;
    struct seen seen = {0};
    struct store_call call;
    files_make(&files);
    struct store *store = files_open(&files);
    keep_some(store);
    store_close(store);
    store = files_open(&files);
    assert_int_equal(store_load_live(store, see, &seen, NULL), 0);
    assert_int_equal(seen.calls, 1);
    assert_string_equal(seen.text, "some-call 1000 4 [head] 0:one 1:three 7:x");
    assert_true(is_known(store, "past-call", &call));
    assert_true(call.closed);
    assert_int_equal(call.episodes, 2);
    store_close(store);
    files_remove(&files);
}

/* The same with a process that is killed, by itself, right after the batch was decided. */
static void what_was_kept_is_there_after_kill(void **state)
{
    (void)state;
    struct files files;
    struct seen seen = {0};
    int status;
    files_make(&files);
    pid_t child = fork();
    if (child == 0) {
        keep_some(files_open(&files));
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct store *store = files_open(&files);
    assert_int_equal(store_load_live(store, see, &seen, NULL), 0);
    assert_int_equal(seen.calls, 1);
    store_close(store);
    files_remove(&files);
}

static void pages_are_replaced_and_dropped_one_by_one(void **state)
{
    (void)state;
    static const struct store_page pages[] = {{1, 0, ""}, {2, 3, "two"}, {7, 2, "yz"}, {9, 0, ""}};
    struct files files;
    struct seen seen = {0};
    files_make(&files);
    struct store *store = files_open(&files);
    keep_some(store);
    keep_one(store,
             &(struct store_change){.call = make_call("some-call", 2000, 4, false),
                                    .head = "HEAD",
                                    .head_bytes = 4,
                                    .pages = pages,
                                    .page_count = 4},
             7000);
    assert_int_equal(store_load_live(store, see, &seen, NULL), 0);
    assert_string_equal(seen.text, "some-call 2000 4 [HEAD] 0:one 2:two 7:yz");
    store_close(store);
    files_remove(&files);
}

static void intent_found_at_start_is_unknown(void **state)
{
    (void)state;
    struct files files;
    struct store_counts counts;
    files_make(&files);
    struct store *store = files_open(&files);
    keep_some(store);
    store_count(store, &counts);
    assert_int_equal(counts.intended, 1);
    assert_int_equal(counts.unknown_at_open, 0);
    store_close(store);
    store = files_open(&files);
    store_count(store, &counts);
    assert_int_equal(counts.intended, 0);
    assert_int_equal(counts.unknown_at_open, 1);
    store_close(store);
    assert_int_equal(ask(&files, "SELECT state FROM suggestion WHERE episode = 4"),
                     STORE_SUGGESTION_UNKNOWN);
    files_remove(&files);
}

static void batch_number_is_taken_across_processes(void **state)
{
    (void)state;
    struct files files;
    struct store_call call;
    struct store_batch *batch = make_batch();
    files_make(&files);
    struct store *store = files_open(&files);
    add_call(batch, "a", 1, 1, false);
    assert_int_equal(keep(store, batch, 5, NULL), 0);
    keep_one(store, &(struct store_change){.call = make_call("a", 2, 2, false)}, 6);
    store_close(store);
    store = files_open(&files);
    assert_int_equal(keep(store, batch, 7, NULL), 0);
    assert_true(is_known(store, "a", &call));
    assert_int_equal(call.newest_end_ms, 2);
    keep_one(store, &(struct store_change){.call = make_call("a", 3, 3, false)}, 8);
    assert_true(is_known(store, "a", &call));
    assert_int_equal(call.newest_end_ms, 3);
    store_batch_destroy(batch);
    store_close(store);
    files_remove(&files);
}

/* --- privacy --------------------------------------------------------------------------------- */

static bool file_holds(const char *path, const char *word)
{
    char *bytes;
    size_t size;
    if (lines_read_file(path, 1 << 24, &bytes, &size, NULL)) {
        return false;
    }
    bool holds = false;
    for (size_t i = 0; !holds && i + strlen(word) <= size; i++) {
        holds = memcmp(bytes + i, word, strlen(word)) == 0;
    }
    free(bytes);
    return holds;
}

static bool files_hold(const struct files *files, const char *word)
{
    char log[FILES_PATH_BYTES + 8];
    (void)snprintf(log, sizeof log, "%s-wal", files->path);
    return file_holds(files->path, word) || file_holds(log, word);
}

static void id_of_a_call_that_is_over_is_not_in_the_file(void **state)
{
    (void)state;
    struct files files;
    files_make(&files);
    struct store *store = files_open(&files);
    keep_some(store);
    assert_true(files_hold(&files, "some-call"));
    keep_one(store, &(struct store_change){.call = make_call("some-call", 2000, 4, true)}, 7000);
    store_close(store); /* which empties the log */
    assert_false(files_hold(&files, "some-call"));
    assert_false(files_hold(&files, "past-call"));
    assert_false(files_hold(&files, "three"));
    assert_int_equal(ask(&files, "SELECT count(*) FROM page"), 0);
    assert_int_equal(ask(&files, "SELECT count(*) FROM call"), 2);
    files_remove(&files);
}

static void forgetting_erases_in_the_file_too(void **state)
{
    (void)state;
    struct files files;
    bool found;
    files_make(&files);
    struct store *store = files_open(&files);
    keep_some(store);
    assert_int_equal(store_forget(store, "some-call", &found, NULL), 0);
    assert_true(found);
    assert_false(files_hold(&files, "some-call"));
    assert_false(files_hold(&files, "three"));
    assert_false(files_hold(&files, "key-of-alert"));
    store_close(store);
    files_remove(&files);
}

static void calls_that_are_over_are_forgotten_in_time(void **state)
{
    (void)state;
    struct files files;
    struct store_call call;
    files_make(&files);
    struct store *store = files_open(&files); /* retention: 60 s */
    keep_one(store, &(struct store_change){.call = make_call("old", 1, 0, true)}, 10000);
    keep_one(store, &(struct store_change){.call = make_call("live", 1, 0, false)}, 10000);
    keep_one(store, &(struct store_change){.call = make_call("new", 1, 0, true)}, 10001);
    store_tend(store, (struct wall){70001});
    struct store_batch *batch = make_batch();
    assert_int_equal(keep(store, batch, 70001, NULL), 0);
    store_batch_destroy(batch);
    store_close(store);
    store = files_open(&files);
    assert_false(is_known(store, "old", &call));
    assert_true(is_known(store, "live", &call));
    assert_true(is_known(store, "new", &call));
    store_close(store);
    files_remove(&files);
}

static void only_the_owner_may_read(void **state)
{
    (void)state;
    struct files files;
    struct stat status;
    char name[FILES_PATH_BYTES + 8];
    files_make(&files);
    struct store *store = files_open(&files);
    keep_some(store);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s%s", files.path,
                       i == 0   ? ""
                       : i == 1 ? "-wal"
                                : ".lock");
        assert_int_equal(stat(name, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    store_close(store);
    files_remove(&files);
}

/* --- refusals -------------------------------------------------------------------------------- */

static void second_process_is_refused_by_name(void **state)
{
    (void)state;
    struct files files;
    char who[32];
    files_make(&files);
    struct store *store = files_open(&files);
    (void)snprintf(who, sizeof who, "process id %ld", (long)getpid());
    refused(&files, who, "stop that one");
    store_close(store);
    store_close(files_open(&files));
    files_remove(&files);
}

static void newer_schema_is_refused(void **state)
{
    (void)state;
    struct files files;
    files_make(&files);
    store_close(files_open(&files));
    query(&files, "PRAGMA user_version = 99");
    assert_int_equal(refused(&files, "newer undertone", "99"), ERROR_UNSUPPORTED);
    query(&files, "PRAGMA user_version = 2");
    store_close(files_open(&files));
    files_remove(&files);
}

static void foreign_database_is_refused_untouched(void **state)
{
    (void)state;
    struct files files;
    files_make(&files);
    query(&files, "CREATE TABLE recipe (name TEXT)");
    assert_int_equal(refused(&files, "another program", "another file"), ERROR_CONFIG);
    assert_int_equal(ask(&files, "SELECT count(*) FROM sqlite_schema"), 1);
    files_remove(&files);
}

static void another_key_is_refused(void **state)
{
    (void)state;
    struct files files;
    files_make(&files);
    store_close(files_open(&files));
    files.options.key.key[0]++;
    assert_int_equal(refused(&files, "another key", "store.key_file"), ERROR_CONFIG);
    files_remove(&files);
}

/* The first schema, as it was: a file of that age is brought up, with what it holds. */
static const char first_schema[] =
    "CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), last_batch INTEGER NOT NULL,"
    " key_check TEXT NOT NULL) STRICT;"
    "CREATE TABLE call (number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, id TEXT,"
    " newest_end_ms INTEGER NOT NULL, episodes INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
    " head BLOB) STRICT;"
    "CREATE INDEX call_closed ON call (changed_ms) WHERE id IS NULL;"
    "CREATE INDEX call_live ON call (number) WHERE id IS NOT NULL;"
    "CREATE TABLE page (call INTEGER NOT NULL REFERENCES call ON DELETE CASCADE,"
    " number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (call, number)) STRICT;"
    "INSERT INTO call VALUES (1, 'hash', 'call-of-old', 77, 3, 5000, x'01');"
    "INSERT INTO page VALUES (1, 0, x'4142');"
    "PRAGMA application_id = 1970168948; PRAGMA user_version = 1;";

static void first_schema_is_brought_up(void **state)
{
    (void)state;
    struct files files;
    struct seen seen = {0};
    files_make(&files);
    query(&files, first_schema);
    struct store *store = files_open(&files);
    assert_int_equal(store_load_live(store, see, &seen, NULL), 0);
    assert_string_equal(seen.text, "call-of-old 77 3 [\x01] 0:AB");
    keep_some(store);
    store_close(store);
    assert_int_equal(ask(&files, "PRAGMA user_version"), 2);
    assert_int_equal(ask(&files, "SELECT count(*) FROM suggestion"), 1);
    files_remove(&files);
}

static void spoil(const struct files *files, off_t at, size_t size)
{
    static const char bytes[4096] = {0x5a, 0x5a};
    int fd = open(files->path, O_WRONLY);
    assert_true(fd >= 0);
    for (size_t done = 0; done < size; done += sizeof bytes) {
        assert_int_equal(pwrite(fd, bytes, sizeof bytes, at + (off_t)done), sizeof bytes);
    }
    assert_int_equal(close(fd), 0);
}

static void damaged_page_is_refused_with_the_way_out(void **state)
{
    (void)state;
    struct files files;
    files_make(&files);
    struct store *store = files_open(&files);
    keep_some(store);
    store_close(store);
    spoil(&files, 4096, 8 * 4096);
    assert_int_equal(refused(&files, "damaged", "Move it"), ERROR_FORMAT);
    files_remove(&files);
}

static void file_that_is_no_database_is_refused(void **state)
{
    (void)state;
    struct files files;
    files_make(&files);
    int fd = open(files.path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "to whom it may concern, at length and in full.\n", 47), 47);
    assert_int_equal(close(fd), 0);
    assert_int_equal(refused(&files, "damaged", "not a database"), ERROR_FORMAT);
    files_remove(&files);
}

static void missing_folder_is_refused(void **state)
{
    (void)state;
    struct files files;
    files_make(&files);
    assert_int_equal(rmdir(files.folder), 0);
    assert_int_equal(refused(&files, "folder must exist", "No such file"), ERROR_IO);
}

/* As an unprivileged user where the tests are run as root, whom no permission stops. */
static void read_only_folder_is_refused(void **state)
{
    (void)state;
    struct files files;
    int status;
    files_make(&files);
    assert_int_equal(chmod(files.folder, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *store;
        struct error err;
        if (getuid() == 0 && setuid(65534)) {
            _exit(3);
        }
        _exit(store_open_file(&store, &files.options, &err) != ERROR_PERMISSION ? 1
              : !strstr(err.message, "cannot be opened for writing")            ? 2
                                                                                : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    files_remove(&files);
}

static void used_up_budget_is_told_and_raised(void **state)
{
    (void)state;
    static const char page[4000] = "x";
    struct files files;
    struct store_call call;
    struct error err = {.code = ERROR_NONE};
    int result = 0;
    uint32_t number = 0;
    files_make(&files);
    files.options.bytes_max = 256 * 1024;
    struct store *store = files_open(&files);
    struct store_batch *batch = make_batch();
    while (!result && number < 1000) {
        struct store_page one = {number++, sizeof page, page};
        store_batch_clear(batch);
        add_change(batch, &(struct store_change){.call = make_call("a", number, 0, false),
                                                 .pages = &one,
                                                 .page_count = 1});
        result = keep(store, batch, 5, &err);
    }
    assert_int_equal(result, ERROR_LIMIT);
    assert_true(err.retriable);
    assert_non_null(strstr(err.message, "store.max_bytes (262144)"));
    assert_true(is_known(store, "a", &call)); /* what was kept before is there */
    assert_int_equal(call.newest_end_ms, number - 1);
    store_close(store);
    files.options.bytes_max = 0;
    store = files_open(&files);
    assert_int_equal(keep(store, batch, 5, &err), 0);
    store_batch_destroy(batch);
    store_close(store);
    files_remove(&files);
}

/* --- copy and key ---------------------------------------------------------------------------- */

static void copy_is_made_while_in_use(void **state)
{
    (void)state;
    struct files files;
    struct seen seen = {0};
    char to[FILES_PATH_BYTES + 8];
    struct stat status;
    files_make(&files);
    struct store *store = files_open(&files);
    keep_some(store);
    (void)snprintf(to, sizeof to, "%s.copy", files.path);
    assert_int_equal(store_backup_file(files.path, to, NULL), 0);
    assert_int_equal(stat(to, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_not_equal(store_backup_file(files.path, to, NULL), 0); /* never over something */
    keep_one(store, &(struct store_change){.call = make_call("later", 1, 0, false)}, 9);
    store_close(store);

    assert_int_equal(rename(to, files.path), 0);
    store = files_open(&files);
    assert_int_equal(store_load_live(store, see, &seen, NULL), 0);
    assert_string_equal(seen.text, "some-call 1000 4 [head] 0:one 1:three 7:x");
    store_close(store);
    files_remove(&files);
}

static void key_is_made_once_and_for_the_owner(void **state)
{
    (void)state;
    struct files files;
    struct keyhash first;
    struct keyhash second;
    struct error err;
    struct stat status;
    char path[FILES_PATH_BYTES + 8];
    files_make(&files);
    (void)snprintf(path, sizeof path, "%s.key", files.path);
    assert_int_not_equal(store_key_read(path, false, &first, &err), 0);
    assert_int_equal(store_key_read(path, true, &first, &err), 0);
    assert_int_equal(store_key_read(path, true, &second, &err), 0);
    assert_memory_equal(&first, &second, sizeof first);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(store_key_read(path, true, &first, &err), ERROR_PERMISSION);
    assert_non_null(strstr(err.message, "chmod 600"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 20), 0);
    assert_int_equal(store_key_read(path, true, &first, &err), ERROR_CONFIG);
    files_remove(&files);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_there_after_the_process),
        cmocka_unit_test(what_was_kept_is_there_after_kill),
        cmocka_unit_test(pages_are_replaced_and_dropped_one_by_one),
        cmocka_unit_test(intent_found_at_start_is_unknown),
        cmocka_unit_test(batch_number_is_taken_across_processes),
        cmocka_unit_test(id_of_a_call_that_is_over_is_not_in_the_file),
        cmocka_unit_test(forgetting_erases_in_the_file_too),
        cmocka_unit_test(calls_that_are_over_are_forgotten_in_time),
        cmocka_unit_test(only_the_owner_may_read),
        cmocka_unit_test(second_process_is_refused_by_name),
        cmocka_unit_test(newer_schema_is_refused),
        cmocka_unit_test(foreign_database_is_refused_untouched),
        cmocka_unit_test(another_key_is_refused),
        cmocka_unit_test(first_schema_is_brought_up),
        cmocka_unit_test(damaged_page_is_refused_with_the_way_out),
        cmocka_unit_test(file_that_is_no_database_is_refused),
        cmocka_unit_test(missing_folder_is_refused),
        cmocka_unit_test(read_only_folder_is_refused),
        cmocka_unit_test(used_up_budget_is_told_and_raised),
        cmocka_unit_test(copy_is_made_while_in_use),
        cmocka_unit_test(key_is_made_once_and_for_the_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
