/* app/webhook_guard.h - which posts of the vendor's webhook are believed, and each of them once. No
 * I/O, no clock.
 *
 * A signed one carries X-Undertone-Timestamp, Unix seconds, and X-Undertone-Signature, "v1=" and
 * the hexadecimal HMAC-SHA-256 of TIMESTAMP "." BODY: as those that undertone sends. Where the
 * sender cannot sign, the secret itself may be its only header: then nothing tells a post from one
 * that was recorded, but whoever could record it knows the secret as well. */
#ifndef APP_WEBHOOK_GUARD_H
#define APP_WEBHOOK_GUARD_H

#include "base/clock.h"
#include "base/keyhash.h"
#include "base/map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEBHOOK_GUARD_SKEW_MS = 300 * 1000, /* a timestamp may be this much off */
    WEBHOOK_GUARD_POSTS_MAX = 65536,    /* remembered, for twice that time */
};

enum webhook_check { WEBHOOK_CHECK_SIGNATURE, WEBHOOK_CHECK_SECRET };

struct webhook_guard {
    struct keyhash key; /* secrets are compared by their hashes under it */
    struct map seen;
    struct webhook_post *posts; /* a ring, by arrival; allocated with the first */
    size_t first;
    size_t count;
};

/* What came, borrowed; any header may be NULL. */
struct webhook_proof {
    const char *timestamp;
    const char *signature;
    const char *secret;
    const void *body;
    size_t body_bytes;
};

enum webhook_verdict {
    WEBHOOK_PASS,
    WEBHOOK_DENIED, /* no proof, or a wrong one */
    WEBHOOK_STALE,  /* rightly signed, at another time */
};

void webhook_guard_init(struct webhook_guard *guard);
void webhook_guard_done(struct webhook_guard *guard); /* accepts a zeroed one */

/* The time it takes does not tell how much of a guess is right. */
enum webhook_verdict webhook_guard_check(const struct webhook_guard *guard,
                                         enum webhook_check check, const char *secret,
                                         const struct webhook_proof *proof, struct wall now);

/* Whether this event was taken before, within the time that its signature holds. */
bool webhook_guard_knows(const struct webhook_guard *guard, const char *event);

/* It has been taken. False if it cannot be remembered, because too many are: then it must be
 * refused, or it could be played again. */
bool webhook_guard_remember(struct webhook_guard *guard, const char *event, struct mono now);

/* Whether another can be remembered; forgets those whose signatures hold no more. */
bool webhook_guard_has_room(struct webhook_guard *guard, struct mono now);

#endif
