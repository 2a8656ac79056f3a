/* test_language.c - which tags are tags, and what a model knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/language.h"

/* From the grammar of RFC 5646, section 2.1. */
static void test_what_is_a_tag_and_what_is_not(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *tag; /* "": none */
    } cases[] = {
        {"en", "en"},
        {"en-US", "en-US"},
        {"pt_BR", "pt-BR"},
        {"gsw", "gsw"},
        {"zh-Hant-TW", "zh-Hant-TW"},
        {"de-CH-1996", "de-CH-1996"},
        {"", ""},
        {"e", ""},
        {"English", ""},
        {"en-", ""},
        {"en--US", ""},
        {"-en", ""},
        {"e1", ""},
        {"en US", ""},
        {"en-abcdefghi", ""},
        {"en-\xC3\xA9", ""},
        {"und", ""},
        {"mul", ""},
        {"zxx-Latn", ""},
        {"en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd", ""}, /* 38 characters */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[LANGUAGE_BYTES];
        assert_int_equal(language_read(cases[i].text, out), cases[i].tag[0] != '\0');
        assert_string_equal(out, cases[i].tag);
    }
}

static void test_a_model_knows_its_languages_in_all_their_forms(void **state)
{
    (void)state;
    struct language_set set = {0};
    assert_true(language_set_knows(&set, "de")); /* nothing is said of the model */
    assert_true(language_set_add(&set, "en"));
    assert_true(language_set_add(&set, "pt-BR"));
    assert_false(language_set_add(&set, "everything"));
    assert_int_equal(set.count, 2);
    assert_true(language_set_knows(&set, "EN-au"));
    assert_true(language_set_knows(&set, "pt"));
    assert_true(language_set_knows(&set, "")); /* nothing is said of the call */
    assert_false(language_set_knows(&set, "eng"));
    assert_false(language_set_knows(&set, "es-US"));
    assert_true(language_set_add(&set, "multi"));
    assert_true(language_set_knows(&set, "es-US"));
}

static void test_what_is_sure_to_be_english(void **state)
{
    (void)state;
    struct language_set set = {0};
    assert_true(language_is(&set, "en-AU", "en"));
    assert_false(language_is(&set, "", "en")); /* nothing is said of call and model */
    assert_true(language_set_add(&set, "en-GB"));
    assert_true(language_set_add(&set, "EN-us"));
    assert_true(language_is(&set, "", "en"));
    assert_false(language_is(&set, "eng", "en"));
    assert_true(language_set_add(&set, "de"));
    assert_false(language_is(&set, "", "en"));
    assert_true(language_is(&set, "en", "en"));
    struct language_set multi = {0};
    assert_true(language_set_add(&multi, "multi"));
    assert_false(language_is(&multi, "", "en"));
    assert_false(language_is(&multi, "de", "en"));
}

static void test_a_set_has_room_for_so_many(void **state)
{
    (void)state;
    struct language_set set = {0};
    for (int i = 0; i < LANGUAGE_SET_MAX; i++) {
        assert_true(language_set_add(&set, "en"));
    }
    assert_false(language_set_add(&set, "de"));
    assert_false(language_set_knows(&set, "de"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_a_tag_and_what_is_not),
        cmocka_unit_test(test_a_model_knows_its_languages_in_all_their_forms),
        cmocka_unit_test(test_what_is_sure_to_be_english),
        cmocka_unit_test(test_a_set_has_room_for_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
