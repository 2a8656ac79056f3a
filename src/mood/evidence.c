/* evidence.c - see evidence.h. */
#include "mood/evidence.h"

#include "mood/fixed.h"

/* An utterance and what it takes from the mean, times a divisor that all share. */
struct pull {
    const struct utterance *utterance;
    int64_t amount;
};

/* Keeps the strongest in order. Utterances come in order of time, so among equals the first to
 * come stays in front. */
static uint32_t keep_strongest(struct pull *strongest, uint32_t count, struct pull candidate)
{
    uint32_t place = count;
    while (place > 0 && candidate.amount < strongest[place - 1].amount) {
        place--;
    }
    if (place == CALL_EVIDENCE_MAX) {
        return count;
    }
    if (count < CALL_EVIDENCE_MAX) {
        count++;
    }
    for (uint32_t i = count - 1; i > place; i--) {
        strongest[i] = strongest[i - 1];
    }
    strongest[place] = candidate;
    return count;
}

uint32_t evidence_collect(const struct transcript *transcript, const struct mood_policy *policy,
                          const struct judgement *judgement, enum call_alert_path path,
                          struct call_evidence out[CALL_EVIDENCE_MAX])
{
    const struct window *window = &judgement->current;
    struct pull strongest[CALL_EVIDENCE_MAX];
    uint32_t count = 0;
    /* A trend carried over from another policy, or past a fold, may have lost its earlier window.
     */
    bool declining = path == CALL_ALERT_DECLINING && judgement->previous.count > 0;
    int64_t sum = declining ? judgement->previous.sum : policy->sustained_reference;
    int64_t weight = declining ? judgement->previous.weight : 1;
    for (size_t i = window->from; i < window->to; i++) {
        const struct utterance *utterance = &transcript->items[i];
        if (transcript_counts(utterance)) {
            int64_t amount =
                window_weight(policy, utterance) * ((int64_t)utterance->score * weight - sum);
            count = keep_strongest(strongest, count, (struct pull){utterance, amount});
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct utterance *utterance = strongest[i].utterance;
        out[i] = (struct call_evidence){
            .start_ms = utterance->start_ms,
            .end_ms = utterance->end_ms,
            .speaker = SPEAKER_CUSTOMER,
            .score = utterance->score,
            .contribution = fixed_divide(strongest[i].amount, weight * window->weight),
        };
    }
    return count;
}
