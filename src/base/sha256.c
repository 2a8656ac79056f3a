/* sha256.c - see sha256.h. */
#include "base/sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

enum { CHUNK_BYTES = 1 << 16 };

int sha256_file(const char *path, char out[SHA256_TEXT_BYTES], struct error *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char chunk[CHUNK_BYTES];
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    size_t size;
    FILE *file = fopen(path, "rbe");
    if (!file) {
        return error_set(err, ERROR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    }
    (void)crypto_hash_sha256_init(&state);
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0) {
        (void)crypto_hash_sha256_update(&state, chunk, size);
    }
    int failed = ferror(file);
    (void)fclose(file);
    if (failed) {
        return error_set(err, ERROR_IO, "%s: cannot be read", path);
    }
    (void)crypto_hash_sha256_final(&state, hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[2 * sizeof hash] = '\0';
    return 0;
}
