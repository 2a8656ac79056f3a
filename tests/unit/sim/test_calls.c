/* Calls over time, seen through the ledger they write. */
#include "sim/calls.h"

#include "base/json.h"
#include "base/keyhash.h"
#include "base/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char DATA[] = UNDERTONE_SOURCE_DIR "/sim/data";
static const int64_t START_MS = 1700000000000;
static char path[64];
static struct corpus *corpus;

static const struct options OPTIONS = {
    .calls = 5,
    .ids = "first,second",
    .seed = 8,
    .speed = 1,
    .mid_call = true,
    .linger_s = 60,
    .disorder = {.late = 0.2, .revised = 0.3, .partials = true},
};

static struct calls_now at_ms(int64_t ms)
{
    return (struct calls_now){{1000000 + ms * 1000}, START_MS + ms};
}

/* Plays `minutes` in steps of step_ms and leaves the ledger at `path`. */
static void play(const struct options *options, int minutes, int64_t step_ms)
{
    struct ledger ledger;
    struct calls calls;
    assert_int_equal(ledger_open(&ledger, path, NULL), 0);
    calls_init(&calls, options, corpus, &ledger);
    for (int64_t ms = 0; ms < (int64_t)minutes * 60000; ms += step_ms) {
        calls_advance(&calls, at_ms(ms));
        assert_int_equal(calls_fill(&calls, at_ms(ms), NULL), 0);
        assert_int_equal(calls.live, options->calls);
    }
    calls_done(&calls);
    assert_int_equal(ledger_close(&ledger, NULL), 0);
}

/* What one line says; `done` frees it. */
struct line {
    struct json_document *document;
    const char *kind;
    const char *call;
    int64_t n, version, visible_ms, start_ms, end_ms, final_version;
};

static int64_t number(const struct json *root, const char *key)
{
    int64_t value = -1;
    json_as_integer(json_get(root, key), &value);
    return value;
}

static bool next_line(struct lines *lines, struct line *line)
{
    const char *text;
    size_t bytes;
    if (lines_next(lines, &text, &bytes, NULL) != 1) {
        return false;
    }
    assert_int_equal(json_parse(text, bytes, &line->document, NULL), 0);
    const struct json *root = json_root(line->document);
    assert_true(number(root, "t") > START_MS);
    line->kind = json_as_string(json_get(root, "kind"), NULL);
    line->call = json_as_string(json_get(root, "call"), NULL);
    line->n = number(root, "n");
    line->version = number(root, "version");
    line->final_version = number(root, "final_version");
    line->visible_ms = number(root, "visible");
    line->start_ms = number(root, "start");
    line->end_ms = number(root, "end");
    return true;
}

static void a_call_tells_its_story_in_order(void **unused)
{
    (void)unused;
    play(&OPTIONS, 20, 40);
    struct lines *lines;
    assert_int_equal(lines_open(&lines, path, 1 << 20, NULL), 0);
    struct line line;
    int64_t utterances = 0, expected = 0, last_visible_ms = 0, ended_ms = 0, last_end_ms = 0;
    bool expired = false;
    while (next_line(lines, &line)) {
        if (line.call != NULL && strcmp(line.call, "first") == 0) {
            assert_false(expired);
            const struct json *root = json_root(line.document);
            if (strcmp(line.kind, "call_started") == 0) {
                int64_t offset_ms = number(root, "mid_call_offset_ms");
                assert_true(offset_ms > 0);
                assert_int_equal(number(root, "origin"), START_MS - offset_ms);
                last_end_ms = number(root, "last_end");
                expected = number(root, "utterances");
            } else if (strcmp(line.kind, "utterance") == 0) {
                assert_true(line.visible_ms >= last_visible_ms);
                assert_true(line.visible_ms <= last_end_ms + 45000);
                last_visible_ms = line.visible_ms;
                utterances += line.version == line.final_version;
            } else if (strcmp(line.kind, "call_ended") == 0) {
                ended_ms = line.end_ms;
                assert_int_equal(ended_ms, last_end_ms + 2000);
            } else {
                assert_string_equal(line.kind, "call_expired");
                expired = true;
            }
        }
        json_free(line.document);
    }
    lines_close(lines);
    assert_true(expired && ended_ms > 0);
    assert_int_equal(utterances, expected);
}

/* Everything but when it was written down. */
static void summarise(struct buf *out)
{
    struct lines *lines;
    assert_int_equal(lines_open(&lines, path, 1 << 20, NULL), 0);
    struct line line;
    while (next_line(lines, &line)) {
        if (strcmp(line.kind, "utterance") == 0) {
            buf_printf(out, "%s %lld %lld %lld\n", line.call, (long long)line.n,
                       (long long)line.version, (long long)line.visible_ms);
        }
        json_free(line.document);
    }
    lines_close(lines);
    assert_false(out->failed);
}

static void the_same_seed_plays_the_same_calls(void **unused)
{
    (void)unused;
    struct buf summaries[3];
    for (int i = 0; i < 3; i++) {
        struct options options = OPTIONS;
        options.seed = i == 2 ? 9 : 8;
        buf_init(&summaries[i], 1 << 22);
        play(&options, 5, 40);
        summarise(&summaries[i]);
    }
    assert_string_equal(buf_string(&summaries[0]), buf_string(&summaries[1]));
    assert_string_not_equal(buf_string(&summaries[0]), buf_string(&summaries[2]));
    for (int i = 0; i < 3; i++) {
        buf_done(&summaries[i]);
    }
}

static void an_ended_call_lingers_then_is_unknown(void **unused)
{
    (void)unused;
    struct options options = OPTIONS;
    options.calls = 1;
    options.mid_call = false;
    struct ledger ledger;
    struct calls calls;
    assert_int_equal(ledger_open(&ledger, NULL, NULL), 0);
    calls_init(&calls, &options, corpus, &ledger);
    assert_int_equal(calls_fill(&calls, at_ms(0), NULL), 0);
    struct call *call = calls_find(&calls, "first", 5, at_ms(0));
    assert_non_null(call);
    assert_int_equal(call->timeline.utterances[0].start_ms >= START_MS, 1);
    int64_t end_ms = timeline_ended_ms(&call->timeline) - START_MS;
    assert_false(calls_find(&calls, "first", 5, at_ms(end_ms - 1))->ended);
    assert_true(calls_find(&calls, "first", 5, at_ms(end_ms))->ended);
    assert_int_equal(calls.live, 0);
    assert_non_null(calls_find(&calls, "first", 5, at_ms(end_ms + 59999)));
    assert_null(calls_find(&calls, "first", 5, at_ms(end_ms + 60000)));
    assert_null(calls_find(&calls, "firs", 4, at_ms(0)));
    calls_advance(&calls, at_ms(end_ms + 60000));
    assert_int_equal(calls.count, 0);
    assert_int_equal(ledger.counts[LEDGER_KIND_CALL_ENDED], 1);
    assert_int_equal(ledger.counts[LEDGER_KIND_CALL_EXPIRED], 1);
    calls_done(&calls);
    assert_int_equal(ledger_close(&ledger, NULL), 0);
}

/* Whether a line of this kind about this call has these words, and how many such there are. */
static size_t count_lines(const char *kind, const char *call, const char *words)
{
    char *text;
    size_t bytes;
    size_t count = 0;
    assert_int_equal(lines_read_file(path, 1 << 24, &text, &bytes, NULL), 0);
    char *state = NULL;
    for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
        count += strstr(line, kind) && strstr(line, call) && strstr(line, words);
    }
    free(text);
    return count;
}

static void a_transferred_call_goes_on_under_its_master(void **unused)
{
    (void)unused;
    struct options options = OPTIONS;
    options.calls = 1;
    options.lifecycle.transfer = 1;
    play(&options, 8, 40);
    assert_int_equal(count_lines("call_started", "\"call\":\"first\"", "\"continues\":null"), 1);
    assert_int_equal(count_lines("call_started", "\"call\":\"second\"", "\"continues\":\"first\""),
                     1);
    assert_int_equal(count_lines("call_started", "\"call\":\"second\"", "\"master\":\"first\""), 1);
    assert_int_equal(count_lines("call_ended", "\"call\":\"first\"", ""), 1);
    /* It is handed on once: what follows is another conversation. */
    assert_int_equal(count_lines("call_started", "", "\"continues\":\"second\""), 0);
}

static void a_break_is_no_end(void **unused)
{
    (void)unused;
    struct options options = OPTIONS;
    options.calls = 1;
    options.lifecycle.share[LIFECYCLE_ENDED] = 1;
    options.lifecycle.length_ms[LIFECYCLE_ENDED] = 20000;
    play(&options, 20, 40);
    assert_int_equal(count_lines("call_state", "\"call\":\"first\"", "\"state\":\"ended\""), 1);
    assert_int_equal(count_lines("call_state", "\"call\":\"first\"", "\"state\":\"active\""), 1);
    assert_int_equal(count_lines("call_ended", "\"call\":\"first\"", ""), 1);
}

static void the_list_shows_the_state_and_its_beginning(void **unused)
{
    (void)unused;
    struct call call = {.origin_ms = START_MS};
    int64_t since_ms;
    call.lifecycle = (struct lifecycle){.spans = {{LIFECYCLE_HELD, 5000, 9000}}, .count = 1};
    assert_int_equal(calls_state(&call, at_ms(4999), &since_ms), LIFECYCLE_ACTIVE);
    assert_int_equal(since_ms, START_MS);
    assert_int_equal(calls_state(&call, at_ms(5000), &since_ms), LIFECYCLE_HELD);
    assert_int_equal(since_ms, START_MS + 5000);
    assert_int_equal(calls_state(&call, at_ms(9000), &since_ms), LIFECYCLE_ACTIVE);
    assert_int_equal(since_ms, START_MS + 9000);
    call.ended = true;
    call.timeline.last_end_ms = START_MS + 50000;
    assert_int_equal(calls_state(&call, at_ms(60000), &since_ms), LIFECYCLE_ENDED);
    assert_int_equal(since_ms, START_MS + 52000);
}

static void odd_ids_are_apart_and_within_bounds(void **unused)
{
    (void)unused;
    char ids[200][OPTIONS_ID_BYTES_MAX + 1];
    size_t longest = 0, slashes = 0, beyond_ascii = 0;
    for (uint64_t i = 0; i < 200; i++) {
        calls_odd_id(3, i, ids[i]);
        size_t bytes = strlen(ids[i]);
        assert_in_range(bytes, 1, OPTIONS_ID_BYTES_MAX);
        longest += bytes == OPTIONS_ID_BYTES_MAX;
        slashes += strchr(ids[i], '/') != NULL;
        for (size_t b = 0; b < bytes; b++) {
            assert_true((unsigned char)ids[i][b] >= ' ');
        }
        beyond_ascii += (ids[i][0] & 0x80) != 0;
        for (uint64_t k = 0; k < i; k++) {
            assert_string_not_equal(ids[i], ids[k]);
        }
    }
    assert_true(longest > 5 && slashes > 5 && beyond_ascii > 5);
}

static void uuids_are_version_4_and_of_the_seed(void **unused)
{
    (void)unused;
    char a[CALLS_UUID_BYTES], b[CALLS_UUID_BYTES];
    for (uint64_t i = 0; i < 100; i++) {
        calls_uuid(1, i, a);
        assert_int_equal(strlen(a), 36);
        assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
        assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
        assert_int_equal(a[14], '4');
        assert_non_null(strchr("89ab", a[19]));
    }
    assert_string_equal(calls_uuid(1, 5, a), calls_uuid(1, 5, b));
    assert_string_not_equal(calls_uuid(1, 5, a), calls_uuid(2, 5, b));
    assert_string_not_equal(calls_uuid(1, 5, a), calls_uuid(1, 6, b));
}

static void the_ledger_is_its_owners_alone(void **unused)
{
    (void)unused;
    struct ledger ledger;
    unlink(path);
    assert_int_equal(ledger_open(&ledger, path, NULL), 0);
    struct json_writer *w = ledger_begin(&ledger, LEDGER_KIND_ACTIVE);
    json_write_key(w, "count");
    json_write_integer(w, 3);
    ledger_end(&ledger);
    assert_int_equal(ledger_flush(&ledger, NULL), 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(status.st_size > 20);
    assert_int_equal(ledger_close(&ledger, NULL), 0);
}

static void a_full_disk_is_reported(void **unused)
{
    (void)unused;
    struct ledger ledger;
    struct error err = {0};
    if (ledger_open(&ledger, "/dev/full", NULL) != 0) {
        skip();
    }
    assert_non_null(ledger_begin(&ledger, LEDGER_KIND_ACTIVE));
    ledger_end(&ledger);
    assert_int_equal(ledger_flush(&ledger, &err), ERROR_IO);
    assert_int_equal(ledger_close(&ledger, &err), ERROR_IO);
}

static int set_up(void **unused)
{
    (void)unused;
    static const unsigned weights[CORPUS_SOURCE_COUNT] = {1, 2, 1, 1};
    snprintf(path, sizeof path, "/tmp/undertone-test-calls-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0 || keyhash_library_init() != 0) {
        return -1;
    }
    return corpus_create(&corpus, DATA, weights, 8, NULL);
}

static int tear_down(void **unused)
{
    (void)unused;
    corpus_destroy(corpus);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_tells_its_story_in_order),
        cmocka_unit_test(the_same_seed_plays_the_same_calls),
        cmocka_unit_test(an_ended_call_lingers_then_is_unknown),
        cmocka_unit_test(a_transferred_call_goes_on_under_its_master),
        cmocka_unit_test(a_break_is_no_end),
        cmocka_unit_test(the_list_shows_the_state_and_its_beginning),
        cmocka_unit_test(odd_ids_are_apart_and_within_bounds),
        cmocka_unit_test(uuids_are_version_4_and_of_the_seed),
        cmocka_unit_test(the_ledger_is_its_owners_alone),
        cmocka_unit_test(a_full_disk_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
