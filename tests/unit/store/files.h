/* files.h - a store in a folder of its own, for the tests of this room. */
#ifndef TESTS_STORE_FILES_H
#define TESTS_STORE_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_PATH_BYTES = 128 };

struct files {
    char folder[FILES_PATH_BYTES / 2];
    char path[FILES_PATH_BYTES];
    struct store_file_options options;
};

static inline void files_make(struct files *files)
{
    /* In memory where that can be: thousands of syncs are made here. */
    (void)snprintf(files->folder, sizeof files->folder, "%s/undertone-store-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(files->folder));
    (void)snprintf(files->path, sizeof files->path, "%s/state.db", files->folder);
    files->options = (struct store_file_options){.path = files->path, .retention_ms = 60000};
    memset(files->options.key.key, 7, sizeof files->options.key.key);
}

static inline void files_remove(struct files *files)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".copy", ".key"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[FILES_PATH_BYTES + 8];
        (void)snprintf(name, sizeof name, "%s%s", files->path, suffixes[i]);
        (void)unlink(name);
    }
    assert_int_equal(rmdir(files->folder), 0);
}

static inline struct store *files_open(struct files *files)
{
    struct store *store;
    struct error err;
    if (store_open_file(&store, &files->options, &err)) {
        fail_msg("%s", err.message);
    }
    return store;
}

static inline struct store_call make_call(const char *id, int64_t end_ms, uint32_t episodes,
                                          bool closed)
{
    struct store_call call = {.newest_end_ms = end_ms, .episodes = episodes, .closed = closed};
    (void)snprintf(call.interaction_id, sizeof call.interaction_id, "%s", id);
    return call;
}

static inline struct store_batch *make_batch(void)
{
    struct store_batch *batch = store_batch_create();
    assert_non_null(batch);
    return batch;
}

static inline void add_change(struct store_batch *batch, const struct store_change *change)
{
    assert_true(store_batch_add(batch, change));
}

static inline void add_call(struct store_batch *batch, const char *id, int64_t end_ms,
                            uint32_t episodes, bool closed)
{
    add_change(batch, &(struct store_change){.call = make_call(id, end_ms, episodes, closed)});
}

/* Keeps the batch, which stays the caller's; the error code. */
static inline int keep(struct store *store, struct store_batch *batch, int64_t now_ms,
                       struct error *err)
{
    struct error fate;
    store_submit(store, batch, (struct wall){now_ms});
    store_wait(store);
    assert_ptr_equal(store_collect(store, &fate), batch);
    assert_null(store_collect(store, &fate));
    if (err) {
        *err = fate;
    }
    return (int)fate.code;
}

static inline void keep_one(struct store *store, const struct store_change *change, int64_t now_ms)
{
    struct store_batch *batch = make_batch();
    struct error err;
    add_change(batch, change);
    if (keep(store, batch, now_ms, &err)) {
        fail_msg("%s", err.message);
    }
    store_batch_destroy(batch);
}

static inline bool is_known(struct store *store, const char *id, struct store_call *call)
{
    bool found;
    assert_int_equal(store_load(store, id, call, &found, NULL), 0);
    return found;
}

#endif
