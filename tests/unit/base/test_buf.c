/* A buffer never passes its limit, and a failure stays until it is cleared. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void appends_keep_a_terminating_nul(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    assert_string_equal(buf_string(&buf), "");
    assert_null(buf.bytes);
    assert_true(buf_append_string(&buf, "ab"));
    assert_true(buf_append(&buf, "c\0d", 3));
    assert_true(buf_append_char(&buf, 'e'));
    assert_true(buf_printf(&buf, "%03d", 7));
    assert_int_equal(buf.size, 9);
    assert_memory_equal(buf.bytes, "abc\0de007", 10);
    assert_true(buf_append(&buf, NULL, 0));
    buf_done(&buf);
    assert_string_equal(buf_string(&buf), "");
    assert_true(buf_append_string(&buf, "again"));
    buf_done(&buf);
}

static void the_limit_is_exact(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 200; limit++) {
        struct buf buf;
        buf_init(&buf, limit);
        for (size_t i = 0; i < limit; i++) {
            assert_true(buf_append_char(&buf, 'x'));
        }
        assert_false(buf.failed);
        assert_false(buf_append_char(&buf, 'y'));
        assert_true(buf.failed);
        assert_int_equal(buf.size, limit);
        assert_int_equal(strlen(buf_string(&buf)), limit);
        buf_done(&buf);
    }
}

static void a_failure_is_remembered_and_changes_nothing(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4);
    assert_true(buf_append_string(&buf, "abc"));
    assert_false(buf_append_string(&buf, "de"));
    assert_string_equal(buf_string(&buf), "abc");
    assert_true(buf_append_string(&buf, "d")); /* there is room, but the failure is not forgotten */
    assert_true(buf.failed);
    assert_false(buf_printf(&buf, "%s", "longer"));
    assert_string_equal(buf_string(&buf), "abcd");
    buf_clear(&buf);
    assert_false(buf.failed);
    assert_string_equal(buf_string(&buf), "");
    assert_int_equal(buf.limit, 4);
    buf_done(&buf);
}

static void huge_sizes_do_not_wrap_around(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    assert_true(buf_append_string(&buf, "abc"));
    assert_false(buf_reserve(&buf, SIZE_MAX));
    assert_false(buf_reserve(&buf, SIZE_MAX - 2));
    assert_false(buf_append(&buf, "x", SIZE_MAX - 3));
    assert_string_equal(buf_string(&buf), "abc");
    buf_done(&buf);
    buf_init(&buf, SIZE_MAX); /* no limit is no limit we accept */
    assert_false(buf_append_char(&buf, 'x'));
    buf_done(&buf);
}

static void consuming_drops_the_front(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    buf_consume(&buf, 0);
    buf_append_string(&buf, "abcdef");
    buf_consume(&buf, 2);
    assert_string_equal(buf_string(&buf), "cdef");
    buf_consume(&buf, 4);
    assert_string_equal(buf_string(&buf), "");
    assert_true(buf_append_string(&buf, "x"));
    assert_string_equal(buf_string(&buf), "x");
    buf_done(&buf);
}

static void many_appends_give_what_was_appended(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    for (unsigned i = 0; i < 100000; i++) {
        assert_true(buf_append_char(&buf, (char)('a' + i % 26)));
    }
    for (unsigned i = 0; i < 100000; i++) {
        assert_int_equal(buf.bytes[i], 'a' + i % 26);
    }
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_keep_a_terminating_nul),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(a_failure_is_remembered_and_changes_nothing),
        cmocka_unit_test(huge_sizes_do_not_wrap_around),
        cmocka_unit_test(consuming_drops_the_front),
        cmocka_unit_test(many_appends_give_what_was_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
