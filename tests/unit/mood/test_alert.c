/* test_alert.c - when an alert opens, recovers and may open again. */
#include "harness.h"

static void deliver(struct harness *h, uint32_t episode)
{
    harness_step(h, &(struct call_event){.kind = CALL_EVENT_DELIVERED, .episode = episode});
}

/* Utterances one after the other, five seconds apart. */
static void say_all(struct harness *h, int64_t first_end_ms, const int64_t *scores, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        harness_say(h, first_end_ms + (int64_t)i * 5000, scores[i]);
    }
}

/* Content for 30 s, then angry. At 45 000 the mean is at the threshold, at 50 000 below. */
static void open_declining(struct harness *h)
{
    say_all(h, 5000, (int64_t[]){600000, 600000, 600000, 600000, 600000, 600000}, 6);
    say_all(h, 35000, (int64_t[]){100000, 100000, 100000}, 3);
    assert_int_equal(h->alerts, 0);
    harness_say(h, 50000, 100000);
    assert_int_equal(h->alerts, 1);
    harness_say(h, 55000, 100000);
}

static void test_a_decline_below_the_threshold_alerts(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    open_declining(&h);
    assert_int_equal(h.alert.episode, 1);
    assert_int_equal(h.alert.alert.path, CALL_ALERT_DECLINING);
    assert_int_equal(h.alert.reading.as_of_ms, EPOCH + 50000);
    assert_int_equal(h.alert.reading.score, 266667);
    assert_int_equal(call_episode_open(h.call), 1);
    harness_stop(&h);
}

static void test_an_open_episode_does_not_alert_again(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    open_declining(&h);
    for (int64_t end_ms = 60000; end_ms < 200000; end_ms += 5000) {
        harness_say(&h, end_ms, 0);
        harness_tick(&h);
    }
    assert_int_equal(h.alerts, 1);
    harness_stop(&h);
}

/* Window of one sample pair each side, so that the mean can be put exactly on the threshold. */
static unsigned alerts_with_last_two(int64_t a, int64_t b)
{
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.window_utterances = 2;
    policy.confirm_count = 1;
    struct harness h;
    harness_start(&h, &policy);
    say_all(&h, 5000, (int64_t[]){800000, 800000}, 2);
    harness_say(&h, 45000, a);
    harness_say(&h, 50000, b);
    unsigned alerts = h.alerts;
    harness_stop(&h);
    return alerts;
}

static void test_the_threshold_itself_is_not_below(void **state)
{
    (void)state;
    assert_int_equal(alerts_with_last_two(280000, 280000), 0);
    assert_int_equal(alerts_with_last_two(280000, 279999), 1); /* although it rounds to it */
}

static void test_one_negative_first_utterance_does_not_alert(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 5000, 0);
    for (int64_t at_ms = 6000; at_ms < 60000; at_ms += 1000) {
        harness_at(&h, at_ms);
        harness_tick(&h);
    }
    assert_int_equal(h.alerts, 0);
    harness_stop(&h);
}

static void test_an_always_negative_customer_alerts_as_sustained_low(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 5000, 150000);
    harness_say(&h, 10000, 150000);
    assert_int_equal(h.alerts, 0);
    harness_say(&h, 15000, 150000); /* 3 * 310 000 > 900 000 */
    assert_int_equal(h.alerts, 1);
    assert_int_equal(h.alert.alert.path, CALL_ALERT_SUSTAINED_LOW);
    assert_int_equal(h.alert.reading.trend, CALL_TREND_STABLE);
    assert_int_equal(h.alert.reading.sustained, 930000);
    harness_stop(&h);
}

static void test_the_sustained_limit_itself_is_not_above(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.defer_above = MOOD_ONE;
    struct harness h;
    harness_start(&h, &policy);
    say_all(&h, 5000, (int64_t[]){160000, 160000, 160000}, 3);
    assert_int_equal(harness_reading(&h).sustained, 900000);
    assert_int_equal(h.alerts, 0);
    harness_say(&h, 20000, 459999);
    assert_int_equal(h.alerts, 1);
    harness_stop(&h);
}

static void test_a_slow_slide_alerts(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    bool was_declining = false;
    for (int i = 0; i < 16 && h.alerts == 0; i++) {
        harness_say(&h, 5000 + i * 8000, 640000 - i * 40000);
        was_declining = was_declining || harness_reading(&h).trend == CALL_TREND_DECLINING;
    }
    assert_true(was_declining);
    assert_int_equal(h.alerts, 1);
    assert_int_equal(h.alert.alert.path, CALL_ALERT_DECLINING);
    harness_stop(&h);
}

static void test_a_cheerful_agent_does_not_hide_an_angry_customer(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    for (int i = 0; i < 4; i++) {
        harness_say(&h, 5000 + i * 5000, 100000);
        struct segment cheer =
            harness_segment(SPEAKER_AGENT, 5500 + i * 5000, 6500 + i * 5000, "lovely");
        harness_at(&h, 6500 + i * 5000);
        harness_reply(&h, &cheer, 1);
    }
    assert_int_equal(h.alerts, 1);
    assert_int_equal(call_counts(h.call)->agent, 4);
    assert_int_equal(h.scores_asked, 4);
    harness_stop(&h);
}

static void test_transcripts_that_come_45_s_late_still_alert(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    for (int i = 0; i < 5; i++) {
        harness_at(&h, 5000 + i * 5000 + 45000);
        harness_hear(&h, 3000 + i * 5000, 5000 + i * 5000, 100000);
    }
    assert_int_equal(h.alerts, 1);
    assert_int_equal(h.alert.reading.as_of_ms, EPOCH + 15000);
    harness_stop(&h);
}

static unsigned alerts_when_heard(int64_t delay_ms)
{
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 15000 + delay_ms);
    for (int i = 0; i < 3; i++) {
        harness_hear(&h, 3000 + i * 5000, 5000 + i * 5000, 100000);
    }
    unsigned alerts = h.alerts;
    harness_stop(&h);
    return alerts;
}

static void test_older_than_the_lateness_never_alerts(void **state)
{
    (void)state;
    assert_int_equal(alerts_when_heard(60000), 1);
    assert_int_equal(alerts_when_heard(60001), 0);
}

static void test_no_alert_while_an_older_utterance_waits_for_its_score(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 30000);
    struct segment reply[] = {
        harness_segment(SPEAKER_CUSTOMER, 1000, 5000, "a"),
        harness_segment(SPEAKER_CUSTOMER, 6000, 10000, "b"),
        harness_segment(SPEAKER_CUSTOMER, 11000, 15000, "c"),
        harness_segment(SPEAKER_CUSTOMER, 16000, 20000, "d"),
        harness_segment(SPEAKER_CUSTOMER, 21000, 25000, "e"),
    };
    harness_reply(&h, reply, 5);
    harness_score(&h, 3, 0, 100000);
    harness_score(&h, 2, 0, 100000);
    harness_score(&h, 1, 0, 100000);
    assert_int_equal(h.readings, 3); /* readings do not wait */
    assert_int_equal(h.alerts, 0);
    harness_tick(&h);
    assert_int_equal(h.alerts, 0);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_UNSCORABLE, .utterance = 0});
    assert_int_equal(h.alerts, 1); /* "e" waits still, but ends later */
    harness_stop(&h);
}

static void test_backlog_is_silent_until_all_of_it_is_scored(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 30000);
    struct segment reply[] = {
        harness_segment(SPEAKER_CUSTOMER, 1000, 5000, "a"),
        harness_segment(SPEAKER_CUSTOMER, 6000, 10000, "b"),
        harness_segment(SPEAKER_CUSTOMER, 11000, 15000, "c"),
        harness_segment(SPEAKER_AGENT, 16000, 20000, "d"),
    };
    harness_step(
        &h, &(struct call_event){
                .kind = CALL_EVENT_REPLY, .segments = reply, .segment_count = 4, .backlog = true});
    harness_score(&h, 0, 0, 100000);
    harness_score(&h, 2, 0, 100000);
    harness_tick(&h);
    struct call_reading reading;
    assert_false(call_reading(h.call, &reading));
    harness_hear(&h, 20000, 25000, 100000); /* live, and still held back */
    assert_int_equal(h.readings, 0);
    harness_score(&h, 1, 0, 100000);
    assert_int_equal(h.readings, 1);
    assert_int_equal(h.alerts, 1);
    assert_int_equal(harness_reading(&h).utterances, 4);
    harness_stop(&h);
}

static void test_an_episode_recovers_after_the_hold(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    open_declining(&h);
    say_all(&h, 60000, (int64_t[]){800000, 800000, 800000}, 3);
    assert_int_equal(h.recoveries, 0); /* mean 450 000 at 70 000: not above */
    assert_int_equal(harness_reading(&h).score, 450000);
    harness_say(&h, 75000, 800000); /* above from here */
    harness_say(&h, 80000, 800000);
    harness_say(&h, 84999, 800000);
    assert_int_equal(h.recoveries, 0);
    harness_say(&h, 85000, 800000);
    assert_int_equal(h.recoveries, 1);
    assert_int_equal(h.recovered.episode, 1);
    assert_int_equal(call_episode_open(h.call), 0);
    harness_stop(&h);
}

static void test_silence_completes_the_hold(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    open_declining(&h);
    say_all(&h, 60000, (int64_t[]){800000, 800000, 800000, 800000}, 4);
    harness_at(&h, 84999);
    harness_tick(&h);
    assert_int_equal(h.recoveries, 0);
    harness_at(&h, 85000);
    harness_tick(&h);
    assert_int_equal(h.recoveries, 1);
    assert_int_equal(h.recovered.reading.as_of_ms, EPOCH + 75000);
    harness_stop(&h);
}

/* When the hold is over after the newest utterance, heard at 75 000, was revised at 76 000 to this
 * end and scored again at 79 000. */
static int64_t recovered_at(int64_t revised_end_ms)
{
    struct harness h;
    harness_start(&h, NULL);
    open_declining(&h);
    say_all(&h, 60000, (int64_t[]){800000, 800000, 800000, 800000}, 4);
    harness_at(&h, 76000);
    struct segment again = harness_segment(SPEAKER_CUSTOMER, 73000, revised_end_ms, "words");
    harness_reply(&h, &again, 1);
    harness_at(&h, 79000);
    harness_score(&h, h.asked.utterance, 1, 800000);
    int64_t at_ms = 80000;
    for (; h.recoveries == 0 && at_ms < 100000; at_ms += 500) {
        harness_at(&h, at_ms);
        harness_tick(&h);
    }
    harness_stop(&h);
    return at_ms - 500;
}

static void test_event_time_goes_on_from_when_the_newest_end_was_known(void **state)
{
    (void)state;
    assert_int_equal(recovered_at(75500), 85500);
    assert_int_equal(recovered_at(74500), 86500);
}

static void test_a_relapse_resets_the_hold(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    open_declining(&h);
    say_all(&h, 60000, (int64_t[]){800000, 800000, 800000, 800000}, 4);
    for (int64_t end_ms = 77000; end_ms <= 79000; end_ms += 1000) {
        harness_say(&h, end_ms, 0); /* 425 000 at 78 000 */
    }
    harness_say(&h, 82000, 1000000); /* above again: 477 778 */
    harness_at(&h, 91999);
    harness_tick(&h);
    assert_int_equal(h.recoveries, 0);
    harness_at(&h, 92000);
    harness_tick(&h);
    assert_int_equal(h.recoveries, 1);
    harness_stop(&h);
}

/* Recovers the open episode with the hold over at 80 000. */
static void recover(struct harness *h)
{
    say_all(h, 60000, (int64_t[]){900000, 900000, 900000, 900000, 900000, 900000}, 6);
    assert_int_equal(h->recoveries, 1);
}

static void test_after_recovery_a_new_episode_can_open(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    open_declining(&h);
    deliver(&h, 1);
    recover(&h);
    say_all(&h, 90000, (int64_t[]){0, 0, 0, 0, 0}, 5);
    assert_int_equal(h.alerts, 2);
    assert_int_equal(h.alert.episode, 2);
    harness_stop(&h);
}

static void test_after_recovery_the_cumulative_sum_starts_anew(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    open_declining(&h);
    recover(&h);
    assert_true(h.recovered.reading.sustained >= 0);
    harness_say(&h, 90000, 400000);
    assert_int_equal(harness_reading(&h).sustained, 60000);
    harness_hear(&h, 78500, 80000, 0); /* late, from before the recovery: adds nothing */
    assert_int_equal(harness_reading(&h).sustained, 60000);
    harness_stop(&h);
}

/* An episode that opens at 55 000, is delivered as told and recovers at once; then the mood is low
 * again at 60 000. Returns whether a second episode is open at this time. */
static bool reopened_at(int64_t delivered_ms, int64_t at_ms)
{
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.recover_hold_ms = 0;
    policy.window_ms = 5000;
    policy.window_widest_ms = 30000;
    policy.window_utterances = 1;
    policy.samples_min = 1;
    policy.confirm_count = 1;
    policy.trend_confidence = 0;
    struct harness h;
    harness_start(&h, &policy);
    say_all(&h, 45000, (int64_t[]){600000, 600000}, 2);
    harness_say(&h, 55000, 100000);
    assert_int_equal(h.alerts, 1);
    if (delivered_ms > 0) {
        harness_at(&h, delivered_ms);
        deliver(&h, 1);
    }
    harness_say(&h, 58000, 950000);
    assert_int_equal(h.recoveries, 1);
    harness_say(&h, 64000, 100000);
    harness_at(&h, at_ms);
    harness_tick(&h);
    bool reopened = h.alerts == 2;
    harness_stop(&h);
    return reopened;
}

static void test_the_cooldown_runs_from_the_delivery(void **state)
{
    (void)state;
    assert_false(reopened_at(57000, 71999));
    assert_true(reopened_at(57000, 72000));
}

static void test_an_undelivered_episode_cools_from_its_opening(void **state)
{
    (void)state;
    assert_false(reopened_at(0, 69999));
    assert_true(reopened_at(0, 70000));
}

static void test_only_the_first_confirmation_of_the_last_episode_counts(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.recover_hold_ms = 0;
    policy.alert_below = 350000;
    struct harness h;
    harness_start(&h, &policy);
    open_declining(&h);
    deliver(&h, 1); /* at 55 000 */
    say_all(&h, 56000, (int64_t[]){1000000, 1000000, 1000000}, 3);
    assert_int_equal(h.recoveries, 1);
    deliver(&h, 1); /* again, at 66 000 */
    deliver(&h, 7);
    deliver(&h, 0);
    for (int64_t end_ms = 67000; end_ms <= 71000; end_ms += 1000) {
        harness_say(&h, end_ms, 0);
    }
    assert_int_equal(h.alerts, 2); /* sooner than 15 s after the second */
    assert_int_equal(h.alert.reading.as_of_ms, EPOCH + 70000);
    harness_stop(&h);
}

static void test_duplicates_do_not_double_an_alert(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 20000);
    struct segment reply[] = {
        harness_segment(SPEAKER_CUSTOMER, 1000, 5000, "a"),
        harness_segment(SPEAKER_CUSTOMER, 6000, 10000, "b"),
        harness_segment(SPEAKER_CUSTOMER, 11000, 15000, "c"),
    };
    for (int i = 0; i < 10; i++) {
        harness_reply(&h, reply, 3);
        if (i == 0) {
            for (uint32_t number = 0; number < 3; number++) {
                harness_score(&h, number, 0, 100000);
            }
        }
        harness_tick(&h);
    }
    assert_int_equal(h.alerts, 1);
    assert_int_equal(h.scores_asked, 3);
    assert_int_equal(harness_reading(&h).utterances, 3);
    harness_stop(&h);
}

static void test_evidence_names_what_pulled_the_mood_down(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    say_all(&h, 5000, (int64_t[]){600000, 600000, 600000, 600000, 600000, 600000}, 6);
    say_all(&h, 36000, (int64_t[]){300000, 0, 850000, 100000, 300000, 50000}, 6);
    assert_int_equal(h.alerts, 1);
    /* Opened at 61 000: (31 000, 61 000] holds six, mean 266 667 against 600 000. */
    assert_int_equal(h.alert.alert.path, CALL_ALERT_DECLINING);
    assert_int_equal(h.alert.reading.samples, 6);
    assert_int_equal(h.alert.evidence_count, CALL_EVIDENCE_MAX);
    const int64_t ends_ms[] = {41000, 61000, 51000, 36000, 56000};
    const int64_t contributions[] = {-100000, -91667, -83333, -50000, -50000};
    for (int i = 0; i < CALL_EVIDENCE_MAX; i++) {
        assert_int_equal(h.alert.evidence[i].end_ms, EPOCH + ends_ms[i]);
        assert_int_equal(h.alert.evidence[i].start_ms, EPOCH + ends_ms[i] - 2000);
        assert_int_equal(h.alert.evidence[i].contribution, contributions[i]);
        assert_int_equal(h.alert.evidence[i].speaker, SPEAKER_CUSTOMER);
    }
    harness_stop(&h);
}

static void test_evidence_of_sustained_low_is_held_against_the_reference(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    say_all(&h, 5000, (int64_t[]){160000, 10000, 160000}, 3);
    assert_int_equal(h.alerts, 1);
    assert_int_equal(h.alert.alert.path, CALL_ALERT_SUSTAINED_LOW);
    assert_int_equal(h.alert.evidence_count, 3);
    assert_int_equal(h.alert.evidence[0].contribution, -150000);
    assert_int_equal(h.alert.evidence[1].contribution, -100000);
    assert_int_equal(h.alert.evidence[1].end_ms, EPOCH + 5000);
    assert_int_equal(h.alert.evidence[2].end_ms, EPOCH + 15000);
    harness_stop(&h);
}

static void test_declining_wins_over_sustained_low(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    open_declining(&h);
    assert_true(h.alert.reading.sustained > 900000);
    assert_int_equal(h.alert.alert.path, CALL_ALERT_DECLINING);
    harness_stop(&h);
}

static void test_the_end_repeats_the_reading_and_then_nothing(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 5000, 100000);
    harness_say(&h, 10000, 100000);
    unsigned readings = h.readings;
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_ENDED});
    assert_int_equal(h.readings, readings + 1);
    assert_int_equal(h.effects.count, 1);
    harness_at(&h, 15000);
    struct segment more = harness_segment(SPEAKER_CUSTOMER, 11000, 15000, "more");
    harness_reply(&h, &more, 1);
    harness_tick(&h);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_ENDED});
    assert_int_equal(h.readings, readings + 1);
    assert_int_equal(h.scores_asked, 2);
    assert_int_equal(h.alerts, 0);
    harness_stop(&h);
}

static void test_a_call_without_a_reading_ends_without_one(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_ENDED});
    assert_int_equal(h.effects.count, 0);
    harness_stop(&h);
}

static void test_an_unchanged_reading_is_not_repeated(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 5000, 100000);
    struct segment again = harness_segment(SPEAKER_CUSTOMER, 3000, 5000, "other words");
    harness_reply(&h, &again, 1);
    harness_score(&h, h.asked.utterance, 1, 100000);
    assert_int_equal(h.readings, 1);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_decline_below_the_threshold_alerts),
        cmocka_unit_test(test_an_open_episode_does_not_alert_again),
        cmocka_unit_test(test_the_threshold_itself_is_not_below),
        cmocka_unit_test(test_one_negative_first_utterance_does_not_alert),
        cmocka_unit_test(test_an_always_negative_customer_alerts_as_sustained_low),
        cmocka_unit_test(test_the_sustained_limit_itself_is_not_above),
        cmocka_unit_test(test_a_slow_slide_alerts),
        cmocka_unit_test(test_a_cheerful_agent_does_not_hide_an_angry_customer),
        cmocka_unit_test(test_transcripts_that_come_45_s_late_still_alert),
        cmocka_unit_test(test_older_than_the_lateness_never_alerts),
        cmocka_unit_test(test_no_alert_while_an_older_utterance_waits_for_its_score),
        cmocka_unit_test(test_backlog_is_silent_until_all_of_it_is_scored),
        cmocka_unit_test(test_an_episode_recovers_after_the_hold),
        cmocka_unit_test(test_silence_completes_the_hold),
        cmocka_unit_test(test_event_time_goes_on_from_when_the_newest_end_was_known),
        cmocka_unit_test(test_a_relapse_resets_the_hold),
        cmocka_unit_test(test_after_recovery_a_new_episode_can_open),
        cmocka_unit_test(test_after_recovery_the_cumulative_sum_starts_anew),
        cmocka_unit_test(test_the_cooldown_runs_from_the_delivery),
        cmocka_unit_test(test_an_undelivered_episode_cools_from_its_opening),
        cmocka_unit_test(test_only_the_first_confirmation_of_the_last_episode_counts),
        cmocka_unit_test(test_duplicates_do_not_double_an_alert),
        cmocka_unit_test(test_evidence_names_what_pulled_the_mood_down),
        cmocka_unit_test(test_evidence_of_sustained_low_is_held_against_the_reference),
        cmocka_unit_test(test_declining_wins_over_sustained_low),
        cmocka_unit_test(test_the_end_repeats_the_reading_and_then_nothing),
        cmocka_unit_test(test_a_call_without_a_reading_ends_without_one),
        cmocka_unit_test(test_an_unchanged_reading_is_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
