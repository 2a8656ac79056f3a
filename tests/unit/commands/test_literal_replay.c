/* The small parts of the literal replay against what CPython 3.11 answers. */
#include "commands/literal_replay.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* [c for c in range(0x110000) if not chr(c).strip()] */
static const uint32_t python_spaces[] = {
    0x9,    0xa,    0xb,    0xc,    0xd,    0x1c,   0x1d,   0x1e,   0x1f,   0x20,
    0x85,   0xa0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
    0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};

static void test_blank_is_what_strip_empties(void **state)
{
    size_t next = 0;
    (void)state;
    assert_true(literal_replay_is_blank("", 0));
    for (uint32_t c = 0; c < 0x110000; c++) {
        char text[UTF8_BYTES_MAX];
        bool expected =
            next < sizeof python_spaces / sizeof python_spaces[0] && python_spaces[next] == c;
        next += expected;
        if (c >= 0xD800 && c <= 0xDFFF) {
            continue;
        }
        if (literal_replay_is_blank(text, utf8_encode(c, text)) != expected) {
            fail_msg("U+%04X", (unsigned)c);
        }
    }
    assert_int_equal(next, sizeof python_spaces / sizeof python_spaces[0]);
    assert_false(literal_replay_is_blank(" x ", 3));
}

/* len(text[:512].encode()) */
static void test_text_is_cut_at_512_characters(void **state)
{
    char text[4 * 600];
    (void)state;
    memset(text, 'a', sizeof text);
    assert_int_equal(literal_replay_cut(text, 511), 511);
    assert_int_equal(literal_replay_cut(text, 512), 512);
    assert_int_equal(literal_replay_cut(text, 513), 512);
    for (size_t i = 0; i < 600; i++) {
        memcpy(text + 4 * i, "\xF0\x9F\x98\xA1", 4);
    }
    assert_int_equal(literal_replay_cut(text, sizeof text), 2048);
    assert_int_equal(literal_replay_cut(text, 400), 400);
}

static void test_labels_are_compared_as_written_or_in_any_case(void **state)
{
    (void)state;
    assert_true(literal_replay_label_score("POSITIVE", false) == 1.0);
    assert_true(literal_replay_label_score("NEGATIVE", false) == 0.0);
    assert_true(literal_replay_label_score("negative", false) == 0.5);
    assert_true(literal_replay_label_score("Negative", false) == 0.5);
    assert_true(literal_replay_label_score("negative", true) == 0.0);
    assert_true(literal_replay_label_score("Positive", true) == 1.0);
    assert_true(literal_replay_label_score("LABEL_0", true) == 0.5);
}

/* str(round(x, 3)), ties and all. */
static void test_scores_are_written_as_python_writes_them(void **state)
{
    static const struct {
        double mean;
        const char *written;
    } cases[] = {{0.0, "0.0"},      {1.0, "1.0"},      {0.5, "0.5"},       {0.28, "0.28"},
                 {0.0625, "0.062"}, {0.1875, "0.188"}, {1.0 / 3, "0.333"}, {2.0 / 3, "0.667"},
                 {0.0004, "0.0"},   {0.0005, "0.001"}, {0.9996, "1.0"},    {0.2005, "0.201"},
                 {0.1005, "0.101"}, {0.3335, "0.334"}, {0.01, "0.01"}};
    char out[LITERAL_REPLAY_SCORE_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(literal_replay_format(cases[i].mean, out), cases[i].written);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blank_is_what_strip_empties),
        cmocka_unit_test(test_text_is_cut_at_512_characters),
        cmocka_unit_test(test_labels_are_compared_as_written_or_in_any_case),
        cmocka_unit_test(test_scores_are_written_as_python_writes_them),
    };
    return cmocka_run_group_tests_name("literal replay", tests, NULL, NULL);
}
