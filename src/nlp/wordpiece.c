/* wordpiece.c - see wordpiece.h. Follows huggingface/tokenizers, models/wordpiece/mod.rs.
 *
 * Bytes flow one way: normalizer, window (for added tokens that match normalized text; usually
 * there are none and it is skipped), word, ids. ASCII takes a short cut from byte to word through
 * two small tables, because that is what call transcripts are made of. Loading is wordpiece_load.c.
 */
#include "nlp/wordpiece.h"

#include "base/utf8.h"
#include "nlp/added_tokens.h"

#include <stdlib.h>
#include <string.h>

static void fill_ascii_tables(struct wordpiece *wordpiece)
{
    for (uint32_t c = 0; c < 128; c++) {
        enum bert_class class = bert_normalizer_class(c);
        bool is_control = class == BERT_CLASS_CONTROL || class == BERT_CLASS_CONTROL_SPACE;
        if (is_control && !wordpiece->normalizer.clean_text) {
            class = class == BERT_CLASS_CONTROL ? BERT_CLASS_WORD : BERT_CLASS_SPACE;
        }
        bool is_upper = c >= 'A' && c <= 'Z';
        wordpiece->ascii_class[c] = (uint8_t) class;
        wordpiece->ascii_lower[c] =
            (char)(is_upper && wordpiece->normalizer.lowercase ? c - 'A' + 'a' : c);
    }
}

void wordpiece_init(struct wordpiece *wordpiece, struct bert_normalizer normalizer,
                    size_t word_chars_max)
{
    *wordpiece = (struct wordpiece){.normalizer = normalizer, .word_chars_max = word_chars_max};
    vocab_init(&wordpiece->vocab);
    fill_ascii_tables(wordpiece);
}

void wordpiece_done(struct wordpiece *wordpiece)
{
    vocab_done(&wordpiece->vocab);
    for (size_t i = 0; i < wordpiece->pattern_count; i++) {
        free(wordpiece->patterns[i].code_points);
    }
    free(wordpiece->patterns);
    wordpiece->patterns = NULL;
    wordpiece->pattern_count = 0;
}

void wordpiece_seal(struct wordpiece *wordpiece, const char *prefix, size_t prefix_bytes,
                    uint32_t unk)
{
    wordpiece->continuing = vocab_walk(&wordpiece->vocab, VOCAB_ROOT, prefix, prefix_bytes);
    wordpiece->unk = unk;
}

/* Writes the normalized form of an added token and returns its length, which is more than the
 * maximum when it does not fit. */
static size_t normalize_pattern(const struct wordpiece *wordpiece, const char *content, size_t size,
                                uint32_t out[WORDPIECE_PATTERN_CHARS_MAX])
{
    struct bert_normalizer_state state;
    uint32_t settled[BERT_OUT_MAX];
    size_t count = 0;
    bert_normalizer_start(&state);
    for (size_t at = 0; at <= size;) {
        size_t more;
        if (at < size) {
            uint32_t code_point;
            at += utf8_decode(content + at, size - at, &code_point, NULL);
            more = bert_normalizer_push(&wordpiece->normalizer, &state, code_point, settled);
        } else {
            at++;
            more = bert_normalizer_finish(&wordpiece->normalizer, &state, settled);
        }
        if (more > WORDPIECE_PATTERN_CHARS_MAX - count) {
            return WORDPIECE_PATTERN_CHARS_MAX + 1;
        }
        memcpy(out + count, settled, more * sizeof settled[0]);
        count += more;
    }
    return count;
}

/* Keeps the patterns sorted, so that the first that matches is the longest. */
static bool insert_pattern(struct wordpiece *wordpiece, const struct wordpiece_pattern *pattern)
{
    size_t count = wordpiece->pattern_count;
    struct wordpiece_pattern *grown = realloc(wordpiece->patterns, (count + 1) * sizeof *grown);
    if (!grown) {
        return false;
    }
    size_t at = count;
    while (at > 0 && grown[at - 1].count < pattern->count) {
        grown[at] = grown[at - 1];
        at--;
    }
    grown[at] = *pattern;
    wordpiece->patterns = grown;
    wordpiece->pattern_count = count + 1;
    wordpiece->pattern_chars_max = grown[0].count;
    return true;
}

enum wordpiece_added wordpiece_add_pattern(struct wordpiece *wordpiece, const char *content,
                                           size_t size, uint32_t id, bool single_word)
{
    uint32_t normalized[WORDPIECE_PATTERN_CHARS_MAX];
    size_t count = normalize_pattern(wordpiece, content, size, normalized);
    if (count == 0) {
        return WORDPIECE_ADDED_EMPTY;
    }
    if (count > WORDPIECE_PATTERN_CHARS_MAX) {
        return WORDPIECE_ADDED_LONG;
    }
    if (wordpiece->pattern_count >= WORDPIECE_PATTERNS_MAX) {
        return WORDPIECE_ADDED_MANY;
    }
    struct wordpiece_pattern pattern = {.count = count, .id = id, .single_word = single_word};
    pattern.code_points = malloc(count * sizeof normalized[0]);
    if (!pattern.code_points) {
        return WORDPIECE_ADDED_NO_MEMORY;
    }
    memcpy(pattern.code_points, normalized, count * sizeof normalized[0]);
    if (!insert_pattern(wordpiece, &pattern)) {
        free(pattern.code_points);
        return WORDPIECE_ADDED_NO_MEMORY;
    }
    return WORDPIECE_ADDED;
}

/* Cuts the waiting word into the longest pieces from the left; if one place has no piece, or the
 * word is too long, the whole word is the unknown token. */
static void end_word(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch)
{
    if (scratch->word_chars == 0) {
        return;
    }
    bool known = scratch->word_chars <= wordpiece->word_chars_max;
    size_t first = scratch->ids_count;
    uint32_t node = VOCAB_ROOT;
    for (size_t at = 0; known && at < scratch->word_bytes;) {
        size_t matched = vocab_match(&wordpiece->vocab, node, scratch->word + at,
                                     scratch->word_bytes - at, &scratch->ids[scratch->ids_count]);
        scratch->ids_count++;
        at += matched;
        node = wordpiece->continuing;
        known = matched > 0;
    }
    if (!known) {
        scratch->ids[first] = wordpiece->unk;
        scratch->ids_count = first + 1;
    }
    scratch->word_chars = 0;
    scratch->word_bytes = 0;
}

static void append_to_word(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch,
                           uint32_t code_point)
{
    if (scratch->word_chars < wordpiece->word_chars_max) {
        char encoded[UTF8_BYTES_MAX];
        size_t bytes = utf8_encode(code_point, encoded);
        memcpy(scratch->word + scratch->word_bytes, encoded, bytes);
        scratch->word_bytes += bytes;
    }
    scratch->word_chars++;
}

/* The pre-tokenizer: takes one normalized code point. */
static void split(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch,
                  uint32_t code_point)
{
    enum bert_class class = bert_normalizer_class(code_point);
    if (class == BERT_CLASS_SPACE || class == BERT_CLASS_CONTROL_SPACE) {
        end_word(wordpiece, scratch);
        return;
    }
    if (class == BERT_CLASS_PUNCTUATION) {
        end_word(wordpiece, scratch);
        append_to_word(wordpiece, scratch, code_point);
        end_word(wordpiece, scratch);
        return;
    }
    append_to_word(wordpiece, scratch, code_point);
}

static uint32_t window_get(const struct wordpiece_scratch *scratch, size_t index)
{
    return scratch->window[(scratch->window_at + index) % WORDPIECE_WINDOW];
}

static void window_drop(struct wordpiece_scratch *scratch, size_t count)
{
    scratch->window_before = window_get(scratch, count - 1);
    scratch->window_at = (scratch->window_at + count) % WORDPIECE_WINDOW;
    scratch->window_count -= count;
}

/* The longest pattern at the window's head, or NULL. */
static const struct wordpiece_pattern *window_match(const struct wordpiece *wordpiece,
                                                    const struct wordpiece_scratch *scratch)
{
    for (size_t i = 0; i < wordpiece->pattern_count; i++) {
        const struct wordpiece_pattern *pattern = &wordpiece->patterns[i];
        size_t same = 0;
        while (same < pattern->count && same < scratch->window_count &&
               pattern->code_points[same] == window_get(scratch, same)) {
            same++;
        }
        if (same == pattern->count) {
            return pattern;
        }
    }
    return NULL;
}

static bool stands_alone(const struct wordpiece_scratch *scratch, size_t count)
{
    bool at_end = count >= scratch->window_count;
    return !added_tokens_is_word(scratch->window_before) &&
           (at_end || !added_tokens_is_word(window_get(scratch, count)));
}

/* Moves at least one code point out of the window, which is full or at the end of the text. */
static void window_step(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch)
{
    const struct wordpiece_pattern *pattern = NULL;
    if (scratch->window_skip > 0) {
        scratch->window_skip--;
    } else {
        pattern = window_match(wordpiece, scratch);
    }
    if (pattern && pattern->single_word && !stands_alone(scratch, pattern->count)) {
        scratch->window_skip = pattern->count - 1;
        pattern = NULL;
    }
    if (pattern) {
        end_word(wordpiece, scratch);
        scratch->ids[scratch->ids_count++] = pattern->id;
        window_drop(scratch, pattern->count);
        return;
    }
    split(wordpiece, scratch, window_get(scratch, 0));
    window_drop(scratch, 1);
}

static void accept(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (wordpiece->pattern_count == 0) {
            split(wordpiece, scratch, scratch->settled[i]);
            continue;
        }
        size_t end = (scratch->window_at + scratch->window_count) % WORDPIECE_WINDOW;
        scratch->window[end] = scratch->settled[i];
        scratch->window_count++;
        if (scratch->window_count > wordpiece->pattern_chars_max) {
            window_step(wordpiece, scratch);
        }
    }
}

static void finish(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch)
{
    accept(wordpiece, scratch,
           bert_normalizer_finish(&wordpiece->normalizer, &scratch->normalizer, scratch->settled));
    while (scratch->window_count > 0) {
        window_step(wordpiece, scratch);
    }
    end_word(wordpiece, scratch);
    scratch->finished = true;
}

/* Reads ASCII bytes until there are ids or something else comes. */
static void read_ascii(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch)
{
    const char *at = scratch->at;
    while (at < scratch->end && (unsigned char)*at < 128 && scratch->ids_count == 0) {
        unsigned char byte = (unsigned char)*at++;
        switch ((enum bert_class)wordpiece->ascii_class[byte]) {
        case BERT_CLASS_WORD:
        case BERT_CLASS_MARK:
            if (scratch->word_chars < wordpiece->word_chars_max) {
                scratch->word[scratch->word_bytes++] = wordpiece->ascii_lower[byte];
            }
            scratch->word_chars++;
            break;
        case BERT_CLASS_SPACE:
            end_word(wordpiece, scratch);
            break;
        case BERT_CLASS_PUNCTUATION:
            end_word(wordpiece, scratch);
            append_to_word(wordpiece, scratch, byte);
            end_word(wordpiece, scratch);
            break;
        case BERT_CLASS_CONTROL:
        case BERT_CLASS_CONTROL_SPACE:
            break;
        }
    }
    scratch->at = at;
}

static void read_code_point(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch)
{
    uint32_t code_point;
    scratch->at +=
        utf8_decode(scratch->at, (size_t)(scratch->end - scratch->at), &code_point, NULL);
    accept(wordpiece, scratch,
           bert_normalizer_push(&wordpiece->normalizer, &scratch->normalizer, code_point,
                                scratch->settled));
}

/* Reads on until there are ids or the text is done. */
static void read_more(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch)
{
    scratch->ids_at = 0;
    scratch->ids_count = 0;
    while (scratch->ids_count == 0 && !scratch->finished) {
        if (scratch->at == scratch->end) {
            finish(wordpiece, scratch);
        } else if ((unsigned char)*scratch->at < 128 && scratch->normalizer.count == 0 &&
                   wordpiece->pattern_count == 0) {
            read_ascii(wordpiece, scratch);
        } else {
            read_code_point(wordpiece, scratch);
        }
    }
}

void wordpiece_start(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch,
                     const char *bytes, size_t size)
{
    (void)wordpiece;
    scratch->at = bytes;
    scratch->end = size > 0 ? bytes + size : bytes;
    scratch->finished = size == 0;
    bert_normalizer_start(&scratch->normalizer);
    scratch->window_at = 0;
    scratch->window_count = 0;
    scratch->window_skip = 0;
    scratch->window_before = ' ';
    scratch->word_bytes = 0;
    scratch->word_chars = 0;
    scratch->ids_at = 0;
    scratch->ids_count = 0;
}

size_t wordpiece_next(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch,
                      uint32_t *ids, size_t ids_max)
{
    size_t count = 0;
    while (count < ids_max) {
        if (scratch->ids_at == scratch->ids_count) {
            read_more(wordpiece, scratch);
        }
        size_t waiting = scratch->ids_count - scratch->ids_at;
        size_t taken = waiting < ids_max - count ? waiting : ids_max - count;
        if (taken == 0) {
            break;
        }
        memcpy(ids + count, scratch->ids + scratch->ids_at, taken * sizeof ids[0]);
        scratch->ids_at += taken;
        count += taken;
    }
    return count;
}
