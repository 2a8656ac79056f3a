/* flow/call_quota.h - how often one call may be asked and written to; pure.
 *
 * The vendor counts requests when they arrive, we when they leave: a little less than the quota is
 * used, and a request that waited here counts from when it really left. A refusal halves the pace
 * of this call, answers bring it back.
 */
#ifndef FLOW_CALL_QUOTA_H
#define FLOW_CALL_QUOTA_H

#include "net/limiter.h"

#include <stdbool.h>

struct call_quota {
    struct limiter limiter;
    double configured_rps; /* 0: no quota */
    double learnt_rps;     /* for all calls, at most configured_rps */
    double share;          /* of that, by refusals of this call */
};

/* `rps`: the vendor's quota for one call, requests a second; 0: none. */
void call_quota_init(struct call_quota *quota, double rps, struct mono now);

/* No call is to be asked more often than this from now on, whatever is configured; 0: no limit. */
void call_quota_learn(struct call_quota *quota, double rps, struct mono now);

/* Takes leave for one request; otherwise says from when on it may be asked for again. */
bool call_quota_take(struct call_quota *quota, struct mono now, struct mono *again);

/* A request was answered that left at `left`, later than it was taken leave for. */
void call_quota_answered(struct call_quota *quota, struct mono left, bool refused, struct mono now);

#endif
