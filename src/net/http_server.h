/* net/http_server.h - a small HTTP/1.1 server on the loop thread (libmicrohttpd inside).
 *
 * A request is handed over whole (its body is capped); the handler, or anyone later on the loop
 * thread, answers it exactly once with http_exchange_reply. An exchange may be answered after the
 * handler returned (that is how a slow reply is made) or be dropped, which closes the connection.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "base/error.h"
#include "net/http_client.h" /* struct http_header */
#include "net/loop.h"

#include <stddef.h>
#include <stdint.h>

struct http_server;
struct http_exchange;

typedef void http_handler_fn(void *user, struct http_exchange *exchange);

struct http_server_options {
    const char *address;   /* numeric IPv4 or IPv6 address, such as "127.0.0.1" */
    uint16_t port;         /* 0 picks a free one: see http_server_port */
    size_t body_bytes_max; /* a larger request body is answered 413 without the handler */
    unsigned connections_max;
    unsigned idle_timeout_s;
    const char *tls_certificate_pem; /* contents, not paths; both NULL for plain HTTP */
    const char *tls_key_pem;
    http_handler_fn *handler;
    void *user;
};

int http_server_create(struct http_server **server, struct loop *loop,
                       const struct http_server_options *options, struct error *err);

uint16_t http_server_port(const struct http_server *server);

/* Unanswered exchanges are dropped; their pointers are dead afterwards. Accepts NULL. Not from
 * inside the handler. */
void http_server_destroy(struct http_server *server);

/* About the request; all borrowed until the exchange is answered or dropped. */
const char *http_exchange_method(const struct http_exchange *exchange);
const char *http_exchange_path(const struct http_exchange *exchange);     /* percent-decoded path */
const char *http_exchange_raw_path(const struct http_exchange *exchange); /* as sent, no query */
const char *http_exchange_query(const struct http_exchange *exchange,
                                const char *name); /* or NULL */
const char *http_exchange_header(const struct http_exchange *exchange,
                                 const char *name); /* or NULL */
const char *http_exchange_body(const struct http_exchange *exchange, size_t *bytes);

/* Answers and forgets the exchange, also if its client has gone away. The body is copied. Headers
 * the server sets itself (Content-Length) and those with an empty value are left out. */
void http_exchange_reply(struct http_exchange *exchange, int status,
                         const struct http_header *headers, size_t header_count, const void *body,
                         size_t body_bytes);

/* Closes the connection without an answer and forgets the exchange. */
void http_exchange_drop(struct http_exchange *exchange);

#endif
