/* limiter.c - see limiter.h. The bucket is refilled on demand from the time that passed, so there
 * is no timer. A pause is a refill time that lies in the future: until then nothing is gained.
 */
#include "net/limiter.h"

/* Forgives the rounding of the refill, so that waiting limiter_wait_ms is always enough. */
static const double LIMITER_ROUNDING_TOKENS = 1e-6;

static double limiter_tokens_at(const struct limiter *limiter, struct mono now)
{
    if (now.us <= limiter->at.us) {
        return limiter->tokens;
    }
    double gained = limiter->rate_per_s * (double)(now.us - limiter->at.us) / 1e6;
    double tokens = limiter->tokens + gained;
    return tokens < limiter->burst ? tokens : limiter->burst;
}

void limiter_init(struct limiter *limiter, double rate_per_s, double burst, struct mono now)
{
    *limiter = (struct limiter){
        .rate_per_s = rate_per_s,
        .burst = burst,
        .tokens = burst,
        .at = now,
    };
}

static void limiter_settle(struct limiter *limiter, struct mono now)
{
    limiter->tokens = limiter_tokens_at(limiter, now);
    if (now.us > limiter->at.us) {
        limiter->at = now;
    }
}

void limiter_set_rate(struct limiter *limiter, double rate_per_s, double burst, struct mono now)
{
    limiter_settle(limiter, now);
    limiter->rate_per_s = rate_per_s;
    limiter->burst = burst;
    limiter->tokens = limiter->tokens < burst ? limiter->tokens : burst;
}

bool limiter_take(struct limiter *limiter, double reserve, struct mono now)
{
    limiter_settle(limiter, now);
    if (limiter->tokens + LIMITER_ROUNDING_TOKENS < reserve + 1) {
        return false;
    }
    limiter->tokens -= 1;
    return true;
}

int64_t limiter_wait_ms(const struct limiter *limiter, double reserve, struct mono now)
{
    double missing = reserve + 1 - limiter_tokens_at(limiter, now);
    if (missing <= LIMITER_ROUNDING_TOKENS) {
        return 0;
    }
    int64_t paused_us = limiter->at.us > now.us ? limiter->at.us - now.us : 0;
    double wait_ms = (double)paused_us / 1e3 + missing / limiter->rate_per_s * 1e3;
    if (limiter->rate_per_s <= 0 || reserve + 1 > limiter->burst || wait_ms >= (double)INT64_MAX) {
        return INT64_MAX; /* no amount of waiting helps */
    }
    int64_t whole_ms = (int64_t)wait_ms;
    return (double)whole_ms < wait_ms ? whole_ms + 1 : whole_ms;
}

void limiter_spent_at(struct limiter *limiter, struct mono when, struct mono now)
{
    double gained = limiter->rate_per_s * (double)(now.us - when.us) / 1e6;
    limiter_settle(limiter, now);
    limiter->tokens = limiter->tokens < gained ? limiter->tokens : gained;
}

void limiter_pause(struct limiter *limiter, struct mono until)
{
    limiter->tokens = 0;
    if (until.us > limiter->at.us) {
        limiter->at = until;
    }
}
