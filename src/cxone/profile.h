/* cxone/profile.h - where the vendor's API is and what it looks like, as data.
 *
 * Endpoints are written as templates, with the method in front where it is not the usual one:
 * "PUT {base}/contacts/{id}/custom-fields". {base} may only begin the address; the other
 * placeholders (struct cxone_slots) are percent-encoded when filled in.
 */
#ifndef CXONE_PROFILE_H
#define CXONE_PROFILE_H

#include "base/buf.h"
#include "base/error.h"
#include "cxone/mapping.h"
#include "cxone/pages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CXONE_NAMES_MAX = 8,
    CXONE_ID_BYTES_MAX = 128,
    CXONE_URL_BYTES_MAX = 8192,
    CXONE_ATTRIBUTES_MAX = 9, /* in one update */
};

/* How a token is obtained. */
enum cxone_grant {
    CXONE_GRANT_CLIENT_CREDENTIALS,  /* RFC 6749 section 4.4 */
    CXONE_GRANT_ACCESS_KEY_PASSWORD, /* section 4.3: access key id and secret as user and password
                                      */
    CXONE_GRANT_ACCESS_KEY_JSON,     /* {"accessKeyId", "accessKeySecret"}, the older form */
    CXONE_GRANT_REFRESH_TOKEN,       /* section 6, from a refresh token given */
    CXONE_GRANT_STATIC_TOKEN,        /* the token itself is given; nothing is asked for */
};

enum cxone_client_auth {
    CXONE_CLIENT_AUTH_POST,  /* client_id and client_secret in the form */
    CXONE_CLIENT_AUTH_BASIC, /* in the Authorization header */
};

/* How an alert leaves; several may be set. */
enum cxone_delivery {
    CXONE_DELIVERY_SUGGESTIONS = 1, /* POST suggestions_url */
    CXONE_DELIVERY_SIGNAL = 2,      /* POST signal_url: parameters for a Studio script */
    CXONE_DELIVERY_WEBHOOK = 4,     /* POST webhook_url, signed, without the vendor's token */
};

enum cxone_attribute_body {
    CXONE_ATTRIBUTE_BODY_OBJECT,        /* {"attributes": {...}} */
    CXONE_ATTRIBUTE_BODY_CUSTOM_FIELDS, /* [{"ident", "value"}, ...] */
    CXONE_ATTRIBUTE_BODY_NONE,          /* the address holds the values */
};

/* All strings are borrowed from the configuration, which outlives the connection. */
struct cxone_profile {
    const char *env; /* "us-1", "us-1.api.cxone.com", "localhost:8443" or an absolute URL */
    const char *env_template; /* "https://{env}.api.cxone.com", for an env without a dot or port */
    const char *api_base;     /* overrides env; NULL otherwise */
    const char *auth_url;     /* overrides {base} + token_path; NULL otherwise */
    const char *token_path;   /* "/oauth/token" */
    bool allow_plain_http;    /* beyond loopback */

    const char *issuer;    /* "" or NULL: api_base, env and auth_url hold; else it is asked */
    const char *tenant_id; /* "": the one that the ID token names */

    enum cxone_grant grant;
    enum cxone_client_auth client_auth;
    const char *client_id;
    const char *client_secret;
    const char *access_key_id;
    const char *access_key_secret;
    const char *refresh_token;
    const char *static_token;
    const char *scope;       /* "" omits it */
    int64_t lifetime_s;      /* of a token whose reply does not say */
    int64_t renew_margin_ms; /* before a token's end, at most 20 % of its life */
    bool retry_on_403;       /* a 403 may be the token's fault too: renew it and try once more */

    const char
        *transcripts_url; /* "{base}/api/v2/interactions/{id}/transcripts?direction=both&..." */
    const char *attributes_url;
    const char *suggestions_url;
    const char *active_url; /* "" when there is no discovery endpoint */
    const char *signal_url;
    const char *webhook_url; /* as it is, without placeholders */
    const char *webhook_secret;
    unsigned deliveries; /* enum cxone_delivery, or-ed; 0: nothing is to be sent */
    enum cxone_attribute_body attribute_body;

    struct cxone_mapping map;
    struct cxone_paging transcript_pages;
    struct cxone_paging contact_pages;

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

/* What may stand in a template; what is not given (NULL, or past value_count) may not. */
struct cxone_slots {
    const char *base;          /* {base} */
    const char *id;            /* {id} */
    int64_t start_ms;          /* {start_ms}, or {start_iso} in RFC 3339 */
    const char *message;       /* {message}: an alert's text */
    const char *key;           /* {key}: an alert's stable id */
    const char *const *values; /* {1}, {2}, ...: attribute values */
    size_t value_count;
};

/* Fills a template, which has no method in front. */
int cxone_profile_fill(const char *url_template, const struct cxone_slots *slots, struct buf *url,
                       struct error *err);

/* The same with the first three slots only. id may be NULL. */
int cxone_profile_url(const char *url_template, const char *base, const char *id, int64_t start_ms,
                      struct buf *url, struct error *err);

/* Splits "PUT {base}/..." into its method, a constant, and the template; without a method in front
 * it is `usual`. NULL for a method that is not GET, POST, PUT or PATCH. */
const char *cxone_profile_method(const char *endpoint, const char *usual,
                                 const char **url_template);

/* Whether what the grant needs is there; the error names the key that is missing. */
int cxone_profile_check_credentials(const struct cxone_profile *profile, struct error *err);

#endif
