/* Any bytes as a saved call: head, then pages. What is accepted is a call that can be gone on with,
 * and saved and restored once more to the same bytes.
 */
#include "tests/fuzz/fuzz.h"

#include "mood/call_save.h"

#include <string.h>

enum { PAGES = 4 };

static const struct call_now now = {.mono = {5000000}, .vendor_ms = 1765000100000};

static void hear(struct call *call)
{
    static const struct segment segment = {
        .start_ms = 1765000090000,
        .end_ms = 1765000092000,
        .speaker = SPEAKER_CUSTOMER,
        .is_final = true,
        .text = "words",
        .text_bytes = 5,
    };
    struct call_effects effects;
    call_effects_init(&effects);
    const struct call_event events[] = {
        {.kind = CALL_EVENT_TICK},
        {.kind = CALL_EVENT_REPLY, .segments = &segment, .segment_count = 1},
        {.kind = CALL_EVENT_MASKED, .at_ms = 1765000091000},
        {.kind = CALL_EVENT_ENDED},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        fuzz_require(call_step(call, now, &events[i], &effects));
    }
    call_effects_done(&effects);
}

/* The first two bytes say how long the head is; the rest is cut into pages. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct mood_policy policy;
    struct call_page pages[PAGES];
    size_t count = 0;
    mood_policy_default(&policy);
    if (size < 2) {
        return 0;
    }
    size_t head_bytes = (size_t)bytes[0] | (size_t)bytes[1] << 8;
    bytes += 2;
    size -= 2;
    head_bytes = head_bytes < size ? head_bytes : size;
    for (size_t at = head_bytes; at < size && count < PAGES; at += CALL_PAGE_BYTES_MAX) {
        size_t left = size - at;
        pages[count] = (struct call_page){
            .number = (uint32_t)count,
            .bytes = bytes + at,
            .size = left < CALL_PAGE_BYTES_MAX ? left : CALL_PAGE_BYTES_MAX,
        };
        count++;
    }
    struct call *call = call_restore(&policy, now, bytes, head_bytes, pages, count, NULL);
    if (call) {
        struct buf first;
        struct buf second;
        buf_init(&first, 4096);
        buf_init(&second, 4096);
        call_save_head(call, now, &first);
        struct call *again =
            call_restore(&policy, now, first.bytes, first.size, pages, count, NULL);
        fuzz_require(again != NULL);
        call_save_head(again, now, &second);
        fuzz_require(first.size == second.size &&
                     memcmp(first.bytes, second.bytes, first.size) == 0);
        buf_done(&first);
        buf_done(&second);
        hear(again);
        call_destroy(again);
        call_destroy(call);
    }
    return 0;
}
