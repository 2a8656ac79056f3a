/* nlp/byte_level.h - GPT-2's pre-tokenizer: words of a text, and the alphabet that spells bytes.
 *
 * The words are those of GPT-2's regular expression
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * and every byte of a text lies in exactly one of them. A vocabulary spells each byte as one
 * printable code point, so that a space is U+0120. Pure.
 */
#ifndef NLP_BYTE_LEVEL_H
#define NLP_BYTE_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BYTE_LEVEL_CHAR_BYTES = 2 };

enum byte_level_class {
    BYTE_LEVEL_CLASS_SPACE,
    BYTE_LEVEL_CLASS_LETTER,
    BYTE_LEVEL_CLASS_NUMBER,
    BYTE_LEVEL_CLASS_OTHER,
};

enum byte_level_class byte_level_class(uint32_t code_point);

/* The size of the first word of bytes[0..size), size > 0. With `spaced`, a space is imagined before
 * them; it is part of that word, the size does not count it, and it may be all there is. *valid
 * becomes false when a malformed sequence, which is read as U+FFFD, is in the word. */
size_t byte_level_word(const char *bytes, size_t size, bool spaced, bool *valid);

/* Spells a byte as UTF-8; returns its size, 1 or 2. */
size_t byte_level_spell(uint8_t byte, char out[BYTE_LEVEL_CHAR_BYTES]);

/* Reads a spelled string back into bytes, at most size of them, and returns their number; 0 if a
 * code point spells no byte. */
size_t byte_level_read(const char *spelled, size_t size, char *out);

#endif
