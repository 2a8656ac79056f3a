/* lifecycle.h - what happens to a call besides talk: hold, mute, masking, a break, a transfer.
 *
 * Pure. A plan is made once, before the conversation is played: it moves turns apart where the
 * line is silent, and says which state the vendor lists at any moment. Times are milliseconds from
 * the conversation's beginning.
 *
 *     turn 6 |    held     | turn 7 |  | turn 8   masked, still talking  | ...
 *            +-- nobody ---+        +--+ LIFECYCLE_MASK_LEAD_MS
 *
 * Promises to readers: nobody speaks on hold or in a break; no utterance ends in the first
 * LIFECYCLE_MASK_LEAD_MS of a masked interval, so that who asks often enough knows in time.
 */
#ifndef SIM_LIFECYCLE_H
#define SIM_LIFECYCLE_H

#include "base/rand.h"
#include "sim/conversation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LIFECYCLE_MASK_LEAD_MS = 5000, LIFECYCLE_ENDED_MS = 2000, LIFECYCLE_SPANS_MAX = 4 };

enum lifecycle_state {
    LIFECYCLE_ACTIVE,
    LIFECYCLE_HELD,
    LIFECYCLE_MUTED,
    LIFECYCLE_MASKED,
    LIFECYCLE_ENDED, /* as a span: the call ends and is back later */
    LIFECYCLE_STATES,
};

/* "active", "held", "muted", "masked", "ended", as the API spells it. */
const char *lifecycle_state_name(enum lifecycle_state state);

/* By state; that of LIFECYCLE_ACTIVE is not used. */
struct lifecycle_odds {
    double share[LIFECYCLE_STATES]; /* of calls, 0 to 1 */
    int64_t length_ms[LIFECYCLE_STATES];
    double transfer; /* share of calls that another agent, and id, continues */
};

struct lifecycle_span {
    enum lifecycle_state state;
    int64_t start_ms; /* the span is [start_ms, end_ms) */
    int64_t end_ms;
};

/* Start zeroed: always active. */
struct lifecycle {
    struct lifecycle_span spans[LIFECYCLE_SPANS_MAX]; /* in order, apart or adjacent */
    size_t count;
};

/* Draws what happens in this conversation after from_ms, each state at most once and each before
 * another turn, and moves later turns accordingly. */
void lifecycle_plan(struct lifecycle *lifecycle, struct conversation *conversation, int64_t from_ms,
                    const struct lifecycle_odds *odds, struct rand *rand);

/* The turn before which a transfer happens, after from_ms; 0 for none. */
size_t lifecycle_draw_transfer(const struct conversation *conversation, int64_t from_ms,
                               double share, struct rand *rand);

/* The state at a moment, and since when (INT64_MIN: from the beginning). */
enum lifecycle_state lifecycle_at(const struct lifecycle *lifecycle, int64_t at_ms,
                                  int64_t *since_ms);

/* The next moment after at_ms when the state changes; INT64_MAX for none. */
int64_t lifecycle_next(const struct lifecycle *lifecycle, int64_t at_ms);

/* Whether any moment from from_ms to to_ms is masked. Accepts NULL. */
bool lifecycle_masks_within(const struct lifecycle *lifecycle, int64_t from_ms, int64_t to_ms);

/* Whether no break lies between two moments. Accepts NULL: no breaks. */
bool lifecycle_is_joined(const struct lifecycle *lifecycle, int64_t a_ms, int64_t b_ms);

/* Whether, besides, both are masked or neither is. */
bool lifecycle_is_alike(const struct lifecycle *lifecycle, int64_t a_ms, int64_t b_ms);

#endif
