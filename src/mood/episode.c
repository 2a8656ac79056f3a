/* episode.c - see episode.h. Means are compared as sum against threshold times weight: exactly. */
#include "mood/episode.h"

#include "mood/falling.h"
#include "mood/recent.h"
#include "mood/sustained.h"

#include <string.h>

/* What a judgement rests on. */
struct grounds {
    const struct mood_policy *policy;
    const struct transcript *transcript;
    const struct judgement *judgement;
    struct call_now now;
    int64_t event_now_ms;
};

static bool is_low(const struct grounds *grounds)
{
    const struct window *window = &grounds->judgement->current;
    return window->sum < grounds->policy->alert_below * window->weight;
}

static bool may_open(const struct episode *episode, const struct grounds *grounds)
{
    const struct mood_policy *policy = grounds->policy;
    const struct judgement *judgement = grounds->judgement;
    struct mono cooled = mono_after_ms(episode->cooling_from, policy->cooldown_ms);
    bool cooling = episode->is_cooling && !mono_reached(grounds->now.mono, cooled);
    bool fresh = judgement->reading.as_of_ms >= grounds->now.vendor_ms - policy->lateness_ms;
    return !cooling && fresh && is_low(grounds) && judgement->current.count >= policy->samples_min;
}

/* The newest judged utterances of both windows, in order of time. */
static size_t take_points(const struct grounds *grounds, struct falling_point points[FALLING_MAX])
{
    const struct utterance *items = grounds->transcript->items;
    const struct window *previous = &grounds->judgement->previous;
    const struct window *current = &grounds->judgement->current;
    size_t first = previous->count > 0 ? previous->from : current->from;
    size_t count = 0;
    for (size_t i = current->to; i > first && count < FALLING_MAX; i--) {
        if (transcript_counts(&items[i - 1])) {
            count++;
            points[FALLING_MAX - count] =
                (struct falling_point){items[i - 1].end_ms, (int64_t)items[i - 1].score};
        }
    }
    memmove(points, points + FALLING_MAX - count, count * sizeof points[0]);
    return count;
}

static enum call_tier tier_of(const struct grounds *grounds)
{
    return grounds->judgement->reading.sustained > grounds->policy->supervisor_limit
               ? CALL_TIER_SUPERVISOR
               : CALL_TIER_AGENT;
}

/* What alert the judgement amounts to; false if none. */
static bool find_alert(const struct grounds *grounds, struct call_alert *alert)
{
    struct falling_point points[FALLING_MAX];
    const struct mood_policy *policy = grounds->policy;
    const struct call_reading *reading = &grounds->judgement->reading;
    struct recent recent = recent_take(grounds->transcript, policy, grounds->judgement->current.to);
    if (recent.low < policy->confirm_count || recent.newest > policy->defer_above) {
        return false;
    }
    size_t count = take_points(grounds, points);
    int64_t falling = falling_confidence(points, count);
    bool declining = reading->trend == CALL_TREND_DECLINING && falling >= policy->trend_confidence;
    if (!declining && !sustained_is_low(policy, reading->sustained)) {
        return false;
    }
    *alert = (struct call_alert){
        .path = declining ? CALL_ALERT_DECLINING : CALL_ALERT_SUSTAINED_LOW,
        .tier = tier_of(grounds),
        .confidence =
            declining ? falling : recent_confidence(recent.low, recent.count, policy->calm_share),
        .slope = falling_slope(points, count),
    };
    return true;
}

static enum episode_change judge_calm(struct episode *episode, const struct grounds *grounds)
{
    const struct call_reading *reading = &grounds->judgement->reading;
    struct call_alert alert;
    bool reason = reading->trend == CALL_TREND_DECLINING ||
                  sustained_is_low(grounds->policy, reading->sustained);
    if (!reason || !may_open(episode, grounds) || !find_alert(grounds, &alert)) {
        return EPISODE_UNCHANGED;
    }
    *episode = (struct episode){
        .number = episode->numbers + 1,
        .numbers = episode->numbers + 1,
        .is_open = true,
        .opened_ms = reading->as_of_ms,
        .told_ms = reading->as_of_ms,
        .alert = alert,
        .is_cooling = true,
        .cooling_from = grounds->now.mono,
    };
    return EPISODE_OPENED;
}

/* Still bad: worse than was told, or told of long ago. */
static enum episode_change judge_low(struct episode *episode, const struct grounds *grounds)
{
    int64_t remind_ms = grounds->policy->remind_ms;
    if (!is_low(grounds)) {
        return EPISODE_UNCHANGED;
    }
    if (tier_of(grounds) > episode->alert.tier) {
        episode->alert.tier = CALL_TIER_SUPERVISOR;
        episode->told_ms = grounds->event_now_ms;
        return EPISODE_RAISED;
    }
    if (remind_ms > 0 && grounds->event_now_ms - episode->told_ms >= remind_ms) {
        episode->told_ms = grounds->event_now_ms;
        return EPISODE_REMINDED;
    }
    return EPISODE_UNCHANGED;
}

static enum episode_change judge_open(struct episode *episode, const struct grounds *grounds)
{
    const struct window *window = &grounds->judgement->current;
    if (window->sum <= grounds->policy->recover_above * window->weight) {
        episode->is_above = false;
        return judge_low(episode, grounds);
    }
    if (!episode->is_above) {
        episode->is_above = true;
        episode->above_since_ms = grounds->judgement->reading.as_of_ms;
    }
    if (grounds->event_now_ms - episode->above_since_ms < grounds->policy->recover_hold_ms) {
        return EPISODE_UNCHANGED;
    }
    episode->is_open = false;
    episode->is_above = false;
    return EPISODE_RECOVERED;
}

enum episode_change episode_judge(struct episode *episode, const struct mood_policy *policy,
                                  const struct transcript *transcript,
                                  const struct judgement *judgement, struct call_now now,
                                  int64_t event_now_ms)
{
    const struct grounds grounds = {policy, transcript, judgement, now, event_now_ms};
    return episode->is_open ? judge_open(episode, &grounds) : judge_calm(episode, &grounds);
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
