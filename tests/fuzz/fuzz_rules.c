/* Any bytes as a rules file; what is accepted judges a short call, before and after it was saved,
 * and fills in its messages.
 */
#include "tests/fuzz/fuzz.h"

#include "cues/cues.h"

#include <string.h>

static const unsigned char key[KEYHASH_SHORT_KEY_BYTES] = "fuzz";
static const char words[] = "I want a supervisor, this is the third time I call: 42!";

static void hear(struct cues_state *state, struct cues_rules *rules, int64_t at_ms)
{
    const struct cues_utterance utterance = {
        .begin_ms = at_ms - 2000,
        .end_ms = at_ms,
        .speaker = at_ms % 4000 ? CUES_CUSTOMER : CUES_AGENT,
        .text = words,
        .text_bytes = sizeof words - 1,
    };
    const struct cues_event events[] = {
        {.kind = CUES_REPLY, .utterances = &utterance, .count = 1, .now_ms = at_ms},
        {.kind = CUES_TICK, .now_ms = at_ms + 30000},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct cues_firings firings = {0};
        fuzz_require(cues_step(state, rules, &events[i], &firings));
        for (size_t j = 0; j < firings.count; j++) {
            struct buf text;
            buf_init(&text, 1 << 16);
            cues_message(rules, &firings.items[j], "de-AT", "queue", &text);
            fuzz_require(!text.failed);
            buf_done(&text);
        }
    }
    (void)cues_due(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct cues_rules *rules = NULL;
    struct error err;
    if (size > CUES_FILE_BYTES_MAX ||
        cues_parse("fuzz.yaml", (const char *)bytes, size, &rules, &err)) {
        return 0;
    }
    struct buf saved;
    struct cues_state *state = cues_state_create(rules, key);
    fuzz_require(state != NULL);
    hear(state, rules, 1765000002000);
    hear(state, rules, 1765000004000);
    buf_init(&saved, 1 << 20);
    cues_save(state, &saved);
    struct unpack in = unpack_from(saved.bytes, saved.size);
    struct cues_state *restored = cues_restore(rules, key, &in, &err);
    fuzz_require(restored != NULL && in.left == 0);
    hear(restored, rules, 1765000046000);
    cues_state_destroy(restored);
    cues_state_destroy(state);
    cues_release(rules);
    buf_done(&saved);
    return 0;
}
