/* replaced_server.c - net/http_server.h for a daemon that listens nowhere: http.listen is empty, so
 * nothing here is ever called but the destructor. */
#include "net/http_server_stream.h"

#include <stdlib.h>

int http_server_create(struct http_server **server, struct loop *loop,
                       const struct http_server_options *options, struct error *err)
{
    (void)loop;
    (void)options;
    *server = NULL;
    return error_set(err, ERROR_UNSUPPORTED, "a simulated daemon does not listen");
}

uint16_t http_server_port(const struct http_server *server)
{
    (void)server;
    return 0;
}

void http_server_destroy(struct http_server *server)
{
    (void)server;
}

const char *http_exchange_method(const struct http_exchange *exchange)
{
    (void)exchange;
    abort();
}

const char *http_exchange_path(const struct http_exchange *exchange)
{
    (void)exchange;
    abort();
}

const char *http_exchange_raw_path(const struct http_exchange *exchange)
{
    (void)exchange;
    abort();
}

const char *http_exchange_query(const struct http_exchange *exchange, const char *name)
{
    (void)exchange;
    (void)name;
    abort();
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
    (void)exchange;
    (void)name;
    abort();
}

const char *http_exchange_body(const struct http_exchange *exchange, size_t *bytes)
{
    (void)exchange;
    (void)bytes;
    abort();
}

void http_exchange_reply(struct http_exchange *exchange, int status,
                         const struct http_header *headers, size_t header_count, const void *body,
                         size_t body_bytes)
{
    (void)exchange;
    (void)status;
    (void)headers;
    (void)header_count;
    (void)body;
    (void)body_bytes;
    abort();
}

void http_exchange_drop(struct http_exchange *exchange)
{
    (void)exchange;
    abort();
}

struct http_stream *http_stream_begin(struct http_exchange *exchange,
                                      const struct http_stream_options *options)
{
    (void)exchange;
    (void)options;
    abort();
}

bool http_stream_write(struct http_stream *stream, const void *bytes, size_t size)
{
    (void)stream;
    (void)bytes;
    (void)size;
    abort();
}

size_t http_stream_pending(const struct http_stream *stream)
{
    (void)stream;
    abort();
}

void http_stream_close(struct http_stream *stream)
{
    (void)stream;
    abort();
}
