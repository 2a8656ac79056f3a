/* fold.c - see fold.h.
 *
 * Utterances that end in the same millisecond are one event time: all of them are summed before the
 * trend takes its one step, so their order of arrival cannot matter. */
#include "mood/fold.h"

#include "mood/sustained.h"
#include "mood/trend.h"
#include "mood/window.h"

static void carry(struct prefix *state, struct utterance *utterance,
                  const struct mood_policy *policy, int64_t origin_ms)
{
    if (transcript_counts(utterance)) {
        state->sum += utterance->score;
        state->rank++;
        if (utterance->end_ms > origin_ms) {
            state->sustained = sustained_next(policy, state->sustained, utterance->score);
        }
    }
    utterance->sum = state->sum;
    utterance->rank = state->rank;
    utterance->sustained = state->sustained;
}

static enum call_trend trend_at(const struct transcript *transcript,
                                const struct mood_policy *policy, int64_t end_ms,
                                enum call_trend before)
{
    struct window current = window_at(transcript, policy, end_ms);
    struct window previous = window_before(transcript, policy, end_ms, &current);
    return trend_next(policy, before, &current, &previous);
}

void fold_from(struct transcript *transcript, const struct mood_policy *policy, int64_t origin_ms,
               int64_t from_ms)
{
    size_t at = transcript_upper(transcript, from_ms - 1);
    struct prefix state = transcript_prefix(transcript, at);
    while (at < transcript->count) {
        int64_t end_ms = transcript->items[at].end_ms;
        uint32_t rank = state.rank;
        size_t next = at;
        while (next < transcript->count && transcript->items[next].end_ms == end_ms) {
            carry(&state, &transcript->items[next], policy, origin_ms);
            next++;
        }
        if (state.rank != rank) {
            state.trend = trend_at(transcript, policy, end_ms, state.trend);
        }
        for (; at < next; at++) {
            struct utterance *utterance = &transcript->items[at];
            if (utterance->trend != (uint32_t)state.trend) {
                transcript_touch(transcript, utterance->number);
            }
            utterance->trend = (uint32_t)state.trend & 3u;
        }
    }
}

void fold_sums(struct transcript *transcript, const struct mood_policy *policy, int64_t origin_ms)
{
    struct prefix state = transcript->base;
    for (size_t i = 0; i < transcript->count; i++) {
        carry(&state, &transcript->items[i], policy, origin_ms);
    }
}

void fold_restart_sustained(struct transcript *transcript)
{
    transcript->base.sustained = 0;
    for (size_t i = 0; i < transcript->count; i++) {
        transcript->items[i].sustained = 0;
    }
}
