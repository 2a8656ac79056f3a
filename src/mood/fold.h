/* mood/fold.h - carries sum, CUSUM and trend along the utterances in event-time order.
 *
 * Each record keeps the state after it, so an utterance said last costs one step, and a late or
 * revised one is folded in from its place on: the outcome is that of an in-order replay.
 */
#ifndef MOOD_FOLD_H
#define MOOD_FOLD_H

#include "mood/policy.h"
#include "mood/transcript.h"

/* Makes the prefixes right from this event time on; those before it must be. Only utterances that
 * end after origin_ms add to the CUSUM. */
void fold_from(struct transcript *transcript, const struct mood_policy *policy, int64_t origin_ms,
               int64_t from_ms);

/* The sums alone, of all; each record keeps its trend. What a trend was when its windows reached
 * into what has been folded away since cannot be computed again. */
void fold_sums(struct transcript *transcript, const struct mood_policy *policy, int64_t origin_ms);

/* Forgets the CUSUM, as after an episode: for an origin at or after the newest judged end. */
void fold_restart_sustained(struct transcript *transcript);

#endif
