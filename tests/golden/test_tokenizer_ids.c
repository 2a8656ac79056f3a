/* Token ids against Hugging Face's own: stored texts, random strings and every code point. How the
 * expected values were made is in tests/golden/tokenizers/SOURCE.md. Every text goes through both
 * ways of loading: tokenizer.json, and vocab.txt alone.
 */
#include "base/keyhash.h"
#include "nlp/bert_normalizer.h"
#include "nlp/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/golden/ids_check.h"

#define MODEL SOURCE("models/undertone-minilm-l6")

/* A temporary directory that shows only the model's vocab.txt and, if given, a config. */
static void make_view(char directory[PATH_MAX_BYTES], const char *model, const char *config)
{
    char target[PATH_MAX_BYTES];
    char path[PATH_MAX_BYTES];
    (void)snprintf(directory, PATH_MAX_BYTES, "%s/undertone-ids-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(target, sizeof target, "%s/vocab.txt", model);
    (void)snprintf(path, sizeof path, "%.4000s/vocab.txt", directory);
    assert_int_equal(symlink(target, path), 0);
    if (config) {
        (void)snprintf(path, sizeof path, "%.4000s/tokenizer_config.json", directory);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(config, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
}

static void remove_view(const char *directory)
{
    static const char *const names[] = {"vocab.txt", "tokenizer_config.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX_BYTES];
        (void)snprintf(path, sizeof path, "%.4000s/%s", directory, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(directory), 0);
}

static void check_both_ways(const char *model, const char *path, const char *key, size_t tokens_max,
                            size_t lines_min)
{
    struct opened from_json = open_or_fail(model);
    assert_true(check_file(&from_json, path, key, tokens_max) >= lines_min);
    char view[PATH_MAX_BYTES];
    make_view(view, model, NULL);
    struct opened from_vocab = open_or_fail(view);
    remove_view(view);
    assert_true(check_file(&from_vocab, path, key, tokens_max) >= lines_min);
    assert_int_equal(tokenizer_vocab_count(from_json.tokenizer),
                     tokenizer_vocab_count(from_vocab.tokenizer));
    assert_memory_equal(tokenizer_special(from_json.tokenizer),
                        tokenizer_special(from_vocab.tokenizer), sizeof(struct tokenizer_special));
    close_opened(&from_json);
    close_opened(&from_vocab);
}

static void stored_texts_have_the_ids_of_bert_uncased(void **state)
{
    (void)state;
    check_both_ways(MODEL, GOLDEN("golden.jsonl.gz"), "bert_uncased", IDS_MAX, 1243);
}

static void checkpoints_texts_have_the_ids_stored_with_them(void **state)
{
    (void)state;
    check_both_ways(MODEL, MODEL "/golden.jsonl", "ids", 512, 400);
    check_both_ways(SOURCE("tests/fixtures/tiny-bert"),
                    SOURCE("tests/fixtures/tiny-bert/golden.jsonl"), "ids", 128, 81);
    check_both_ways(SOURCE("tests/fixtures/tiny-distilbert"),
                    SOURCE("tests/fixtures/tiny-distilbert/golden.jsonl"), "ids", 128, 81);
    check_both_ways(SOURCE("tests/fixtures/tiny-bert-bf16"),
                    SOURCE("tests/fixtures/tiny-bert-bf16/golden.jsonl"), "ids", 128, 81);
}

static void random_strings_have_the_librarys_ids(void **state)
{
    (void)state;
    check_both_ways(MODEL, GOLDEN("bert_random.jsonl.gz"), "ids", IDS_MAX, 2000);
}

static void random_strings_have_the_librarys_ids_with_case_kept(void **state)
{
    (void)state;
    char view[PATH_MAX_BYTES];
    make_view(view, MODEL, "{\"do_lower_case\": false}");
    struct opened opened = open_or_fail(view);
    remove_view(view);
    assert_int_equal(check_file(&opened, GOLDEN("bert_random_cased.jsonl.gz"), "ids", IDS_MAX),
                     500);
    close_opened(&opened);
}

static void added_tokens_of_every_kind_are_found_where_the_library_finds_them(void **state)
{
    (void)state;
    struct opened opened = open_or_fail(GOLDEN("added"));
    assert_int_equal(check_file(&opened, GOLDEN("added/expected.jsonl.gz"), "ids", IDS_MAX), 1500);
    close_opened(&opened);
}

enum { CONTEXTS = 4, NORMALIZED = 3 };

static const struct {
    const char *before;
    const char *after;
} contexts[CONTEXTS] = {
    {"a", "b"},
    {"", ""},
    {"", "word"},
    {"e\xCC\x81", "\xCC\xA3x"}, /* between marks that stand in no canonical order */
};

static size_t make_text(unsigned context, uint32_t code_point, char out[TEXT_MAX])
{
    const char *before = contexts[context].before;
    const char *after = contexts[context].after;
    size_t size = strlen(before);
    memcpy(out, before, size);
    size += utf8_encode(code_point, out + size);
    memcpy(out + size, after, strlen(after));
    return size + strlen(after);
}

static uint64_t hash_ids(const struct opened *opened, uint32_t first, unsigned context)
{
    static struct numbers numbers;
    numbers.size = 0;
    for (uint32_t c = first; c < first + BLOCK; c++) {
        char text[TEXT_MAX];
        uint32_t ids[TEXT_MAX];
        if (is_surrogate(c)) {
            continue;
        }
        size_t size = make_text(context, c, text);
        size_t count =
            tokenizer_encode(opened->tokenizer, opened->scratch, text, size, ids, TEXT_MAX);
        assert_true(count <= size);
        for (size_t i = 0; i < count; i++) {
            append_number(&numbers, ids[i]);
        }
        append_number(&numbers, UINT32_MAX);
    }
    return keyhash_fnv1a(numbers.bytes, numbers.size);
}

static void append_normalized(const struct bert_normalizer *normalizer, const char *text,
                              size_t size, struct numbers *numbers)
{
    struct bert_normalizer_state state;
    uint32_t settled[BERT_OUT_MAX];
    size_t count;
    bert_normalizer_start(&state);
    for (size_t at = 0; at < size;) {
        uint32_t code_point;
        at += utf8_decode(text + at, size - at, &code_point, NULL);
        count = bert_normalizer_push(normalizer, &state, code_point, settled);
        for (size_t i = 0; i < count; i++) {
            append_number(numbers, settled[i]);
        }
    }
    count = bert_normalizer_finish(normalizer, &state, settled);
    for (size_t i = 0; i < count; i++) {
        append_number(numbers, settled[i]);
    }
    append_number(numbers, UINT32_MAX);
}

static uint64_t hash_normalized(const struct bert_normalizer *normalizer, uint32_t first)
{
    static struct numbers numbers;
    numbers.size = 0;
    for (uint32_t c = first; c < first + BLOCK; c++) {
        char text[TEXT_MAX];
        if (!is_surrogate(c)) {
            append_normalized(normalizer, text, make_text(CONTEXTS - 1, c, text), &numbers);
        }
    }
    return keyhash_fnv1a(numbers.bytes, numbers.size);
}

/* Normalized text is compared too, because ids cannot tell apart what the vocabulary lacks: with
 * everything on, with case kept, and with accents stripped but case kept. */
static void every_code_point_has_the_librarys_ids_and_normal_form(void **state)
{
    (void)state;
    static const struct bert_normalizer normalizers[NORMALIZED] = {
        {.clean_text = true,
         .handle_chinese_chars = true,
         .strip_accents = true,
         .lowercase = true},
        {.clean_text = true, .handle_chinese_chars = true},
        {.strip_accents = true},
    };
    struct error err = {0};
    struct opened opened = open_or_fail(MODEL);
    struct lines *lines = NULL;
    const char *line;
    size_t size;
    uint32_t first = 0;
    assert_int_equal(lines_open(&lines, GOLDEN("bert_sweep.txt"), LINE_BYTES_MAX, &err), 0);
    while (lines_next(lines, &line, &size, &err) > 0) {
        if (*line == '#') {
            continue;
        }
        char *at = (char *)line;
        assert_int_equal(parse_hash(&at), first);
        for (unsigned context = 0; context < CONTEXTS; context++) {
            if (parse_hash(&at) != hash_ids(&opened, first, context)) {
                fail_msg("ids differ from U+%04X on in context %u", first, context);
            }
        }
        for (unsigned i = 0; i < NORMALIZED; i++) {
            if (parse_hash(&at) != hash_normalized(&normalizers[i], first)) {
                fail_msg("normalized text %u differs from U+%04X on", i, first);
            }
        }
        first += BLOCK;
    }
    assert_int_equal(first, 0x110000);
    lines_close(lines);
    close_opened(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_texts_have_the_ids_of_bert_uncased),
        cmocka_unit_test(checkpoints_texts_have_the_ids_stored_with_them),
        cmocka_unit_test(random_strings_have_the_librarys_ids),
        cmocka_unit_test(random_strings_have_the_librarys_ids_with_case_kept),
        cmocka_unit_test(added_tokens_of_every_kind_are_found_where_the_library_finds_them),
        cmocka_unit_test(every_code_point_has_the_librarys_ids_and_normal_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
