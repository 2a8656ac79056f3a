/* Decoding and encoding against the Unicode standard: every code point, and the malformed
 * sequences of its section 3.9. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static void every_code_point_comes_back(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char bytes[UTF8_BYTES_MAX];
        uint32_t back;
        bool valid;
        size_t size = utf8_encode(c, bytes);
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        size_t wanted = surrogate ? 3 : c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        if (size != wanted || utf8_decode(bytes, size, &back, &valid) != size || !valid ||
            back != (surrogate ? (uint32_t)UTF8_REPLACEMENT : c)) {
            fail_msg("U+%04X", (unsigned)c);
        }
    }
    char bytes[UTF8_BYTES_MAX];
    assert_int_equal(utf8_encode(0x110000, bytes), 3);
    assert_memory_equal(bytes, "\xEF\xBF\xBD", 3);
    assert_int_equal(utf8_encode(UINT32_MAX, bytes), 3);
}

/* Code points and the number of bytes each took; FFFD marks a malformed part. */
struct decoding {
    const char *bytes;
    const char *expected;
};

/* Tables 3-8 to 3-11 of the standard (version 15, "U+FFFD Substitution of Maximal Subparts"). */
static const struct decoding decodings[] = {
    {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41",
     "FFFD1 FFFD1 FFFD1 FFFD1 FFFD1 FFFD1 FFFD1 FFFD1 411 "},
    {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41",
     "FFFD1 FFFD1 FFFD1 FFFD1 FFFD1 FFFD1 FFFD1 FFFD1 411 "},
    {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "FFFD1 FFFD1 FFFD1 FFFD1 FFFD1 411 FFFD1 FFFD1 421 "},
    {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "FFFD2 FFFD1 FFFD3 FFFD2 411 "},
    {"\xC2", "FFFD1 "},
    {"\xE2\x82", "FFFD2 "},
    {"\xF0\x9F\x98", "FFFD3 "},
    {"\xF5\x80\x80\x80", "FFFD1 FFFD1 FFFD1 FFFD1 "},
    {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "E92 20AC3 1F6004 "},
};

static void malformed_parts_are_maximal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof decodings / sizeof decodings[0]; i++) {
        char got[256] = "";
        const char *at = decodings[i].bytes;
        size_t left = strlen(at);
        bool all_valid = true;
        while (left > 0) {
            uint32_t c;
            bool valid;
            size_t taken = utf8_decode(at, left, &c, &valid);
            all_valid = all_valid && valid;
            size_t used = strlen(got);
            (void)snprintf(got + used, sizeof got - used, "%X%zu ", (unsigned)c, taken);
            at += taken;
            left -= taken;
        }
        assert_string_equal(got, decodings[i].expected);
        assert_int_equal(utf8_is_valid(decodings[i].bytes, strlen(decodings[i].bytes)), all_valid);
    }
}

/* Against a definition that shares no code: a sequence of two bytes is valid exactly when it is
 * two ASCII bytes or a lead C2..DF and a continuation. */
static void all_two_byte_sequences_are_judged_right(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const char bytes[2] = {(char)a, (char)b};
            bool wanted = (a < 0x80 && b < 0x80) || (a >= 0xC2 && a <= 0xDF && (b & 0xC0) == 0x80);
            assert_int_equal(utf8_is_valid(bytes, 2), wanted);
        }
    }
    assert_true(utf8_is_valid("", 0));
}

static void a_genuine_replacement_character_is_valid(void **state)
{
    (void)state;
    uint32_t c;
    bool valid;
    assert_int_equal(utf8_decode("\xEF\xBF\xBD", 3, &c, &valid), 3);
    assert_int_equal(c, UTF8_REPLACEMENT);
    assert_true(valid);
    assert_int_equal(utf8_decode("\xFF", 1, &c, NULL), 1);
    assert_int_equal(c, UTF8_REPLACEMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_comes_back),
        cmocka_unit_test(malformed_parts_are_maximal),
        cmocka_unit_test(all_two_byte_sequences_are_judged_right),
        cmocka_unit_test(a_genuine_replacement_character_is_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
