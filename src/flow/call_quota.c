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

static void set_rate(struct call_quota *quota, struct mono now)
{
    limiter_set_rate(&quota->limiter, quota->learnt_rps * used_share * quota->share,
                     quota->limiter.burst, now);
}

void call_quota_init(struct call_quota *quota, double rps, struct mono now)
{
    quota->configured_rps = rps;
    quota->learnt_rps = rps;
    quota->share = 1;
    limiter_init(&quota->limiter, rps * used_share, burst_of(rps), now);
}

void call_quota_learn(struct call_quota *quota, double rps, struct mono now)
{
    double learnt_rps = rps > 0 && rps < quota->configured_rps ? rps : quota->configured_rps;
    if (learnt_rps < quota->learnt_rps || learnt_rps > quota->learnt_rps) {
        quota->learnt_rps = learnt_rps;
        set_rate(quota, now);
    }
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
    if (quota->configured_rps <= 0) {
        return;
    }
    double share = refused ? quota->share * kept_share : quota->share + regained_share;
    share = share < 1 ? share : 1;
    quota->share = share > least_share ? share : least_share;
    set_rate(quota, now);
    if (quota->limiter.burst <= 1) {
        limiter_spent_at(&quota->limiter, left, now);
    }
}
