/* byte_level.c - see byte_level.h. Facts follow huggingface/tokenizers, pre_tokenizers/
 * byte_level.rs, whose regular expressions are Oniguruma's.
 *
 * A hand-written scanner instead of an engine: the expression never looks further than one code
 * point past a word. utf8proc's categories are corrected by a small generated table, which a sweep
 * over every code point keeps honest (test_bpe_ids.c).
 */
#include "nlp/byte_level.h"

#include "base/unicode.h"
#include "base/utf8.h"

#include <string.h>

struct exception {
    uint32_t first;
    uint32_t last;
    enum byte_level_class class;
};

#include "nlp/byte_level_table.h"

enum { EXCEPTIONS = sizeof exceptions / sizeof exceptions[0], ASCII = 128 };

#define S BYTE_LEVEL_CLASS_SPACE
#define L BYTE_LEVEL_CLASS_LETTER
#define N BYTE_LEVEL_CLASS_NUMBER
#define O BYTE_LEVEL_CLASS_OTHER
static const uint8_t ascii_classes[ASCII] = {
    O, O, O, O, O, O, O, O, O, S, S, S, S, S, O, O, /* 0x00 */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 0x10 */
    S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 0x20 */
    N, N, N, N, N, N, N, N, N, N, O, O, O, O, O, O, /* 0x30 */
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 0x40 */
    L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O, /* 0x50 */
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 0x60 */
    L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O, /* 0x70 */
};
#undef S
#undef L
#undef N
#undef O

static const struct exception *find_exception(uint32_t code_point)
{
    size_t low = 0;
    size_t high = EXCEPTIONS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code_point > exceptions[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < EXCEPTIONS && code_point >= exceptions[low].first;
    return found ? &exceptions[low] : NULL;
}

enum byte_level_class byte_level_class(uint32_t code_point)
{
    if (code_point < ASCII) {
        return (enum byte_level_class)ascii_classes[code_point];
    }
    if (code_point >= exceptions[0].first) {
        const struct exception *exception = find_exception(code_point);
        if (exception) {
            return exception->class;
        }
    }
    enum unicode_category category = unicode_category(code_point);
    if (category >= UNICODE_CATEGORY_LU && category <= UNICODE_CATEGORY_LO) {
        return BYTE_LEVEL_CLASS_LETTER;
    }
    if (category >= UNICODE_CATEGORY_ND && category <= UNICODE_CATEGORY_NO) {
        return BYTE_LEVEL_CLASS_NUMBER;
    }
    return unicode_is_white_space(code_point) ? BYTE_LEVEL_CLASS_SPACE : BYTE_LEVEL_CLASS_OTHER;
}

/* The class of the code point at the head of bytes[0..size), size > 0, and its size. */
static enum byte_level_class class_at(const char *bytes, size_t size, size_t *taken, bool *valid)
{
    unsigned char byte = (unsigned char)*bytes;
    if (byte < ASCII) {
        *taken = 1;
        return (enum byte_level_class)ascii_classes[byte];
    }
    uint32_t code_point;
    bool well_formed = true;
    *taken = utf8_decode(bytes, size, &code_point, &well_formed);
    *valid = *valid && well_formed;
    return byte_level_class(code_point);
}

/* Where the run of this class that begins at `at` ends. */
static size_t run_end(const char *bytes, size_t size, size_t at, enum byte_level_class class,
                      bool *valid)
{
    while (at < size) {
        size_t taken;
        bool well_formed = true;
        if (class_at(bytes + at, size - at, &taken, &well_formed) != class) {
            break;
        }
        *valid = *valid && well_formed;
        at += taken;
    }
    return at;
}

static size_t contraction(const char *bytes, size_t size)
{
    if (size >= 2 && memchr("stmd", bytes[1], 4)) {
        return 2;
    }
    if (size >= 3 &&
        ((bytes[1] == 'r' && bytes[2] == 'e') || (bytes[1] == 'v' && bytes[2] == 'e') ||
         (bytes[1] == 'l' && bytes[2] == 'l'))) {
        return 3;
    }
    return 0;
}

/* White space at the head: all of it at the end of the text, else all but the last code point,
 * which may belong to the next word; but at least one, the imagined space included. */
static size_t space_word(const char *bytes, size_t size, bool spaced)
{
    size_t at = 0;
    size_t last = 0;
    while (at < size) {
        size_t taken;
        bool valid = true;
        if (class_at(bytes + at, size - at, &taken, &valid) != BYTE_LEVEL_CLASS_SPACE) {
            return last > 0 || spaced ? last : at;
        }
        last = at;
        at += taken;
    }
    return at;
}

size_t byte_level_word(const char *bytes, size_t size, bool spaced, bool *valid)
{
    size_t at = 0;
    if (*bytes == '\'' && !spaced) {
        size_t short_word = contraction(bytes, size);
        if (short_word > 0) {
            return short_word;
        }
    }
    if (*bytes == ' ' && size > 1 && !spaced) {
        at = 1;
    }
    size_t taken;
    bool well_formed = true;
    enum byte_level_class class = class_at(bytes + at, size - at, &taken, &well_formed);
    return class == BYTE_LEVEL_CLASS_SPACE ? space_word(bytes, size, spaced)
                                           : run_end(bytes, size, at, class, valid);
}

/* Printable bytes are their own code points; the 68 others count up from U+0100. */
static bool is_own_code_point(uint32_t byte)
{
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

static uint32_t spelling(uint8_t byte)
{
    uint32_t code_point = 0x100;
    if (is_own_code_point(byte)) {
        return byte;
    }
    for (uint32_t other = 0; other < byte; other++) {
        code_point += !is_own_code_point(other);
    }
    return code_point;
}

size_t byte_level_spell(uint8_t byte, char out[BYTE_LEVEL_CHAR_BYTES])
{
    char encoded[UTF8_BYTES_MAX];
    size_t size = utf8_encode(spelling(byte), encoded);
    memcpy(out, encoded, size < BYTE_LEVEL_CHAR_BYTES ? size : BYTE_LEVEL_CHAR_BYTES);
    return size;
}

/* The byte that a code point spells, or -1. */
static int byte_of(uint32_t code_point)
{
    if (code_point <= 0xFF) {
        return is_own_code_point(code_point) ? (int)code_point : -1;
    }
    uint32_t next = 0x100;
    for (uint32_t byte = 0; byte <= 0xFF; byte++) {
        if (!is_own_code_point(byte) && next++ == code_point) {
            return (int)byte;
        }
    }
    return -1;
}

size_t byte_level_read(const char *spelled, size_t size, char *out)
{
    size_t count = 0;
    for (size_t at = 0; at < size;) {
        uint32_t code_point;
        at += utf8_decode(spelled + at, size - at, &code_point, NULL);
        int byte = byte_of(code_point);
        if (byte < 0) {
            return 0;
        }
        out[count++] = (char)byte;
    }
    return count;
}
