/* mood/summary.h - one call in a few numbers, when it is over. */
#ifndef MOOD_SUMMARY_H
#define MOOD_SUMMARY_H

#include "mood/call.h"

struct summary {
    uint32_t utterances; /* customer utterances judged */
    int64_t mean;        /* of their scores, fixed point: each counts once, however long */
    int64_t lowest;      /* window mean at any of them */
    int64_t low_ms;      /* how long the window mean stayed below policy->alert_below */
};

/* False if nothing was judged. The mean is over the whole call; lowest and low_ms are over what is
 * remembered of it (policy->utterances_max). Time is an utterance's end to the next one's, at most
 * policy->window_widest_ms: beyond that nobody knows. */
bool summary_take(const struct call *call, struct summary *summary);

#endif
