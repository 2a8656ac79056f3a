/* The memory keeper: what is committed is loaded back, bounded, idempotent. */
#include "store/store.h"

#include "base/keyhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct store_call make_call(const char *id, int64_t end_ms, uint32_t episodes)
{
    struct store_call call = {.newest_end_ms = end_ms, .episodes = episodes};
    (void)snprintf(call.interaction_id, sizeof call.interaction_id, "%s", id);
    return call;
}

static void unknown_call_is_not_found(void **state)
{
    (void)state;
    struct store *store;
    struct store_call call;
    bool found = true;
    assert_int_equal(store_open_memory(&store, 4, NULL), 0);
    assert_int_equal(store_load(store, "nobody", &call, &found, NULL), 0);
    assert_false(found);
    store_close(store);
}

static void committed_call_is_loaded_and_replaced(void **state)
{
    (void)state;
    struct store *store;
    struct store_call loaded;
    bool found;
    assert_int_equal(store_open_memory(&store, 4, NULL), 0);
    struct store_call first = make_call("a", 1000, 1);
    struct store_call second = make_call("a", 2000, 2);
    assert_int_equal(store_commit(store, &first, 1, NULL), 0);
    assert_int_equal(store_commit(store, &first, 1, NULL), 0);
    assert_int_equal(store_count(store), 1);
    assert_int_equal(store_commit(store, &second, 1, NULL), 0);
    assert_int_equal(store_load(store, "a", &loaded, &found, NULL), 0);
    assert_true(found);
    assert_int_equal(loaded.newest_end_ms, 2000);
    assert_int_equal(loaded.episodes, 2);
    store_close(store);
}

static void oldest_commit_is_forgotten_at_the_limit(void **state)
{
    (void)state;
    struct store *store;
    struct store_call loaded;
    bool found;
    const char *ids[] = {"a", "b", "c"};
    assert_int_equal(store_open_memory(&store, 2, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        struct store_call call = make_call(ids[i], (int64_t)i, 0);
        assert_int_equal(store_commit(store, &call, 1, NULL), 0);
        if (i == 1) { /* touch "a", so that "b" is now the oldest */
            struct store_call again = make_call("a", 7, 0);
            assert_int_equal(store_commit(store, &again, 1, NULL), 0);
        }
    }
    assert_int_equal(store_count(store), 2);
    assert_int_equal(store_load(store, "b", &loaded, &found, NULL), 0);
    assert_false(found);
    assert_int_equal(store_load(store, "a", &loaded, &found, NULL), 0);
    assert_true(found);
    store_close(store);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_call_is_not_found),
        cmocka_unit_test(committed_call_is_loaded_and_replaced),
        cmocka_unit_test(oldest_commit_is_forgotten_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
