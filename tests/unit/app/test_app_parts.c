/* The daemon's small parts: due heap, roster, message, listen address, metrics text. */
#include "app/message.h"
#include "app/metrics.h"
#include "base/keyhash.h"
#include "base/rand.h"
#include "config/wire.h"
#include "cues/cues.h"
#include "flow/due_heap.h"
#include "flow/roster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 200 };

/* The item that is due first by looking at all of them. */
static int64_t least_due(const struct due_item *items)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < ITEMS; i++) {
        if (items[i].place != DUE_HEAP_OUT && items[i].due.us < least) {
            least = items[i].due.us;
        }
    }
    return least;
}

static void heap_gives_the_earliest_under_random_changes(void **state)
{
    (void)state;
    struct due_heap heap;
    struct due_item items[ITEMS];
    struct rand rand;
    rand_seed(&rand, 5);
    assert_true(due_heap_init(&heap, ITEMS));
    for (int i = 0; i < ITEMS; i++) {
        due_item_init(&items[i], &items[i]);
    }
    for (int n = 0; n < 20000; n++) {
        struct due_item *item = &items[rand_below(&rand, ITEMS)];
        if (rand_below(&rand, 4) == 0) {
            due_heap_remove(&heap, item);
        } else {
            due_heap_set(&heap, item, (struct mono){(int64_t)rand_below(&rand, 1000)});
        }
        const struct due_item *first = due_heap_first(&heap);
        assert_int_equal(first ? first->due.us : INT64_MAX, least_due(items));
    }
    due_heap_done(&heap);
}

static void roster_drops_a_call_missing_from_two_lists(void **state)
{
    (void)state;
    struct roster roster;
    roster_init(&roster, 10);
    roster_begin(&roster);
    assert_true(roster_seen(&roster, "a"));
    assert_true(roster_seen(&roster, "b"));
    assert_null(roster_missing(&roster));
    roster_begin(&roster);
    assert_true(roster_seen(&roster, "a"));
    assert_null(roster_missing(&roster)); /* one list without "b" proves nothing */
    roster_begin(&roster);
    assert_true(roster_seen(&roster, "a"));
    assert_string_equal(roster_missing(&roster), "b");
    assert_null(roster_missing(&roster));
    roster_done(&roster);
}

static void roster_ends_a_call_once(void **state)
{
    (void)state;
    struct roster roster;
    roster_init(&roster, 1);
    roster_begin(&roster);
    assert_true(roster_seen(&roster, "a"));
    assert_false(roster_seen(&roster, "b")); /* full */
    assert_true(roster_ended(&roster, "a"));
    assert_false(roster_ended(&roster, "a"));
    assert_true(roster_seen(&roster, "b"));
    roster_done(&roster);
}

static void message_fills_known_names_only(void **state)
{
    (void)state;
    struct buf out;
    const struct call_reading reading = {
        .score = 280000, .trend = CALL_TREND_DECLINING, .samples = 3};
    buf_init(&out, 1000);
    message_fill("mood {score}, {trend}, {samples} turns, {other} {", &reading, NULL, &out);
    assert_string_equal(buf_string(&out), "mood 0.28, declining, 3 turns, {other} {");
    buf_clear(&out);
    message_fill("\"{words}\"", &reading, "my card is [CARD]", &out);
    assert_string_equal(buf_string(&out), "\"my card is [CARD]\"");
    buf_clear(&out);
    message_fill("\"{words}\"", &reading, NULL, &out);
    assert_string_equal(buf_string(&out), "\"-\"");
    buf_clear(&out);
    message_fill_words("a " CUES_WORDS_MARK ", {words} " CUES_WORDS_MARK, "{words}", &out);
    assert_string_equal(buf_string(&out), "a {words}, {words} {words}");
    buf_done(&out);
}

static void listen_addresses_are_taken_apart(void **state)
{
    (void)state;
    char address[WIRE_ADDRESS_BYTES];
    uint16_t port;
    struct error err;
    assert_int_equal(wire_listen("127.0.0.1:8090", address, &port, &err), 0);
    assert_string_equal(address, "127.0.0.1");
    assert_int_equal(port, 8090);
    assert_int_equal(wire_listen("[::1]:0", address, &port, &err), 0);
    assert_string_equal(address, "::1");
    const char *bad[] = {"8090", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", ":80", "h:65536"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(wire_listen(bad[i], address, &port, &err), ERROR_CONFIG);
        assert_non_null(strstr(err.message, bad[i]));
    }
}

static void metrics_text_names_every_family_once(void **state)
{
    (void)state;
    struct metrics *metrics = calloc(1, sizeof *metrics);
    struct buf out;
    assert_non_null(metrics);
    buf_init(&out, 1 << 20);
    metrics_add(metrics, METRIC_SCORED, 2);
    metrics_observe(metrics, METRIC_HISTOGRAM_REQUEST, 0.2);
    metrics_write(metrics, &out);
    assert_false(out.failed);
    const char *text = buf_string(&out);
    assert_non_null(strstr(text, "undertone_scored_total{result=\"scored\"} 2\n"));
    assert_non_null(strstr(text, "undertone_request_seconds_bucket{le=\"0.25\"} 1\n"));
    assert_non_null(strstr(text, "undertone_request_seconds_bucket{le=\"0.1\"} 0\n"));
    const char *first = strstr(text, "# TYPE undertone_effects_total");
    assert_non_null(first);
    assert_null(strstr(first + 1, "# TYPE undertone_effects_total"));
    buf_done(&out);
    free(metrics);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_gives_the_earliest_under_random_changes),
        cmocka_unit_test(roster_drops_a_call_missing_from_two_lists),
        cmocka_unit_test(roster_ends_a_call_once),
        cmocka_unit_test(message_fills_known_names_only),
        cmocka_unit_test(listen_addresses_are_taken_apart),
        cmocka_unit_test(metrics_text_names_every_family_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
