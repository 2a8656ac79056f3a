/* utf8.h - decoding and repairing UTF-8 (RFC 3629). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xFFFD, UTF8_BYTES_MAX = 4 };

/* Decodes one code point from bytes[0..size), size > 0. Writes it to *code_point, or U+FFFD for a
 * malformed sequence, and returns how many bytes were taken (at least 1). A malformed sequence
 * takes its maximal valid prefix, as the Unicode standard recommends (section 3.9, U+FFFD
 * substitution of maximal subparts). *valid may be NULL. */
size_t utf8_decode(const char *bytes, size_t size, uint32_t *code_point, bool *valid);

/* Writes the code point's 1 to 4 bytes to out and returns their number. Surrogates and values past
 * U+10FFFF are written as U+FFFD. */
size_t utf8_encode(uint32_t code_point, char out[UTF8_BYTES_MAX]);

/* Whether the whole range is well-formed. */
bool utf8_is_valid(const char *bytes, size_t size);

#endif
