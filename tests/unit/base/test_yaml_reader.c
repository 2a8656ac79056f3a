/* Events in order with their places; what people's files have no use for is refused where it is. */
#include "base/yaml_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct yaml_reader *open_text(const char *text)
{
    struct yaml_reader *reader = NULL;
    struct error err = {0};
    if (yaml_reader_open(&reader, "u.yaml", text, strlen(text), &err) != 0) {
        fail_msg("%s", err.message);
    }
    return reader;
}

static void expect_next(struct yaml_reader *reader, enum yaml_reader_kind kind, const char *text,
                        size_t line, size_t column)
{
    struct error err = {0};
    if (yaml_reader_next(reader, &err) != 0) {
        fail_msg("%s", err.message);
    }
    const struct yaml_reader_event *event = yaml_reader_event(reader);
    assert_int_equal(event->kind, kind);
    if (text) {
        assert_string_equal(event->text, text);
        assert_int_equal(event->bytes, strlen(text));
    } else {
        assert_null(event->text);
    }
    if (line > 0) {
        assert_int_equal(event->mark.line, line);
        assert_int_equal(event->mark.column, column);
    }
}

static void a_document_is_its_events(void **state)
{
    (void)state;
    struct yaml_reader *reader =
        open_text("# a comment\nlabels:\n  \xc3\xa9: ~\nlist: [a, \"~\"]\n");
    expect_next(reader, YAML_READER_MAPPING_BEGIN, NULL, 2, 1);
    expect_next(reader, YAML_READER_SCALAR, "labels", 2, 1);
    expect_next(reader, YAML_READER_MAPPING_BEGIN, NULL, 3, 3);
    expect_next(reader, YAML_READER_SCALAR, "\xc3\xa9", 3, 3);
    expect_next(reader, YAML_READER_SCALAR, "~", 3, 6); /* in characters */
    assert_true(yaml_reader_event(reader)->is_null);
    expect_next(reader, YAML_READER_MAPPING_END, NULL, 0, 0);
    expect_next(reader, YAML_READER_SCALAR, "list", 4, 1);
    expect_next(reader, YAML_READER_SEQUENCE_BEGIN, NULL, 4, 7);
    expect_next(reader, YAML_READER_SCALAR, "a", 4, 8);
    expect_next(reader, YAML_READER_SCALAR, "~", 4, 11);
    assert_false(yaml_reader_event(reader)->is_null); /* quoted: text */
    expect_next(reader, YAML_READER_SEQUENCE_END, NULL, 0, 0);
    expect_next(reader, YAML_READER_MAPPING_END, NULL, 0, 0);
    expect_next(reader, YAML_READER_END, NULL, 0, 0);
    yaml_reader_close(reader);
    yaml_reader_close(NULL);
}

static void a_file_without_a_document_ends_at_once(void **state)
{
    (void)state;
    static const char *const empties[] = {"", "# only a comment\n", "\n\n"};
    for (size_t i = 0; i < sizeof empties / sizeof empties[0]; i++) {
        struct yaml_reader *reader = open_text(empties[i]);
        expect_next(reader, YAML_READER_END, NULL, 0, 0);
        yaml_reader_close(reader);
    }
}

static void what_nobody_needs_is_refused_at_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"a: &x 1\n", "u.yaml:1:4: anchors"},
        {"a: [*x]\n", "u.yaml:1:5: aliases"},
        {"a: !!str 1\n", "u.yaml:1:4: tags"},
        {"a: 1\n---\nb: 2\n", "u.yaml:2:1: more than one document"},
        {"a:\n\tb: 1\n", "u.yaml:2:1: a tab in the indentation"},
        {"a: \"\\0\"\n", "u.yaml:1:4: a NUL character"},
        {"a: \x01\n", "u.yaml:1:4: a control character"},
        {"a: 1\nb: \xC3(\n", "u.yaml:2:4: not valid UTF-8"},
        {"a: [1\n", "u.yaml:2:1: not valid YAML"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct yaml_reader *reader = NULL;
        struct error err = {0};
        int code = yaml_reader_open(&reader, "u.yaml", cases[i].text, strlen(cases[i].text), &err);
        while (code == 0) {
            code = yaml_reader_next(reader, &err);
            if (code == 0 && yaml_reader_event(reader)->kind == YAML_READER_END) {
                fail_msg("case %zu was read to its end", i);
            }
        }
        assert_int_equal(code, ERROR_CONFIG);
        if (strncmp(err.message, cases[i].message, strlen(cases[i].message)) != 0) {
            fail_msg("case %zu: %s", i, err.message);
        }
        yaml_reader_close(reader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_its_events),
        cmocka_unit_test(a_file_without_a_document_ends_at_once),
        cmocka_unit_test(what_nobody_needs_is_refused_at_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
