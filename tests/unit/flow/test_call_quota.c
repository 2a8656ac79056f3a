/* One call's quota, asked of a vendor who counts what arrives in any second. */
#include "flow/call_quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct mono at_ms(int64_t ms)
{
    return (struct mono){7000000 + ms * 1000};
}

static void after_one_request_the_next_waits_a_little_over_a_second(void **state)
{
    (void)state;
    struct call_quota quota;
    struct mono again = at_ms(0);
    call_quota_init(&quota, 1, at_ms(0));
    assert_true(call_quota_take(&quota, at_ms(0), &again));
    assert_false(call_quota_take(&quota, at_ms(0), &again));
    assert_in_range(mono_ms_between(at_ms(0), again), 1030, 1100);
    assert_true(call_quota_take(&quota, again, &again));
}

static void a_request_counts_from_when_it_left(void **state)
{
    (void)state;
    struct call_quota quota;
    struct mono again = at_ms(0);
    call_quota_init(&quota, 1, at_ms(0));
    assert_true(call_quota_take(&quota, at_ms(0), &again));
    call_quota_answered(&quota, at_ms(900), false, at_ms(950)); /* queued for 900 ms */
    assert_false(call_quota_take(&quota, at_ms(1200), &again));
    assert_in_range(mono_ms_between(at_ms(900), again), 1030, 1100);
}

static void a_refusal_halves_the_pace_and_answers_bring_it_back(void **state)
{
    (void)state;
    struct call_quota quota;
    struct mono again = at_ms(0);
    call_quota_init(&quota, 1, at_ms(0));
    assert_true(call_quota_take(&quota, at_ms(0), &again));
    call_quota_answered(&quota, at_ms(0), true, at_ms(10));
    assert_false(call_quota_take(&quota, at_ms(1500), &again));
    assert_in_range(mono_ms_between(at_ms(0), again), 2060, 2200);
    for (int i = 1; i <= 10; i++) {
        call_quota_answered(&quota, at_ms(3000 * i), false, at_ms(3000 * i + 10));
    }
    assert_false(call_quota_take(&quota, at_ms(30500), &again));
    assert_in_range(mono_ms_between(at_ms(30000), again), 1030, 1100);
}

static void many_refusals_leave_a_tenth(void **state)
{
    (void)state;
    struct call_quota quota;
    struct mono again = at_ms(0);
    call_quota_init(&quota, 1, at_ms(0));
    for (int i = 0; i < 20; i++) {
        call_quota_answered(&quota, at_ms(0), true, at_ms(0));
    }
    assert_false(call_quota_take(&quota, at_ms(1), &again));
    assert_in_range(mono_ms_between(at_ms(0), again), 10000, 11000);
}

static void without_a_quota_there_is_no_wait(void **state)
{
    (void)state;
    struct call_quota quota;
    struct mono again = at_ms(0);
    call_quota_init(&quota, 0, at_ms(0));
    for (int i = 0; i < 100; i++) {
        assert_true(call_quota_take(&quota, at_ms(0), &again));
        call_quota_answered(&quota, at_ms(0), true, at_ms(0));
    }
}

static void what_all_calls_taught_bounds_each(void **state)
{
    (void)state;
    struct call_quota quota;
    struct mono again = at_ms(0);
    call_quota_init(&quota, 1, at_ms(0));
    assert_true(call_quota_take(&quota, at_ms(0), &again));
    call_quota_learn(&quota, 0.5, at_ms(0));
    assert_false(call_quota_take(&quota, at_ms(1500), &again));
    assert_in_range(mono_ms_between(at_ms(0), again), 2060, 2200);
    call_quota_learn(&quota, 7, at_ms(1500)); /* never more than configured */
    assert_false(call_quota_take(&quota, at_ms(1500), &again));
    assert_in_range(mono_ms_between(at_ms(0), again), 1500, 1900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_all_calls_taught_bounds_each),
        cmocka_unit_test(after_one_request_the_next_waits_a_little_over_a_second),
        cmocka_unit_test(a_request_counts_from_when_it_left),
        cmocka_unit_test(a_refusal_halves_the_pace_and_answers_bring_it_back),
        cmocka_unit_test(many_refusals_leave_a_tenth),
        cmocka_unit_test(without_a_quota_there_is_no_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
