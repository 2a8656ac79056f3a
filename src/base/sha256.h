/* sha256.h - SHA-256 (FIPS 180-4, through libsodium): of files, to compare them with what their
 * publisher said, and keyed (HMAC), to sign what we send. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/error.h"

#include <stddef.h>

enum { SHA256_TEXT_BYTES = 65 };

/* Lower-case hexadecimal of the file's hash, NUL-terminated. Reads about 400 MB a second. */
int sha256_file(const char *path, char out[SHA256_TEXT_BYTES], struct error *err);

/* The same of bytes in memory. */
const char *sha256_bytes(const void *bytes, size_t size, char out[SHA256_TEXT_BYTES]);

/* HMAC-SHA-256 (RFC 2104) of the two pieces one after the other, as sha256_file writes hashes. */
const char *sha256_hmac(const char *key, const char *first, const void *second, size_t second_bytes,
                        char out[SHA256_TEXT_BYTES]);

#endif
