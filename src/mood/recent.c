/* recent.c - see recent.h. Powers are rounded to fixed point at each step, the same everywhere. */
#include "mood/recent.h"

#include "mood/fixed.h"

struct recent recent_take(const struct transcript *transcript, const struct mood_policy *policy,
                          size_t to)
{
    struct recent recent = {0};
    for (size_t i = to; i > 0 && recent.count < policy->confirm_of; i--) {
        const struct utterance *utterance = &transcript->items[i - 1];
        if (!transcript_counts(utterance)) {
            continue;
        }
        recent.newest = recent.count == 0 ? (int64_t)utterance->score : recent.newest;
        recent.low += (int64_t)utterance->score < policy->confirm_below;
        recent.count++;
    }
    return recent;
}

static int64_t power(int64_t base, uint32_t exponent)
{
    int64_t result = MOOD_ONE;
    for (uint32_t i = 0; i < exponent; i++) {
        result = fixed_divide(result * base, MOOD_ONE);
    }
    return result;
}

int64_t recent_confidence(uint32_t low, uint32_t count, int64_t share)
{
    int64_t ways = 1; /* count choose i */
    int64_t chance = 0;
    for (uint32_t i = 0; i < low; i++) {
        chance +=
            ways * fixed_divide(power(share, i) * power(MOOD_ONE - share, count - i), MOOD_ONE);
        ways = ways * (count - i) / (i + 1);
    }
    return chance < MOOD_ONE ? chance : MOOD_ONE;
}
