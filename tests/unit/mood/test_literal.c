/* The tutorial's windows and rule on their boundaries. That they are the tutorial's at all is shown
 * by tests/golden/test_literal.c. */
#include "mood/literal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_every_comparison_is_strict(void **state)
{
    (void)state;
    assert_true(literal_suggests(0.3499999, CALL_TREND_DECLINING, 100.0, 0.0));
    assert_false(literal_suggests(0.35, CALL_TREND_DECLINING, 100.0, 0.0));
    assert_false(literal_suggests(0.0, CALL_TREND_STABLE, 100.0, 0.0));
    assert_false(literal_suggests(0.0, CALL_TREND_IMPROVING, 100.0, 0.0));
    assert_false(literal_suggests(0.0, CALL_TREND_DECLINING, 115.0, 100.0));
    assert_true(literal_suggests(0.0, CALL_TREND_DECLINING, 115.5, 100.0));
}

static void test_an_entry_at_the_cutoff_stays(void **state)
{
    struct literal_window window;
    enum call_trend trend;
    (void)state;
    literal_window_init(&window);
    assert_true(literal_window_add(&window, 10.0, 0.0));
    assert_true(literal_window_read(&window, 40.0, &trend) == 0.0);
    assert_int_equal(trend, CALL_TREND_DECLINING);
    assert_true(literal_window_read(&window, 40.5, &trend) == 0.5);
    assert_int_equal(trend, CALL_TREND_STABLE);
    literal_window_done(&window);
}

static void test_an_old_entry_behind_a_newer_one_is_counted(void **state)
{
    struct literal_window window;
    enum call_trend trend;
    (void)state;
    literal_window_init(&window);
    assert_true(literal_window_add(&window, 100.0, 1.0));
    assert_true(literal_window_add(&window, 20.0, 0.0));
    assert_true(literal_window_read(&window, 101.0, &trend) == 0.5);
    literal_window_done(&window);
}

static void test_long_queues_keep_their_order(void **state)
{
    struct literal_window window;
    enum call_trend trend;
    (void)state;
    literal_window_init(&window);
    for (int i = 0; i < 100000; i++) {
        assert_true(literal_window_add(&window, i, i % 2));
    }
    assert_int_equal(window.count, 31);
    assert_true(window.capacity <= 128);
    /* Of the last 31, from 99,969 on, the odd ones count 1. */
    assert_true(literal_window_read(&window, 99999.0, &trend) == 16.0 / 31.0);
    literal_window_done(&window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_comparison_is_strict),
        cmocka_unit_test(test_an_entry_at_the_cutoff_stays),
        cmocka_unit_test(test_an_old_entry_behind_a_newer_one_is_counted),
        cmocka_unit_test(test_long_queues_keep_their_order),
    };
    return cmocka_run_group_tests_name("mood/literal", tests, NULL, NULL);
}
