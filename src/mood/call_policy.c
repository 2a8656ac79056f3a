/* call_policy.c - see call_policy.h. Nothing is judged here: the next event does that. */
#include "mood/call_policy.h"

#include "mood/call_internal.h"
#include "mood/fold.h"

void call_policy_set(struct call *call, const struct mood_policy *policy)
{
    struct mood_policy next = *policy;
    next.utterances_max = call->policy.utterances_max;
    for (int i = 0; i < KEYHASH_SHORT_KEY_BYTES; i++) {
        next.identity_key[i] = call->policy.identity_key[i];
    }
    mood_policy_clamp(&next);
    call->policy = next;
    fold_sums(&call->transcript, &call->policy, call->origin_ms);
}
