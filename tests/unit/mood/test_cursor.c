/* test_cursor.c - from which time to ask again, and what the delays teach. */
#include "harness.h"

#include "mood/cursor.h"

static const struct cursor_limits limits = {
    .overlap_min_ms = 30000, .overlap_max_ms = 180000, .deep_interval_ms = 20000};

static struct mono at(int64_t ms)
{
    return (struct mono){.us = ms * 1000};
}

static void see(struct cursor *cursor, int64_t start_ms, int64_t end_ms, bool is_final)
{
    struct segment segment = {.start_ms = EPOCH + start_ms,
                              .end_ms = EPOCH + end_ms,
                              .speaker = SPEAKER_CUSTOMER,
                              .is_final = is_final};
    cursor_observe(cursor, &segment, 1);
}

static void test_a_call_nothing_is_known_of_is_asked_from_its_first(void **state)
{
    (void)state;
    struct cursor cursor;
    struct cursor_delays delays;
    cursor_init(&cursor);
    cursor_delays_init(&delays);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(0)), EPOCH);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, 0, at(30000)), 0);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, -5, at(30000)), 0);
}

static void test_the_overlap_is_at_least_its_minimum(void **state)
{
    (void)state;
    struct cursor cursor;
    struct cursor_delays delays;
    cursor_init(&cursor);
    cursor_delays_init(&delays);
    (void)cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(0));
    see(&cursor, 290000, 300000, true);
    see(&cursor, 280000, 299000, true);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(1000)),
                     EPOCH + 270000);
}

static void test_every_deep_interval_one_poll_reaches_back_all_the_way(void **state)
{
    (void)state;
    struct cursor cursor;
    struct cursor_delays delays;
    cursor_init(&cursor);
    cursor_delays_init(&delays);
    (void)cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(0));
    see(&cursor, 290000, 300000, true);
    const int64_t near = EPOCH + 270000;
    const int64_t deep = EPOCH + 120000;
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(19999)), near);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(20000)), deep);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(21000)), near);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(40000)), deep);
}

static void test_an_open_partial_holds_the_cursor_back(void **state)
{
    (void)state;
    struct cursor cursor;
    struct cursor_delays delays;
    cursor_init(&cursor);
    cursor_delays_init(&delays);
    (void)cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(0));
    see(&cursor, 290000, 300000, true);
    see(&cursor, 250000, 260000, false);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(1000)),
                     EPOCH + 250000);
    see(&cursor, 1000, 2000, false); /* but not for ever */
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(2000)),
                     EPOCH + 120000);
    see(&cursor, 290000, 300000, true); /* gone from the last reply */
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(3000)),
                     EPOCH + 270000);
}

static void test_a_partial_served_beside_its_final_is_not_open(void **state)
{
    (void)state;
    struct cursor cursor;
    cursor_init(&cursor);
    struct segment reply[] = {
        harness_segment(SPEAKER_CUSTOMER, 1000, 2000, "par"),
        harness_segment(SPEAKER_CUSTOMER, 1000, 4000, "partial"),
        harness_segment(SPEAKER_AGENT, 3000, 4000, "open"),
        harness_segment(SPEAKER_AGENT, 2500, 4000, "open"),
    };
    reply[0].is_final = false;
    reply[2].is_final = false;
    reply[3].is_final = false;
    cursor_observe(&cursor, reply, 4);
    assert_int_equal(cursor.open_start_ms, EPOCH + 2500);
    assert_int_equal(cursor.newest_end_ms, EPOCH + 4000);
}

static void test_no_poll_reaches_before_the_call_begins_for_us(void **state)
{
    (void)state;
    struct cursor cursor;
    struct cursor_delays delays;
    cursor_init(&cursor);
    cursor_delays_init(&delays);
    const int64_t first = EPOCH + 280000;
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, first, at(0)), first);
    see(&cursor, 290000, 300000, true);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, first, at(1000)), first);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, first, at(20000)), first);
    see(&cursor, 270000, 299000, false); /* an open partial of before does not hold it back */
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, first, at(21000)), first);
    see(&cursor, 310000, 320000, true);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, first, at(22000)),
                     EPOCH + 290000);
}

static void test_overlapping_speakers_lose_nothing(void **state)
{
    (void)state;
    /* [10, 14] final at 15; [12, 20] of the other speaker final at 21 starts before the first
     * one's end. A cursor at the newest end would never see it. */
    struct cursor cursor;
    struct cursor_delays delays;
    cursor_init(&cursor);
    cursor_delays_init(&delays);
    (void)cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(0));
    see(&cursor, 10000, 14000, true);
    assert_true(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(16000)) <= EPOCH + 12000);
}

static void test_the_start_is_never_negative(void **state)
{
    (void)state;
    struct cursor cursor;
    struct cursor_delays delays;
    cursor_init(&cursor);
    cursor_delays_init(&delays);
    see(&cursor, 1000 - EPOCH, 5000 - EPOCH, true);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, 0, at(1000)), 0);
}

static void test_a_wrong_end_far_ahead_does_not_move_the_cursor_past_the_call(void **state)
{
    (void)state;
    struct cursor cursor;
    struct cursor_delays delays;
    cursor_init(&cursor);
    cursor_delays_init(&delays);
    (void)cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(0));
    see(&cursor, 1000, INT64_C(9000000000), true);
    cursor_bound_newest(&cursor, EPOCH + 40000);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(1000)),
                     EPOCH + 10000);
    cursor_bound_newest(&cursor, EPOCH + 50000);
    assert_int_equal(cursor.newest_end_ms, EPOCH + 40000);
}

static void test_without_delays_there_is_no_estimate(void **state)
{
    (void)state;
    struct cursor_delays delays;
    cursor_delays_init(&delays);
    assert_int_equal(cursor_delays_p999_ms(&delays), 0);
}

static void test_an_estimate_is_at_or_little_above_the_delay(void **state)
{
    (void)state;
    for (int64_t delay_ms = 1; delay_ms < 400000; delay_ms = delay_ms * 3 / 2 + 1) {
        struct cursor_delays delays;
        cursor_delays_init(&delays);
        cursor_delays_record(&delays, delay_ms);
        int64_t estimate = cursor_delays_p999_ms(&delays);
        assert_true(estimate >= delay_ms);
        assert_true(estimate <= 250 || estimate * 8 <= delay_ms * 9 + 8);
    }
    struct cursor_delays delays;
    cursor_delays_init(&delays);
    cursor_delays_record(&delays, -500);
    cursor_delays_record(&delays, 250); /* exactly at the first edge */
    assert_int_equal(cursor_delays_p999_ms(&delays), 250);
    cursor_delays_record(&delays, INT64_MAX);
    assert_true(cursor_delays_p999_ms(&delays) > 180000);
}

static void test_one_in_two_thousand_does_not_move_the_estimate(void **state)
{
    (void)state;
    struct cursor_delays delays;
    cursor_delays_init(&delays);
    for (int i = 0; i < 20000; i++) {
        cursor_delays_record(&delays, i % 2000 == 0 ? 100000 : 5000);
    }
    assert_true(cursor_delays_p999_ms(&delays) < 6000);
    for (int i = 0; i < 20000; i++) {
        cursor_delays_record(&delays, i % 100 == 0 ? 100000 : 5000);
    }
    assert_true(cursor_delays_p999_ms(&delays) >= 100000);
}

static void test_an_outage_is_forgotten(void **state)
{
    (void)state;
    struct cursor_delays delays;
    cursor_delays_init(&delays);
    for (int i = 0; i < 500; i++) {
        cursor_delays_record(&delays, 150000);
    }
    for (int i = 0; i < 5000; i++) {
        cursor_delays_record(&delays, 5000);
    }
    assert_true(cursor_delays_p999_ms(&delays) >= 150000); /* not after an hour */
    for (int i = 0; i < 15000; i++) {
        cursor_delays_record(&delays, 5000);
    }
    assert_true(cursor_delays_p999_ms(&delays) < 6000);
}

static void test_learnt_delays_widen_the_overlap_up_to_its_maximum(void **state)
{
    (void)state;
    struct cursor cursor;
    struct cursor_delays delays;
    cursor_init(&cursor);
    cursor_delays_init(&delays);
    (void)cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(0));
    see(&cursor, 290000, 300000, true);
    cursor_delays_record(&delays, 60000);
    int64_t start_ms = cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(1000));
    assert_true(start_ms <= EPOCH + 240000);
    assert_true(start_ms >= EPOCH + 232500);
    cursor_delays_record(&delays, 300000);
    assert_int_equal(cursor_next_start_ms(&cursor, &limits, &delays, EPOCH, at(2000)),
                     EPOCH + 120000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_nothing_is_known_of_is_asked_from_its_first),
        cmocka_unit_test(test_the_overlap_is_at_least_its_minimum),
        cmocka_unit_test(test_every_deep_interval_one_poll_reaches_back_all_the_way),
        cmocka_unit_test(test_an_open_partial_holds_the_cursor_back),
        cmocka_unit_test(test_a_partial_served_beside_its_final_is_not_open),
        cmocka_unit_test(test_no_poll_reaches_before_the_call_begins_for_us),
        cmocka_unit_test(test_overlapping_speakers_lose_nothing),
        cmocka_unit_test(test_the_start_is_never_negative),
        cmocka_unit_test(test_a_wrong_end_far_ahead_does_not_move_the_cursor_past_the_call),
        cmocka_unit_test(test_without_delays_there_is_no_estimate),
        cmocka_unit_test(test_an_estimate_is_at_or_little_above_the_delay),
        cmocka_unit_test(test_one_in_two_thousand_does_not_move_the_estimate),
        cmocka_unit_test(test_an_outage_is_forgotten),
        cmocka_unit_test(test_learnt_delays_widen_the_overlap_up_to_its_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
