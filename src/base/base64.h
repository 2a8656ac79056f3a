/* base64.h - base64 (RFC 4648): decoding and encoding. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Decodes text[0..size) in the standard alphabet with padding; nothing else may stand in it. On
 * success *bytes is the caller's to free (never NULL). False for malformed text or without memory;
 * then *bytes is NULL. */
bool base64_decode(const char *text, size_t size, unsigned char **bytes, size_t *bytes_size);

/* The same for the alphabet of section 5 without padding, as JWTs are written (RFC 7515). */
bool base64_decode_url(const char *text, size_t size, unsigned char **bytes, size_t *bytes_size);

/* Appends the form of section 4, with padding. What it held while growing is not wiped: reserve
 * first where the bytes are secret. False at the limit of `out` or without memory. */
bool base64_encode(struct buf *out, const void *bytes, size_t size);

#endif
