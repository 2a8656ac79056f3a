/* cxone/profile.h - where the vendor's API is and what it looks like, as data.
 *
 * Endpoint templates hold {base}, {id}, {start_ms}; values are percent-encoded when filled in.
 */
#ifndef CXONE_PROFILE_H
#define CXONE_PROFILE_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CXONE_NAMES_MAX = 8, CXONE_ID_BYTES_MAX = 128 };

/* All strings are borrowed from the configuration, which outlives the connection. */
struct cxone_profile {
    const char *env; /* "us-1", "us-1.api.cxone.com", "localhost:8443" or an absolute URL */
    const char *env_template; /* "https://{env}.api.cxone.com", for an env without a dot or port */
    const char *api_base;     /* overrides env; NULL otherwise */
    const char *auth_url;     /* overrides {base} + token_path; NULL otherwise */
    const char *token_path;   /* "/oauth/token" */
    bool allow_plain_http;    /* beyond loopback */

    const char *client_id;
    const char *client_secret;
    const char *scope; /* "" omits it */

    const char
        *transcripts_url; /* "{base}/api/v2/interactions/{id}/transcripts?direction=both&..." */
    const char *attributes_url;
    const char *suggestions_url;
    const char *active_url; /* "" when there is no discovery endpoint */

    const char *customer_names[CXONE_NAMES_MAX]; /* lower-case aliases, NULL-terminated */
    const char *agent_names[CXONE_NAMES_MAX];
    bool assume_final; /* a segment without isFinal counts as final */

    const char *suggestion_type;    /* "text" */
    const char *idempotency_header; /* "Idempotency-Key"; "" sends none */
};

/* Resolves env, template and overrides to a checked base address (platform rule B-01). */
int cxone_profile_base(const struct cxone_profile *profile, struct buf *base, struct error *err);

/* The token endpoint's address. */
int cxone_profile_auth_url(const struct cxone_profile *profile, struct buf *url, struct error *err);

/* 1 to CXONE_ID_BYTES_MAX bytes, and not "." or "..". NULL is not. */
bool cxone_profile_id_is_usable(const char *id);

/* Fills a template. id may be NULL. */
int cxone_profile_url(const char *url_template, const char *base, const char *id, int64_t start_ms,
                      struct buf *url, struct error *err);

#endif
