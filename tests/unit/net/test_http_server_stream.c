/* Answers without an end, looked at byte by byte by a plain socket. The client's socket is watched
 * by the same loop; the guard timer only ends a test that would otherwise hang. */
#include "http_fixture.h"

#include "net/http_server_stream.h"
#include "net/loop_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024, SEEN_BYTES = 1 << 20 };

struct viewer {
    struct fixture *f;
    struct http_stream *stream;
    unsigned begun;
    unsigned gone;
    int fd;
    struct loop_poll *poll;
    bool ended; /* the server closed the connection */
    char *seen;
    size_t seen_bytes;
    const char *awaited; /* text, or NULL to wait for the end */
};

static struct viewer *shown; /* the viewer whose request the handler answers next */

static void on_gone(void *user)
{
    struct viewer *viewer = user;
    viewer->gone++;
    viewer->stream = NULL;
    loop_stop(viewer->f->loop);
}

static void begin(struct http_exchange *exchange)
{
    static const struct http_header headers[] = {{"Content-Type", "text/event-stream"}};
    shown->stream =
        http_stream_begin(exchange, &(struct http_stream_options){.status = 200,
                                                                  .headers = headers,
                                                                  .header_count = 1,
                                                                  .buffer_bytes_max = BUFFER_BYTES,
                                                                  .gone = on_gone,
                                                                  .user = shown});
    assert_non_null(shown->stream);
    shown->begun++;
    loop_stop(shown->f->loop);
}

static void handler_stream(void *user, struct http_exchange *exchange)
{
    (void)user;
    begin(exchange);
}

static void handler_stream_or_text(void *user, struct http_exchange *exchange)
{
    if (strcmp(http_exchange_path(exchange), "/events") == 0) {
        handler_stream(user, exchange);
    } else {
        handler_reply_text(user, exchange);
    }
}

/* Takes what has come; stops the loop when it is what the test waits for. */
static void on_readable(void *user, int fd, struct loop_ready ready)
{
    (void)ready;
    struct viewer *viewer = user;
    ssize_t got = recv(fd, viewer->seen + viewer->seen_bytes, SEEN_BYTES - 1 - viewer->seen_bytes,
                       MSG_DONTWAIT);
    viewer->ended = got == 0;
    viewer->seen_bytes += got > 0 ? (size_t)got : 0;
    viewer->seen[viewer->seen_bytes] = '\0';
    if (viewer->ended) {
        loop_poll_set(viewer->poll, false, false);
    }
    if (viewer->ended || (viewer->awaited && strstr(viewer->seen, viewer->awaited))) {
        loop_stop(viewer->f->loop);
    }
}

static void await(struct viewer *viewer, const char *text)
{
    viewer->awaited = text;
    while (!viewer->ended && !(text && strstr(viewer->seen, text))) {
        fixture_turn(viewer->f, SIZE_MAX);
    }
    assert_true(text == NULL || strstr(viewer->seen, text));
}

static void viewer_watch(struct viewer *viewer, bool on)
{
    loop_poll_set(viewer->poll, on, false);
}

static struct viewer *viewer_open(struct fixture *f)
{
    static const char request[] = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct error err;
    struct viewer *viewer = calloc(1, sizeof *viewer);
    assert_non_null(viewer);
    viewer->f = f;
    viewer->seen = calloc(1, SEEN_BYTES);
    assert_non_null(viewer->seen);
    viewer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_server_port(f->server))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(viewer->fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(viewer->fd, request, sizeof request - 1, 0), sizeof request - 1);
    assert_int_equal(
        loop_poll_create(f->loop, viewer->fd, on_readable, viewer, &viewer->poll, &err), 0);
    viewer_watch(viewer, true);
    shown = viewer;
    while (!viewer->begun) {
        fixture_turn(f, SIZE_MAX);
    }
    return viewer;
}

static void viewer_leave(struct viewer *viewer)
{
    loop_poll_destroy(viewer->poll);
    viewer->poll = NULL;
    assert_int_equal(close(viewer->fd), 0);
}

static void viewer_free(struct viewer *viewer)
{
    if (viewer->poll) {
        viewer_leave(viewer);
    }
    free(viewer->seen);
    free(viewer);
}

static struct fixture *create(http_handler_fn *handler)
{
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler, NULL, NULL);
    return f;
}

static void write_text(struct viewer *viewer, const char *text)
{
    assert_true(http_stream_write(viewer->stream, text, strlen(text)));
}

static void test_what_is_written_arrives_in_order_while_the_answer_stays_open(void **state)
{
    (void)state;
    struct fixture *f = create(handler_stream);
    struct viewer *viewer = viewer_open(f);
    write_text(viewer, "data: one\n\n");
    await(viewer, "data: one\n\n");
    assert_non_null(strstr(viewer->seen, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(viewer->seen, "Content-Type: text/event-stream\r\n"));
    assert_null(strstr(viewer->seen, "Content-Length"));
    write_text(viewer, "data: two\n\n");
    write_text(viewer, "data: three\n\n");
    await(viewer, "data: three\n\n");
    assert_non_null(strstr(viewer->seen, "data: two\n\ndata: three"));
    assert_false(viewer->ended);
    assert_int_equal(http_stream_pending(viewer->stream), 0);
    http_stream_close(viewer->stream);
    await(viewer, "0\r\n\r\n"); /* the last chunk of RFC 9112 7.1 */
    assert_int_equal(viewer->gone, 0);
    viewer_free(viewer);
    fixture_destroy(f);
}

static void test_what_was_written_before_the_close_still_leaves(void **state)
{
    (void)state;
    struct fixture *f = create(handler_stream);
    struct viewer *viewer = viewer_open(f);
    write_text(viewer, "last words");
    http_stream_close(viewer->stream);
    await(viewer, "0\r\n\r\n");
    assert_non_null(strstr(viewer->seen, "last words\r\n0\r\n\r\n"));
    viewer_free(viewer);
    fixture_destroy(f);
}

static void test_stream_may_begin_after_the_handler_returned(void **state)
{
    (void)state;
    struct fixture *f = create(handler_hold);
    struct viewer viewer = {.f = f};
    shown = &viewer;
    struct http_call *call = fixture_send(f, &(struct http_request){.method = "GET"}, "/later");
    assert_non_null(call);
    fixture_run_until_held(f, 1);
    begin(f->held[0]);
    write_text(&viewer, "late but whole");
    http_stream_close(viewer.stream);
    fixture_run(f, 1);
    assert_string_equal(f->replies[0].body, "late but whole");
    fixture_destroy(f);
}

/* A client that reads nothing: the buffers of both sockets fill, then ours, then a write is refused
 * whole. When it reads again, everything accepted arrives and nothing of what was refused. */
static void test_slow_client_has_a_write_refused_whole_and_nothing_is_torn(void **state)
{
    (void)state;
    struct fixture *f = create(handler_stream);
    struct viewer *viewer = viewer_open(f);
    char block[4096];
    memset(block, 'x', sizeof block);
    viewer_watch(viewer, false);
    size_t accepted = 0;
    while (http_stream_write(viewer->stream, block, sizeof block)) {
        accepted++;
    }
    assert_int_equal(accepted, BUFFER_BYTES / sizeof block);
    assert_int_equal(http_stream_pending(viewer->stream), BUFFER_BYTES);
    assert_false(http_stream_write(viewer->stream, "y", 1));
    assert_int_equal(http_stream_pending(viewer->stream), BUFFER_BYTES);
    viewer_watch(viewer, true);
    while (http_stream_pending(viewer->stream) > 0) {
        viewer->awaited = "x";
        fixture_turn(f, SIZE_MAX);
    }
    write_text(viewer, "z");
    await(viewer, "z");
    const char *body = strstr(viewer->seen, "\r\n\r\n");
    size_t seen = 0;
    for (const char *at = body; *at; at++) {
        seen += *at == 'x';
    }
    assert_int_equal(seen, BUFFER_BYTES);
    assert_null(strchr(body, 'y'));
    http_stream_close(viewer->stream);
    viewer_free(viewer);
    fixture_destroy(f);
}

static void test_client_that_left_is_noticed_by_the_writes_that_follow(void **state)
{
    (void)state;
    struct fixture *f = create(handler_stream_or_text);
    struct viewer *viewer = viewer_open(f);
    write_text(viewer, "data: one\n\n");
    await(viewer, "data: one\n\n");
    viewer_leave(viewer);
    /* The first write finds a closed peer, the next one is told so. */
    for (int i = 0; viewer->gone == 0; i++) {
        assert_true(i < 100);
        (void)http_stream_write(viewer->stream, ": still there\n", 14);
        (void)fixture_get(f, "/other");
    }
    assert_int_equal(viewer->gone, 1);
    viewer_free(viewer);
    fixture_destroy(f);
}

static void test_destroying_the_server_ends_streams_and_says_so(void **state)
{
    (void)state;
    struct fixture *f = create(handler_stream_or_text);
    struct viewer *idle = viewer_open(f);
    struct viewer *full = viewer_open(f);
    struct viewer *closed = viewer_open(f);
    char block[4096] = {0};
    while (http_stream_write(full->stream, block, sizeof block)) {
    }
    http_stream_close(closed->stream);
    http_server_destroy(f->server);
    f->server = NULL;
    assert_int_equal(idle->gone, 1);
    assert_int_equal(full->gone, 1);
    assert_int_equal(closed->gone, 0);
    await(idle, NULL);
    viewer_free(idle);
    viewer_free(full);
    viewer_free(closed);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_arrives_in_order_while_the_answer_stays_open),
        cmocka_unit_test(test_what_was_written_before_the_close_still_leaves),
        cmocka_unit_test(test_stream_may_begin_after_the_handler_returned),
        cmocka_unit_test(test_slow_client_has_a_write_refused_whole_and_nothing_is_torn),
        cmocka_unit_test(test_client_that_left_is_noticed_by_the_writes_that_follow),
        cmocka_unit_test(test_destroying_the_server_ends_streams_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
