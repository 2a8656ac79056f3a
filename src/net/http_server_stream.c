/* http_server_stream.c - see http_server_stream.h.
 *
 * The library asks for more whenever the socket takes more. With nothing to give, the connection is
 * suspended, or the library would ask again without pause; a write resumes it. A client that goes
 * away while suspended is noticed by the writes that follow.
 *
 * The stream belongs to its exchange: it lives until the library has ended the connection, also
 * when its owner has closed it before.
 */
#include "net/http_server_stream.h"

#include "net/http_server_internal.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

enum { HTTP_STREAM_BLOCK_BYTES = 16 * 1024 };

struct http_stream {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_stream *previous;
    struct http_stream *next;
    struct buf pending;
    http_stream_gone_fn *gone;
    void *user;
    bool suspended;
    bool closed; /* by the owner, who has forgotten it */
};

static void stream_link(struct http_stream *stream)
{
    struct http_server *server = stream->server;
    stream->next = server->streams;
    if (server->streams) {
        server->streams->previous = stream;
    }
    server->streams = stream;
}

static void stream_unlink(struct http_stream *stream)
{
    struct http_stream **from =
        stream->previous ? &stream->previous->next : &stream->server->streams;
    *from = stream->next;
    if (stream->next) {
        stream->next->previous = stream->previous;
    }
}

static void stream_resume(struct http_stream *stream)
{
    if (stream->suspended) {
        stream->suspended = false;
        MHD_resume_connection(stream->connection);
        http_server_wake(stream->server);
    }
}

/* The library's question: what comes next? */
static ssize_t stream_read(void *user, uint64_t position, char *out, size_t out_bytes)
{
    (void)position;
    struct http_stream *stream = user;
    size_t size = stream->pending.size < out_bytes ? stream->pending.size : out_bytes;
    if (size > 0) {
        memcpy(out, stream->pending.bytes, size);
        buf_consume(&stream->pending, size);
        return (ssize_t)size;
    }
    if (stream->closed || stream->server->stopping) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    stream->suspended = true;
    MHD_suspend_connection(stream->connection);
    return 0;
}

static struct MHD_Response *make_response(struct http_stream *stream,
                                          const struct http_stream_options *options)
{
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, HTTP_STREAM_BLOCK_BYTES, stream_read, stream, NULL);
    for (size_t i = 0; response && i < options->header_count; i++) {
        (void)MHD_add_response_header(response, options->headers[i].name,
                                      options->headers[i].value);
    }
    return response;
}

struct http_stream *http_stream_begin(struct http_exchange *exchange,
                                      const struct http_stream_options *options)
{
    struct http_stream *stream = calloc(1, sizeof *stream);
    struct MHD_Response *response = stream ? make_response(stream, options) : NULL;
    if (!response) {
        free(stream);
        http_exchange_drop(exchange);
        return NULL;
    }
    stream->server = exchange->server;
    stream->connection = exchange->connection;
    stream->gone = options->gone;
    stream->user = options->user;
    buf_init(&stream->pending, options->buffer_bytes_max);
    stream_link(stream);
    exchange->stream = stream;
    exchange->response = response;
    exchange->status = options->status;
    http_server_answer(exchange);
    return stream;
}

bool http_stream_write(struct http_stream *stream, const void *bytes, size_t size)
{
    if (size > stream->pending.limit - stream->pending.size ||
        !buf_append(&stream->pending, bytes, size)) {
        stream->pending.failed = false;
        return false;
    }
    stream_resume(stream);
    return true;
}

size_t http_stream_pending(const struct http_stream *stream)
{
    return stream->pending.size;
}

void http_stream_close(struct http_stream *stream)
{
    if (stream) {
        stream->closed = true;
        stream_resume(stream);
    }
}

void http_server_stream_ended(struct http_stream *stream)
{
    if (!stream) {
        return;
    }
    stream_unlink(stream);
    if (!stream->closed && stream->gone) {
        stream->gone(stream->user);
    }
    buf_done(&stream->pending);
    free(stream);
}

void http_server_stream_end_all(struct http_server *server)
{
    server->stopping = true;
    for (struct http_stream *stream = server->streams; stream; stream = stream->next) {
        stream_resume(stream);
    }
}
