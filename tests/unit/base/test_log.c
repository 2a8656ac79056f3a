/* Log lines are single JSON objects, filtered by level, whole even when threads mix. */
#include "base/log.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/undertone-log-XXXXXX";
static int file = -1;

static int set_up(void **state)
{
    (void)state;
    file = mkstemp(path);
    return file < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(file);
    return unlink(path);
}

/* What was logged since the last call; the caller frees. */
static char *take_output(void)
{
    off_t size = lseek(file, 0, SEEK_END);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(pread(file, text, (size_t)size, 0), size);
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    return text;
}

static void a_line_holds_all_fields_in_order(void **state)
{
    (void)state;
    const struct log log = {file, LOG_INFO};
    log_write(&log, LOG_WARN, "poll_failed", "it \"failed\"\n", LOG_TEXT("interaction", "ab12"),
              LOG_INT("status", 503), LOG_NUMBER("dur_s", 0.25), LOG_TEXT("err", NULL),
              LOG_NUMBER("nothing", (double)NAN));
    char *line = take_output();
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1); /* one line, its only newline */
    struct json_document *document;
    struct error err;
    assert_int_equal(json_parse(line, strlen(line), &document, &err), 0);
    const struct json *root = json_root(document);
    static const char *const keys[] = {"ts",     "level", "event", "msg",    "interaction",
                                       "status", "dur_s", "err",   "nothing"};
    void *iterator = NULL;
    const char *key;
    const struct json *value;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_true(json_next(root, &iterator, &key, &value));
        assert_string_equal(key, keys[i]);
    }
    assert_false(json_next(root, &iterator, &key, &value));
    size_t bytes;
    const char *ts = json_as_string(json_get(root, "ts"), &bytes);
    assert_int_equal(bytes, 24);
    assert_true(ts[4] == '-' && ts[10] == 'T' && ts[19] == '.' && ts[23] == 'Z');
    assert_string_equal(json_as_string(json_get(root, "level"), NULL), "warn");
    assert_string_equal(json_as_string(json_get(root, "msg"), NULL), "it \"failed\"\n");
    assert_int_equal(json_kind(json_get(root, "err")), JSON_KIND_NULL);
    assert_int_equal(json_kind(json_get(root, "nothing")), JSON_KIND_NULL);
    json_free(document);
    free(line);
}

static void lines_below_the_level_are_dropped_silently(void **state)
{
    (void)state;
    uint64_t dropped = log_dropped();
    const struct log log = {file, LOG_WARN};
    log_write_fields(&log, LOG_DEBUG, "a", "a", NULL, 0);
    log_write_fields(&log, LOG_INFO, "a", "a", NULL, 0);
    log_write_fields(NULL, LOG_ERROR, "a", "a", NULL, 0);
    char *text = take_output();
    assert_string_equal(text, "");
    free(text);
    log_write_fields(&log, LOG_WARN, "b", "b", NULL, 0);
    log_write_fields(&log, LOG_ERROR, "c", "c", NULL, 0);
    text = take_output();
    assert_non_null(strstr(text, "\"level\":\"warn\",\"event\":\"b\""));
    assert_non_null(strstr(text, "\"level\":\"error\",\"event\":\"c\""));
    free(text);
    assert_true(log_dropped() == dropped);
}

static void a_line_that_cannot_be_written_is_counted(void **state)
{
    (void)state;
    uint64_t dropped = log_dropped();
    const struct log closed = {-1, LOG_DEBUG};
    log_write_fields(&closed, LOG_ERROR, "a", "a", NULL, 0);
    assert_true(log_dropped() == dropped + 1);
    const struct log log = {file, LOG_DEBUG};
    char *huge = malloc(20001);
    assert_non_null(huge);
    memset(huge, 'x', 20000);
    huge[20000] = '\0';
    log_write(&log, LOG_ERROR, "a", "a", LOG_TEXT("t", huge)); /* longer than a line may be */
    free(huge);
    assert_true(log_dropped() == dropped + 2);
    char *text = take_output();
    assert_string_equal(text, "");
    free(text);
}

enum { THREADS = 4, LINES = 200 };

static void *write_lines(void *argument)
{
    const struct log *log = argument;
    char text[300];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < LINES; i++) {
        log_write(log, LOG_INFO, "thread", text, LOG_INT("i", i));
    }
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    struct log log = {file, LOG_INFO};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &log), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    char *text = take_output();
    int count = 0;
    for (char *at = text; *at; count++) {
        char *end = strchr(at, '\n');
        struct json_document *document;
        struct error err;
        assert_non_null(end);
        if (json_parse(at, (size_t)(end - at), &document, &err)) {
            fail_msg("line %d: %s", count, err.message);
        }
        json_free(document);
        at = end + 1;
    }
    assert_int_equal(count, THREADS * LINES);
    free(text);
}

static void level_names_are_exact(void **state)
{
    (void)state;
    assert_int_equal(log_level_parse("debug"), LOG_DEBUG);
    assert_int_equal(log_level_parse("info"), LOG_INFO);
    assert_int_equal(log_level_parse("warn"), LOG_WARN);
    assert_int_equal(log_level_parse("error"), LOG_ERROR);
    assert_int_equal(log_level_parse("ERROR"), -1);
    assert_int_equal(log_level_parse(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_holds_all_fields_in_order),
        cmocka_unit_test(lines_below_the_level_are_dropped_silently),
        cmocka_unit_test(a_line_that_cannot_be_written_is_counted),
        cmocka_unit_test(lines_of_threads_do_not_mix),
        cmocka_unit_test(level_names_are_exact),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
