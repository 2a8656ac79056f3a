/* Any bytes as what a server sends over a WebSocket, in pieces as the first byte says: events lie
 * inside bounds, text is text, and an error has words. */
#include "tests/fuzz/fuzz.h"

#include "base/utf8.h"
#include "net/ws_frame.h"

enum { MESSAGE_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ws_reader reader;
    size_t step = size > 0 ? bytes[0] + 1u : 1;
    int result = 0;
    ws_reader_init(&reader, MESSAGE_MAX);
    for (size_t at = 1; at < size && !result; at += step) {
        struct ws_event event;
        struct error err = {0};
        bool has_event = true;
        fuzz_require(ws_reader_feed(&reader, bytes + at, size - at < step ? size - at : step));
        while (has_event && !result) {
            result = ws_reader_next(&reader, &event, &has_event, &err);
            fuzz_require(!result || err.message[0] != '\0');
            if (!result && has_event) {
                fuzz_require(event.size <= MESSAGE_MAX);
                fuzz_require(event.opcode != WS_OPCODE_TEXT ||
                             utf8_is_valid(event.bytes, event.size));
                fuzz_require(event.opcode < WS_OPCODE_CLOSE || event.size <= WS_CONTROL_BYTES_MAX);
            }
        }
    }
    ws_reader_done(&reader);
    return 0;
}
