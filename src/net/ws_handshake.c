/* ws_handshake.c - see ws_handshake.h.
 *
 * The answer to the key is SHA-1 by the standard's order. It proves only that the other side speaks
 * WebSocket and is no cache or other server, so SHA-1's weakness does not matter; libsodium has
 * none, and forty lines are less than another library. */
#include "net/ws_handshake.h"

#include "base/base64.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { SHA1_BYTES = 20, SHA1_BLOCK = 64, HEAD_BYTES_MAX = 16 * 1024 };

/* ---- SHA-1 (FIPS 180-4) of a short text ---- */

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

static void sha1_block(uint32_t state[5], const unsigned char block[SHA1_BLOCK])
{
    static const uint32_t constants[] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    uint32_t w[80];
    for (int i = 0; i < 16; i++) {
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (int i = 16; i < 80; i++) {
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? (b & c) | (~b & d)
                     : i < 40 ? b ^ c ^ d
                     : i < 60 ? (b & c) | (b & d) | (c & d)
                              : b ^ c ^ d;
        uint32_t next = rotate(a, 5) + f + e + constants[i / 20] + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

/* Two blocks are enough for a key and the standard's constant: 60 bytes. */
static void sha1_short(const char *text, size_t size, unsigned char out[SHA1_BYTES])
{
    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    unsigned char blocks[2 * SHA1_BLOCK] = {0};
    size_t total = size + 9 <= SHA1_BLOCK ? SHA1_BLOCK : 2 * SHA1_BLOCK;
    memcpy(blocks, text, size);
    blocks[size] = 0x80;
    blocks[total - 2] = (unsigned char)(size * 8 >> 8);
    blocks[total - 1] = (unsigned char)(size * 8);
    for (size_t at = 0; at < total; at += SHA1_BLOCK) {
        sha1_block(state, blocks + at);
    }
    for (size_t i = 0; i < SHA1_BYTES; i++) {
        out[i] = (unsigned char)(state[i / 4] >> (24 - 8 * (i % 4)));
    }
}

/* ---- key and answer ---- */

/* `room` counts the NUL. */
static const char *encode(const unsigned char *bytes, size_t size, char *out, size_t room)
{
    struct buf text;
    buf_init(&text, room - 1);
    (void)base64_encode(&text, bytes, size);
    memcpy(out, buf_string(&text), text.size + 1);
    buf_done(&text);
    return out;
}

const char *ws_handshake_key(const unsigned char random[WS_KEY_BYTES], char out[WS_KEY_TEXT_BYTES])
{
    return encode(random, WS_KEY_BYTES, out, WS_KEY_TEXT_BYTES);
}

const char *ws_handshake_accept(const char *key, char out[WS_ACCEPT_BYTES])
{
    static const char constant[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[WS_KEY_TEXT_BYTES + sizeof constant];
    unsigned char hash[SHA1_BYTES];
    size_t key_bytes = strnlen(key, WS_KEY_TEXT_BYTES - 1);
    memcpy(text, key, key_bytes);
    memcpy(text + key_bytes, constant, sizeof constant);
    sha1_short(text, key_bytes + sizeof constant - 1, hash);
    return encode(hash, sizeof hash, out, WS_ACCEPT_BYTES);
}

/* ---- the request ---- */

static bool is_one_line(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7F) {
            return false;
        }
    }
    return true;
}

bool ws_handshake_write(const struct ws_handshake *handshake, struct buf *out)
{
    bool fine = is_one_line(handshake->host) && is_one_line(handshake->target) &&
                !strchr(handshake->target, ' ');
    buf_printf(out,
               "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n",
               handshake->target, handshake->host, handshake->key);
    for (size_t i = 0; i < handshake->header_count && fine; i++) {
        fine = is_one_line(handshake->headers[i].name) && is_one_line(handshake->headers[i].value);
        buf_printf(out, "%s: %s\r\n", handshake->headers[i].name, handshake->headers[i].value);
    }
    return fine && buf_append_string(out, "\r\n");
}

/* ---- the response ---- */

/* The value of a header between `head` and `end`; its length in *size. NULL if it is absent. */
static const char *find_header(const char *head, const char *end, const char *name, size_t *size)
{
    size_t name_bytes = strlen(name);
    const char *line = head;
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (!stop) {
            return NULL;
        }
        if ((size_t)(stop - line) > name_bytes && line[name_bytes] == ':' &&
            strncasecmp(line, name, name_bytes) == 0) {
            const char *value = line + name_bytes + 1;
            while (value < stop && (*value == ' ' || *value == '\t')) {
                value++;
            }
            while (stop > value && (stop[-1] == '\r' || stop[-1] == ' ' || stop[-1] == '\t')) {
                stop--;
            }
            *size = (size_t)(stop - value);
            return value;
        }
        line = stop + 1;
    }
    return NULL;
}

static bool header_is(const char *head, const char *end, const char *name, const char *wanted,
                      bool any_case)
{
    size_t size = 0;
    const char *value = find_header(head, end, name, &size);
    size_t bytes = strlen(wanted);
    return value && size == bytes &&
           (any_case ? strncasecmp(value, wanted, bytes) : strncmp(value, wanted, bytes)) == 0;
}

/* "keep-alive, Upgrade" */
static bool connection_upgrades(const char *head, const char *end)
{
    size_t size = 0;
    const char *value = find_header(head, end, "Connection", &size);
    for (size_t i = 0; value && i + 7 <= size; i++) {
        if (strncasecmp(value + i, "upgrade", 7) == 0) {
            return true;
        }
    }
    return false;
}

static int check_head(const char *head, const char *end, const char *key, struct error *err)
{
    char accept[WS_ACCEPT_BYTES];
    size_t size;
    if (end - head < 12 || strncmp(head, "HTTP/1.", 7) != 0) {
        return error_set(err, ERROR_FORMAT, "the answer to the handshake is not HTTP/1.1");
    }
    if (strncmp(head + 8, " 101", 4) != 0) {
        return error_set(err, ERROR_NETWORK, "the handshake is answered with status%.4s", head + 8);
    }
    if (!header_is(head, end, "Upgrade", "websocket", true) || !connection_upgrades(head, end)) {
        return error_set(err, ERROR_FORMAT, "the answer to the handshake does not upgrade");
    }
    if (!header_is(head, end, "Sec-WebSocket-Accept", ws_handshake_accept(key, accept), false)) {
        return error_set(err, ERROR_FORMAT, "the answer to the handshake proves nothing");
    }
    if (find_header(head, end, "Sec-WebSocket-Extensions", &size) ||
        find_header(head, end, "Sec-WebSocket-Protocol", &size)) {
        return error_set(err, ERROR_FORMAT,
                         "the server wants an extension or protocol that was not offered");
    }
    return 0;
}

int ws_handshake_check(const char *bytes, size_t size, const char *key, size_t *head_bytes,
                       struct error *err)
{
    *head_bytes = 0;
    for (size_t i = 3; i < size; i++) {
        if (memcmp(bytes + i - 3, "\r\n\r\n", 4) == 0) {
            *head_bytes = i + 1;
            return check_head(bytes, bytes + i + 1, key, err);
        }
    }
    return size > HEAD_BYTES_MAX
               ? error_set(err, ERROR_LIMIT, "the answer to the handshake does not end")
               : 0;
}
