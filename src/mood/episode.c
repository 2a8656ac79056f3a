/* episode.c - see episode.h. Means are compared as sum against threshold times count: exactly. */
#include "mood/episode.h"

#include "mood/sustained.h"

static bool may_open(const struct episode *episode, const struct mood_policy *policy,
                     const struct judgement *judgement, struct call_now now)
{
    const struct window *window = &judgement->current;
    struct mono cooled = mono_after_ms(episode->cooling_from, policy->cooldown_ms);
    bool cooling = episode->is_cooling && !mono_reached(now.mono, cooled);
    bool fresh = judgement->reading.as_of_ms >= now.vendor_ms - policy->lateness_ms;
    bool low = window->sum < policy->alert_below * window->count;
    return !cooling && fresh && low && window->count >= policy->samples_min;
}

static enum episode_change judge_calm(struct episode *episode, const struct mood_policy *policy,
                                      const struct judgement *judgement, struct call_now now)
{
    bool declining = judgement->reading.trend == CALL_TREND_DECLINING;
    if (!declining && !sustained_is_low(policy, judgement->reading.sustained)) {
        return EPISODE_UNCHANGED;
    }
    if (!may_open(episode, policy, judgement, now)) {
        return EPISODE_UNCHANGED;
    }
    *episode = (struct episode){
        .number = episode->numbers + 1,
        .numbers = episode->numbers + 1,
        .is_open = true,
        .opened_ms = judgement->reading.as_of_ms,
        .told_ms = judgement->reading.as_of_ms,
        .alert.path = declining ? CALL_ALERT_DECLINING : CALL_ALERT_SUSTAINED_LOW,
        .is_cooling = true,
        .cooling_from = now.mono,
    };
    return EPISODE_OPENED;
}

static enum episode_change judge_open(struct episode *episode, const struct mood_policy *policy,
                                      const struct judgement *judgement, int64_t event_now_ms)
{
    const struct window *window = &judgement->current;
    if (window->sum <= policy->recover_above * window->count) {
        episode->is_above = false;
        return EPISODE_UNCHANGED;
    }
    if (!episode->is_above) {
        episode->is_above = true;
        episode->above_since_ms = judgement->reading.as_of_ms;
    }
    if (event_now_ms - episode->above_since_ms < policy->recover_hold_ms) {
        return EPISODE_UNCHANGED;
    }
    episode->is_open = false;
    episode->is_above = false;
    return EPISODE_RECOVERED;
}

enum episode_change episode_judge(struct episode *episode, const struct mood_policy *policy,
                                  const struct judgement *judgement, struct call_now now,
                                  int64_t event_now_ms)
{
    return episode->is_open ? judge_open(episode, policy, judgement, event_now_ms)
                            : judge_calm(episode, policy, judgement, now);
}

uint32_t episode_take_number(struct episode *episode)
{
    return ++episode->numbers;
}

void episode_deliver(struct episode *episode, uint32_t number, struct mono now)
{
    if (number > episode->number && number <= episode->numbers) {
        episode_cool(episode, now); /* a rule's */
        return;
    }
    if (number == 0 || number != episode->number || episode->is_delivered) {
        return;
    }
    episode->is_delivered = true;
    episode->cooling_from = now;
}

void episode_cool(struct episode *episode, struct mono delivered)
{
    if (!episode->is_cooling || delivered.us > episode->cooling_from.us) {
        episode->is_cooling = true;
        episode->cooling_from = delivered;
    }
}
