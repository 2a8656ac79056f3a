/* call_quota.c - see call_quota.h. */
#include "flow/call_quota.h"

static const double used_share = 0.93;
static const double least_share = 0.1; /* of the quota, however often it was refused */
static const double kept_share = 0.5;
static const double regained_share = 0.05; /* of the quota, by each answer */

static double burst_of(double rps)
{
    return rps > 1 ? rps : 1;
}

void call_quota_init(struct call_quota *quota, double rps, struct mono now)
{
    quota->configured_rps = rps;
    limiter_init(&quota->limiter, rps * used_share, burst_of(rps), now);
}

bool call_quota_take(struct call_quota *quota, struct mono now, struct mono *again)
{
    if (quota->configured_rps <= 0 || limiter_take(&quota->limiter, 0, now)) {
        return true;
    }
    *again = mono_after_ms(now, limiter_wait_ms(&quota->limiter, 0, now));
    return false;
}

void call_quota_answered(struct call_quota *quota, struct mono left, bool refused, struct mono now)
{
    double full_rps = quota->configured_rps * used_share;
    double rps = quota->limiter.rate_per_s;
    if (full_rps <= 0) {
        return;
    }
    rps = refused ? rps * kept_share : rps + full_rps * regained_share;
    rps = rps < full_rps ? rps : full_rps;
    rps = rps > full_rps * least_share ? rps : full_rps * least_share;
    limiter_set_rate(&quota->limiter, rps, quota->limiter.burst, now);
    if (quota->limiter.burst <= 1) {
        limiter_spent_at(&quota->limiter, left, now);
    }
}
