/* Any bytes as a post to the webhook. */
#include "tests/fuzz/fuzz.h"

#include "cxone/contact_event.h"

#include <string.h>

static const struct contact_event_map map = {
    .kind = {{"/event", "/data/event"}},
    .event_id = {{"/eventId"}},
    .contact_id = {{"/interactionId", "/data/contactId"}},
    .contact_master = {{"/masterInteractionId"}},
    .started = {"contact-started"},
    .ended = {"contact-ended"},
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct contact_event event;
    struct error err = {0};
    if (contact_event_parse(&map, (const char *)bytes, size, &event, &err)) {
        fuzz_require(err.message[0] != '\0');
        return 0;
    }
    fuzz_require((event.kind == CONTACT_EVENT_OTHER) == (event.interaction_id[0] == '\0'));
    fuzz_require(strnlen(event.interaction_id, sizeof event.interaction_id) <= CXONE_ID_BYTES_MAX);
    fuzz_require(strnlen(event.master_id, sizeof event.master_id) <= CXONE_ID_BYTES_MAX);
    fuzz_require(strnlen(event.event_id, sizeof event.event_id) <= CXONE_ID_BYTES_MAX);
    return 0;
}
