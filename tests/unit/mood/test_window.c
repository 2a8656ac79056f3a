/* test_window.c - which utterances a reading averages, and against which, at the boundaries. */
#include "harness.h"

#include "mood/fixed.h"

/* Utterances that end at these times (seconds after the epoch), all with this score. */
static void say_at(struct harness *h, const int64_t *ends_ms, size_t count, int64_t score)
{
    for (size_t i = 0; i < count; i++) {
        harness_say(h, ends_ms[i], score);
    }
}

static void test_an_utterance_exactly_at_the_cutoff_is_outside(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    say_at(&h, (int64_t[]){20000, 30000, 40000, 50000}, 4, 500000);
    assert_int_equal(harness_reading(&h).samples, 3); /* (20 000, 50 000] */
    harness_hear(&h, 10000, 20001, 500000);
    assert_int_equal(harness_reading(&h).samples, 4);
    harness_stop(&h);
}

static void test_a_thin_window_takes_in_the_newest_three(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    say_at(&h, (int64_t[]){10000, 20000, 30000, 110000}, 4, 500000);
    assert_int_equal(harness_reading(&h).samples, 3);
    harness_say(&h, 139000, 100000); /* two within 30 s: the third is the one at 30 000 */
    assert_int_equal(harness_reading(&h).samples, 3);
    assert_int_equal(harness_reading(&h).score, 366667);
    harness_stop(&h);
}

static void test_ties_at_the_third_are_taken_in_whole(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 100000);
    harness_hear(&h, 10000, 20000, 100000);
    harness_hear(&h, 11000, 20000, 200000);
    harness_hear(&h, 12000, 20000, 300000);
    harness_hear(&h, 70000, 80000, 800000);
    harness_hear(&h, 90000, 100000, 900000);
    assert_int_equal(harness_reading(&h).samples, 5);
    assert_int_equal(harness_reading(&h).score, 460000);
    harness_stop(&h);
}

static void test_widening_never_reaches_the_widest(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 10000, 200000);
    harness_say(&h, 130000, 400000); /* 10 000 is exactly 120 s back: outside */
    assert_int_equal(harness_reading(&h).samples, 1);
    harness_hear(&h, 9000, 10001, 600000);
    assert_int_equal(harness_reading(&h).samples, 2);
    assert_int_equal(harness_reading(&h).score, 500000);
    harness_stop(&h);
}

static void test_the_previous_window_ends_one_width_earlier(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    say_at(&h, (int64_t[]){10000, 20000, 30000}, 3, 400000);
    say_at(&h, (int64_t[]){41000, 50000, 60000}, 3, 500000);
    assert_int_equal(harness_reading(&h).samples, 3);
    assert_int_equal(harness_reading(&h).difference, 100000);
    harness_stop(&h);
}

static void test_the_previous_window_is_widened_by_the_same_rule(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    say_at(&h, (int64_t[]){1000, 20000, 50000}, 3, 400000);
    say_at(&h, (int64_t[]){90000, 100000, 110000}, 3, 700000);
    /* At 110 000 the window is full; at 80 000 only 50 000 is within 30 s, so three are taken. */
    assert_int_equal(harness_reading(&h).difference, 300000);
    harness_stop(&h);
}

static void test_before_a_widened_window_comes_what_ends_just_before_its_oldest(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    say_at(&h, (int64_t[]){10000, 30000, 50000}, 3, 800000);
    say_at(&h, (int64_t[]){51000, 90000, 130000}, 3, 200000);
    /* Current: 51, 90, 130 (thin, widened). Previous at 50 999: 30 and 50 in its 30 s, and 10. */
    assert_int_equal(harness_reading(&h).samples, 3);
    assert_int_equal(harness_reading(&h).difference, -600000);
    harness_stop(&h);
}

static void test_a_thin_previous_window_makes_no_difference(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 10000, 900000);
    say_at(&h, (int64_t[]){20000, 21000, 22000}, 3, 100000);
    harness_say(&h, 45000, 100000);
    /* Current (15, 45]: 20, 21, 22, 45; previous at 15 000: one utterance only. */
    assert_int_equal(harness_reading(&h).samples, 4);
    assert_int_equal(harness_reading(&h).difference, 0);
    assert_int_equal(harness_reading(&h).trend, CALL_TREND_STABLE);
    harness_stop(&h);
}

static void test_a_lone_utterance_is_a_reading_without_a_difference(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 10000, 123456);
    struct call_reading reading = harness_reading(&h);
    assert_int_equal(reading.score, 123456);
    assert_int_equal(reading.samples, 1);
    assert_int_equal(reading.utterances, 1);
    assert_int_equal(reading.difference, 0);
    assert_int_equal(reading.as_of_ms, EPOCH + 10000);
    harness_stop(&h);
}

static void test_means_are_rounded_to_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(fixed_divide(1, 3), 0);
    assert_int_equal(fixed_divide(2, 3), 1);
    assert_int_equal(fixed_divide(5, 2), 3);
    assert_int_equal(fixed_divide(-5, 2), -3);
    assert_int_equal(fixed_divide(-1, 3), 0);
    assert_int_equal(fixed_divide(-2, 3), -1);
    assert_int_equal(fixed_divide(0, 7), 0);
    assert_int_equal(fixed_divide(7, 1), 7);
}

static void test_the_agents_words_are_in_no_window(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 10000, 200000);
    for (int i = 0; i < 10; i++) {
        struct segment cheer =
            harness_segment(SPEAKER_AGENT, 11000 + i * 500, 11400 + i * 500, "wonderful");
        harness_reply(&h, &cheer, 1);
    }
    harness_say(&h, 20000, 400000);
    assert_int_equal(harness_reading(&h).samples, 2);
    assert_int_equal(harness_reading(&h).score, 300000);
    assert_int_equal(harness_reading(&h).utterances, 2);
    harness_stop(&h);
}

static void test_silence_never_reads_as_neutral(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    say_at(&h, (int64_t[]){10000, 15000, 20000}, 3, 100000);
    struct call_reading before = harness_reading(&h);
    unsigned readings = h.readings;
    for (int64_t at_ms = 21000; at_ms < 400000; at_ms += 1000) {
        harness_at(&h, at_ms);
        harness_tick(&h);
        harness_reply(&h, NULL, 0);
    }
    struct call_reading after = harness_reading(&h);
    assert_int_equal(h.readings, readings);
    assert_int_equal(after.score, before.score);
    assert_int_equal(after.as_of_ms, EPOCH + 20000);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_utterance_exactly_at_the_cutoff_is_outside),
        cmocka_unit_test(test_a_thin_window_takes_in_the_newest_three),
        cmocka_unit_test(test_ties_at_the_third_are_taken_in_whole),
        cmocka_unit_test(test_widening_never_reaches_the_widest),
        cmocka_unit_test(test_the_previous_window_ends_one_width_earlier),
        cmocka_unit_test(test_the_previous_window_is_widened_by_the_same_rule),
        cmocka_unit_test(test_before_a_widened_window_comes_what_ends_just_before_its_oldest),
        cmocka_unit_test(test_a_thin_previous_window_makes_no_difference),
        cmocka_unit_test(test_a_lone_utterance_is_a_reading_without_a_difference),
        cmocka_unit_test(test_means_are_rounded_to_the_nearest),
        cmocka_unit_test(test_the_agents_words_are_in_no_window),
        cmocka_unit_test(test_silence_never_reads_as_neutral),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
