/* Numbers at and past the edges of 64 bits (RFC 8259, section 6). */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct json_document *parse(const char *text)
{
    struct error err = {0};
    struct json_document *document = NULL;
    if (json_parse(text, strlen(text), &document, &err)) {
        fail_msg("%s", err.message);
    }
    return document;
}

static void sixty_four_bit_integers_stay_exact(void **state)
{
    (void)state;
    struct json_document *document = parse("[9223372036854775807, -9223372036854775808]");
    int64_t value;
    assert_true(json_as_integer(json_at(json_root(document), 0), &value));
    assert_true(value == INT64_MAX);
    assert_true(json_as_integer(json_at(json_root(document), 1), &value));
    assert_true(value == INT64_MIN);
    json_free(document);
}

static void a_larger_integer_becomes_a_double_and_leaves_the_others_usable(void **state)
{
    (void)state;
    struct json_document *document =
        parse("{\"limit\": 1000000000000000019884624838656, \"count\": 512}");
    double number;
    int64_t integer;
    assert_true(json_as_number(json_get(json_root(document), "limit"), &number));
    assert_true(number == 1e30);
    assert_false(json_as_integer(json_get(json_root(document), "limit"), &integer));
    assert_true(json_as_integer(json_get(json_root(document), "count"), &integer));
    assert_int_equal(integer, 512);
    json_free(document);
}

static void a_number_that_no_double_holds_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct json_document *document = NULL;
    assert_int_equal(json_parse("[1e999]", 7, &document, &err), ERROR_FORMAT);
    assert_null(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_four_bit_integers_stay_exact),
        cmocka_unit_test(a_larger_integer_becomes_a_double_and_leaves_the_others_usable),
        cmocka_unit_test(a_number_that_no_double_holds_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
