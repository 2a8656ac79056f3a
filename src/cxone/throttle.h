/* cxone/throttle.h - whether refusals that no call's own quota explains (cxone/call_pace) mean the
 * client's; pure.
 *
 * A few strewn among many good answers mean nothing. Several different interactions refused, and at
 * least one answer in twelve of late, mean that much less is given than is sent; one in sixty over
 * a long time, that a little less is. */
#ifndef CXONE_THROTTLE_H
#define CXONE_THROTTLE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { THROTTLE_DISTINCT = 3 };

enum throttle_verdict {
    THROTTLE_CHANCE,
    THROTTLE_SOME,
    THROTTLE_MANY,
};

/* Answers, looked at over this span and the one before it. */
struct throttle_span {
    struct mono begun;
    unsigned accepted;
    unsigned refused;
};

struct throttle {
    uint64_t recent[THROTTLE_DISTINCT]; /* hashes of interactions refused, no two alike */
    size_t count;
    struct throttle_span brief[2]; /* this one and the last */
    struct throttle_span lengthy[2];
};

/* After a cut: what came before it says nothing of what is sent now. */
void throttle_reset(struct throttle *throttle, struct mono now);

/* After a small step back: how the long time went on is still of interest. */
void throttle_eased(struct throttle *throttle, struct mono now);

/* One answer that was no refusal. */
void throttle_accepted(struct throttle *throttle, struct mono now);

/* One 429, and what they come to by now; *share is that of answers refused lately. */
enum throttle_verdict throttle_refused(struct throttle *throttle, uint64_t interaction,
                                       double *share, struct mono now);

#endif
