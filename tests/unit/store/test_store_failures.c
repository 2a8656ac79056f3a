/* A disk that fails: the first, second, third, ... operation on the files, once or from then on,
 * with an input/output error or for want of room. After each the batch is there wholly or not at
 * all, a second try keeps it, and nothing kept before is gone.
 *
 * The failing disk is a shim over SQLite's own way to files, registered as the default one, so the
 * room is tested as it is. */
#include "files.h"

#include <pthread.h>
#include <sqlite3.h>

/* --- the shim -------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t mutex; /* the batch is written on a thread of the store's */
    long operations;       /* so far */
    long fails_at;         /* 0: never */
    bool forever;
    int code; /* SQLITE_FULL, or the operation's own input/output error */
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void set_disk(long fails_at, bool forever, int code)
{
    pthread_mutex_lock(&disk.mutex);
    disk.operations = 0;
    disk.fails_at = fails_at;
    disk.forever = forever;
    disk.code = code;
    pthread_mutex_unlock(&disk.mutex);
}

/* How many operations there were; the disk is whole again. */
static long mend_disk(void)
{
    pthread_mutex_lock(&disk.mutex);
    long operations = disk.operations;
    disk.fails_at = 0;
    pthread_mutex_unlock(&disk.mutex);
    return operations;
}

/* SQLITE_OK, or how this operation is to fail. */
static int operate(int own_code)
{
    pthread_mutex_lock(&disk.mutex);
    long number = ++disk.operations;
    bool fails =
        disk.fails_at > 0 && (disk.forever ? number >= disk.fails_at : number == disk.fails_at);
    int code = disk.code;
    pthread_mutex_unlock(&disk.mutex);
    if (!fails) {
        return SQLITE_OK;
    }
    return code == SQLITE_FULL ? SQLITE_FULL : own_code;
}

struct shim_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs shim_vfs;
static sqlite3_io_methods shim_methods;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct shim_file *)file)->real;
}

static int shim_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int shim_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, size, at);
}

static int shim_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    int code = operate(SQLITE_IOERR_WRITE);
    return code ? code : real_of(file)->pMethods->xWrite(real_of(file), bytes, size, at);
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = operate(SQLITE_IOERR_TRUNCATE);
    return code ? code : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

/* A sync for want of room is not heard of: it fails as input/output does. */
static int shim_sync(sqlite3_file *file, int flags)
{
    return operate(SQLITE_IOERR_FSYNC) ? SQLITE_IOERR_FSYNC
                                       : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int shim_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int shim_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int shim_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int shim_check_lock(sqlite3_file *file, int *result)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}

static int shim_control(sqlite3_file *file, int what, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int shim_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int shim_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int shim_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **at)
{
    int code = extend ? operate(SQLITE_IOERR_SHMMAP) : SQLITE_OK;
    return code ? code : real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, at);
}

static int shim_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void shim_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int shim_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *out_flags)
{
    (void)vfs;
    struct shim_file *shim = (struct shim_file *)file;
    shim->base.pMethods = NULL;
    shim->real = (sqlite3_file *)(shim + 1);
    int code = operate(SQLITE_CANTOPEN);
    if (!code) {
        code = real_vfs->xOpen(real_vfs, name, shim->real, flags, out_flags);
    }
    if (!code) {
        shim->base.pMethods = &shim_methods;
    }
    return code;
}

static void register_shim(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    shim_vfs = *real_vfs;
    shim_vfs.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
    shim_vfs.zName = "failing";
    shim_vfs.pNext = NULL;
    shim_vfs.xOpen = shim_open;
    shim_methods = (sqlite3_io_methods){
        .iVersion = 2,
        .xClose = shim_close,
        .xRead = shim_read,
        .xWrite = shim_write,
        .xTruncate = shim_truncate,
        .xSync = shim_sync,
        .xFileSize = shim_size,
        .xLock = shim_lock,
        .xUnlock = shim_unlock,
        .xCheckReservedLock = shim_check_lock,
        .xFileControl = shim_control,
        .xSectorSize = shim_sector,
        .xDeviceCharacteristics = shim_characteristics,
        .xShmMap = shim_shm_map,
        .xShmLock = shim_shm_lock,
        .xShmBarrier = shim_shm_barrier,
        .xShmUnmap = shim_shm_unmap,
    };
    assert_int_equal(sqlite3_vfs_register(&shim_vfs, 1), SQLITE_OK);
}

/* --- what is kept ---------------------------------------------------------------------------- */

enum { CALLS = 12, PAGES = 6, PAGE_BYTES = 700 };

/* Call c of round r has newest_end_ms r, PAGES pages full of r's letter, and suggestion r. */
static struct store_batch *make_round(int round)
{
    struct store_batch *batch = make_batch();
    char bytes[PAGE_BYTES];
    memset(bytes, 'a' + round, sizeof bytes);
    for (int c = 0; c < CALLS; c++) {
        struct store_page pages[PAGES];
        char id[16];
        struct store_suggestion suggestion = {(uint32_t)round, STORE_SUGGESTION_INTENDED, "key"};
        (void)snprintf(id, sizeof id, "call-%d", c);
        for (uint32_t p = 0; p < PAGES; p++) {
            pages[p] = (struct store_page){p, sizeof bytes, bytes};
        }
        add_change(batch, &(struct store_change){.call = make_call(id, round, 0, false),
                                                 .head = bytes,
                                                 .head_bytes = 300,
                                                 .pages = pages,
                                                 .page_count = PAGES,
                                                 .suggestion = &suggestion});
    }
    return batch;
}

struct found {
    int calls;
    int round; /* of all calls; -1 if they differ, or one is in itself mixed */
};

static bool find_round(void *user, const struct store_saved *saved)
{
    struct found *found = user;
    int round = (int)saved->call.newest_end_ms;
    char letter = (char)('a' + round);
    bool whole = saved->page_count == PAGES && saved->head_bytes == 300 &&
                 *(const char *)saved->head == letter;
    for (size_t p = 0; whole && p < PAGES; p++) {
        const char *bytes = saved->pages[p].bytes;
        whole = saved->pages[p].size == PAGE_BYTES && bytes[0] == letter &&
                bytes[PAGE_BYTES - 1] == letter;
    }
    if (!whole || (found->calls > 0 && found->round != round)) {
        round = -1;
    }
    found->round = round;
    found->calls++;
    return round >= 0;
}

static int round_in(struct store *store)
{
    struct found found = {0};
    assert_int_equal(store_load_live(store, find_round, &found, NULL), 0);
    assert_int_equal(found.calls, CALLS);
    return found.round;
}

/* The second batch meets the failure. Returns whether it was met. */
static bool fail_commit(long at, bool forever, int code, bool try_again)
{
    struct files files;
    struct error err;
    files_make(&files);
    struct store *store = files_open(&files);
    struct store_batch *first = make_round(1);
    struct store_batch *second = make_round(2);
    assert_int_equal(keep(store, first, 5, NULL), 0);
    store_tend(store, (struct wall){6}); /* so that the log begins anew */
    store_close(store);
    store = files_open(&files);

    set_disk(at, forever, code);
    int result = keep(store, second, 6, &err);
    long operations = mend_disk();
    if (result) {
        assert_true(err.retriable);
        assert_non_null(strstr(err.message, files.path));
        assert_non_null(strstr(err.message, strstr(err.message, "full") ? "free" : "disk"));
    }
    if (result && try_again) {
        result = keep(store, second, 7, &err);
        assert_int_equal(result, 0);
    }
    store_close(store); /* and what a killed process leaves is looked at the same way */
    store = files_open(&files);
    int round = round_in(store);
    assert_true(result ? round == 1 || round == 2 : round == 2);
    assert_int_equal(keep(store, second, 8, NULL), 0); /* once more: the next process's */
    store_batch_clear(second);
    store_close(store);
    store_batch_destroy(first);
    store_batch_destroy(second);
    files_remove(&files);
    return operations >= at;
}

static void every_failure_leaves_a_batch_whole(void **state)
{
    (void)state;
    static const int codes[] = {SQLITE_IOERR, SQLITE_FULL};
    long points = 0;
    for (size_t c = 0; c < 2; c++) {
        for (int forever = 0; forever < 2; forever++) {
            long at = 1;
            while (fail_commit(at, forever, codes[c], at % 2)) {
                at++;
            }
            points += at - 1;
        }
    }
    print_message("%ld points of failure\n", points);
    assert_true(points > 100);
}

/* Opening a new file: it fails with a message or not at all, and the next try opens. */
static void every_failure_at_start_is_told(void **state)
{
    (void)state;
    bool met = true;
    for (long at = 1; met; at++) {
        struct files files;
        struct store *store;
        struct error err = {.code = ERROR_NONE};
        files_make(&files);
        set_disk(at, at % 2, at % 3 ? SQLITE_IOERR : SQLITE_FULL);
        int result = store_open_file(&store, &files.options, &err);
        met = mend_disk() >= at;
        if (result) {
            assert_non_null(strstr(err.message, files.path));
            assert_null(store);
        } else {
            store_close(store);
        }
        store = files_open(&files);
        struct store_batch *batch = make_round(1);
        assert_int_equal(keep(store, batch, 5, NULL), 0);
        assert_int_equal(round_in(store), 1);
        store_batch_destroy(batch);
        store_close(store);
        files_remove(&files);
    }
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    register_shim();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_leaves_a_batch_whole),
        cmocka_unit_test(every_failure_at_start_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
