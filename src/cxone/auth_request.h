/* cxone/auth_request.h - what is sent to the token endpoint, for each grant. Pure. */
#ifndef CXONE_AUTH_REQUEST_H
#define CXONE_AUTH_REQUEST_H

#include "base/buf.h"
#include "base/error.h"
#include "cxone/profile.h"

/* Secret: auth_request_done wipes it. */
struct auth_request {
    const char *content_type;
    struct buf body;
    struct buf authorization; /* "Basic ..."; empty: no such header */
};

/* The request for the profile's grant, or with refresh_token for a renewal with that. Form values
 * are percent-encoded outside the unreserved set; an empty scope is left out. Not for a static
 * token. On failure there is nothing to free. */
int auth_request_write(const struct cxone_profile *profile, const char *refresh_token,
                       struct auth_request *request, struct error *err);

/* Wipes and frees. Accepts a zeroed object. */
void auth_request_done(struct auth_request *request);

#endif
