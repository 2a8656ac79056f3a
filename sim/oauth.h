/* oauth.h - the grants (RFC 6749 sections 4.3, 4.4 and 6) and the tokens they gave out.
 *
 * Pure but for the tokens' random bytes; time is handed in.
 */
#ifndef SIM_OAUTH_H
#define SIM_OAUTH_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OAUTH_SCOPE_VIEW = 1,   /* interactions:view */
    OAUTH_SCOPE_WRITE = 2,  /* interactions:write */
    OAUTH_SCOPE_ASSIST = 4, /* agentassist:write */
    OAUTH_SCOPE_ALL = 7,
};

enum { OAUTH_TOKEN_BYTES = 65, OAUTH_TOKENS_MAX = 256, OAUTH_SCOPES_BYTES = 64 };

/* The one client that exists. */
struct oauth_client {
    const char *id;
    const char *secret;
};

/* Its access key in the real shapes, and the tenant that it belongs to. Public, like the client. */
#define OAUTH_KEY_ID     "demo-key"
#define OAUTH_KEY_SECRET "demo-key-secret"
#define OAUTH_TENANT     "demo-tenant"

struct oauth_verdict {
    int status;              /* 200, 400 or 401 */
    const char *error;       /* RFC 6749 section 5.2, or NULL */
    const char *description; /* for people, or NULL */
    unsigned scopes;         /* granted: those asked for, or all if none were named */
};

/* Judges a token request by its Content-Type (or NULL) and body. */
struct oauth_verdict oauth_judge(const struct oauth_client *client, const char *content_type,
                                 const char *body, size_t body_bytes);

/* The same in the real shapes: the client in a Basic header, an access key as user and password, or
 * the refresh token given with the last token. All scopes are granted. */
struct oauth_tokens;
struct oauth_verdict oauth_judge_key(const struct oauth_client *client,
                                     const struct oauth_tokens *tokens, const char *authorization,
                                     const char *content_type, const char *body, size_t body_bytes);

/* The scopes' names, a space between them. */
const char *oauth_scopes_text(unsigned scopes, char out[OAUTH_SCOPES_BYTES]);

struct oauth_token {
    char text[OAUTH_TOKEN_BYTES];
    unsigned scopes; /* 0: the slot is empty */
    struct mono expires;
};

/* The living tokens. When all slots are taken the oldest token dies. Start zeroed. */
struct oauth_tokens {
    struct oauth_token slots[OAUTH_TOKENS_MAX];
    size_t next;
    char refresh[OAUTH_TOKEN_BYTES]; /* the one that is valid; "" for none */
};

/* A new token, borrowed from its slot. keyhash_library_init must have been called. */
const char *oauth_issue(struct oauth_tokens *tokens, unsigned scopes, struct mono now,
                        int64_t life_ms);

/* A new refresh token in place of the one before. */
const char *oauth_issue_refresh(struct oauth_tokens *tokens);

/* The scopes of a living token; 0 for any other text. */
unsigned oauth_find(const struct oauth_tokens *tokens, const char *text, struct mono now);

void oauth_revoke_all(struct oauth_tokens *tokens);

/* No token lives longer than until `deadline`. */
void oauth_shorten_all(struct oauth_tokens *tokens, struct mono deadline);

/* The token of an Authorization header, or NULL if it is not of the Bearer scheme. */
const char *oauth_bearer(const char *authorization);

#endif
