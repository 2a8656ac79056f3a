/* net/ws_frame.h - WebSocket frames, as a client reads and writes them (RFC 6455 section 5). Pure.
 *
 * The other side is not trusted: lengths are checked before anything is waited for, fragments are
 * put together up to a bound, and what breaks the protocol is an error after which the connection
 * can only be closed.
 */
#ifndef NET_WS_FRAME_H
#define NET_WS_FRAME_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum ws_opcode {
    WS_OPCODE_CONTINUATION = 0,
    WS_OPCODE_TEXT = 1,
    WS_OPCODE_BINARY = 2,
    WS_OPCODE_CLOSE = 8,
    WS_OPCODE_PING = 9,
    WS_OPCODE_PONG = 10,
};

enum { WS_CONTROL_BYTES_MAX = 125, WS_MASK_BYTES = 4, WS_HEADER_BYTES_MAX = 14 };

/* A whole message, or a control frame. Text is valid UTF-8. */
struct ws_event {
    enum ws_opcode opcode; /* never a continuation */
    const char *bytes;     /* borrowed until the next call with this reader */
    size_t size;
};

struct ws_reader {
    struct buf input;   /* what was not looked at yet */
    struct buf message; /* the fragments of the message that is under way */
    size_t taken;       /* of the input, by the last event */
    enum ws_opcode message_opcode;
    bool in_message;
    bool message_given; /* `message` was the last event's */
};

/* For messages of at most message_bytes_max; what is fed at once may be 64 KiB more. */
void ws_reader_init(struct ws_reader *reader, size_t message_bytes_max);

/* Accepts a zeroed reader. */
void ws_reader_done(struct ws_reader *reader);

/* False without memory, or when more comes than the reader was asked to give away. */
bool ws_reader_feed(struct ws_reader *reader, const void *bytes, size_t size);

/* The next event, or none (*has_event false) until more is fed. ERROR_FORMAT where the protocol is
 * broken, ERROR_LIMIT for a message over the bound, ERROR_MEMORY. */
int ws_reader_next(struct ws_reader *reader, struct ws_event *event, bool *has_event,
                   struct error *err);

/* Appends one whole frame under `mask`, which must be new random bytes for each (section 5.3).
 * False at the limit of `out`. */
bool ws_frame_write(struct buf *out, enum ws_opcode opcode, const void *bytes, size_t size,
                    const unsigned char mask[WS_MASK_BYTES]);

#endif
