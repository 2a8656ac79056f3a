/* evidence.c - see evidence.h. */
#include "mood/evidence.h"

#include "mood/fixed.h"

/* Keeps the lowest scores in order; within one window the score orders as the contribution does.
 * Utterances come in order of time, so among equals the first to come stays in front. */
static uint32_t keep_lowest(const struct utterance **lowest, uint32_t count,
                            const struct utterance *candidate)
{
    uint32_t place = count;
    while (place > 0 && candidate->score < lowest[place - 1]->score) {
        place--;
    }
    if (place == CALL_EVIDENCE_MAX) {
        return count;
    }
    if (count < CALL_EVIDENCE_MAX) {
        count++;
    }
    for (uint32_t i = count - 1; i > place; i--) {
        lowest[i] = lowest[i - 1];
    }
    lowest[place] = candidate;
    return count;
}

uint32_t evidence_collect(const struct transcript *transcript, const struct mood_policy *policy,
                          const struct judgement *judgement, enum call_alert_path path,
                          struct call_evidence out[CALL_EVIDENCE_MAX])
{
    const struct window *window = &judgement->current;
    const struct utterance *lowest[CALL_EVIDENCE_MAX];
    uint32_t count = 0;
    for (size_t i = window->from; i < window->to; i++) {
        if (transcript_counts(&transcript->items[i])) {
            count = keep_lowest(lowest, count, &transcript->items[i]);
        }
    }
    /* A trend carried over from another policy, or past a fold, may have lost its earlier window.
     */
    bool declining = path == CALL_ALERT_DECLINING && judgement->previous.count > 0;
    int64_t sum = declining ? judgement->previous.sum : policy->sustained_reference;
    int64_t samples = declining ? judgement->previous.count : 1;
    for (uint32_t i = 0; i < count; i++) {
        int64_t score = lowest[i]->score;
        out[i] = (struct call_evidence){
            .start_ms = lowest[i]->start_ms,
            .end_ms = lowest[i]->end_ms,
            .speaker = SPEAKER_CUSTOMER,
            .score = score,
            .contribution = fixed_divide(score * samples - sum, samples * window->count),
        };
    }
    return count;
}
