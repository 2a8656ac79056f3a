/* cxone/auth_reply.h - what the token endpoint said (RFC 6749 sections 5.1 and 5.2). Pure.
 *
 * No error and no reason from here ever quotes the body: it may hold the token. */
#ifndef CXONE_AUTH_REPLY_H
#define CXONE_AUTH_REPLY_H

#include "base/buf.h"
#include "base/error.h"
#include "cxone/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AUTH_TOKEN_BYTES_MAX = 16 * 1024,
    AUTH_LIFETIME_S_MAX = 24 * 3600,
    AUTH_TENANT_BYTES = 129,
};

struct auth_reply {
    struct buf token;        /* secret: auth_reply_done wipes it, and the next */
    struct buf refresh;      /* refresh token; empty if none came */
    int64_t lifetime_s;      /* 0: good for one use */
    char missing_scope[256]; /* scopes asked for and not granted, blank-separated; "" if none */
    char tenant[AUTH_TENANT_BYTES]; /* that the ID token names; "" if none */
};

/* Reads a 200 body. expires_in: a number or numeric text; absent or unusable the default lifetime;
 * zero or less is one use; at most 24 h. The ID token, if there is one, is only read for its
 * tenant, not verified: what it says decides nothing but which tenant to ask the issuer about. On
 * failure there is nothing to free. */
int auth_reply_parse(const struct cxone_profile *profile, const char *content_type,
                     const char *body, size_t body_bytes, struct auth_reply *reply,
                     struct error *err);

/* Wipes and frees. Accepts a zeroed object. */
void auth_reply_done(struct auth_reply *reply);

/* The registered error code in an error body ("invalid_client", ...), or NULL: a constant, never a
 * piece of the body. */
const char *auth_reply_error_code(const char *body, size_t body_bytes);

/* How long before the end of its life a token should be renewed: the margin, at most 20 %. */
int64_t auth_reply_margin_ms(int64_t lifetime_s, int64_t margin_ms);

#endif
