/* net/ws_client.h - one WebSocket to a server (RFC 6455 over libcurl's connections, with its TLS
 * and proxies; libcurl 7.88 as Debian builds it has no WebSockets of its own). Loop thread only.
 *
 * Pings are answered here. A connection that breaks or is closed, by whomever, is told once and
 * never opened again: whoever wants another makes another.
 */
#ifndef NET_WS_CLIENT_H
#define NET_WS_CLIENT_H

#include "base/error.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_client;

/* bytes: a whole text message, borrowed. */
typedef void ws_message_fn(void *user, const char *bytes, size_t size);

/* why: for logs, no content; borrowed. */
typedef void ws_closed_fn(void *user, const char *why);

struct ws_client_options {
    const char *url; /* "wss://host/path?query"; ws:// too, it is the caller's to forbid it */
    const struct http_header *headers; /* of the handshake */
    size_t header_count;
    const char *ca_file; /* as the HTTP client's, like the next */
    const char *proxy;
    int64_t connect_ms; /* for everything up to the handshake's end */
    size_t message_bytes_max;
    size_t queue_bytes_max; /* waiting to be sent */
    loop_fn *on_open;
    ws_message_fn *on_message;
    ws_closed_fn *on_closed; /* the last callback; not after ws_client_destroy */
    void *user;
};

/* Begins to connect; strings are copied. Any failure later is told by on_closed, never before this
 * returns. */
int ws_client_create(struct ws_client **client, struct loop *loop,
                     const struct ws_client_options *options, struct error *err);

/* Queues a text message. False if it is not open, or the queue is full. */
bool ws_client_send(struct ws_client *client, const char *text, size_t size);

/* Closes at once, with a close frame if it can be sent without waiting. Also from inside its
 * callbacks. Accepts NULL. */
void ws_client_destroy(struct ws_client *client);

#endif
