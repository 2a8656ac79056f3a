/* Messages of the vendor's transcript socket, as its own agent client reads them. */
#include "cxone/feed_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *text, struct feed_message *message)
{
    return feed_message_parse(text, strlen(text), message, NULL);
}

#define DATA(members)                                                                 \
    "{\"command\":\"MESSAGE\",\"headers\":{},\"body\":{\"Topic\":\"453_transcript\"," \
    "\"MessageType\":\"Transcript\",\"BusNo\":1,\"TraceId\":\"t\",\"Data\":{" members "}}}"

#define WORDS                                                                                      \
    "\"words\":[{\"words\":[{\"word\":\"this\",\"startTime\":{\"seconds\":61,\"nanos\":500000000}" \
    ","                                                                                            \
    "\"endTime\":{\"seconds\":61,\"nanos\":900000000}},{\"word\":\"bad\",\"startTime\":"           \
    "{\"seconds\":\"62\"},\"endTime\":{\"seconds\":\"63\",\"nanos\":0}}]}]"

static void utterance_ends_when_it_was_made_and_lasts_as_its_words(void **state)
{
    (void)state;
    struct feed_message m;
    assert_int_equal(
        parse(DATA("\"contactId\":453,\"participantId\":\"cust-7\",\"messageBody\":\"this is bad\","
                   "\"messageIsCompletedUtterance\":true,\"createdtimestamp\":1795505584123,"
                   "\"languageCode\":\"es-US\"," WORDS),
              &m),
        0);
    assert_int_equal(m.kind, FEED_MESSAGE_SEGMENT);
    assert_string_equal(m.contact_id, "453");
    assert_string_equal(m.segment.text, "this is bad");
    assert_int_equal(m.segment.speaker, SPEAKER_CUSTOMER);
    assert_string_equal(m.language, "es-US");
    assert_true(m.segment.is_final);
    assert_true(m.segment.end_ms == 1795505584123);
    assert_true(m.segment.start_ms == 1795505582623); /* 1.5 s before */
    feed_message_done(&m);
}

static void agent_is_named_and_completeness_has_two_places(void **state)
{
    (void)state;
    struct feed_message m;
    assert_int_equal(
        parse(
            DATA("\"participantId\":\"AGENT\",\"messageBody\":\"hi\",\"messageMetaData\":"
                 "{\"completeUtterance\":true},\"createdtimestamp\":\"2026-11-24T07:33:04.123Z\""),
            &m),
        0);
    assert_int_equal(m.kind, FEED_MESSAGE_SEGMENT);
    assert_string_equal(m.contact_id, "453"); /* by the topic */
    assert_int_equal(m.segment.speaker, SPEAKER_AGENT);
    assert_true(m.segment.is_final);
    assert_true(m.segment.start_ms == 1795505584123);
    feed_message_done(&m);
    assert_int_equal(parse(DATA("\"participantId\":\"a\",\"messageBody\":\"hi\","
                                "\"createdtimestamp\":5"),
                           &m),
                     0);
    assert_false(m.segment.is_final);
    feed_message_done(&m);
}

static void what_cannot_be_used_is_left_aside(void **state)
{
    (void)state;
    static const char *const rows[] = {
        DATA("\"participantId\":\"a\",\"messageBody\":\"hi\""),
        DATA("\"participantId\":\"a\",\"messageBody\":7,\"createdtimestamp\":5"),
        DATA("\"participantId\":null,\"messageBody\":\"hi\",\"createdtimestamp\":5"),
        "{\"command\":\"MESSAGE\",\"body\":{\"MessageType\":\"CallStatus\",\"Topic\":\"1_"
        "transcript\"}}",
        "{\"command\":\"MESSAGE\",\"body\":{\"MessageType\":\"Transcript\",\"Topic\":\"_"
        "transcript\","
        "\"Data\":{\"participantId\":\"a\",\"messageBody\":\"hi\",\"createdtimestamp\":5}}}",
        "{\"command\":\"NEWS\"}",
    };
    struct feed_message m;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse(rows[i], &m), 0);
        assert_int_equal(m.kind, FEED_MESSAGE_OTHER);
        feed_message_done(&m);
    }
    static const char *const bad[] = {"", "[]", "{}", "{\"command\":1}", "{\"command\":"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(parse(bad[i], &m), ERROR_FORMAT);
        assert_null(m.document);
    }
}

static void commands_are_known_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum feed_message_kind kind;
    } rows[] = {{"{\"command\":\"CONNECTED\"}", FEED_MESSAGE_CONNECTED},
                {"{\"command\":\"HEARTBEAT_ACK\"}", FEED_MESSAGE_HEARTBEAT_ACK},
                {"{\"command\":\"ERROR\",\"body\":{\"x\":1}}", FEED_MESSAGE_ERROR},
                {"{\"command\":\"SUBSCRIBED\",\"body\":{\"topic\":\"9_transcript\"}}",
                 FEED_MESSAGE_SUBSCRIBED}};
    struct feed_message m;
    struct buf out;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse(rows[i].text, &m), 0);
        assert_int_equal(m.kind, rows[i].kind);
        assert_string_equal(m.contact_id, i == 3 ? "9" : "");
        feed_message_done(&m);
    }
    buf_init(&out, 200);
    assert_true(feed_message_write(&out, "SUBSCRIBE", "to\"ken", "453"));
    assert_string_equal(buf_string(&out),
                        "{\"command\":\"SUBSCRIBE\",\"headers\":{\"sessionToken\":\"to\\\"ken\"},"
                        "\"body\":{\"topic\":\"453_transcript\"}}");
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utterance_ends_when_it_was_made_and_lasts_as_its_words),
        cmocka_unit_test(agent_is_named_and_completeness_has_two_places),
        cmocka_unit_test(what_cannot_be_used_is_left_aside),
        cmocka_unit_test(commands_are_known_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
