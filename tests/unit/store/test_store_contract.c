/* What every keeper promises, asked of both: what is committed is loaded back, wholly or not at
 * all, and a batch submitted again changes nothing. */
#include "files.h"

#include "base/keyhash.h"

enum { CALLS_MAX = 64 };

struct keeper_under_test {
    bool in_file;
    struct files files;
    struct store *store;
};

static int open_memory(void **state)
{
    static struct keeper_under_test test;
    test = (struct keeper_under_test){.in_file = false};
    assert_int_equal(store_open_memory(&test.store, CALLS_MAX, NULL), 0);
    *state = &test;
    return 0;
}

static int open_file(void **state)
{
    static struct keeper_under_test test;
    test = (struct keeper_under_test){.in_file = true};
    files_make(&test.files);
    test.store = files_open(&test.files);
    *state = &test;
    return 0;
}

static int close_test(void **state)
{
    struct keeper_under_test *test = *state;
    store_close(test->store);
    if (test->in_file) {
        files_remove(&test->files);
    }
    return 0;
}

static struct store *store_of(void **state)
{
    return ((struct keeper_under_test *)*state)->store;
}

static void unknown_call_is_not_found(void **state)
{
    struct store_call call;
    struct store_counts counts;
    assert_false(is_known(store_of(state), "nobody", &call));
    store_count(store_of(state), &counts);
    assert_int_equal(counts.live + counts.closed, 0);
}

static void committed_call_is_loaded_and_replaced(void **state)
{
    struct store *store = store_of(state);
    struct store_call call;
    keep_one(store, &(struct store_change){.call = make_call("a", 1000, 1, false)}, 5);
    keep_one(store, &(struct store_change){.call = make_call("a", 2000, 2, false)}, 6);
    assert_true(is_known(store, "a", &call));
    assert_string_equal(call.interaction_id, "a");
    assert_int_equal(call.newest_end_ms, 2000);
    assert_int_equal(call.episodes, 2);
    assert_false(call.closed);
}

static void batch_submitted_again_changes_nothing(void **state)
{
    struct store *store = store_of(state);
    struct store_call call;
    struct store_batch *batch = make_batch();
    add_call(batch, "a", 1000, 1, false);
    assert_int_equal(keep(store, batch, 5, NULL), 0);
    keep_one(store, &(struct store_change){.call = make_call("a", 2000, 2, false)}, 6);
    assert_int_equal(keep(store, batch, 7, NULL), 0);
    assert_true(is_known(store, "a", &call));
    assert_int_equal(call.newest_end_ms, 2000);
    store_batch_clear(batch); /* now it is a new one */
    add_call(batch, "a", 3000, 3, false);
    assert_int_equal(keep(store, batch, 8, NULL), 0);
    assert_true(is_known(store, "a", &call));
    assert_int_equal(call.newest_end_ms, 3000);
    store_batch_destroy(batch);
}

static void changes_of_one_batch_are_carried_out_in_order(void **state)
{
    struct store *store = store_of(state);
    struct store_call call;
    struct store_counts counts;
    struct store_batch *batch = make_batch();
    add_call(batch, "a", 1000, 0, false);
    add_call(batch, "b", 1500, 0, false);
    add_call(batch, "a", 2000, 1, true);
    assert_int_equal(store_batch_count(batch), 3);
    assert_true(store_batch_names(batch, "b"));
    assert_false(store_batch_names(batch, "c"));
    assert_int_equal(keep(store, batch, 5, NULL), 0);
    store_batch_destroy(batch);
    assert_true(is_known(store, "a", &call));
    assert_true(call.closed);
    assert_int_equal(call.episodes, 1);
    store_count(store, &counts);
    assert_int_equal(counts.live, 1);
    assert_int_equal(counts.closed, 1);
}

static void call_that_comes_back_is_live_again(void **state)
{
    struct store *store = store_of(state);
    struct store_call call;
    keep_one(store, &(struct store_change){.call = make_call("a", 1000, 3, true)}, 5);
    keep_one(store, &(struct store_change){.call = make_call("a", 2000, 3, false)}, 6);
    assert_true(is_known(store, "a", &call));
    assert_false(call.closed);
    assert_int_equal(call.episodes, 3);
}

static bool note_id(void *user, const struct store_saved *saved)
{
    char *ids = user;
    ids[strlen(ids)] = saved->call.interaction_id[0];
    return true;
}

static bool stop_at_once(void *user, const struct store_saved *saved)
{
    (void)note_id(user, saved);
    return false;
}

static void live_calls_are_shown(void **state)
{
    struct store *store = store_of(state);
    char ids[16] = "";
    char first[16] = "";
    struct store_batch *batch = make_batch();
    add_call(batch, "a", 1, 0, false);
    add_call(batch, "b", 1, 0, true);
    add_call(batch, "c", 1, 0, false);
    assert_int_equal(keep(store, batch, 5, NULL), 0);
    store_batch_destroy(batch);
    assert_int_equal(store_load_live(store, note_id, ids, NULL), 0);
    assert_string_equal(ids, "ac");
    assert_int_equal(store_load_live(store, stop_at_once, first, NULL), 0);
    assert_string_equal(first, "a");
}

static void forgotten_call_is_unknown(void **state)
{
    struct store *store = store_of(state);
    struct store_call call;
    bool found;
    keep_one(store, &(struct store_change){.call = make_call("a", 1000, 3, true)}, 5);
    assert_int_equal(store_forget(store, "a", &found, NULL), 0);
    assert_true(found);
    assert_false(is_known(store, "a", &call));
    assert_int_equal(store_forget(store, "a", &found, NULL), 0);
    assert_false(found);
}

static void empty_batch_is_kept(void **state)
{
    struct store_batch *batch = make_batch();
    assert_int_equal(keep(store_of(state), batch, 5, NULL), 0);
    store_batch_destroy(batch);
}

static void oldest_commit_is_forgotten_at_the_limit_of_memory(void **state)
{
    struct store *store;
    struct store_call call;
    (void)state;
    assert_int_equal(store_open_memory(&store, 2, NULL), 0);
    keep_one(store, &(struct store_change){.call = make_call("a", 1, 0, false)}, 5);
    keep_one(store, &(struct store_change){.call = make_call("b", 1, 0, false)}, 5);
    keep_one(store, &(struct store_change){.call = make_call("a", 2, 0, false)}, 5);
    keep_one(store, &(struct store_change){.call = make_call("c", 1, 0, false)}, 5);
    assert_false(is_known(store, "b", &call));
    assert_true(is_known(store, "a", &call));
    assert_true(is_known(store, "c", &call));
    store_close(store);
}

#define OF_BOTH(test)                                          \
    {#test "_in_memory", test, open_memory, close_test, NULL}, \
    {                                                          \
#test "_in_a_file", test, open_file, close_test, NULL  \
    }

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        OF_BOTH(unknown_call_is_not_found),
        OF_BOTH(committed_call_is_loaded_and_replaced),
        OF_BOTH(batch_submitted_again_changes_nothing),
        OF_BOTH(changes_of_one_batch_are_carried_out_in_order),
        OF_BOTH(call_that_comes_back_is_live_again),
        OF_BOTH(live_calls_are_shown),
        OF_BOTH(forgotten_call_is_unknown),
        OF_BOTH(empty_batch_is_kept),
        cmocka_unit_test(oldest_commit_is_forgotten_at_the_limit_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
