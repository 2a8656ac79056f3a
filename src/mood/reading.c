/* reading.c - see reading.h. Silence changes nothing here: event time stands still with it, so a
 * quiet customer keeps the last mood and is never taken for a neutral one. */
#include "mood/reading.h"

#include "mood/fixed.h"

bool reading_take(const struct transcript *transcript, const struct mood_policy *policy,
                  struct judgement *judgement)
{
    int64_t end_ms;
    if (!transcript_newest(transcript, &end_ms)) {
        return false;
    }
    struct window current = window_at(transcript, policy, end_ms);
    struct window previous = window_before(transcript, policy, end_ms, &current);
    struct prefix state = transcript_prefix(transcript, current.to);
    int64_t difference = 0;
    if (current.count >= policy->samples_min && previous.count >= policy->samples_min) {
        struct window_gap gap = window_compare(&current, &previous);
        difference = fixed_divide(gap.dividend, gap.divisor);
    }
    *judgement = (struct judgement){
        .reading =
            {
                .score = window_mean(&current),
                .trend = state.trend,
                .difference = difference,
                .samples = current.count,
                .utterances = state.rank,
                .as_of_ms = end_ms,
                .sustained = state.sustained,
                .score_before = previous.count > 0 ? window_mean(&previous) : 0,
                .samples_before = previous.count,
            },
        .current = current,
        .previous = previous,
    };
    return true;
}

bool reading_equals(const struct call_reading *a, const struct call_reading *b)
{
    return a->score == b->score && a->trend == b->trend && a->difference == b->difference &&
           a->samples == b->samples && a->utterances == b->utterances &&
           a->as_of_ms == b->as_of_ms && a->sustained == b->sustained &&
           a->score_before == b->score_before && a->samples_before == b->samples_before;
}
