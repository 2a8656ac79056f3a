/* keyhash.c - see keyhash.h. */
#include "base/keyhash.h"

#include <sodium.h>
#include <string.h>

int keyhash_library_init(void)
{
    return sodium_init() < 0 ? -1 : 0;
}

void keyhash_random(struct keyhash *keyhash)
{
    randombytes_buf(keyhash->key, sizeof keyhash->key);
}

const char *keyhash_text(const struct keyhash *keyhash, const void *bytes, size_t size,
                         char out[KEYHASH_TEXT_BYTES])
{
    unsigned char hash[16];
    _Static_assert(sizeof hash * 2 + 1 == KEYHASH_TEXT_BYTES, "two digits a byte");
    crypto_generichash(hash, sizeof hash, bytes, size, keyhash->key, sizeof keyhash->key);
    sodium_bin2hex(out, KEYHASH_TEXT_BYTES, hash, sizeof hash);
    return out;
}

void keyhash_derive(const struct keyhash *from, const char *purpose, struct keyhash *out)
{
    crypto_generichash(out->key, sizeof out->key, (const unsigned char *)purpose, strlen(purpose),
                       from->key, sizeof from->key);
}

uint64_t keyhash_short(const unsigned char key[KEYHASH_SHORT_KEY_BYTES], const void *bytes,
                       size_t size)
{
    _Static_assert(KEYHASH_SHORT_KEY_BYTES == crypto_shorthash_KEYBYTES, "128 bits of key");
    unsigned char out[crypto_shorthash_BYTES];
    uint64_t hash = 0;
    crypto_shorthash(out, bytes, size, key);
    for (size_t i = 0; i < sizeof out; i++) {
        hash |= (uint64_t)out[i] << (8 * i);
    }
    return hash;
}

void keyhash_random_bytes(void *out, size_t size)
{
    randombytes_buf(out, size);
}

bool keyhash_equal(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}

void keyhash_wipe(void *bytes, size_t size)
{
    sodium_memzero(bytes, size);
}

unsigned long long keyhash_fnv1a(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    unsigned long long hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ at[i]) * 0x100000001b3u;
    }
    return hash;
}
