/* http_fixture.h - a client and a server, or a canned one, on one loop. Everything waits for
 * events; the guard timer only ends a test that would otherwise hang. */
#ifndef TEST_HTTP_FIXTURE_H
#define TEST_HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIXTURE_GUARD_MS = 20000,
    FIXTURE_REPLIES_MAX = 1024,
    FIXTURE_HELD_MAX = 64,
    FIXTURE_BODY_BYTES_MAX = 4096,
    FIXTURE_HEADER_BYTES_MAX = 2048,
    FIXTURE_TEXT_BYTES = 4200,
};

struct fixture_reply {
    enum http_failure failure;
    bool request_sent;
    bool http2;
    int status;
    int64_t date_ms;
    int64_t total_ms;
    size_t body_bytes;
    char body[FIXTURE_TEXT_BYTES];
    char reason[256];
    char x_test[64]; /* the header X-Test, or "(absent)" */
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    struct loop_timer *guard;
    bool guard_fired;
    char base[64]; /* "http://127.0.0.1:12345" */
    http_handler_fn *handler;
    size_t requests; /* seen by the server */
    struct http_exchange *held[FIXTURE_HELD_MAX];
    size_t held_count;
    struct fixture_reply *replies;
    size_t reply_count;
    size_t replies_wanted;
};

static inline void fixture_guard(void *user)
{
    struct fixture *f = user;
    f->guard_fired = true;
    loop_stop(f->loop);
}

static inline void fixture_handle(void *user, struct http_exchange *exchange)
{
    struct fixture *f = user;
    f->requests++;
    f->handler(f, exchange);
}

/* ---- handlers ---- */

static inline void handler_reply_text(void *user, struct http_exchange *exchange)
{
    (void)user;
    http_exchange_reply(exchange, 200, NULL, 0, "hello", 5);
}

static inline void handler_hold(void *user, struct http_exchange *exchange)
{
    struct fixture *f = user;
    assert_true(f->held_count < FIXTURE_HELD_MAX);
    f->held[f->held_count++] = exchange;
    loop_stop(f->loop);
}

static inline void handler_drop(void *user, struct http_exchange *exchange)
{
    (void)user;
    http_exchange_drop(exchange);
}

/* ---- life ---- */

static inline struct http_client_options fixture_client_options(void)
{
    return (struct http_client_options){
        .body_bytes_max = FIXTURE_BODY_BYTES_MAX,
        .header_bytes_max = FIXTURE_HEADER_BYTES_MAX,
        .connections_per_host_max = 4,
        .calls_max = 512,
        .user_agent = "undertone-test",
        .proxy = "", /* whatever the environment says */
    };
}

static inline struct fixture *fixture_create(const struct http_client_options *options)
{
    struct error err = {0};
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->replies = calloc(FIXTURE_REPLIES_MAX, sizeof *f->replies);
    assert_non_null(f->replies);
    assert_int_equal(loop_create(&f->loop, &err), 0);
    assert_int_equal(loop_timer_create(f->loop, fixture_guard, f, &f->guard, &err), 0);
    struct http_client_options usual = fixture_client_options();
    if (http_client_create(&f->client, f->loop, options ? options : &usual, &err)) {
        fail_msg("%s", err.message);
    }
    return f;
}

static inline void fixture_serve(struct fixture *f, http_handler_fn *handler,
                                 const char *certificate_pem, const char *key_pem)
{
    struct error err = {0};
    f->handler = handler;
    const struct http_server_options options = {
        .address = "127.0.0.1",
        .body_bytes_max = FIXTURE_BODY_BYTES_MAX,
        .connections_max = 600,
        .idle_timeout_s = 60,
        .tls_certificate_pem = certificate_pem,
        .tls_key_pem = key_pem,
        .handler = fixture_handle,
        .user = f,
    };
    if (http_server_create(&f->server, f->loop, &options, &err)) {
        fail_msg("%s", err.message);
    }
    (void)snprintf(f->base, sizeof f->base, "%s://127.0.0.1:%u", certificate_pem ? "https" : "http",
                   (unsigned)http_server_port(f->server));
}

static inline void fixture_destroy(struct fixture *f)
{
    http_client_destroy(f->client);
    http_server_destroy(f->server);
    loop_timer_destroy(f->guard);
    loop_destroy(f->loop);
    free(f->replies);
    free(f);
}

/* ---- requests ---- */

static inline void fixture_done(void *user, const struct http_response *response)
{
    struct fixture *f = user;
    assert_true(f->reply_count < FIXTURE_REPLIES_MAX);
    struct fixture_reply *reply = &f->replies[f->reply_count++];
    reply->failure = response->failure;
    reply->request_sent = response->request_sent;
    reply->status = response->status;
    reply->http2 = response->http2;
    reply->date_ms = response->date_ms;
    reply->total_ms = response->total_ms;
    reply->body_bytes = response->body_bytes;
    assert_int_equal(response->body[response->body_bytes], '\0');
    (void)snprintf(reply->body, sizeof reply->body, "%s", response->body);
    (void)snprintf(reply->reason, sizeof reply->reason, "%s", response->failure_text);
    const char *x_test = http_client_header(response, "X-Test");
    (void)snprintf(reply->x_test, sizeof reply->x_test, "%s", x_test ? x_test : "(absent)");
    if (f->reply_count >= f->replies_wanted) {
        loop_stop(f->loop);
    }
}

static inline int fixture_try_send(struct fixture *f, const struct http_request *request,
                                   const char *path, struct http_call **call, struct error *err)
{
    char url[512];
    (void)snprintf(url, sizeof url, "%s%s", f->base, path);
    struct http_request filled = *request;
    filled.method = request->method ? request->method : "GET";
    filled.url = url;
    filled.connect_timeout_ms = request->connect_timeout_ms ? request->connect_timeout_ms : 15000;
    filled.timeout_ms = request->timeout_ms ? request->timeout_ms : 15000;
    return http_client_send(f->client, &filled, fixture_done, f, call, err);
}

static inline struct http_call *fixture_send(struct fixture *f, const struct http_request *request,
                                             const char *path)
{
    struct error err = {0};
    struct http_call *call = NULL;
    if (fixture_try_send(f, request, path, &call, &err)) {
        fail_msg("%s", err.message);
    }
    return call;
}

/* Runs until so many replies have come in all, or until a handler stops the loop. */
static inline void fixture_turn(struct fixture *f, size_t replies)
{
    f->replies_wanted = replies;
    loop_timer_start(f->guard, FIXTURE_GUARD_MS, 0);
    loop_run(f->loop);
    loop_timer_stop(f->guard);
    if (f->guard_fired) {
        fail_msg("the guard timer fired: %zu of %zu replies", f->reply_count, replies);
    }
}

static inline void fixture_run(struct fixture *f, size_t replies)
{
    while (f->reply_count < replies) {
        fixture_turn(f, replies);
    }
}

static inline void fixture_run_until_held(struct fixture *f, size_t held)
{
    while (f->held_count < held) {
        fixture_turn(f, SIZE_MAX);
    }
}

/* One request, one reply. */
static inline const struct fixture_reply *
fixture_exchange(struct fixture *f, const struct http_request *request, const char *path)
{
    size_t before = f->reply_count;
    (void)fixture_send(f, request, path);
    fixture_run(f, before + 1);
    return &f->replies[before];
}

static inline const struct fixture_reply *fixture_get(struct fixture *f, const char *path)
{
    return fixture_exchange(f, &(struct http_request){.method = "GET"}, path);
}

#endif
