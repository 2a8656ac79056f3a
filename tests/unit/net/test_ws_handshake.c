/* Opening a WebSocket: the standard's example (RFC 6455 section 1.3), two more by Python's hashlib,
 * and answers that are none. */
#include "net/ws_handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";

#define GOOD                                                     \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n" \
    "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: "  \
    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

static void keys_and_answers_belong_together(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
        {"AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="},
        {"/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="},
    };
    char out[WS_ACCEPT_BYTES];
    char text[WS_KEY_TEXT_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(ws_handshake_accept(rows[i][0], out), rows[i][1]);
    }
    assert_string_equal(ws_handshake_key((const unsigned char *)"the sample nonce", text), key);
}

static void request_is_what_the_standard_asks_for(void **state)
{
    (void)state;
    const struct http_header header = {"X-One", "two"};
    struct ws_handshake handshake = {.host = "server.example.com:81",
                                     .target = "/chat?a=b",
                                     .key = key,
                                     .headers = &header,
                                     .header_count = 1};
    struct buf out;
    buf_init(&out, 1000);
    assert_true(ws_handshake_write(&handshake, &out));
    assert_string_equal(buf_string(&out),
                        "GET /chat?a=b HTTP/1.1\r\nHost: server.example.com:81\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\nX-One: two\r\n\r\n");
    handshake.target = "/a b";
    assert_false(ws_handshake_write(&handshake, &out));
    handshake.target = "/a\r\nEvil: 1";
    assert_false(ws_handshake_write(&handshake, &out));
    buf_done(&out);
}

static void good_answer_is_taken_when_it_is_whole(void **state)
{
    (void)state;
    static const char answer[] = GOOD "X: y\r\n\r\n\x81\x00";
    size_t whole = sizeof answer - 1 - 2;
    for (size_t size = 0; size < sizeof answer; size++) {
        size_t head_bytes = 99;
        assert_int_equal(ws_handshake_check(answer, size, key, &head_bytes, NULL), 0);
        assert_int_equal(head_bytes, size < whole ? 0 : whole);
    }
}

static void other_answers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        int code;
        const char *said;
    } rows[] = {
        {"HTTP/1.1 403 Forbidden\r\n\r\n", ERROR_NETWORK, "status 403"},
        {"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", ERROR_NETWORK, "status 301"},
        {"HTTP/2 101 x\r\n\r\n", ERROR_FORMAT, "not HTTP/1.1"},
        {"220 ready\r\n\r\n", ERROR_FORMAT, "not HTTP/1.1"},
        {"HTTP/1.1 101 x\r\nConnection: Upgrade\r\n\r\n", ERROR_FORMAT, "does not upgrade"},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n", ERROR_FORMAT,
         "does not upgrade"},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", ERROR_FORMAT,
         "proves nothing"},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
         ERROR_FORMAT, "proves nothing"},
        {GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", ERROR_FORMAT, "extension"},
        {GOOD "Sec-WebSocket-Protocol: chat\r\n\r\n", ERROR_FORMAT, "protocol"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error err = {0};
        size_t head_bytes;
        assert_int_equal(
            ws_handshake_check(rows[i].answer, strlen(rows[i].answer), key, &head_bytes, &err),
            rows[i].code);
        if (!strstr(err.message, rows[i].said)) {
            fail_msg("row %zu: %s", i, err.message);
        }
    }
    static char endless[20000];
    size_t head_bytes;
    memset(endless, 'x', sizeof endless);
    assert_int_equal(ws_handshake_check(endless, sizeof endless, key, &head_bytes, NULL),
                     ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_answers_belong_together),
        cmocka_unit_test(request_is_what_the_standard_asks_for),
        cmocka_unit_test(good_answer_is_taken_when_it_is_whole),
        cmocka_unit_test(other_answers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
