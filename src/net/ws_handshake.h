/* net/ws_handshake.h - how a client opens a WebSocket over HTTP/1.1 (RFC 6455 section 4). Pure. */
#ifndef NET_WS_HANDSHAKE_H
#define NET_WS_HANDSHAKE_H

#include "base/buf.h"
#include "base/error.h"
#include "net/http_client.h"

#include <stddef.h>

enum { WS_KEY_BYTES = 16, WS_KEY_TEXT_BYTES = 25, WS_ACCEPT_BYTES = 29 };

/* The key as text: base64 of 16 fresh random bytes. */
const char *ws_handshake_key(const unsigned char random[WS_KEY_BYTES], char out[WS_KEY_TEXT_BYTES]);

/* What the server must answer to a key. */
const char *ws_handshake_accept(const char *key, char out[WS_ACCEPT_BYTES]);

struct ws_handshake {
    const char *host;   /* with its port where that is not the usual one */
    const char *target; /* path and query */
    const char *key;
    const struct http_header *headers; /* more of them */
    size_t header_count;
};

/* False at the limit of `out`, or when something in it would end a line. */
bool ws_handshake_write(const struct ws_handshake *handshake, struct buf *out);

/* Looks for a whole response head at bytes[0..size). *head_bytes is 0 while it is not complete,
 * else how long it is. The error says why the other side is no WebSocket: its status, or which
 * header is wrong. */
int ws_handshake_check(const char *bytes, size_t size, const char *key, size_t *head_bytes,
                       struct error *err);

#endif
