/* session_cues.c - the rules beside the mood, for one session: hands them what the mood is handed,
 * and makes of each firing an alert like the mood's, by CALL_EVENT_RULE. What the rules mean is
 * known to cues/ only. Texts are looked at here, on the loop's thread, and go nowhere. */
#include "flow/session_cues.h"

#include "flow/session_internal.h"

#include <stdlib.h>
#include <string.h>

void session_cues_utterance(const struct segment *segment, struct cues_utterance *out)
{
    static const enum cues_speaker speakers[] = {
        [SPEAKER_UNKNOWN] = CUES_UNKNOWN,
        [SPEAKER_CUSTOMER] = CUES_CUSTOMER,
        [SPEAKER_AGENT] = CUES_AGENT,
    };
    *out = (struct cues_utterance){
        .begin_ms = segment->start_ms,
        .end_ms = segment->end_ms,
        .speaker = speakers[segment->speaker],
        .id = segment->id,
        .id_bytes = segment->id_bytes,
        .text = segment->text,
        .text_bytes = segment->text_bytes,
    };
}

struct cues_mood session_cues_mood(const struct call *call)
{
    static const enum cues_trend trends[] = {
        [CALL_TREND_STABLE] = CUES_STABLE,
        [CALL_TREND_IMPROVING] = CUES_IMPROVING,
        [CALL_TREND_DECLINING] = CUES_DECLINING,
    };
    struct call_reading reading;
    if (!call_reading(call, &reading)) {
        return (struct cues_mood){0};
    }
    return (struct cues_mood){true, reading.score, reading.difference, trends[reading.trend]};
}

enum call_tier session_cues_tier(enum cues_tier tier)
{
    return tier == CUES_TIER_SUPERVISOR ? CALL_TIER_SUPERVISOR : CALL_TIER_AGENT;
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

/* Whether there are rules, and a state for them. */
static bool has_rules(struct session *session, struct session_context *context)
{
    struct cues_rules *rules = context->options->rules;
    if (!rules) {
        cues_state_destroy(session->cues);
        session->cues = NULL;
        session->next_cues = session_never;
        return false;
    }
    if (!session->cues) {
        session->cues = cues_state_create(rules, context->options->mood.identity_key);
        context->effects->failed = context->effects->failed || !session->cues;
    }
    return session->cues != NULL;
}

static void alert(struct session *session, struct session_context *context,
                  const struct cues_firing *firing)
{
    struct call_event event = {
        .kind = CALL_EVENT_RULE,
        .rule = cues_rule_number(context->options->rules, firing->rule),
        .tier = session_cues_tier(firing->tier),
    };
    session->firing = firing;
    session_judge(session, context, &event);
    session->firing = NULL;
}

static void step(struct session *session, struct session_context *context, struct cues_event *event)
{
    struct cues_firings firings = {0};
    struct cues_counts before = *cues_counts(session->cues);
    event->now_ms = context->now.vendor_ms;
    event->mood = session->unjudged ? (struct cues_mood){0} : session_cues_mood(session->call);
    event->queue = or_null(session->queue);
    if (!cues_step(session->cues, context->options->rules, event, &firings)) {
        context->effects->failed = true;
    }
    const struct cues_counts *after = cues_counts(session->cues);
    session->unsaved = session->unsaved || firings.count > 0 ||
                       (event->kind != CUES_REPLY && event->kind != CUES_TICK) ||
                       after->utterances + after->revisions != before.utterances + before.revisions;
    if (after->withdrawn != before.withdrawn && session->alert.path == CALL_ALERT_RULE) {
        session_withdraw_suggestion(session, context, "it rests on words said while masked");
    }
    for (size_t i = 0; i < firings.count; i++) {
        alert(session, context, &firings.items[i]);
    }
    int64_t due_ms = cues_due(session->cues);
    session->next_cues = due_ms == INT64_MAX || session->phase != PHASE_LIVE
                             ? session_never
                             : mono_after_ms(context->now.mono, due_ms - context->now.vendor_ms);
}

void session_cues_reply(struct session *session, struct session_context *context,
                        const struct segment *segments, size_t count)
{
    struct cues_event event = {.kind = CUES_REPLY, .backlog = !session->cues_begun};
    session->cues_begun = true;
    if (!has_rules(session, context)) {
        return;
    }
    struct cues_utterance *utterances = calloc(count ? count : 1, sizeof *utterances);
    if (!utterances) {
        context->effects->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (segments[i].is_final && !call_masks(session->call, segments[i].end_ms)) {
            session_cues_utterance(&segments[i], &utterances[event.count++]);
        }
    }
    event.utterances = utterances;
    step(session, context, &event);
    free(utterances);
}

void session_cues_tick(struct session *session, struct session_context *context)
{
    session_cues_tell(session, context, CUES_TICK, 0);
}

void session_cues_tell(struct session *session, struct session_context *context,
                       enum cues_event_kind kind, int64_t at_ms)
{
    struct cues_event event = {.kind = kind, .at_ms = at_ms, .backlog = !session->cues_begun};
    if (has_rules(session, context)) {
        step(session, context, &event);
    }
}

void session_cues_describe(const struct session *session, const struct session_context *context,
                           struct effect *note)
{
    static const enum speaker speakers[] = {
        [CUES_UNKNOWN] = SPEAKER_UNKNOWN,
        [CUES_CUSTOMER] = SPEAKER_CUSTOMER,
        [CUES_AGENT] = SPEAKER_AGENT,
    };
    const struct cues_firing *firing = session->firing;
    if (!firing || note->alert.path != CALL_ALERT_RULE) {
        return;
    }
    note->rule = cues_rule_name(context->options->rules, firing->rule);
    if (firing->has_evidence) {
        note->said = (struct segment){
            .start_ms = firing->begin_ms,
            .end_ms = firing->end_ms,
            .speaker = speakers[firing->speaker],
        };
    }
}

void session_cues_hint(struct session *session, struct session_context *context)
{
    struct cues_firing firing;
    struct buf text;
    free(session->hint);
    session->hint = NULL;
    if (!session->firing || session->alert.path != CALL_ALERT_RULE) {
        return;
    }
    firing = *session->firing;
    firing.mark_words = true;
    buf_init(&text, (size_t)CUES_MESSAGE_BYTES_MAX * 4);
    cues_message(context->options->rules, &firing, or_null(session->language),
                 or_null(session->queue), &text);
    session->hint = text.failed ? NULL : text.bytes;
    if (text.failed) {
        buf_done(&text);
    }
}
