/* mood/sustained.h - a customer who was never happy has no decline to detect.
 *
 * A one-sided cumulative sum (Page, "Continuous Inspection Schemes", Biometrika 41, 1954): each
 * utterance adds how far it lies below the reference, good ones pay back, and the sum never goes
 * below zero. One very bad utterance stays under the limit; several in a row pass it.
 */
#ifndef MOOD_SUSTAINED_H
#define MOOD_SUSTAINED_H

#include "mood/policy.h"

/* The sum after an utterance of this score. */
int64_t sustained_next(const struct mood_policy *policy, int64_t sum, int64_t score);

/* Whether the sum is above the decision limit. */
bool sustained_is_low(const struct mood_policy *policy, int64_t sum);

#endif
