/* test_times.c - unusable, reversed, future and late times. */
#include "harness.h"

#include "mood/times.h"

enum { HOUR_MS = 3600000, DAY_MS = 86400000, TOLERANCE_MS = 5000 };

static bool judge(int64_t start_ms, int64_t end_ms, int64_t first_ms, struct times *times)
{
    struct segment segment = {.start_ms = start_ms, .end_ms = end_ms};
    return times_judge(&segment, first_ms, EPOCH, TOLERANCE_MS, times);
}

static void test_times_of_zero_or_less_are_unusable(void **state)
{
    (void)state;
    struct times times;
    assert_false(judge(0, EPOCH, 0, &times));
    assert_false(judge(EPOCH, 0, 0, &times));
    assert_false(judge(-1, EPOCH, 0, &times));
    assert_false(judge(INT64_MIN, INT64_MIN, 0, &times));
    assert_true(judge(1, 1, 0, &times));
}

static void test_an_end_an_hour_before_the_call_is_the_last_usable(void **state)
{
    (void)state;
    struct times times;
    assert_true(judge(EPOCH - HOUR_MS - 5, EPOCH - HOUR_MS, EPOCH, &times));
    assert_false(judge(EPOCH - HOUR_MS - 5, EPOCH - HOUR_MS - 1, EPOCH, &times));
    assert_true(judge(EPOCH - HOUR_MS - 5, EPOCH - HOUR_MS - 1, 0, &times));
}

static void test_more_than_a_day_ahead_is_absurd(void **state)
{
    (void)state;
    struct times times;
    assert_true(judge(EPOCH, EPOCH + DAY_MS, 0, &times));
    assert_int_equal(times.end_ms, EPOCH + TOLERANCE_MS);
    assert_false(judge(EPOCH, EPOCH + DAY_MS + 1, 0, &times));
    assert_false(judge(EPOCH + DAY_MS + 1, EPOCH, 0, &times));
    assert_false(judge(INT64_MAX, INT64_MAX, 0, &times));
}

static void test_an_end_before_its_start_becomes_the_start(void **state)
{
    (void)state;
    struct times times;
    assert_true(judge(EPOCH - 1000, EPOCH - 1001, 0, &times));
    assert_int_equal(times.end_ms, EPOCH - 1000);
    assert_true(times.clamped);
    assert_true(judge(EPOCH - 1000, EPOCH - 1000, 0, &times));
    assert_false(times.clamped);
}

static void test_an_end_beyond_the_tolerance_is_clamped_to_it(void **state)
{
    (void)state;
    struct times times;
    assert_true(judge(EPOCH, EPOCH + TOLERANCE_MS, 0, &times));
    assert_int_equal(times.end_ms, EPOCH + TOLERANCE_MS);
    assert_false(times.clamped);
    assert_true(judge(EPOCH, EPOCH + TOLERANCE_MS + 1, 0, &times));
    assert_int_equal(times.end_ms, EPOCH + TOLERANCE_MS);
    assert_true(times.clamped);
}

static void test_a_clamped_final_keeps_its_raw_identity(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    struct segment segment = harness_segment(SPEAKER_CUSTOMER, 0, 60000, "ahead");
    harness_reply(&h, &segment, 1);
    harness_score(&h, h.asked.utterance, 0, 400000);
    assert_int_equal(harness_reading(&h).as_of_ms, EPOCH + 5000);
    harness_at(&h, 30000); /* the clamp would give another end now */
    harness_reply(&h, &segment, 1);
    assert_int_equal(h.scores_asked, 1);
    assert_int_equal(call_counts(h.call)->duplicates, 1);
    assert_int_equal(call_counts(h.call)->clamped, 1);
    harness_stop(&h);
}

static void test_quarantined_segments_are_counted_and_not_scored(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 20000);
    struct segment reply[] = {
        harness_segment(SPEAKER_CUSTOMER, 1000, 3000, "fine"),
        harness_segment(SPEAKER_CUSTOMER, 2000 - HOUR_MS * 2, 1000 - HOUR_MS * 2, "old"),
        harness_segment(SPEAKER_CUSTOMER, -EPOCH, 3000, "no start"),
    };
    harness_reply(&h, reply, 3);
    assert_int_equal(h.scores_asked, 1);
    assert_int_equal(call_counts(h.call)->quarantined, 2);
    harness_stop(&h);
}

static void test_late_finals_are_judged_and_counted(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 100000, 600000);
    harness_hear(&h, 90000, 95000, 400000);
    assert_int_equal(call_counts(h.call)->late, 1);
    assert_int_equal(call_counts(h.call)->beyond_lateness, 0);
    assert_int_equal(harness_reading(&h).score, 500000);
    harness_hear(&h, 30000, 40000, 400000); /* exactly lateness_ms ago: not beyond */
    assert_int_equal(call_counts(h.call)->beyond_lateness, 0);
    harness_hear(&h, 30001, 39999, 400000);
    assert_int_equal(call_counts(h.call)->late, 3);
    assert_int_equal(call_counts(h.call)->beyond_lateness, 1);
    assert_int_equal(harness_reading(&h).utterances, 4);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_of_zero_or_less_are_unusable),
        cmocka_unit_test(test_an_end_an_hour_before_the_call_is_the_last_usable),
        cmocka_unit_test(test_more_than_a_day_ahead_is_absurd),
        cmocka_unit_test(test_an_end_before_its_start_becomes_the_start),
        cmocka_unit_test(test_an_end_beyond_the_tolerance_is_clamped_to_it),
        cmocka_unit_test(test_a_clamped_final_keeps_its_raw_identity),
        cmocka_unit_test(test_quarantined_segments_are_counted_and_not_scored),
        cmocka_unit_test(test_late_finals_are_judged_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
