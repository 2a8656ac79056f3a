/* test_rules.c - each kind of condition at its boundaries, and what limits a rule's firings. */
#include "talk.h"

static void test_a_phrase_fires_once_while_it_holds(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{said: {phrases: [a supervisor], by: customer, within: 15s}}"));
    talk_say(&t, CUES_CUSTOMER, 10, "I want a SUPERVISOR, now!");
    assert_int_equal(talk_fired(&t), 1);
    talk_say(&t, CUES_CUSTOMER, 20, "a supervisor please");
    assert_int_equal(talk_fired(&t), 0); /* it has held all along */
    talk_say(&t, CUES_CUSTOMER, 36, "hello");
    talk_say(&t, CUES_CUSTOMER, 40, "a supervisor please");
    assert_int_equal(talk_fired(&t), 1);
    talk_end(&t);
}

static void test_a_window_is_open_at_its_beginning(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{said: {phrases: refund, within: 15s}}"));
    talk_say(&t, CUES_CUSTOMER, 10, "refund");
    assert_true(cues_holds(t.state, 0));
    talk_say(&t, CUES_CUSTOMER, 24.999, "hm");
    assert_true(cues_holds(t.state, 0));
    talk_say(&t, CUES_AGENT, 25, "hm");
    assert_false(cues_holds(t.state, 0));
    talk_end(&t);
}

static void test_only_the_named_side_is_heard(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{said: {phrases: supervisor, patterns: 'boss(es)?', by: customer}}"));
    talk_say(&t, CUES_AGENT, 10, "a supervisor, the boss");
    talk_say(&t, CUES_UNKNOWN, 11, "a supervisor, the boss");
    assert_int_equal(talk_fired(&t), 0);
    talk_say(&t, CUES_CUSTOMER, 12, "your bosses");
    assert_int_equal(talk_fired(&t), 1);
    assert_int_equal(t.firings.items[0].speaker, CUES_CUSTOMER);
    assert_int_equal(t.firings.items[0].end_ms, TALK_EPOCH_MS + 12000);
    talk_end(&t);
}

static void test_turns_reach_back_over_changes_of_speaker(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{said: {phrases: refund, within: 2 turns}}"));
    talk_say(&t, CUES_CUSTOMER, 10, "refund");
    talk_say(&t, CUES_AGENT, 20, "one");
    talk_say(&t, CUES_AGENT, 90, "two");
    assert_true(cues_holds(t.state, 0));
    talk_say(&t, CUES_CUSTOMER, 100, "three");
    assert_false(cues_holds(t.state, 0));
    talk_end(&t);
}

static void test_a_transcript_35_s_late_is_judged_as_one_in_time(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{said: {phrases: refund, within: 5s}}"));
    talk_hear(&t, CUES_AGENT, 1, 2, "hello", 35);
    talk_event(&t, CUES_TICK, 44);
    talk_hear(&t, CUES_CUSTOMER, 8, 10, "refund", 35);
    assert_int_equal(talk_fired(&t), 1);
    talk_end(&t);
}

static void test_repeats_count_utterances(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{repeated: {phrases: again, times: 3, within: 60s}}"));
    talk_say(&t, CUES_CUSTOMER, 10, "again and again and again");
    talk_say(&t, CUES_CUSTOMER, 20, "again");
    assert_int_equal(talk_fired(&t), 0);
    talk_say(&t, CUES_CUSTOMER, 69, "again");
    assert_int_equal(t.firings.items[0].count, 3);
    assert_int_equal(talk_fired(&t), 1);
    talk_say(&t, CUES_CUSTOMER, 71, "well");
    assert_false(cues_holds(t.state, 0));
    talk_end(&t);
}

static void test_repeats_over_a_call_outlast_what_is_remembered(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{repeated: {phrases: again, times: 2, within: call}}"));
    talk_say(&t, CUES_CUSTOMER, 3, "again");
    for (int i = 0; i < 2 * CUES_REMEMBERED; i++) {
        talk_say(&t, CUES_AGENT, 6 + 3 * i, "yes");
    }
    assert_int_equal(talk_fired(&t), 0);
    talk_say(&t, CUES_CUSTOMER, 5000, "again");
    assert_int_equal(talk_fired(&t), 1);
    talk_end(&t);
}

static void test_a_greeting_not_said_in_time(void **state)
{
    (void)state;
    struct talk t;
    const char *yaml =
        "settle: 5s\n" TALK_RULE("{not_said: {phrases: [good morning], by: agent, within: 20s}}");
    talk_begin(&t, yaml);
    talk_say(&t, CUES_AGENT, 2, "hello there");
    talk_say(&t, CUES_CUSTOMER, 6, "good morning");
    assert_int_equal(cues_due(t.state), TALK_EPOCH_MS + 25000);
    talk_event(&t, CUES_TICK, 24.9);
    assert_int_equal(talk_fired(&t), 0);
    talk_event(&t, CUES_TICK, 25);
    assert_int_equal(talk_fired(&t), 1);
    assert_int_equal(cues_due(t.state), INT64_MAX);
    talk_end(&t);

    talk_begin(&t, yaml);
    talk_say(&t, CUES_CUSTOMER, 2, "hello");
    talk_hear(&t, CUES_AGENT, 20, 21, "good morning", 9); /* began in time */
    talk_event(&t, CUES_TICK, 60);
    assert_int_equal(talk_fired(&t), 0);
    talk_end(&t);
}

static void test_not_said_in_the_first_turns(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{not_said: {phrases: name, by: agent, within: 2 turns}}"));
    talk_say(&t, CUES_CUSTOMER, 3, "my name");
    talk_say(&t, CUES_AGENT, 6, "hello");
    talk_say(&t, CUES_CUSTOMER, 9, "well");
    talk_say(&t, CUES_AGENT, 12, "yes");
    talk_say(&t, CUES_AGENT, 15, "yes");
    assert_int_equal(talk_fired(&t), 0); /* the second turn goes on */
    talk_say(&t, CUES_CUSTOMER, 18, "well");
    assert_int_equal(talk_fired(&t), 1);
    talk_hear(&t, CUES_AGENT, 13, 14, "your name", 10); /* late: it was said after all */
    assert_false(cues_holds(t.state, 0));
    talk_end(&t);
}

static void test_never_said_is_known_at_the_end(void **state)
{
    (void)state;
    struct talk t;
    const char *yaml = TALK_RULE("{not_said: {phrases: goodbye, by: agent, within: call}}");
    talk_begin(&t, yaml);
    talk_say(&t, CUES_AGENT, 10, "hello");
    talk_event(&t, CUES_TICK, 5000);
    assert_int_equal(talk_fired(&t), 0);
    talk_event(&t, CUES_ENDED, 5001);
    assert_int_equal(talk_fired(&t), 1);
    talk_end(&t);

    talk_begin(&t, yaml);
    talk_say(&t, CUES_AGENT, 10, "goodbye");
    talk_event(&t, CUES_ENDED, 12);
    assert_int_equal(talk_fired(&t), 0);
    talk_end(&t);
}

static void test_an_answer_that_does_not_follow(void **state)
{
    (void)state;
    struct talk t;
    const char *yaml = "settle: 0s\n" TALK_RULE(
        "{not_said: {list: apology, by: agent, within: 20s, after: {phrases: unacceptable, by: "
        "customer}}}");
    talk_begin(&t, yaml);
    talk_say(&t, CUES_AGENT, 2, "sorry"); /* too early to be an answer */
    talk_say(&t, CUES_CUSTOMER, 10, "this is unacceptable");
    assert_int_equal(cues_due(t.state), TALK_EPOCH_MS + 30000);
    talk_event(&t, CUES_TICK, 29);
    assert_int_equal(talk_fired(&t), 0);
    talk_event(&t, CUES_TICK, 30);
    assert_int_equal(talk_fired(&t), 1);
    talk_hear(&t, CUES_AGENT, 29, 31, "i'm sorry", 5);
    assert_false(cues_holds(t.state, 0));
    talk_say(&t, CUES_CUSTOMER, 40, "unacceptable");
    talk_event(&t, CUES_TICK, 61);
    assert_int_equal(talk_fired(&t), 1);
    talk_event(&t, CUES_TICK, 121);
    assert_false(cues_holds(t.state, 0)); /* a minute later it is history */
    talk_end(&t);
}

static void test_silence_under_way_and_over(void **state)
{
    (void)state;
    struct talk t;
    const char *yaml = "settle: 10s\n" TALK_RULE("{silence: 20s}");
    talk_begin(&t, yaml);
    talk_say(&t, CUES_AGENT, 10, "one moment");
    assert_int_equal(cues_due(t.state), TALK_EPOCH_MS + 40000);
    talk_event(&t, CUES_TICK, 39);
    assert_int_equal(talk_fired(&t), 0);
    talk_event(&t, CUES_TICK, 40);
    assert_int_equal(talk_fired(&t), 1);
    talk_hear(&t, CUES_AGENT, 24, 26, "thanks for waiting", 15); /* there were words after all */
    assert_false(cues_holds(t.state, 0));
    talk_hear(&t, CUES_AGENT, 46, 48, "back again", 1); /* nobody looked in between */
    assert_int_equal(talk_fired(&t), 1);
    talk_say(&t, CUES_CUSTOMER, 52, "good");
    assert_false(cues_holds(t.state, 0));
    talk_end(&t);
}

static void test_a_hold_is_no_silence(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, "settle: 0s\n" TALK_RULE("{silence: {longer: 20s}}"));
    talk_say(&t, CUES_AGENT, 10, "please hold");
    talk_event(&t, CUES_HELD, 15);
    assert_int_equal(cues_due(t.state), INT64_MAX);
    talk_event(&t, CUES_TICK, 100);
    talk_event(&t, CUES_RESUMED, 100);
    talk_event(&t, CUES_TICK, 119);
    assert_int_equal(talk_fired(&t), 0);
    talk_hear(&t, CUES_AGENT, 119, 121, "back", 1);
    assert_int_equal(talk_fired(&t), 0);
    talk_event(&t, CUES_TICK, 141);
    assert_int_equal(talk_fired(&t), 1);
    talk_end(&t);
}

static void test_talk_over_counts_who_began_while_the_other_spoke(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{talk_over: {longer: 1s, times: 2, within: 30s, by: agent}}"));
    talk_hear(&t, CUES_CUSTOMER, 0, 10, "a long story", 1);
    talk_hear(&t, CUES_AGENT, 8, 12, "but", 1);        /* one */
    talk_hear(&t, CUES_CUSTOMER, 11, 20, "let me", 1); /* the customer's */
    talk_hear(&t, CUES_AGENT, 19.5, 23, "well", 1);    /* half a second is none */
    assert_int_equal(talk_fired(&t), 0);
    talk_hear(&t, CUES_CUSTOMER, 24, 30, "and then", 1);
    talk_hear(&t, CUES_AGENT, 28, 29, "yes", 1); /* two, inside the other */
    assert_int_equal(talk_fired(&t), 1);
    talk_end(&t);
}

static void test_time_in_the_call(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, "settle: 0s\n" TALK_RULE("{call_time: 10m}"));
    talk_say(&t, CUES_AGENT, 12, "hello"); /* begins at 10 s */
    talk_event(&t, CUES_TICK, 609.9);
    assert_int_equal(talk_fired(&t), 0);
    talk_event(&t, CUES_TICK, 610);
    assert_int_equal(t.firings.items[0].call_ms, 600000);
    assert_int_equal(talk_fired(&t), 1);
    talk_end(&t);
}

static void test_moods_that_are_not_known_hold_nothing(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{mood: {below: 0.4, trend: declining}}"));
    talk_say(&t, CUES_CUSTOMER, 10, "hello");
    assert_int_equal(talk_fired(&t), 0);
    t.mood = (struct cues_mood){true, 400000, 0, CUES_DECLINING};
    talk_event(&t, CUES_TICK, 12);
    assert_int_equal(talk_fired(&t), 0); /* strictly below */
    t.mood.mean = 399999;
    talk_event(&t, CUES_TICK, 13);
    assert_int_equal(talk_fired(&t), 1);
    t.mood.trend = CUES_STABLE;
    talk_event(&t, CUES_TICK, 14);
    assert_false(cues_holds(t.state, 0));
    talk_end(&t);
}

static void test_combinations(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{all: [{said: {phrases: cancel, by: customer, within: call}}, {any: "
                             "[{mood: {below: 0.3}}, {repeated: {phrases: cancel, times: 2}}]}, "
                             "{not: {said: {phrases: sorry, by: agent}}}]}"));
    talk_say(&t, CUES_CUSTOMER, 10, "cancel");
    assert_int_equal(talk_fired(&t), 0);
    talk_say(&t, CUES_CUSTOMER, 20, "cancel");
    assert_int_equal(talk_fired(&t), 1);
    talk_say(&t, CUES_AGENT, 22, "sorry");
    assert_false(cues_holds(t.state, 0));
    t.mood = (struct cues_mood){.known = true, .mean = 100000};
    talk_say(&t, CUES_AGENT, 40, "well");
    assert_int_equal(talk_fired(&t), 1);
    talk_end(&t);
}

static void test_cooldown_and_number_of_firings(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, "rules:\n- name: r\n  when: {said: {phrases: boss, within: 1s}}\n"
                   "  message: m\n  cooldown: 30s\n  max_per_call: 2\n");
    talk_say(&t, CUES_CUSTOMER, 10, "boss");
    assert_int_equal(talk_fired(&t), 1);
    talk_say(&t, CUES_CUSTOMER, 20, "well");
    talk_say(&t, CUES_CUSTOMER, 39, "boss");
    talk_say(&t, CUES_CUSTOMER, 42, "well"); /* what fell into the cooldown is not made up for */
    assert_int_equal(talk_fired(&t), 0);
    talk_say(&t, CUES_CUSTOMER, 50, "boss");
    assert_int_equal(t.firings.items[0].number, 2);
    assert_int_equal(talk_fired(&t), 1);
    talk_say(&t, CUES_CUSTOMER, 90, "well");
    talk_say(&t, CUES_CUSTOMER, 100, "boss");
    assert_int_equal(talk_fired(&t), 0);
    talk_end(&t);
}

static void test_history_from_before_we_joined_fires_nothing(void **state)
{
    (void)state;
    struct talk t;
    struct cues_utterance utterance = talk_utterance(CUES_CUSTOMER, 1, 3, "boss");
    struct cues_event event = {.kind = CUES_REPLY,
                               .utterances = &utterance,
                               .count = 1,
                               .backlog = true,
                               .now_ms = TALK_EPOCH_MS + 600000};
    talk_begin(&t, TALK_RULE("{said: {phrases: boss, within: call}}"));
    talk_step(&t, &event);
    event.backlog = false;
    talk_step(&t, &event);
    assert_int_equal(talk_fired(&t), 0);
    assert_true(cues_holds(t.state, 0));
    talk_end(&t);
}

static void test_queues_have_their_own_way(void **state)
{
    (void)state;
    struct talk t;
    struct buf text;
    buf_init(&text, 1000);
    talk_begin(&t, "rules:\n- name: r\n  when: {said: {phrases: boss, within: 1s}}\n"
                   "  message: {en: \"{queue} en\", de: \"{queue} de\"}\n  cooldown: 0s\n"
                   "  queues:\n    billing: {tier: supervisor, message: \"{tier} {{x}}\"}\n"
                   "    gold: {enabled: false}\n");
    talk_say(&t, CUES_CUSTOMER, 10, "boss");
    assert_int_equal(t.firings.items[0].tier, CUES_TIER_AGENT);
    cues_message(t.rules, &t.firings.items[0], "de-AT", "other", &text);
    assert_string_equal(buf_string(&text), "other de");
    buf_clear(&text);
    cues_message(t.rules, &t.firings.items[0], "fr", NULL, &text);
    assert_string_equal(buf_string(&text), " en");
    assert_int_equal(talk_fired(&t), 1);
    t.queue = "gold";
    talk_say(&t, CUES_CUSTOMER, 20, "boss");
    assert_int_equal(talk_fired(&t), 0);
    t.queue = "billing";
    talk_say(&t, CUES_CUSTOMER, 30, "boss");
    assert_int_equal(t.firings.items[0].tier, CUES_TIER_SUPERVISOR);
    buf_clear(&text);
    cues_message(t.rules, &t.firings.items[0], "de", "billing", &text);
    assert_string_equal(buf_string(&text), "supervisor {x}");
    buf_done(&text);
    talk_end(&t);
}

static void test_messages_fill_in_what_is_known(void **state)
{
    (void)state;
    struct talk t;
    struct buf text;
    buf_init(&text, 1000);
    talk_begin(&t, "rules:\n- name: angry\n  when: {repeated: {phrases: no, by: customer, times: "
                   "2}}\n  message: \"{rule} {mean} {difference} {trend} {seconds} {minutes} "
                   "{count} {number} {speaker}\"\n");
    talk_say(&t, CUES_CUSTOMER, 12, "no");
    t.mood = (struct cues_mood){true, 345000, -56000, CUES_DECLINING};
    talk_say(&t, CUES_CUSTOMER, 85, "no");
    cues_message(t.rules, &t.firings.items[0], NULL, NULL, &text);
    assert_string_equal(buf_string(&text), "angry 0.35 -0.06 declining 75 1 2 1 customer");
    t.firings.items[0].mood.known = false;
    buf_clear(&text);
    cues_message(t.rules, &t.firings.items[0], NULL, NULL, &text);
    assert_string_equal(buf_string(&text), "angry - - - 75 1 2 1 customer");
    buf_done(&text);
    talk_end(&t);
}

static void test_a_revision_takes_its_words_back(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, TALK_RULE("{said: {phrases: boss, within: call}}"));
    talk_hear(&t, CUES_CUSTOMER, 1, 3, "the boss", 1);
    assert_int_equal(talk_fired(&t), 1);
    talk_hear(&t, CUES_CUSTOMER, 1, 3, "the bus", 2);
    assert_false(cues_holds(t.state, 0));
    talk_hear(&t, CUES_CUSTOMER, 1, 4, "the boss", 3);
    assert_int_equal(talk_fired(&t), 1);
    assert_int_equal(cues_counts(t.state)->revisions, 2);
    assert_int_equal(cues_counts(t.state)->utterances, 1);
    talk_end(&t);
}

static void test_two_utterances_of_one_begin_in_one_reply_are_two(void **state)
{
    (void)state;
    struct talk t;
    struct cues_utterance both[] = {talk_utterance(CUES_CUSTOMER, 1, 3, "boss"),
                                    talk_utterance(CUES_CUSTOMER, 1, 3, "bus")};
    struct cues_event event = {
        .kind = CUES_REPLY, .utterances = both, .count = 2, .now_ms = TALK_EPOCH_MS + 4000};
    talk_begin(&t, TALK_RULE("{said: {phrases: boss, within: call}}"));
    for (int i = 0; i < 3; i++) {
        talk_step(&t, &event);
        assert_true(cues_holds(t.state, 0));
    }
    assert_int_equal(talk_fired(&t), 1);
    assert_int_equal(cues_counts(t.state)->utterances, 2);
    assert_int_equal(cues_counts(t.state)->duplicates, 4);
    assert_int_equal(cues_counts(t.state)->revisions, 0);
    talk_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_phrase_fires_once_while_it_holds),
        cmocka_unit_test(test_a_window_is_open_at_its_beginning),
        cmocka_unit_test(test_only_the_named_side_is_heard),
        cmocka_unit_test(test_turns_reach_back_over_changes_of_speaker),
        cmocka_unit_test(test_a_transcript_35_s_late_is_judged_as_one_in_time),
        cmocka_unit_test(test_repeats_count_utterances),
        cmocka_unit_test(test_repeats_over_a_call_outlast_what_is_remembered),
        cmocka_unit_test(test_a_greeting_not_said_in_time),
        cmocka_unit_test(test_not_said_in_the_first_turns),
        cmocka_unit_test(test_never_said_is_known_at_the_end),
        cmocka_unit_test(test_an_answer_that_does_not_follow),
        cmocka_unit_test(test_silence_under_way_and_over),
        cmocka_unit_test(test_a_hold_is_no_silence),
        cmocka_unit_test(test_talk_over_counts_who_began_while_the_other_spoke),
        cmocka_unit_test(test_time_in_the_call),
        cmocka_unit_test(test_moods_that_are_not_known_hold_nothing),
        cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_cooldown_and_number_of_firings),
        cmocka_unit_test(test_history_from_before_we_joined_fires_nothing),
        cmocka_unit_test(test_queues_have_their_own_way),
        cmocka_unit_test(test_messages_fill_in_what_is_known),
        cmocka_unit_test(test_a_revision_takes_its_words_back),
        cmocka_unit_test(test_two_utterances_of_one_begin_in_one_reply_are_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
