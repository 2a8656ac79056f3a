/* cues/words.h - finding many plain phrases in one pass over a text.
 *
 * A phrase is a sequence of words. Words are what Unicode calls word characters (UTS 18 annex C),
 * compared in lower case; apostrophes inside them are left out, so "don't" and "dont" are one word,
 * and whatever stands between words, blanks or punctuation, is alike. So "I'd like a supervisor!"
 * holds "a supervisor" and "id like", and "supervisors" does not hold "supervisor".
 *
 * Cost: one look-up per word of the text, however many phrases there are.
 */
#ifndef CUES_WORDS_H
#define CUES_WORDS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_PHRASES_MAX = 20000 };

struct words_phrase;

struct words_index {
    struct words_phrase *phrases;
    size_t count;
    size_t capacity;
    uint32_t *table; /* first phrase + 1 by hash of the first word; 0 for none */
    size_t slots;    /* power of two, or 0 before words_seal */
};

/* Appends the text's words, each followed by one blank; false at the limit of `out` or without
 * memory. */
bool words_normalize(const char *text, size_t bytes, struct buf *out);

/* Accepts a zeroed index, which is an empty one. */
void words_done(struct words_index *index);

/* Adds a normalized phrase under a number. False without memory or at WORDS_PHRASES_MAX. */
bool words_add(struct words_index *index, const char *normalized, size_t bytes, uint32_t number);

/* To be called once after the last words_add; false without memory. */
bool words_seal(struct words_index *index);

/* Sets bit `number` of the mask for each phrase that the normalized text holds. */
void words_mark(const struct words_index *index, const char *normalized, size_t bytes,
                uint64_t *mask);

#endif
