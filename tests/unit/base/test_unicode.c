/* Expected values: UnicodeData.txt, PropList.txt and SpecialCasing.txt as published. */
#include "base/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void categories_are_those_of_the_database(void **state)
{
    (void)state;
    static const struct {
        uint32_t code_point;
        enum unicode_category category;
    } cases[] = {
        {0, UNICODE_CATEGORY_CC},          {' ', UNICODE_CATEGORY_ZS},
        {'A', UNICODE_CATEGORY_LU},        {'a', UNICODE_CATEGORY_LL},
        {0x1C5, UNICODE_CATEGORY_LT},      {0x2B0, UNICODE_CATEGORY_LM},
        {0x5D0, UNICODE_CATEGORY_LO},      {0x301, UNICODE_CATEGORY_MN},
        {0x903, UNICODE_CATEGORY_MC},      {0x20DD, UNICODE_CATEGORY_ME},
        {'7', UNICODE_CATEGORY_ND},        {0x2160, UNICODE_CATEGORY_NL},
        {0xBD, UNICODE_CATEGORY_NO},       {'_', UNICODE_CATEGORY_PC},
        {'-', UNICODE_CATEGORY_PD},        {'(', UNICODE_CATEGORY_PS},
        {']', UNICODE_CATEGORY_PE},        {0xAB, UNICODE_CATEGORY_PI},
        {0x2019, UNICODE_CATEGORY_PF},     {'!', UNICODE_CATEGORY_PO},
        {'+', UNICODE_CATEGORY_SM},        {'$', UNICODE_CATEGORY_SC},
        {'^', UNICODE_CATEGORY_SK},        {0x1F600, UNICODE_CATEGORY_SO},
        {0x2028, UNICODE_CATEGORY_ZL},     {0x2029, UNICODE_CATEGORY_ZP},
        {0x200B, UNICODE_CATEGORY_CF},     {0xD800, UNICODE_CATEGORY_CS},
        {0xE000, UNICODE_CATEGORY_CO},     {0x378, UNICODE_CATEGORY_CN},
        {0xFFFF, UNICODE_CATEGORY_CN},     {0x110000, UNICODE_CATEGORY_CN},
        {0x4E00, UNICODE_CATEGORY_LO},     {0xAC00, UNICODE_CATEGORY_LO},
        {UINT32_MAX, UNICODE_CATEGORY_CN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(unicode_category(cases[i].code_point), cases[i].category);
    }
}

static void white_space_is_the_25_code_points_of_proplist(void **state)
{
    (void)state;
    static const uint32_t expected[] = {
        0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x20,   0x85,   0xA0,   0x1680,
        0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008,
        0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
    };
    size_t found = 0;
    for (uint32_t c = 0; c < 0x110000; c++) {
        if (unicode_is_white_space(c)) {
            assert_true(found < sizeof expected / sizeof expected[0]);
            assert_int_equal(c, expected[found]);
            found++;
        }
    }
    assert_int_equal(found, 25);
}

static void punctuation_is_category_p_and_not_symbols(void **state)
{
    (void)state;
    assert_true(unicode_is_punctuation('!'));
    assert_true(unicode_is_punctuation('_'));
    assert_true(unicode_is_punctuation(0x2014));
    assert_true(unicode_is_punctuation(0x3002));
    assert_false(unicode_is_punctuation('$'));
    assert_false(unicode_is_punctuation('^'));
    assert_false(unicode_is_punctuation('a'));
    assert_false(unicode_is_punctuation(0x20AC));
}

static void word_characters_are_letters_marks_digits_and_joiners(void **state)
{
    (void)state;
    static const uint32_t words[] = {'a',   'Z',    '0',    '_',    0xE9,
                                     0x301, 0x4E00, 0x200D, 0x24B6, 0x1F130};
    static const uint32_t others[] = {' ', '-', '$', 0xBD, 0x200B, 0x1F600, 0xE000, 0x378};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_true(unicode_is_word(words[i]));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(unicode_is_word(others[i]));
    }
}

static void lower_case_maps_one_to_one_but_for_dotted_i(void **state)
{
    (void)state;
    static const uint32_t pairs[][2] = {{'A', 'a'},       {'z', 'z'},       {'1', '1'},
                                        {0xC9, 0xE9},     {0x3A3, 0x3C3},   {0x1E9E, 0xDF},
                                        {0x2126, 0x3C9},  {0x1C5, 0x1C6},   {0x10400, 0x10428},
                                        {0x13A0, 0xAB70}, {0xD800, 0xD800}, {0x110000, 0x110000}};
    uint32_t out[UNICODE_LOWER_MAX];
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_int_equal(unicode_lower(pairs[i][0], out), 1);
        assert_int_equal(out[0], pairs[i][1]);
    }
    size_t longer = 0;
    for (uint32_t c = 0; c < 0x110000; c++) {
        longer += unicode_lower(c, out) > 1;
    }
    assert_int_equal(longer, 1);
    assert_int_equal(unicode_lower(0x130, out), 2);
    assert_int_equal(out[0], 'i');
    assert_int_equal(out[1], 0x307);
}

static void decomposition_is_canonical_and_full(void **state)
{
    (void)state;
    static const struct {
        uint32_t code_point;
        size_t count;
        uint32_t parts[4];
    } cases[] = {
        {'a', 1, {'a'}},
        {0xE9, 2, {'e', 0x301}},
        {0x1E69, 3, {'s', 0x323, 0x307}},          /* needs two steps */
        {0x1F82, 4, {0x3B1, 0x313, 0x300, 0x345}}, /* the longest there is */
        {0x212B, 2, {'A', 0x30A}},                 /* through a singleton */
        {0xAC01, 3, {0x1100, 0x1161, 0x11A8}},     /* Hangul is algorithmic */
        {0xAC00, 2, {0x1100, 0x1161}},
        {0x1D160, 3, {0x1D158, 0x1D165, 0x1D16E}},
        {0xFB01, 1, {0xFB01}}, /* compatibility only: stays */
        {0xD800, 1, {0xD800}},
        {0x110000, 1, {0x110000}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t out[UNICODE_DECOMPOSED_MAX];
        assert_int_equal(unicode_decompose(cases[i].code_point, out), cases[i].count);
        for (size_t j = 0; j < cases[i].count; j++) {
            assert_int_equal(out[j], cases[i].parts[j]);
        }
    }
}

static void combining_classes_are_those_of_the_database(void **state)
{
    (void)state;
    assert_int_equal(unicode_combining_class('a'), 0);
    assert_int_equal(unicode_combining_class(0x301), 230);
    assert_int_equal(unicode_combining_class(0x323), 220);
    assert_int_equal(unicode_combining_class(0x334), 1);
    assert_int_equal(unicode_combining_class(0x345), 240);
    assert_int_equal(unicode_combining_class(0x302E), 224);
    assert_int_equal(unicode_combining_class(0x1B44), 9);
    assert_int_equal(unicode_combining_class(0x110000), 0);
}

/* GraphemeBreakProperty.txt and emoji-data.txt. */
static void grapheme_classes_are_those_of_the_database(void **state)
{
    (void)state;
    static const struct {
        uint32_t code_point;
        enum unicode_grapheme class;
    } cases[] = {
        {'a', UNICODE_GRAPHEME_OTHER},
        {'\r', UNICODE_GRAPHEME_CR},
        {'\n', UNICODE_GRAPHEME_LF},
        {0x200B, UNICODE_GRAPHEME_CONTROL},
        {0x301, UNICODE_GRAPHEME_EXTEND},
        {0x200D, UNICODE_GRAPHEME_ZWJ},
        {0x903, UNICODE_GRAPHEME_SPACING_MARK},
        {0x600, UNICODE_GRAPHEME_PREPEND},
        {0x1100, UNICODE_GRAPHEME_L},
        {0x1161, UNICODE_GRAPHEME_V},
        {0x11A8, UNICODE_GRAPHEME_T},
        {0xAC00, UNICODE_GRAPHEME_LV},
        {0xAC01, UNICODE_GRAPHEME_LVT},
        {0x1F1E6, UNICODE_GRAPHEME_REGIONAL_INDICATOR},
        {0x1F600, UNICODE_GRAPHEME_PICTOGRAPH},
        {0x110000, UNICODE_GRAPHEME_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(unicode_grapheme(cases[i].code_point), cases[i].class);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(categories_are_those_of_the_database),
        cmocka_unit_test(white_space_is_the_25_code_points_of_proplist),
        cmocka_unit_test(punctuation_is_category_p_and_not_symbols),
        cmocka_unit_test(word_characters_are_letters_marks_digits_and_joiners),
        cmocka_unit_test(lower_case_maps_one_to_one_but_for_dotted_i),
        cmocka_unit_test(decomposition_is_canonical_and_full),
        cmocka_unit_test(combining_classes_are_those_of_the_database),
        cmocka_unit_test(grapheme_classes_are_those_of_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
