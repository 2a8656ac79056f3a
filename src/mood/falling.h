/* mood/falling.h - whether a row of scores falls by more than accident.
 *
 * Mann's test of trend with Kendall's S (Econometrica 13, 1945), one-sided and exact: of all orders
 * in which these very scores could have come, ties kept, how many fall at least as much. Windows
 * hold a handful of utterances, where the usual normal approximation is wrong; up to FALLING_MAX
 * the exact count still fits 64 bits, and of more only the newest are asked. The slope is that of
 * Theil and Sen (JASA 63, 1968): the median over all pairs, which one outlier does not move.
 */
#ifndef MOOD_FALLING_H
#define MOOD_FALLING_H

#include <stddef.h>
#include <stdint.h>

/* 15! * MOOD_ONE < 2^63. */
enum { FALLING_MAX = 15 };

struct falling_point {
    int64_t at_ms;
    int64_t score; /* fixed point */
};

/* One minus the chance that scores in no order of time fall at least as much; fixed point. Points
 * in order of time, at most FALLING_MAX; 0 for fewer than two. */
int64_t falling_confidence(const struct falling_point *points, size_t count);

/* Change of score a minute, fixed point, to the nearest; 0 without two different times. */
int64_t falling_slope(const struct falling_point *points, size_t count);

#endif
