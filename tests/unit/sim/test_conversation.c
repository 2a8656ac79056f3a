/* Reading conversations: the four formats, pacing, order, and what is refused. */
#include "sim/conversation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct conversation parse(enum conversation_format format, const char *line)
{
    struct conversation conversation;
    struct error err = {0};
    int rc = conversation_parse(&conversation, format, line, strlen(line), &err);
    if (rc != 0) {
        print_message("%s\n", err.message);
    }
    assert_int_equal(rc, 0);
    return conversation;
}

static void assert_turn(const struct conversation *conversation, size_t index,
                        enum conversation_speaker speaker, const char *text, int64_t start_ms,
                        int64_t end_ms)
{
    assert_true(index < conversation->turn_count);
    const struct conversation_turn *turn = &conversation->turns[index];
    assert_int_equal(turn->speaker, speaker);
    assert_int_equal(turn->bytes, strlen(text));
    assert_memory_equal(conversation->text + turn->text_at, text, turn->bytes);
    assert_int_equal(turn->start_ms, start_ms);
    assert_int_equal(turn->end_ms, end_ms);
}

static void untimed_turns_run_at_150_words_a_minute(void **unused)
{
    (void)unused;
    struct conversation c = parse(
        CONVERSATION_FORMAT_CUCOM,
        "{\"id\":\"c1\",\"turns\":[{\"role\":\"User\",\"content\":\"  my   order\\nis late \"},"
        "{\"role\":\"agent\",\"content\":\"\"},{\"role\":\"agent\",\"content\":\"Sorry!\"}]}");
    assert_string_equal(c.name, "c1");
    assert_int_equal(c.turn_count, 2);
    /* Four words are 4/150 of a minute: 1.6 s. One word is 0.4 s. 0.6 s between turns. */
    assert_turn(&c, 0, CONVERSATION_SPEAKER_CUSTOMER, "my order is late", 600, 2200);
    assert_turn(&c, 1, CONVERSATION_SPEAKER_AGENT, "Sorry!", 2800, 3200);
    assert_int_equal(c.turns[0].words, 4);
    conversation_done(&c);
}

static void harper_keeps_recorded_times_in_order_of_start(void **unused)
{
    (void)unused;
    struct conversation c =
        parse(CONVERSATION_FORMAT_HARPER,
              "{\"sid\":\"s\",\"segments\":["
              "{\"speaker_role\":\"caller\",\"offset_ms\":900,\"duration_ms\":50,"
              "\"human_transcript\":\"hi\"},"
              "{\"speaker_role\":\"agent\",\"offset_ms\":100,\"duration_ms\":1000,"
              "\"human_transcript\":\"hello there\"},"
              "{\"speaker_role\":\"caller\",\"offset_ms\":950,\"duration_ms\":9,"
              "\"human_transcript\":\" \"}]}");
    assert_int_equal(c.turn_count, 2);
    assert_turn(&c, 0, CONVERSATION_SPEAKER_AGENT, "hello there", 100, 1100);
    assert_turn(&c, 1, CONVERSATION_SPEAKER_CUSTOMER, "hi", 900, 950);
    conversation_done(&c);
}

static void one_speaker_never_starts_twice_at_once(void **unused)
{
    (void)unused;
    struct conversation c = parse(CONVERSATION_FORMAT_HARPER,
                                  "{\"sid\":\"s\",\"segments\":["
                                  "{\"speaker_role\":\"caller\",\"offset_ms\":5,\"duration_ms\":1,"
                                  "\"human_transcript\":\"a\"},"
                                  "{\"speaker_role\":\"agent\",\"offset_ms\":5,\"duration_ms\":1,"
                                  "\"human_transcript\":\"b\"},"
                                  "{\"speaker_role\":\"caller\",\"offset_ms\":5,\"duration_ms\":1,"
                                  "\"human_transcript\":\"c\"}]}");
    assert_turn(&c, 0, CONVERSATION_SPEAKER_CUSTOMER, "a", 5, 6);
    assert_turn(&c, 1, CONVERSATION_SPEAKER_AGENT, "b", 5, 6);
    assert_turn(&c, 2, CONVERSATION_SPEAKER_CUSTOMER, "c", 6, 7);
    conversation_done(&c);
}

static void abcd_actions_are_not_spoken(void **unused)
{
    (void)unused;
    struct conversation c =
        parse(CONVERSATION_FORMAT_ABCD, "{\"convo_id\":3592,\"original\":[[\"agent\",\"Hi!\"],"
                                        "[\"action\",\"Pulled up.\"],[\"customer\",\"ok\"]]}");
    assert_string_equal(c.name, "3592");
    assert_int_equal(c.turn_count, 2);
    assert_turn(&c, 1, CONVERSATION_SPEAKER_CUSTOMER, "ok", 1600, 2000);
    conversation_done(&c);
}

static void ms_turns_name_speaker_and_text(void **unused)
{
    (void)unused;
    struct conversation c =
        parse(CONVERSATION_FORMAT_MS, "{\"ConversationId\":\"m\",\"turns\":[{\"speaker\":"
                                      "\"customer\",\"text\":\"it is slow\"}]}");
    assert_turn(&c, 0, CONVERSATION_SPEAKER_CUSTOMER, "it is slow", 600, 1800);
    conversation_done(&c);
}

static void broken_lines_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        enum conversation_format format;
        const char *line;
    } cases[] = {
        {CONVERSATION_FORMAT_CUCOM, "{"},
        {CONVERSATION_FORMAT_CUCOM, "[]"},
        {CONVERSATION_FORMAT_CUCOM, "{\"turns\":[]}"},
        {CONVERSATION_FORMAT_CUCOM, "{\"turns\":[{\"role\":\"user\"}]}"},
        {CONVERSATION_FORMAT_CUCOM, "{\"turns\":[{\"role\":\"user\",\"content\":\" \"}]}"},
        {CONVERSATION_FORMAT_ABCD, "{\"original\":[[\"action\",\"only\"]]}"},
        {CONVERSATION_FORMAT_HARPER, "{\"segments\":[{\"speaker_role\":\"agent\","
                                     "\"human_transcript\":\"x\",\"offset_ms\":1}]}"},
        {CONVERSATION_FORMAT_HARPER,
         "{\"segments\":[{\"speaker_role\":\"agent\",\"human_transcript\":\"x\","
         "\"offset_ms\":9223372036854775807,\"duration_ms\":1}]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conversation c;
        struct error err = {0};
        const char *line = cases[i].line;
        assert_int_not_equal(conversation_parse(&c, cases[i].format, line, strlen(line), &err), 0);
        assert_true(err.message[0] != '\0');
    }
}

static void messages_have_one_time_each_in_its_order(void **unused)
{
    (void)unused;
    char text[] = "abcd";
    struct conversation_turn turns[] = {
        {CONVERSATION_SPEAKER_AGENT, 0, 1, 1, 0, 9000},
        {CONVERSATION_SPEAKER_CUSTOMER, 1, 1, 1, 1000, 2000},
        {CONVERSATION_SPEAKER_CUSTOMER, 2, 1, 1, 1500, 2000},
        {CONVERSATION_SPEAKER_AGENT, 3, 1, 1, 1600, 2000},
    };
    struct conversation c = {.turns = turns, .turn_count = 4, .text = text};
    conversation_make_chat(&c);
    assert_turn(&c, 0, CONVERSATION_SPEAKER_CUSTOMER, "b", 2000, 2000);
    assert_turn(&c, 1, CONVERSATION_SPEAKER_AGENT, "d", 2000, 2000);
    assert_turn(&c, 2, CONVERSATION_SPEAKER_CUSTOMER, "c", 2001, 2001);
    assert_turn(&c, 3, CONVERSATION_SPEAKER_AGENT, "a", 9000, 9000);
}

static void a_prefix_holds_whole_words(void **unused)
{
    (void)unused;
    static const char text[] = "one two three";
    static const size_t expected[] = {0, 3, 7, 13, 13};
    for (unsigned words = 0; words < 5; words++) {
        assert_int_equal(conversation_prefix(text, strlen(text), words), expected[words]);
    }
    assert_int_equal(conversation_prefix("", 0, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untimed_turns_run_at_150_words_a_minute),
        cmocka_unit_test(harper_keeps_recorded_times_in_order_of_start),
        cmocka_unit_test(one_speaker_never_starts_twice_at_once),
        cmocka_unit_test(abcd_actions_are_not_spoken),
        cmocka_unit_test(ms_turns_name_speaker_and_text),
        cmocka_unit_test(broken_lines_are_refused),
        cmocka_unit_test(messages_have_one_time_each_in_its_order),
        cmocka_unit_test(a_prefix_holds_whole_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
