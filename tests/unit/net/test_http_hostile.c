/* The client against servers that misbehave: a canned server says exactly the bytes it is told. */
#include "http_fixture.h"

#include "base/buf.h"
#include "net/loop_internal.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

/* Answers each request of each connection with the same bytes; requests have no body here unless
 * they say so by a Content-Length of one digit. */
struct canned {
    struct fixture *f;
    struct loop_poll *listening;
    struct loop_poll *connections[16];
    int fds[17]; /* the last is the listening one */
    size_t accepted;
    size_t requests;
    const char *answer;
    size_t answer_bytes;
    size_t answers_per_connection; /* then it is closed, without a word; 0: at once, unread */
    bool silent_after_first;       /* further connections get no answer at all */
};

static void canned_close(struct canned *c, size_t at)
{
    loop_poll_destroy(c->connections[at]);
    c->connections[at] = NULL;
    (void)close(c->fds[at]);
    c->fds[at] = -1;
}

static size_t canned_index(const struct canned *c, int fd)
{
    for (size_t i = 0; i < c->accepted; i++) {
        if (c->fds[i] == fd) {
            return i;
        }
    }
    fail_msg("unknown descriptor");
    return 0;
}

static void canned_ready(void *user, int fd, struct loop_ready ready)
{
    struct canned *c = user;
    size_t at = canned_index(c, fd);
    char bytes[4096];
    (void)ready;
    ssize_t size = read(fd, bytes, sizeof bytes - 1);
    if (size <= 0) {
        canned_close(c, at);
        return;
    }
    c->requests++;
    if (c->silent_after_first && c->requests > 1) {
        canned_close(c, at);
        return;
    }
    for (size_t sent = 0; sent < c->answer_bytes;) {
        ssize_t n = send(fd, c->answer + sent, c->answer_bytes - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            break; /* the client has had enough */
        }
        sent += (size_t)n;
    }
    if (c->answers_per_connection == 1) {
        canned_close(c, at);
    }
}

static void canned_accept(void *user, int fd, struct loop_ready ready)
{
    struct canned *c = user;
    struct error err = {0};
    (void)ready;
    assert_true(c->accepted < 16);
    size_t at = c->accepted++;
    c->fds[at] = accept(fd, NULL, NULL);
    assert_true(c->fds[at] >= 0);
    assert_int_equal(
        loop_poll_create(c->f->loop, c->fds[at], canned_ready, c, &c->connections[at], &err), 0);
    /* libuv has made the descriptor non-blocking; large answers are written in one go. */
    int room = 4 * 1024 * 1024;
    (void)setsockopt(c->fds[at], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    loop_poll_set(c->connections[at], true, false);
    if (c->answers_per_connection == 0) {
        canned_close(c, at);
    }
}

static void canned_open(struct canned *c, struct fixture *f, const char *answer, size_t size)
{
    *c = (struct canned){
        .f = f, .answer = answer, .answer_bytes = size, .answers_per_connection = 1};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct error err = {0};
    int fd = c->fds[16] = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(loop_poll_create(f->loop, fd, canned_accept, c, &c->listening, &err), 0);
    loop_poll_set(c->listening, true, false);
    (void)snprintf(f->base, sizeof f->base, "http://127.0.0.1:%u",
                   (unsigned)ntohs(address.sin_port));
}

static void canned_done(struct canned *c)
{
    for (size_t i = 0; i < c->accepted; i++) {
        if (c->connections[i]) {
            canned_close(c, i);
        }
    }
    loop_poll_destroy(c->listening);
    (void)close(c->fds[16]);
}

/* One GET to a server that gives this answer and closes. */
static void expect(const char *answer, size_t size, enum http_failure failure, int status,
                   const char *body)
{
    struct fixture *f = fixture_create(NULL);
    struct canned c;
    canned_open(&c, f, answer, size);
    const struct fixture_reply *reply = fixture_get(f, "/?token=secret");
    assert_string_equal(http_failure_name(reply->failure), http_failure_name(failure));
    assert_int_equal(reply->status, status);
    assert_string_equal(reply->body, body);
    assert_true(reply->request_sent);
    assert_int_equal(reply->reason[0] == '\0', failure == HTTP_FAILURE_NONE);
    assert_null(strstr(reply->reason, "secret"));
    canned_done(&c);
    fixture_destroy(f);
}

static void expect_text(const char *answer, enum http_failure failure, int status, const char *body)
{
    expect(answer, strlen(answer), failure, status, body);
}

static void test_body_cut_short_is_broken(void **state)
{
    (void)state;
    expect_text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsecret", HTTP_FAILURE_BROKEN, 0, "");
    expect_text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n",
                HTTP_FAILURE_BROKEN, 0, "");
}

static void test_bad_framing_is_broken(void **state)
{
    (void)state;
    expect_text("secret and no HTTP at all\r\n\r\n", HTTP_FAILURE_BROKEN, 0, "");
    expect_text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
                HTTP_FAILURE_BROKEN, 0, "");
    expect_text("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nsecret", HTTP_FAILURE_BROKEN, 0,
                "");
    expect_text("", HTTP_FAILURE_BROKEN, 0, "");
}

static void test_interim_responses_are_skipped(void **state)
{
    (void)state;
    static const char ANSWER[] = "HTTP/1.1 103 Early Hints\r\nX-Test: early\r\n\r\n"
                                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    struct fixture *f = fixture_create(NULL);
    struct canned c;
    canned_open(&c, f, ANSWER, sizeof ANSWER - 1);
    const struct fixture_reply *reply = fixture_get(f, "/");
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body, "ok");
    assert_string_equal(reply->x_test, "(absent)");
    assert_int_equal(reply->date_ms, -1);
    canned_done(&c);
    fixture_destroy(f);
}

static void test_headers_are_trimmed_and_trailers_are_not_headers(void **state)
{
    (void)state;
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nx-TEST: \t one two \t\r\nDate: nonsense\r\n"
                                 "Transfer-Encoding: chunked\r\nTrailer: X-Test\r\n\r\n"
                                 "2\r\nok\r\n0\r\nX-Test: trailer\r\n\r\n";
    struct fixture *f = fixture_create(NULL);
    struct canned c;
    canned_open(&c, f, ANSWER, sizeof ANSWER - 1);
    const struct fixture_reply *reply = fixture_get(f, "/");
    assert_int_equal(reply->failure, HTTP_FAILURE_NONE);
    assert_string_equal(reply->body, "ok");
    assert_string_equal(reply->x_test, "one two");
    assert_int_equal(reply->date_ms, -1);
    canned_done(&c);
    fixture_destroy(f);
}

static void test_headers_are_capped(void **state)
{
    (void)state;
    struct buf answer;
    buf_init(&answer, 1024 * 1024);
    (void)buf_append_string(&answer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; answer.size <= FIXTURE_HEADER_BYTES_MAX; i++) {
        (void)buf_printf(&answer, "X-Filler-%d: y\r\n", i);
    }
    (void)buf_append_string(&answer, "\r\n");
    expect(buf_string(&answer), answer.size, HTTP_FAILURE_TOO_LARGE, 0, "");
    buf_clear(&answer); /* endless interim responses are headers too */
    for (int i = 0; answer.size <= FIXTURE_HEADER_BYTES_MAX; i++) {
        (void)buf_append_string(&answer, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    expect(buf_string(&answer), answer.size, HTTP_FAILURE_TOO_LARGE, 0, "");
    buf_done(&answer);
}

/* gzip of `size` zero bytes, as a response. */
static void gzip_answer(struct buf *answer, size_t size)
{
    static unsigned char zeros[4096];
    unsigned char packed[65536];
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = packed;
    z.avail_out = sizeof packed;
    for (size_t left = size; left > 0;) {
        uInt part = left < sizeof zeros ? (uInt)left : (uInt)sizeof zeros;
        z.next_in = zeros;
        z.avail_in = part;
        left -= part;
        assert_in_range(deflate(&z, left ? Z_NO_FLUSH : Z_FINISH), Z_OK, Z_STREAM_END);
    }
    buf_init(answer, 1024 * 1024);
    (void)buf_printf(answer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n",
                     z.total_out);
    (void)buf_append_string(answer, "\r\n");
    (void)buf_append(answer, packed, z.total_out);
    (void)deflateEnd(&z);
}

static void test_body_is_decompressed_and_capped_afterwards(void **state)
{
    (void)state;
    struct buf answer;
    gzip_answer(&answer, FIXTURE_BODY_BYTES_MAX);
    struct fixture *f = fixture_create(NULL);
    struct canned c;
    canned_open(&c, f, buf_string(&answer), answer.size);
    const struct fixture_reply *reply = fixture_get(f, "/");
    assert_int_equal(reply->failure, HTTP_FAILURE_NONE);
    assert_int_equal(reply->body_bytes, FIXTURE_BODY_BYTES_MAX);
    canned_done(&c);
    fixture_destroy(f);
    buf_done(&answer);
    gzip_answer(&answer, 8 * 1024 * 1024);
    assert_in_range(answer.size, 1, 16 * 1024); /* it is a bomb */
    expect(buf_string(&answer), answer.size, HTTP_FAILURE_TOO_LARGE, 0, "");
    buf_done(&answer);
}

static const char KEPT_ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void test_connection_is_kept_for_the_next_request(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    struct canned c;
    canned_open(&c, f, KEPT_ANSWER, sizeof KEPT_ANSWER - 1);
    c.answers_per_connection = SIZE_MAX;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fixture_get(f, "/")->status, 200);
    }
    assert_int_equal(c.accepted, 1);
    canned_done(&c);
    fixture_destroy(f);
}

static void stop_loop(void *user)
{
    loop_stop(((struct fixture *)user)->loop);
}

/* A kept connection stays watched; what its other end does then must not keep the loop awake. */
static void test_closed_kept_connection_lets_the_loop_sleep(void **state)
{
    (void)state;
    enum { WAIT_MS = 200 };
    struct fixture *f = fixture_create(NULL);
    struct canned c;
    canned_open(&c, f, KEPT_ANSWER, sizeof KEPT_ANSWER - 1);
    assert_int_equal(fixture_get(f, "/")->status, 200);
    struct loop_timer *timer;
    assert_int_equal(loop_timer_create(f->loop, stop_loop, f, &timer, NULL), 0);
    loop_timer_start(timer, WAIT_MS, 0);
    clock_t begun = clock();
    loop_run(f->loop);
    clock_t spent = clock() - begun; /* of the CPU: nothing to speak of, or as much as there is */
    assert_in_range(spent, 0, (clock_t)(WAIT_MS / 20) * CLOCKS_PER_SEC / 1000);
    loop_timer_destroy(timer);
    assert_int_equal(fixture_get(f, "/")->status, 200);
    assert_int_equal(c.accepted, 2);
    canned_done(&c);
    fixture_destroy(f);
}

/* The server takes the second request on the kept connection and hangs up: it may have acted. */
static void test_get_on_a_stale_connection_is_repeated_once(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    struct canned c;
    canned_open(&c, f, KEPT_ANSWER, sizeof KEPT_ANSWER - 1);
    c.answers_per_connection = SIZE_MAX;
    c.silent_after_first = true;
    assert_int_equal(fixture_get(f, "/")->status, 200);
    const struct fixture_reply *reply = fixture_get(f, "/");
    assert_int_equal(reply->failure, HTTP_FAILURE_BROKEN);
    assert_true(reply->request_sent);
    assert_int_equal(c.requests, 3);
    assert_int_equal(c.accepted, 2);
    canned_done(&c);
    fixture_destroy(f);
}

static void test_post_is_never_sent_twice(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    struct canned c;
    canned_open(&c, f, KEPT_ANSWER, sizeof KEPT_ANSWER - 1);
    c.answers_per_connection = SIZE_MAX;
    c.silent_after_first = true;
    assert_int_equal(fixture_get(f, "/")->status, 200);
    const struct http_request post = {.method = "POST", .body = "x", .body_bytes = 1};
    const struct fixture_reply *reply = fixture_exchange(f, &post, "/");
    assert_int_equal(reply->failure, HTTP_FAILURE_BROKEN);
    assert_true(reply->request_sent);
    assert_int_equal(c.requests, 2);
    canned_done(&c);
    fixture_destroy(f);
}

/* A load balancer that restarts: no configuration matter, and nothing was sent. */
static void test_connection_lost_in_the_handshake_is_broken_not_tls(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    struct canned c;
    canned_open(&c, f, "", 0);
    memmove(f->base + 5, f->base + 4, strlen(f->base + 4) + 1); /* http: to https: */
    f->base[4] = 's';
    const struct fixture_reply *reply = fixture_get(f, "/"); /* closed after its ClientHello */
    assert_string_equal(http_failure_name(reply->failure), "broken");
    assert_false(reply->request_sent);
    c.answers_per_connection = 0;
    reply = fixture_get(f, "/"); /* closed, or reset, before it */
    assert_string_equal(http_failure_name(reply->failure), "broken");
    assert_false(reply->request_sent);
    canned_done(&c);
    fixture_destroy(f);
}

static void test_plain_answer_to_a_handshake_is_a_tls_failure(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    struct canned c;
    canned_open(&c, f, KEPT_ANSWER, sizeof KEPT_ANSWER - 1);
    memmove(f->base + 5, f->base + 4, strlen(f->base + 4) + 1);
    f->base[4] = 's';
    const struct fixture_reply *reply = fixture_get(f, "/");
    assert_string_equal(http_failure_name(reply->failure), "tls");
    assert_false(reply->request_sent);
    canned_done(&c);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_cut_short_is_broken),
        cmocka_unit_test(test_bad_framing_is_broken),
        cmocka_unit_test(test_interim_responses_are_skipped),
        cmocka_unit_test(test_headers_are_trimmed_and_trailers_are_not_headers),
        cmocka_unit_test(test_headers_are_capped),
        cmocka_unit_test(test_body_is_decompressed_and_capped_afterwards),
        cmocka_unit_test(test_connection_is_kept_for_the_next_request),
        cmocka_unit_test(test_closed_kept_connection_lets_the_loop_sleep),
        cmocka_unit_test(test_get_on_a_stale_connection_is_repeated_once),
        cmocka_unit_test(test_post_is_never_sent_twice),
        cmocka_unit_test(test_connection_lost_in_the_handshake_is_broken_not_tls),
        cmocka_unit_test(test_plain_answer_to_a_handshake_is_a_tls_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
