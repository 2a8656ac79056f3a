/* The file of calls: what is an id, what is refused and where. */
#include "config/calls_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/undertone-calls-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static int read_text(const char *text, size_t bytes, struct calls_file *list, struct error *err)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    return calls_file_read(list, path, 4, err);
}

/* The next call, of which only the id is known; NULL at the end. */
static const char *next(const struct calls_file *list, size_t *position)
{
    struct calls_file_entry entry;
    if (!calls_file_next(list, position, &entry)) {
        return NULL;
    }
    assert_null(entry.queue);
    assert_null(entry.language);
    return entry.id;
}

static void ids_are_lines_without_blanks_and_comments(void **state)
{
    (void)state;
    static const char text[] = "# night shift\n  7c3f0a52 \r\n\n\tb-2\n#c\nlast";
    struct calls_file list;
    struct error err;
    assert_int_equal(read_text(text, sizeof text - 1, &list, &err), 0);
    assert_int_equal(list.count, 3);
    size_t position = 0;
    assert_string_equal(next(&list, &position), "7c3f0a52");
    assert_string_equal(next(&list, &position), "b-2");
    assert_string_equal(next(&list, &position), "last");
    assert_null(next(&list, &position));
    calls_file_done(&list);
}

static void behind_tabs_stands_what_is_known_of_a_call(void **state)
{
    (void)state;
    static const char text[] = "a b\tqueue=north wing\tlanguage=de-AT\nc\nd \t language=en \n";
    struct calls_file list;
    struct calls_file_entry entry;
    struct error err;
    size_t position = 0;
    assert_int_equal(read_text(text, sizeof text - 1, &list, &err), 0);
    assert_int_equal(list.count, 3);
    assert_true(calls_file_next(&list, &position, &entry));
    assert_string_equal(entry.id, "a b");
    assert_string_equal(entry.queue, "north wing");
    assert_string_equal(entry.language, "de-AT");
    assert_true(calls_file_next(&list, &position, &entry));
    assert_string_equal(entry.id, "c");
    assert_null(entry.queue);
    assert_null(entry.language);
    assert_true(calls_file_next(&list, &position, &entry));
    assert_string_equal(entry.id, "d");
    assert_null(entry.queue);
    assert_string_equal(entry.language, "en");
    assert_false(calls_file_next(&list, &position, &entry));
    calls_file_done(&list);
}

static void an_empty_file_names_nobody(void **state)
{
    (void)state;
    struct calls_file list;
    assert_int_equal(read_text("", 0, &list, NULL), 0);
    size_t position = 0;
    assert_null(next(&list, &position));
    calls_file_done(&list);
}

static void what_is_wrong_is_told_with_its_line_and_without_the_id(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
        const char *line;
    } bad[] = {
        {"a\nb\x01secret\n", 11, ":2: "},
        {"a\n\nb\0c\n", 7, ":3: "},
        {"a\tsecret\n", 9, ":1: "},
        {"a\tqueue=\n", 9, ":1: "},
        {"a\n\nb\tlanguage=secret!\n", 21, ":3: "},
        {"1\n2\n3\n4\n5\n", 10, ":5: "},
        {"a\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
         152, ":2: "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct calls_file list;
        struct error err = {0};
        assert_int_not_equal(read_text(bad[i].text, bad[i].bytes, &list, &err), 0);
        assert_int_equal(list.count, 0);
        if (!strstr(err.message, bad[i].line) || strstr(err.message, "secret")) {
            fail_msg("case %zu: %s", i, err.message);
        }
        calls_file_done(&list);
    }
}

static void another_version_of_the_file_has_another_stamp(void **state)
{
    (void)state;
    struct calls_file_stamp before;
    struct calls_file_stamp after;
    struct calls_file list;
    assert_int_equal(read_text("a\n", 2, &list, NULL), 0);
    calls_file_done(&list);
    assert_true(calls_file_look(path, &before));
    assert_int_equal(read_text("ab\n", 3, &list, NULL), 0);
    calls_file_done(&list);
    assert_true(calls_file_look(path, &after));
    assert_memory_not_equal(&before, &after, sizeof before);
    assert_false(calls_file_look("/nonexistent", &after));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_lines_without_blanks_and_comments),
        cmocka_unit_test(behind_tabs_stands_what_is_known_of_a_call),
        cmocka_unit_test(an_empty_file_names_nobody),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line_and_without_the_id),
        cmocka_unit_test(another_version_of_the_file_has_another_stamp),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
