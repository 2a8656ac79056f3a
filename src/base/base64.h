/* base64.h - decoding base64 (RFC 4648, section 4). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Decodes text[0..size) in the standard alphabet with padding; nothing else may stand in it. On
 * success *bytes is the caller's to free (never NULL). False for malformed text or without memory;
 * then *bytes is NULL. */
bool base64_decode(const char *text, size_t size, unsigned char **bytes, size_t *bytes_size);

#endif
