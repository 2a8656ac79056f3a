/* sustained.c - see sustained.h. */
#include "mood/sustained.h"

int64_t sustained_next(const struct mood_policy *policy, int64_t sum, int64_t score)
{
    int64_t next = sum + policy->sustained_reference - score;
    return next > 0 ? next : 0;
}

bool sustained_is_low(const struct mood_policy *policy, int64_t sum)
{
    return sum > policy->sustained_limit;
}
