/* mood/recent.h - how many of a customer's newest utterances are low.
 *
 * A mean can be low because of one outburst; an alert also wants several low ones among the newest.
 * How sure that is: the chance that a calm call shows fewer, each of its utterances being low with
 * the same small probability (a binomial test).
 */
#ifndef MOOD_RECENT_H
#define MOOD_RECENT_H

#include "mood/policy.h"
#include "mood/transcript.h"

struct recent {
    uint32_t count; /* judged utterances looked at, at most policy->confirm_of */
    uint32_t low;   /* of those, with a score below policy->confirm_below */
    int64_t newest; /* score of the last of them */
};

/* The newest judged utterances among those before `to`. */
struct recent recent_take(const struct transcript *transcript, const struct mood_policy *policy,
                          size_t to);

/* The chance that fewer than `low` of `count` are low where each is with chance `share`; fixed
 * point, as is share. count <= MOOD_CONFIRM_MAX. */
int64_t recent_confidence(uint32_t low, uint32_t count, int64_t share);

#endif
