/* net/http_client.h - HTTP requests with bounded bodies and separate timeouts (libcurl inside).
 * Loop thread only.
 *
 * Rules (RFC 9110, and what hostile servers taught others): redirects are refused and reported as
 * their status; error bodies are readable; bodies are capped after decompression; TLS is always
 * verified; connections are kept alive and capped per host; a request that died on a stale pooled
 * connection before any response byte is retried once by libcurl itself, except POST, which always
 * gets a connection of its own and so is never sent twice. Over HTTP/2 requests share a connection,
 * but one on which a request timed out takes no further ones once it is idle.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/clock.h"
#include "base/error.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_client;
struct http_call; /* one request in flight */

enum http_version {
    HTTP_VERSION_UNSAID,
    HTTP_VERSION_1_1,
    HTTP_VERSION_AUTO, /* HTTP/2 where the server chooses it in the TLS handshake, else 1.1 */
};

struct http_client_options {
    size_t body_bytes_max;             /* required: response body after decompression */
    size_t header_bytes_max;           /* required: all response header lines together */
    unsigned connections_per_host_max; /* required: keep-alive pool size; calls beyond it wait */
    unsigned calls_max;                /* required: http_client_send refuses more in flight */
    const char *user_agent;            /* required */
    const char *ca_file;               /* extra CA bundle added to the system's, or NULL */
    const char *proxy;                 /* explicit proxy, or NULL for the environment's */
    enum http_version version;         /* of requests that name none; 1.1 by default */
    unsigned streams_max;              /* requests at once to a host that speaks HTTP/2; 0: 100 */
};

struct http_header {
    const char *name;
    const char *value;
};

/* Takes part of a 2xx response's body, which is then neither kept nor bounded; false ends the
 * exchange with HTTP_FAILURE_CANCELLED. Runs inside libcurl: it must not call this client. */
typedef bool http_body_fn(void *user, int status, const char *bytes, size_t size);

struct http_request {
    const char *method; /* "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE" */
    const char *url;
    const struct http_header *headers;
    size_t header_count;
    const void *body; /* copied; NULL for none */
    size_t body_bytes;
    int64_t connect_timeout_ms; /* DNS, TCP and TLS together */
    int64_t timeout_ms;         /* the whole exchange, from send */
    enum http_version version;
    /* NULL but for large downloads. Then the body is asked for uncompressed, so that ranges mean
     * its bytes, and an exchange that stands still for a minute times out. */
    http_body_fn *on_body;
};

/* Why there is no usable response. Kept apart because each needs another reaction. */
enum http_failure {
    HTTP_FAILURE_NONE, /* a complete response: look at status */
    HTTP_FAILURE_RESOLVE,
    HTTP_FAILURE_CONNECT,
    HTTP_FAILURE_TLS, /* certificate or handshake: a configuration matter, not retriable soon */
    HTTP_FAILURE_PROXY,
    HTTP_FAILURE_TIMEOUT,
    HTTP_FAILURE_BROKEN,    /* reset, cut short, bad framing */
    HTTP_FAILURE_TOO_LARGE, /* body or headers over the cap */
    HTTP_FAILURE_CANCELLED,
};

struct http_response {
    enum http_failure failure;
    const char *failure_text; /* for logs; never holds a URL's query, a body or a header value */
    bool request_sent;        /* the server may have acted on it, whatever the failure says */
    int status;               /* 0 without a response */
    const char *body;         /* borrowed until the callback returns; NUL-terminated */
    size_t body_bytes;
    int64_t total_ms; /* from send to now */
    int64_t date_ms;  /* Date header as epoch ms, or -1 */
    bool http2;       /* it came over HTTP/2 */
    const struct http_client *client;
    const struct http_call *call;
};

typedef void http_done_fn(void *user, const struct http_response *response);

int http_client_create(struct http_client **client, struct loop *loop,
                       const struct http_client_options *options, struct error *err);

/* Starts a request. `done` runs exactly once, on the loop thread, never before this returns.
 * Fails (and `done` never runs) at calls_max, without memory, or for a URL that does not parse.
 * *call (may be NULL) is valid until done returns. */
int http_client_send(struct http_client *client, const struct http_request *request,
                     http_done_fn *done, void *user, struct http_call **call, struct error *err);

/* `done` still runs, soon, with HTTP_FAILURE_CANCELLED. */
void http_client_cancel(struct http_client *client, struct http_call *call);

/* A response header's value (case-insensitive name, the last one if repeated), or NULL. Borrowed
 * until the callback returns. */
const char *http_client_header(const struct http_response *response, const char *name);

unsigned http_client_calls(const struct http_client *client);

/* Cancels all calls (their callbacks run inside this function) and frees. Accepts NULL. Not from
 * inside a callback of this client. */
void http_client_destroy(struct http_client *client);

const char *http_failure_name(enum http_failure failure); /* "timeout", for logs and metrics */

#endif
