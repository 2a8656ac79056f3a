/* mood/call_policy.h - another policy for a call under way. */
#ifndef MOOD_CALL_POLICY_H
#define MOOD_CALL_POLICY_H

#include "mood/call.h"

/* From now on the call is judged by these numbers, as one restored under them would be: sums and
 * CUSUM are carried anew, what a trend was stays, and an open episode stays open until it recovers.
 * The key of its texts and the room for utterances stay the call's own. */
void call_policy_set(struct call *call, const struct mood_policy *policy);

#endif
