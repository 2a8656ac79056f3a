/* Numbers in bytes: the bytes are what the format says, and reading never passes the end. */
#include "base/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void bytes_are_little_endian(void **state)
{
    (void)state;
    static const unsigned char wanted[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f, 0x0e,
                                           0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08, 0xfe, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 'h',  'i'};
    struct buf out;
    buf_init(&out, 100);
    pack_u8(&out, 1);
    pack_u16(&out, 0x0203);
    pack_u32(&out, 0x04050607);
    pack_u64(&out, 0x08090a0b0c0d0e0f);
    pack_i64(&out, -2);
    pack_text(&out, "hi");
    assert_false(out.failed);
    assert_int_equal(out.size, sizeof wanted);
    assert_memory_equal(out.bytes, wanted, sizeof wanted);

    struct unpack in = unpack_from(out.bytes, out.size);
    char text[3];
    assert_int_equal(unpack_u8(&in), 1);
    assert_int_equal(unpack_u16(&in), 0x0203);
    assert_int_equal(unpack_u32(&in), 0x04050607);
    assert_true(unpack_u64(&in) == 0x08090a0b0c0d0e0f);
    assert_true(unpack_i64(&in) == -2);
    unpack_text(&in, text, sizeof text);
    assert_string_equal(text, "hi");
    assert_false(in.failed);
    assert_int_equal(in.left, 0);
    buf_done(&out);
}

static void reading_past_the_end_fails_for_good(void **state)
{
    (void)state;
    struct unpack in = unpack_from("\1\2\3", 3);
    assert_int_equal(unpack_u32(&in), 0);
    assert_true(in.failed);
    assert_int_equal(unpack_u8(&in), 0);
    assert_true(in.failed);
}

static void values_out_of_range_fail(void **state)
{
    (void)state;
    struct unpack in = unpack_from("\1\4", 2);
    assert_true(unpack_bool(&in));
    assert_int_equal(unpack_upto(&in, 3), 0);
    assert_true(in.failed);
    in = unpack_from("\2", 1);
    assert_false(unpack_bool(&in));
    assert_true(in.failed);
}

static void texts_that_do_not_fit_fail(void **state)
{
    (void)state;
    static const char *const bad[] = {"\3\0abc", "\2\0a\0", "\5\0ab"};
    static const size_t sizes[] = {5, 4, 4};
    for (size_t i = 0; i < 3; i++) {
        char text[3] = "zz";
        struct unpack in = unpack_from(bad[i], sizes[i]);
        unpack_text(&in, text, sizeof text);
        assert_true(in.failed);
        assert_string_equal(text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_little_endian),
        cmocka_unit_test(reading_past_the_end_fails_for_good),
        cmocka_unit_test(values_out_of_range_fail),
        cmocka_unit_test(texts_that_do_not_fit_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
