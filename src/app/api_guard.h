/* app/api_guard.h - who may use the API: one bearer token, and how often. Pure but for the random
 * key of its hashes. */
#ifndef APP_API_GUARD_H
#define APP_API_GUARD_H

#include "base/clock.h"
#include "base/keyhash.h"
#include "net/limiter.h"

#include <stdbool.h>
#include <stdint.h>

struct api_guard {
    struct keyhash key;
    char expected[KEYHASH_TEXT_BYTES]; /* of the token; the token itself is not kept */
    bool is_on;
    struct limiter requests; /* 50 a second, 100 at once */
    struct limiter failures; /* 1 a second, 10 at once */
};

enum api_guard_verdict {
    API_GUARD_PASS,
    API_GUARD_OFF,    /* there is no token, hence no API */
    API_GUARD_DENIED, /* no token, or another */
    API_GUARD_SLOW,   /* too many requests, or too many with a wrong token */
};

void api_guard_init(struct api_guard *guard, struct mono now);

/* "" switches off. */
void api_guard_set_token(struct api_guard *guard, const char *token);

/* Judges the Authorization header, which may be NULL (RFC 6750, section 2.1). Takes the same time
 * whatever the token is. */
enum api_guard_verdict api_guard_check(struct api_guard *guard, const char *authorization,
                                       struct mono now);

#endif
