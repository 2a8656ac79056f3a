/* net/http_server_stream.h - an answer without an end, for server-sent events. Loop thread only.
 *
 * What is written waits in a buffer of fixed size until the client takes it. A client that is too
 * slow fills its buffer: then a write is refused whole and its owner decides (wait for
 * http_stream_pending to fall, or close); nothing here ever blocks the loop.
 */
#ifndef NET_HTTP_SERVER_STREAM_H
#define NET_HTTP_SERVER_STREAM_H

#include "net/http_server.h"

#include <stdbool.h>

struct http_stream;

/* The client has gone away, or the server is being destroyed: the stream is dead after this. Not
 * called after http_stream_close. Only forget the stream here. */
typedef void http_stream_gone_fn(void *user);

struct http_stream_options {
    int status;
    const struct http_header *headers; /* copied */
    size_t header_count;
    size_t buffer_bytes_max;
    http_stream_gone_fn *gone;
    void *user;
};

/* Answers the exchange with status and headers now and a body as it is written. The exchange is
 * forgotten, as after http_exchange_reply. NULL without memory: the connection is then closed. */
struct http_stream *http_stream_begin(struct http_exchange *exchange,
                                      const struct http_stream_options *options);

/* Copies all of it or, when it does not fit beside what is pending, nothing and returns false. */
bool http_stream_write(struct http_stream *stream, const void *bytes, size_t size);

/* Bytes written and not yet taken by the client's connection. */
size_t http_stream_pending(const struct http_stream *stream);

/* Ends the answer once what is pending has left; the pointer is dead. Accepts NULL. */
void http_stream_close(struct http_stream *stream);

#endif
