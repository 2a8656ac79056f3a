/* words.c - see words.h. Phrases hang in chains under the hash of their first word; a chain is
 * compared whole, so a hash that two words share costs time and never an answer. */
#include "cues/words.h"

#include "base/keyhash.h"
#include "base/unicode.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

struct words_phrase {
    char *text; /* owned; "two words " */
    uint32_t bytes;
    uint32_t number;
    uint32_t next; /* in its chain, + 1; 0 for none */
};

/* --- normal form --- */

static bool is_apostrophe(uint32_t code_point)
{
    return code_point == '\'' || code_point == 0x2019 || code_point == 0x02BC;
}

static bool append_lower(uint32_t code_point, struct buf *out)
{
    if (code_point < 0x80) {
        bool upper = code_point >= 'A' && code_point <= 'Z';
        return buf_append_char(out, (char)(upper ? code_point + 32 : code_point));
    }
    uint32_t lower[UNICODE_LOWER_MAX];
    size_t count = unicode_lower(code_point, lower);
    for (size_t i = 0; i < count; i++) {
        char bytes[UTF8_BYTES_MAX];
        if (!buf_append(out, bytes, utf8_encode(lower[i], bytes))) {
            return false;
        }
    }
    return true;
}

static bool is_word(uint32_t code_point)
{
    if (code_point < 0x80) {
        return (code_point >= 'a' && code_point <= 'z') ||
               (code_point >= 'A' && code_point <= 'Z') ||
               (code_point >= '0' && code_point <= '9') || code_point == '_';
    }
    return unicode_is_word(code_point);
}

bool words_normalize(const char *text, size_t bytes, struct buf *out)
{
    bool inside = false;
    for (size_t at = 0; at < bytes && !out->failed;) {
        uint32_t code_point = (unsigned char)text[at];
        at += code_point < 0x80 ? 1 : utf8_decode(text + at, bytes - at, &code_point, NULL);
        if (is_word(code_point)) {
            inside = append_lower(code_point, out);
        } else if (inside && !is_apostrophe(code_point)) {
            inside = false;
            buf_append_char(out, ' ');
        }
    }
    return inside ? buf_append_char(out, ' ') : !out->failed;
}

/* --- the index --- */

static size_t word_bytes(const char *text, size_t bytes)
{
    const char *blank = memchr(text, ' ', bytes);
    return blank ? (size_t)(blank - text) : bytes;
}

void words_done(struct words_index *index)
{
    for (size_t i = 0; i < index->count; i++) {
        free(index->phrases[i].text);
    }
    free(index->phrases);
    free(index->table);
    *index = (struct words_index){0};
}

bool words_add(struct words_index *index, const char *normalized, size_t bytes, uint32_t number)
{
    if (index->count == index->capacity) {
        size_t capacity = index->capacity ? index->capacity * 2 : 64;
        struct words_phrase *grown = index->count < WORDS_PHRASES_MAX
                                         ? realloc(index->phrases, capacity * sizeof *grown)
                                         : NULL;
        if (!grown) {
            return false;
        }
        index->phrases = grown;
        index->capacity = capacity;
    }
    char *text = malloc(bytes + 1);
    if (!text) {
        return false;
    }
    memcpy(text, normalized, bytes);
    text[bytes] = '\0';
    index->phrases[index->count++] =
        (struct words_phrase){.text = text, .bytes = (uint32_t)bytes, .number = number};
    return true;
}

static size_t slot_of(const struct words_index *index, const char *text, size_t bytes)
{
    return (size_t)keyhash_fnv1a(text, bytes) & (index->slots - 1);
}

bool words_seal(struct words_index *index)
{
    size_t slots = 64;
    while (slots < index->count * 4) {
        slots *= 2;
    }
    index->table = calloc(slots, sizeof *index->table);
    if (!index->table) {
        return false;
    }
    index->slots = slots;
    for (size_t i = 0; i < index->count; i++) {
        struct words_phrase *phrase = &index->phrases[i];
        size_t slot = slot_of(index, phrase->text, word_bytes(phrase->text, phrase->bytes));
        phrase->next = index->table[slot];
        index->table[slot] = (uint32_t)(i + 1);
    }
    return true;
}

void words_mark(const struct words_index *index, const char *normalized, size_t bytes,
                uint64_t *mask)
{
    if (index->count == 0) {
        return;
    }
    for (size_t at = 0; at < bytes;) {
        size_t word = word_bytes(normalized + at, bytes - at);
        uint32_t next = index->table[slot_of(index, normalized + at, word)];
        while (next) {
            const struct words_phrase *phrase = &index->phrases[next - 1];
            if (phrase->bytes <= bytes - at &&
                memcmp(phrase->text, normalized + at, phrase->bytes) == 0) {
                mask[phrase->number / 64] |= UINT64_C(1) << (phrase->number % 64);
            }
            next = phrase->next;
        }
        at += word + 1;
    }
}
