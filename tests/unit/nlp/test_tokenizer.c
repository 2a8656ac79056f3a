/* Opening tokenizers: good ones, incomplete ones and hostile ones; and the promises of the stream.
 * That the ids are right is tests/golden/test_tokenizer_ids.c's business.
 */
#include "nlp/tokenizer.h"

#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TINY_BERT UNDERTONE_SOURCE_DIR "/tests/fixtures/tiny-bert"

enum { PATH_BYTES = 4096, JSON_BYTES = 8192 };

static char directory[PATH_BYTES];

static void write_file(const char *name, const char *bytes, size_t size)
{
    char path[PATH_BYTES + 64];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *name, const char *text)
{
    write_file(name, text, strlen(text));
}

static int make_directory(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(directory, sizeof directory, "%.4000s/undertone-tokenizer-XXXXXX",
                   parent ? parent : "/tmp");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    static const char *const names[] = {"tokenizer.json", "tokenizer_config.json", "vocab.txt"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_BYTES + 64];
        (void)snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        (void)unlink(path);
    }
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

/* Opening must fail with this code, and the message must name every part of where. */
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

static size_t encode(const struct tokenizer *tokenizer, const char *text, uint32_t *ids,
                     size_t ids_max)
{
    struct error err = {0};
    struct tokenizer_scratch *scratch = NULL;
    assert_int_equal(tokenizer_scratch_create(tokenizer, &scratch, &err), 0);
    size_t count = tokenizer_encode(tokenizer, scratch, text, strlen(text), ids, ids_max);
    tokenizer_scratch_destroy(scratch);
    return count;
}

static void expect_ids(const struct tokenizer *tokenizer, const char *text,
                       const uint32_t *expected, size_t expected_count)
{
    uint32_t ids[64];
    assert_int_equal(encode(tokenizer, text, ids, 64), expected_count);
    assert_memory_equal(ids, expected, expected_count * sizeof ids[0]);
}

#define EXPECT_IDS(tokenizer, text, ...)                         \
    expect_ids(tokenizer, text, (const uint32_t[]){__VA_ARGS__}, \
               sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* The parts of a small tokenizer.json, each replaceable. */
struct parts {
    const char *added;
    const char *normalizer;
    const char *pre_tokenizer;
    const char *post_processor;
    const char *model;
};

static const struct parts good = {
    .added = "[{\"id\":3,\"content\":\"[SEP]\",\"special\":true,\"normalized\":false}]",
    .normalizer = "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
                  "\"strip_accents\":null,\"lowercase\":true}",
    .pre_tokenizer = "{\"type\":\"BertPreTokenizer\"}",
    .post_processor = "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]}",
    .model = "{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","
             "\"max_input_chars_per_word\":100,\"vocab\":{\"[PAD]\":0,\"[UNK]\":1,\"[CLS]\":2,"
             "\"[SEP]\":3,\"play\":4,\"##ing\":5,\"##s\":6,\"!\":7,\"Play\":8}}",
};

static void write_parts(const struct parts *parts)
{
    char text[JSON_BYTES];
    int size = snprintf(text, sizeof text,
                        "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,"
                        "\"added_tokens\":%s,\"normalizer\":%s,\"pre_tokenizer\":%s,"
                        "\"post_processor\":%s,\"model\":%s}",
                        parts->added, parts->normalizer, parts->pre_tokenizer,
                        parts->post_processor, parts->model);
    assert_in_range(size, 1, sizeof text - 1);
    write_file("tokenizer.json", text, (size_t)size);
}

static void a_good_file_opens_and_tells_its_special_tokens(void **state)
{
    (void)state;
    write_parts(&good);
    struct tokenizer *tokenizer = open_or_fail();
    assert_int_equal(tokenizer_vocab_count(tokenizer), 9);
    const struct tokenizer_special *special = tokenizer_special(tokenizer);
    assert_int_equal(special->cls, 2);
    assert_int_equal(special->sep, 3);
    assert_int_equal(special->unk, 1);
    assert_int_equal(special->pad, 0);
    assert_int_equal(tokenizer_frame(tokenizer)->prefix_count, 1);
    assert_int_equal(tokenizer_frame(tokenizer)->suffix_count, 1);
    EXPECT_IDS(tokenizer, "Playing plays!", 4, 5, 4, 6, 7);
    EXPECT_IDS(tokenizer, "play[SEP]plaything", 4, 3, 1);
    assert_int_equal(encode(tokenizer, "", NULL, 0), 0);
    assert_int_equal(encode(tokenizer, "play play play", NULL, 0), 3);
    tokenizer_close(tokenizer);
    tokenizer_close(NULL);
    tokenizer_scratch_destroy(NULL);
}

static void a_model_without_its_type_is_read_by_its_keys(void **state)
{
    (void)state;
    struct parts parts = good;
    parts.model = "{\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","
                  "\"max_input_chars_per_word\":4,\"vocab\":{\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3,"
                  "\"play\":4,\"##s\":6}}";
    write_parts(&parts);
    struct tokenizer *tokenizer = open_or_fail();
    EXPECT_IDS(tokenizer, "play plays", 4, 1); /* five characters are too many */
    assert_int_equal(tokenizer_special(tokenizer)->pad, TOKENIZER_NO_ID);
    tokenizer_close(tokenizer);
}

static void the_template_gives_the_frame(void **state)
{
    (void)state;
    struct parts parts = good;
    parts.post_processor = "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":"
                           "\"x\",\"type_id\":0}},"
                           "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[],\"special_"
                           "tokens\":{\"x\":{\"id\":"
                           "\"x\",\"ids\":[2,7],\"tokens\":[\"[CLS]\",\"!\"]}}}";
    write_parts(&parts);
    struct tokenizer *tokenizer = open_or_fail();
    assert_int_equal(tokenizer_frame(tokenizer)->prefix_count, 2);
    assert_int_equal(tokenizer_frame(tokenizer)->prefix[1], 7);
    assert_int_equal(tokenizer_frame(tokenizer)->suffix_count, 0);
    assert_int_equal(tokenizer_special(tokenizer)->sep, TOKENIZER_NO_ID);
    tokenizer_close(tokenizer);
}

static void components_that_are_not_understood_are_named(void **state)
{
    (void)state;
    static const struct {
        struct parts changed;
        const char *where;
    } cases[] = {
        {{.model = "{\"type\":\"WordLevel\",\"vocab\":{}}"}, "model.type is WordLevel"},
        {{.model = "{\"vocab\":{}}"}, "model.type is missing"},
        {{.normalizer = "{\"type\":\"NFKC\"}"}, "normalizer.type is NFKC"},
        {{.normalizer = "7"}, "normalizer.type is missing"},
        {{.pre_tokenizer = "{\"type\":\"ByteLevel\"}"}, "pre_tokenizer.type is ByteLevel"},
        {{.pre_tokenizer = "null"}, "pre_tokenizer.type is missing"},
        {{.post_processor = "{\"type\":\"ByteLevel\"}"}, "puts no token first"},
        {{.post_processor = "{\"type\":\"Pairs\"}"}, "post_processor.type is Pairs"},
        {{.post_processor = "null"}, "post_processor.type is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parts parts = good;
        const struct parts *changed = &cases[i].changed;
        parts.model = changed->model ? changed->model : parts.model;
        parts.normalizer = changed->normalizer ? changed->normalizer : parts.normalizer;
        parts.pre_tokenizer = changed->pre_tokenizer ? changed->pre_tokenizer : parts.pre_tokenizer;
        parts.post_processor =
            changed->post_processor ? changed->post_processor : parts.post_processor;
        write_parts(&parts);
        expect_error(ERROR_UNSUPPORTED, "tokenizer.json", cases[i].where);
    }
}

static void wrong_types_in_the_model_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        enum error_code code;
        const char *where;
    } cases[] = {
        {"{\"type\":\"WordPiece\"}", ERROR_FORMAT, "model.vocab"},
        {"{\"type\":\"WordPiece\",\"vocab\":[\"a\"]}", ERROR_FORMAT, "model.vocab"},
        {"{\"type\":\"WordPiece\",\"vocab\":{}}", ERROR_FORMAT, "model.vocab"},
        {"{\"type\":\"WordPiece\",\"vocab\":{\"a\":\"0\"}}", ERROR_FORMAT, "entry 1"},
        {"{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,\"a\":-1}}", ERROR_FORMAT, "entry 2"},
        {"{\"type\":\"WordPiece\",\"vocab\":{\"a\":16777216}}", ERROR_FORMAT, "entry 1"},
        {"{\"type\":\"WordPiece\",\"vocab\":{\"a\":1e300}}", ERROR_FORMAT, "entry 1"},
        {"{\"type\":\"WordPiece\",\"vocab\":{\"a\":1,\"b\":1}}", ERROR_FORMAT, "id 1 twice"},
        {"{\"type\":\"WordPiece\",\"vocab\":{\"a\":1}}", ERROR_FORMAT, "[UNK]"},
        {"{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":1},\"unk_token\":3}", ERROR_FORMAT,
         "model.unk_token"},
        {"{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":1},\"continuing_subword_prefix\":null}",
         ERROR_FORMAT, "model.continuing_subword_prefix"},
        {"{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":1},\"max_input_chars_per_word\":0}",
         ERROR_UNSUPPORTED, "model.max_input_chars_per_word"},
        {"{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":1},\"max_input_chars_per_word\":100000}",
         ERROR_UNSUPPORTED, "model.max_input_chars_per_word"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parts parts = good;
        parts.model = cases[i].model;
        write_parts(&parts);
        expect_error(cases[i].code, "tokenizer.json", cases[i].where);
    }
}

static void wrong_added_tokens_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *added;
        const char *where;
    } cases[] = {
        {"{}", "added_tokens"},
        {"[7]", "added_tokens[0]"},
        {"[{\"id\":1}]", "added_tokens[0].content"},
        {"[{\"id\":1,\"content\":\"\"}]", "added_tokens[0].content"},
        {"[{\"content\":\"x\"}]", "added_tokens[0]"},
        {"[{\"id\":1.5,\"content\":\"x\"}]", "added_tokens[0]"},
        {"[{\"id\":99999999,\"content\":\"x\"}]", "added_tokens[0]"},
        {"[{\"id\":9,\"content\":\"x\",\"lstrip\":1}]", "added_tokens[0].lstrip"},
        {"[{\"id\":9,\"content\":\"x\",\"special\":\"yes\"}]", "added_tokens[0].special"},
        {"[{\"id\":5,\"content\":\"[SEP]\"}]", "id 5"},
        {"[{\"id\":9,\"content\":\"x\",\"special\":true},"
         "{\"id\":9,\"content\":\"x\",\"special\":true}]",
         "twice"},
        {"[{\"id\":9,\"content\":\"\\u200b\"}]", "nothing is left"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parts parts = good;
        parts.added = cases[i].added;
        write_parts(&parts);
        expect_error(ERROR_FORMAT, "tokenizer.json", cases[i].where);
    }
}

static void wrong_frames_are_named(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "{\"type\":\"BertProcessing\"}",
        "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",1]}",
        "{\"type\":\"BertProcessing\",\"sep\":[\"nowhere\",3],\"cls\":[\"[CLS]\",2]}",
        "{\"type\":\"BertProcessing\",\"sep\":\"[SEP]\",\"cls\":{}}",
        "{\"type\":\"TemplateProcessing\"}",
        "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}]"
        "}",
        "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":1}}]"
        "}",
        "{\"type\":\"TemplateProcessing\",\"single\":[\"[CLS]\",\"$A\"]}",
        "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"c\",\"type_id\":"
        "0}}],"
        "\"special_tokens\":{\"c\":{\"ids\":[2],\"tokens\":[]}}}",
        "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"c\",\"type_id\":"
        "0}}],"
        "\"special_tokens\":{\"c\":{\"ids\":[2,2,2,2,2],\"tokens\":[\"[CLS]\",\"[CLS]\",\"[CLS]\","
        "\"[CLS]\",\"[CLS]\"]}}}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parts parts = good;
        parts.post_processor = cases[i];
        write_parts(&parts);
        struct error err = {0};
        struct tokenizer *tokenizer = NULL;
        assert_int_not_equal(tokenizer_open(&tokenizer, directory, &err), 0);
        assert_null(tokenizer);
        assert_non_null(strstr(err.message, "tokenizer.json: post_processor"));
    }
}

static void the_config_decides_about_case_unless_its_class_leaves_it_to_the_file(void **state)
{
    (void)state;
    write_parts(&good);
    write_text("tokenizer_config.json", "{\"do_lower_case\": false}");
    struct tokenizer *tokenizer = open_or_fail();
    EXPECT_IDS(tokenizer, "Play play", 8, 4);
    tokenizer_close(tokenizer);

    write_text("tokenizer_config.json",
               "{\"do_lower_case\": false, \"tokenizer_class\": \"PreTrainedTokenizerFast\"}");
    tokenizer = open_or_fail();
    EXPECT_IDS(tokenizer, "Play play", 4, 4);
    tokenizer_close(tokenizer);

    write_text("tokenizer_config.json", "{\"do_lower_case\": \"no\"}");
    expect_error(ERROR_FORMAT, "tokenizer_config.json", "do_lower_case");
    write_text("tokenizer_config.json", "[]");
    expect_error(ERROR_FORMAT, "tokenizer_config.json", "object");
}

static void a_vocabulary_file_is_enough(void **state)
{
    (void)state;
    write_text("vocab.txt", "[UNK]\r\n[CLS]\n\n[SEP] \nplay\n##ing");
    struct tokenizer *tokenizer = open_or_fail();
    assert_int_equal(tokenizer_vocab_count(tokenizer), 6);
    assert_int_equal(tokenizer_special(tokenizer)->pad, TOKENIZER_NO_ID);
    EXPECT_IDS(tokenizer, "PLAYING [SEP] xyz", 4, 5, 3, 0);
    tokenizer_close(tokenizer);
}

static void the_config_can_rename_special_tokens_of_a_vocabulary_file(void **state)
{
    (void)state;
    write_text("vocab.txt", "<unk>\n<s>\n</s>\nplay\n");
    write_text(
        "tokenizer_config.json",
        "{\"unk_token\":\"<unk>\",\"cls_token\":{\"content\":\"<s>\"},\"sep_token\":\"</s>\","
        "\"added_tokens_decoder\":{\"4\":{\"content\":\"hey you\",\"special\":false}}}");
    struct tokenizer *tokenizer = open_or_fail();
    assert_int_equal(tokenizer_vocab_count(tokenizer), 5);
    EXPECT_IDS(tokenizer, "play HEY YOU</s>", 3, 4, 2);
    tokenizer_close(tokenizer);

    write_text("tokenizer_config.json", "{\"unk_token\":\"<unk>\",\"cls_token\":{}}");
    expect_error(ERROR_FORMAT, "tokenizer_config.json", "cls_token");
    write_text("tokenizer_config.json",
               "{\"unk_token\":\"<unk>\",\"added_tokens_decoder\":{\"x\":{\"content\":\"a\"}}}");
    expect_error(ERROR_FORMAT, "tokenizer_config.json", "added_tokens_decoder.x");
}

static void broken_vocabulary_files_are_named_by_line(void **state)
{
    (void)state;
    expect_error(ERROR_IO, "vocab.txt", "no tokenizer.json");
    write_text("vocab.txt", "");
    expect_error(ERROR_FORMAT, "vocab.txt", "no tokens");
    write_text("vocab.txt", "\n\n \n");
    expect_error(ERROR_FORMAT, "vocab.txt", "no tokens");
    write_text("vocab.txt", "[UNK]\n[CLS]\nplay\n[SEP]\nplay\n");
    expect_error(ERROR_FORMAT, "vocab.txt:5", "line 3");
    write_text("vocab.txt", "[CLS]\n[SEP]\nplay\n");
    expect_error(ERROR_FORMAT, "vocab.txt", "[UNK]");
    write_text("vocab.txt", "[UNK]\n[SEP]\nplay\n");
    expect_error(ERROR_FORMAT, "vocab.txt", "cls_token");
    char line[8192];
    memset(line, 'a', sizeof line);
    write_file("vocab.txt", line, sizeof line);
    expect_error(ERROR_LIMIT, "vocab.txt:1", "longer");
}

/* Every prefix of a file, and the file with each byte changed, opens or fails with a message; the
 * sanitizers watch. */
static void damaged_files_never_crash(void **state)
{
    (void)state;
    write_parts(&good);
    char bytes[JSON_BYTES];
    char path[PATH_BYTES + 64];
    (void)snprintf(path, sizeof path, "%s/tokenizer.json", directory);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    assert_int_equal(fclose(file), 0);
    struct rand rand;
    rand_seed(&rand, 11);
    for (size_t i = 0; i < 2 * size; i++) {
        char saved = bytes[i % size];
        size_t keep = i < size ? i : size;
        if (i >= size) {
            bytes[i % size] = (char)rand_below(&rand, 256);
        }
        write_file("tokenizer.json", bytes, keep);
        bytes[i % size] = saved;
        struct error err = {0};
        struct tokenizer *tokenizer = NULL;
        int result = tokenizer_open(&tokenizer, directory, &err);
        assert_true((result != 0) == (tokenizer == NULL));
        assert_true(result == 0 || strstr(err.message, "tokenizer.json"));
        assert_true(i >= size || result != 0);
        tokenizer_close(tokenizer);
    }
}

static void random_bytes_stay_within_bounds_however_they_are_pulled(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "[SEP]", "[", "the",      " ",        "\xCC\x81", "\xE4\xB8\xAD",
        "##",    "!", "\xC3\x89", "\xED\xA0", "\xFF",     "aaaaaaaaaaaaaaaa"};
    enum { PIECES = sizeof pieces / sizeof pieces[0], SIZE_MAX_BYTES = 600 };
    struct error err = {0};
    struct tokenizer *tokenizer = NULL;
    struct tokenizer_scratch *scratch = NULL;
    struct rand rand;
    rand_seed(&rand, 5);
    assert_int_equal(tokenizer_open(&tokenizer, TINY_BERT, &err), 0);
    assert_int_equal(tokenizer_scratch_create(tokenizer, &scratch, &err), 0);
    for (int round = 0; round < 20000; round++) {
        char text[SIZE_MAX_BYTES];
        uint32_t whole[SIZE_MAX_BYTES];
        uint32_t pulled[SIZE_MAX_BYTES];
        size_t size = 0;
        size_t wanted = (size_t)rand_below(&rand, round % 50 == 0 ? SIZE_MAX_BYTES - 16 : 64);
        while (size < wanted) {
            const char *piece = pieces[rand_below(&rand, PIECES)];
            if (round % 3 == 0 || rand_below(&rand, 4) == 0) {
                text[size++] = (char)rand_below(&rand, 256);
            } else {
                memcpy(text + size, piece, strlen(piece));
                size += strlen(piece);
            }
        }
        char *exact = malloc(size ? size : 1); /* so that a sanitizer sees reading past the end */
        assert_non_null(exact);
        memcpy(exact, text, size);
        size_t count = tokenizer_encode(tokenizer, scratch, exact, size, whole, SIZE_MAX_BYTES);
        assert_true(count <= size);
        assert_int_equal(tokenizer_encode(tokenizer, scratch, exact, size, NULL, 0), count);
        tokenizer_start(tokenizer, scratch, exact, size);
        size_t got = 0;
        size_t more;
        do {
            size_t room = 1 + (size_t)rand_below(&rand, 9);
            room = room < SIZE_MAX_BYTES - got ? room : SIZE_MAX_BYTES - got;
            more = tokenizer_next(tokenizer, scratch, pulled + got, room);
            got += more;
        } while (more > 0);
        assert_int_equal(got, count);
        assert_memory_equal(pulled, whole, count * sizeof whole[0]);
        for (size_t i = 0; i < count; i++) {
            assert_true(whole[i] < tokenizer_vocab_count(tokenizer));
        }
        free(exact);
    }
    tokenizer_scratch_destroy(scratch);
    tokenizer_close(tokenizer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        TEST(a_good_file_opens_and_tells_its_special_tokens),
        TEST(a_model_without_its_type_is_read_by_its_keys),
        TEST(the_template_gives_the_frame),
        TEST(components_that_are_not_understood_are_named),
        TEST(wrong_types_in_the_model_are_named),
        TEST(wrong_added_tokens_are_named),
        TEST(wrong_frames_are_named),
        TEST(the_config_decides_about_case_unless_its_class_leaves_it_to_the_file),
        TEST(a_vocabulary_file_is_enough),
        TEST(the_config_can_rename_special_tokens_of_a_vocabulary_file),
        TEST(broken_vocabulary_files_are_named_by_line),
        TEST(damaged_files_never_crash),
        TEST(random_bytes_stay_within_bounds_however_they_are_pulled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
