/* test_words.c - redacted words of one call: what never is among them, how long they are held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/words.h"

#include <stdio.h>
#include <string.h>

static const unsigned char key[KEYHASH_SHORT_KEY_BYTES] = {7};
enum { KEEP_MS = 180000 };

static struct segment utterance(enum speaker speaker, int64_t start_ms, const char *text)
{
    return (struct segment){
        .start_ms = start_ms,
        .end_ms = start_ms + 1000,
        .speaker = speaker,
        .is_final = true,
        .text = text,
        .text_bytes = strlen(text),
    };
}

static void say(struct words *words, enum speaker speaker, int64_t start_ms, const char *text)
{
    struct segment segment = utterance(speaker, start_ms, text);
    assert_true(words_take(words, NULL, &segment, 1));
}

static const char *found(const struct words *words, enum speaker speaker, int64_t start_ms)
{
    return words_find(words, speaker, start_ms, start_ms + 1000);
}

static void test_what_is_held_is_redacted(void **state)
{
    (void)state;
    struct words *words = words_create(key, KEEP_MS);
    say(words, SPEAKER_CUSTOMER, 1000, "this is awful, my card is 4111 1111 1111 1111");
    say(words, SPEAKER_CUSTOMER, 3000, "i waited 45 days since order 90210");
    assert_string_equal(found(words, SPEAKER_CUSTOMER, 1000), "this is awful, my card is [CARD]");
    assert_string_equal(found(words, SPEAKER_CUSTOMER, 3000),
                        "i waited 45 days since order [NUMBER]");
    assert_null(found(words, SPEAKER_AGENT, 1000));
    assert_null(words_find(words, SPEAKER_CUSTOMER, 1000, 2001));
    assert_null(words_find(NULL, SPEAKER_CUSTOMER, 1000, 2000));
    words_destroy(words);
}

static void test_an_answer_is_redacted_by_its_question_in_any_order(void **state)
{
    (void)state;
    struct words *words = words_create(key, KEEP_MS);
    struct segment reply[] = {utterance(SPEAKER_CUSTOMER, 3000, "raj prasad"),
                              utterance(SPEAKER_AGENT, 1000, "may i have your name please")};
    assert_true(words_take(words, NULL, reply, 2));
    assert_string_equal(found(words, SPEAKER_CUSTOMER, 3000), "[NAME]");
    say(words, SPEAKER_CUSTOMER, 60000, "raj prasad"); /* nobody has asked */
    assert_string_equal(found(words, SPEAKER_CUSTOMER, 60000), "raj prasad");
    words_destroy(words);
}

static void test_an_answer_whose_question_comes_late_is_withheld_for_good(void **state)
{
    (void)state;
    struct words *words = words_create(key, KEEP_MS);
    say(words, SPEAKER_CUSTOMER, 3000, "raj prasad");
    assert_non_null(found(words, SPEAKER_CUSTOMER, 3000));
    say(words, SPEAKER_AGENT, 1000, "may i have your name please");
    assert_null(found(words, SPEAKER_CUSTOMER, 3000));
    say(words, SPEAKER_CUSTOMER, 3000, "raj prasad"); /* served again */
    assert_null(found(words, SPEAKER_CUSTOMER, 3000));
    words_destroy(words);
}

static void test_partials_are_not_held_and_a_revision_replaces(void **state)
{
    (void)state;
    struct words *words = words_create(key, KEEP_MS);
    struct segment partial = utterance(SPEAKER_CUSTOMER, 1000, "this is");
    partial.is_final = false;
    assert_true(words_take(words, NULL, &partial, 1));
    assert_null(found(words, SPEAKER_CUSTOMER, 1000));
    say(words, SPEAKER_CUSTOMER, 1000, "this is all full");
    say(words, SPEAKER_CUSTOMER, 1000, "this is awful");
    assert_string_equal(found(words, SPEAKER_CUSTOMER, 1000), "this is awful");
    size_t bytes = words_bytes(words);
    say(words, SPEAKER_CUSTOMER, 1000, "this is awful");
    assert_int_equal(words_bytes(words), bytes);
    words_destroy(words);
}

static void test_wiped_words_are_gone(void **state)
{
    (void)state;
    struct words *words = words_create(key, KEEP_MS);
    say(words, SPEAKER_CUSTOMER, 1000, "before");
    say(words, SPEAKER_AGENT, 3000, "within");
    say(words, SPEAKER_CUSTOMER, 6000, "after");
    words_wipe(words, 2001, 6999);
    assert_non_null(found(words, SPEAKER_CUSTOMER, 1000));
    assert_null(found(words, SPEAKER_AGENT, 3000));
    assert_non_null(found(words, SPEAKER_CUSTOMER, 6000));
    assert_int_equal(words_bytes(words), sizeof "before" + sizeof "after");
    words_wipe(words, INT64_MIN, INT64_MAX);
    assert_int_equal(words_bytes(words), 0);
    words_destroy(words);
}

static void test_memory_is_bounded_and_the_oldest_go(void **state)
{
    (void)state;
    struct words *words = words_create(key, KEEP_MS);
    char text[20000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(text, 12, "%04d words ", i);
        text[11] = 'a';
        say(words, SPEAKER_CUSTOMER, i * 10, text);
        assert_true(words_bytes(words) <= (size_t)WORDS_ENTRIES_MAX * (WORDS_BYTES_MAX + 1));
    }
    assert_null(found(words, SPEAKER_CUSTOMER, (999 - WORDS_ENTRIES_MAX) * 10));
    assert_non_null(found(words, SPEAKER_CUSTOMER, (1000 - WORDS_ENTRIES_MAX) * 10));
    say(words, SPEAKER_CUSTOMER, 0, "too late to be of use");
    assert_null(found(words, SPEAKER_CUSTOMER, 0));
    say(words, SPEAKER_CUSTOMER, 20000 + KEEP_MS, "much later");
    assert_int_equal(words_bytes(words), sizeof "much later");
    words_destroy(words);
}

/* The cut must not leave half a character: 199 bytes and one of two bytes are 201. */
static void test_long_words_are_cut_between_characters(void **state)
{
    (void)state;
    struct words *words = words_create(key, KEEP_MS);
    for (size_t before = 190; before <= 200; before++) {
        char text[512];
        memset(text, 'a', before);
        (void)snprintf(text + before, sizeof text - before, "%s",
                       "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9");
        say(words, SPEAKER_CUSTOMER, (int64_t)before * 10, text);
        const char *cut = found(words, SPEAKER_CUSTOMER, (int64_t)before * 10);
        size_t bytes = strlen(cut);
        assert_true(bytes <= WORDS_BYTES_MAX);
        if (before + 8 > WORDS_BYTES_MAX) {
            assert_string_equal(cut + bytes - 3, "\xE2\x80\xA6");
            unsigned char last = (unsigned char)cut[bytes - 4];
            assert_true(last == 'a' || last == 0xA9);
        } else {
            assert_string_equal(cut, text);
        }
    }
    words_destroy(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_held_is_redacted),
        cmocka_unit_test(test_an_answer_is_redacted_by_its_question_in_any_order),
        cmocka_unit_test(test_an_answer_whose_question_comes_late_is_withheld_for_good),
        cmocka_unit_test(test_partials_are_not_held_and_a_revision_replaces),
        cmocka_unit_test(test_wiped_words_are_gone),
        cmocka_unit_test(test_memory_is_bounded_and_the_oldest_go),
        cmocka_unit_test(test_long_words_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
