/* cxone/reply.h - what a reply means, before its body's own parser looks at it. Pure. */
#ifndef CXONE_REPLY_H
#define CXONE_REPLY_H

#include "base/error.h"
#include "cxone/cxone.h"
#include "net/http_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPLY_ELEMENTS_MAX = 20000, REPLY_SCOPE_BYTES = 129 };

/* Refuses a body that cannot be JSON: an HTML page (by content type or first character: a gateway
 * or log-in page answered instead), or an empty body. content_type may be NULL. */
int reply_check_json(const char *content_type, const char *body, size_t body_bytes,
                     struct error *err);

/* The outcome by failure, status and operation alone; retry_after_ms (-1: the header is absent or
 * unusable) tells a throttling 503 from a broken server. CXONE_OK means: now read the body. 401 is
 * CXONE_FAILED here; whether to replay is the gateway's decision. */
enum cxone_outcome reply_outcome(enum cxone_operation operation,
                                 const struct http_response *response, int64_t retry_after_ms);

/* Whether the server (not the request) is at fault: what counts for the breaker. */
bool reply_is_server_fault(const struct http_response *response);

/* The scope a 403 asks for, from the challenge (RFC 6750 section 3, scope="...") or from a JSON
 * body that names one; either may be NULL. False, and "" in out, if neither does. */
bool reply_missing_scope(const char *www_authenticate, const char *body, size_t body_bytes,
                         char out[REPLY_SCOPE_BYTES]);

/* A decimal integer with nothing around it. */
bool reply_parse_integer(const char *text, size_t bytes, int64_t *out);

#endif
