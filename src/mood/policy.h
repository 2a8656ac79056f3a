/* mood/policy.h - every number the judgement depends on. Scores are fixed point: 1 000 000 is 1.0,
 * so that sums are exact and do not depend on the order of arrival. */
#ifndef MOOD_POLICY_H
#define MOOD_POLICY_H

#include "base/keyhash.h"

#include <stdbool.h>
#include <stdint.h>

enum { MOOD_ONE = 1000000 };

/* Bounds of utterances_max: a quarter must be something, and an ordinal has 16 bits. */
enum { MOOD_UTTERANCES_MIN = 8, MOOD_UTTERANCES_MAX = 65535 };

/* Most of the newest utterances that a confirmation looks at. */
enum { MOOD_CONFIRM_MAX = 16 };

/* A minute of complaint may weigh more than a word of it. */
enum mood_weighting {
    MOOD_WEIGHTING_NONE,     /* each utterance counts once */
    MOOD_WEIGHTING_DURATION, /* its whole seconds, 1 to 30 */
};

struct mood_policy {
    int64_t window_ms;        /* 30 000: current window is (T - w, T], T an utterance's end */
    int64_t window_widest_ms; /* 120 000: a thin window is widened back at most to (T - 120 s, T] */
    uint32_t window_utterances;    /* 3: a window with fewer is thin */
    uint32_t samples_min;          /* 2: fewer in either window: trend stable, no alert */
    enum mood_weighting weighting; /* none: of utterances in a window's mean */
    int64_t trend_enter;           /* 50 000: |difference of means| above this enters a trend */
    int64_t trend_leave;           /* 30 000: below this leaves it */
    int64_t trend_confidence;      /* least confidence of an alert's decline, by falling.h */
    int64_t alert_below;           /* 280 000: a window mean must be strictly below to alert */
    int64_t confirm_below;         /* an utterance strictly below is low */
    uint32_t confirm_count;        /* so many low ones ... */
    uint32_t confirm_of;           /* ... among so many newest are wanted for an alert; 1..16 */
    int64_t calm_share;      /* of low utterances in calm calls, as measured: for the confidence */
    int64_t defer_above;     /* the newest one strictly above: a recovery may be under way, wait */
    int64_t recover_above;   /* 450 000: strictly above, for recover_hold_ms, ends an episode */
    int64_t recover_hold_ms; /* 10 000 */
    int64_t cooldown_ms;     /* 15 000 from confirmed delivery to the next episode */
    int64_t sustained_reference; /* 460 000: CUSUM reference k: S = max(0, S + k - score) */
    int64_t sustained_limit;     /* 900 000: CUSUM decision limit h: S above it is sustained low */
    int64_t supervisor_limit;    /* S above it concerns a supervisor */
    int64_t remind_ms;           /* 0: never; else from one telling of a bad call to the next */
    int64_t lateness_ms; /* 60 000: an utterance that ended longer ago never opens an alert */
    int64_t future_tolerance_ms; /* 5 000: an end later than vendor time plus this is clamped */
    uint32_t utterances_max;     /* 4 096 remembered per call; the oldest quarter is folded away */
    bool score_agent;            /* false: only the customer is scored */
    /* Of the hashes by which texts are told apart; secret where a call is kept in a file. */
    unsigned char identity_key[KEYHASH_SHORT_KEY_BYTES];
};

void mood_policy_default(struct mood_policy *policy);

/* Brings every number into the range in which the judgement's arithmetic is exact. */
void mood_policy_clamp(struct mood_policy *policy);

#endif
