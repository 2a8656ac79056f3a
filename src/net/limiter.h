/* net/limiter.h - a token bucket; pure arithmetic, time is handed in.
 *
 * Holds at most `burst` tokens and gains rate_per_s each second. A request of lower priority may
 * not take the last `reserve` tokens, which are kept for the urgent ones.
 */
#ifndef NET_LIMITER_H
#define NET_LIMITER_H

#include "base/clock.h"

#include <stdbool.h>

struct limiter {
    double rate_per_s;
    double burst;
    double tokens;
    struct mono at;
};

void limiter_init(struct limiter *limiter, double rate_per_s, double burst, struct mono now);

/* From now on another rate and burst; what was gained so far stays, as far as the burst holds it.
 */
void limiter_set_rate(struct limiter *limiter, double rate_per_s, double burst, struct mono now);

/* Takes one token if more than `reserve` are there. */
bool limiter_take(struct limiter *limiter, double reserve, struct mono now);

/* Milliseconds until limiter_take with this reserve could succeed: 0 is now. */
int64_t limiter_wait_ms(const struct limiter *limiter, double reserve, struct mono now);

/* The token taken last was used at `when`, later than it was taken: what has been gained since is
 * all that is there. For buckets that hold one token. */
void limiter_spent_at(struct limiter *limiter, struct mono when, struct mono now);

/* Empties the bucket and gains nothing before `until`: the answer to a 429 with Retry-After. */
void limiter_pause(struct limiter *limiter, struct mono until);

#endif
