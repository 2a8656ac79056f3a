/* window.c - see window.h.
 *
 * Nothing slides: a window is found anew each time by binary search, and its sum is the difference
 * of two exact integer prefixes, so nothing can be left behind in it. */
#include "mood/window.h"

#include "mood/fixed.h"

/* Where the newest `wanted` judged utterances below `to` begin, ties at their oldest included. */
static size_t newest_from(const struct transcript *transcript, size_t to, uint32_t wanted)
{
    uint32_t rank = transcript_prefix(transcript, to).rank;
    if (rank - transcript->base.rank < wanted) {
        return 0;
    }
    size_t oldest = transcript_at_rank(transcript, rank - wanted + 1, to);
    return transcript_upper(transcript, transcript->items[oldest].end_ms - 1);
}

int64_t window_weight(const struct mood_policy *policy, const struct utterance *utterance)
{
    const int64_t heaviest = 30; /* 65 535 of these and MOOD_ONE: products still fit 64 bits */
    int64_t seconds = (utterance->end_ms - utterance->start_ms) / 1000;
    if (policy->weighting == MOOD_WEIGHTING_NONE || seconds < 1) {
        return 1;
    }
    return seconds < heaviest ? seconds : heaviest;
}

/* Weights are not among the prefixes: few ask for them, and a window is short. */
static void weigh(const struct transcript *transcript, const struct mood_policy *policy,
                  struct window *window)
{
    window->sum = 0;
    window->weight = 0;
    for (size_t i = window->from; i < window->to; i++) {
        const struct utterance *utterance = &transcript->items[i];
        if (transcript_counts(utterance)) {
            int64_t weight = window_weight(policy, utterance);
            window->sum += weight * utterance->score;
            window->weight += weight;
        }
    }
}

struct window window_at(const struct transcript *transcript, const struct mood_policy *policy,
                        int64_t end_ms)
{
    struct window window = {
        .from = transcript_upper(transcript, end_ms - policy->window_ms),
        .to = transcript_upper(transcript, end_ms),
    };
    struct prefix last = transcript_prefix(transcript, window.to);
    struct prefix first = transcript_prefix(transcript, window.from);
    window.thin = last.rank - first.rank < policy->window_utterances;
    if (window.thin) {
        size_t newest = newest_from(transcript, window.to, policy->window_utterances);
        size_t widest = transcript_upper(transcript, end_ms - policy->window_widest_ms);
        window.from = newest > widest ? newest : widest;
        first = transcript_prefix(transcript, window.from);
    }
    window.sum = last.sum - first.sum;
    window.count = last.rank - first.rank;
    window.weight = window.count;
    if (policy->weighting != MOOD_WEIGHTING_NONE) {
        weigh(transcript, policy, &window);
    }
    return window;
}

struct window window_before(const struct transcript *transcript, const struct mood_policy *policy,
                            int64_t end_ms, const struct window *current)
{
    int64_t before_ms = end_ms - policy->window_ms;
    if (current->thin && current->count > 0) {
        uint32_t rank = transcript_prefix(transcript, current->from).rank + 1;
        size_t oldest = transcript_at_rank(transcript, rank, current->to);
        before_ms = transcript->items[oldest].end_ms - 1;
    }
    return window_at(transcript, policy, before_ms);
}

int64_t window_mean(const struct window *window)
{
    return fixed_divide(window->sum, window->weight);
}

struct window_gap window_compare(const struct window *current, const struct window *previous)
{
    return (struct window_gap){
        .dividend = current->sum * previous->weight - previous->sum * current->weight,
        .divisor = current->weight * previous->weight,
    };
}
