/* What the vendor's webhook says of one contact. */
#include "cxone/contact_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct contact_event_map map = {
    .kind = {{"/event", "/eventType"}},
    .event_id = {{"/eventId"}},
    .contact_id = {{"/interactionId", "/data/contactId"}},
    .contact_master = {{"/masterInteractionId"}},
    .contact_queue = {{"/queue", "/skill/id"}},
    .contact_language = {{"/language"}},
    .started = {"contact-started", "Active"},
    .ended = {"contact-ended", "disconnected"},
};

static struct contact_event read(const char *body)
{
    struct contact_event event;
    struct error err;
    if (contact_event_parse(&map, body, strlen(body), &event, &err)) {
        fail_msg("%s: %s", body, err.message);
    }
    return event;
}

static void refuse(const char *body, const char *because)
{
    struct contact_event event;
    struct error err = {0};
    int result = contact_event_parse(&map, body, strlen(body), &event, &err);
    if (result != ERROR_FORMAT || !strstr(err.message, because)) {
        fail_msg("%s: %d, '%s'", body, result, err.message);
    }
}

static void start_and_end_are_told_apart_by_name(void **state)
{
    (void)state;
    struct contact_event event =
        read("{\"event\":\"contact-started\",\"eventId\":\"e-1\",\"interactionId\":\"call-1\","
             "\"masterInteractionId\":\"m-1\",\"skill\":{\"id\":7},\"language\":\"de-AT\"}");
    assert_int_equal(event.kind, CONTACT_EVENT_STARTED);
    assert_string_equal(event.interaction_id, "call-1");
    assert_string_equal(event.master_id, "m-1");
    assert_string_equal(event.event_id, "e-1");
    assert_string_equal(event.queue, "7");
    assert_string_equal(event.language, "de-AT");
    event = read("{\"event\":\"CONTACT-ENDED\",\"interactionId\":\"call-1\"}");
    assert_int_equal(event.kind, CONTACT_EVENT_ENDED);
    assert_string_equal(event.master_id, "");
    assert_string_equal(event.event_id, "");
    assert_string_equal(event.queue, "");
    assert_string_equal(event.language, "");
}

static void the_real_platforms_names_and_integers_are_read_where_the_map_says(void **state)
{
    (void)state;
    struct contact_event event = read("{\"eventType\":\"Disconnected\",\"eventId\":18446,\"data\":{"
                                      "\"contactId\":9007199254740993}}");
    assert_int_equal(event.kind, CONTACT_EVENT_ENDED);
    assert_string_equal(event.interaction_id, "9007199254740993"); /* 2^53 + 1: not by a double */
    assert_string_equal(event.event_id, "18446");
}

static void another_event_needs_no_contact(void **state)
{
    (void)state;
    struct contact_event event = read("{\"event\":\"queue-changed\",\"depth\":3}");
    assert_int_equal(event.kind, CONTACT_EVENT_OTHER);
    assert_string_equal(event.interaction_id, "");
}

static void what_is_no_event_is_refused(void **state)
{
    (void)state;
    char long_id[256] = "{\"event\":\"contact-ended\",\"interactionId\":\"";
    memset(long_id + strlen(long_id), 'a', CXONE_ID_BYTES_MAX + 1);
    memcpy(long_id + strlen(long_id), "\"}", 3);
    refuse("", "");
    refuse("[]", "object");
    refuse("[{\"event\":\"contact-started\",\"interactionId\":\"a\"}]", "object");
    refuse("{\"event\":\"contact-started\"", "");
    refuse("{\"interactionId\":\"a\"}", "map.event");
    refuse("{\"event\":7,\"interactionId\":\"a\"}", "map.event");
    refuse("{\"event\":\"contact-started\"}", "map.contact_id");
    refuse("{\"event\":\"contact-started\",\"interactionId\":\"\"}", "map.contact_id");
    refuse("{\"event\":\"contact-started\",\"interactionId\":\"..\"}", "map.contact_id");
    refuse("{\"event\":\"contact-started\",\"interactionId\":\"a\\u0000b\"}", "map.contact_id");
    refuse("{\"event\":\"contact-started\",\"interactionId\":{}}", "map.contact_id");
    refuse("{\"event\":\"contact-started\",\"interactionId\":\"a\",\"eventId\":[]}",
           "map.event_id");
    refuse(long_id, "map.contact_id");
}

static void a_master_that_cannot_be_used_is_left_out(void **state)
{
    (void)state;
    struct contact_event event = read("{\"event\":\"active\",\"interactionId\":\"a\","
                                      "\"masterInteractionId\":{\"id\":1}}");
    assert_int_equal(event.kind, CONTACT_EVENT_STARTED);
    assert_string_equal(event.master_id, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_and_end_are_told_apart_by_name),
        cmocka_unit_test(the_real_platforms_names_and_integers_are_read_where_the_map_says),
        cmocka_unit_test(another_event_needs_no_contact),
        cmocka_unit_test(what_is_no_event_is_refused),
        cmocka_unit_test(a_master_that_cannot_be_used_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
