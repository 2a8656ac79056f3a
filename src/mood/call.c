/* call.c - the step: events in, effects out. See call.h.
 *
 * Each event is first prepared (all memory it may need), then applied (which cannot fail), then the
 * call is settled: the newest event time is noted, a changed reading is published, and the alert is
 * judged once everything said up to now is known. The parts live in files of their own: intake and
 * identity (replies), fold (history), window, trend, sustained, reading, episode, evidence; what a
 * later process needs is written and read by call_save. */
#include "mood/call.h"

#include "mood/call_effects.h"
#include "mood/call_internal.h"
#include "mood/evidence.h"
#include "mood/fold.h"
#include "mood/intake.h"
#include "mood/reading.h"

#include <stdlib.h>

/* READING, and ALERT or RECOVERED. */
enum { CALL_EFFECTS_SETTLED_MAX = 2 };

struct call *call_create(const struct mood_policy *policy)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call) {
        return NULL;
    }
    call->policy = *policy;
    mood_policy_clamp(&call->policy);
    transcript_init(&call->transcript, call->policy.utterances_max);
    return call;
}

void call_destroy(struct call *call)
{
    if (call) {
        transcript_done(&call->transcript);
        free(call);
    }
}

/* Event time goes on with the monotonic clock while nothing newer is judged. */
static int64_t event_now_ms(const struct call *call, struct mono now)
{
    int64_t passed_ms = mono_ms_between(call->newest_since, now);
    int64_t sum;
    if (passed_ms <= 0) {
        return call->newest_ms;
    }
    return __builtin_add_overflow(call->newest_ms, passed_ms, &sum) ? INT64_MAX : sum;
}

static void note_newest(struct call *call, struct mono now)
{
    int64_t newest_ms;
    if (transcript_newest(&call->transcript, &newest_ms) && newest_ms != call->newest_ms) {
        call->newest_ms = newest_ms;
        call->newest_since = now;
    }
}

static void publish(struct call *call, const struct call_reading *reading,
                    struct call_effects *effects)
{
    call->published = *reading;
    call->has_published = true;
    call_effects_append(effects, CALL_EFFECT_READING)->reading = *reading;
}

static void judge(struct call *call, struct call_now now, const struct judgement *judgement,
                  struct call_effects *effects)
{
    struct episode *episode = &call->episode;
    if (call->held && !episode->is_open) {
        return;
    }
    static const enum call_effect_kind kinds[] = {
        [EPISODE_OPENED] = CALL_EFFECT_ALERT,
        [EPISODE_RAISED] = CALL_EFFECT_RAISED,
        [EPISODE_REMINDED] = CALL_EFFECT_REMINDED,
        [EPISODE_RECOVERED] = CALL_EFFECT_RECOVERED,
    };
    enum episode_change change = episode_judge(episode, &call->policy, &call->transcript, judgement,
                                               now, event_now_ms(call, now.mono));
    if (change == EPISODE_UNCHANGED) {
        return;
    }
    struct call_effect *effect = call_effects_append(effects, kinds[change]);
    effect->reading = judgement->reading;
    effect->episode = episode->number;
    effect->alert = episode->alert;
    if (change != EPISODE_RECOVERED) {
        effect->evidence_count = evidence_collect(&call->transcript, &call->policy, judgement,
                                                  episode->alert.path, effect->evidence);
    } else {
        call->origin_ms = judgement->reading.as_of_ms;
        fold_restart_sustained(&call->transcript);
    }
}

static void settle(struct call *call, struct call_now now, struct call_effects *effects)
{
    struct judgement judgement;
    if (call->transcript.pending_backlog > 0 ||
        !reading_take(&call->transcript, &call->policy, &judgement)) {
        return;
    }
    if (!call->has_published || !reading_equals(&call->published, &judgement.reading)) {
        publish(call, &judgement.reading, effects);
    }
    if (!transcript_awaits(&call->transcript, judgement.reading.as_of_ms)) {
        judge(call, now, &judgement, effects);
    }
}

static bool take_reply(struct call *call, struct call_now now, const struct call_event *event,
                       struct call_effects *effects)
{
    struct intake intake;
    bool planned = intake_plan(&intake, event, &call->transcript, &call->policy,
                               call->first_start_ms, now.vendor_ms) &&
                   transcript_reserve(&call->transcript, intake.inserts) &&
                   call_effects_reserve(effects, intake.scores);
    if (planned) {
        call->first_start_ms = intake.first_start_ms;
        intake_apply(&intake, &(struct intake_target){
                                  .transcript = &call->transcript,
                                  .policy = &call->policy,
                                  .masks = &call->masks,
                                  .counts = &call->counts,
                                  .effects = effects,
                                  .origin_ms = call->origin_ms,
                                  .vendor_ms = now.vendor_ms,
                                  .backlog = event->backlog,
                              });
        note_newest(call, now.mono);
    }
    intake_done(&intake);
    return planned;
}

/* An answer to a form that has been revised since, or was folded away, changes nothing. */
static void take_answer(struct call *call, struct call_now now, const struct call_event *event,
                        struct call_effects *effects)
{
    struct transcript *transcript = &call->transcript;
    size_t place = transcript_find(transcript, event->utterance);
    if (place == transcript->count || !transcript->items[place].pending ||
        transcript->items[place].revision != event->revision) {
        return;
    }
    struct utterance utterance = transcript_remove(transcript, place);
    transcript_expect(transcript, &utterance, false, false);
    utterance.scored = event->kind == CALL_EVENT_SCORED;
    if (utterance.scored) {
        int64_t score = event->score < 0 ? 0 : event->score > MOOD_ONE ? MOOD_ONE : event->score;
        utterance.score = (uint32_t)score & 0xfffffu;
    } else {
        call->counts.unscorable++;
    }
    (void)transcript_insert(transcript, &utterance);
    fold_from(transcript, &call->policy, call->origin_ms, utterance.end_ms);
    note_newest(call, now.mono);
    settle(call, now, effects);
}

/* Drops the record's wait and takes its score back. */
static void withdraw(struct transcript *transcript, size_t place)
{
    struct utterance utterance = transcript_remove(transcript, place);
    transcript_expect(transcript, &utterance, false, false);
    utterance.scored = false;
    (void)transcript_insert(transcript, &utterance); /* not behind `place`: unscored comes first */
}

/* A mask becomes known late: what was said in it leaves the history as if never scored. */
static void withdraw_masked(struct call *call, struct call_now now, struct call_effects *effects)
{
    struct transcript *transcript = &call->transcript;
    struct judgement judgement;
    int64_t from_ms = call->masks.items[call->masks.count - 1].from_ms;
    uint64_t masked = call->counts.masked;
    for (size_t i = transcript_upper(transcript, from_ms - 1); i < transcript->count; i++) {
        const struct utterance *utterance = &transcript->items[i];
        if (utterance->pending || utterance->scored) {
            call_effects_append_utterance(effects, CALL_EFFECT_MASKED, utterance)->withdrawn =
                utterance->scored;
            call->counts.masked++;
            withdraw(transcript, i);
        }
    }
    if (call->counts.masked == masked) {
        return;
    }
    fold_from(transcript, &call->policy, call->origin_ms, from_ms);
    note_newest(call, now.mono);
    call->has_published =
        call->has_published && reading_take(transcript, &call->policy, &judgement);
    settle(call, now, effects);
}

static void take_mask(struct call *call, struct call_now now, const struct call_event *event,
                      struct call_effects *effects)
{
    if (event->kind == CALL_EVENT_UNMASKED) {
        masks_close(&call->masks, event->at_ms);
        return;
    }
    masks_open(&call->masks, event->at_ms);
    withdraw_masked(call, now, effects);
}

/* A rule beside mood fired. */
static void alert_by_rule(struct call *call, const struct call_event *event,
                          struct call_effects *effects)
{
    struct call_effect *effect = call_effects_append(effects, CALL_EFFECT_ALERT);
    if (call->has_published) {
        effect->reading = call->published;
    }
    effect->episode = episode_take_number(&call->episode);
    effect->alert = (struct call_alert){
        .path = CALL_ALERT_RULE,
        .tier = event->tier,
        .rule = event->rule,
    };
}

static void tick(struct call *call, struct call_now now, struct call_effects *effects)
{
    struct judgement judgement;
    if (call->transcript.pending_backlog == 0 &&
        reading_take(&call->transcript, &call->policy, &judgement) &&
        !transcript_awaits(&call->transcript, judgement.reading.as_of_ms)) {
        judge(call, now, &judgement, effects);
    }
}

static void end(struct call *call, struct call_effects *effects)
{
    struct judgement judgement;
    call->ended = true;
    if (reading_take(&call->transcript, &call->policy, &judgement)) {
        publish(call, &judgement.reading, effects);
    } else if (call->has_published) {
        publish(call, &call->published, effects);
    }
}

bool call_step(struct call *call, struct call_now now, const struct call_event *event,
               struct call_effects *effects)
{
    if (call->ended) {
        return true;
    }
    if (event->kind == CALL_EVENT_REPLY) {
        return take_reply(call, now, event, effects);
    }
    size_t masked_max = event->kind == CALL_EVENT_MASKED ? call->transcript.count : 0;
    if (!call_effects_reserve(effects, CALL_EFFECTS_SETTLED_MAX + masked_max)) {
        return false;
    }
    switch (event->kind) {
    case CALL_EVENT_SCORED:
    case CALL_EVENT_UNSCORABLE:
        take_answer(call, now, event, effects);
        break;
    case CALL_EVENT_DELIVERED:
        episode_deliver(&call->episode, event->episode, now.mono);
        break;
    case CALL_EVENT_COOL:
        episode_cool(&call->episode, event->delivered);
        break;
    case CALL_EVENT_MASKED:
    case CALL_EVENT_UNMASKED:
        take_mask(call, now, event, effects);
        break;
    case CALL_EVENT_HELD:
        call->held = true;
        break;
    case CALL_EVENT_RESUMED:
        call->held = false;
        tick(call, now, effects);
        break;
    case CALL_EVENT_RULE:
        alert_by_rule(call, event, effects);
        break;
    case CALL_EVENT_TICK:
        tick(call, now, effects);
        break;
    case CALL_EVENT_ENDED:
        end(call, effects);
        break;
    case CALL_EVENT_REPLY:
        break;
    }
    return true;
}

const struct call_counts *call_counts(const struct call *call)
{
    return &call->counts;
}

bool call_reading(const struct call *call, struct call_reading *reading)
{
    if (call->has_published) {
        *reading = call->published;
    }
    return call->has_published;
}

uint32_t call_episode_open(const struct call *call)
{
    return call->episode.is_open ? call->episode.number : 0;
}

bool call_is_masked(const struct call *call, uint32_t utterance)
{
    const struct transcript *transcript = &call->transcript;
    size_t place = transcript_find(transcript, utterance);
    return place < transcript->count && masks_cover(&call->masks, transcript->items[place].end_ms);
}

bool call_masks(const struct call *call, int64_t end_ms)
{
    return masks_cover(&call->masks, end_ms);
}

uint32_t call_pending(const struct call *call)
{
    return call->transcript.pending;
}

uint32_t call_unasked(const struct call *call, int64_t *oldest_start_ms)
{
    uint32_t count = 0;
    for (size_t i = 0; i < call->transcript.count; i++) {
        const struct utterance *utterance = &call->transcript.items[i];
        if (!utterance->withheld || masks_cover(&call->masks, utterance->end_ms)) {
            continue;
        }
        if (count == 0 || utterance->start_ms < *oldest_start_ms) {
            *oldest_start_ms = utterance->start_ms;
        }
        count++;
    }
    return count;
}

size_t call_bytes(const struct call *call)
{
    return sizeof *call + call->transcript.capacity * sizeof *call->transcript.items;
}

const char *call_trend_name(enum call_trend trend)
{
    switch (trend) {
    case CALL_TREND_IMPROVING:
        return "improving";
    case CALL_TREND_DECLINING:
        return "declining";
    case CALL_TREND_STABLE:
        break;
    }
    return "stable";
}

const char *call_alert_path_name(enum call_alert_path path)
{
    switch (path) {
    case CALL_ALERT_SUSTAINED_LOW:
        return "sustained_low";
    case CALL_ALERT_RULE:
        return "rule";
    case CALL_ALERT_DECLINING:
        break;
    }
    return "declining";
}

const char *call_tier_name(enum call_tier tier)
{
    return tier == CALL_TIER_SUPERVISOR ? "supervisor" : "agent";
}
