/* timeline.h - when each utterance of one call becomes visible, in which forms, and what a poll
 * sees at a moment.
 *
 * Pure: the schedule is fixed when the timeline is made, by conversation, disorder and seed
 * (schedule.h); requests and their timing change nothing. All times are milliseconds of the vendor
 * clock.
 *
 *     |<---- spoken ---->|
 *   start               end    flawed       visible[1]        visible[2]
 *     +--- partials grow ---+--- a final of -+- final version 1 -+---- final version 2
 *                                 no use                            (true text and end)
 *
 * Every form and every partial is a prefix of the true text, in whole words.
 *
 * The promise about late finals: every form is visible at most TIMELINE_LATE_GRACE_MS after the
 * last utterance of the call, or of its part before a break, was spoken.
 */
#ifndef SIM_TIMELINE_H
#define SIM_TIMELINE_H

#include "base/error.h"
#include "sim/conversation.h"
#include "sim/lifecycle.h"

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
    TIMELINE_REPAIR_MS_MIN = 2000, /* a flawed final becomes whole */
    TIMELINE_REPAIR_MS_MAX = 8000,
    TIMELINE_MOVE_MAX = 3, /* places an out-of-order element stands too early */
    TIMELINE_FORMS_MAX = 2,
};

/* How a final of no use is shown, until its whole form replaces it. */
enum timeline_flaw {
    TIMELINE_FLAW_NONE,
    TIMELINE_FLAW_NO_TEXT,
    TIMELINE_FLAW_NO_START,
    TIMELINE_FLAW_NO_END,
    TIMELINE_FLAW_NO_DIRECTION,
    TIMELINE_FLAW_NO_FINAL,
    TIMELINE_FLAW_UNKNOWN_DIRECTION, /* somebody who is neither customer nor agent */
    TIMELINE_FLAW_PAST,              /* times more than an hour before the call */
    TIMELINE_FLAWS,
};

/* "no_text", "no_start", ...: the ledger's words. */
const char *timeline_flaw_name(enum timeline_flaw flaw);

/* Shares in [0, 1]. */
struct timeline_disorder {
    double late;
    double revised;
    double duplicated;
    double out_of_order;
    double overlap;
    double same_millisecond;
    double missing_fields;
    double unknown_direction;
    double past;
    double future;
    int64_t future_ms; /* how far ahead such an end lies */
    double numeric_strings;
    double extra_fields;
    bool partials;
};

struct timeline_form {
    size_t bytes; /* of the utterance's text */
    int64_t end_ms;
    int64_t visible_ms;
};

/* Two utterances of one speaker share a start only where both are `shared`: then each has one form
 * and they differ in text. */
struct timeline_utterance {
    enum conversation_speaker speaker;
    const char *text; /* borrowed from the timeline */
    size_t bytes;
    unsigned words;
    int64_t start_ms;
    int64_t end_ms;
    int64_t spoken_end_ms; /* when it was really over: later than end_ms where `displaced` */
    struct timeline_form forms[TIMELINE_FORMS_MAX];
    unsigned form_count; /* 1, or 2 when revised */
    enum timeline_flaw flaw;
    int64_t flawed_ms; /* with a flaw: from then until forms[0] is visible */
    bool late;
    bool duplicated;
    bool displaced; /* stamped with the start of an earlier one */
    bool shared;
    bool masked;          /* its end lies in a masked interval; true of all forms */
    bool numeric_strings; /* its times are shown as texts */
    bool extra_fields;
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
    int64_t *end_max_ms;           /* [i]: the latest end among all forms of utterances 0..i */
    struct timeline_event *events; /* by visible_ms */
    size_t event_count;
    int64_t last_end_ms;   /* spoken */
    int64_t past_shift_ms; /* of TIMELINE_FLAW_PAST */
    char *text;            /* taken from the conversation */
    bool partials;
};

/* Plays `conversation` from origin_ms, with the lifecycle planned for it (NULL: always active).
 * Takes its text over: the conversation keeps its turns but must still be conversation_done. On
 * success the caller must timeline_done. */
int timeline_create(struct timeline *timeline, struct conversation *conversation,
                    const struct lifecycle *lifecycle, const struct timeline_disorder *disorder,
                    uint64_t seed, int64_t origin_ms, struct error *err);

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
    uint32_t version;        /* of a final, from 1; 0 for a partial */
    enum timeline_flaw flaw; /* of a final: then of no use, and version is 1 */
    size_t bytes;
    int64_t start_ms;
    int64_t end_ms;
    bool repeated; /* the second copy of a duplicated element */
};

/* A reply's elements; kept between polls so that memory is reused. Start zeroed. */
struct timeline_reply {
    struct timeline_item *items;
    size_t count;
    size_t capacity;
};

/* Fills the reply. Costs the elements in range, not the call's length. A final shown in the past
 * stands only behind one that is whole, so that every reader can tell. False without memory. */
bool timeline_poll(const struct timeline *timeline, const struct timeline_query *query,
                   struct timeline_reply *reply);

void timeline_reply_done(struct timeline_reply *reply);

#endif
