/* A WebSocket client against a scripted server on a thread of its own: what a good one says, and
 * what hostile ones do. */
#include "base/keyhash.h"
#include "net/ws_client.h"
#include "net/ws_handshake.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What the server does with its one connection. */
struct server {
    const char *head;  /* instead of a right answer to the handshake, or NULL */
    const char *bytes; /* sent after it */
    size_t size;
    bool hangs_up; /* afterwards; else it reads until the client is gone */
    int listener;
    uint16_t port;
    unsigned char got[4096]; /* after the handshake */
    size_t got_bytes;
};

static void send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
}

static void answer_handshake(const struct server *server, int fd)
{
    char request[4096] = {0};
    char accept_text[WS_ACCEPT_BYTES];
    char answer[512];
    size_t size = 0;
    while (size + 1 < sizeof request && !strstr(request, "\r\n\r\n")) {
        ssize_t got = recv(fd, request + size, sizeof request - 1 - size, 0);
        if (got <= 0) {
            return;
        }
        size += (size_t)got;
    }
    const char *key = strstr(request, "Sec-WebSocket-Key: ");
    char text[WS_KEY_TEXT_BYTES] = {0};
    if (key) {
        memcpy(text, key + 19, sizeof text - 1);
    }
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             ws_handshake_accept(text, accept_text));
    const char *said = server->head ? server->head : answer;
    send_all(fd, said, strlen(said));
}

static void *serve(void *user)
{
    struct server *server = user;
    int fd = accept(server->listener, NULL, NULL);
    struct timeval patience = {.tv_sec = 10};
    if (fd < 0) {
        return NULL;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    answer_handshake(server, fd);
    send_all(fd, server->bytes, server->size);
    while (!server->hangs_up && server->got_bytes < sizeof server->got) {
        ssize_t got =
            recv(fd, server->got + server->got_bytes, sizeof server->got - server->got_bytes, 0);
        if (got <= 0) {
            break;
        }
        server->got_bytes += (size_t)got;
    }
    close(fd);
    return NULL;
}

struct test {
    struct loop *loop;
    struct ws_client *client;
    struct loop_timer *guard;
    bool hung;
    bool opened;
    size_t messages;
    char text[256];    /* of the last message */
    char why[256];     /* "" while it is not closed */
    size_t stop_after; /* messages */
    bool destroy_inside;
};

static void on_open(void *user)
{
    struct test *test = user;
    test->opened = true;
    assert_true(ws_client_send(test->client, "hi", 2));
}

static void on_message(void *user, const char *bytes, size_t size)
{
    struct test *test = user;
    snprintf(test->text, sizeof test->text, "%.*s", (int)size, bytes);
    test->messages++;
    if (test->messages == test->stop_after) {
        if (test->destroy_inside) {
            ws_client_destroy(test->client);
            test->client = NULL;
        }
        loop_stop(test->loop);
    }
}

static void on_closed(void *user, const char *why)
{
    struct test *test = user;
    snprintf(test->why, sizeof test->why, "%s", why);
    ws_client_destroy(test->client);
    test->client = NULL;
    loop_stop(test->loop);
}

static void on_guard(void *user)
{
    struct test *test = user;
    test->hung = true;
    loop_stop(test->loop);
}

static void run(struct test *test, struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    pthread_t thread;
    char url[64];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, 1), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, server), 0);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/feed?a=b", (unsigned)ntohs(address.sin_port));
    const struct ws_client_options options = {.url = url,
                                              .proxy = "",
                                              .connect_ms = 2000,
                                              .message_bytes_max = 1000,
                                              .queue_bytes_max = 1000,
                                              .on_open = on_open,
                                              .on_message = on_message,
                                              .on_closed = on_closed,
                                              .user = test};
    struct error err = {0};
    assert_int_equal(loop_create(&test->loop, &err), 0);
    assert_int_equal(loop_timer_create(test->loop, on_guard, test, &test->guard, &err), 0);
    loop_timer_start(test->guard, 15000, 0);
    assert_int_equal(ws_client_create(&test->client, test->loop, &options, &err), 0);
    loop_run(test->loop);
    ws_client_destroy(test->client);
    pthread_join(thread, NULL);
    close(server->listener);
    loop_timer_destroy(test->guard);
    loop_destroy(test->loop);
    assert_false(test->hung);
}

#define BYTES(text) .bytes = (text), .size = sizeof(text) - 1

/* A frame as the client sent it, its mask undone. */
static size_t unmask(const unsigned char *frame, char *out)
{
    size_t size = frame[1] & 0x7F;
    assert_true((frame[1] & 0x80) != 0 && size < 126);
    for (size_t i = 0; i < size; i++) {
        out[i] = (char)(frame[6 + i] ^ frame[2 + i % 4]);
    }
    out[size] = '\0';
    return 6 + size;
}

static void messages_come_and_pings_are_answered(void **state)
{
    (void)state;
    for (int inside = 0; inside < 2; inside++) {
        struct server server = {BYTES("\x81\x03one\x89\x02hm\x01\x02tw\x80\x01o")};
        struct test test = {.stop_after = 2, .destroy_inside = inside != 0};
        char payload[128];
        run(&test, &server);
        assert_true(test.opened);
        assert_int_equal(test.messages, 2);
        assert_string_equal(test.text, "two");
        assert_string_equal(test.why, "");
        assert_int_equal(server.got[0], 0x81);
        size_t at = unmask(server.got, payload);
        assert_string_equal(payload, "hi");
        assert_int_equal(server.got[at], 0x8A);
        at += unmask(server.got + at, payload);
        assert_string_equal(payload, "hm");
        assert_int_equal(server.got[at], 0x88); /* and it says good-bye */
        at += unmask(server.got + at, payload);
        assert_memory_equal(payload, "\x03\xE9", 2);
        assert_int_equal(at, server.got_bytes);
    }
}

static void whatever_ends_it_is_told_once_and_why(void **state)
{
    (void)state;
    static const struct {
        struct server server;
        const char *why;
        bool opened;
    } rows[] = {
        {{.head = "HTTP/1.1 403 Forbidden\r\n\r\n"}, "status 403", false},
        {{.head = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
         "proves nothing",
         false},
        {{.head = "", .hangs_up = true}, "closed", false},
        {{.head = "HTTP/1.1 101 Switch", .hangs_up = true}, "closed", false},
        {{BYTES("\x88\x02\x03\xE8")}, "closed by the server", true},
        {{BYTES("\x81\x05Hel"), .hangs_up = true}, "closed", true},
        {{BYTES("\x81\x85mask")}, "masked frame", true},
        {{BYTES("\x81\x7E\x03\xE9")}, "more than 1000 bytes", true},
        {{BYTES("\x81\x02\xC3\x28")}, "not valid UTF-8", true},
        {{BYTES("\xFF\xFF\xFF\xFF")}, "reserved bits", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct server server = rows[i].server;
        struct test test = {0};
        if (!server.bytes) {
            server.bytes = "";
        }
        run(&test, &server);
        if (!strstr(test.why, rows[i].why) || test.opened != rows[i].opened) {
            fail_msg("row %zu: '%s'", i, test.why);
        }
        assert_int_equal(test.messages, 0);
    }
}

static void silence_in_the_handshake_has_an_end(void **state)
{
    (void)state;
    struct server server = {.head = "HTTP/1.1 101 ", .bytes = ""};
    struct test test = {0};
    run(&test, &server);
    assert_non_null(strstr(test.why, "time for connecting"));
}

static void nobody_there_is_told_too(void **state)
{
    (void)state;
    struct test test = {0};
    struct error err = {0};
    struct ws_client_options options = {.url = "ws://127.0.0.1:1/",
                                        .proxy = "",
                                        .connect_ms = 2000,
                                        .message_bytes_max = 1000,
                                        .queue_bytes_max = 1000,
                                        .on_open = on_open,
                                        .on_message = on_message,
                                        .on_closed = on_closed,
                                        .user = &test};
    assert_int_equal(loop_create(&test.loop, &err), 0);
    assert_int_equal(ws_client_create(&test.client, test.loop, &options, &err), 0);
    assert_false(ws_client_send(test.client, "too early", 9));
    loop_run(test.loop);
    assert_true(test.why[0] != '\0');
    static const char *const bad[] = {"http://a/", "wss://", "ws://user@host/", "ws://host/#x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.url = bad[i];
        assert_int_equal(ws_client_create(&test.client, test.loop, &options, &err), ERROR_CONFIG);
        assert_null(test.client);
    }
    loop_destroy(test.loop);
}

static int start_library(void **state)
{
    (void)state;
    return keyhash_library_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_and_pings_are_answered),
        cmocka_unit_test(whatever_ends_it_is_told_once_and_why),
        cmocka_unit_test(silence_in_the_handshake_has_an_end),
        cmocka_unit_test(nobody_there_is_told_too),
    };
    return cmocka_run_group_tests(tests, start_library, NULL);
}
