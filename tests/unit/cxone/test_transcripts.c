/* Reading transcripts and the list of live interactions: good, bad and half-bad replies. */
#include "base/buf.h"
#include "cxone/cxone.h"
#include "cxone/discover.h"
#include "cxone/reply.h"
#include "cxone/transcripts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct cxone_profile profile;

static int make_profile(void **state)
{
    (void)state;
    struct cxone_options options;
    cxone_options_default(&options);
    profile = options.profile;
    return 0;
}

static int parse(const char *body, struct transcripts *out)
{
    return transcripts_parse(&profile, "application/json", body, strlen(body), out, NULL);
}

#define GOOD                                                 \
    "{\"text\":\"I have been waiting for twenty minutes.\"," \
    "\"startTime\":1698765432100,\"endTime\":1698765434500," \
    "\"direction\":\"customer\",\"isFinal\":true}"

static void segment_of_the_tutorial_is_read(void **state)
{
    (void)state;
    struct transcripts t;
    assert_int_equal(parse("[" GOOD "]", &t), 0);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.quarantined, 0);
    assert_int_equal(t.missing_final, 0);
    assert_string_equal(t.segments[0].text, "I have been waiting for twenty minutes.");
    assert_int_equal(t.segments[0].text_bytes, 39);
    assert_true(t.segments[0].start_ms == 1698765432100);
    assert_true(t.segments[0].end_ms == 1698765434500);
    assert_int_equal(t.segments[0].speaker, SPEAKER_CUSTOMER);
    assert_true(t.segments[0].is_final);
    assert_null(t.segments[0].id);
    transcripts_done(&t);
}

static void body_that_is_no_array_is_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *body;
    } rows[] = {
        {"application/json", ""},
        {"application/json", " \r\n"},
        {"application/json", "\xEF\xBB\xBF"},
        {"application/json", "<!DOCTYPE html><html></html>"},
        {NULL, "\n  <html>"},
        {"text/html; charset=utf-8", "[]"},
        {"TEXT/HTML", "[]"},
        {"application/json", "[" GOOD},
        {"application/json", "[{\"text\":\"half"},
        {"application/json", "[" GOOD "] trailing"},
        {"application/json", "{\"transcripts\":[" GOOD "]}"},
        {"application/json", "null"},
        {"application/json", "\"text\""},
        {"application/json", "42"},
        {"application/json", "[NaN]"},
        {"text/plain", "maintenance"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct transcripts t;
        struct error err = {0};
        assert_int_equal(
            transcripts_parse(&profile, rows[i].type, rows[i].body, strlen(rows[i].body), &t, &err),
            ERROR_FORMAT);
        assert_true(err.message[0] != '\0');
        assert_null(strstr(err.message, "half"));
        assert_null(t.segments);
    }
}

static void empty_array_is_empty_whatever_surrounds_it(void **state)
{
    (void)state;
    const char *const bodies[] = {"[]", " [ ] \n", "\xEF\xBB\xBF[]"};
    for (size_t i = 0; i < 3; i++) {
        struct transcripts t;
        assert_int_equal(parse(bodies[i], &t), 0);
        assert_int_equal(t.count + t.quarantined, 0);
        transcripts_done(&t);
    }
}

static void bad_element_costs_only_itself(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "null",
        "1",
        "\"text\"",
        "[]",
        "{}",
        "{\"startTime\":1,\"endTime\":2,\"isFinal\":true}",
        "{\"text\":null,\"startTime\":1,\"endTime\":2,\"isFinal\":true}",
        "{\"text\":5,\"startTime\":1,\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":1,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":null,\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":1.5,\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":-1,\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":\"\",\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":\"1 \",\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":\"1e3\",\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":\"9223372036854775808\",\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":\"2023-10-31T15:17:12Z\",\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":99999999999999999999,\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":true,\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":1e300,\"endTime\":2,\"isFinal\":true}",
        "{\"text\":\"a\",\"startTime\":1,\"endTime\":2,\"isFinal\":\"true\"}",
        "{\"text\":\"a\",\"startTime\":1,\"endTime\":2,\"isFinal\":1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct transcripts t;
        struct buf body;
        buf_init(&body, 4096);
        buf_printf(&body, "[" GOOD ",%s," GOOD "]", bad[i]);
        assert_int_equal(parse(buf_string(&body), &t), 0);
        assert_int_equal(t.count, 2);
        assert_int_equal(t.quarantined, 1);
        assert_int_equal(t.missing_final, 0);
        transcripts_done(&t);
        buf_done(&body);
    }
}

static void direction_is_an_alias_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *direction;
        enum speaker speaker;
    } rows[] = {
        {"\"customer\"", SPEAKER_CUSTOMER}, {"\"CUSTOMER\"", SPEAKER_CUSTOMER},
        {"\"Inbound\"", SPEAKER_CUSTOMER},  {"\"patron\"", SPEAKER_CUSTOMER},
        {"\"contact\"", SPEAKER_CUSTOMER},  {"\"END_USER\"", SPEAKER_CUSTOMER},
        {"\"caller\"", SPEAKER_CUSTOMER},   {"\"agent\"", SPEAKER_AGENT},
        {"\"Agent\"", SPEAKER_AGENT},       {"\"outbound\"", SPEAKER_AGENT},
        {"\"internal\"", SPEAKER_AGENT},    {"\"supervisor\"", SPEAKER_UNKNOWN},
        {"\"\"", SPEAKER_UNKNOWN},          {"\"customer \"", SPEAKER_UNKNOWN},
        {"null", SPEAKER_UNKNOWN},          {"1", SPEAKER_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct transcripts t;
        struct buf body;
        buf_init(&body, 4096);
        buf_printf(&body,
                   "[{\"text\":\"a\",\"startTime\":1,\"endTime\":2,\"isFinal\":true,"
                   "\"direction\":%s}]",
                   rows[i].direction);
        assert_int_equal(parse(buf_string(&body), &t), 0);
        assert_int_equal(t.count, 1);
        assert_int_equal(t.segments[0].speaker, rows[i].speaker);
        transcripts_done(&t);
        buf_done(&body);
    }
}

static void missing_final_is_counted_and_follows_the_profile(void **state)
{
    (void)state;
    const char *body = "[{\"text\":\"a\",\"startTime\":1,\"endTime\":2},"
                       "{\"text\":\"b\",\"startTime\":1,\"endTime\":2,\"isFinal\":null},"
                       "{\"text\":\"c\",\"startTime\":1,\"endTime\":2,\"isFinal\":false}]";
    for (int assume = 0; assume < 2; assume++) {
        struct transcripts t;
        struct cxone_profile changed = profile;
        changed.assume_final = assume == 1;
        assert_int_equal(transcripts_parse(&changed, NULL, body, strlen(body), &t, NULL), 0);
        assert_int_equal(t.count, 3);
        assert_int_equal(t.missing_final, 2);
        assert_int_equal(t.segments[0].is_final, assume == 1);
        assert_int_equal(t.segments[1].is_final, assume == 1);
        assert_false(t.segments[2].is_final);
        transcripts_done(&t);
    }
}

static void times_are_exact_and_end_with_the_year_9999(void **state)
{
    (void)state;
    struct transcripts t;
    assert_int_equal(
        parse("[{\"text\":\"a\",\"startTime\":253402300799998,\"endTime\":253402300799999,"
              "\"isFinal\":true},"
              "{\"text\":\"b\",\"startTime\":\"253402300799998\","
              "\"endTime\":\"253402300799999\",\"isFinal\":true},"
              "{\"text\":\"c\",\"startTime\":1698765432100.0,\"endTime\":0,\"isFinal\":true},"
              "{\"text\":\"d\",\"startTime\":1698765432100,\"endTime\":9223372036854775807,"
              "\"isFinal\":true}]",
              &t),
        0);
    assert_int_equal(t.count, 3);
    assert_int_equal(t.quarantined, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_true(t.segments[i].start_ms == 253402300799998);
        assert_true(t.segments[i].end_ms == 253402300799999);
    }
    assert_true(t.segments[2].start_ms == 1698765432100);
    assert_true(t.segments[2].end_ms == 0);
    transcripts_done(&t);
}

static void ids_are_taken_from_the_first_place_that_has_one(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *id; /* NULL: none */
    } rows[] = {
        {"\"id\":\"u1\"", "u1"},
        {"\"segmentId\":\"u2\"", "u2"},
        {"\"utteranceId\":\"u3\"", "u3"},
        {"\"utteranceId\":\"u3\",\"id\":\"u1\"", "u1"},
        {"\"id\":9007199254740993", "9007199254740993"},
        {"\"id\":-9223372036854775808", "-9223372036854775808"},
        {"\"id\":\"\",\"segmentId\":7", "7"},
        {"\"id\":null", NULL},
        {"\"id\":1.5", NULL},
        {"\"id\":{}", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct transcripts t;
        struct buf body;
        buf_init(&body, 4096);
        buf_printf(&body,
                   "[{\"text\":\"a\",\"startTime\":1,\"endTime\":2,\"isFinal\":true,%s}," GOOD "]",
                   rows[i].members);
        assert_int_equal(parse(buf_string(&body), &t), 0);
        assert_int_equal(t.count, 2);
        if (rows[i].id) {
            assert_int_equal(t.segments[0].id_bytes, strlen(rows[i].id));
            assert_memory_equal(t.segments[0].id, rows[i].id, strlen(rows[i].id));
        } else {
            assert_null(t.segments[0].id);
        }
        transcripts_done(&t);
        buf_done(&body);
    }
}

static void odd_text_survives(void **state)
{
    (void)state;
    struct transcripts t;
    /* Lone surrogate, embedded NUL, invalid UTF-8, duplicate key (the last one counts), BOM. */
    assert_int_equal(parse("\xEF\xBB\xBF[{\"text\":\"a\\ud800b\",\"startTime\":1,\"endTime\":2,"
                           "\"isFinal\":true},"
                           "{\"text\":\"a\\u0000b\",\"startTime\":1,\"endTime\":2,"
                           "\"isFinal\":true},"
                           "{\"text\":\"a\xFF"
                           "b\",\"startTime\":1,\"endTime\":2,\"isFinal\":true},"
                           "{\"text\":\"first\",\"text\":\"last\",\"startTime\":1,\"endTime\":2,"
                           "\"isFinal\":true}]",
                           &t),
                     0);
    assert_int_equal(t.count, 4);
    assert_string_equal(t.segments[0].text, "a\xEF\xBF\xBD"
                                            "b");
    assert_int_equal(t.segments[1].text_bytes, 3);
    assert_memory_equal(t.segments[1].text, "a\0b", 3);
    assert_string_equal(t.segments[2].text, "a\xEF\xBF\xBD"
                                            "b");
    assert_string_equal(t.segments[3].text, "last");
    transcripts_done(&t);
}

/* One number past 64 bits makes the reader take all numbers of the reply as doubles. */
static void huge_number_elsewhere_leaves_times_and_ids_alone(void **state)
{
    (void)state;
    struct transcripts t;
    assert_int_equal(parse("[{\"text\":\"a\",\"startTime\":1698765432100,\"endTime\":1698765434500,"
                           "\"isFinal\":true,\"id\":42,\"more\":99999999999999999999}]",
                           &t),
                     0);
    assert_int_equal(t.count, 1);
    assert_true(t.segments[0].start_ms == 1698765432100);
    assert_string_equal(t.segments[0].id, "42");
    transcripts_done(&t);
    struct discover d;
    const char *body = "[{\"interactionId\":42},{\"interactionId\":99999999999999999999}]";
    assert_int_equal(discover_parse(&profile.map, NULL, body, strlen(body), &d, NULL), 0);
    assert_int_equal(d.count, 1);
    assert_int_equal(d.quarantined, 1);
    assert_string_equal(d.active[0].interaction_id, "42");
    discover_done(&d);
}

static void text_length_is_bounded(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        struct transcripts t;
        struct buf body;
        buf_init(&body, 100000);
        buf_append_string(&body, "[{\"startTime\":1,\"endTime\":2,\"isFinal\":true,\"text\":\"");
        for (size_t i = 0; i < TRANSCRIPTS_TEXT_BYTES_MAX + extra; i++) {
            buf_append_char(&body, 'x');
        }
        buf_append_string(&body, "\"}]");
        assert_int_equal(parse(buf_string(&body), &t), 0);
        assert_int_equal(t.count, extra == 0 ? 1 : 0);
        assert_int_equal(t.quarantined, extra);
        transcripts_done(&t);
        buf_done(&body);
    }
}

static void number_of_elements_is_bounded(void **state)
{
    (void)state;
    struct transcripts t;
    struct buf body;
    buf_init(&body, 8 * 1024 * 1024);
    for (size_t i = 0; i < REPLY_ELEMENTS_MAX + 5; i++) {
        buf_append_string(&body, i == 0 ? "[" GOOD : "," GOOD);
    }
    buf_append_char(&body, ']');
    assert_false(body.failed);
    assert_int_equal(parse(buf_string(&body), &t), 0);
    assert_int_equal(t.count, REPLY_ELEMENTS_MAX);
    assert_int_equal(t.quarantined, 5);
    transcripts_done(&t);
    buf_done(&body);
}

static void live_interactions_are_read(void **state)
{
    (void)state;
    struct discover d;
    const char *body = "[{\"interactionId\":\"a\",\"state\":\"active\"},"
                       "{\"interactionId\":9007199254740993,\"state\":\"ENDED\",\"more\":1},"
                       "{\"interactionId\":\"b\"},"
                       "{\"interactionId\":\"c\",\"state\":\"holding\"},"
                       "{\"interactionId\":\"\",\"state\":\"active\"},"
                       "{\"interactionId\":\"..\",\"state\":\"active\"},"
                       "{\"interactionId\":\"x\\u0000y\",\"state\":\"active\"},"
                       "{\"interactionId\":1.5,\"state\":\"active\"},"
                       "{\"interactionId\":\"d\",\"state\":1},"
                       "{\"state\":\"active\"},null,[]]";
    assert_int_equal(discover_parse(&profile.map, "application/json", body, strlen(body), &d, NULL),
                     0);
    assert_int_equal(d.count, 5);
    assert_int_equal(d.quarantined, 7);
    assert_int_equal(d.unknown_states, 1);
    assert_string_equal(d.active[0].interaction_id, "a");
    assert_int_equal(d.active[0].state, CXONE_CALL_ACTIVE);
    assert_int_equal(d.active[0].state_since_ms, -1);
    assert_null(d.active[0].master_id);
    assert_string_equal(d.active[1].interaction_id, "9007199254740993");
    assert_int_equal(d.active[1].state, CXONE_CALL_ENDED);
    assert_int_equal(d.active[2].state, CXONE_CALL_UNSAID);
    assert_int_equal(d.active[3].state, CXONE_CALL_HELD);
    assert_int_equal(d.active[4].state, CXONE_CALL_UNSAID);
    discover_done(&d);
    static const char *const bad[] = {"", "{}", "<html>", "[", "{\"data\":[]}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(discover_parse(&profile.map, NULL, bad[i], strlen(bad[i]), &d, NULL),
                         ERROR_FORMAT);
    }
    assert_int_equal(discover_parse(&profile.map, "text/html", "[]", 2, &d, NULL), ERROR_FORMAT);
}

static void states_times_and_masters_are_read(void **state)
{
    (void)state;
    struct discover d;
    const char *body =
        "[{\"interactionId\":\"a\",\"state\":\"masked\",\"stateSince\":1765000000123,"
        "\"masterInteractionId\":7},"
        "{\"interactionId\":8,\"state\":\"Muted\",\"stateSince\":1765000000000.0,"
        "\"masterInteractionId\":9},"
        "{\"interactionId\":\"c\",\"state\":\"Masking\",\"stateSince\":\"soon\","
        "\"masterInteractionId\":\"..\"},"
        "{\"interactionId\":\"d\",\"state\":\"parked\",\"stateSince\":0,"
        "\"masterInteractionId\":null},"
        "{\"interactionId\":\"e\",\"state\":null,\"stateSince\":-4,"
        "\"masterInteractionId\":\"m\"}]";
    static const struct cxone_active wanted[] = {
        {"a", CXONE_CALL_MASKED, 1765000000123, "7", NULL, NULL},
        {"8", CXONE_CALL_MUTED, 1765000000000, "9", NULL, NULL},
        {"c", CXONE_CALL_MASKED, -1, NULL, NULL, NULL},
        {"d", CXONE_CALL_UNSAID, -1, NULL, NULL, NULL},
        {"e", CXONE_CALL_UNSAID, -1, "m", NULL, NULL},
    };
    assert_int_equal(discover_parse(&profile.map, NULL, body, strlen(body), &d, NULL), 0);
    assert_int_equal(d.count, 5);
    assert_int_equal(d.quarantined, 0);
    assert_int_equal(d.unknown_states, 1);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(d.active[i].interaction_id, wanted[i].interaction_id);
        assert_int_equal(d.active[i].state, wanted[i].state);
        assert_int_equal(d.active[i].state_since_ms, wanted[i].state_since_ms);
        assert_true((d.active[i].master_id == NULL) == (wanted[i].master_id == NULL));
        if (wanted[i].master_id) {
            assert_string_equal(d.active[i].master_id, wanted[i].master_id);
        }
    }
    discover_done(&d);
}

static void queues_and_languages_of_calls_are_read(void **state)
{
    (void)state;
    struct discover d;
    char body[1024];
    char long_name[300];
    memset(long_name, 'q', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    (void)snprintf(body, sizeof body,
                   "[{\"interactionId\":\"a\",\"queue\":\"premium\",\"language\":\"de-AT\"},"
                   "{\"interactionId\":1,\"queue\":4711,\"language\":4711,"
                   "\"masterInteractionId\":2},"
                   "{\"interactionId\":\"c\",\"queue\":\"\",\"language\":null},"
                   "{\"interactionId\":\"d\",\"queue\":[],\"language\":\"a\\u0000b\"},"
                   "{\"interactionId\":\"e\",\"queue\":\"%s\"}]",
                   long_name);
    assert_int_equal(discover_parse(&profile.map, NULL, body, strlen(body), &d, NULL), 0);
    assert_int_equal(d.count, 5);
    assert_string_equal(d.active[0].queue, "premium");
    assert_string_equal(d.active[0].language, "de-AT");
    assert_string_equal(d.active[1].interaction_id, "1");
    assert_string_equal(d.active[1].master_id, "2");
    assert_string_equal(d.active[1].queue, "4711");
    assert_null(d.active[1].language);
    for (size_t i = 2; i < 5; i++) {
        assert_null(d.active[i].queue);
        assert_null(d.active[i].language);
    }
    discover_done(&d);
}

static void a_reply_speaks_the_language_of_the_customers_newest_words(void **state)
{
    (void)state;
    struct transcripts t;
    assert_int_equal(
        parse("[{\"text\":\"a\",\"startTime\":1,\"endTime\":2,\"direction\":\"customer\","
              "\"isFinal\":true,\"languageCode\":\"en-US\"},"
              "{\"text\":\"b\",\"startTime\":3,\"endTime\":4,\"direction\":\"customer\","
              "\"isFinal\":true,\"language\":\"es-US\"},"
              "{\"text\":\"c\",\"startTime\":5,\"endTime\":6,\"direction\":\"agent\","
              "\"isFinal\":true,\"languageCode\":\"fr\"},"
              "{\"text\":\"d\",\"startTime\":7,\"endTime\":8,\"direction\":\"customer\","
              "\"isFinal\":true}]",
              &t),
        0);
    assert_string_equal(t.language, "es-US");
    transcripts_done(&t);
    assert_int_equal(parse("[" GOOD "]", &t), 0);
    assert_null(t.language);
    transcripts_done(&t);
}

/* The shape of the vendor's analytics: wrapped, nested, times counted from the call's start. */
static void fields_are_where_the_pointers_say(void **state)
{
    (void)state;
    struct cxone_profile other = profile;
    struct transcripts t;
    const char *body = "{\"segment\":{\"startTime\":\"2026-11-24T07:33:04Z\"},\"blocks/all\":["
                       "{\"said\":{\"text\":\"a\"},\"voice\":[{\"start\":0.5,\"end\":1.25}],"
                       "\"channel\":\"PATRON\","
                       "\"done\":true,\"no\":7},"
                       "{\"said\":{\"text\":null},\"words\":\"b\",\"voice\":[{\"start\":2,\"end\":"
                       "3}],\"done\":false},"
                       "{\"said\":{\"text\":\"c\"},\"voice\":[]}]}";
    other.map.segments = (struct cxone_pointers){{"/blocks~1all"}};
    other.map.text = (struct cxone_pointers){{"/said/text", "/words"}};
    other.map.start = (struct cxone_pointers){{"/voice/0/start"}};
    other.map.end = (struct cxone_pointers){{"/voice/0/end"}};
    other.map.direction = (struct cxone_pointers){{"/channel"}};
    other.map.final = (struct cxone_pointers){{"/done"}};
    other.map.id = (struct cxone_pointers){{"/no"}};
    other.map.call_start = (struct cxone_pointers){{"/segment/startTime"}};
    other.map.time_format = CXONE_TIME_RELATIVE_S;
    assert_int_equal(transcripts_parse(&other, NULL, body, strlen(body), &t, NULL), 0);
    assert_int_equal(t.count, 2);
    assert_int_equal(t.quarantined, 1);
    assert_string_equal(t.segments[0].text, "a");
    assert_string_equal(t.segments[0].id, "7");
    assert_int_equal(t.segments[0].speaker, SPEAKER_CUSTOMER);
    assert_true(t.segments[0].start_ms == 1795505584500);
    assert_true(t.segments[0].end_ms == 1795505585250);
    assert_string_equal(t.segments[1].text, "b");
    assert_false(t.segments[1].is_final);
    transcripts_done(&t);
    struct error err = {0};
    const char *lost = "{\"blocks/all\":[{}]}";
    assert_int_equal(transcripts_parse(&other, NULL, lost, strlen(lost), &t, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "map.call_start"));
}

/* The vendor's list of active contacts. */
static void contacts_are_where_the_pointers_say(void **state)
{
    (void)state;
    struct discover d;
    struct cxone_mapping map = profile.map;
    const char *body =
        "{\"activeContacts\":[{\"contactId\":453000000001,\"masterContactId\":453000000000,"
        "\"stateName\":\"Holding\",\"lastUpdateTime\":\"2026-11-24T07:33:04.123Z\"}]}";
    map.contacts = (struct cxone_pointers){{"/activeContacts"}};
    map.contact_id = (struct cxone_pointers){{"/contactId"}};
    map.contact_state = (struct cxone_pointers){{"/stateName"}};
    map.contact_since = (struct cxone_pointers){{"/lastUpdateTime"}};
    map.contact_master = (struct cxone_pointers){{"/masterContactId"}};
    assert_int_equal(discover_parse(&map, NULL, body, strlen(body), &d, NULL), 0);
    assert_int_equal(d.count, 1);
    assert_string_equal(d.active[0].interaction_id, "453000000001");
    assert_string_equal(d.active[0].master_id, "453000000000");
    assert_int_equal(d.active[0].state, CXONE_CALL_HELD);
    assert_true(d.active[0].state_since_ms == 1795505584123);
    discover_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segment_of_the_tutorial_is_read),
        cmocka_unit_test(body_that_is_no_array_is_malformed),
        cmocka_unit_test(empty_array_is_empty_whatever_surrounds_it),
        cmocka_unit_test(bad_element_costs_only_itself),
        cmocka_unit_test(direction_is_an_alias_in_any_case),
        cmocka_unit_test(missing_final_is_counted_and_follows_the_profile),
        cmocka_unit_test(times_are_exact_and_end_with_the_year_9999),
        cmocka_unit_test(ids_are_taken_from_the_first_place_that_has_one),
        cmocka_unit_test(odd_text_survives),
        cmocka_unit_test(huge_number_elsewhere_leaves_times_and_ids_alone),
        cmocka_unit_test(text_length_is_bounded),
        cmocka_unit_test(number_of_elements_is_bounded),
        cmocka_unit_test(live_interactions_are_read),
        cmocka_unit_test(states_times_and_masters_are_read),
        cmocka_unit_test(queues_and_languages_of_calls_are_read),
        cmocka_unit_test(a_reply_speaks_the_language_of_the_customers_newest_words),
        cmocka_unit_test(fields_are_where_the_pointers_say),
        cmocka_unit_test(contacts_are_where_the_pointers_say),
    };
    return cmocka_run_group_tests(tests, make_profile, NULL);
}
