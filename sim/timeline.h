/* timeline.h - when each utterance of one call becomes visible, in which forms, and what a poll
 * sees at a moment.
 *
 * Pure: the schedule is fixed when the timeline is made, by conversation, disorder and seed;
 * requests and their timing change nothing. All times are milliseconds of the vendor clock.
 *
 *     |<---- spoken ---->|
 *   start               end        visible[1]        visible[2]
 *     +--- partials grow ---+-------- final version 1 -+---- final version 2 (true text)
 *
 * Every form and every partial is a prefix of the true text, in whole words.
 *
 * The promise about late finals: every form is visible at most TIMELINE_LATE_GRACE_MS after the
 * end of the call's last utterance.
 */
#ifndef SIM_TIMELINE_H
#define SIM_TIMELINE_H

#include "base/error.h"
#include "sim/conversation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TIMELINE_FINAL_MS_MIN = 300, /* from an utterance's end to its final */
    TIMELINE_FINAL_MS_MAX = 1200,
    TIMELINE_LATE_MS_MIN = 35000,
    TIMELINE_LATE_MS_MAX = 120000,
    TIMELINE_LATE_GRACE_MS = 45000,
    TIMELINE_REVISION_MS_MIN = 2000, /* from the first form to the second */
    TIMELINE_REVISION_MS_MAX = 8000,
    TIMELINE_REVISED_WORDS_MIN = 3,
    TIMELINE_REVISED_SHORTER_MS = 200,
    TIMELINE_MOVE_MAX = 3,    /* places an out-of-order element stands too early */
    TIMELINE_ENDED_MS = 2000, /* from the last utterance's end to the call's end */
    TIMELINE_FORMS_MAX = 2,
};

/* Shares in [0, 1]. */
struct timeline_disorder {
    double late;
    double revised;
    double duplicated;
    double out_of_order;
    bool partials;
};

struct timeline_form {
    size_t bytes; /* of the utterance's text */
    int64_t end_ms;
    int64_t visible_ms;
};

struct timeline_utterance {
    enum conversation_speaker speaker;
    const char *text; /* borrowed from the timeline */
    size_t bytes;
    unsigned words;
    int64_t start_ms;
    int64_t end_ms;
    struct timeline_form forms[TIMELINE_FORMS_MAX];
    unsigned form_count; /* 1, or 2 when revised */
    bool late;
    bool duplicated;
    unsigned moved; /* places too early in a reply; 0 for none */
};

/* One form becoming visible. */
struct timeline_event {
    int64_t visible_ms;
    uint32_t n;
    uint32_t version; /* from 1 */
};

struct timeline {
    struct timeline_utterance *utterances; /* by start_ms */
    size_t count;
    int64_t *end_max_ms;           /* [i]: the latest end among utterances 0..i */
    struct timeline_event *events; /* by visible_ms */
    size_t event_count;
    int64_t last_end_ms;
    char *text; /* taken from the conversation */
    bool partials;
};

/* Plays `conversation` from origin_ms. Takes its text over: the conversation keeps its turns but
 * must still be conversation_done. On success the caller must timeline_done. */
int timeline_create(struct timeline *timeline, struct conversation *conversation,
                    const struct timeline_disorder *disorder, uint64_t seed, int64_t origin_ms,
                    struct error *err);

/* Accepts a zeroed timeline. */
void timeline_done(struct timeline *timeline);

/* The vendor time from which the call is "ended". */
int64_t timeline_ended_ms(const struct timeline *timeline);

/* What a poll's startTime is compared with (platform variants of the undocumented filter). */
enum timeline_filter {
    TIMELINE_FILTER_START_AT_LEAST,
    TIMELINE_FILTER_START_AFTER,
    TIMELINE_FILTER_END_AT_LEAST,
    TIMELINE_FILTER_END_AFTER,
};

struct timeline_query {
    int64_t now_ms;
    int64_t since_ms;
    enum timeline_filter filter;
    bool customer;
    bool agent;
    bool finals; /* include finals; partials always come when the timeline has them */
};

struct timeline_item {
    uint32_t n;
    uint32_t version; /* of a final, from 1; 0 for a partial */
    size_t bytes;
    int64_t end_ms;
    bool repeated; /* the second copy of a duplicated element */
};

/* A reply's elements; kept between polls so that memory is reused. Start zeroed. */
struct timeline_reply {
    struct timeline_item *items;
    size_t count;
    size_t capacity;
};

/* Fills the reply. Costs the elements in range, not the call's length. False without memory. */
bool timeline_poll(const struct timeline *timeline, const struct timeline_query *query,
                   struct timeline_reply *reply);

void timeline_reply_done(struct timeline_reply *reply);

#endif
