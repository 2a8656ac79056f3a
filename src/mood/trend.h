/* mood/trend.h - improving, stable or declining, with hysteresis. */
#ifndef MOOD_TREND_H
#define MOOD_TREND_H

#include "mood/window.h"

/* The trend after one event time, given the trend before it. A trend is entered strictly beyond
 * trend_enter and left strictly within trend_leave; the comparison is exact. Too thin a window on
 * either side means stable. */
enum call_trend trend_next(const struct mood_policy *policy, enum call_trend trend,
                           const struct window *current, const struct window *previous);

#endif
