/* net/adaptive_rate.h - how fast to send when the server's quota is not what was configured; pure.
 *
 * At first and as long as nothing is refused: the configured rate. A refusal (429) cuts it to 0.7
 * of what was sent; from there it grows along TCP's CUBIC curve (RFC 9438, with the constants of
 * the AWS SDK's adaptive retry mode): back near the old rate soon, flat around it, then faster and
 * faster, until the configured rate is reached or the next refusal comes.
 */
#ifndef NET_ADAPTIVE_RATE_H
#define NET_ADAPTIVE_RATE_H

#include "base/clock.h"

#include <stdbool.h>

struct adaptive_rate {
    double configured_rps;
    double rate_rps;     /* what may be sent now: 0.5 to configured_rps */
    double w_max_rps;    /* the rate at the last cut */
    double measured_rps; /* what was sent, over half-second spans, smoothed */
    unsigned sent;       /* in the span that began at `span` */
    struct mono span;
    struct mono cut;
    bool curbed; /* below the configured rate since `cut` */
};

void adaptive_rate_init(struct adaptive_rate *rate, double configured_rps, struct mono now);

void adaptive_rate_count(struct adaptive_rate *rate, struct mono now); /* one was sent */

/* The server refuses for its quota; nothing is to be sent before `resume`. What was sent before the
 * last cut says nothing new. True if the rate was cut. */
bool adaptive_rate_refused(struct adaptive_rate *rate, struct mono sent, struct mono resume,
                           struct mono now);

/* The server took one. True if with it the configured rate is back. */
bool adaptive_rate_accepted(struct adaptive_rate *rate, struct mono now);

#endif
