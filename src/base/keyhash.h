/* keyhash.h - keyed hashes for identities in logs and files, and random bytes (libsodium).
 *
 * Logs and metrics name a call or an utterance only by BLAKE2b-128 (RFC 7693) under a key: plain
 * hashes of short identifiers can be guessed.
 */
#ifndef BASE_KEYHASH_H
#define BASE_KEYHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEYHASH_KEY_BYTES = 32, KEYHASH_TEXT_BYTES = 33, KEYHASH_SHORT_KEY_BYTES = 16 };

struct keyhash {
    unsigned char key[KEYHASH_KEY_BYTES];
};

/* Prepares the library; call once before anything else here. 0 on success. */
int keyhash_library_init(void);

/* A fresh random key. */
void keyhash_random(struct keyhash *keyhash);

/* Lower-case hexadecimal of the 128-bit keyed hash, NUL-terminated; returns out. */
const char *keyhash_text(const struct keyhash *keyhash, const void *bytes, size_t size,
                         char out[KEYHASH_TEXT_BYTES]);

/* A key for one purpose, made from another key: from it neither that key nor the key of another
 * purpose can be told. */
void keyhash_derive(const struct keyhash *from, const char *purpose, struct keyhash *out);

/* SipHash-2-4 (Aumasson and Bernstein 2012): 64 bits, cheap, not to be guessed or made to collide
 * without the key. Needs no preparation. */
uint64_t keyhash_short(const unsigned char key[KEYHASH_SHORT_KEY_BYTES], const void *bytes,
                       size_t size);

/* Fills out with random bytes fit for secrets and correlation ids. */
void keyhash_random_bytes(void *out, size_t size);

/* Whether two secrets are the same, in a time that does not tell where they differ. */
bool keyhash_equal(const void *a, const void *b, size_t size);

/* Overwrites memory that held a secret; the compiler may not drop it. */
void keyhash_wipe(void *bytes, size_t size);

/* Unkeyed 64-bit FNV-1a, for telling two texts in one process apart; not for storage or logs. */
unsigned long long keyhash_fnv1a(const void *bytes, size_t size);

#endif
