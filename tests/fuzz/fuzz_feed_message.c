/* Any bytes as a message of the transcript socket. */
#include "tests/fuzz/fuzz.h"

#include "cxone/feed_message.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct feed_message message;
    struct error err = {0};
    if (feed_message_parse((const char *)bytes, size, &message, &err)) {
        fuzz_require(err.message[0] != '\0');
        return 0;
    }
    fuzz_require(strnlen(message.contact_id, sizeof message.contact_id) <= CXONE_ID_BYTES_MAX);
    if (message.kind == FEED_MESSAGE_SEGMENT) {
        fuzz_require(message.contact_id[0] != '\0');
        fuzz_require(message.segment.text && message.segment.start_ms >= 0 &&
                     message.segment.start_ms <= message.segment.end_ms);
    }
    feed_message_done(&message);
    return 0;
}
