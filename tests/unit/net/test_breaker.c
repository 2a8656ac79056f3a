/* Every transition of the breaker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/breaker.h"

static const struct breaker_limits LIMITS = {
    .failures_to_open = 3,
    .open_ms = 30000,
    .probe_ms = 5000,
};

static struct mono at_ms(int64_t ms)
{
    return (struct mono){.us = ms * 1000};
}

static void open_at(struct breaker *breaker, int64_t ms)
{
    breaker_init(breaker, &LIMITS);
    assert_false(breaker_failure(breaker, at_ms(ms)));
    assert_false(breaker_failure(breaker, at_ms(ms)));
    assert_true(breaker_failure(breaker, at_ms(ms)));
    assert_int_equal(breaker->state, BREAKER_OPEN);
}

static void test_closed_lets_everything_flow(void **state)
{
    (void)state;
    struct breaker breaker;
    struct rand rand;
    rand_seed(&rand, 1);
    breaker_init(&breaker, &LIMITS);
    for (int i = 0; i < 100; i++) {
        assert_true(breaker_allow(&breaker, at_ms(i), &rand));
    }
    assert_int_equal(breaker_wait_ms(&breaker, at_ms(0)), 0);
    assert_false(breaker_success(&breaker));
}

static void test_only_failures_in_a_row_open(void **state)
{
    (void)state;
    struct breaker breaker;
    breaker_init(&breaker, &LIMITS);
    for (int i = 0; i < 10; i++) {
        assert_false(breaker_failure(&breaker, at_ms(i)));
        assert_false(breaker_failure(&breaker, at_ms(i)));
        assert_false(breaker_success(&breaker));
    }
    assert_int_equal(breaker.state, BREAKER_CLOSED);
    open_at(&breaker, 0);
}

static void test_open_blocks_until_its_time_is_over(void **state)
{
    (void)state;
    struct breaker breaker;
    struct rand rand;
    rand_seed(&rand, 1);
    open_at(&breaker, 1000);
    assert_int_equal(breaker_wait_ms(&breaker, at_ms(1000)), 30000);
    assert_false(breaker_allow(&breaker, at_ms(1000), &rand));
    assert_false(breaker_allow(&breaker, at_ms(30999), &rand));
    assert_int_equal(breaker_wait_ms(&breaker, at_ms(30999)), 1);
    assert_int_equal(breaker_wait_ms(&breaker, at_ms(31000)), 0);
    assert_true(breaker_allow(&breaker, at_ms(31000), &rand));
    assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
}

static void test_late_results_do_not_move_an_open_breaker(void **state)
{
    (void)state;
    struct breaker breaker;
    open_at(&breaker, 0);
    assert_false(breaker_success(&breaker));
    assert_false(breaker_failure(&breaker, at_ms(20000)));
    assert_int_equal(breaker.state, BREAKER_OPEN);
    assert_int_equal(breaker_wait_ms(&breaker, at_ms(20000)), 10000);
}

static void test_half_open_sends_one_probe_at_a_time(void **state)
{
    (void)state;
    struct breaker breaker;
    struct rand rand;
    rand_seed(&rand, 7);
    open_at(&breaker, 0);
    int64_t now = 30000, shortest = INT64_MAX, longest = 0;
    for (int i = 0; i < 200; i++) {
        assert_true(breaker_allow(&breaker, at_ms(now), &rand));
        assert_false(breaker_allow(&breaker, at_ms(now), &rand));
        assert_false(breaker_failure(&breaker, at_ms(now)));
        assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
        int64_t wait = breaker_wait_ms(&breaker, at_ms(now));
        shortest = wait < shortest ? wait : shortest;
        longest = wait > longest ? wait : longest;
        assert_false(breaker_allow(&breaker, at_ms(now + wait - 1), &rand));
        now += wait;
    }
    assert_in_range(shortest, 3750, 4500); /* a quarter either way, and really spread */
    assert_in_range(longest, 5500, 6250);
}

static void test_first_success_closes_a_half_open_breaker(void **state)
{
    (void)state;
    struct breaker breaker;
    struct rand rand;
    rand_seed(&rand, 1);
    open_at(&breaker, 0);
    assert_true(breaker_allow(&breaker, at_ms(30000), &rand));
    assert_false(breaker_failure(&breaker, at_ms(30100)));
    assert_true(breaker_success(&breaker));
    assert_int_equal(breaker.state, BREAKER_CLOSED);
    assert_true(breaker_allow(&breaker, at_ms(30200), &rand));
    assert_true(breaker_allow(&breaker, at_ms(30200), &rand));
    assert_false(breaker_failure(&breaker, at_ms(30300))); /* the count starts anew */
    assert_false(breaker_failure(&breaker, at_ms(30300)));
    assert_true(breaker_failure(&breaker, at_ms(30300)));
    assert_int_equal(breaker_wait_ms(&breaker, at_ms(30300)), 30000);
}

static void test_a_probe_is_awaited_until_it_is_decided(void **state)
{
    (void)state;
    struct breaker breaker;
    struct rand rand;
    rand_seed(&rand, 1);
    open_at(&breaker, 0);
    assert_false(breaker_is_probing(&breaker, at_ms(29000)));
    assert_true(breaker_allow(&breaker, at_ms(30000), &rand));
    assert_true(breaker_is_probing(&breaker, at_ms(30100)));
    assert_false(breaker_failure(&breaker, at_ms(30200)));
    assert_false(breaker_is_probing(&breaker, at_ms(30200)));
    assert_true(breaker_allow(&breaker, at_ms(40000), &rand));
    assert_false(breaker_is_probing(&breaker, breaker.next_probe)); /* another may go */
    assert_true(breaker_success(&breaker));
    assert_false(breaker_is_probing(&breaker, at_ms(40100)));
}

static void test_states_have_names(void **state)
{
    (void)state;
    assert_string_equal(breaker_state_name(BREAKER_CLOSED), "closed");
    assert_string_equal(breaker_state_name(BREAKER_OPEN), "open");
    assert_string_equal(breaker_state_name(BREAKER_HALF_OPEN), "half_open");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_lets_everything_flow),
        cmocka_unit_test(test_only_failures_in_a_row_open),
        cmocka_unit_test(test_open_blocks_until_its_time_is_over),
        cmocka_unit_test(test_late_results_do_not_move_an_open_breaker),
        cmocka_unit_test(test_half_open_sends_one_probe_at_a_time),
        cmocka_unit_test(test_first_success_closes_a_half_open_breaker),
        cmocka_unit_test(test_a_probe_is_awaited_until_it_is_decided),
        cmocka_unit_test(test_states_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
