/* The lexicon's scores, from a table worked out by hand with the formula and rules of lexicon.h,
 * and its lists when they are wrong. */
#include "nlp/lexicon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTS UNDERTONE_SOURCE_DIR "/models/lexicon"

/* Shares of good words under Jeffreys' prior. */
#define GOOD_1      0.75
#define BAD_1       0.25
#define GOOD_2      (5.0 / 6)
#define BAD_2       (1.0 / 6)
#define BAD_3       0.125
#define ONE_OF_EACH 0.5
#define NEUTRAL     0.5
#define NOT_JUDGED  (-1.0)

static const struct {
    const char *text;
    double score;
} table[] = {
    {"this is great", GOOD_1},
    {"This is GREAT!", GOOD_1},
    {"that is terrible", BAD_1},
    {"terrible, awful", BAD_2},
    {"terrible awful horrible service", BAD_3},
    {"great and wonderful", GOOD_2},
    {"great", GOOD_1},
    {"it was great but the wait was awful", ONE_OF_EACH},

    /* negation: the three words before, however spelt */
    {"this is not great", BAD_1},
    {"not a very great idea", BAD_1},
    {"not what we would call great", GOOD_1},
    {"I don't love it", BAD_1},
    {"I don\xE2\x80\x99t love it", BAD_1},
    {"it was never awful", GOOD_1},
    {"no great wonderful things", BAD_2},
    {"no, no, that is great", GOOD_1},
    {"great, not", GOOD_1},

    /* nothing listed: facts are neutral, a single word is no fact */
    {"my number is five five five", NEUTRAL},
    {"okay then", NEUTRAL},
    {"okay", NOT_JUDGED},
    {"not", NOT_JUDGED},
    {"", NOT_JUDGED},
    {" ... ", NOT_JUDGED},
    {"' -- '", NOT_JUDGED},

    /* fillers of speech, whatever the list says of reviews */
    {"well like right I mean", NEUTRAL},

    /* words end where they should */
    {"greatest", GOOD_1},
    {"greatly-unlisted word", NEUTRAL},
    {"'great'", GOOD_1},
    {"a great-", GOOD_1},
    {"this is sh*t", BAD_1},
    {"how na\xC3\xAFve of", NEUTRAL},
    {"an f**k-up and an absent-minded clerk", BAD_1},
    {"envious people", NEUTRAL},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaagreat day", NEUTRAL},
};

static struct lexicon *open_lexicon(void)
{
    struct lexicon *lexicon;
    struct error err = {0};
    if (lexicon_open(&lexicon, LISTS, &err) != 0) {
        fail_msg("%s", err.message);
    }
    return lexicon;
}

static void scores_are_those_of_the_rules(void **state)
{
    (void)state;
    struct lexicon *lexicon = open_lexicon();
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double score = NOT_JUDGED;
        bool judged = lexicon_score(lexicon, table[i].text, strlen(table[i].text), &score);
        double difference = score - table[i].score;
        if (judged != (table[i].score >= 0) || difference > 1e-12 || difference < -1e-12) {
            fail_msg("\"%s\": %g, not %g", table[i].text, score, table[i].score);
        }
    }
    lexicon_close(lexicon);
}

static void any_bytes_are_read_without_harm(void **state)
{
    (void)state;
    struct lexicon *lexicon = open_lexicon();
    char *bytes = malloc(256); /* exact size: a sanitizer sees a read past it */
    assert_non_null(bytes);
    for (unsigned seed = 0; seed < 2000; seed++) {
        double score = 0;
        for (unsigned i = 0; i < 256; i++) {
            bytes[i] = (char)((seed * 2654435761u + i * i * 40503u) >> 11);
        }
        memcpy(bytes + 254, "\xE2\x80", 2);
        (void)lexicon_score(lexicon, bytes, 256, &score);
        assert_true(score >= 0 && score <= 1);
    }
    free(bytes);
    lexicon_close(lexicon);
}

static void wrong_lists_are_refused_by_name(void **state)
{
    (void)state;
    char folder[] = "/tmp/undertone-lexicon-XXXXXX";
    char path[64];
    struct lexicon *lexicon;
    struct error err = {0};
    assert_non_null(mkdtemp(folder));
    assert_int_equal(lexicon_open(&lexicon, folder, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "positive-words.txt"));

    (void)snprintf(path, sizeof path, "%s/positive-words.txt", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("fine\na-line-far-longer-than-any-word-may-be\n", file);
    fclose(file);
    assert_int_equal(lexicon_open(&lexicon, folder, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "positive-words.txt:2"));
    assert_null(lexicon);
    unlink(path);
    rmdir(folder);
    lexicon_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_the_rules),
        cmocka_unit_test(any_bytes_are_read_without_harm),
        cmocka_unit_test(wrong_lists_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
