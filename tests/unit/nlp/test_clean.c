/* What cleaning removes, what it must leave, and its bounds on any bytes. Expected texts are
 * written by hand from clean.h; scores of cleaned text are not looked at here.
 */
#include "nlp/clean.h"

#include "base/rand.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 512 };

static void expect(const char *text, const char *expected)
{
    char out[TEXT_MAX * 3];
    size_t size = strlen(text);
    assert_true(size <= TEXT_MAX);
    size_t cleaned = clean_text(text, size, out);
    if (cleaned != strlen(expected) || memcmp(out, expected, cleaned) != 0) {
        fail_msg("\"%s\" became \"%.*s\"", text, (int)cleaned, out);
    }
}

static void plain_speech_is_left_alone(void **state)
{
    (void)state;
    expect("I have been waiting for twenty minutes.", "I have been waiting for twenty minutes.");
    expect("Don't SHOUT - it's 5:30, isn't it?", "Don't SHOUT - it's 5:30, isn't it?");
    expect("caf\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD", "caf\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD");
    expect("", "");
}

static void speech_tags_are_removed(void **state)
{
    (void)state;
    expect("[noise]", "");
    expect("well [laughter] okay", "well okay");
    expect("yes[noise]no", "yes no");
    expect("<unk> hello <laughter>", "hello");
    expect("hello [inaudible 00:12] there", "hello there");
    expect("[CROSS-TALK] [background_noise] ok", "ok");
    expect("<b>so</b> angry", "so angry");
    expect("[Gel\xC3\xA4"
           "chter] gut",
           "gut");
    expect("[noi\xE2\x80\x8Bse] ok", "ok"); /* a zero-width space hides nothing */
}

static void what_only_looks_like_a_tag_stays(void **state)
{
    (void)state;
    expect("[sic", "[sic");
    expect("a < b > c", "a < b > c");
    expect("[]", "[]");
    expect("<>", "<>");
    expect("[1]", "[1]");
    expect("[what?]", "[what?]");
    expect("noise]", "noise]");
    expect("<two words>", "<two words>");
    expect("I <3 you > them", "I <3 you > them");
    expect("[[noise] x", "[ x");
    expect("[a]", "");
}

static void a_tag_is_at_most_forty_characters(void **state)
{
    (void)state;
    expect("[abcdefghij abcdefghij abcdefghij abcdefg]", "");
    expect("[abcdefghij abcdefghij abcdefghij abcdefgh]",
           "[abcdefghij abcdefghij abcdefghij abcdefgh]");
}

static void a_cut_off_word_loses_its_tilde(void **state)
{
    (void)state;
    expect("har~ hard", "har hard");
    expect("har~", "har");
    expect("har~~, I mean", "har, I mean");
    expect("\xC3\xA9t\xC3\xA9~ oui", "\xC3\xA9t\xC3\xA9 oui");
    expect("~5 minutes", "~5 minutes");
    expect("a~b", "a~b");
    expect("so ~ what", "so ~ what");
}

static void white_space_is_one_space_and_the_ends_are_trimmed(void **state)
{
    (void)state;
    expect("  a \t\r\n b  ", "a b");
    expect("a\xC2\xA0\xE3\x80\x80\xE2\x80\xA8"
           "b",
           "a b");
    expect(" \t\n ", "");
    expect("a\vb\f\xC2\x85"
           "c",
           "a b c");
}

static void control_and_format_characters_are_removed(void **state)
{
    (void)state;
    expect("a\x01"
           "b\x7F"
           "c",
           "abc");
    expect("\xEF\xBB\xBFhello", "hello"); /* byte order mark */
    expect("co\xC2\xADop", "coop");       /* soft hyphen */
    expect("a\xE2\x80\x8B"
           "b\xE2\x80\x8D"
           "c\xE2\x80\x8E",
           "abc"); /* zero width, marks */
    char out[12];
    assert_int_equal(clean_text("a\0b", 3, out), 2);
    assert_memory_equal(out, "ab", 2);
}

static void a_joiner_stays_only_inside_an_emoji(void **state)
{
    (void)state;
    /* man, joiner, woman */
    expect("\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9",
           "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9");
    /* shrug, skin tone, joiner, male sign, variation selector 16 */
    expect("\xF0\x9F\xA4\xB7\xF0\x9F\x8F\xBD\xE2\x80\x8D\xE2\x99\x82\xEF\xB8\x8F",
           "\xF0\x9F\xA4\xB7\xF0\x9F\x8F\xBD\xE2\x80\x8D\xE2\x99\x82\xEF\xB8\x8F");
    expect("\xF0\x9F\x91\xA8\xE2\x80\x8D", "\xF0\x9F\x91\xA8");
    expect("\xE2\x80\x8D\xF0\x9F\x91\xA8", "\xF0\x9F\x91\xA8");
    expect("a\xE2\x80\x8D\xF0\x9F\x91\xA8", "a\xF0\x9F\x91\xA8");
}

static void malformed_bytes_become_replacement_characters(void **state)
{
    (void)state;
    expect("a\xFF"
           "b",
           "a\xEF\xBF\xBD"
           "b");
    expect("\xF0\x9F", "\xEF\xBF\xBD");
    expect("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void any_bytes_give_valid_text_within_the_bound(void **state)
{
    (void)state;
    static const char alphabet[] =
        "a[]<>/~ :-\t\x01\xC2\xAD\xE2\x80\x8D\xF0\x9F\x91\xA8\xFF\xED\xA0";
    struct rand rand;
    rand_seed(&rand, 7);
    for (int round = 0; round < 20000; round++) {
        size_t size = (size_t)rand_below(&rand, 48);
        char *text = malloc(size + 1); /* exact sizes, so that a sanitizer sees every overrun */
        char *out = malloc(size * 3 + 1);
        assert_non_null(text);
        assert_non_null(out);
        for (size_t i = 0; i < size; i++) {
            text[i] = round % 2 ? (char)rand_below(&rand, 256)
                                : alphabet[rand_below(&rand, sizeof alphabet - 1)];
        }
        size_t cleaned = clean_text(text, size, out);
        assert_true(cleaned <= size * 3);
        assert_true(utf8_is_valid(out, cleaned));
        assert_true(cleaned == 0 || (out[0] != ' ' && out[cleaned - 1] != ' '));
        for (size_t i = 1; i < cleaned; i++) {
            assert_false(out[i] == ' ' && out[i - 1] == ' ');
        }
        free(text);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_speech_is_left_alone),
        cmocka_unit_test(speech_tags_are_removed),
        cmocka_unit_test(what_only_looks_like_a_tag_stays),
        cmocka_unit_test(a_tag_is_at_most_forty_characters),
        cmocka_unit_test(a_cut_off_word_loses_its_tilde),
        cmocka_unit_test(white_space_is_one_space_and_the_ends_are_trimmed),
        cmocka_unit_test(control_and_format_characters_are_removed),
        cmocka_unit_test(a_joiner_stays_only_inside_an_emoji),
        cmocka_unit_test(malformed_bytes_become_replacement_characters),
        cmocka_unit_test(any_bytes_give_valid_text_within_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
