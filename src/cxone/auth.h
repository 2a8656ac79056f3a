/* cxone/auth.h - keeps one bearer token fresh. Loop thread only.
 *
 * Every token has a generation, counted from 1. A 401 names the generation it was answered for, so
 * ten parallel ones drop one token and cause one refresh. Renewal is driven by demand: whoever
 * asks after the margin begins starts it, and all go on with the old token while it lives. Times
 * are monotonic and count from when the token was asked for, not from when it came.
 */
#ifndef CXONE_AUTH_H
#define CXONE_AUTH_H

#include "base/clock.h"
#include "base/error.h"
#include "cxone/cxone.h"
#include "cxone/issuer.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct auth;

struct auth_options {
    const struct cxone_profile *profile; /* borrowed */
    struct issuer *issuer; /* names the token endpoint; borrowed, NULL: the profile does */
    int64_t connect_ms;
    int64_t total_ms;
    enum http_version version;
    int64_t retry_after_max_ms;
    int64_t probe_ms;     /* first wait after the credentials were rejected; doubles... */
    int64_t probe_cap_ms; /* ...up to this */
    uint64_t seed;
    struct wall (*wall_now)(void);
    cxone_event_fn *on_event; /* may be NULL */
    loop_fn *on_change;       /* a token came, or a try failed */
    void *user;               /* for on_change */
    void *event_user;         /* for on_event */
};

enum auth_state {
    AUTH_READY,   /* auth_use will hand out a token */
    AUTH_PENDING, /* none yet: a request is under way, on_change will follow */
    AUTH_WAITING, /* none, and no try before auth_wait_ms */
};

int auth_create(struct auth **auth, struct loop *loop, struct http_client *client,
                const struct auth_options *options, struct error *err);
void auth_destroy(struct auth *auth); /* accepts NULL; no callback runs afterwards */

/* Starts a request if one is due. */
enum auth_state auth_prepare(struct auth *auth);

/* After AUTH_READY only. The token, borrowed until the next call here, and its generation. */
const char *auth_use(struct auth *auth, uint64_t *generation);

/* 0 unless auth_prepare answers AUTH_WAITING. */
int64_t auth_wait_ms(const struct auth *auth);

/* A request with this generation was answered 401. Drops that token if it is still the current
 * one. True: replay the request once, with whatever token comes next. */
bool auth_unauthorized(struct auth *auth, uint64_t generation, bool already_replayed);

/* The tenant that the newest token's ID token named; "" while unknown. Borrowed until the next
 * token. */
const char *auth_tenant(const struct auth *auth);

/* A request with this generation was answered 403, which may be the token's fault (a permission
 * granted since). Drops that token, unless renewals are too frequent already. True: replay once. */
bool auth_doubt(struct auth *auth, uint64_t generation);

/* A request with this generation was answered by other than 401: the token is good. */
void auth_accepted(struct auth *auth, uint64_t generation);

bool auth_is_held(const struct auth *auth);
bool auth_is_rejected(const struct auth *auth); /* credentials_rejected */
uint64_t auth_requests(const struct auth *auth);
uint64_t auth_throttled(const struct auth *auth);

#endif
