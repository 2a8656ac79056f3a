/* talk.h - a call for tests of rules: who said what when, and what fired. */
#ifndef TESTS_UNIT_CUES_TALK_H
#define TESTS_UNIT_CUES_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cues/cues.h"

enum { TALK_EPOCH_MS = 1000000000 };

static const unsigned char talk_key[KEYHASH_SHORT_KEY_BYTES] = "a key for tests";

struct talk {
    struct cues_rules *rules;
    struct cues_state *state;
    struct cues_firings firings;
    struct cues_mood mood;
    const char *queue;
};

static inline struct cues_rules *talk_rules(const char *yaml)
{
    struct cues_rules *rules = NULL;
    struct error err = {0};
    if (cues_parse("rules.yaml", yaml, strlen(yaml), &rules, &err)) {
        fail_msg("%s", err.message);
    }
    return rules;
}

static inline void talk_begin(struct talk *talk, const char *yaml)
{
    *talk = (struct talk){.rules = talk_rules(yaml)};
    talk->state = cues_state_create(talk->rules, talk_key);
    assert_non_null(talk->state);
}

static inline void talk_end(struct talk *talk)
{
    cues_state_destroy(talk->state);
    cues_release(talk->rules);
}

static inline void talk_step(struct talk *talk, const struct cues_event *event)
{
    struct cues_event own = *event;
    own.mood = talk->mood;
    own.queue = talk->queue;
    assert_true(cues_step(talk->state, talk->rules, &own, &talk->firings));
}

static inline struct cues_utterance talk_utterance(enum cues_speaker speaker, double begin_s,
                                                   double end_s, const char *text)
{
    return (struct cues_utterance){
        .begin_ms = TALK_EPOCH_MS + (int64_t)(begin_s * 1000),
        .end_ms = TALK_EPOCH_MS + (int64_t)(end_s * 1000),
        .speaker = speaker,
        .text = text,
        .text_bytes = strlen(text),
    };
}

/* Served `late_s` after it ended. */
static inline void talk_hear(struct talk *talk, enum cues_speaker speaker, double begin_s,
                             double end_s, const char *text, double late_s)
{
    struct cues_utterance utterance = talk_utterance(speaker, begin_s, end_s, text);
    talk_step(talk, &(struct cues_event){
                        .kind = CUES_REPLY,
                        .utterances = &utterance,
                        .count = 1,
                        .now_ms = utterance.end_ms + (int64_t)(late_s * 1000),
                    });
}

/* Two seconds of speech that end at end_s, served a second later. */
static inline void talk_say(struct talk *talk, enum cues_speaker speaker, double end_s,
                            const char *text)
{
    talk_hear(talk, speaker, end_s - 2, end_s, text, 1);
}

static inline void talk_event(struct talk *talk, enum cues_event_kind kind, double at_s)
{
    talk_step(talk,
              &(struct cues_event){.kind = kind, .now_ms = TALK_EPOCH_MS + (int64_t)(at_s * 1000)});
}

/* How many firings since the last call of this. */
static inline size_t talk_fired(struct talk *talk)
{
    size_t count = talk->firings.count;
    talk->firings.count = 0;
    return count;
}

/* One rule named "r" that fires as often as it can, with this condition. */
#define TALK_RULE(when) \
    "rules:\n- {name: r, message: m, cooldown: 0s, max_per_call: 1000, when: " when "}\n"

#endif
