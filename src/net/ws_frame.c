/* ws_frame.c - see ws_frame.h. No extension is ever agreed on, so the reserved bits are zero. */
#include "net/ws_frame.h"

#include "base/utf8.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

enum { FEED_BYTES_MAX = 64 * 1024 };

void ws_reader_init(struct ws_reader *reader, size_t message_bytes_max)
{
    *reader = (struct ws_reader){0};
    buf_init(&reader->input, message_bytes_max + WS_HEADER_BYTES_MAX + FEED_BYTES_MAX);
    buf_init(&reader->message, message_bytes_max);
}

void ws_reader_done(struct ws_reader *reader)
{
    buf_done(&reader->input);
    buf_done(&reader->message);
}

bool ws_reader_feed(struct ws_reader *reader, const void *bytes, size_t size)
{
    return buf_append(&reader->input, bytes, size);
}

struct header {
    bool is_final;
    enum ws_opcode opcode;
    size_t header_bytes;
    size_t size; /* of the payload */
};

static bool is_control(enum ws_opcode opcode)
{
    return opcode >= WS_OPCODE_CLOSE;
}

static bool is_known(unsigned opcode)
{
    return opcode <= WS_OPCODE_BINARY || (opcode >= WS_OPCODE_CLOSE && opcode <= WS_OPCODE_PONG);
}

static uint64_t read_length(const unsigned char *bytes, size_t count)
{
    uint64_t length = 0;
    for (size_t i = 0; i < count; i++) {
        length = length << 8 | bytes[i];
    }
    return length;
}

/* Rules that hold whatever the length is. */
static int check_bits(const unsigned char *bytes, struct error *err)
{
    unsigned opcode = bytes[0] & 15u;
    bool is_final = (bytes[0] & 0x80) != 0;
    if ((bytes[0] & 0x70) != 0) {
        return error_set(err, ERROR_FORMAT, "a frame with reserved bits, which nobody agreed on");
    }
    if (!is_known(opcode)) {
        return error_set(err, ERROR_FORMAT, "a frame of an unknown kind (%u)", opcode);
    }
    if ((bytes[1] & 0x80) != 0) {
        return error_set(err, ERROR_FORMAT, "a masked frame, which a server must not send");
    }
    if (is_control((enum ws_opcode)opcode) && (!is_final || (bytes[1] & 0x7F) > 125)) {
        return error_set(err, ERROR_FORMAT, "a control frame in pieces or of more than 125 bytes");
    }
    return 0;
}

/* *whole is false while more is needed to know. */
static int read_header(const struct ws_reader *reader, struct header *header, bool *whole,
                       struct error *err)
{
    const unsigned char *bytes = (const unsigned char *)reader->input.bytes;
    size_t size = reader->input.size;
    *whole = false;
    if (size < 2) {
        return 0;
    }
    int result = check_bits(bytes, err);
    if (result) {
        return result;
    }
    unsigned short_length = bytes[1] & 0x7F;
    size_t more = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
    if (size < 2 + more) {
        return 0;
    }
    uint64_t length = more > 0 ? read_length(bytes + 2, more) : short_length;
    if ((more == 2 && length < 126) || (more == 8 && length < 65536)) {
        return error_set(err, ERROR_FORMAT,
                         "a frame whose length is not written as short as can be");
    }
    if (length > reader->message.limit) {
        return error_set(err, ERROR_LIMIT, "a frame of more than %zu bytes", reader->message.limit);
    }
    *header = (struct header){
        .is_final = (bytes[0] & 0x80) != 0,
        .opcode = (enum ws_opcode)(bytes[0] & 15),
        .header_bytes = 2 + more,
        .size = (size_t)length,
    };
    *whole = size - header->header_bytes >= header->size;
    return 0;
}

/* Section 7.4: codes that may travel. */
static bool is_close_code(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static int check_close(const char *bytes, size_t size, struct error *err)
{
    bool fine = size == 0;
    if (size >= 2) {
        unsigned code = (unsigned)read_length((const unsigned char *)bytes, 2);
        fine = is_close_code(code) && utf8_is_valid(bytes + 2, size - 2);
    }
    return fine ? 0 : error_set(err, ERROR_FORMAT, "a close frame without a proper code or reason");
}

static int take_control(const struct header *header, const char *payload, struct ws_event *event,
                        struct error *err)
{
    *event = (struct ws_event){header->opcode, payload, header->size};
    return header->opcode == WS_OPCODE_CLOSE ? check_close(payload, header->size, err) : 0;
}

static int take_fragment(struct ws_reader *reader, const struct header *header, const char *payload,
                         struct error *err)
{
    bool continues = header->opcode == WS_OPCODE_CONTINUATION;
    if (continues != reader->in_message) {
        return error_set(err, ERROR_FORMAT,
                         continues ? "a continuation of nothing"
                                   : "a new message before the last one has ended");
    }
    if (!continues) {
        reader->message_opcode = header->opcode;
    }
    if (!buf_append(&reader->message, payload, header->size)) {
        return error_set(err, ERROR_LIMIT, "a message of more than %zu bytes, or no memory for it",
                         reader->message.limit);
    }
    reader->in_message = !header->is_final;
    return 0;
}

static int give_message(struct ws_reader *reader, struct ws_event *event, struct error *err)
{
    const char *bytes = buf_string(&reader->message);
    *event = (struct ws_event){reader->message_opcode, bytes, reader->message.size};
    reader->message_given = true;
    if (event->opcode == WS_OPCODE_TEXT && !utf8_is_valid(bytes, event->size)) {
        return error_set(err, ERROR_FORMAT, "a text message that is not valid UTF-8");
    }
    return 0;
}

/* What the last event borrowed is given up. */
static void forget_last(struct ws_reader *reader)
{
    if (reader->taken > 0) {
        buf_consume(&reader->input, reader->taken);
        reader->taken = 0;
    }
    if (reader->message_given) {
        buf_clear(&reader->message);
        reader->message_given = false;
    }
}

int ws_reader_next(struct ws_reader *reader, struct ws_event *event, bool *has_event,
                   struct error *err)
{
    *has_event = false;
    for (;;) {
        struct header header = {0};
        bool whole;
        forget_last(reader);
        int result = read_header(reader, &header, &whole, err);
        if (result || !whole) {
            return result;
        }
        const char *payload = reader->input.bytes + header.header_bytes;
        reader->taken = header.header_bytes + header.size;
        if (is_control(header.opcode)) {
            *has_event = true;
            return take_control(&header, payload, event, err);
        }
        result = take_fragment(reader, &header, payload, err);
        if (result) {
            return result;
        }
        if (header.is_final) {
            *has_event = true;
            return give_message(reader, event, err);
        }
    }
}

bool ws_frame_write(struct buf *out, enum ws_opcode opcode, const void *bytes, size_t size,
                    const unsigned char mask[WS_MASK_BYTES])
{
    unsigned char header[WS_HEADER_BYTES_MAX] = {(unsigned char)(0x80u | (unsigned)opcode)};
    size_t more = size < 126 ? 0 : size < 65536 ? 2 : 8;
    uint64_t length = size;
    header[1] = (unsigned char)(0x80u | (more == 0 ? size : more == 2 ? 126 : 127));
    for (size_t i = 0; i < more; i++) {
        header[1 + more - i] = (unsigned char)(length >> (8 * i));
    }
    memcpy(header + 2 + more, mask, WS_MASK_BYTES);
    size_t header_bytes = 2 + more + WS_MASK_BYTES;
    if (size > SIZE_MAX - header_bytes || !buf_reserve(out, header_bytes + size)) {
        out->failed = true;
        return false;
    }
    (void)buf_append(out, header, header_bytes);
    const unsigned char *from = bytes;
    for (size_t i = 0; i < size; i++) {
        (void)buf_append_char(out, (char)(from[i] ^ mask[i % WS_MASK_BYTES]));
    }
    return !out->failed;
}
