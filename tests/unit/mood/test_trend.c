/* test_trend.c - entering and leaving a trend, and the cumulative sum, at their thresholds. */
#include "harness.h"

#include "mood/sustained.h"
#include "mood/trend.h"

static enum call_trend step(enum call_trend trend, int64_t current_sum, uint32_t current_count,
                            int64_t previous_sum, uint32_t previous_count)
{
    struct mood_policy policy;
    mood_policy_default(&policy);
    struct window current = {.sum = current_sum, .weight = current_count, .count = current_count};
    struct window previous = {
        .sum = previous_sum, .weight = previous_count, .count = previous_count};
    return trend_next(&policy, trend, &current, &previous);
}

static void test_a_trend_is_entered_strictly_beyond_the_threshold(void **state)
{
    (void)state;
    assert_int_equal(step(CALL_TREND_STABLE, 1100000, 2, 1000000, 2), CALL_TREND_STABLE);
    assert_int_equal(step(CALL_TREND_STABLE, 1100001, 2, 1000000, 2), CALL_TREND_IMPROVING);
    assert_int_equal(step(CALL_TREND_STABLE, 900000, 2, 1000000, 2), CALL_TREND_STABLE);
    assert_int_equal(step(CALL_TREND_STABLE, 899999, 2, 1000000, 2), CALL_TREND_DECLINING);
}

static void test_means_that_cannot_be_written_down_compare_exactly(void **state)
{
    (void)state;
    /* 450 000 2/3 minus 400 000 1/3 is 50 000 1/3, although it rounds to the threshold. */
    assert_int_equal(step(CALL_TREND_STABLE, 1350002, 3, 1200001, 3), CALL_TREND_IMPROVING);
    assert_int_equal(step(CALL_TREND_STABLE, 1350001, 3, 1200001, 3), CALL_TREND_STABLE);
}

static void test_a_trend_stays_down_to_the_lower_threshold(void **state)
{
    (void)state;
    assert_int_equal(step(CALL_TREND_IMPROVING, 1060000, 2, 1000000, 2), CALL_TREND_IMPROVING);
    assert_int_equal(step(CALL_TREND_IMPROVING, 1059999, 2, 1000000, 2), CALL_TREND_STABLE);
    assert_int_equal(step(CALL_TREND_DECLINING, 940000, 2, 1000000, 2), CALL_TREND_DECLINING);
    assert_int_equal(step(CALL_TREND_DECLINING, 940001, 2, 1000000, 2), CALL_TREND_STABLE);
}

static void test_a_trend_does_not_hold_the_other_way(void **state)
{
    (void)state;
    assert_int_equal(step(CALL_TREND_IMPROVING, 940000, 2, 1000000, 2), CALL_TREND_STABLE);
    assert_int_equal(step(CALL_TREND_DECLINING, 1060000, 2, 1000000, 2), CALL_TREND_STABLE);
    assert_int_equal(step(CALL_TREND_IMPROVING, 800000, 2, 1000000, 2), CALL_TREND_DECLINING);
}

static void test_one_sample_on_either_side_is_stable(void **state)
{
    (void)state;
    assert_int_equal(step(CALL_TREND_DECLINING, 100000, 1, 1800000, 2), CALL_TREND_STABLE);
    assert_int_equal(step(CALL_TREND_DECLINING, 200000, 2, 900000, 1), CALL_TREND_STABLE);
    assert_int_equal(step(CALL_TREND_DECLINING, 200000, 2, 0, 0), CALL_TREND_STABLE);
}

static void test_the_trend_moves_once_per_event_time_not_per_arrival(void **state)
{
    (void)state;
    /* The two at 55 000 pull in opposite directions; whichever comes first, only both together are
     * an event time. */
    for (int order = 0; order < 2; order++) {
        struct harness h;
        harness_start(&h, NULL);
        harness_at(&h, 90000);
        for (int64_t end_ms = 5000; end_ms <= 25000; end_ms += 5000) {
            harness_hear(&h, end_ms - 1000, end_ms, 600000);
        }
        harness_hear(&h, 31000, 36000, 560000);
        harness_hear(&h, 32000, 40000, 560000);
        harness_hear(&h, order ? 33000 : 34000, 55000, order ? 400000 : 600000);
        harness_hear(&h, order ? 34000 : 33000, 55000, order ? 600000 : 400000);
        assert_int_equal(harness_reading(&h).samples, 4);
        assert_int_equal(harness_reading(&h).difference, -70000);
        assert_int_equal(harness_reading(&h).trend, CALL_TREND_DECLINING);
        harness_hear(&h, 56000, 60000, 660000);
        assert_int_equal(harness_reading(&h).difference, -44000);
        assert_int_equal(harness_reading(&h).trend, CALL_TREND_DECLINING);
        harness_stop(&h);
    }
}

static void test_a_late_utterance_refolds_the_trends_after_it(void **state)
{
    (void)state;
    /* Three times 600, three times 500: declining. The last reading's difference is exactly the
     * lower threshold, so only what came before decides whether it is declining still. */
    int64_t ends[] = {5000, 10000, 15000, 40000, 42000, 44000};
    int64_t scores[] = {600000, 600000, 600000, 500000, 500000, 500000};
    struct call_reading in_order;
    struct call_reading reversed;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 50000);
    for (int i = 0; i < 6; i++) {
        harness_hear(&h, ends[i] - 1000, ends[i], scores[i]);
    }
    harness_hear(&h, 45000, 46000, 780000);
    in_order = harness_reading(&h);
    harness_stop(&h);
    assert_int_equal(in_order.difference, -30000);
    assert_int_equal(in_order.trend, CALL_TREND_DECLINING);

    harness_start(&h, NULL);
    harness_at(&h, 50000);
    harness_hear(&h, 45000, 46000, 780000);
    for (int i = 5; i >= 0; i--) {
        harness_hear(&h, ends[i] - 1000, ends[i], scores[i]);
    }
    reversed = harness_reading(&h);
    harness_stop(&h);
    assert_int_equal(reversed.trend, CALL_TREND_DECLINING);
    assert_int_equal(reversed.difference, in_order.difference);
    assert_int_equal(reversed.sustained, in_order.sustained);
}

static void test_the_cumulative_sum_never_goes_below_zero(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    assert_int_equal(sustained_next(&policy, 0, 1000000), 0);
    assert_int_equal(sustained_next(&policy, 0, 460000), 0);
    assert_int_equal(sustained_next(&policy, 0, 459999), 1);
    assert_int_equal(sustained_next(&policy, 100000, 500000), 60000);
    assert_int_equal(sustained_next(&policy, 0, 0), 460000);
}

static void test_sustained_low_is_strictly_above_the_limit(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    assert_false(sustained_is_low(&policy, 900000));
    assert_true(sustained_is_low(&policy, 900001));
}

static void test_ties_add_to_the_sum_by_score_not_by_arrival(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct harness h;
        harness_start(&h, NULL);
        harness_at(&h, 20000);
        harness_hear(&h, 1000 + order, 9000, order ? 900000 : 200000);
        harness_hear(&h, 1001 - order, 9000, order ? 200000 : 900000);
        assert_int_equal(harness_reading(&h).sustained, 0); /* 260 000, then down to 0 */
        harness_stop(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trend_is_entered_strictly_beyond_the_threshold),
        cmocka_unit_test(test_means_that_cannot_be_written_down_compare_exactly),
        cmocka_unit_test(test_a_trend_stays_down_to_the_lower_threshold),
        cmocka_unit_test(test_a_trend_does_not_hold_the_other_way),
        cmocka_unit_test(test_one_sample_on_either_side_is_stable),
        cmocka_unit_test(test_the_trend_moves_once_per_event_time_not_per_arrival),
        cmocka_unit_test(test_a_late_utterance_refolds_the_trends_after_it),
        cmocka_unit_test(test_the_cumulative_sum_never_goes_below_zero),
        cmocka_unit_test(test_sustained_low_is_strictly_above_the_limit),
        cmocka_unit_test(test_ties_add_to_the_sum_by_score_not_by_arrival),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
