/* Reading JSON: what is repaired, what is refused, and that paths never fault. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct json_document *parse_bytes(const char *bytes, size_t size)
{
    struct json_document *document;
    struct error err = {0};
    if (json_parse(bytes, size, &document, &err)) {
        fail_msg("%s", err.message);
    }
    return document;
}

static struct json_document *parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void refuse(const char *text, const char *fragment)
{
    struct json_document *document;
    struct error err = {0};
    if (json_parse(text, strlen(text), &document, &err) != ERROR_FORMAT) {
        fail_msg("accepted: %s", text);
    }
    assert_null(document);
    assert_non_null(strstr(err.message, fragment));
}

/* The document and expected values of RFC 6901, section 5. */
static void pointers_are_those_of_the_rfc(void **state)
{
    (void)state;
    struct json_document *d = parse("{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2,"
                                    "\"e^f\": 3, \"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6,"
                                    "\" \": 7, \"m~n\": 8}");
    static const char *const pointers[] = {"/",     "/a~1b", "/c%d", "/e^f", "/g|h",
                                           "/i\\j", "/k\"l", "/ ",   "/m~0n"};
    const struct json *root = json_root(d);
    assert_ptr_equal(json_pointer(root, ""), root);
    assert_int_equal(json_size(json_pointer(root, "/foo")), 2);
    assert_string_equal(json_as_string(json_pointer(root, "/foo/0"), NULL), "bar");
    for (int i = 0; i < 9; i++) {
        int64_t value;
        assert_true(json_as_integer(json_pointer(root, pointers[i]), &value));
        assert_int_equal(value, i);
    }
    json_free(d);
}

static void pointers_to_nothing_are_null(void **state)
{
    (void)state;
    static const char *const pointers[] = {"/b",     "/a/2",  "/a/-",
                                           "/a/-1",  "/a/01", "/a/00",
                                           "/a/1x",  "/a/+1", "/a/99999999999999999999",
                                           "/a/0/x", "a",     "/s/0",
                                           "/a/"};
    struct json_document *d = parse("{\"a\": [10, 11], \"s\": \"text\"}");
    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        if (json_pointer(json_root(d), pointers[i])) {
            fail_msg("found something at %s", pointers[i]);
        }
    }
    assert_null(json_pointer(NULL, "/a"));
    json_free(d);
}

static void text_that_is_no_pointer_is_told(void **state)
{
    (void)state;
    static const char *const good[] = {"", "/", "/a", "/a/0/b~0~1", "/ /%"};
    static const char *const bad[] = {"a", "a/b", "/a~", "/~2", "~0"};
    char longest[130] = "/";
    memset(longest + 1, 'x', 128);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(json_pointer_is_valid(good[i]));
        assert_false(json_pointer_is_valid(bad[i]));
    }
    assert_false(json_pointer_is_valid(longest));
    longest[128] = '\0';
    assert_true(json_pointer_is_valid(longest));
}

static void integers_are_exact_and_reals_only_when_whole(void **state)
{
    (void)state;
    struct json_document *d =
        parse("[9007199254740993, -9007199254740993, 1e3, 1.5, 9007199254740992.0, 1e300, \"1\","
              "true, null, 0]");
    const struct json *root = json_root(d);
    int64_t value;
    double number;
    assert_true(json_as_integer(json_at(root, 0), &value));
    assert_true(value == INT64_C(9007199254740993)); /* 2^53 + 1: a double would lose it */
    assert_true(json_as_integer(json_at(root, 1), &value));
    assert_true(value == INT64_C(-9007199254740993));
    assert_true(json_as_integer(json_at(root, 2), &value));
    assert_int_equal(value, 1000);
    assert_false(json_as_integer(json_at(root, 3), &value));
    assert_true(json_as_integer(json_at(root, 4), &value));
    assert_false(json_as_integer(json_at(root, 5), &value));
    for (size_t i = 6; i < 9; i++) {
        assert_false(json_as_integer(json_at(root, i), &value));
        assert_false(json_as_number(json_at(root, i), &number));
    }
    assert_true(json_as_number(json_at(root, 3), &number));
    assert_true(number == 1.5);
    assert_true(json_as_number(json_at(root, 9), &number));
    assert_true(number == 0);
    json_free(d);
}

static void kinds_and_wrong_types_are_told_apart(void **state)
{
    (void)state;
    struct json_document *d = parse("[null, true, 1, 1.0, \"x\", [], {}]");
    static const enum json_kind kinds[] = {JSON_KIND_NULL,  JSON_KIND_BOOL,   JSON_KIND_INTEGER,
                                           JSON_KIND_REAL,  JSON_KIND_STRING, JSON_KIND_ARRAY,
                                           JSON_KIND_OBJECT};
    for (size_t i = 0; i < 7; i++) {
        bool flag;
        const struct json *value = json_at(json_root(d), i);
        assert_int_equal(json_kind(value), kinds[i]);
        assert_int_equal(json_as_boolean(value, &flag), i == 1);
        assert_int_equal(json_as_string(value, NULL) != NULL, i == 4);
        assert_null(json_get(value, "x"));
        assert_null(json_at(value, 0));
        assert_int_equal(json_size(value), 0);
    }
    assert_int_equal(json_kind(NULL), JSON_KIND_ABSENT);
    assert_null(json_root(NULL));
    assert_null(json_get(NULL, "x"));
    assert_null(json_at(NULL, 0));
    assert_null(json_as_string(NULL, NULL));
    json_free(d);
    json_free(NULL);
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    struct json_document *d = parse("\xEF\xBB\xBF[1]");
    assert_int_equal(json_size(json_root(d)), 1);
    json_free(d);
    refuse("\xEF\xBB\xBF", "not valid JSON");
}

static void broken_text_becomes_replacement_characters(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *text;
    } cases[] = {
        {"[\"a\xFFz\"]", "a\xEF\xBF\xBDz"},
        {"[\"\xE2\x82\"]", "\xEF\xBF\xBD"},
        {"[\"\\ud800\"]", "\xEF\xBF\xBD"},
        {"[\"\\uDC00x\"]", "\xEF\xBF\xBDx"},
        {"[\"\\ud800\\ud800\"]", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"[\"\\ud83d\\ude00\"]", "\xF0\x9F\x98\x80"}, /* a pair is one code point */
        {"[\"\\ud800\\u0041\"]", "\xEF\xBF\xBD"
                                 "A"},
        {"[\"\\\\ud800\"]", "\\ud800"}, /* an escaped backslash, not an escape */
        {"[\"\\\\\\ud800\"]", "\\\xEF\xBF\xBD"},
        {"[\"\\n\\\"\\/\xFF\"]", "\n\"/\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_document *d = parse(cases[i].json);
        assert_string_equal(json_as_string(json_at(json_root(d), 0), NULL), cases[i].text);
        json_free(d);
    }
}

static void nul_in_text_is_counted(void **state)
{
    (void)state;
    size_t bytes;
    struct json_document *d = parse("[\"a\\u0000b\"]");
    assert_memory_equal(json_as_string(json_at(json_root(d), 0), &bytes), "a\0b", 4);
    assert_int_equal(bytes, 3);
    json_free(d);
}

static void the_last_of_duplicate_keys_wins(void **state)
{
    (void)state;
    int64_t value;
    struct json_document *d = parse("{\"a\": 1, \"b\": 5, \"a\": 2}");
    assert_true(json_as_integer(json_get(json_root(d), "a"), &value));
    assert_int_equal(value, 2);
    assert_int_equal(json_size(json_root(d)), 2);
    json_free(d);
}

static void members_are_walked_in_file_order(void **state)
{
    (void)state;
    struct json_document *d = parse("{\"z\": 1, \"a\": 2, \"m\": 3}");
    void *iterator = NULL;
    const char *key;
    const struct json *value;
    static const char *const keys[] = {"z", "a", "m"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(json_next(json_root(d), &iterator, &key, &value));
        assert_string_equal(key, keys[i]);
    }
    assert_false(json_next(json_root(d), &iterator, &key, &value));
    iterator = NULL;
    assert_false(json_next(NULL, &iterator, &key, &value));
    json_free(d);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    char text[2 * (JSON_DEPTH_MAX + 1) + 1];
    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        if (depth == JSON_DEPTH_MAX) {
            json_free(parse(text));
        } else {
            refuse(text, "nested deeper than 64");
        }
    }
    struct json_document *d =
        parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[\\\"[[[[\"]"); /* brackets in text are text */
    json_free(d);
}

static void what_is_not_json_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     " ",     "[1] x",       "[1][2]", "[NaN]",     "[Infinity]", "[-]",
        "[01]", "[1,]",  "{\"a\":}",    "{a: 1}", "['a']",     "[\"a]",      "[\"\t\"]",
        "nul",  "[1 2]", "// x\n[]",    "<html>", "[\"\\x\"]", "{\"a\" 1}",  "[+1]",
        "[.5]", "[1.]",  "[\"\\u12\"]", "]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refuse(bad[i], "not valid JSON (line ");
    }
    refuse("[1,\n2,\n oops]", "line 3, column ");
    struct json_document *d;
    struct error err;
    assert_int_equal(json_parse("[\"secret words\" oops]", 21, &d, &err), ERROR_FORMAT);
    assert_null(strstr(err.message, "oops")); /* places, never content */
}

static void bare_values_are_documents(void **state)
{
    (void)state;
    struct json_document *d = parse(" \"x\" ");
    assert_string_equal(json_as_string(json_root(d), NULL), "x");
    json_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_are_those_of_the_rfc),
        cmocka_unit_test(pointers_to_nothing_are_null),
        cmocka_unit_test(text_that_is_no_pointer_is_told),
        cmocka_unit_test(integers_are_exact_and_reals_only_when_whole),
        cmocka_unit_test(kinds_and_wrong_types_are_told_apart),
        cmocka_unit_test(a_byte_order_mark_is_passed_over),
        cmocka_unit_test(broken_text_becomes_replacement_characters),
        cmocka_unit_test(nul_in_text_is_counted),
        cmocka_unit_test(the_last_of_duplicate_keys_wins),
        cmocka_unit_test(members_are_walked_in_file_order),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
        cmocka_unit_test(bare_values_are_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
