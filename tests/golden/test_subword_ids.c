/* BPE and Unigram token ids against Hugging Face's own: stored texts, random strings, spellings of
 * tokenizer.json, every code point. How the expected values were made is in
 * tests/golden/tokenizers/SOURCE.md.
 */
#include "base/keyhash.h"
#include "nlp/charsmap.h"
#include "nlp/sentencepiece.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/golden/ids_check.h"

#define FIXTURE(name) SOURCE("tests/fixtures/" name)

/* A temporary directory that shows only these files of a model's. */
static void make_view(char directory[PATH_MAX_BYTES], const char *model, const char *const *names)
{
    char target[PATH_MAX_BYTES];
    char path[PATH_MAX_BYTES];
    (void)snprintf(directory, PATH_MAX_BYTES, "%s/undertone-ids-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; names[i]; i++) {
        (void)snprintf(target, sizeof target, "%.2000s/%s", model, names[i]);
        (void)snprintf(path, sizeof path, "%.4000s/%s", directory, names[i]);
        assert_int_equal(symlink(target, path), 0);
    }
}

static void remove_view(const char *directory, const char *const *names)
{
    char path[PATH_MAX_BYTES];
    for (size_t i = 0; names[i]; i++) {
        (void)snprintf(path, sizeof path, "%.4000s/%s", directory, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(directory), 0);
}

static const char *const bpe_files[] = {"vocab.json", "merges.txt", NULL};
static const char *const unigram_files[] = {"sentencepiece.bpe.model", NULL};

static void check_lines(const char *model, const char *path, const char *key, size_t tokens_max,
                        size_t lines)
{
    struct opened opened = open_or_fail(model);
    assert_int_equal(check_file(&opened, path, key, tokens_max), lines);
    close_opened(&opened);
}

/* By tokenizer.json, and by the files it was made from. */
static void check_both_ways(const char *model, const char *const *files, const char *path,
                            size_t lines)
{
    char view[PATH_MAX_BYTES];
    make_view(view, model, files);
    struct opened from_json = open_or_fail(model);
    struct opened from_files = open_or_fail(view);
    remove_view(view, files);
    assert_int_equal(check_file(&from_json, path, "ids", 512), lines);
    assert_int_equal(check_file(&from_files, path, "ids", 512), lines);
    assert_int_equal(tokenizer_vocab_count(from_json.tokenizer),
                     tokenizer_vocab_count(from_files.tokenizer));
    assert_memory_equal(tokenizer_frame(from_json.tokenizer), tokenizer_frame(from_files.tokenizer),
                        sizeof(struct tokenizer_frame));
    assert_int_equal(tokenizer_special(from_json.tokenizer)->pad, 1);
    assert_int_equal(tokenizer_special(from_files.tokenizer)->pad, 1);
    close_opened(&from_json);
    close_opened(&from_files);
}

static void stored_texts_have_the_ids_of_roberta_base(void **state)
{
    (void)state;
    check_lines(GOLDEN("roberta-base"), GOLDEN("golden.jsonl.gz"), "roberta", IDS_MAX, 1243);
}

static void checkpoints_texts_have_the_ids_stored_with_them(void **state)
{
    (void)state;
    check_both_ways(FIXTURE("tiny-roberta"), bpe_files, FIXTURE("tiny-roberta/golden.jsonl"), 81);
    check_both_ways(FIXTURE("tiny-roberta-fp16"), bpe_files,
                    FIXTURE("tiny-roberta-fp16/golden.jsonl"), 81);
    check_lines(FIXTURE("tiny-roberta-bin"), FIXTURE("tiny-roberta-bin/golden.jsonl"), "ids", 512,
                81);
    check_both_ways(FIXTURE("tiny-xlm-roberta"), unigram_files,
                    FIXTURE("tiny-xlm-roberta/golden.jsonl"), 81);
}

static void random_strings_have_the_librarys_ids(void **state)
{
    (void)state;
    check_lines(GOLDEN("roberta-base"), GOLDEN("bpe_random.jsonl.gz"), "ids", IDS_MAX, 2000);
    check_lines(FIXTURE("tiny-xlm-roberta"), GOLDEN("unigram_random.jsonl.gz"), "ids", IDS_MAX,
                2000);
}

static void every_spelling_of_the_components_is_read_as_the_library_reads_it(void **state)
{
    (void)state;
    static const char *const names[] = {"bpe-dropped",   "bpe-old",      "bpe-unknown",
                                        "bpe-whole",     "unigram-bare", "unigram-first",
                                        "unigram-never", "unigram-new",  "unigram-old"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char model[PATH_MAX_BYTES];
        char path[PATH_MAX_BYTES];
        (void)snprintf(model, sizeof model, "%s/%s", GOLDEN("variants"), names[i]);
        (void)snprintf(path, sizeof path, "%.4000s/expected.jsonl.gz", model);
        check_lines(model, path, "ids", IDS_MAX, 400);
    }
}

/* A context holds one or two "%" where the code point goes. */
static size_t make_text(const char *context, uint32_t code_point, char out[TEXT_MAX])
{
    size_t size = 0;
    for (const char *at = context; *at; at++) {
        assert_true(size + UTF8_BYTES_MAX < TEXT_MAX);
        if (*at == '%') {
            size += utf8_encode(code_point, out + size);
        } else {
            out[size++] = *at;
        }
    }
    return size;
}

static uint64_t hash_ids(const struct opened *opened, uint32_t first, const char *context)
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
        assert_true(count <= TEXT_MAX);
        for (size_t i = 0; i < count; i++) {
            append_number(&numbers, ids[i]);
        }
        append_number(&numbers, UINT32_MAX);
    }
    return keyhash_fnv1a(numbers.bytes, numbers.size);
}

static void append_mapped(const struct charsmap *map, const char *text, size_t size,
                          struct numbers *numbers)
{
    struct charsmap_reader reader;
    charsmap_start(&reader, text, size);
    while (reader.at < reader.end) {
        char out[CHARSMAP_OUT_MAX];
        size_t mapped = charsmap_next(map, &reader, out);
        for (size_t at = 0; at < mapped;) {
            uint32_t code_point;
            at += utf8_decode(out + at, mapped - at, &code_point, NULL);
            append_number(numbers, code_point);
        }
    }
    append_number(numbers, UINT32_MAX);
}

static uint64_t hash_mapped(const struct charsmap *map, uint32_t first, const char *context)
{
    static struct numbers numbers;
    numbers.size = 0;
    for (uint32_t c = first; c < first + BLOCK; c++) {
        char text[TEXT_MAX];
        if (!is_surrogate(c)) {
            append_mapped(map, text, make_text(context, c, text), &numbers);
        }
    }
    return keyhash_fnv1a(numbers.bytes, numbers.size);
}

/* What is compared per line of a sweep: ids in contexts, then mapped text by each map. */
struct sweep {
    const char *path;
    const char *const *contexts;
    const struct charsmap *maps;
    size_t map_count;
    const char *const *map_contexts;
};

static void check_block(const struct opened *opened, const struct sweep *sweep, uint32_t first,
                        char *hashes)
{
    for (size_t i = 0; sweep->contexts[i]; i++) {
        if (parse_hash(&hashes) != hash_ids(opened, first, sweep->contexts[i])) {
            fail_msg("ids differ from U+%04X on in context %zu", first, i);
        }
    }
    for (size_t map = 0; map < sweep->map_count; map++) {
        for (size_t i = 0; sweep->map_contexts[i]; i++) {
            if (parse_hash(&hashes) !=
                hash_mapped(&sweep->maps[map], first, sweep->map_contexts[i])) {
                fail_msg("text by map %zu differs from U+%04X on in context %zu", map, first, i);
            }
        }
    }
}

static void check_sweep(const struct opened *opened, const struct sweep *sweep)
{
    struct error err = {0};
    struct lines *lines = NULL;
    const char *line;
    size_t size;
    uint32_t first = 0;
    assert_int_equal(lines_open(&lines, sweep->path, LINE_BYTES_MAX, &err), 0);
    while (lines_next(lines, &line, &size, &err) > 0) {
        if (*line == '#') {
            continue;
        }
        char *at = (char *)line;
        assert_int_equal(parse_hash(&at), first);
        check_block(opened, sweep, first, at);
        first += BLOCK;
    }
    assert_int_equal(first, 0x110000);
    lines_close(lines);
}

static void every_code_point_has_the_librarys_bpe_ids(void **state)
{
    (void)state;
    static const char *const contexts[] = {"a%b", "%", " %", "1%2", "!% ", "'s%'s", " %\n", NULL};
    struct opened opened = open_or_fail(GOLDEN("roberta-base"));
    const struct sweep sweep = {.path = GOLDEN("bpe_sweep.txt"), .contexts = contexts};
    check_sweep(&opened, &sweep);
    close_opened(&opened);
}

static void read_map(struct charsmap *map, const unsigned char *bytes, size_t size)
{
    charsmap_init(map);
    assert_int_equal(charsmap_read(map, bytes, size), CHARSMAP_READ);
}

/* The fixture's own map, and one that shows grapheme clusters. */
static void read_maps(struct charsmap maps[2])
{
    struct error err = {0};
    struct sentencepiece model;
    char *bytes = NULL;
    size_t size = 0;
    const char *path = FIXTURE("tiny-xlm-roberta/sentencepiece.bpe.model");
    assert_int_equal(lines_read_file(path, 1 << 24, &bytes, &size, &err), 0);
    assert_int_equal(sentencepiece_read(&model, bytes, size, path, &err), 0);
    read_map(&maps[0], model.charsmap, model.charsmap_size);
    sentencepiece_done(&model);
    free(bytes);
    assert_int_equal(lines_read_file(GOLDEN("clusters.charsmap"), 1 << 24, &bytes, &size, &err), 0);
    read_map(&maps[1], (const unsigned char *)bytes, size);
    free(bytes);
}

#define KA        "\xE0\xA4\x95"
#define VIRAMA    "\xE0\xA5\x8D"
#define DIAERESIS "\xCC\x88"
#define COPYRIGHT "\xC2\xA9"
#define ZWJ       "\xE2\x80\x8D"

static void every_code_point_has_the_librarys_unigram_ids_and_normal_form(void **state)
{
    (void)state;
    static const char *const contexts[] = {"a%b", "%", " % ", "hello %", "e%\xCC\x81", NULL};
    static const char *const map_contexts[] = {
        "a%",
        "%a",
        "%" DIAERESIS,
        "\r%\n",
        KA "%" KA DIAERESIS,
        KA VIRAMA "%" DIAERESIS,
        KA "%" VIRAMA KA DIAERESIS,
        "%" VIRAMA KA DIAERESIS,
        COPYRIGHT "%" ZWJ COPYRIGHT DIAERESIS,
        COPYRIGHT ZWJ "%" DIAERESIS,
        "%" ZWJ COPYRIGHT DIAERESIS,
        "\xD8\x80%\xE1\x85\xA1",
        "\xE1\x84\x80%\xE1\x86\xA8",
        "\xF0\x9F\x87\xA6%",
        NULL,
    };
    struct charsmap maps[2];
    read_maps(maps);
    struct opened opened = open_or_fail(FIXTURE("tiny-xlm-roberta"));
    const struct sweep sweep = {.path = GOLDEN("unigram_sweep.txt"),
                                .contexts = contexts,
                                .maps = maps,
                                .map_count = 2,
                                .map_contexts = map_contexts};
    check_sweep(&opened, &sweep);
    close_opened(&opened);
    charsmap_done(&maps[0]);
    charsmap_done(&maps[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_texts_have_the_ids_of_roberta_base),
        cmocka_unit_test(checkpoints_texts_have_the_ids_stored_with_them),
        cmocka_unit_test(random_strings_have_the_librarys_ids),
        cmocka_unit_test(every_spelling_of_the_components_is_read_as_the_library_reads_it),
        cmocka_unit_test(every_code_point_has_the_librarys_bpe_ids),
        cmocka_unit_test(every_code_point_has_the_librarys_unigram_ids_and_normal_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
