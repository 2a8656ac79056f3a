/* BPE and Unigram on files that are wrong, words that are long, and bytes that are not UTF-8.
 * Expected ids follow by hand from the small vocabularies; agreement with Hugging Face's library on
 * real ones is golden.subword_ids.
 */
#include "base/lines.h"
#include "nlp/byte_level.h"
#include "nlp/charsmap.h"
#include "nlp/sentencepiece.h"
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

enum { PATH_BYTES = 512, JSON_BYTES = 4096, LONG_BYTES = 200000 };

static char directory[PATH_BYTES];
static const char *const names[] = {"tokenizer.json", "tokenizer_config.json", "vocab.json",
                                    "merges.txt", "sentencepiece.bpe.model"};

static void write_bytes(const char *name, const void *bytes, size_t size)
{
    char path[2 * PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void write_file(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[2 * PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        (void)unlink(path);
    }
    return 0;
}

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s/undertone-subword-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

static struct tokenizer *open_or_fail(void)
{
    struct error err = {0};
    struct tokenizer *tokenizer = NULL;
    if (tokenizer_open(&tokenizer, directory, &err)) {
        fail_msg("%s", err.message);
    }
    return tokenizer;
}

static void expect_error(enum error_code code, const char *file, const char *where)
{
    struct error err = {0};
    struct tokenizer *tokenizer = NULL;
    int result = tokenizer_open(&tokenizer, directory, &err);
    assert_null(tokenizer);
    if (result != (int)code || !strstr(err.message, file) || !strstr(err.message, where)) {
        fail_msg("code %d, \"%s\" lacks \"%s\" or \"%s\"", result, err.message, file, where);
    }
}

static size_t encode(const struct tokenizer *tokenizer, const char *bytes, size_t size,
                     uint32_t *ids, size_t ids_max)
{
    struct error err = {0};
    struct tokenizer_scratch *scratch = NULL;
    assert_int_equal(tokenizer_scratch_create(tokenizer, &scratch, &err), 0);
    size_t count = tokenizer_encode(tokenizer, scratch, bytes, size, ids, ids_max);
    tokenizer_scratch_destroy(scratch);
    return count;
}

static void expect_ids(const struct tokenizer *tokenizer, const char *text,
                       const uint32_t *expected, size_t expected_count)
{
    uint32_t ids[64];
    assert_int_equal(encode(tokenizer, text, strlen(text), ids, 64), expected_count);
    assert_memory_equal(ids, expected, expected_count * sizeof ids[0]);
}

#define EXPECT_IDS(tokenizer, text, ...)                         \
    expect_ids(tokenizer, text, (const uint32_t[]){__VA_ARGS__}, \
               sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* U+FFFD is EF BF BD, spelled "\xC3\xAF", "\xC2\xBF", "\xC2\xBD"; U+0120 is a space. */
#define SPECIAL "\"<s>\":0,\"<pad>\":1,\"</s>\":2,\"<unk>\":3"
#define VOCAB                                                                  \
    "{" SPECIAL ",\"a\":4,\"b\":5,\"ab\":6,\"\xC4\xA0\":7,\"\xC4\xA0\x61\":8," \
    "\"aa\":9,\"aaaa\":10,\"\xC3\xAF\":11,\"\xC2\xBF\":12,\"\xC2\xBD\":13,\"#\":14,\"##\":15}"
#define ADDED     "[{\"id\":0,\"content\":\"<s>\",\"special\":true,\"normalized\":true}]"
#define ROBERTA   "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",2],\"cls\":[\"<s>\",0]}"
#define BPE(more) "{\"type\":\"BPE\",\"vocab\":" VOCAB more "}"
#define MERGES    ",\"merges\":[\"a b\",[\"\xC4\xA0\",\"a\"],\"a a\",[\"aa\",\"aa\"],[\"#\",\"#\"]]"

struct parts {
    const char *normalizer;
    const char *pre_tokenizer;
    const char *post_processor;
    const char *model;
};

static const struct parts good_bpe = {
    .normalizer = "null",
    .pre_tokenizer = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}",
    .post_processor = ROBERTA,
    .model = BPE(MERGES),
};

static const struct parts good_unigram = {
    .normalizer = "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}",
    .pre_tokenizer = "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"always\"}",
    .post_processor = ROBERTA,
    .model = "{\"type\":\"Unigram\",\"unk_id\":3,\"vocab\":[[\"<s>\",0],[\"<pad>\",0],"
             "[\"</s>\",0],[\"<unk>\",0],[\"_\",-2.5],[\"a\",-2.25],[\"_a\",-3],[\"aa\",-4.5]]}",
};

static void write_parts(const struct parts *good, const struct parts *changed)
{
    char text[JSON_BYTES];
    int size = snprintf(text, sizeof text,
                        "{\"added_tokens\":" ADDED ",\"normalizer\":%s,\"pre_tokenizer\":%s,"
                        "\"post_processor\":%s,\"model\":%s}",
                        changed->normalizer ? changed->normalizer : good->normalizer,
                        changed->pre_tokenizer ? changed->pre_tokenizer : good->pre_tokenizer,
                        changed->post_processor ? changed->post_processor : good->post_processor,
                        changed->model ? changed->model : good->model);
    assert_true(size > 0 && (size_t)size < sizeof text);
    write_file("tokenizer.json", text);
}

static void bpe_merges_the_lowest_rank_first_and_leftmost(void **state)
{
    (void)state;
    write_parts(&good_bpe, &(struct parts){0});
    struct tokenizer *tokenizer = open_or_fail();
    EXPECT_IDS(tokenizer, "ab", 6);
    EXPECT_IDS(tokenizer, "aab", 4, 6);
    EXPECT_IDS(tokenizer, "aaa", 9, 4);
    EXPECT_IDS(tokenizer, "aaaa a", 10, 8);
    EXPECT_IDS(tokenizer, "<s>a", 0, 4);
    assert_int_equal(tokenizer_special(tokenizer)->unk, TOKENIZER_NO_ID);
    assert_int_equal(tokenizer_special(tokenizer)->pad, 1);
    tokenizer_close(tokenizer);
}

static void malformed_bytes_are_read_as_the_replacement_character(void **state)
{
    (void)state;
    write_parts(&good_bpe, &(struct parts){0});
    struct tokenizer *tokenizer = open_or_fail();
    EXPECT_IDS(tokenizer, "a\xFF", 4, 11, 12, 13);
    EXPECT_IDS(tokenizer, "a\xEF\xBF\xBD", 4, 11, 12, 13);
    EXPECT_IDS(tokenizer, "\xE2\x82 a", 11, 12, 13, 8);
    tokenizer_close(tokenizer);
}

static void long_words_are_cut_and_nothing_is_lost(void **state)
{
    (void)state;
    char *text = malloc(LONG_BYTES);
    assert_non_null(text);
    memset(text, 'a', LONG_BYTES);
    write_parts(&good_bpe, &(struct parts){0});
    struct tokenizer *tokenizer = open_or_fail();
    assert_int_equal(encode(tokenizer, text, LONG_BYTES, NULL, 0), LONG_BYTES / 4);
    tokenizer_close(tokenizer);
    write_parts(&good_unigram, &(struct parts){0});
    tokenizer = open_or_fail();
    /* 65,536 are one segment: "_a", then pairs or singles of equal sums. */
    size_t count = encode(tokenizer, text, LONG_BYTES, NULL, 0);
    assert_true(count >= LONG_BYTES / 2 && count <= LONG_BYTES);
    tokenizer_close(tokenizer);
    free(text);
}

/* Cut into segments before spaces, where no token looks across. */
static void long_texts_have_the_ids_of_their_words(void **state)
{
    (void)state;
    char *text = malloc(LONG_BYTES);
    uint32_t *ids = malloc(LONG_BYTES * sizeof *ids);
    assert_true(text && ids);
    for (size_t i = 0; i < LONG_BYTES; i++) {
        text[i] = i % 2 ? ' ' : 'a';
    }
    write_parts(&good_unigram, &(struct parts){0});
    struct tokenizer *tokenizer = open_or_fail();
    assert_int_equal(encode(tokenizer, text, LONG_BYTES, ids, LONG_BYTES), LONG_BYTES / 2);
    for (size_t i = 0; i < LONG_BYTES / 2; i++) {
        assert_int_equal(ids[i], 6);
    }
    tokenizer_close(tokenizer);
    free(ids);
    free(text);
}

static void the_first_of_equal_sums_wins_and_unknowns_are_one(void **state)
{
    (void)state;
    write_parts(&good_unigram, &(struct parts){0});
    struct tokenizer *tokenizer = open_or_fail();
    EXPECT_IDS(tokenizer, "a", 6);
    EXPECT_IDS(tokenizer, "xyz a  ", 4, 3, 6);
    /* "_ aa", "_ a a" and "_a a" score -7, -7 and -5.25; after "x", "aa" and "a a" tie. */
    EXPECT_IDS(tokenizer, "aa", 6, 5);
    EXPECT_IDS(tokenizer, "xaa", 4, 3, 7);
    tokenizer_close(tokenizer);
}

static void wrong_files_of_bpe_are_named(void **state)
{
    (void)state;
    static const struct {
        struct parts changed;
        enum error_code code;
        const char *where;
    } cases[] = {
        {{.normalizer = "{\"type\":\"NFC\"}"}, ERROR_UNSUPPORTED, "normalizer"},
        {{.pre_tokenizer = "{\"type\":\"Whitespace\"}"},
         ERROR_UNSUPPORTED,
         "pre_tokenizer.type is Whitespace"},
        {{.pre_tokenizer = "{\"type\":\"ByteLevel\",\"use_regex\":3}"},
         ERROR_FORMAT,
         "pre_tokenizer.use_regex"},
        {{.model = BPE("")}, ERROR_FORMAT, "model.merges"},
        {{.model = BPE(",\"merges\":[\"a b\",\"a\"]")}, ERROR_FORMAT, "merge 2"},
        {{.model = BPE(",\"merges\":[\"a  b\"]")}, ERROR_FORMAT, "merge 1"},
        {{.model = BPE(",\"merges\":[[\"a\",\"b\",\"a\"]]")}, ERROR_FORMAT, "merge 1"},
        {{.model = BPE(",\"merges\":[[\"b\",\"a\"]]")}, ERROR_FORMAT, "merge 1"},
        {{.model = BPE(",\"merges\":[[\"z\",\"a\"]]")}, ERROR_FORMAT, "merge 1"},
        {{.model = BPE(MERGES ",\"dropout\":0.1")}, ERROR_UNSUPPORTED, "model.dropout"},
        {{.model = BPE(MERGES ",\"byte_fallback\":true")},
         ERROR_UNSUPPORTED,
         "model.byte_fallback"},
        {{.model = BPE(MERGES ",\"end_of_word_suffix\":\"</w>\"")},
         ERROR_UNSUPPORTED,
         "model.end_of_word_suffix"},
        {{.model = BPE(MERGES ",\"unk_token\":\"[UNK]\"")}, ERROR_FORMAT, "model.unk_token"},
        {{.post_processor = "{\"type\":\"Sequence\",\"processors\":[{\"type\":\"X\"}]}"},
         ERROR_UNSUPPORTED,
         "post_processor.type is X"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_parts(&good_bpe, &cases[i].changed);
        expect_error(cases[i].code, "tokenizer.json", cases[i].where);
    }
}

static void wrong_files_of_unigram_are_named(void **state)
{
    (void)state;
#define UNIGRAM(more) "{\"type\":\"Unigram\"," more "}"
    static const struct {
        struct parts changed;
        enum error_code code;
        const char *where;
    } cases[] = {
        {{.normalizer = "{\"type\":\"Lowercase\"}"},
         ERROR_UNSUPPORTED,
         "normalizer.type is Lowercase"},
        {{.normalizer = "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Strip\"},"
                        "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"\"}]}"},
         ERROR_UNSUPPORTED,
         "Precompiled must come first"},
        {{.normalizer = "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"!\"}"},
         ERROR_FORMAT,
         "precompiled_charsmap must be base64"},
        {{.normalizer = "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA\"}"},
         ERROR_FORMAT,
         "precompiled_charsmap is malformed"},
        {{.normalizer = "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"b\"}"},
         ERROR_UNSUPPORTED,
         "Replace.pattern"},
        {{.pre_tokenizer = "{\"type\":\"Metaspace\",\"replacement\":\"ab\"}"},
         ERROR_FORMAT,
         "pre_tokenizer.replacement"},
        {{.pre_tokenizer = "{\"type\":\"Metaspace\",\"replacement\":\"_\","
                           "\"prepend_scheme\":\"last\"}"},
         ERROR_UNSUPPORTED,
         "pre_tokenizer.prepend_scheme"},
        {{.pre_tokenizer = "{\"type\":\"Digits\"}"},
         ERROR_UNSUPPORTED,
         "pre_tokenizer.type is Digits"},
        {{.model = UNIGRAM("\"unk_id\":0,\"vocab\":[]")}, ERROR_FORMAT, "model.vocab"},
        {{.model = UNIGRAM("\"unk_id\":0,\"vocab\":[[\"a\"]]")}, ERROR_FORMAT, "model.vocab[0]"},
        {{.model = UNIGRAM("\"unk_id\":1,\"vocab\":[[\"a\",0]]")}, ERROR_FORMAT, "model.unk_id"},
        {{.model = UNIGRAM("\"vocab\":[[\"a\",0]]")}, ERROR_FORMAT, "model.unk_id"},
        {{.model = UNIGRAM("\"byte_fallback\":true,\"unk_id\":0,\"vocab\":[[\"a\",0]]")},
         ERROR_UNSUPPORTED,
         "model.byte_fallback"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_parts(&good_unigram, &cases[i].changed);
        expect_error(cases[i].code, "tokenizer.json", cases[i].where);
    }
}

static void wrong_lines_of_merges_are_named(void **state)
{
    (void)state;
    write_file("vocab.json", VOCAB);
    expect_error(ERROR_IO, "merges.txt", "");
    write_file("merges.txt", "#version: 0.2\na b\nb\n");
    expect_error(ERROR_FORMAT, "merges.txt", "line 3");
    write_file("merges.txt", "a b\n#version: 0.2\n");
    expect_error(ERROR_FORMAT, "merges.txt", "line 2");
    write_file("merges.txt", "# #\na b\n");
    struct tokenizer *tokenizer = open_or_fail();
    EXPECT_IDS(tokenizer, "##ab", 15, 6);
    tokenizer_close(tokenizer);
    write_file("vocab.json", "[]");
    expect_error(ERROR_FORMAT, "vocab.json", "not a JSON object");
}

/* transformers' fast tokenizers let tokenizer_config.json decide. */
static void the_configuration_decides_about_the_space_before_the_text(void **state)
{
    (void)state;
    write_parts(&good_bpe, &(struct parts){.pre_tokenizer = "{\"type\":\"ByteLevel\"}"});
    struct tokenizer *tokenizer = open_or_fail();
    EXPECT_IDS(tokenizer, "a", 8);
    tokenizer_close(tokenizer);
    write_file("tokenizer_config.json", "{\"tokenizer_class\":\"RobertaTokenizer\"}");
    tokenizer = open_or_fail();
    EXPECT_IDS(tokenizer, "a", 4);
    tokenizer_close(tokenizer);
    write_file("tokenizer_config.json", "{\"add_prefix_space\":true}");
    tokenizer = open_or_fail();
    EXPECT_IDS(tokenizer, "a", 8);
    EXPECT_IDS(tokenizer, " a", 8);
    tokenizer_close(tokenizer);
}

static void every_byte_is_spelled_and_read_back(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        char spelled[BYTE_LEVEL_CHAR_BYTES];
        char read[BYTE_LEVEL_CHAR_BYTES];
        size_t size = byte_level_spell((uint8_t)byte, spelled);
        assert_int_equal(byte_level_read(spelled, size, read), 1);
        assert_int_equal((unsigned char)read[0], byte);
    }
    char out[8];
    assert_int_equal(byte_level_read("a b", 3, out), 0);
    assert_int_equal(byte_level_read("\xE4\xB8\xAD", 3, out), 0);
}

/* A sentencepiece model of two pieces after its own three, cut and changed everywhere. */
static const unsigned char small_model[] =
    "\x0A\x0E\x0A\x05<unk>\x15\x00\x00\x00\x00\x18\x02"
    "\x0A\x0C\x0A\x03<s>\x15\x00\x00\x00\x00\x18\x03"
    "\x0A\x0D\x0A\x04</s>\x15\x00\x00\x00\x00\x18\x03"
    "\x0A\x08\x0A\x01"
    "a\x15\x00\x00\x80\xBF"
    "\x0A\x0B\x0A\x04\xE2\x96\x81"
    "a\x15\x00\x00\x00\xC0"
    "\x12\x02\x18\x01"
    "\x1A\x0F\x12\x0D\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

static void sentencepiece_models_get_fairseqs_ids(void **state)
{
    (void)state;
    write_bytes("sentencepiece.bpe.model", small_model, sizeof small_model - 1);
    struct tokenizer *tokenizer = open_or_fail();
    assert_int_equal(tokenizer_vocab_count(tokenizer), 7);
    EXPECT_IDS(tokenizer, "a aa", 5, 5, 4);
    EXPECT_IDS(tokenizer, "x <mask></s>", 3, 6, 2);
    assert_int_equal(tokenizer_special(tokenizer)->cls, 0);
    assert_int_equal(tokenizer_special(tokenizer)->pad, 1);
    assert_int_equal(tokenizer_special(tokenizer)->unk, 3);
    tokenizer_close(tokenizer);
}

static void broken_sentencepiece_models_are_refused_or_read_but_never_trusted(void **state)
{
    (void)state;
    unsigned char bytes[sizeof small_model - 1];
    size_t refused = 0;
    for (size_t at = 0; at < sizeof bytes; at++) {
        for (unsigned value = 0; value < 256; value += 15) {
            struct error err = {0};
            struct sentencepiece model;
            memcpy(bytes, small_model, sizeof bytes);
            bytes[at] = (unsigned char)value;
            if (sentencepiece_read(&model, (const char *)bytes, sizeof bytes, "file", &err)) {
                assert_non_null(strstr(err.message, "file"));
                refused++;
            } else {
                sentencepiece_done(&model);
            }
        }
        struct error err = {0};
        struct sentencepiece model;
        if (!sentencepiece_read(&model, (const char *)small_model, at, "file", &err)) {
            sentencepiece_done(&model);
        }
    }
    assert_true(refused > 100);
    struct error err = {0};
    struct sentencepiece model;
    assert_int_equal(sentencepiece_read(&model, "", 0, "file", &err), ERROR_FORMAT);
}

static void other_kinds_of_sentencepiece_models_are_refused(void **state)
{
    (void)state;
    unsigned char bytes[sizeof small_model - 1];
    memcpy(bytes, small_model, sizeof bytes);
    unsigned char *trainer = bytes + sizeof bytes - 17 - 4;
    assert_int_equal(trainer[2], 0x18);
    trainer[3] = SENTENCEPIECE_MODEL_BPE;
    write_bytes("sentencepiece.bpe.model", bytes, sizeof bytes);
    expect_error(ERROR_UNSUPPORTED, "sentencepiece.bpe.model", "Unigram");
}

/* A double array whose every unit points out of it. */
static void maps_that_point_astray_match_nothing(void **state)
{
    (void)state;
    unsigned char bytes[4 + 1024 + 4];
    memset(bytes, 0xFF, sizeof bytes);
    memcpy(bytes, "\x00\x04\x00\x00", 4);
    struct charsmap map;
    charsmap_init(&map);
    assert_int_equal(charsmap_read(&map, bytes, sizeof bytes), CHARSMAP_READ);
    for (unsigned c = 1; c < 256; c++) {
        char text[2] = {(char)c, (char)c};
        size_t size;
        assert_null(charsmap_find(&map, text, 2, &size));
    }
    charsmap_done(&map);
    memcpy(bytes, "\xFF\xFF\xFF\xFF", 4);
    assert_int_equal(charsmap_read(&map, bytes, sizeof bytes), CHARSMAP_READ_MALFORMED);
    assert_int_equal(charsmap_read(&map, bytes, 3), CHARSMAP_READ_MALFORMED);
    charsmap_done(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(bpe_merges_the_lowest_rank_first_and_leftmost, remove_files),
        cmocka_unit_test_teardown(malformed_bytes_are_read_as_the_replacement_character,
                                  remove_files),
        cmocka_unit_test_teardown(long_words_are_cut_and_nothing_is_lost, remove_files),
        cmocka_unit_test_teardown(long_texts_have_the_ids_of_their_words, remove_files),
        cmocka_unit_test_teardown(the_first_of_equal_sums_wins_and_unknowns_are_one, remove_files),
        cmocka_unit_test_teardown(wrong_files_of_bpe_are_named, remove_files),
        cmocka_unit_test_teardown(wrong_files_of_unigram_are_named, remove_files),
        cmocka_unit_test_teardown(wrong_lines_of_merges_are_named, remove_files),
        cmocka_unit_test_teardown(the_configuration_decides_about_the_space_before_the_text,
                                  remove_files),
        cmocka_unit_test(every_byte_is_spelled_and_read_back),
        cmocka_unit_test_teardown(sentencepiece_models_get_fairseqs_ids, remove_files),
        cmocka_unit_test(broken_sentencepiece_models_are_refused_or_read_but_never_trusted),
        cmocka_unit_test_teardown(other_kinds_of_sentencepiece_models_are_refused, remove_files),
        cmocka_unit_test(maps_that_point_astray_match_nothing),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
