/* test_fold.c - long calls: what is folded away, what it costs, what stays right. */
#include "harness.h"

#include "mood/fold.h"
#include "mood/transcript.h"

static void test_a_full_table_folds_its_oldest_quarter(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.utterances_max = 64;
    struct harness h;
    harness_start(&h, &policy);
    for (int64_t i = 1; i <= 1000; i++) {
        harness_say(&h, i * 5000, (i * 37) % 11 * 90000);
    }
    struct call_reading folded = harness_reading(&h);
    assert_true(call_bytes(h.call) <= 64 * 64 + 1024);
    harness_stop(&h);

    harness_start(&h, NULL); /* the same call, remembered whole */
    for (int64_t i = 1; i <= 1000; i++) {
        harness_say(&h, i * 5000, (i * 37) % 11 * 90000);
    }
    struct call_reading whole = harness_reading(&h);
    assert_int_equal(folded.score, whole.score);
    assert_int_equal(folded.trend, whole.trend);
    assert_int_equal(folded.difference, whole.difference);
    assert_int_equal(folded.utterances, 1000);
    assert_int_equal(folded.sustained, whole.sustained);
    harness_stop(&h);
}

static void test_what_was_folded_is_not_scored_again(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.utterances_max = 8;
    struct harness h;
    harness_start(&h, &policy);
    for (int64_t i = 1; i <= 9; i++) {
        harness_say(&h, i * 5000, 500000);
    }
    unsigned asked = h.scores_asked;
    struct segment gone[] = {
        harness_segment(SPEAKER_CUSTOMER, 3000, 5000, "words"),
        harness_segment(SPEAKER_CUSTOMER, 8000, 10000, "words"),
        harness_segment(SPEAKER_CUSTOMER, 8500, 10000, "never heard, but as old"),
        harness_segment(SPEAKER_CUSTOMER, 13000, 15000, "words"),
    };
    harness_reply(&h, gone, 4);
    assert_int_equal(h.scores_asked, asked);
    assert_int_equal(call_counts(h.call)->folded, 3);
    assert_int_equal(call_counts(h.call)->duplicates, 1);
    assert_int_equal(harness_reading(&h).utterances, 9);
    harness_stop(&h);
}

static void test_ends_equal_to_the_horizon_are_folded_together(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.utterances_max = 8;
    struct harness h;
    harness_start(&h, &policy);
    harness_at(&h, 100000);
    for (int64_t i = 0; i < 8; i++) {
        harness_hear(&h, 1000 + i, i < 5 ? 5000 : 20000 + i, 100000 * i);
    }
    harness_hear(&h, 50000, 60000, 400000); /* folds all five that end at 5 000 */
    struct segment again = harness_segment(SPEAKER_CUSTOMER, 1004, 5000, "words");
    harness_reply(&h, &again, 1);
    assert_int_equal(call_counts(h.call)->folded, 1);
    assert_int_equal(call_counts(h.call)->duplicates, 0);
    harness_stop(&h);
}

static void test_an_answer_to_a_folded_utterance_is_ignored(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.utterances_max = 8;
    struct harness h;
    harness_start(&h, &policy);
    harness_at(&h, 100000);
    struct segment reply[9];
    for (int64_t i = 0; i < 9; i++) {
        reply[i] = harness_segment(SPEAKER_CUSTOMER, 1000 + 5000 * i, 5000 + 5000 * i, "words");
    }
    harness_step(
        &h, &(struct call_event){
                .kind = CALL_EVENT_REPLY, .segments = reply, .segment_count = 9, .backlog = true});
    assert_int_equal(h.scores_asked, 9);
    assert_int_equal(call_pending(h.call), 7);
    assert_int_equal(call_counts(h.call)->folded, 2);
    for (uint32_t number = 0; number < 9; number++) {
        harness_score(&h, number, 0, 500000);
    }
    assert_int_equal(harness_reading(&h).utterances, 7);
    assert_int_equal(call_pending(h.call), 0);
    harness_stop(&h);
}

static void test_the_agents_flood_does_not_take_the_reading_away(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.utterances_max = 8;
    struct harness h;
    harness_start(&h, &policy);
    harness_say(&h, 5000, 300000);
    for (int64_t i = 0; i < 40; i++) {
        harness_at(&h, 10000 + i * 1000);
        struct segment segment =
            harness_segment(SPEAKER_AGENT, 9000 + i * 1000, 10000 + i * 1000, "words");
        harness_reply(&h, &segment, 1);
    }
    harness_tick(&h);
    assert_int_equal(harness_reading(&h).score, 300000);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_ENDED});
    assert_int_equal(h.effects.count, 1);
    assert_int_equal(h.effects.items[0].reading.utterances, 1);
    harness_stop(&h);
}

/* Records whose prefixes a fold left alone keep what a test wrote there. */
static void test_an_utterance_said_last_folds_itself_only(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    struct transcript transcript;
    transcript_init(&transcript, 100);
    assert_true(transcript_reserve(&transcript, 100));
    for (int64_t i = 1; i <= 50; i++) {
        struct utterance utterance = {.start_ms = i,
                                      .end_ms = i * 5000,
                                      .score = 400000,
                                      .speaker = SPEAKER_CUSTOMER,
                                      .scored = 1};
        (void)transcript_insert(&transcript, &utterance);
        fold_from(&transcript, &policy, 0, utterance.end_ms);
    }
    assert_int_equal(transcript.items[49].sum, 50 * 400000);
    assert_int_equal(transcript.items[49].rank, 50);
    transcript.items[10].sum = -1;
    struct utterance last = {
        .end_ms = 300000, .score = 1, .speaker = SPEAKER_CUSTOMER, .scored = 1};
    (void)transcript_insert(&transcript, &last);
    fold_from(&transcript, &policy, 0, last.end_ms);
    assert_int_equal(transcript.items[10].sum, -1);
    assert_int_equal(transcript.items[50].sum, 50 * 400000 + 1);
    fold_from(&transcript, &policy, 0, 0);
    assert_int_equal(transcript.items[10].sum, 11 * 400000);
    transcript_done(&transcript);
}

static void test_a_whole_day_in_one_reply_is_taken_in(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, INT64_C(5000) * COUNT);
    struct segment *reply = test_calloc(COUNT, sizeof *reply);
    for (int64_t i = 0; i < COUNT; i++) { /* newest first */
        int64_t end_ms = 5000 * (COUNT - i);
        reply[i] = harness_segment(SPEAKER_CUSTOMER, end_ms - 3000, end_ms, "words");
    }
    harness_reply(&h, reply, COUNT);
    assert_true(call_pending(h.call) <= 4096);
    assert_true(call_bytes(h.call) <= 4096 * 64 + 1024);
    const struct call_counts *counts = call_counts(h.call);
    assert_int_equal(counts->folded + call_pending(h.call), COUNT);
    test_free(reply);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_table_folds_its_oldest_quarter),
        cmocka_unit_test(test_what_was_folded_is_not_scored_again),
        cmocka_unit_test(test_ends_equal_to_the_horizon_are_folded_together),
        cmocka_unit_test(test_an_answer_to_a_folded_utterance_is_ignored),
        cmocka_unit_test(test_the_agents_flood_does_not_take_the_reading_away),
        cmocka_unit_test(test_an_utterance_said_last_folds_itself_only),
        cmocka_unit_test(test_a_whole_day_in_one_reply_is_taken_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
