/* The literal judgement against the tutorial's own classes run in Python: how the expected values
 * were made is in tests/golden/literal/SOURCE.md. Numbers are compared as text with 17 digits, so
 * equal means the same double. UNDERTONE_LITERAL_GOLDEN names another folder to check, for runs too
 * large to keep.
 */
#include "base/json.h"
#include "base/lines.h"
#include "commands/literal_replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_BYTES_MAX = 1 << 24, NUMBER_BYTES = 40 };

typedef void record_fn(const struct json *record);

/* Checks every line of a file; returns how many there were. */
static size_t each_record(const char *name, record_fn *check)
{
    const char *folder = getenv("UNDERTONE_LITERAL_GOLDEN");
    char path[4096];
    struct error err = {0};
    struct lines *lines = NULL;
    const char *line;
    size_t size;
    size_t count = 0;
    (void)snprintf(path, sizeof path, "%s/%s",
                   folder ? folder : UNDERTONE_SOURCE_DIR "/tests/golden/literal", name);
    if (lines_open(&lines, path, LINE_BYTES_MAX, &err)) {
        fail_msg("%s", err.message);
    }
    while (lines_next(lines, &line, &size, &err) == 1) {
        struct json_document *document = NULL;
        assert_int_equal(json_parse(line, size, &document, &err), 0);
        check(json_root(document));
        json_free(document);
        count++;
    }
    lines_close(lines);
    return count;
}

static double number(const struct json *array, size_t at)
{
    double value = 0;
    assert_true(json_as_number(json_at(array, at), &value));
    return value;
}

static int64_t integer(const struct json *object, const char *key)
{
    int64_t value = 0;
    assert_true(json_as_integer(json_get(object, key), &value));
    return value;
}

static void assert_same(double expected, double got)
{
    char a[NUMBER_BYTES];
    char b[NUMBER_BYTES];
    (void)snprintf(a, sizeof a, "%.17g", expected);
    (void)snprintf(b, sizeof b, "%.17g", got);
    assert_string_equal(a, b);
}

/* --- windows --- */

static void check_windows(const struct json *record)
{
    const struct json *does = json_get(record, "does");
    const struct json *gives = json_get(record, "gives");
    struct literal_window window;
    size_t reads = 0;
    literal_window_init(&window);
    for (size_t i = 0; i < json_size(does); i++) {
        const struct json *action = json_at(does, i);
        if (json_size(action) == 2) {
            assert_true(literal_window_add(&window, number(action, 0), number(action, 1)));
            continue;
        }
        enum call_trend trend;
        double mean = literal_window_read(&window, number(action, 0), &trend);
        const struct json *expected = json_at(gives, reads++);
        assert_same(number(expected, 0), mean);
        assert_string_equal(json_as_string(json_at(expected, 1), NULL), call_trend_name(trend));
    }
    assert_int_equal(reads, json_size(gives));
    literal_window_done(&window);
}

static void test_windows_equal_the_tutorials(void **state)
{
    (void)state;
    assert_true(each_record("windows.jsonl.gz", check_windows) >= 400);
}

/* --- calls --- */

struct played {
    struct recording_line *lines;
    struct segment *segments;
    const struct json *call;
    const struct json *expected;
    size_t steps;
    size_t suggestions;
    size_t count;
};

/* The model's answer stands beside each segment, with how much of its text it may see. */
static int find_label(void *user, const char *text, size_t size, const char **label,
                      struct error *err)
{
    const struct played *played = user;
    (void)err;
    for (size_t i = 0; i < played->count; i++) {
        if (played->segments[i].text == text) {
            const struct json *segment = json_at(json_get(played->call, "segments"), i);
            assert_int_equal(integer(segment, "cut"), size);
            *label = json_as_string(json_get(segment, "label"), NULL);
            return 0;
        }
    }
    fail_msg("a text that is none of the call's");
    return -1;
}

static void check_step(void *user, const struct literal_replay_step *step)
{
    struct played *played = user;
    const struct json *steps = json_get(played->expected, "steps");
    const struct json *expected = json_at(steps, played->steps);
    const struct json *patch = json_at(json_get(played->expected, "patches"), played->steps);
    assert_true(played->steps < json_size(steps));
    assert_same(number(expected, 0), (double)step->at_ms / 1000.0);
    assert_same(number(expected, 1), (double)recording_segment(step->line)->start_ms / 1000.0);
    assert_same(number(expected, 2), step->score);
    assert_same(number(expected, 3), step->mean);
    assert_string_equal(json_as_string(json_at(expected, 4), NULL), call_trend_name(step->trend));
    assert_string_equal(json_as_string(json_at(patch, 0), NULL), step->written);
    assert_string_equal(json_as_string(json_at(patch, 1), NULL), call_trend_name(step->trend));
    played->steps++;
    if (step->suggested) {
        const struct json *suggestions = json_get(played->expected, "suggestions");
        assert_true(played->suggestions < json_size(suggestions));
        assert_same(number(suggestions, played->suggestions), (double)step->at_ms / 1000.0);
        played->suggestions++;
    }
}

static enum literal_replay_filter filter_named(const char *name)
{
    enum literal_replay_filter filter = LITERAL_REPLAY_FILTER_START_AFTER;
    assert_true(literal_replay_filter_find(name, &filter));
    return filter;
}

static void load(struct played *played, const struct json *call)
{
    const struct json *segments = json_get(call, "segments");
    *played = (struct played){.call = call, .count = json_size(segments)};
    played->lines = calloc(played->count, sizeof *played->lines);
    played->segments = calloc(played->count, sizeof *played->segments);
    assert_non_null(played->lines);
    assert_non_null(played->segments);
    for (size_t i = 0; i < played->count; i++) {
        const struct json *value = json_at(segments, i);
        struct segment *segment = &played->segments[i];
        segment->start_ms = integer(value, "startTime");
        segment->end_ms = integer(value, "endTime");
        segment->text = json_as_string(json_get(value, "text"), &segment->text_bytes);
        assert_true(json_as_boolean(json_get(value, "isFinal"), &segment->is_final));
        played->lines[i] = (struct recording_line){
            .sequence = i,
            .visible_ms = integer(value, "visible"),
            .parsed = {.segments = segment, .count = 1},
        };
    }
}

static void play(struct played *played, const char *form, bool repaired)
{
    struct error err = {0};
    struct literal_replay replay = {
        .labels_repaired = repaired,
        .filter = filter_named(json_as_string(json_get(played->call, "filter"), NULL)),
        .round_trip_ms = LITERAL_REPLAY_ROUND_TRIP_MS,
        .label = find_label,
        .label_user = played,
        .on_step = check_step,
        .step_user = played,
    };
    played->expected = json_get(played->call, form);
    played->steps = 0;
    played->suggestions = 0;
    assert_int_equal(literal_replay_call(&replay, played->lines, played->count, &err), 0);
    assert_int_equal(played->steps, json_size(json_get(played->expected, "steps")));
    assert_int_equal(played->suggestions, json_size(json_get(played->expected, "suggestions")));
    assert_int_equal(replay.scored, played->steps);
    assert_int_equal(replay.suggestions, played->suggestions);
    assert_int_equal(replay.polls, integer(played->expected, "polls"));
    assert_int_equal(replay.raised, integer(played->expected, "raised"));
}

static void check_call(const struct json *call)
{
    struct played played;
    load(&played, call);
    play(&played, "as_written", false);
    play(&played, "repaired", true);
    free(played.lines);
    free(played.segments);
}

static void test_calls_equal_the_tutorials(void **state)
{
    (void)state;
    assert_true(each_record("calls.jsonl.gz", check_call) >= 288);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows_equal_the_tutorials),
        cmocka_unit_test(test_calls_equal_the_tutorials),
    };
    return cmocka_run_group_tests_name("literal", tests, NULL, NULL);
}
