/* harness.h - one call under test: segments and scores in, effects counted and kept. */
#ifndef TESTS_MOOD_HARNESS_H
#define TESTS_MOOD_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mood/call.h"

#include <string.h>

/* A vendor clock like today's; times in tests are milliseconds after it. */
#define EPOCH INT64_C(1765000000000)

struct harness {
    struct call *call;
    struct call_effects effects; /* of the last step */
    struct call_now now;
    unsigned readings;
    unsigned alerts;
    unsigned recoveries;
    unsigned raises;
    unsigned reminders;
    unsigned scores_asked;
    unsigned masked;
    struct call_effect alert; /* the last one */
    struct call_effect raised;
    struct call_effect recovered;
    struct call_effect asked;  /* the last SCORE */
    struct call_effect hidden; /* the last MASKED */
};

static inline void harness_start(struct harness *h, const struct mood_policy *policy)
{
    struct mood_policy defaults;
    mood_policy_default(&defaults);
    memset(h, 0, sizeof *h);
    h->call = call_create(policy ? policy : &defaults);
    assert_non_null(h->call);
    call_effects_init(&h->effects);
    h->now = (struct call_now){.mono = {.us = 5000000}, .vendor_ms = EPOCH};
}

static inline void harness_stop(struct harness *h)
{
    call_destroy(h->call);
    call_effects_done(&h->effects);
}

/* Both clocks to this many milliseconds after the start; never back. */
static inline void harness_at(struct harness *h, int64_t ms)
{
    h->now.mono.us = 5000000 + ms * 1000;
    h->now.vendor_ms = EPOCH + ms;
}

static inline void harness_step(struct harness *h, const struct call_event *event)
{
    call_effects_clear(&h->effects);
    assert_true(call_step(h->call, h->now, event, &h->effects));
    for (size_t i = 0; i < h->effects.count; i++) {
        const struct call_effect *effect = &h->effects.items[i];
        switch (effect->kind) {
        case CALL_EFFECT_SCORE:
            h->scores_asked++;
            h->asked = *effect;
            break;
        case CALL_EFFECT_MASKED:
            h->masked++;
            h->hidden = *effect;
            break;
        case CALL_EFFECT_READING:
            h->readings++;
            break;
        case CALL_EFFECT_ALERT:
            h->alerts++;
            h->alert = *effect;
            break;
        case CALL_EFFECT_RAISED:
            h->raises++;
            h->raised = *effect;
            break;
        case CALL_EFFECT_REMINDED:
            h->reminders++;
            break;
        case CALL_EFFECT_RECOVERED:
            h->recoveries++;
            h->recovered = *effect;
            break;
        }
    }
}

static inline struct segment harness_segment(enum speaker speaker, int64_t start_ms, int64_t end_ms,
                                             const char *text)
{
    return (struct segment){
        .start_ms = EPOCH + start_ms,
        .end_ms = EPOCH + end_ms,
        .speaker = speaker,
        .is_final = true,
        .text = text,
        .text_bytes = strlen(text),
    };
}

static inline void harness_reply(struct harness *h, const struct segment *segments, size_t count)
{
    harness_step(h, &(struct call_event){
                        .kind = CALL_EVENT_REPLY, .segments = segments, .segment_count = count});
}

static inline void harness_score(struct harness *h, uint32_t utterance, uint32_t revision,
                                 int64_t score)
{
    harness_step(h, &(struct call_event){.kind = CALL_EVENT_SCORED,
                                         .utterance = utterance,
                                         .revision = revision,
                                         .score = score});
}

static inline void harness_tick(struct harness *h)
{
    harness_step(h, &(struct call_event){.kind = CALL_EVENT_TICK});
}

/* The customer says something; it is seen and scored at once. The clocks do not move. */
static inline void harness_hear(struct harness *h, int64_t start_ms, int64_t end_ms, int64_t score)
{
    struct segment segment = harness_segment(SPEAKER_CUSTOMER, start_ms, end_ms, "words");
    unsigned before = h->scores_asked;
    harness_reply(h, &segment, 1);
    assert_int_equal(h->scores_asked, before + 1);
    harness_score(h, h->asked.utterance, h->asked.revision, score);
}

/* Something of two seconds that ends here, heard as it ends: the clocks move there. */
static inline void harness_say(struct harness *h, int64_t end_ms, int64_t score)
{
    if (EPOCH + end_ms > h->now.vendor_ms) {
        harness_at(h, end_ms);
    }
    harness_hear(h, end_ms - 2000, end_ms, score);
}

static inline struct call_reading harness_reading(const struct harness *h)
{
    struct call_reading reading;
    assert_true(call_reading(h->call, &reading));
    return reading;
}

#endif
