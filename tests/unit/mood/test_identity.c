/* test_identity.c - which finals are the same utterance, and that each form is scored once. */
#include "harness.h"

static void reply_of(struct harness *h, struct segment a)
{
    harness_reply(h, &a, 1);
}

static struct segment customer(int64_t start_ms, int64_t end_ms, const char *text)
{
    return harness_segment(SPEAKER_CUSTOMER, start_ms, end_ms, text);
}

static void test_a_final_served_again_is_a_duplicate(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    for (int i = 0; i < 5; i++) {
        reply_of(&h, customer(1000, 3000, "hello"));
    }
    assert_int_equal(h.scores_asked, 1);
    assert_int_equal(call_counts(h.call)->finals, 1);
    assert_int_equal(call_counts(h.call)->duplicates, 4);
    harness_stop(&h);
}

static void test_identical_elements_of_one_reply_are_one(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    struct segment reply[] = {customer(1000, 3000, "hello"), customer(1000, 3000, "hello")};
    harness_reply(&h, reply, 2);
    assert_int_equal(h.scores_asked, 1);
    assert_int_equal(call_counts(h.call)->duplicates, 1);
    harness_reply(&h, reply, 2);
    assert_int_equal(h.scores_asked, 1);
    assert_int_equal(call_counts(h.call)->duplicates, 3);
    harness_stop(&h);
}

static void test_a_replaced_text_is_a_revision_of_the_same_number(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    reply_of(&h, customer(1000, 3000, "hello"));
    uint32_t number = h.asked.utterance;
    assert_int_equal(h.asked.revision, 0);
    reply_of(&h, customer(1000, 3000, "hello there"));
    assert_int_equal(h.asked.utterance, number);
    assert_int_equal(h.asked.revision, 1);
    assert_int_equal(h.asked.ordinal, 0);
    assert_int_equal(h.scores_asked, 2);
    assert_int_equal(call_counts(h.call)->revisions, 1);
    assert_int_equal(call_counts(h.call)->finals, 1);
    harness_stop(&h);
}

static void test_a_replaced_end_is_a_revision(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    reply_of(&h, customer(1000, 3000, "hello"));
    harness_score(&h, h.asked.utterance, 0, 200000);
    assert_int_equal(harness_reading(&h).as_of_ms, EPOCH + 3000);
    reply_of(&h, customer(1000, 4000, "hello"));
    harness_score(&h, h.asked.utterance, 1, 300000);
    assert_int_equal(harness_reading(&h).as_of_ms, EPOCH + 4000);
    assert_int_equal(harness_reading(&h).score, 300000);
    assert_int_equal(harness_reading(&h).utterances, 1);
    harness_stop(&h);
}

static void test_a_form_that_comes_back_is_one_more_revision(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    reply_of(&h, customer(1000, 3000, "a"));
    reply_of(&h, customer(1000, 3000, "b"));
    reply_of(&h, customer(1000, 3000, "a"));
    assert_int_equal(h.asked.revision, 2);
    assert_int_equal(h.scores_asked, 3);
    harness_stop(&h);
}

static void test_two_finals_of_one_key_in_one_reply_are_two_utterances(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    struct segment reply[] = {customer(1000, 3000, "one"), customer(1000, 5000, "two")};
    harness_reply(&h, reply, 2);
    assert_int_equal(h.scores_asked, 2);
    assert_int_equal(h.effects.items[0].ordinal, 0);
    assert_int_equal(h.effects.items[1].ordinal, 1);
    assert_int_not_equal(h.effects.items[0].utterance, h.effects.items[1].utterance);
    harness_stop(&h);
}

static void test_a_second_final_beside_the_first_is_new(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    reply_of(&h, customer(1000, 3000, "one"));
    struct segment reply[] = {customer(1000, 5000, "two"), customer(1000, 3000, "one")};
    harness_reply(&h, reply, 2);
    assert_int_equal(h.asked.ordinal, 1);
    assert_int_equal(call_counts(h.call)->finals, 2);
    assert_int_equal(call_counts(h.call)->revisions, 0);
    harness_stop(&h);
}

static void test_of_two_known_the_lower_ordinal_is_revised_first(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    struct segment reply[] = {customer(1000, 5000, "later end"), customer(1000, 3000, "one")};
    harness_reply(&h, reply, 2);
    reply_of(&h, customer(1000, 4000, "third form"));
    assert_int_equal(h.asked.ordinal, 0);
    assert_int_equal(h.asked.revision, 1);
    /* And where the reply still holds ordinal 0, it is ordinal 1 that was replaced. */
    struct segment next[] = {customer(1000, 4000, "third form"), customer(1000, 6000, "fourth")};
    harness_reply(&h, next, 2);
    assert_int_equal(h.asked.ordinal, 1);
    assert_int_equal(h.asked.revision, 1);
    harness_stop(&h);
}

static void test_a_reply_without_the_key_changes_nothing(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    reply_of(&h, customer(1000, 3000, "one"));
    reply_of(&h, customer(4000, 6000, "two"));
    reply_of(&h, customer(1000, 3000, "one"));
    harness_reply(&h, NULL, 0);
    assert_int_equal(h.scores_asked, 2);
    assert_int_equal(call_counts(h.call)->revisions, 0);
    harness_stop(&h);
}

static void test_the_vendors_id_outweighs_the_start(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    struct segment first = customer(1000, 3000, "one");
    first.id = "x-1";
    first.id_bytes = 3;
    reply_of(&h, first);
    first.start_ms += 200; /* moved, same id, end and text */
    reply_of(&h, first);
    assert_int_equal(h.scores_asked, 1);
    struct segment second = customer(1000, 3000, "one");
    second.id = "x-2";
    second.id_bytes = 3;
    struct segment both[] = {first, second};
    harness_reply(&h, both, 2);
    assert_int_equal(h.scores_asked, 2);
    assert_int_equal(h.asked.ordinal, 0);
    harness_stop(&h);
}

static void test_an_empty_id_is_no_id(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    struct segment a = customer(1000, 3000, "one");
    struct segment b = customer(4000, 6000, "two");
    a.id = "";
    b.id = "";
    reply_of(&h, a);
    reply_of(&h, b);
    assert_int_equal(call_counts(h.call)->finals, 2);
    harness_stop(&h);
}

static void test_speakers_do_not_share_a_key(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    reply_of(&h, customer(1000, 3000, "yes"));
    reply_of(&h, harness_segment(SPEAKER_AGENT, 1000, 3000, "yes"));
    reply_of(&h, harness_segment(SPEAKER_UNKNOWN, 1000, 3000, "yes"));
    reply_of(&h, harness_segment(SPEAKER_AGENT, 1000, 3000, "yes"));
    assert_int_equal(call_counts(h.call)->finals, 1);
    assert_int_equal(call_counts(h.call)->agent, 1);
    assert_int_equal(call_counts(h.call)->unknown_speaker, 1);
    assert_int_equal(call_counts(h.call)->duplicates, 1);
    assert_int_equal(h.scores_asked, 1);
    harness_stop(&h);
}

static void test_partials_are_counted_and_nothing_else(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    struct segment partial = customer(1000, 2000, "hel");
    partial.is_final = false;
    reply_of(&h, partial);
    assert_int_equal(h.effects.count, 0);
    assert_int_equal(call_counts(h.call)->partials, 1);
    reply_of(&h, customer(1000, 3000, "hello"));
    assert_int_equal(h.asked.revision, 0);
    harness_stop(&h);
}

static void test_an_answer_to_an_older_form_is_ignored(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    reply_of(&h, customer(1000, 3000, "one"));
    uint32_t number = h.asked.utterance;
    reply_of(&h, customer(1000, 3000, "two"));
    harness_score(&h, number, 0, 900000);
    assert_int_equal(h.readings, 0);
    assert_int_equal(call_pending(h.call), 1);
    harness_score(&h, number, 1, 100000);
    assert_int_equal(harness_reading(&h).score, 100000);
    harness_score(&h, number, 1, 900000); /* a second answer */
    harness_score(&h, number + 7, 0, 900000);
    assert_int_equal(harness_reading(&h).score, 100000);
    assert_int_equal(h.readings, 1);
    harness_stop(&h);
}

static void test_the_old_score_holds_until_the_new_one_arrives(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    harness_hear(&h, 1000, 3000, 200000);
    uint32_t number = h.asked.utterance;
    reply_of(&h, customer(1000, 3000, "other words"));
    harness_hear(&h, 4000, 6000, 400000);
    assert_int_equal(harness_reading(&h).score, 300000);
    harness_score(&h, number, 1, 600000);
    assert_int_equal(harness_reading(&h).score, 500000);
    harness_stop(&h);
}

static void test_a_revision_not_scorable_takes_its_score_away(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    harness_hear(&h, 1000, 3000, 200000);
    uint32_t number = h.asked.utterance;
    harness_hear(&h, 4000, 6000, 400000);
    reply_of(&h, customer(1000, 3000, " "));
    harness_step(&h, &(struct call_event){
                         .kind = CALL_EVENT_UNSCORABLE, .utterance = number, .revision = 1});
    assert_int_equal(harness_reading(&h).score, 400000);
    assert_int_equal(harness_reading(&h).utterances, 1);
    assert_int_equal(call_counts(h.call)->unscorable, 1);
    harness_stop(&h);
}

static void test_the_effect_carries_the_segment_as_served(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    struct segment segment = customer(1000, 500, "reversed");
    reply_of(&h, segment);
    assert_ptr_equal(h.asked.segment.text, segment.text);
    assert_int_equal(h.asked.segment.end_ms, EPOCH + 500);
    harness_stop(&h);
}

static void test_agents_are_scored_only_where_the_policy_says_so(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    policy.score_agent = true;
    struct harness h;
    harness_start(&h, &policy);
    harness_at(&h, 10000);
    reply_of(&h, harness_segment(SPEAKER_AGENT, 1000, 3000, "how may I help"));
    assert_int_equal(h.scores_asked, 1);
    assert_int_equal(call_pending(h.call), 1);
    harness_score(&h, h.asked.utterance, 0, 900000);
    assert_int_equal(call_pending(h.call), 0);
    assert_int_equal(h.readings, 0); /* the mood is the customer's */
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_final_served_again_is_a_duplicate),
        cmocka_unit_test(test_identical_elements_of_one_reply_are_one),
        cmocka_unit_test(test_a_replaced_text_is_a_revision_of_the_same_number),
        cmocka_unit_test(test_a_replaced_end_is_a_revision),
        cmocka_unit_test(test_a_form_that_comes_back_is_one_more_revision),
        cmocka_unit_test(test_two_finals_of_one_key_in_one_reply_are_two_utterances),
        cmocka_unit_test(test_a_second_final_beside_the_first_is_new),
        cmocka_unit_test(test_of_two_known_the_lower_ordinal_is_revised_first),
        cmocka_unit_test(test_a_reply_without_the_key_changes_nothing),
        cmocka_unit_test(test_the_vendors_id_outweighs_the_start),
        cmocka_unit_test(test_an_empty_id_is_no_id),
        cmocka_unit_test(test_speakers_do_not_share_a_key),
        cmocka_unit_test(test_partials_are_counted_and_nothing_else),
        cmocka_unit_test(test_an_answer_to_an_older_form_is_ignored),
        cmocka_unit_test(test_the_old_score_holds_until_the_new_one_arrives),
        cmocka_unit_test(test_a_revision_not_scorable_takes_its_score_away),
        cmocka_unit_test(test_the_effect_carries_the_segment_as_served),
        cmocka_unit_test(test_agents_are_scored_only_where_the_policy_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
