/* WebSocket frames: the standard's examples (RFC 6455 section 5.7), and what a hostile server may
 * send. */
#include "net/ws_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MESSAGE_MAX = 1000 };

struct expected {
    enum ws_opcode opcode;
    const char *bytes;
    size_t size;
};

/* Feeds the bytes in pieces of `step`; returns the error's code once there is one. */
static int read_all(const void *bytes, size_t size, size_t step, const struct expected *expected,
                    size_t count)
{
    struct ws_reader reader;
    size_t seen = 0;
    ws_reader_init(&reader, MESSAGE_MAX);
    for (size_t at = 0; at < size; at += step) {
        struct ws_event event;
        bool has_event = true;
        size_t piece = size - at < step ? size - at : step;
        assert_true(ws_reader_feed(&reader, (const char *)bytes + at, piece));
        while (has_event) {
            struct error err = {0};
            int result = ws_reader_next(&reader, &event, &has_event, &err);
            if (result) {
                assert_true(err.message[0] != '\0');
                ws_reader_done(&reader);
                return result;
            }
            if (has_event) {
                assert_true(seen < count);
                assert_int_equal(event.opcode, expected[seen].opcode);
                assert_int_equal(event.size, expected[seen].size);
                assert_memory_equal(event.bytes, expected[seen].bytes, event.size);
                seen++;
            }
        }
    }
    assert_int_equal(seen, count);
    ws_reader_done(&reader);
    return 0;
}

static void examples_of_the_standard_are_read(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {
        0x81, 0x05, 'H',  'e',  'l',  'l',  'o', /* one text */
        0x01, 0x03, 'H',  'e',  'l',             /* in two pieces, with a ping between them */
        0x89, 0x05, 'H',  'e',  'l',  'l',  'o',  0x80, 0x02, 'l',
        'o',  0x8A, 0x00, 0x81, 0x00, 0x88, 0x02, 0x03, 0xE8,
    };
    static const struct expected expected[] = {
        {WS_OPCODE_TEXT, "Hello", 5}, {WS_OPCODE_PING, "Hello", 5},
        {WS_OPCODE_TEXT, "Hello", 5}, {WS_OPCODE_PONG, "", 0},
        {WS_OPCODE_TEXT, "", 0},      {WS_OPCODE_CLOSE, "\x03\xE8", 2},
    };
    for (size_t step = 1; step <= sizeof bytes; step++) {
        assert_int_equal(read_all(bytes, sizeof bytes, step, expected, 6), 0);
    }
}

static void long_messages_are_read_up_to_the_bound(void **state)
{
    (void)state;
    static unsigned char frame[4 + MESSAGE_MAX + 1] = {0x82, 126, 0x03, 0xE8};
    const struct expected expected = {WS_OPCODE_BINARY, (const char *)frame + 4, MESSAGE_MAX};
    assert_int_equal(read_all(frame, 4 + MESSAGE_MAX, 100, &expected, 1), 0);
    frame[3]++; /* 1001 bytes */
    assert_int_equal(read_all(frame, 4, 4, NULL, 0), ERROR_LIMIT);
    static const unsigned char huge[] = {0x81, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    assert_int_equal(read_all(huge, sizeof huge, 10, NULL, 0), ERROR_LIMIT);
    /* fragments that are fine alone and too much together */
    static unsigned char pieces[2 * (4 + 600)] = {0x01, 126, 0x02, 0x58};
    memset(pieces + 4, 'x', 600);
    memcpy(pieces + 604, "\x80\x7E\x02\x58", 4);
    memset(pieces + 608, 'x', 600);
    assert_int_equal(read_all(pieces, sizeof pieces, 7, NULL, 0), ERROR_LIMIT);
}

static void what_breaks_the_protocol_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {
        {"\xC1\x00", 2},                      /* reserved bits */
        {"\xA1\x00", 2},                      /* the same */
        {"\x91\x00", 2},                      /* the same */
        {"\x83\x00", 2},                      /* unknown kinds */
        {"\x8B\x00", 2},                      /* the same */
        {"\x81\x85", 2},                      /* masked */
        {"\x09\x00", 2},                      /* a ping in pieces */
        {"\x89\x7E\x00\x7E", 4},              /* a long ping */
        {"\x80\x00", 2},                      /* continues nothing */
        {"\x01\x01x\x01\x01y", 6},            /* a second message inside the first */
        {"\x01\x01x\x81\x01y", 6},            /* the same */
        {"\x81\x7E\x00\x05Hello", 9},         /* 5 written as two bytes */
        {"\x81\x7F\0\0\0\0\0\0\x01\x00", 10}, /* 256 written as eight */
        {"\x81\x02\xC3\x28", 4},              /* no UTF-8 */
        {"\x01\x01\xC3\x80\x01\x28", 6},      /* the same across a border */
        {"\x88\x01\x03", 3},                  /* half a close code */
        {"\x88\x02\x03\xED", 4},              /* 1005 never travels */
        {"\x88\x02\x00\x00", 4},              /* code 0 */
        {"\x88\x03\x03\xE8\xFF", 5},          /* a reason that is no text */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int result = read_all(rows[i].bytes, rows[i].size, rows[i].size, NULL, 0);
        if (result != ERROR_FORMAT) {
            fail_msg("row %zu gives %d", i, result);
        }
    }
}

static void code_point_across_fragments_is_one(void **state)
{
    (void)state;
    static const struct expected expected = {WS_OPCODE_TEXT, "\xC3\xA9", 2};
    assert_int_equal(read_all("\x01\x01\xC3\x80\x01\xA9", 6, 6, &expected, 1), 0);
}

/* The standard's masked example: "Hello" under 37 fa 21 3d. */
static void frames_are_written_masked(void **state)
{
    (void)state;
    static const unsigned char mask[] = {0x37, 0xFA, 0x21, 0x3D};
    static const unsigned char hello[] = {0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D,
                                          0x7F, 0x9F, 0x4D, 0x51, 0x58};
    static const struct {
        size_t size;
        const char *header;
        size_t header_bytes;
    } rows[] = {{125, "\x82\xFD", 2},
                {126, "\x82\xFE\x00\x7E", 4},
                {65535, "\x82\xFE\xFF\xFF", 4},
                {65536, "\x82\xFF\x00\x00\x00\x00\x00\x01\x00\x00", 10}};
    struct buf out;
    char *payload = calloc(1, 65536);
    buf_init(&out, 70000);
    assert_true(ws_frame_write(&out, WS_OPCODE_TEXT, "Hello", 5, mask));
    assert_int_equal(out.size, sizeof hello);
    assert_memory_equal(out.bytes, hello, sizeof hello);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_clear(&out);
        assert_true(ws_frame_write(&out, WS_OPCODE_BINARY, payload, rows[i].size, mask));
        assert_int_equal(out.size, rows[i].header_bytes + 4 + rows[i].size);
        assert_memory_equal(out.bytes, rows[i].header, rows[i].header_bytes);
        assert_memory_equal(out.bytes + rows[i].header_bytes, mask, 4);
        assert_memory_equal(out.bytes + rows[i].header_bytes + 4, mask, 4); /* zeros under it */
    }
    assert_false(ws_frame_write(&out, WS_OPCODE_BINARY, payload, 65536, mask)); /* no room */
    free(payload);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standard_are_read),
        cmocka_unit_test(long_messages_are_read_up_to_the_bound),
        cmocka_unit_test(what_breaks_the_protocol_is_refused),
        cmocka_unit_test(code_point_across_fragments_is_one),
        cmocka_unit_test(frames_are_written_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
