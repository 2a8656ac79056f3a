/* What "did you mean" offers, and what it keeps silent about. */
#include "base/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void distances_are_those_of_the_literature(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance("", ""), 0);
    assert_int_equal(suggest_distance("", "abc"), 3);
    assert_int_equal(suggest_distance("kitten", "sitting"), 3); /* Levenshtein's textbook pair */
    assert_int_equal(suggest_distance("saturday", "sunday"), 3);
    assert_int_equal(suggest_distance("ca", "ac"), 1);  /* one swap */
    assert_int_equal(suggest_distance("ca", "abc"), 3); /* restricted: a swap is not edited again */
    assert_int_equal(suggest_distance("treshold", "threshold"), 1);
}

static void distance_is_symmetric(void **state)
{
    (void)state;
    static const char *const words[] = {"score", "socre", "replay", "relpay", "x", "bench", ""};
    for (size_t i = 0; i < 7; i++) {
        for (size_t j = 0; j < 7; j++) {
            assert_int_equal(suggest_distance(words[i], words[j]),
                             suggest_distance(words[j], words[i]));
        }
    }
}

static void a_word_too_long_is_infinitely_far(void **state)
{
    (void)state;
    char word[SUGGEST_WORD_BYTES_MAX + 2];
    memset(word, 'a', sizeof word);
    word[SUGGEST_WORD_BYTES_MAX + 1] = '\0';
    assert_true(suggest_distance(word, "a") == SIZE_MAX);
    word[SUGGEST_WORD_BYTES_MAX] = '\0';
    assert_int_equal(suggest_distance(word, "a"), SUGGEST_WORD_BYTES_MAX - 1);
}

static void the_nearest_plausible_word_wins(void **state)
{
    (void)state;
    struct suggest best = {0};
    suggest_offer(&best, "socre", "bench");
    assert_null(best.word);
    suggest_offer(&best, "socre", "scare");
    suggest_offer(&best, "socre", "score");
    assert_string_equal(best.word, "score");
    best = (struct suggest){0};
    suggest_offer(&best, "ab", "xy"); /* every letter differs: no slip */
    assert_null(best.word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_those_of_the_literature),
        cmocka_unit_test(distance_is_symmetric),
        cmocka_unit_test(a_word_too_long_is_infinitely_far),
        cmocka_unit_test(the_nearest_plausible_word_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
