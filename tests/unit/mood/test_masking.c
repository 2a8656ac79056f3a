/* test_masking.c - nothing said while masked is scored or counts, whatever is known first; holding
 * and cooling keep alerts back. */
#include "harness.h"

#include "base/rand.h"

static void mask(struct harness *h, int64_t from_ms)
{
    harness_step(h, &(struct call_event){.kind = CALL_EVENT_MASKED, .at_ms = EPOCH + from_ms});
}

static void unmask(struct harness *h, int64_t at_ms)
{
    harness_step(h, &(struct call_event){.kind = CALL_EVENT_UNMASKED, .at_ms = EPOCH + at_ms});
}

static void see(struct harness *h, int64_t start_ms, int64_t end_ms, const char *text)
{
    struct segment segment = harness_segment(SPEAKER_CUSTOMER, start_ms, end_ms, text);
    harness_reply(h, &segment, 1);
}

static void test_what_ends_in_an_open_mask_is_not_scored(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 30000);
    mask(&h, 10000);
    see(&h, 8000, 10000, "four one one one");
    see(&h, 20000, 25000, "three seven");
    assert_int_equal(h.scores_asked, 0);
    assert_int_equal(h.masked, 2);
    assert_int_equal(call_counts(h.call)->masked, 2);
    assert_int_equal(call_counts(h.call)->finals, 2);
    assert_int_equal(h.hidden.kind, CALL_EFFECT_MASKED);
    assert_int_equal(h.hidden.segment.start_ms, EPOCH + 20000);
    assert_int_equal(h.hidden.segment.end_ms, EPOCH + 25000);
    assert_int_equal(h.hidden.segment.speaker, SPEAKER_CUSTOMER);
    assert_null(h.hidden.segment.text);
    assert_false(h.hidden.withdrawn);
    assert_true(call_is_masked(h.call, h.hidden.utterance));
    see(&h, 5000, 9999, "before it");
    assert_int_equal(h.scores_asked, 1);
    assert_false(call_is_masked(h.call, h.asked.utterance));
    assert_int_equal(call_pending(h.call), 1);
    harness_stop(&h);
}

static void test_a_final_that_arrives_after_unmasking_is_still_not_scored(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 60000);
    mask(&h, 10000);
    unmask(&h, 20000);
    see(&h, 15000, 19999, "late");
    assert_int_equal(h.scores_asked, 0);
    assert_int_equal(h.masked, 1);
    see(&h, 15000, 20000, "ends as it was lifted");
    assert_int_equal(h.scores_asked, 1);
    for (int i = 0; i < 5; i++) {
        see(&h, 15000, 19999, "late");
    }
    assert_int_equal(call_counts(h.call)->masked, 2); /* the last is a revision back into it */
    harness_stop(&h);
}

static void test_a_wait_for_a_score_ends_when_the_mask_becomes_known(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 12000);
    see(&h, 9000, 11000, "four one");
    assert_int_equal(h.scores_asked, 1);
    mask(&h, 10500);
    assert_int_equal(h.masked, 1);
    assert_false(h.hidden.withdrawn);
    assert_int_equal(call_pending(h.call), 0);
    harness_score(&h, h.asked.utterance, 0, 100000); /* its answer comes all the same */
    struct call_reading reading;
    assert_false(call_reading(h.call, &reading));
    assert_int_equal(h.readings, 0);
    mask(&h, 10500); /* the next list says so again */
    assert_int_equal(h.masked, 1);
    harness_stop(&h);
}

static void test_a_score_known_before_the_mask_is_taken_back(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 5000, 800000);
    harness_say(&h, 11000, 100000);
    assert_int_equal(harness_reading(&h).score, 450000);
    mask(&h, 10000);
    assert_int_equal(h.masked, 1);
    assert_true(h.hidden.withdrawn);
    assert_int_equal(harness_reading(&h).score, 800000);
    assert_int_equal(harness_reading(&h).utterances, 1);
    assert_int_equal(harness_reading(&h).as_of_ms, EPOCH + 5000);
    assert_int_equal(h.readings, 3); /* the smaller reading is told, so that it is written */
    harness_stop(&h);
}

static void test_a_mask_over_everything_leaves_no_reading(void **state)
{
    (void)state;
    struct harness h;
    struct call_reading reading;
    harness_start(&h, NULL);
    harness_say(&h, 5000, 800000);
    mask(&h, 0);
    assert_false(call_reading(h.call, &reading));
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_ENDED});
    assert_int_equal(h.readings, 1); /* the one of before; the end has nothing to say */
    harness_stop(&h);
}

static void test_what_a_mask_of_unknown_end_held_back_is_scored_when_served_again(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 30000);
    mask(&h, 10000);
    see(&h, 15000, 18000, "in it");
    see(&h, 25000, 27000, "after it");
    unmask(&h, 20000); /* as the list says five seconds later */
    assert_int_equal(h.scores_asked, 0);
    see(&h, 15000, 18000, "in it");
    assert_int_equal(h.scores_asked, 0);
    see(&h, 25000, 27000, "after it");
    assert_int_equal(h.scores_asked, 1);
    assert_int_equal(h.asked.segment.start_ms, EPOCH + 25000);
    assert_int_equal(h.asked.revision, 0);
    see(&h, 25000, 27000, "after it");
    assert_int_equal(h.scores_asked, 1);
    harness_score(&h, h.asked.utterance, 0, 400000);
    see(&h, 25000, 27000, "after it");
    assert_int_equal(h.scores_asked, 1);
    assert_int_equal(harness_reading(&h).utterances, 1);
    harness_stop(&h);
}

static void test_what_had_been_asked_for_is_never_asked_for_again(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 12000);
    see(&h, 9000, 11500, "asked before the list came");
    mask(&h, 10000);
    unmask(&h, 11000);
    see(&h, 9000, 11500, "asked before the list came");
    assert_int_equal(h.scores_asked, 1);
    harness_stop(&h);
}

static void test_a_revision_follows_its_new_end(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 30000);
    mask(&h, 10000);
    unmask(&h, 20000);
    see(&h, 6000, 9000, "out");
    harness_score(&h, h.asked.utterance, 0, 300000);
    see(&h, 6000, 12000, "out and in");
    assert_int_equal(h.scores_asked, 1);
    assert_int_equal(h.masked, 1);
    assert_int_equal(h.hidden.revision, 1);
    see(&h, 6000, 21000, "out and in and out");
    assert_int_equal(h.scores_asked, 2);
    assert_int_equal(h.asked.revision, 2);
    harness_stop(&h);
}

static void test_agents_are_not_told_of_as_masked(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 30000);
    mask(&h, 10000);
    struct segment segment = harness_segment(SPEAKER_AGENT, 12000, 14000, "your card number");
    harness_reply(&h, &segment, 1);
    assert_int_equal(h.masked, 0);
    assert_int_equal(call_counts(h.call)->agent, 1);
    harness_stop(&h);
}

/* A mask is learnt of at any moment before it ends, its end at any moment after; scores come at
 * once or last. In the end the reading is that of a call in which the masked words were never said.
 */
enum { LINES = 40 };

static struct segment line(int i)
{
    int64_t end_ms = 4000 + (int64_t)(i / 2) * 3000; /* two end together */
    return harness_segment(SPEAKER_CUSTOMER, end_ms - 2000 + i % 2, end_ms, "words");
}

static void hear_lines(struct harness *h, struct rand *rand, const int64_t *scores, int from,
                       int to)
{
    for (int i = from; i < to; i++) {
        struct segment segment = line(i);
        unsigned before = h->scores_asked;
        harness_reply(h, &segment, 1);
        if (h->scores_asked != before && rand_below(rand, 4) > 0) {
            harness_score(h, h->asked.utterance, 0, scores[i]);
        }
    }
}

static void check_any_order(uint64_t seed)
{
    struct rand rand;
    struct harness h;
    struct harness plain;
    int64_t scores[LINES];
    rand_seed(&rand, seed);
    int first = 2 + (int)rand_below(&rand, 20); /* the first and the last line in the mask */
    int last = first + (int)rand_below(&rand, 12);
    int learnt = (int)rand_below(&rand, (uint64_t)last + 1);
    int ended = last + 1 + (int)rand_below(&rand, 6);
    int64_t from_ms = line(first).end_ms - EPOCH;
    int64_t to_ms = line(last).end_ms - EPOCH + 1;
    harness_start(&h, NULL);
    harness_start(&plain, NULL);
    harness_at(&h, 70000);
    harness_at(&plain, 70000);
    for (int i = 0; i < LINES; i++) {
        struct segment segment = line(i);
        scores[i] = (int64_t)rand_below(&rand, MOOD_ONE);
        if (segment.end_ms < EPOCH + from_ms || segment.end_ms >= EPOCH + to_ms) {
            harness_hear(&plain, segment.start_ms - EPOCH, segment.end_ms - EPOCH, scores[i]);
        }
    }
    hear_lines(&h, &rand, scores, 0, learnt);
    mask(&h, from_ms);
    hear_lines(&h, &rand, scores, learnt, ended);
    unmask(&h, to_ms);
    hear_lines(&h, &rand, scores, ended, LINES);
    hear_lines(&h, &rand, scores, 0, LINES); /* the overlap of later polls */
    for (uint32_t number = 0; number < LINES; number++) {
        harness_score(&h, number, 0, scores[number]);
    }
    struct call_reading got = harness_reading(&h);
    struct call_reading wanted = harness_reading(&plain);
    if (got.score != wanted.score || got.trend != wanted.trend ||
        got.difference != wanted.difference || got.samples != wanted.samples ||
        got.utterances != wanted.utterances || got.as_of_ms != wanted.as_of_ms ||
        (h.recoveries + plain.recoveries == 0 && got.sustained != wanted.sustained)) {
        fail_msg("seed %d", (int)seed);
    }
    assert_true(h.masked >= (unsigned)(last - first + 1));
    harness_stop(&h);
    harness_stop(&plain);
}

static void test_any_order_ends_as_if_the_masked_words_were_never_said(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        check_any_order(seed);
    }
}

/* --- hold and cooldown ----------------------------------------------------------------------- */

/* Calm, then misery: enough for an alert. */
static void sink(struct harness *h)
{
    for (int64_t at = 5000; at <= 30000; at += 5000) {
        harness_say(h, at, 900000);
    }
    for (int64_t at = 35000; at <= 60000; at += 5000) {
        harness_say(h, at, 10000);
    }
}

static void test_no_alert_opens_on_hold_and_one_held_back_opens_after(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_HELD});
    sink(&h);
    assert_int_equal(h.alerts, 0);
    harness_at(&h, 70000);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_RESUMED});
    assert_int_equal(h.alerts, 1);
    harness_stop(&h);
}

static void test_words_too_old_after_a_long_hold_do_not_alert(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_HELD});
    sink(&h);
    harness_at(&h, 121000); /* the last words ended 61 s ago */
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_RESUMED});
    assert_int_equal(h.alerts, 0);
    harness_stop(&h);
}

static void test_an_open_alert_can_recover_on_hold(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    sink(&h);
    assert_int_equal(h.alerts, 1);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_HELD});
    for (int64_t at = 95000; at <= 120000; at += 5000) {
        harness_say(&h, at, 950000);
    }
    assert_int_equal(h.recoveries, 1);
    harness_stop(&h);
}

static void test_a_delivery_elsewhere_holds_the_first_alert_back_for_the_cooldown(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    sink(&h);
    assert_int_equal(h.alerts, 1);
    struct mono alerted = h.now.mono;
    int64_t alerted_ms = h.now.vendor_ms - EPOCH;
    harness_stop(&h);

    harness_start(&h, NULL);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_COOL, .delivered = alerted});
    sink(&h);
    assert_int_equal(h.alerts, 0);
    harness_at(&h, alerted_ms + 14999);
    harness_tick(&h);
    assert_int_equal(h.alerts, 0);
    harness_at(&h, alerted_ms + 15000);
    harness_tick(&h);
    assert_int_equal(h.alerts, 1);
    harness_stop(&h);
}

static void test_an_older_delivery_elsewhere_does_not_shorten_a_cooldown(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_COOL, .delivered = {70000000}});
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_COOL, .delivered = {1000000}});
    sink(&h);
    assert_int_equal(h.alerts, 0);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_ends_in_an_open_mask_is_not_scored),
        cmocka_unit_test(test_a_final_that_arrives_after_unmasking_is_still_not_scored),
        cmocka_unit_test(test_a_wait_for_a_score_ends_when_the_mask_becomes_known),
        cmocka_unit_test(test_a_score_known_before_the_mask_is_taken_back),
        cmocka_unit_test(test_a_mask_over_everything_leaves_no_reading),
        cmocka_unit_test(test_what_a_mask_of_unknown_end_held_back_is_scored_when_served_again),
        cmocka_unit_test(test_what_had_been_asked_for_is_never_asked_for_again),
        cmocka_unit_test(test_a_revision_follows_its_new_end),
        cmocka_unit_test(test_agents_are_not_told_of_as_masked),
        cmocka_unit_test(test_any_order_ends_as_if_the_masked_words_were_never_said),
        cmocka_unit_test(test_no_alert_opens_on_hold_and_one_held_back_opens_after),
        cmocka_unit_test(test_words_too_old_after_a_long_hold_do_not_alert),
        cmocka_unit_test(test_an_open_alert_can_recover_on_hold),
        cmocka_unit_test(test_a_delivery_elsewhere_holds_the_first_alert_back_for_the_cooldown),
        cmocka_unit_test(test_an_older_delivery_elsewhere_does_not_shorten_a_cooldown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
