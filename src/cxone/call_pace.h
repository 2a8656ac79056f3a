/* cxone/call_pace.h - how often one call may be asked and written to, learnt from refusals of all
 * of them; pure.
 *
 * A 429 does not say whose quota ran out, the call's or the client's. But a vendor's quota for a
 * call is the same for all calls. So what some call has kept up for a while without a refusal is
 * not what another is refused for; nor is it the call's own pace if that call was asked far less
 * often than it might have been. Such refusals are the client's affair (cxone/throttle). The rest
 * may be a matter of the calls' quota, and of that first: if enough calls have them, all calls are
 * asked less often, which can do no harm. Should it have been the client's quota, the next refusals
 * come at a pace that was kept up before, and say so.
 *
 * The pace comes back along the same curve as the client's rate does (net/adaptive_rate), more
 * slowly: each probe beyond the edge is paid by many calls.
 */
#ifndef CXONE_CALL_PACE_H
#define CXONE_CALL_PACE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many calls are remembered; where there are more, those that were not heard of for long are
 * forgotten. */
enum { CALL_PACE_SLOTS = 8192, CALL_PACE_DISTINCT = 3 };

struct call_pace {
    double configured_rps; /* 0: calls have no quota, and nothing is learnt */
    double rate_rps;       /* requests a second that one call may make now */
    double edge_rps;       /* where refusals came */
    double proven_rps;     /* kept up by some call at `proven` */
    struct mono proven;
    struct mono cut;
    double before_rps; /* the rate before the last cut */
    unsigned doubts;   /* refusals since, that show it was not the calls' quota */
    bool curbed;
    uint64_t suspects[CALL_PACE_DISTINCT]; /* interactions refused, no two alike */
    size_t suspect_count;
    unsigned refused[2]; /* suspects, in this span and the last */
    unsigned others[2];  /* other refusals */
    unsigned answers[2];
    struct mono span;
    struct call_pace_slot {
        uint64_t interaction; /* hash */
        struct mono accepted; /* when its last accepted request was sent */
        struct mono run;      /* and the first one since a refusal, or since counting began anew */
        unsigned run_count;
    } slots[CALL_PACE_SLOTS];
};

enum call_pace_verdict {
    CALL_PACE_FINE,    /* no refusal */
    CALL_PACE_OTHER,   /* this refusal is not for the calls' quota */
    CALL_PACE_SUSPECT, /* it may be */
    CALL_PACE_CUT,     /* it was, as were others: the pace is less from now on */
};

void call_pace_init(struct call_pace *pace, double configured_rps, struct mono now);

/* One answer to a request about this interaction that was sent at `sent`. */
enum call_pace_verdict call_pace_answered(struct call_pace *pace, uint64_t interaction,
                                          struct mono sent, bool refused, struct mono now);

/* Lets the pace grow; true if the configured one is back. */
bool call_pace_grow(struct call_pace *pace, struct mono now);

#endif
