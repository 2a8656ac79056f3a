/* summary.c - see summary.h. Computed from the history once, at the end, not carried along: so late
 * and revised utterances need no second thought. */
#include "mood/summary.h"

#include "mood/call_internal.h"
#include "mood/fixed.h"
#include "mood/window.h"

bool summary_take(const struct call *call, struct summary *summary)
{
    const struct transcript *transcript = &call->transcript;
    const struct mood_policy *policy = &call->policy;
    struct prefix all = transcript_prefix(transcript, transcript->count);
    int64_t end_ms;
    *summary = (struct summary){.lowest = MOOD_ONE};
    if (all.rank == 0 || !transcript_newest(transcript, &end_ms)) {
        return false;
    }
    summary->utterances = all.rank;
    summary->mean = fixed_divide(all.sum, all.rank);
    int64_t low_since_ms = -1; /* the end before, if the mean was low there */
    for (size_t i = 0; i < transcript->count; i++) {
        const struct utterance *utterance = &transcript->items[i];
        if (!transcript_counts(utterance)) {
            continue;
        }
        if (low_since_ms >= 0) {
            int64_t passed_ms = utterance->end_ms - low_since_ms;
            summary->low_ms +=
                passed_ms < policy->window_widest_ms ? passed_ms : policy->window_widest_ms;
        }
        struct window window = window_at(transcript, policy, utterance->end_ms);
        int64_t mean = window_mean(&window);
        summary->lowest = mean < summary->lowest ? mean : summary->lowest;
        low_since_ms = mean < policy->alert_below ? utterance->end_ms : -1;
    }
    return true;
}
