/* sha256.c - see sha256.h. */
#include "base/sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

enum { CHUNK_BYTES = 1 << 16 };

static const char *write_hex(const unsigned char *hash, char out[SHA256_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < crypto_hash_sha256_BYTES; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[SHA256_TEXT_BYTES - 1] = '\0';
    return out;
}

int sha256_file(const char *path, char out[SHA256_TEXT_BYTES], struct error *err)
{
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
    (void)write_hex(hash, out);
    return 0;
}

const char *sha256_bytes(const void *bytes, size_t size, char out[SHA256_TEXT_BYTES])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(hash, bytes, size);
    return write_hex(hash, out);
}

const char *sha256_hmac(const char *key, const char *first, const void *second, size_t second_bytes,
                        char out[SHA256_TEXT_BYTES])
{
    unsigned char hash[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    (void)crypto_auth_hmacsha256_init(&state, (const unsigned char *)key, strlen(key));
    (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)first, strlen(first));
    (void)crypto_auth_hmacsha256_update(&state, second, second_bytes);
    (void)crypto_auth_hmacsha256_final(&state, hash);
    sodium_memzero(&state, sizeof state);
    return write_hex(hash, out);
}
