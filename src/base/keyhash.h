/* keyhash.h - keyed hashes for identities in logs, and random bytes (libsodium).
 *
 * Logs and metrics name a call or an utterance only by BLAKE2b-128 (RFC 7693) under a key: plain
 * hashes of short identifiers can be guessed.
 */
#ifndef BASE_KEYHASH_H
#define BASE_KEYHASH_H

#include <stddef.h>

enum { KEYHASH_KEY_BYTES = 32, KEYHASH_TEXT_BYTES = 33 };

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

/* Fills out with random bytes fit for secrets and correlation ids. */
void keyhash_random_bytes(void *out, size_t size);

/* Overwrites memory that held a secret; the compiler may not drop it. */
void keyhash_wipe(void *bytes, size_t size);

/* Unkeyed 64-bit FNV-1a, for telling two texts in one process apart; not for storage or logs. */
unsigned long long keyhash_fnv1a(const void *bytes, size_t size);

#endif
