/* net/http_server_internal.h - the server's state, shared by http_server.c (requests, whole
 * answers) and http_server_stream.c (answers without an end). No type of the library appears by
 * value. */
#ifndef NET_HTTP_SERVER_INTERNAL_H
#define NET_HTTP_SERVER_INTERNAL_H

#include "base/buf.h"
#include "net/http_server.h"
#include "net/loop_internal.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;
struct http_stream;

enum { HTTP_SERVER_REASON_BYTES = 160 };

struct http_server {
    struct MHD_Daemon *daemon;
    struct loop_poll *poll;
    struct loop_timer *timer;
    struct http_exchange *suspended; /* handed out and not answered; doubly linked */
    struct http_stream *streams;     /* doubly linked */
    http_handler_fn *handler;
    void *user;
    size_t body_bytes_max;
    uint16_t port;
    bool starting;
    bool stopping;                         /* being destroyed: streams end */
    char reason[HTTP_SERVER_REASON_BYTES]; /* the library's first complaint while starting */
};

enum exchange_state {
    EXCHANGE_READING,   /* headers or body still come in */
    EXCHANGE_HANDLED,   /* the handler runs */
    EXCHANGE_SUSPENDED, /* the handler returned without an answer */
    EXCHANGE_ANSWERED,  /* response is set, or NULL to close the connection */
};

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_exchange *previous;
    struct http_exchange *next;
    enum exchange_state state;
    struct buf raw_path;
    struct buf path;
    struct buf body;
    size_t body_bytes_seen; /* more than body.size once the body was too large */
    const char *method;     /* the library's, as long as the request */
    struct MHD_Response *response;
    struct http_stream *stream; /* of a streamed answer */
    int status;
};

/* The exchange has its response (or none, to close the connection): lets the library go on. */
void http_server_answer(struct http_exchange *exchange);

/* The library has work that no descriptor tells of. */
void http_server_wake(struct http_server *server);

/* The connection of a stream has ended, for whatever reason. Accepts NULL. */
void http_server_stream_ended(struct http_stream *stream);

/* Streams end once what they hold has left: the server is being destroyed. */
void http_server_stream_end_all(struct http_server *server);

#endif
