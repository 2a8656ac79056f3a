/* sha256.h - SHA-256 (FIPS 180-4, through libsodium), for comparing files with what their publisher
 * said. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/error.h"

enum { SHA256_TEXT_BYTES = 65 };

/* Lower-case hexadecimal of the file's hash, NUL-terminated. Reads about 400 MB a second. */
int sha256_file(const char *path, char out[SHA256_TEXT_BYTES], struct error *err);

#endif
