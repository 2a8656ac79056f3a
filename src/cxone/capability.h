/* cxone/capability.h - one operation that the vendor may deny us; pure, time is handed in.
 *
 * A 403 suspends it for a while; then one request at a time may try again. Other operations go on.
 */
#ifndef CXONE_CAPABILITY_H
#define CXONE_CAPABILITY_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct capability {
    bool suspended;
    bool probing; /* the one request is under way */
    struct mono probe_at;
};

/* Whether a request may go now. */
bool capability_allows(const struct capability *capability, struct mono now);

/* Milliseconds to the next probe, or -1: unsuspended, or depends on the probe under way. */
int64_t capability_wait_ms(const struct capability *capability, struct mono now);

/* A request that was allowed is being sent. */
void capability_claim(struct capability *capability);

/* The verdicts; true when the state changed. Undecided (no answer, 401, 429, 5xx): the next request
 * may try at once. */
bool capability_deny(struct capability *capability, struct mono now, int64_t pause_ms);
bool capability_grant(struct capability *capability);
void capability_undecided(struct capability *capability);

#endif
