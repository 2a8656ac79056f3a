/* The map against a table that cannot be wrong. */
#include "base/map.h"

#include "base/keyhash.h"
#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { KEYS = 700, STEPS = 20000 };

static int set_up(void **state)
{
    (void)state;
    return keyhash_library_init();
}

/* Keys of many lengths, some with NULs, none a prefix question for the map. */
static size_t key_of(unsigned number, char out[16])
{
    size_t size = 2 + number % 13;
    memset(out, 0, 16);
    out[0] = (char)(number & 0xFF);
    out[1] = (char)(number >> 8);
    return size;
}

static void expect_same(const struct map *map, int *const *oracle)
{
    size_t present = 0;
    size_t position = 0;
    size_t walked = 0;
    unsigned char seen[KEYS] = {0};
    for (unsigned i = 0; i < KEYS; i++) {
        char key[16];
        size_t size = key_of(i, key);
        present += oracle[i] != NULL;
        assert_ptr_equal(map_get(map, key, size), oracle[i]);
    }
    assert_int_equal(map->count, present);
    for (int *value = map_next(map, &position); value; value = map_next(map, &position)) {
        assert_in_range(*value, 0, KEYS - 1);
        assert_int_equal(seen[*value], 0);
        assert_ptr_equal(oracle[*value], value);
        seen[*value] = 1;
        walked++;
    }
    assert_int_equal(walked, present);
}

static void random_operations_match_a_plain_table(void **state)
{
    (void)state;
    static int values[2][KEYS]; /* two values for each key, so that replacing shows */
    static int *oracle[KEYS];
    struct map map;
    struct rand rand;
    map_init(&map, KEYS);
    rand_seed(&rand, 2024);
    for (unsigned i = 0; i < KEYS; i++) {
        values[0][i] = values[1][i] = (int)i;
    }
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)rand_below(&rand, KEYS);
        /* phases of growing and of shrinking */
        bool put = rand_below(&rand, 10) < ((step / 4000) % 2 ? 3u : 7u);
        char key[16];
        size_t size = key_of(i, key);
        if (put) {
            oracle[i] = &values[rand_below(&rand, 2)][i];
            assert_true(map_put(&map, key, size, oracle[i]));
        } else {
            assert_ptr_equal(map_remove(&map, key, size), oracle[i]);
            oracle[i] = NULL;
        }
        if (step % 500 == 0) {
            expect_same(&map, oracle);
        }
    }
    expect_same(&map, oracle);
    map_done(&map);
    assert_null(map_get(&map, "x", 1));
}

static void a_full_map_refuses_new_keys_only(void **state)
{
    (void)state;
    int a = 0;
    int b = 0;
    struct map map;
    map_init(&map, 2);
    assert_true(map_put(&map, "one", 3, &a));
    assert_true(map_put(&map, "two", 3, &a));
    assert_false(map_put(&map, "three", 5, &a));
    assert_int_equal(map.count, 2);
    assert_null(map_get(&map, "three", 5));
    assert_true(map_put(&map, "two", 3, &b)); /* replacing needs no room */
    assert_ptr_equal(map_get(&map, "two", 3), &b);
    assert_ptr_equal(map_remove(&map, "one", 3), &a);
    assert_true(map_put(&map, "three", 5, &a));
    map_done(&map);
    map_init(&map, 0);
    assert_false(map_put(&map, "x", 1, &a));
    map_done(&map);
}

static void keys_are_bytes_and_copied(void **state)
{
    (void)state;
    int a = 0;
    int b = 0;
    int c = 0;
    char key[] = "key";
    struct map map;
    map_init(&map, 10);
    assert_true(map_put(&map, key, 3, &a));
    key[0] = 'X';
    assert_ptr_equal(map_get(&map, "key", 3), &a);
    assert_true(map_put(&map, "a\0b", 3, &b));
    assert_true(map_put(&map, "", 0, &c)); /* the empty key is a key */
    assert_null(map_get(&map, "a", 1));
    assert_ptr_equal(map_get(&map, "a\0b", 3), &b);
    assert_ptr_equal(map_get(&map, "", 0), &c);
    assert_false(map_put(&map, "null", 4, NULL));
    assert_null(map_remove(&map, "absent", 6));
    map_done(&map);
}

static void an_empty_or_zeroed_map_answers_nothing(void **state)
{
    (void)state;
    struct map zeroed = {0};
    size_t position = 0;
    assert_null(map_get(&zeroed, "x", 1));
    assert_null(map_remove(&zeroed, "x", 1));
    assert_null(map_next(&zeroed, &position));
    map_done(&zeroed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_match_a_plain_table),
        cmocka_unit_test(a_full_map_refuses_new_keys_only),
        cmocka_unit_test(keys_are_bytes_and_copied),
        cmocka_unit_test(an_empty_or_zeroed_map_answers_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
