/* http_server.c - see http_server.h; with http_server_stream.c all that knows libmicrohttpd.
 *
 * The library runs without threads: its epoll descriptor is watched by our loop, and a timer holds
 * its next timeout. A request is collected until its body is complete, then handed to the handler.
 * If that returns without an answer the connection is suspended, which also takes its socket out
 * of the library's hands: nothing can end a suspended connection but our own answer. So an
 * exchange whose client has gone away stays valid until it is answered, and then the write fails.
 *
 * The library owns the life of an exchange: request_begins makes it with the request line,
 * request_completed frees it, whatever happened in between.
 *
 * Not here: answers without an end (http_server_stream.c), routing, keep-alive policy beyond the
 * library's own, HTTP/2.
 */
#include "net/http_server_internal.h"

#include "net/url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HTTP_SERVER_BACKLOG = 1024,
    HTTP_SERVER_RAW_PATH_BYTES_MAX = 16 * 1024,
    /* So much of a body that is too large is read and forgotten before the 413: closing while the
     * client still sends would reset the connection and could destroy the answer on its way. */
    HTTP_SERVER_DRAIN_BYTES = 1024 * 1024,
    HTTP_SERVER_FLUSH_ROUNDS = 4,
};

/* ---- the life of an exchange ---- */

static void suspended_link(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    exchange->previous = NULL;
    exchange->next = server->suspended;
    if (server->suspended) {
        server->suspended->previous = exchange;
    }
    server->suspended = exchange;
}

static void suspended_unlink(struct http_exchange *exchange)
{
    struct http_exchange **from =
        exchange->previous ? &exchange->previous->next : &exchange->server->suspended;
    *from = exchange->next;
    if (exchange->next) {
        exchange->next->previous = exchange->previous;
    }
}

/* Called with the request line, before the library decodes its own copy of the path in place: the
 * only chance to see the path as sent. The result becomes the connection's context. */
static void *request_begins(void *user, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *server = user;
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) {
        return NULL; /* request_continues closes the connection */
    }
    exchange->server = server;
    exchange->connection = connection;
    buf_init(&exchange->raw_path, HTTP_SERVER_RAW_PATH_BYTES_MAX);
    buf_init(&exchange->path, HTTP_SERVER_RAW_PATH_BYTES_MAX);
    buf_init(&exchange->body, server->body_bytes_max);
    (void)buf_append(&exchange->raw_path, uri, strcspn(uri, "?"));
    return exchange;
}

static void request_completed(void *user, struct MHD_Connection *connection, void **context,
                              enum MHD_RequestTerminationCode why)
{
    (void)user;
    (void)connection;
    (void)why;
    struct http_exchange *exchange = *context;
    if (!exchange) {
        return;
    }
    http_server_stream_ended(exchange->stream);
    if (exchange->response) {
        MHD_destroy_response(exchange->response);
    }
    buf_done(&exchange->raw_path);
    buf_done(&exchange->path);
    buf_done(&exchange->body);
    free(exchange);
    *context = NULL;
}

/* Hands the stored answer to the library; MHD_NO closes the connection. */
static enum MHD_Result request_answered(const struct http_exchange *exchange)
{
    if (!exchange->response) {
        return MHD_NO;
    }
    return MHD_queue_response(exchange->connection, (unsigned)exchange->status, exchange->response);
}

static enum MHD_Result request_refused(struct http_exchange *exchange, int status, const char *text)
{
    exchange->state = EXCHANGE_HANDLED;
    http_exchange_reply(exchange, status, NULL, 0, text, strlen(text));
    return request_answered(exchange);
}

/* Whether the announced body is so large that it is better to hang up on it than to drain it. */
static bool body_is_hopeless(const struct http_exchange *exchange)
{
    const char *text = http_exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long announced = text ? strtoull(text, NULL, 10) : 0;
    size_t max = exchange->server->body_bytes_max;
    return announced > max && announced - max > HTTP_SERVER_DRAIN_BYTES;
}

static enum MHD_Result request_reads(struct http_exchange *exchange, const char *bytes, size_t size)
{
    exchange->body_bytes_seen += size;
    if (exchange->body_bytes_seen <= exchange->server->body_bytes_max) {
        return buf_append(&exchange->body, bytes, size) ? MHD_YES : MHD_NO;
    }
    size_t surplus = exchange->body_bytes_seen - exchange->server->body_bytes_max;
    return surplus <= HTTP_SERVER_DRAIN_BYTES ? MHD_YES : MHD_NO;
}

/* The request is complete: let the handler see it. */
static enum MHD_Result request_dispatch(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    if (exchange->body_bytes_seen > server->body_bytes_max) {
        return request_refused(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "body too large\n");
    }
    const struct buf *raw = &exchange->raw_path;
    if (raw->failed || !url_decode(&exchange->path, buf_string(raw), raw->size, false) ||
        memchr(buf_string(&exchange->path), '\0', exchange->path.size)) {
        return request_refused(exchange, MHD_HTTP_BAD_REQUEST, "malformed path\n");
    }
    exchange->state = EXCHANGE_HANDLED;
    server->handler(server->user, exchange);
    if (exchange->state == EXCHANGE_ANSWERED) {
        return request_answered(exchange);
    }
    exchange->state = EXCHANGE_SUSPENDED;
    suspended_link(exchange);
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

/* The library calls this with the headers, with each piece of the body, when the body is complete,
 * and again after a suspended connection was resumed. */
static enum MHD_Result request_continues(void *user, struct MHD_Connection *connection,
                                         const char *url, const char *method, const char *version,
                                         const char *upload, size_t *upload_bytes, void **context)
{
    (void)user;
    (void)connection;
    (void)url;
    (void)version;
    struct http_exchange *exchange = *context;
    if (!exchange) {
        return MHD_NO;
    }
    if (exchange->state == EXCHANGE_ANSWERED) {
        return request_answered(exchange);
    }
    if (!exchange->method) {
        exchange->method = method;
        return body_is_hopeless(exchange)
                   ? request_refused(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "body too large\n")
                   : MHD_YES;
    }
    if (*upload_bytes > 0) {
        size_t size = *upload_bytes;
        *upload_bytes = 0;
        return request_reads(exchange, upload, size);
    }
    return request_dispatch(exchange);
}

/* ---- driving the library ---- */

static void server_schedule(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
    if (MHD_get_timeout(server->daemon, &timeout_ms) != MHD_YES) {
        loop_timer_stop(server->timer);
        return;
    }
    int64_t wait_ms = timeout_ms < INT32_MAX ? (int64_t)timeout_ms : INT32_MAX;
    loop_timer_start(server->timer, wait_ms, 0);
}

static void server_turn(void *user)
{
    struct http_server *server = user;
    (void)MHD_run(server->daemon);
    server_schedule(server);
}

void http_server_wake(struct http_server *server)
{
    loop_timer_start(server->timer, 0, 0);
}

static void server_ready(void *user, int fd, struct loop_ready ready)
{
    (void)fd;
    (void)ready;
    server_turn(user);
}

/* ---- creating and destroying ---- */

static void __attribute__((format(printf, 2, 0)))
server_complaint(void *user, const char *format, va_list args)
{
    struct http_server *server = user;
    if (server->starting && server->reason[0] == '\0') {
        (void)vsnprintf(server->reason, sizeof server->reason, format, args);
        server->reason[strcspn(server->reason, "\r\n")] = '\0';
    }
}

/* Fills storage from a numeric address; 0 for neither IPv4 nor IPv6. */
static socklen_t parse_address(const char *text, uint16_t port, struct sockaddr_storage *storage)
{
    *storage = (struct sockaddr_storage){0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        return sizeof *v6;
    }
    return 0;
}

/* Our own socket, because the library does not say why it could not listen. */
static int server_listen(const struct http_server_options *options, int *fd, uint16_t *port,
                         struct error *err)
{
    struct sockaddr_storage storage;
    socklen_t size = parse_address(options->address, options->port, &storage);
    if (size == 0) {
        return error_set(err, ERROR_CONFIG,
                         "cannot listen on \"%s\": not a numeric IPv4 or IPv6 address",
                         options->address);
    }
    int one = 1;
    *fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0 || setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(*fd, (struct sockaddr *)&storage, size) || listen(*fd, HTTP_SERVER_BACKLOG) ||
        getsockname(*fd, (struct sockaddr *)&storage, &size)) {
        int why = errno;
        if (*fd >= 0) {
            (void)close(*fd);
        }
        return error_set(err, ERROR_IO, "cannot listen on %s port %u: %s; is the port taken?",
                         options->address, (unsigned)options->port, strerror(why));
    }
    *port = ntohs(storage.ss_family == AF_INET ? ((struct sockaddr_in *)&storage)->sin_port
                                               : ((struct sockaddr_in6 *)&storage)->sin6_port);
    return 0;
}

static int server_start(struct http_server *server, const struct http_server_options *options,
                        struct error *err)
{
    int fd = -1;
    int rc = server_listen(options, &fd, &server->port, err);
    if (rc) {
        return rc;
    }
    bool tls = options->tls_certificate_pem && options->tls_key_pem;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    /* The cast only drops const: the library copies both. */
    struct MHD_OptionItem tls_items[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->tls_certificate_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->tls_key_pem},
        {MHD_OPTION_END, 0, NULL},
    };
    server->starting = true;
    server->daemon = MHD_start_daemon(
        flags | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL, request_continues, server,
        MHD_OPTION_EXTERNAL_LOGGER, server_complaint, server, /* first, to hear the others */
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, request_begins, server,
        MHD_OPTION_NOTIFY_COMPLETED, request_completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
        options->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout_s,
        MHD_OPTION_ARRAY, tls ? tls_items : &tls_items[2], MHD_OPTION_END);
    server->starting = false;
    if (!server->daemon) {
        return error_set(err, tls ? ERROR_CONFIG : ERROR_IO, "the HTTP server does not start: %s%s",
                         server->reason[0] ? server->reason : "no reason given",
                         tls ? "; check the TLS certificate and key" : "");
    }
    return 0;
}

static int server_attach(struct http_server *server, struct loop *loop, struct error *err)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info) {
        return error_set(err, ERROR_INTERNAL, "the HTTP server library was built without epoll");
    }
    int rc = loop_timer_create(loop, server_turn, server, &server->timer, err);
    if (!rc) {
        rc = loop_poll_create(loop, info->epoll_fd, server_ready, server, &server->poll, err);
    }
    if (!rc) {
        loop_poll_set(server->poll, true, false);
    }
    return rc;
}

int http_server_create(struct http_server **server, struct loop *loop,
                       const struct http_server_options *options, struct error *err)
{
    *server = NULL;
    struct http_server *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory for the HTTP server");
    }
    made->handler = options->handler;
    made->user = options->user;
    made->body_bytes_max = options->body_bytes_max;
    int rc = server_start(made, options, err);
    if (!rc) {
        rc = server_attach(made, loop, err);
    }
    if (rc) {
        http_server_destroy(made);
        return rc;
    }
    *server = made;
    return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_destroy(struct http_server *server)
{
    if (!server) {
        return;
    }
    while (server->suspended) {
        http_exchange_drop(server->suspended);
    }
    http_server_stream_end_all(server);
    loop_poll_destroy(server->poll);
    loop_timer_destroy(server->timer);
    if (server->daemon) {
        /* Answers given just now leave, and the dropped connections stop being suspended, which
         * the library insists on. */
        for (int i = 0; i < HTTP_SERVER_FLUSH_ROUNDS; i++) {
            (void)MHD_run(server->daemon);
        }
        MHD_stop_daemon(server->daemon);
    }
    free(server);
}

/* ---- the request ---- */

const char *http_exchange_method(const struct http_exchange *exchange)
{
    return exchange->method;
}

const char *http_exchange_path(const struct http_exchange *exchange)
{
    return buf_string(&exchange->path);
}

const char *http_exchange_raw_path(const struct http_exchange *exchange)
{
    return buf_string(&exchange->raw_path);
}

const char *http_exchange_query(const struct http_exchange *exchange, const char *name)
{
    const char *value = NULL;
    if (MHD_lookup_connection_value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name,
                                      strlen(name), &value, NULL) != MHD_YES) {
        return NULL;
    }
    return value ? value : ""; /* "?name" without a value */
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *http_exchange_body(const struct http_exchange *exchange, size_t *bytes)
{
    if (bytes) {
        *bytes = exchange->body.size;
    }
    return buf_string(&exchange->body);
}

/* ---- the answer ---- */

void http_server_answer(struct http_exchange *exchange)
{
    bool suspended = exchange->state == EXCHANGE_SUSPENDED;
    exchange->state = EXCHANGE_ANSWERED;
    if (suspended) {
        suspended_unlink(exchange);
        MHD_resume_connection(exchange->connection);
        http_server_wake(exchange->server);
    }
}

void http_exchange_reply(struct http_exchange *exchange, int status,
                         const struct http_header *headers, size_t header_count, const void *body,
                         size_t body_bytes)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body_bytes, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    for (size_t i = 0; response && i < header_count; i++) {
        /* The library refuses what it sets itself (Content-Length) and empty values. */
        (void)MHD_add_response_header(response, headers[i].name, headers[i].value);
    }
    exchange->response = response; /* without memory the connection is closed instead */
    exchange->status = status;
    http_server_answer(exchange);
}

void http_exchange_drop(struct http_exchange *exchange)
{
    http_server_answer(exchange);
}
