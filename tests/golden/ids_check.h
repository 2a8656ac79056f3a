/* ids_check.h - what the tests of token ids share: opening, comparing with stored answers, hashing
 * sweeps over code points. For inclusion after cmocka.h, in one file per program.
 */
#ifndef TESTS_GOLDEN_IDS_CHECK_H
#define TESTS_GOLDEN_IDS_CHECK_H

#include "base/json.h"
#include "base/lines.h"
#include "base/utf8.h"
#include "nlp/tokenizer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE(path) UNDERTONE_SOURCE_DIR "/" path
#define GOLDEN(name) SOURCE("tests/golden/tokenizers/" name)

enum {
    LINE_BYTES_MAX = 1 << 20,
    IDS_MAX = 1 << 16,
    PATH_MAX_BYTES = 4096,
    SPREAD = 7,   /* ids pulled per call, so that every seam of the stream is crossed */
    BLOCK = 4096, /* code points in a line of a sweep */
    NUMBERS_MAX = BLOCK * 64,
    TEXT_MAX = 64,
};

struct opened {
    struct tokenizer *tokenizer;
    struct tokenizer_scratch *scratch;
};

static inline struct opened open_or_fail(const char *directory)
{
    struct error err = {0};
    struct opened opened = {0};
    if (tokenizer_open(&opened.tokenizer, directory, &err) ||
        tokenizer_scratch_create(opened.tokenizer, &opened.scratch, &err)) {
        fail_msg("%s", err.message);
    }
    return opened;
}

static inline void close_opened(struct opened *opened)
{
    tokenizer_scratch_destroy(opened->scratch);
    tokenizer_close(opened->tokenizer);
}

/* With special tokens, cut to tokens_max of them in all as truncation=True does. */
static inline size_t encode_framed(const struct opened *opened, const char *text, size_t size,
                                   size_t tokens_max, uint32_t *ids)
{
    const struct tokenizer_frame *frame = tokenizer_frame(opened->tokenizer);
    size_t count = 0;
    for (size_t i = 0; i < frame->prefix_count; i++) {
        ids[count++] = frame->prefix[i];
    }
    tokenizer_start(opened->tokenizer, opened->scratch, text, size);
    size_t more;
    while ((more = tokenizer_next(opened->tokenizer, opened->scratch, ids + count, SPREAD)) > 0) {
        count += more;
    }
    if (count > tokens_max - frame->suffix_count) {
        count = tokens_max - frame->suffix_count;
    }
    for (size_t i = 0; i < frame->suffix_count; i++) {
        ids[count++] = frame->suffix[i];
    }
    return count;
}

/* Compares every line that has text and key; returns how many there were. */
static inline size_t check_file(const struct opened *opened, const char *path, const char *key,
                                size_t tokens_max)
{
    static uint32_t ids[IDS_MAX];
    struct error err = {0};
    struct lines *lines = NULL;
    const char *line;
    size_t size;
    size_t checked = 0;
    assert_int_equal(lines_open(&lines, path, LINE_BYTES_MAX, &err), 0);
    while (lines_next(lines, &line, &size, &err) > 0) {
        struct json_document *document = NULL;
        assert_int_equal(json_parse(line, size, &document, &err), 0);
        size_t text_size = 0;
        const char *text = json_as_string(json_get(json_root(document), "text"), &text_size);
        const struct json *expected = json_get(json_root(document), key);
        if (text && json_kind(expected) == JSON_KIND_ARRAY) {
            size_t count = encode_framed(opened, text, text_size, tokens_max, ids);
            bool equal = count == json_size(expected);
            for (size_t i = 0; equal && i < count; i++) {
                int64_t id;
                equal = json_as_integer(json_at(expected, i), &id) && id == (int64_t)ids[i];
            }
            if (!equal) {
                fail_msg("%s:%zu: ids differ", path, lines_number(lines));
            }
            checked++;
        }
        json_free(document);
    }
    lines_close(lines);
    return checked;
}

/* A sweep's hashes are over lists of numbers, each closed by UINT32_MAX, little-endian. */
struct numbers {
    unsigned char bytes[NUMBERS_MAX * 4];
    size_t size;
};

static inline void append_number(struct numbers *numbers, uint32_t number)
{
    assert_true(numbers->size + 4 <= sizeof numbers->bytes);
    for (unsigned shift = 0; shift < 32; shift += 8) {
        numbers->bytes[numbers->size++] = (unsigned char)(number >> shift);
    }
}

static inline bool is_surrogate(uint32_t code_point)
{
    return code_point >= 0xD800 && code_point <= 0xDFFF;
}

static inline uint64_t parse_hash(char **at)
{
    char *end = NULL;
    uint64_t value = strtoull(*at, &end, 16);
    assert_ptr_not_equal(end, *at);
    *at = end;
    return value;
}

#endif
