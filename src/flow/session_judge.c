/* session_judge.c - hands events to the judgement of one call and turns what it says into effects:
 * texts to score, readings to publish, alerts to deliver. See session.h. */
#include "flow/session_internal.h"

#include <string.h>

/* What moved the mean most, or made the rule fire. */
static struct segment said_of(const struct effect *note)
{
    if (!note || note->alert.path == CALL_ALERT_RULE || note->evidence_count == 0) {
        return note ? note->said : (struct segment){0};
    }
    return (struct segment){.start_ms = note->evidence[0].start_ms,
                            .end_ms = note->evidence[0].end_ms,
                            .speaker = note->evidence[0].speaker};
}

static void open_alert(struct session *session, struct session_context *context,
                       const struct call_effect *from)
{
    uint32_t episode = session->episode_base + from->episode;
    struct effect *effect = session_note(session, context, NOTE_ALERT_OPENED);
    if (effect) {
        effect->episode = episode;
        effect->alert = from->alert;
        effect->reading = from->reading;
        memcpy(effect->evidence, from->evidence, sizeof effect->evidence);
        effect->evidence_count = from->evidence_count;
        effect->queue = session->queue;
        session_cues_describe(session, context, effect);
    }
    struct segment said = said_of(effect); /* notes to come may move it */
    session->episodes = from->episode;
    bool hint = from->alert.path != CALL_ALERT_RULE || from->alert.tier == CALL_TIER_AGENT;
    if (!hint || !context->options->send_suggestions || session->phase != PHASE_LIVE) {
        return; /* for a supervisor only, shadow mode, or nobody is left to hear a hint */
    }
    session_withdraw_suggestion(session, context, "a newer alert took its place");
    session->alert_reading = from->reading;
    session->alert = from->alert;
    session->alert_said = said;
    session_cues_hint(session, context);
    suggestion_outbox_open(&session->suggestions, from->episode, context->now.mono);
}

/* The open alert weighs more, or has lasted long: for those who watch, not for the agent. */
static void tell_alert(struct session *session, struct session_context *context,
                       const struct call_effect *from, enum note_kind note)
{
    struct effect *effect = session_note(session, context, note);
    if (effect) {
        effect->episode = session->episode_base + from->episode;
        effect->alert = from->alert;
        effect->reading = from->reading;
        memcpy(effect->evidence, from->evidence, sizeof effect->evidence);
        effect->evidence_count = from->evidence_count;
    }
}

static void recover_alert(struct session *session, struct session_context *context,
                          const struct call_effect *from)
{
    struct effect *effect = session_note(session, context, NOTE_ALERT_RECOVERED);
    if (effect) {
        effect->episode = session->episode_base + from->episode;
        effect->alert = from->alert;
        effect->reading = from->reading;
    }
    if (session->alert.path != CALL_ALERT_RULE) {
        session_withdraw_suggestion(session, context,
                                    "the call recovered before it could be delivered");
    }
}

static void ask_score(struct session *session, struct session_context *context,
                      const struct call_effect *from, bool backlog)
{
    struct effect *effect = session_effect(session, context, EFFECT_SCORE);
    if (effect) {
        effect->utterance = from->utterance;
        effect->revision = from->revision;
        effect->ordinal = from->ordinal;
        effect->segment = from->segment;
        effect->backlog = backlog;
        effect->english = language_is(&context->options->languages, session->language, "en");
    }
}

/* To be answered as unscorable once the judgement's own effects are read. */
static void leave_unjudged(struct session *session, struct session_context *context,
                           const struct call_effect *from)
{
    struct effect *effect = session_note(session, context, NOTE_UTTERANCE_UNJUDGED);
    if (effect) {
        effect->utterance = from->utterance;
        effect->revision = from->revision;
        effect->ordinal = from->ordinal;
        effect->segment = from->segment;
        effect->segment.text = NULL;
        effect->segment.text_bytes = 0;
    }
}

static void answer_unjudged(struct session *session, struct session_context *context, size_t first)
{
    size_t end = context->effects->count;
    for (size_t i = first; i < end; i++) {
        const struct effect *effect = &context->effects->items[i];
        if (effect->kind == EFFECT_NOTE && effect->note == NOTE_UTTERANCE_UNJUDGED) {
            struct call_event event = {.kind = CALL_EVENT_UNSCORABLE,
                                       .utterance = effect->utterance,
                                       .revision = effect->revision};
            session_judge(session, context, &event);
        }
    }
}

static void tell_masked(struct session *session, struct session_context *context,
                        const struct call_effect *from)
{
    struct effect *effect = session_note(session, context, NOTE_UTTERANCE_MASKED);
    if (effect) {
        effect->utterance = from->utterance;
        effect->revision = from->revision;
        effect->ordinal = from->ordinal;
        effect->segment = from->segment;
        effect->withdrawn = from->withdrawn;
    }
}

/* Scores were taken back: what rests on them and has not left yet stays here. */
static void unpublish(struct session *session, struct session_context *context)
{
    struct call_reading reading;
    session_withdraw_suggestion(session, context, "it rests on words said while masked");
    if (!call_reading(session->call, &reading)) {
        attribute_outbox_forget(&session->attributes);
    }
}

/* Of a call that is not judged only what rules say is told; a number used up stays used up. */
static bool is_told(struct session *session, const struct call_effect *item)
{
    bool told = !session->unjudged || item->kind == CALL_EFFECT_SCORE ||
                item->kind == CALL_EFFECT_MASKED || item->alert.path == CALL_ALERT_RULE;
    if (!told && item->kind == CALL_EFFECT_ALERT) {
        session->episodes = item->episode;
    }
    return told;
}

void session_judge(struct session *session, struct session_context *context,
                   const struct call_event *event)
{
    struct call_effects *from = context->call_effects;
    session_heed_family(session, context);
    call_effects_clear(from);
    if (!call_step(session->call, context->now, event, from)) {
        context->effects->failed = true;
        return;
    }
    size_t told = context->effects->count;
    bool is_new_mood = false;
    bool learn = event->kind == CALL_EVENT_REPLY && !event->backlog;
    session->unsaved = session->unsaved || from->count > 0 ||
                       (event->kind != CALL_EVENT_REPLY && event->kind != CALL_EVENT_TICK);
    for (size_t i = 0; i < from->count; i++) {
        const struct call_effect *item = &from->items[i];
        if (!is_told(session, item)) {
            continue;
        }
        switch (item->kind) {
        case CALL_EFFECT_SCORE:
            if (learn && item->revision == 0 && session->phase == PHASE_LIVE) {
                cursor_delays_record(context->delays,
                                     context->now.vendor_ms - item->segment.start_ms);
            }
            if (session->unjudged) {
                leave_unjudged(session, context, item);
            } else {
                ask_score(session, context, item, event->backlog);
            }
            break;
        case CALL_EFFECT_MASKED:
            tell_masked(session, context, item);
            if (item->withdrawn) {
                unpublish(session, context);
            }
            break;
        case CALL_EFFECT_READING:
            attribute_outbox_want(&session->attributes, &item->reading);
            is_new_mood = true;
            break;
        case CALL_EFFECT_ALERT:
            open_alert(session, context, item);
            break;
        case CALL_EFFECT_RAISED:
            tell_alert(session, context, item, NOTE_ALERT_RAISED);
            break;
        case CALL_EFFECT_REMINDED:
            tell_alert(session, context, item, NOTE_ALERT_REMINDED);
            break;
        case CALL_EFFECT_RECOVERED:
            recover_alert(session, context, item);
            break;
        }
    }
    answer_unjudged(session, context, told);
    session->next_tick =
        call_episode_open(session->call) ? mono_after_ms(context->now.mono, 1000) : session_never;
    if (is_new_mood && event->kind != CALL_EVENT_ENDED) {
        session_cues_tick(session, context);
    }
}

void session_judge_tick(struct session *session, struct session_context *context)
{
    struct call_event event = {.kind = CALL_EVENT_TICK};
    if (session->unasked_ms != INT64_MAX) {
        /* Not before what was left unanswered has been asked for again. */
        session->next_tick = mono_after_ms(context->now.mono, 1000);
        return;
    }
    session_judge(session, context, &event);
}

void session_on_scored(struct session *session, struct session_context *context, uint32_t utterance,
                       uint32_t revision, bool scorable, int64_t score)
{
    struct call_event event = {
        .kind = scorable ? CALL_EVENT_SCORED : CALL_EVENT_UNSCORABLE,
        .utterance = utterance,
        .revision = revision,
        .score = score,
    };
    session_judge(session, context, &event);
}
