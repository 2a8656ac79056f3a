/* Random numbers that are the same everywhere, and waits made of them. */
#include "base/backoff.h"
#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

/* Outputs of the authors' xoshiro256starstar.c from state {1, 2, 3, 4}. */
static void the_generator_is_the_published_one(void **state)
{
    (void)state;
    struct rand rand = {{1, 2, 3, 4}};
    static const uint64_t expected[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240),
                                        UINT64_C(1216172134540287360)};
    for (size_t i = 0; i < 5; i++) {
        assert_true(rand_u64(&rand) == expected[i]);
    }
    /* splitmix64.c from 0, and xoshiro256** seeded by it */
    assert_true(rand_mix(0) == UINT64_C(0xe220a8397b1dcdaf));
    rand_seed(&rand, 0);
    assert_true(rand_u64(&rand) == UINT64_C(0x99ec5f36cb75f2b4));
    assert_true(rand_u64(&rand) == UINT64_C(0xbf6e1f784956452a));
}

static void bounded_numbers_stay_below_and_reach_all(void **state)
{
    (void)state;
    struct rand rand;
    unsigned seen[7] = {0};
    rand_seed(&rand, 3);
    for (int i = 0; i < 7000; i++) {
        uint64_t value = rand_below(&rand, 7);
        assert_true(value < 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++) {
        assert_in_range(seen[i], 880, 1120); /* mean 1000, four standard deviations */
    }
    assert_int_equal(rand_below(&rand, 0), 0);
    assert_int_equal(rand_below(&rand, 1), 0);
    for (int i = 0; i < 1000; i++) {
        double u = rand_uniform(&rand);
        assert_true(u >= 0 && u < 1);
    }
}

static void waits_are_full_jitter_below_a_doubling_bound(void **state)
{
    (void)state;
    const struct backoff_limits limits = {.base_ms = 250, .cap_ms = 30000};
    static const int64_t bounds[] = {250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    struct rand rand;
    rand_seed(&rand, 9);
    for (unsigned attempt = 0; attempt < 9; attempt++) {
        int64_t least = INT64_MAX;
        int64_t most = -1;
        for (int i = 0; i < 2000; i++) {
            int64_t wait = backoff_wait_ms(&limits, attempt, &rand);
            least = wait < least ? wait : least;
            most = wait > most ? wait : most;
        }
        assert_true(least >= 0 && least < bounds[attempt] / 50);
        assert_true(most <= bounds[attempt] && most > bounds[attempt] * 49 / 50);
    }
}

static void the_same_seed_gives_the_same_waits(void **state)
{
    (void)state;
    const struct backoff_limits limits = {.base_ms = 100, .cap_ms = 5000};
    struct rand a;
    struct rand b;
    rand_seed(&a, 77);
    rand_seed(&b, 77);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(backoff_wait_ms(&limits, i, &a), backoff_wait_ms(&limits, i, &b));
    }
}

static void extremes_neither_overflow_nor_hang(void **state)
{
    (void)state;
    struct rand rand;
    rand_seed(&rand, 1);
    const struct backoff_limits huge = {.base_ms = INT64_MAX / 2, .cap_ms = INT64_MAX};
    const struct backoff_limits none = {.base_ms = 0, .cap_ms = 1000};
    const struct backoff_limits negative = {.base_ms = -5, .cap_ms = 1000};
    const struct backoff_limits low_cap = {.base_ms = 1000, .cap_ms = 10};
    (void)alarm(5); /* four thousand million doublings of nothing would take longer */
    assert_true(backoff_wait_ms(&huge, UINT32_MAX, &rand) >= 0);
    assert_int_equal(backoff_wait_ms(&none, UINT32_MAX, &rand), 0);
    assert_int_equal(backoff_wait_ms(&negative, UINT32_MAX, &rand), 0);
    for (int i = 0; i < 100; i++) {
        assert_in_range(backoff_wait_ms(&low_cap, 0, &rand), 0, 10);
    }
    (void)alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_the_published_one),
        cmocka_unit_test(bounded_numbers_stay_below_and_reach_all),
        cmocka_unit_test(waits_are_full_jitter_below_a_doubling_bound),
        cmocka_unit_test(the_same_seed_gives_the_same_waits),
        cmocka_unit_test(extremes_neither_overflow_nor_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
