/* added_tokens.c - see added_tokens.h. Follows huggingface/tokenizers, added_vocabulary.rs.
 *
 * There are a handful of these tokens, nearly all beginning with the same byte, so a table of first
 * bytes and a list sorted by length do what the library's automaton does. The word characters of
 * its Unicode version that utf8proc does not know are in a small generated table.
 */
#include "nlp/added_tokens.h"

#include "base/unicode.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

struct range {
    uint32_t first;
    uint32_t last;
};

#include "nlp/added_tokens_table.h"

enum { WORD_CHARACTERS = sizeof word_characters / sizeof word_characters[0] };

void added_tokens_init(struct added_tokens *added)
{
    *added = (struct added_tokens){0};
}

void added_tokens_done(struct added_tokens *added)
{
    for (size_t i = 0; i < added->count; i++) {
        free((char *)added->tokens[i].content);
    }
    free(added->tokens);
    added_tokens_init(added);
}

bool added_tokens_add(struct added_tokens *added, const struct added_token *token)
{
    if (added->count == added->capacity) {
        size_t capacity = added->capacity ? added->capacity * 2 : 8;
        struct added_token *grown = NULL;
        if (capacity <= ADDED_TOKENS_MAX) {
            grown = realloc(added->tokens, capacity * sizeof *grown);
        }
        if (!grown) {
            return false;
        }
        added->tokens = grown;
        added->capacity = capacity;
    }
    char *content = malloc(token->size);
    if (!content) {
        return false;
    }
    memcpy(content, token->content, token->size);
    added->tokens[added->count] = *token;
    added->tokens[added->count].content = content;
    added->count++;
    added->starts[(unsigned char)content[0]] = true;
    return true;
}

static void pack_token(struct added_token *token, char content[ADDED_TOKEN_BYTES_MAX],
                       struct packed *packed, size_t id_count)
{
    packed_size(packed, &token->size, ADDED_TOKEN_BYTES_MAX);
    packed_bytes(packed, content, token->size);
    packed_id(packed, &token->id, (uint32_t)id_count - 1);
    packed_flag(packed, &token->single_word);
    packed_flag(packed, &token->lstrip);
    packed_flag(packed, &token->rstrip);
}

void added_tokens_pack(struct added_tokens *added, struct packed *packed, size_t id_count)
{
    size_t count = added->count;
    packed_size(packed, &count, ADDED_TOKENS_MAX);
    for (size_t i = 0; i < count && !packed_failed(packed); i++) {
        char content[ADDED_TOKEN_BYTES_MAX] = {0};
        struct added_token token = {.content = content};
        if (packed_writes(packed)) {
            token = added->tokens[i];
            memcpy(content, token.content, token.size);
        }
        pack_token(&token, content, packed, id_count);
        bool is_read = !packed_writes(packed) && !packed_failed(packed);
        if (is_read && (token.size == 0 || !added_tokens_add(added, &token))) {
            packed_fail(packed, "holds an empty token, or there is no memory");
        }
    }
}

const struct added_token *added_tokens_find(const struct added_tokens *added, const char *content,
                                            size_t size)
{
    for (size_t i = 0; i < added->count; i++) {
        const struct added_token *token = &added->tokens[i];
        if (token->size == size && memcmp(token->content, content, size) == 0) {
            return token;
        }
    }
    return NULL;
}

static int compare_longest_first(const void *left, const void *right)
{
    const struct added_token *a = left;
    const struct added_token *b = right;
    return (a->size < b->size) - (a->size > b->size);
}

void added_tokens_sort(struct added_tokens *added)
{
    if (added->count > 0) {
        qsort(added->tokens, added->count, sizeof added->tokens[0], compare_longest_first);
    }
}

/* Decodes the code point that ends at `at` > 0. */
static size_t decode_before(const char *bytes, size_t at, uint32_t *code_point)
{
    size_t start = at - 1;
    while (start > 0 && at - start < UTF8_BYTES_MAX &&
           ((unsigned char)bytes[start] & 0xC0) == 0x80) {
        start--;
    }
    if (utf8_decode(bytes + start, at - start, code_point, NULL) == at - start) {
        return at - start;
    }
    *code_point = UTF8_REPLACEMENT;
    return 1;
}

bool added_tokens_is_word(uint32_t code_point)
{
    size_t low = 0;
    size_t high = WORD_CHARACTERS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code_point > word_characters[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_listed = low < WORD_CHARACTERS && code_point >= word_characters[low].first;
    return is_listed || unicode_is_word(code_point);
}

static bool stands_alone(const char *bytes, size_t size, size_t start, size_t stop)
{
    uint32_t code_point;
    if (start > 0) {
        (void)decode_before(bytes, start, &code_point);
        if (added_tokens_is_word(code_point)) {
            return false;
        }
    }
    if (stop < size) {
        (void)utf8_decode(bytes + stop, size - stop, &code_point, NULL);
        return !added_tokens_is_word(code_point);
    }
    return true;
}

static size_t skip_white_space_before(const char *bytes, size_t at, size_t floor)
{
    while (at > floor) {
        uint32_t code_point;
        size_t taken = decode_before(bytes, at, &code_point);
        if (!unicode_is_white_space(code_point) || at - taken < floor) {
            break;
        }
        at -= taken;
    }
    return at;
}

static size_t skip_white_space_after(const char *bytes, size_t size, size_t at)
{
    while (at < size) {
        uint32_t code_point;
        size_t taken = utf8_decode(bytes + at, size - at, &code_point, NULL);
        if (!unicode_is_white_space(code_point)) {
            break;
        }
        at += taken;
    }
    return at;
}

static const struct added_token *token_at(const struct added_tokens *added, const char *bytes,
                                          size_t size)
{
    for (size_t i = 0; i < added->count; i++) {
        const struct added_token *token = &added->tokens[i];
        if (token->size <= size && memcmp(bytes, token->content, token->size) == 0) {
            return token;
        }
    }
    return NULL;
}

bool added_tokens_match(const struct added_tokens *added, const char *bytes, size_t size,
                        size_t from, size_t settled, struct added_match *match)
{
    for (size_t at = from; at < size;) {
        if (!added->starts[(unsigned char)bytes[at]]) {
            at++;
            continue;
        }
        const struct added_token *token = token_at(added, bytes + at, size - at);
        if (!token) {
            at++;
            continue;
        }
        size_t stop = at + token->size;
        if (token->single_word && !stands_alone(bytes, size, at, stop)) {
            at = stop;
            continue;
        }
        match->id = token->id;
        match->next = stop;
        match->start = token->lstrip ? skip_white_space_before(bytes, at, settled) : at;
        match->stop = token->rstrip ? skip_white_space_after(bytes, size, stop) : stop;
        return true;
    }
    return false;
}

void added_cursor_start(struct added_cursor *cursor, const char *bytes, size_t size)
{
    *cursor = (struct added_cursor){.bytes = bytes, .size = size};
}

enum added_step added_cursor_next(struct added_cursor *cursor, const struct added_tokens *added,
                                  size_t *start, size_t *stop, uint32_t *id)
{
    if (!cursor->has_match && cursor->settled < cursor->size) {
        cursor->has_match =
            added_tokens_match(added, cursor->bytes, cursor->size, cursor->search_from,
                               cursor->settled, &cursor->match);
        *start = cursor->settled;
        *stop = cursor->has_match ? cursor->match.start : cursor->size;
        if (*stop > *start) {
            cursor->settled = *stop;
            return ADDED_STEP_TEXT;
        }
    }
    if (!cursor->has_match) {
        return ADDED_STEP_END;
    }
    *id = cursor->match.id;
    cursor->settled = cursor->match.stop;
    cursor->search_from = cursor->match.next;
    cursor->has_match = false;
    return ADDED_STEP_TOKEN;
}
