/* backoff.h - capped exponential backoff with full jitter:
 * wait = U(0, min(cap, base * 2^attempt)) (AWS Architecture Blog, "Exponential Backoff And
 * Jitter", 2015). The same seed gives the same waits. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include "base/rand.h"

struct backoff_limits {
    int64_t base_ms;
    int64_t cap_ms;
};

/* The wait before retry number `attempt` (0 is the first retry). Never negative, never over the
 * cap; any attempt number is accepted. */
int64_t backoff_wait_ms(const struct backoff_limits *limits, unsigned attempt, struct rand *rand);

#endif
