/* The token bucket: its arithmetic at chosen times, and its promise over random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "net/limiter.h"

static struct mono at_ms(int64_t ms)
{
    return mono_after_ms((struct mono){.us = 5000000}, ms);
}

static int take_all(struct limiter *limiter, double reserve, struct mono now)
{
    int taken = 0;
    while (taken < 1000 && limiter_take(limiter, reserve, now)) {
        taken++;
    }
    return taken;
}

static void test_burst_is_there_at_once_and_no_more(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, 10, 5, at_ms(0));
    assert_int_equal(limiter_wait_ms(&limiter, 0, at_ms(0)), 0);
    assert_int_equal(take_all(&limiter, 0, at_ms(0)), 5);
    assert_int_equal(limiter_wait_ms(&limiter, 0, at_ms(0)), 100);
}

static void test_refill_follows_the_rate_up_to_the_burst(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, 10, 5, at_ms(0));
    (void)take_all(&limiter, 0, at_ms(0));
    assert_false(limiter_take(&limiter, 0, at_ms(99)));
    assert_true(limiter_take(&limiter, 0, at_ms(100)));
    assert_false(limiter_take(&limiter, 0, at_ms(100)));
    assert_int_equal(take_all(&limiter, 0, at_ms(350)), 2);
    assert_int_equal(limiter_wait_ms(&limiter, 0, at_ms(350)), 50);
    assert_int_equal(take_all(&limiter, 0, at_ms(3600000)), 5);
}

static void test_reserve_is_kept_for_the_urgent(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, 2, 5, at_ms(0));
    assert_int_equal(take_all(&limiter, 3, at_ms(0)), 2);
    assert_int_equal(limiter_wait_ms(&limiter, 3, at_ms(0)), 500);
    assert_int_equal(limiter_wait_ms(&limiter, 0, at_ms(0)), 0);
    assert_int_equal(take_all(&limiter, 0, at_ms(0)), 3);
    assert_int_equal(limiter_wait_ms(&limiter, 3, at_ms(0)), 2000);
}

static void test_what_can_never_be_taken_waits_for_ever(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, 10, 5, at_ms(0));
    assert_false(limiter_take(&limiter, 5, at_ms(0)));
    assert_true(limiter_wait_ms(&limiter, 5, at_ms(0)) == INT64_MAX);
    limiter_init(&limiter, 0, 1, at_ms(0));
    assert_true(limiter_take(&limiter, 0, at_ms(0)));
    assert_true(limiter_wait_ms(&limiter, 0, at_ms(0)) == INT64_MAX);
}

static void test_pause_empties_the_bucket_and_stops_the_refill(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, 10, 5, at_ms(0));
    limiter_pause(&limiter, at_ms(2000));
    assert_false(limiter_take(&limiter, 0, at_ms(0)));
    assert_int_equal(limiter_wait_ms(&limiter, 0, at_ms(0)), 2100);
    assert_false(limiter_take(&limiter, 0, at_ms(2000)));
    assert_true(limiter_take(&limiter, 0, at_ms(2100)));
}

static void test_shorter_pause_does_not_cut_a_longer_one(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, 10, 5, at_ms(0));
    limiter_pause(&limiter, at_ms(5000));
    limiter_pause(&limiter, at_ms(1000));
    assert_false(limiter_take(&limiter, 0, at_ms(4900)));
    assert_int_equal(limiter_wait_ms(&limiter, 0, at_ms(4900)), 200);
}

static void test_time_that_goes_back_gains_nothing(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, 10, 1, at_ms(1000));
    assert_true(limiter_take(&limiter, 0, at_ms(1000)));
    assert_false(limiter_take(&limiter, 0, at_ms(500)));
    assert_false(limiter_take(&limiter, 0, at_ms(1050)));
    assert_true(limiter_take(&limiter, 0, at_ms(1100)));
}

static void test_rate_and_burst_can_change(void **state)
{
    (void)state;
    struct limiter limiter;
    limiter_init(&limiter, 10, 5, at_ms(0));
    (void)take_all(&limiter, 0, at_ms(0));
    limiter_set_rate(&limiter, 2, 2, at_ms(300)); /* 3 gained at the old rate, room for 2 */
    assert_int_equal(take_all(&limiter, 0, at_ms(300)), 2);
    assert_int_equal(limiter_wait_ms(&limiter, 0, at_ms(300)), 500);
    limiter_set_rate(&limiter, 10, 5, at_ms(550)); /* half a token at 2 a second */
    assert_int_equal(limiter_wait_ms(&limiter, 0, at_ms(550)), 50);
    limiter_pause(&limiter, at_ms(2000));
    limiter_set_rate(&limiter, 20, 5, at_ms(600)); /* ends no pause */
    assert_int_equal(limiter_wait_ms(&limiter, 0, at_ms(600)), 1450);
}

enum { TAKES_MAX = 20000 };

/* Whatever the moments of asking: no window of one second holds more takes than rate + burst, and
 * waiting as long as told is enough. */
static void test_no_second_holds_more_than_rate_plus_burst(void **state)
{
    (void)state;
    static int64_t takes_us[TAKES_MAX];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rand rand;
        rand_seed(&rand, seed);
        double rate = 0.5 + rand_uniform(&rand) * 200;
        double burst = 1 + (double)rand_below(&rand, 50);
        struct mono now = at_ms(0);
        struct limiter limiter;
        limiter_init(&limiter, rate, burst, now);
        size_t count = 0;
        for (int i = 0; i < 8000 && count < TAKES_MAX; i++) {
            if (rand_below(&rand, 10) == 0) {
                int64_t wait_ms = limiter_wait_ms(&limiter, 0, now);
                now = mono_after_ms(now, wait_ms);
                assert_true(limiter_take(&limiter, 0, now));
                takes_us[count++] = now.us;
            }
            now.us += (int64_t)rand_below(&rand, rand_below(&rand, 50) ? 8000 : 2000000);
            if (limiter_take(&limiter, 0, now)) {
                takes_us[count++] = now.us;
            }
        }
        assert_true(count > 100);
        for (size_t first = 0, last = 0; last < count; last++) {
            while (takes_us[last] - takes_us[first] >= 1000000) {
                first++;
            }
            assert_true((double)(last - first + 1) <= rate + burst + 1e-3);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_is_there_at_once_and_no_more),
        cmocka_unit_test(test_refill_follows_the_rate_up_to_the_burst),
        cmocka_unit_test(test_reserve_is_kept_for_the_urgent),
        cmocka_unit_test(test_what_can_never_be_taken_waits_for_ever),
        cmocka_unit_test(test_pause_empties_the_bucket_and_stops_the_refill),
        cmocka_unit_test(test_shorter_pause_does_not_cut_a_longer_one),
        cmocka_unit_test(test_time_that_goes_back_gains_nothing),
        cmocka_unit_test(test_rate_and_burst_can_change),
        cmocka_unit_test(test_no_second_holds_more_than_rate_plus_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
