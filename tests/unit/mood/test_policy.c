/* test_policy.c - the documented defaults, names, and that wild numbers cannot overflow. */
#include "harness.h"

static void test_defaults_are_those_documented(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    assert_int_equal(policy.window_ms, 30000);
    assert_int_equal(policy.window_widest_ms, 120000);
    assert_int_equal(policy.window_utterances, 3);
    assert_int_equal(policy.samples_min, 2);
    assert_int_equal(policy.trend_enter, 50000);
    assert_int_equal(policy.trend_leave, 30000);
    assert_int_equal(policy.alert_below, 280000);
    assert_int_equal(policy.trend_confidence, 650000);
    assert_int_equal(policy.confirm_below, 350000);
    assert_int_equal(policy.confirm_count, 2);
    assert_int_equal(policy.confirm_of, 4);
    assert_int_equal(policy.defer_above, 350000);
    assert_int_equal(policy.supervisor_limit, 1400000);
    assert_int_equal(policy.recover_above, 450000);
    assert_int_equal(policy.recover_hold_ms, 10000);
    assert_int_equal(policy.cooldown_ms, 15000);
    assert_int_equal(policy.sustained_reference, 460000);
    assert_int_equal(policy.sustained_limit, 900000);
    assert_int_equal(policy.lateness_ms, 60000);
    assert_int_equal(policy.future_tolerance_ms, 5000);
    assert_int_equal(policy.utterances_max, 4096);
    assert_false(policy.score_agent);
}

static void test_clamp_leaves_the_defaults_alone(void **state)
{
    (void)state;
    struct mood_policy policy;
    struct mood_policy clamped;
    mood_policy_default(&policy);
    clamped = policy;
    mood_policy_clamp(&clamped);
    assert_int_equal(clamped.window_widest_ms, policy.window_widest_ms);
    assert_int_equal(clamped.utterances_max, policy.utterances_max);
    assert_int_equal(clamped.sustained_limit, policy.sustained_limit);
}

static void run_with_all(int64_t number, uint32_t count)
{
    struct mood_policy policy = {
        .window_ms = number,
        .window_widest_ms = number,
        .window_utterances = count,
        .samples_min = count,
        .weighting = MOOD_WEIGHTING_DURATION,
        .trend_enter = number,
        .trend_leave = number,
        .trend_confidence = number,
        .alert_below = number,
        .confirm_below = number,
        .confirm_count = count,
        .confirm_of = count,
        .calm_share = number,
        .defer_above = number,
        .recover_above = number,
        .recover_hold_ms = number,
        .cooldown_ms = number,
        .sustained_reference = number,
        .sustained_limit = number,
        .supervisor_limit = number,
        .remind_ms = number,
        .lateness_ms = number,
        .future_tolerance_ms = number,
        .utterances_max = count,
        .score_agent = true,
    };
    struct harness h;
    harness_start(&h, &policy);
    for (int64_t i = 1; i <= 40; i++) {
        harness_say(&h, i * 3000, (i % 2) * MOOD_ONE);
        harness_tick(&h);
    }
    assert_int_equal(harness_reading(&h).as_of_ms, EPOCH + 120000);
    harness_stop(&h);
}

static void test_wild_numbers_do_not_overflow(void **state)
{
    (void)state;
    run_with_all(INT64_MAX, UINT32_MAX);
    run_with_all(INT64_MIN, 0);
    run_with_all(0, 0);
}

static void test_names_are_stable(void **state)
{
    (void)state;
    assert_string_equal(speaker_name(SPEAKER_CUSTOMER), "customer");
    assert_string_equal(speaker_name(SPEAKER_AGENT), "agent");
    assert_string_equal(speaker_name(SPEAKER_UNKNOWN), "unknown");
    assert_string_equal(call_trend_name(CALL_TREND_STABLE), "stable");
    assert_string_equal(call_trend_name(CALL_TREND_IMPROVING), "improving");
    assert_string_equal(call_trend_name(CALL_TREND_DECLINING), "declining");
    assert_string_equal(call_alert_path_name(CALL_ALERT_DECLINING), "declining");
    assert_string_equal(call_alert_path_name(CALL_ALERT_SUSTAINED_LOW), "sustained_low");
    assert_string_equal(call_alert_path_name(CALL_ALERT_RULE), "rule");
    assert_string_equal(call_tier_name(CALL_TIER_AGENT), "agent");
    assert_string_equal(call_tier_name(CALL_TIER_SUPERVISOR), "supervisor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_those_documented),
        cmocka_unit_test(test_clamp_leaves_the_defaults_alone),
        cmocka_unit_test(test_wild_numbers_do_not_overflow),
        cmocka_unit_test(test_names_are_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
