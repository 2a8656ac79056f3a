/* flow/suggestion_outbox.h - one suggestion per episode, at most once. Pure.
 *
 * A suggestion that surely did not reach the vendor is tried again, with backoff, while the episode
 * lasts; one that may have been shown is never resent and stays "unknown".
 */
#ifndef FLOW_SUGGESTION_OUTBOX_H
#define FLOW_SUGGESTION_OUTBOX_H

#include "base/backoff.h"
#include "base/clock.h"
#include "cxone/cxone.h"

#include <stdbool.h>
#include <stdint.h>

struct suggestion_limits {
    unsigned tries_max;
    int64_t denied_wait_ms;
    struct backoff_limits backoff;
};

enum suggestion_state {
    SUGGESTION_NONE,
    SUGGESTION_WAITING,
    SUGGESTION_IN_FLIGHT,
    SUGGESTION_SENT,
    SUGGESTION_UNKNOWN, /* may have been shown */
    SUGGESTION_DROPPED, /* refused, or the reason passed before it could be delivered */
};

struct suggestion_outbox {
    enum suggestion_state state;
    uint32_t episode;
    unsigned tries;
    struct mono not_before;
};

/* A new episode. An older one still waiting is dropped. */
void suggestion_outbox_open(struct suggestion_outbox *outbox, uint32_t episode, struct mono now);

/* The reason is gone (recovered, call over): what is waiting is dropped; true if something was. */
bool suggestion_outbox_withdraw(struct suggestion_outbox *outbox);

/* What is waiting does not leave before this time. */
void suggestion_outbox_postpone(struct suggestion_outbox *outbox, struct mono until);

bool suggestion_outbox_due(const struct suggestion_outbox *outbox, struct mono *due);
void suggestion_outbox_send(struct suggestion_outbox *outbox);

/* Takes the outcome; the new state says what became of it. */
enum suggestion_state suggestion_outbox_done(struct suggestion_outbox *outbox,
                                             const struct suggestion_limits *limits,
                                             const struct cxone_result *result, struct mono now,
                                             struct rand *rand);

bool suggestion_outbox_settled(const struct suggestion_outbox *outbox);

const char *suggestion_state_name(enum suggestion_state state);

#endif
