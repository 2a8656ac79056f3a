/* The client over HTTP/2 (RFC 9113), against a server of some hundred lines that knows as much of
 * it as these tests need: requests are not read, and every answer's head is one byte of HPACK's
 * static table (RFC 7541, appendix A, entry 8: ":status 200"). */
#include "http_fixture.h"

#include "net/loop_internal.h"
#include "sim/tls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 16, STREAMS_MAX = 128, PREFACE_BYTES = 24, FRAME_HEAD_BYTES = 9 };
enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
enum { REFUSED_STREAM = 7, SETTING_CONCURRENT_STREAMS = 3 };

static char directory[] = "/tmp/undertone-http2-XXXXXX";
static char ca_file[sizeof directory + 16];
static struct tls_material credentials;

struct connection {
    struct server *server;
    SSL *tls;
    struct loop_poll *poll;
    int fd;
    bool greeted;
    unsigned char in[65536];
    size_t in_bytes;
    uint32_t held[STREAMS_MAX]; /* streams that wait for their answer */
    size_t held_count;
};

struct server {
    struct fixture *f;
    SSL_CTX *context;
    struct loop_poll *listening;
    int fd;
    struct connection *connections[CONNECTIONS_MAX];
    size_t accepted;
    size_t streams;      /* opened, over all connections */
    size_t open_at_once; /* most of them on one connection */
    /* How it behaves. */
    size_t hold_until; /* answers none before so many streams are open together */
    size_t refuse;     /* so many streams, before it answers one */
    size_t silent;     /* the same, but without a word */
    bool goes_away;    /* after every answer */
    uint32_t concurrent;
};

static void put_frame(struct connection *c, unsigned char type, unsigned char flags,
                      uint32_t stream, const void *payload, size_t bytes)
{
    unsigned char frame[256] = {0,
                                (unsigned char)(bytes >> 8),
                                (unsigned char)bytes,
                                type,
                                flags,
                                (unsigned char)(stream >> 24),
                                (unsigned char)(stream >> 16),
                                (unsigned char)(stream >> 8),
                                (unsigned char)stream};
    assert_true(bytes <= sizeof frame - FRAME_HEAD_BYTES);
    memcpy(frame + FRAME_HEAD_BYTES, payload, bytes);
    assert_int_equal(SSL_write(c->tls, frame, (int)(FRAME_HEAD_BYTES + bytes)),
                     FRAME_HEAD_BYTES + bytes);
}

static void put_number_frame(struct connection *c, unsigned char type, uint32_t stream,
                             uint32_t number, uint32_t next, size_t bytes)
{
    const unsigned char payload[8] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                                      (unsigned char)(number >> 8),  (unsigned char)number,
                                      (unsigned char)(next >> 24),   (unsigned char)(next >> 16),
                                      (unsigned char)(next >> 8),    (unsigned char)next};
    put_frame(c, type, 0, stream, payload, bytes);
}

static void greet(struct connection *c)
{
    unsigned char payload[6] = {0,
                                SETTING_CONCURRENT_STREAMS,
                                0,
                                0,
                                (unsigned char)(c->server->concurrent >> 8),
                                (unsigned char)c->server->concurrent};
    put_frame(c, SETTINGS, 0, 0, payload, c->server->concurrent ? sizeof payload : 0);
}

static void answer(struct connection *c, uint32_t stream)
{
    put_frame(c, HEADERS, END_HEADERS, stream, "\x88", 1);
    put_frame(c, DATA, END_STREAM, stream, "hello", 5);
    if (c->server->goes_away) {
        put_number_frame(c, GOAWAY, 0, stream, 0, 8);
    }
}

static void take_stream(struct connection *c, uint32_t stream)
{
    struct server *server = c->server;
    size_t open = 0;
    server->streams++;
    if (server->refuse > 0) {
        server->refuse--;
        put_number_frame(c, RST_STREAM, stream, REFUSED_STREAM, 0, 4);
        return;
    }
    if (server->silent > 0) {
        server->silent--;
        return;
    }
    assert_true(c->held_count < STREAMS_MAX);
    c->held[c->held_count++] = stream;
    if (c->held_count > server->open_at_once) {
        server->open_at_once = c->held_count;
    }
    for (size_t i = 0; i < server->accepted; i++) {
        open += server->connections[i]->held_count;
    }
    for (size_t i = 0; i < server->accepted && open >= server->hold_until; i++) {
        struct connection *other = server->connections[i];
        for (size_t j = 0; j < other->held_count; j++) {
            answer(other, other->held[j]);
        }
        other->held_count = 0;
    }
}

static void take_frame(struct connection *c, const unsigned char *frame, size_t bytes)
{
    uint32_t stream =
        (uint32_t)frame[5] << 24 | (uint32_t)frame[6] << 16 | (uint32_t)frame[7] << 8 | frame[8];
    if (frame[3] == SETTINGS && !(frame[4] & ACK)) {
        put_frame(c, SETTINGS, ACK, 0, "", 0);
    } else if (frame[3] == PING && !(frame[4] & ACK)) {
        put_frame(c, PING, ACK, 0, frame + FRAME_HEAD_BYTES, bytes);
    } else if ((frame[3] == HEADERS || frame[3] == DATA) && (frame[4] & END_STREAM)) {
        take_stream(c, stream);
    }
}

static void take_bytes(struct connection *c)
{
    size_t at = c->greeted ? 0 : PREFACE_BYTES;
    if (!c->greeted && c->in_bytes >= PREFACE_BYTES) {
        assert_memory_equal(c->in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PREFACE_BYTES);
        c->greeted = true;
        greet(c);
    }
    while (c->greeted && c->in_bytes >= at + FRAME_HEAD_BYTES) {
        size_t bytes = (size_t)c->in[at + 1] << 8 | c->in[at + 2];
        if (c->in_bytes < at + FRAME_HEAD_BYTES + bytes) {
            break;
        }
        take_frame(c, c->in + at, bytes);
        at += FRAME_HEAD_BYTES + bytes;
    }
    at = c->greeted ? at : 0;
    memmove(c->in, c->in + at, c->in_bytes - at);
    c->in_bytes -= at;
}

/* Also does the handshake. */
static void connection_ready(void *user, int fd, struct loop_ready ready)
{
    struct connection *c = user;
    int size;
    (void)fd;
    (void)ready;
    while ((size = SSL_read(c->tls, c->in + c->in_bytes, (int)(sizeof c->in - c->in_bytes))) > 0) {
        c->in_bytes += (size_t)size;
        take_bytes(c);
    }
    if (SSL_get_error(c->tls, size) != SSL_ERROR_WANT_READ) {
        loop_poll_destroy(c->poll);
        c->poll = NULL;
    }
}

static void accept_ready(void *user, int fd, struct loop_ready ready)
{
    struct server *server = user;
    struct error err = {0};
    (void)ready;
    struct connection *c = calloc(1, sizeof *c);
    assert_non_null(c);
    assert_true(server->accepted < CONNECTIONS_MAX);
    c->server = server;
    c->fd = accept(fd, NULL, NULL);
    assert_true(c->fd >= 0);
    assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
    c->tls = SSL_new(server->context);
    assert_non_null(c->tls);
    assert_int_equal(SSL_set_fd(c->tls, c->fd), 1);
    SSL_set_accept_state(c->tls);
    assert_int_equal(loop_poll_create(server->f->loop, c->fd, connection_ready, c, &c->poll, &err),
                     0);
    loop_poll_set(c->poll, true, false);
    server->connections[server->accepted++] = c;
}

static int choose_http2(SSL *tls, const unsigned char **out, unsigned char *out_bytes,
                        const unsigned char *in, unsigned in_bytes, void *user)
{
    (void)tls;
    (void)user;
    return SSL_select_next_proto((unsigned char **)out, out_bytes, (const unsigned char *)"\x02h2",
                                 3, in, in_bytes) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *make_context(void)
{
    char path[sizeof directory + 16];
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_non_null(context);
    (void)snprintf(path, sizeof path, "%s/cert.pem", directory);
    assert_int_equal(SSL_CTX_use_certificate_file(context, path, SSL_FILETYPE_PEM), 1);
    (void)snprintf(path, sizeof path, "%s/key.pem", directory);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM), 1);
    SSL_CTX_set_alpn_select_cb(context, choose_http2, NULL);
    return context;
}

static struct http_client_options http2_options(void)
{
    struct http_client_options options = fixture_client_options();
    options.version = HTTP_VERSION_AUTO;
    options.streams_max = 64;
    options.ca_file = ca_file;
    return options;
}

static struct fixture *http2_fixture(struct server *server)
{
    struct http_client_options options = http2_options();
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t bytes = sizeof address;
    struct error err = {0};
    struct fixture *f = fixture_create(&options);
    server->context = make_context();
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->f = f;
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->fd, 64), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &bytes), 0);
    assert_int_equal(
        loop_poll_create(f->loop, server->fd, accept_ready, server, &server->listening, &err), 0);
    loop_poll_set(server->listening, true, false);
    (void)snprintf(f->base, sizeof f->base, "https://127.0.0.1:%u", ntohs(address.sin_port));
    return f;
}

static void http2_destroy(struct server *server)
{
    for (size_t i = 0; i < server->accepted; i++) {
        loop_poll_destroy(server->connections[i]->poll);
        SSL_free(server->connections[i]->tls);
        (void)close(server->connections[i]->fd);
        free(server->connections[i]);
    }
    loop_poll_destroy(server->listening);
    (void)close(server->fd);
    SSL_CTX_free(server->context);
    fixture_destroy(server->f);
}

static void expect_hello(const struct fixture_reply *reply)
{
    if (reply->failure != HTTP_FAILURE_NONE) {
        fail_msg("%s: %s", http_failure_name(reply->failure), reply->reason);
    }
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body, "hello");
    assert_true(reply->http2);
}

static void send_many(struct fixture *f, const char *method, size_t count)
{
    size_t before = f->reply_count;
    for (size_t i = 0; i < count; i++) {
        (void)fixture_send(f, &(struct http_request){.method = method}, "/");
    }
    fixture_run(f, before + count);
    for (size_t i = before; i < before + count; i++) {
        expect_hello(&f->replies[i]);
    }
}

static void test_requests_share_one_connection_up_to_the_limit(void **state)
{
    (void)state;
    struct server server = {.hold_until = 1};
    struct fixture *f = http2_fixture(&server);
    expect_hello(fixture_get(f, "/")); /* now the client knows what the server speaks */
    server.hold_until = 64; /* all that may be under way at once: else nobody is answered */
    send_many(f, "GET", 128);
    assert_int_equal(server.accepted, 1);
    assert_int_equal(server.open_at_once, 64);
    http2_destroy(&server);
}

static void test_a_server_that_allows_fewer_gets_further_connections(void **state)
{
    (void)state;
    struct server server = {.hold_until = 1, .concurrent = 2};
    struct fixture *f = http2_fixture(&server);
    expect_hello(fixture_get(f, "/"));
    server.hold_until = 8;
    send_many(f, "PATCH", 8);
    assert_true(server.accepted > 1); /* one that has not told its limit yet may get more */
    http2_destroy(&server);
}

static void test_a_refused_stream_is_tried_again_at_once(void **state)
{
    (void)state;
    struct server server = {.hold_until = 1};
    struct fixture *f = http2_fixture(&server);
    expect_hello(fixture_get(f, "/"));
    server.refuse = 1; /* RFC 9113 section 8.7: it surely was not acted upon */
    expect_hello(fixture_get(f, "/"));
    assert_int_equal(server.streams, 3);
    http2_destroy(&server);
}

static void test_a_connection_that_goes_away_is_followed_by_another(void **state)
{
    (void)state;
    struct server server = {.hold_until = 1, .goes_away = true};
    struct fixture *f = http2_fixture(&server);
    for (int i = 0; i < 5; i++) {
        expect_hello(fixture_get(f, "/"));
    }
    assert_int_equal(server.streams, 5);
    assert_int_equal(server.accepted, 5);
    http2_destroy(&server);
}

/* Over HTTP/1.1 a request that times out takes its connection along. Here it must do so too, or all
 * that follow would go the same way. */
static void test_a_connection_that_has_fallen_silent_is_not_used_again(void **state)
{
    (void)state;
    struct server server = {.hold_until = 1};
    struct fixture *f = http2_fixture(&server);
    expect_hello(fixture_get(f, "/"));
    server.silent = 3;
    for (int i = 0; i < 3; i++) {
        (void)fixture_send(f, &(struct http_request){.timeout_ms = 100}, "/");
    }
    fixture_run(f, 4);
    for (int i = 1; i < 4; i++) {
        assert_string_equal(http_failure_name(f->replies[i].failure), "timeout");
        assert_true(f->replies[i].request_sent);
    }
    assert_int_equal(server.accepted, 1);
    expect_hello(fixture_get(f, "/"));
    assert_int_equal(server.accepted, 2);
    http2_destroy(&server);
}

static void test_one_request_that_times_out_leaves_the_others_alone(void **state)
{
    (void)state;
    struct server server = {.hold_until = 1};
    struct fixture *f = http2_fixture(&server);
    expect_hello(fixture_get(f, "/"));
    server.hold_until = 9;
    server.silent = 1;
    (void)fixture_send(f, &(struct http_request){.timeout_ms = 100}, "/");
    for (int i = 0; i < 8; i++) {
        (void)fixture_send(f, &(struct http_request){.method = "GET"}, "/");
    }
    fixture_run(f, 2);
    assert_string_equal(http_failure_name(f->replies[1].failure), "timeout");
    (void)fixture_send(f, &(struct http_request){.method = "GET"}, "/");
    fixture_run(f, 11);
    for (size_t i = 2; i < 11; i++) {
        expect_hello(&f->replies[i]);
    }
    http2_destroy(&server);
}

static void test_a_post_gets_a_connection_of_its_own(void **state)
{
    (void)state;
    struct server server = {.hold_until = 1};
    struct fixture *f = http2_fixture(&server);
    expect_hello(fixture_get(f, "/"));
    expect_hello(fixture_exchange(
        f, &(struct http_request){.method = "POST", .body = "x", .body_bytes = 1}, "/"));
    assert_int_equal(server.accepted, 2);
    http2_destroy(&server);
}

/* Not one of four requests, which is the cap, may wait for another's answer. */
static void expect_1_1(enum http_version version, bool tls)
{
    struct http_client_options options = http2_options();
    options.version = version;
    struct fixture *f = fixture_create(&options);
    fixture_serve(f, handler_hold, tls ? credentials.certificate_pem : NULL,
                  tls ? credentials.key_pem : NULL);
    for (int i = 0; i < 4; i++) {
        (void)fixture_send(f, &(struct http_request){.method = "GET"}, "/");
    }
    fixture_run_until_held(f, 4);
    for (size_t i = 0; i < 4; i++) {
        http_exchange_reply(f->held[i], 200, NULL, 0, "hello", 5);
    }
    fixture_run(f, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(f->replies[i].status, 200);
        assert_false(f->replies[i].http2);
    }
    fixture_destroy(f);
}

static void test_1_1_is_spoken_where_the_server_knows_no_other(void **state)
{
    (void)state;
    expect_1_1(HTTP_VERSION_AUTO, true);
    expect_1_1(HTTP_VERSION_AUTO, false);
    expect_1_1(HTTP_VERSION_UNSAID, true);
}

/* The server insists on HTTP/2: no handshake means that it was not offered. */
static void test_a_request_may_ask_for_1_1_only(void **state)
{
    (void)state;
    struct server server = {.hold_until = 1};
    struct fixture *f = http2_fixture(&server);
    const struct fixture_reply *reply =
        fixture_exchange(f, &(struct http_request){.version = HTTP_VERSION_1_1}, "/");
    assert_string_equal(http_failure_name(reply->failure), "tls");
    assert_int_equal(server.streams, 0);
    http2_destroy(&server);
}

static int make_credentials(void **state)
{
    struct error err;
    (void)state;
    if (!mkdtemp(directory) || tls_load(&credentials, directory, &err)) {
        return -1;
    }
    (void)snprintf(ca_file, sizeof ca_file, "%s/ca.pem", directory);
    return 0;
}

static int remove_credentials(void **state)
{
    static const char *const names[] = {"ca.pem", "cert.pem", "key.pem"};
    char path[sizeof directory + 16];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        (void)unlink(path);
    }
    tls_done(&credentials);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_share_one_connection_up_to_the_limit),
        cmocka_unit_test(test_a_server_that_allows_fewer_gets_further_connections),
        cmocka_unit_test(test_a_refused_stream_is_tried_again_at_once),
        cmocka_unit_test(test_a_connection_that_goes_away_is_followed_by_another),
        cmocka_unit_test(test_a_connection_that_has_fallen_silent_is_not_used_again),
        cmocka_unit_test(test_one_request_that_times_out_leaves_the_others_alone),
        cmocka_unit_test(test_a_post_gets_a_connection_of_its_own),
        cmocka_unit_test(test_1_1_is_spoken_where_the_server_knows_no_other),
        cmocka_unit_test(test_a_request_may_ask_for_1_1_only),
    };
    return cmocka_run_group_tests(tests, make_credentials, remove_credentials);
}
