/* mood/window.h - which utterances are averaged at an event time T.
 *
 * The current window holds the judged utterances that end in (T - window_ms, T]. With fewer than
 * window_utterances it is thin, and its lower bound moves back to take in the newest
 * window_utterances that end by T (those that end together with the last of them too), but never to
 * T - window_widest_ms. The previous window follows the same rule at T' = T - window_ms, or just
 * before the oldest utterance of a thin current window, so that the two never overlap.
 */
#ifndef MOOD_WINDOW_H
#define MOOD_WINDOW_H

#include "mood/policy.h"
#include "mood/transcript.h"

struct window {
    size_t from; /* places in the transcript: [from, to) */
    size_t to;
    int64_t sum;    /* of scores, each times its weight */
    int64_t weight; /* of all; the count where they are not weighted */
    uint32_t count;
    bool thin; /* fewer than window_utterances within window_ms */
};

/* What an utterance weighs in a mean: 1, or by policy its whole seconds, 1 to 30. */
int64_t window_weight(const struct mood_policy *policy, const struct utterance *utterance);

/* The transcript's prefixes must be right up to end_ms. */
struct window window_at(const struct transcript *transcript, const struct mood_policy *policy,
                        int64_t end_ms);

/* The window before `current`, which is the one at end_ms. */
struct window window_before(const struct transcript *transcript, const struct mood_policy *policy,
                            int64_t end_ms, const struct window *current);

/* The mean, to the nearest fixed-point number; the window must not be empty. */
int64_t window_mean(const struct window *window);

/* Mean of current minus mean of previous, exactly, as dividend / divisor; neither empty. */
struct window_gap {
    int64_t dividend;
    int64_t divisor;
};

struct window_gap window_compare(const struct window *current, const struct window *previous);

#endif
