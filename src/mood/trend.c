/* trend.c - see trend.h; and the names of trends. */
#include "mood/trend.h"

enum call_trend trend_next(const struct mood_policy *policy, enum call_trend trend,
                           const struct window *current, const struct window *previous)
{
    if (current->count < policy->samples_min || previous->count < policy->samples_min) {
        return CALL_TREND_STABLE;
    }
    struct window_gap gap = window_compare(current, previous);
    int64_t enter = policy->trend_enter * gap.divisor;
    int64_t leave = policy->trend_leave * gap.divisor;
    if (gap.dividend > enter) {
        return CALL_TREND_IMPROVING;
    }
    if (gap.dividend < -enter) {
        return CALL_TREND_DECLINING;
    }
    bool stays = (trend == CALL_TREND_IMPROVING && gap.dividend >= leave) ||
                 (trend == CALL_TREND_DECLINING && gap.dividend <= -leave);
    return stays ? trend : CALL_TREND_STABLE;
}
