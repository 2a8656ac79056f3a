/* test_cases.c - calls a supervisor would know: what is to be told of them, and what is not. */
#include "harness.h"

/* One thing after the other, eight seconds apart. */
static void say_row(struct harness *h, int64_t *at_ms, const int64_t *scores, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *at_ms += 8000;
        harness_say(h, *at_ms, scores[i]);
    }
}

static void test_one_curse_in_a_friendly_call_is_nothing(void **state)
{
    (void)state;
    struct harness h;
    int64_t at_ms = 0;
    harness_start(&h, NULL);
    say_row(&h, &at_ms, (int64_t[]){900000, 800000, 900000, 20000, 850000, 900000}, 6);
    say_row(&h, &at_ms, (int64_t[]){500000, 500000, 500000, 20000, 500000, 500000}, 6);
    assert_int_equal(h.alerts, 0);
    harness_stop(&h);
}

/* "Oh, wonderful, just what I needed": the model takes it for praise. */
static void test_a_sarcastic_line_hides_no_anger(void **state)
{
    (void)state;
    struct harness h;
    int64_t at_ms = 0;
    harness_start(&h, NULL);
    say_row(&h, &at_ms, (int64_t[]){40000, 950000, 30000, 50000, 30000}, 5);
    assert_int_equal(h.alerts, 1);
    say_row(&h, &at_ms, (int64_t[]){950000, 40000}, 2);
    assert_int_equal(h.recoveries, 0);
    harness_stop(&h);
}

static void test_transcripts_that_come_35_s_late_alert_all_the_same(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    for (int64_t end_ms = 8000; end_ms <= 40000; end_ms += 8000) {
        harness_at(&h, end_ms + 35000);
        harness_hear(&h, end_ms - 2000, end_ms, 60000);
    }
    assert_int_equal(h.alerts, 1);
    assert_int_equal(h.alert.reading.as_of_ms, EPOCH + 24000);
    harness_stop(&h);
}

/* Three minutes without a word: what was said before is out of every window, and no neutral mood
 * takes its place. */
static void test_silence_empties_a_window(void **state)
{
    (void)state;
    struct harness h;
    int64_t at_ms = 0;
    harness_start(&h, NULL);
    say_row(&h, &at_ms, (int64_t[]){100000, 100000}, 2);
    struct call_reading before = harness_reading(&h);
    unsigned readings = h.readings;
    for (int64_t passed_ms = 1000; passed_ms <= 180000; passed_ms += 1000) {
        harness_at(&h, at_ms + passed_ms);
        harness_tick(&h);
    }
    assert_int_equal(h.readings, readings);
    assert_int_equal(harness_reading(&h).score, before.score);
    harness_say(&h, at_ms + 180000, 200000);
    assert_int_equal(harness_reading(&h).samples, 1);
    assert_int_equal(harness_reading(&h).score, 200000);
    assert_int_equal(harness_reading(&h).samples_before, 0);
    assert_int_equal(h.alerts, 0);
    harness_stop(&h);
}

static void test_a_decline_must_be_more_than_an_accident(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.sustained_limit = 10 * (int64_t)MOOD_ONE;
    policy.trend_confidence = 950000;
    for (int steady = 0; steady < 2; steady++) {
        struct harness h;
        int64_t at_ms = 0;
        harness_start(&h, &policy);
        /* The same six scores: falling all the way, or only in the mean of three. */
        say_row(&h, &at_ms,
                steady ? (int64_t[]){700000, 600000, 500000, 300000, 200000, 100000}
                       : (int64_t[]){500000, 600000, 700000, 100000, 200000, 300000},
                6);
        assert_int_equal(h.alerts, steady);
        if (steady) {
            assert_int_equal(h.alert.alert.confidence, 998611); /* 1 - 1/6! */
            assert_true(h.alert.alert.slope < -800000 && h.alert.alert.slope > -1000000);
        }
        harness_stop(&h);
    }
}

static void test_a_low_mean_of_one_outburst_is_not_confirmed(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.confirm_count = 2;
    policy.confirm_of = 3;
    policy.confirm_below = 300000;
    policy.sustained_limit = 400000;
    struct harness h;
    int64_t at_ms = 0;
    harness_start(&h, &policy);
    say_row(&h, &at_ms, (int64_t[]){400000, 400000, 0}, 3);
    assert_true(harness_reading(&h).score < policy.alert_below);
    assert_true(harness_reading(&h).sustained > policy.sustained_limit);
    assert_int_equal(h.alerts, 0);
    say_row(&h, &at_ms, (int64_t[]){299999}, 1);
    assert_int_equal(h.alerts, 1);
    harness_stop(&h);
}

static void test_a_recovery_under_way_defers_an_alert(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.defer_above = 600000;
    policy.alert_below = 350000;
    policy.sustained_limit = 400000;
    for (int relapse = 0; relapse < 2; relapse++) {
        struct harness h;
        int64_t at_ms = 0;
        harness_start(&h, &policy);
        say_row(&h, &at_ms, (int64_t[]){200000}, 1);
        struct segment pair[2] = {harness_segment(SPEAKER_CUSTOMER, 10000, 12000, "worse"),
                                  harness_segment(SPEAKER_CUSTOMER, 13000, 15000, "thanks")};
        harness_at(&h, 16000);
        harness_reply(&h, pair, 2); /* both become known before any of them is judged */
        harness_score(&h, h.asked.utterance, 0, 700000);
        harness_score(&h, h.asked.utterance - 1, 0, 0);
        assert_true(harness_reading(&h).score < policy.alert_below);
        assert_int_equal(h.alerts, 0);
        at_ms = 20000;
        say_row(&h, &at_ms, (int64_t[]){relapse ? 100000 : 800000}, 1);
        assert_int_equal(h.alerts, relapse);
        harness_stop(&h);
    }
}

static void test_an_alert_that_gets_worse_is_raised_once(void **state)
{
    (void)state;
    struct harness h;
    int64_t at_ms = 0;
    harness_start(&h, NULL);
    say_row(&h, &at_ms, (int64_t[]){100000, 100000, 100000}, 3);
    assert_int_equal(h.alerts, 1);
    assert_int_equal(h.alert.alert.tier, CALL_TIER_AGENT);
    assert_int_equal(h.raises, 0);
    say_row(&h, &at_ms, (int64_t[]){100000, 100000, 100000, 100000}, 4);
    assert_int_equal(h.alerts, 1);
    assert_int_equal(h.raises, 1);
    assert_int_equal(h.raised.alert.tier, CALL_TIER_SUPERVISOR);
    assert_int_equal(h.raised.episode, 1);
    assert_true(h.raised.evidence_count > 0);
    harness_stop(&h);
}

static void test_a_long_bad_call_is_told_of_again_if_wanted(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    for (int wanted = 0; wanted < 2; wanted++) {
        struct harness h;
        int64_t at_ms = 0;
        policy.remind_ms = wanted ? 60000 : 0;
        harness_start(&h, &policy);
        for (int i = 0; i < 30; i++) {
            say_row(&h, &at_ms, (int64_t[]){100000}, 1);
        }
        assert_int_equal(h.alerts, 1);
        /* Open at 24 s, raised at 32 s, 240 s in all: told again each minute after that. */
        assert_int_equal(h.reminders, wanted ? 3 : 0);
        harness_stop(&h);
    }
}

static void test_a_rule_alerts_beside_the_mood(void **state)
{
    (void)state;
    struct harness h;
    int64_t at_ms = 0;
    const struct call_event fired = {
        .kind = CALL_EVENT_RULE, .rule = 7, .tier = CALL_TIER_SUPERVISOR};
    harness_start(&h, NULL);
    harness_step(&h, &fired);
    assert_int_equal(h.alerts, 1);
    assert_int_equal(h.alert.episode, 1);
    assert_int_equal(h.alert.alert.path, CALL_ALERT_RULE);
    assert_int_equal(h.alert.alert.rule, 7);
    assert_int_equal(h.alert.alert.tier, CALL_TIER_SUPERVISOR);
    assert_int_equal(call_episode_open(h.call), 0);
    say_row(&h, &at_ms, (int64_t[]){100000, 100000, 100000}, 3);
    assert_int_equal(h.alert.episode, 2);
    assert_int_equal(call_episode_open(h.call), 2);
    harness_step(&h, &fired);
    assert_int_equal(h.alert.episode, 3);
    assert_int_equal(call_episode_open(h.call), 2);
    say_row(&h, &at_ms, (int64_t[]){900000, 900000, 900000, 900000, 900000, 900000}, 6);
    assert_int_equal(h.recovered.episode, 2);
    harness_stop(&h);
}

static void test_a_minute_may_weigh_more_than_a_word(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.weighting = MOOD_WEIGHTING_DURATION;
    struct harness h;
    harness_start(&h, &policy);
    harness_at(&h, 30000);
    harness_hear(&h, 1000, 21999, 100000);               /* 20 s and some: 20 */
    harness_hear(&h, 22000, 22500, 900000);              /* under one: 1 */
    assert_int_equal(harness_reading(&h).score, 138095); /* 2 900 000 / 21 */
    assert_int_equal(harness_reading(&h).samples, 2);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_curse_in_a_friendly_call_is_nothing),
        cmocka_unit_test(test_a_sarcastic_line_hides_no_anger),
        cmocka_unit_test(test_transcripts_that_come_35_s_late_alert_all_the_same),
        cmocka_unit_test(test_silence_empties_a_window),
        cmocka_unit_test(test_a_decline_must_be_more_than_an_accident),
        cmocka_unit_test(test_a_low_mean_of_one_outburst_is_not_confirmed),
        cmocka_unit_test(test_a_recovery_under_way_defers_an_alert),
        cmocka_unit_test(test_an_alert_that_gets_worse_is_raised_once),
        cmocka_unit_test(test_a_long_bad_call_is_told_of_again_if_wanted),
        cmocka_unit_test(test_a_rule_alerts_beside_the_mood),
        cmocka_unit_test(test_a_minute_may_weigh_more_than_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
