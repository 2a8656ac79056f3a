/* net/breaker.h - a circuit breaker per endpoint class; pure, time is handed in.
 *
 * closed: requests flow; `failures_to_open` failures in a row open it. open: nothing flows for
 * open_ms. half-open: one probe at a time, a new one each probe_ms with jitter; the first success
 * closes it. What counts as a failure is the caller's choice (5xx, transport; never 4xx).
 */
#ifndef NET_BREAKER_H
#define NET_BREAKER_H

#include "base/clock.h"
#include "base/rand.h"

#include <stdbool.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker_limits {
    unsigned failures_to_open; /* 5 */
    int64_t open_ms;           /* 30 000 */
    int64_t probe_ms;          /* 5 000 */
};

struct breaker {
    struct breaker_limits limits;
    enum breaker_state state;
    unsigned failures;
    struct mono next_probe;
    bool probing; /* half-open, and what became of the probe is not known yet */
};

void breaker_init(struct breaker *breaker, const struct breaker_limits *limits);

/* Whether a request may go now. In half-open this claims the probe, so ask only when ready to
 * send. */
bool breaker_allow(struct breaker *breaker, struct mono now, struct rand *rand);

/* Each returns true when it changed the state (for the log). */
bool breaker_success(struct breaker *breaker);
bool breaker_failure(struct breaker *breaker, struct mono now);

/* 0 when breaker_allow could succeed now. */
int64_t breaker_wait_ms(const struct breaker *breaker, struct mono now);

/* A probe is under way that may close it any moment: worth waiting for, until the next is due. */
bool breaker_is_probing(const struct breaker *breaker, struct mono now);

const char *breaker_state_name(enum breaker_state state);

#endif
