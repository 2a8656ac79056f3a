/* net/adaptive_rate.h - how fast to send when the server's quota is not what was configured; pure.
 *
 * At first and as long as nothing is refused: the configured rate. Refusals (429) cut it below the
 * edge, the rate at which they came. From there it grows along TCP's CUBIC curve (RFC 9438): back
 * near the edge soon, flat around it, then faster. CUBIC's constants are for bytes; here the time
 * to the edge is such that one probe beyond it, which costs a refusal or two, comes to a hundredth
 * of the requests: the slower the rate, the longer. Once more has been sent beyond the edge than a
 * bucket would hold, the edge is gone and the rate doubles each second, until the configured rate
 * is reached or the next refusal comes.
 */
#ifndef NET_ADAPTIVE_RATE_H
#define NET_ADAPTIVE_RATE_H

#include "base/clock.h"

#include <stdbool.h>

struct adaptive_rate {
    double configured_rps;
    double rate_rps;     /* what may be sent now: 0.5 to configured_rps */
    double edge_rps;     /* where it was refused */
    double measured_rps; /* what was sent, over spans of some requests, smoothed */
    double beyond;       /* requests sent beyond the edge since the cut */
    unsigned sent;       /* in the span that began at `span` */
    unsigned sent_since_cut;
    struct mono span;
    struct mono cut;
    struct mono grown; /* when the rate last doubled on */
    bool doubles;      /* the edge is gone */
    bool guessed;      /* the edge, from the share refused: it is tried soon */
    bool curbed;       /* below the configured rate since `cut` */
};

void adaptive_rate_init(struct adaptive_rate *rate, double configured_rps, struct mono now);

void adaptive_rate_count(struct adaptive_rate *rate, struct mono now); /* one was sent */

/* So near the edge that a single refusal was to be expected. */
bool adaptive_rate_is_at_edge(const struct adaptive_rate *rate);

/* What was sent then says nothing of the rate since the last cut. */
bool adaptive_rate_is_stale(const struct adaptive_rate *rate, struct mono sent);

/* A refusal at the edge, or a few too many anywhere (`often`): a little less than the rate now. */
void adaptive_rate_ease(struct adaptive_rate *rate, bool often, struct mono now);

/* The server refuses this share of what is sent, and is to get nothing before `resume`: less than
 * what it took. */
void adaptive_rate_cut(struct adaptive_rate *rate, double refused_share, struct mono resume,
                       struct mono now);

/* The server took one. True if with it the configured rate is back. */
bool adaptive_rate_accepted(struct adaptive_rate *rate, struct mono now);

#endif
