/* webhook_guard.c - see webhook_guard.h.
 *
 * A post's timestamp is at most five minutes from now when it is taken, so ten minutes later it is
 * stale whatever it said: an event is remembered for that long by arrival, and no longer. */
#include "app/webhook_guard.h"

#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_MS = 2 * WEBHOOK_GUARD_SKEW_MS + 1000, DIGITS_MAX = 15 };

struct webhook_post {
    struct mono taken;
    char name[KEYHASH_TEXT_BYTES]; /* the event's, hashed: of one length, and hard to collide */
};

void webhook_guard_init(struct webhook_guard *guard)
{
    *guard = (struct webhook_guard){0};
    keyhash_random(&guard->key);
    map_init(&guard->seen, WEBHOOK_GUARD_POSTS_MAX);
}

void webhook_guard_done(struct webhook_guard *guard)
{
    map_done(&guard->seen);
    free(guard->posts);
    keyhash_wipe(guard, sizeof *guard);
}

/* --- proof ----------------------------------------------------------------------------------- */

static bool is_secret(const struct webhook_guard *guard, const char *secret, const char *given)
{
    char expected_hash[KEYHASH_TEXT_BYTES];
    char given_hash[KEYHASH_TEXT_BYTES];
    keyhash_text(&guard->key, secret, strlen(secret), expected_hash);
    keyhash_text(&guard->key, given, strlen(given), given_hash);
    return keyhash_equal(expected_hash, given_hash, sizeof given_hash);
}

/* Unix seconds as milliseconds; negative for what is none. */
static int64_t read_timestamp(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || text[digits] != '\0') {
        return -1;
    }
    return strtoll(text, NULL, 10) * 1000;
}

static bool is_signed(const char *secret, const struct webhook_proof *proof)
{
    char expected[SHA256_TEXT_BYTES + 3] = "v1=";
    char prefix[DIGITS_MAX + 2];
    snprintf(prefix, sizeof prefix, "%s.", proof->timestamp);
    sha256_hmac(secret, prefix, proof->body, proof->body_bytes, expected + 3);
    return strlen(proof->signature) == sizeof expected - 1 &&
           keyhash_equal(proof->signature, expected, sizeof expected - 1);
}

enum webhook_verdict webhook_guard_check(const struct webhook_guard *guard,
                                         enum webhook_check check, const char *secret,
                                         const struct webhook_proof *proof, struct wall now)
{
    if (!*secret) {
        return WEBHOOK_DENIED;
    }
    if (check == WEBHOOK_CHECK_SECRET) {
        return proof->secret && is_secret(guard, secret, proof->secret) ? WEBHOOK_PASS
                                                                        : WEBHOOK_DENIED;
    }
    int64_t at_ms = proof->timestamp ? read_timestamp(proof->timestamp) : -1;
    if (at_ms < 0 || !proof->signature || !is_signed(secret, proof)) {
        return WEBHOOK_DENIED;
    }
    return at_ms < now.ms - WEBHOOK_GUARD_SKEW_MS || at_ms > now.ms + WEBHOOK_GUARD_SKEW_MS
               ? WEBHOOK_STALE
               : WEBHOOK_PASS;
}

/* --- once ------------------------------------------------------------------------------------ */

bool webhook_guard_knows(const struct webhook_guard *guard, const char *event)
{
    char name[KEYHASH_TEXT_BYTES];
    keyhash_text(&guard->key, event, strlen(event), name);
    return map_get(&guard->seen, name, sizeof name) != NULL;
}

bool webhook_guard_has_room(struct webhook_guard *guard, struct mono now)
{
    while (guard->count > 0 &&
           mono_ms_between(guard->posts[guard->first].taken, now) >= MEMORY_MS) {
        struct webhook_post *post = &guard->posts[guard->first];
        (void)map_remove(&guard->seen, post->name, sizeof post->name);
        guard->first = (guard->first + 1) % WEBHOOK_GUARD_POSTS_MAX;
        guard->count--;
    }
    if (!guard->posts) {
        guard->posts = calloc(WEBHOOK_GUARD_POSTS_MAX, sizeof *guard->posts);
    }
    return guard->posts && guard->count < WEBHOOK_GUARD_POSTS_MAX;
}

bool webhook_guard_remember(struct webhook_guard *guard, const char *event, struct mono now)
{
    if (!webhook_guard_has_room(guard, now)) {
        return false;
    }
    size_t at = (guard->first + guard->count) % WEBHOOK_GUARD_POSTS_MAX;
    struct webhook_post *post = &guard->posts[at];
    post->taken = now;
    keyhash_text(&guard->key, event, strlen(event), post->name);
    if (map_get(&guard->seen, post->name, sizeof post->name)) {
        return true; /* remembered already, from when it was taken first */
    }
    if (!map_put(&guard->seen, post->name, sizeof post->name, post)) {
        return false;
    }
    guard->count++;
    return true;
}
