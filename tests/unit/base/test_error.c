/* Errors are filled once, prefixed on the way up, and never overflow. */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void setting_records_code_and_message(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(error_set(&err, ERROR_FORMAT, "line %d", 7), ERROR_FORMAT);
    assert_int_equal(err.code, ERROR_FORMAT);
    assert_false(err.retriable);
    assert_string_equal(err.message, "line 7");
    assert_int_equal(error_set_retriable(&err, ERROR_NETWORK, "gone"), ERROR_NETWORK);
    assert_true(err.retriable);
}

static void wrapping_prefixes_and_keeps_code(void **state)
{
    (void)state;
    struct error err;
    error_set_retriable(&err, ERROR_NETWORK, "refused");
    assert_int_equal(error_wrap(&err, "poll %s", "x"), ERROR_NETWORK);
    assert_int_equal(error_wrap(&err, "run"), ERROR_NETWORK);
    assert_string_equal(err.message, "run: poll x: refused");
    assert_true(err.retriable);
}

static void no_length_overflows(void **state)
{
    (void)state;
    struct {
        struct error err;
        char guard[8];
    } box;
    char text[2 * ERROR_MESSAGE_BYTES];
    memset(box.guard, 'g', sizeof box.guard);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&box.err, ERROR_IO, "%s", text);
    assert_int_equal(strlen(box.err.message), ERROR_MESSAGE_BYTES - 1);
    error_set(&box.err, ERROR_IO, "the inner part");
    error_wrap(&box.err, "%s", text);
    assert_int_equal(strlen(box.err.message) < ERROR_MESSAGE_BYTES, 1);
    assert_non_null(strstr(box.err.message, ": the inner part")); /* a long prefix leaves room */
    for (int i = 0; i < 20; i++) {
        error_wrap(&box.err, "%s", "0123456789012345678901234567890123456789");
    }
    assert_true(strlen(box.err.message) < ERROR_MESSAGE_BYTES);
    assert_memory_equal(box.guard, "gggggggg", 8);
}

static void a_null_error_still_returns_the_code(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERROR_LIMIT, "x"), ERROR_LIMIT);
    assert_int_equal(error_set_retriable(NULL, ERROR_IO, "x"), ERROR_IO);
    assert_int_not_equal(error_wrap(NULL, "x"), 0); /* a failure stays one */
}

/* Statuses as sysexits.h numbers them. */
static void every_code_has_a_word_and_a_status(void **state)
{
    (void)state;
    static const struct {
        enum error_code code;
        const char *name;
        int status;
    } all[] = {
        {ERROR_NONE, "none", 0},
        {ERROR_USAGE, "usage", 64},
        {ERROR_CONFIG, "config", 78},
        {ERROR_MEMORY, "memory", 1},
        {ERROR_IO, "io", 1},
        {ERROR_FORMAT, "format", 78},
        {ERROR_LIMIT, "limit", 78},
        {ERROR_UNSUPPORTED, "unsupported", 78},
        {ERROR_NETWORK, "network", 69},
        {ERROR_PERMISSION, "permission", 77},
        {ERROR_INTERNAL, "internal", 1},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_string_equal(error_name(all[i].code), all[i].name);
        assert_int_equal(error_exit_status(all[i].code), all[i].status);
    }
    assert_string_equal(error_name((enum error_code)99), "unknown");
    assert_int_equal(error_exit_status((enum error_code)99), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_records_code_and_message),
        cmocka_unit_test(wrapping_prefixes_and_keeps_code),
        cmocka_unit_test(no_length_overflows),
        cmocka_unit_test(a_null_error_still_returns_the_code),
        cmocka_unit_test(every_code_has_a_word_and_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
