/* policy.c - the default numbers, and the ranges within which the arithmetic is exact.
 *
 * A configuration is checked where it is read, with a message a person can act on. The clamp here
 * is the last line: whatever numbers come in, sums and products of the judgement fit 64 bits. */
#include "mood/policy.h"

/* About 31 000 years: more than any sane setting, and far from overflow beside epoch times. */
static const int64_t policy_ms_max = 1000000000000000;

void mood_policy_default(struct mood_policy *policy)
{
    *policy = (struct mood_policy){
        .window_ms = 30000,
        .window_widest_ms = 120000,
        .window_utterances = 3,
        .samples_min = 2,
        .weighting = MOOD_WEIGHTING_NONE,
        .trend_enter = 50000,
        .trend_leave = 30000,
        .trend_confidence = 650000,
        .alert_below = 280000,
        .confirm_below = 350000,
        .confirm_count = 2,
        .confirm_of = 4,
        .calm_share = 80000,
        .defer_above = 350000,
        .recover_above = 450000,
        .recover_hold_ms = 10000,
        .cooldown_ms = 15000,
        .sustained_reference = 460000,
        .sustained_limit = 900000,
        .supervisor_limit = 1400000,
        .remind_ms = 0,
        .lateness_ms = 60000,
        .future_tolerance_ms = 5000,
        .utterances_max = 4096,
        .score_agent = false,
    };
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

void mood_policy_clamp(struct mood_policy *policy)
{
    const int64_t count_max = MOOD_UTTERANCES_MAX;
    policy->window_ms = clamp(policy->window_ms, 1, policy_ms_max);
    policy->window_widest_ms = clamp(policy->window_widest_ms, policy->window_ms, policy_ms_max);
    policy->window_utterances = (uint32_t)clamp(policy->window_utterances, 1, count_max);
    policy->samples_min = (uint32_t)clamp(policy->samples_min, 1, count_max);
    policy->trend_enter = clamp(policy->trend_enter, 0, MOOD_ONE);
    policy->trend_leave = clamp(policy->trend_leave, 0, MOOD_ONE);
    policy->trend_confidence = clamp(policy->trend_confidence, 0, MOOD_ONE);
    policy->alert_below = clamp(policy->alert_below, 0, MOOD_ONE + 1);
    policy->confirm_below = clamp(policy->confirm_below, 0, MOOD_ONE + 1);
    policy->confirm_of = (uint32_t)clamp(policy->confirm_of, 1, MOOD_CONFIRM_MAX);
    policy->confirm_count = (uint32_t)clamp(policy->confirm_count, 0, policy->confirm_of);
    policy->calm_share = clamp(policy->calm_share, 0, MOOD_ONE);
    policy->defer_above = clamp(policy->defer_above, -1, MOOD_ONE);
    policy->recover_above = clamp(policy->recover_above, -1, MOOD_ONE);
    policy->recover_hold_ms = clamp(policy->recover_hold_ms, 0, policy_ms_max);
    policy->cooldown_ms = clamp(policy->cooldown_ms, 0, policy_ms_max);
    policy->sustained_reference = clamp(policy->sustained_reference, 0, MOOD_ONE);
    policy->sustained_limit = clamp(policy->sustained_limit, 0, INT64_MAX);
    policy->supervisor_limit = clamp(policy->supervisor_limit, 0, INT64_MAX);
    policy->remind_ms = clamp(policy->remind_ms, 0, policy_ms_max);
    policy->lateness_ms = clamp(policy->lateness_ms, 0, policy_ms_max);
    policy->future_tolerance_ms = clamp(policy->future_tolerance_ms, 0, policy_ms_max);
    policy->utterances_max =
        (uint32_t)clamp(policy->utterances_max, MOOD_UTTERANCES_MIN, count_max);
}
