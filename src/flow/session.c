/* session.c - a session's life, its two outboxes, and what is due. Nothing here knows sockets,
 * threads or clocks. See session.h. */
#include "flow/session_internal.h"

#include <stdlib.h>
#include <string.h>

enum { ALONE_MS = 5000 };

struct effect *session_effect(struct session *session, struct session_context *context,
                              enum effect_kind kind)
{
    struct effect *effect = effects_add(context->effects, kind);
    session->unsaved = session->unsaved || kind != EFFECT_POLL;
    if (effect) {
        effect->call = session->handle;
        effect->interaction_id = session->interaction_id;
        effect->reason = "";
    }
    return effect;
}

struct effect *session_note(struct session *session, struct session_context *context,
                            enum note_kind note)
{
    struct effect *effect = session_effect(session, context, EFFECT_NOTE);
    if (effect) {
        effect->note = note;
    }
    return effect;
}

void session_withdraw_suggestion(struct session *session, struct session_context *context,
                                 const char *reason)
{
    if (!suggestion_outbox_withdraw(&session->suggestions)) {
        return;
    }
    struct effect *note = session_note(session, context, NOTE_SUGGESTION);
    if (note) {
        note->episode = session->episode_base + session->suggestions.episode;
        note->suggestion_state = SUGGESTION_DROPPED;
        note->reason = reason;
    }
}

/* A new call is picked up lookback_ms back. One that reappears goes on where it was left, at most
 * the sweep's reach back; words that began before that place and ended after it are still wanted.
 */
static void begin_where(struct session *session, const struct session_context *context,
                        const struct store_call *resume)
{
    const struct session_options *options = context->options;
    int64_t now_ms = context->now.vendor_ms;
    session->first_ms = options->lookback_ms < 0 ? 0 : now_ms - options->lookback_ms;
    session->floor_ms = -1;
    if (!resume) {
        return;
    }
    session->floor_ms = resume->newest_end_ms;
    session->episode_base = resume->episodes;
    if (resume->newest_end_ms >= 0) {
        int64_t left_ms = resume->newest_end_ms - options->cursor.overlap_min_ms;
        int64_t oldest_ms = now_ms - options->sweep_reach_ms;
        session->first_ms = left_ms > oldest_ms ? left_ms : oldest_ms;
    }
}

struct session *session_blank(struct session_context *context, uint64_t handle,
                              const char *interaction_id, uint64_t seed)
{
    struct session *session = calloc(1, sizeof *session);
    size_t id_bytes = strlen(interaction_id);
    if (!session || id_bytes >= sizeof session->interaction_id) {
        free(session);
        return NULL;
    }
    session->handle = handle;
    memcpy(session->interaction_id, interaction_id, id_bytes + 1);
    due_item_init(&session->due_item, session);
    cursor_init(&session->cursor);
    rand_seed(&session->rand, seed);
    session->opened = context->now.mono;
    session->refreshed = context->now.mono;
    session->last_voice = context->now.mono;
    session->next_tick = session_never;
    session->next_cues = session_never;
    call_quota_init(&session->quota, context->options->interaction_rps, context->now.mono);
    session->unasked_ms = INT64_MAX;
    session->state = CXONE_CALL_ACTIVE;
    session->cooled_from = (struct mono){-1};
    return session;
}

struct session *session_create(struct session_context *context, uint64_t handle,
                               const char *interaction_id, const struct store_call *resume,
                               struct family *family, uint64_t seed)
{
    struct session *session = session_blank(context, handle, interaction_id, seed);
    if (!session) {
        return NULL;
    }
    session->call = call_create(&context->options->mood);
    if (!session->call) {
        session_destroy(session);
        return NULL;
    }
    begin_where(session, context, resume);
    session_join_schedule(session, context);
    if (family && strcmp(family->newest_id, interaction_id) != 0) {
        memcpy(session->transferred_from, family->newest_id, STORE_ID_BYTES);
    }
    if (family) {
        session_join(session, family);
    }
    struct effect *note = session_note(session, context, NOTE_CALL_OPENED);
    if (note && session->transferred_from[0]) {
        note->transferred_from = session->transferred_from;
    }
    return session;
}

void session_destroy(struct session *session)
{
    if (session) {
        call_destroy(session->call);
        cues_state_destroy(session->cues);
        words_destroy(session->words);
        free(session->hint);
        free(session);
    }
}

void session_abandon(struct session *session, struct session_context *context)
{
    if (session) {
        poll_schedule_leave(context->schedule, &session->paced);
        session_destroy(session);
    }
}

struct mono session_free(const struct session *session)
{
    bool is_waiting = session->polling || session->attributes.in_flight;
    return is_waiting && !session->stopping ? mono_after_ms(session->last_sent, ALONE_MS)
                                            : (struct mono){INT64_MIN};
}

bool session_may_ask(struct session *session, const struct session_context *context,
                     struct mono *again)
{
    call_quota_learn(&session->quota, context->call_rps, context->now.mono);
    return call_quota_take(&session->quota, context->now.mono, again);
}

void session_answered(struct session *session, const struct session_context *context,
                      const struct cxone_result *result)
{
    struct mono now = context->now.mono;
    if (result->status != 0) {
        call_quota_answered(&session->quota, mono_after_ms(now, -result->total_ms),
                            result->status == 429, now);
    }
}

void session_on_attributes_done(struct session *session, struct session_context *context,
                                const struct cxone_result *result)
{
    bool was_abandoned = session->attributes.abandoned;
    session_answered(session, context, result);
    attribute_outbox_done(&session->attributes, &context->options->attributes, result,
                          context->now.mono, &session->rand);
    session->unsaved = true;
    if (result->outcome == CXONE_OK || result->outcome == CXONE_EMPTY) {
        return;
    }
    bool lost = session->attributes.abandoned && !was_abandoned;
    struct effect *note =
        session_note(session, context, lost ? NOTE_ATTRIBUTES_LOST : NOTE_ATTRIBUTES_FAILED);
    if (note) {
        note->outcome = result->outcome;
        note->status = result->status;
        note->reason = result->reason;
    }
}

void session_on_suggested(struct session *session, struct session_context *context,
                          uint32_t episode, const struct cxone_result *result)
{
    uint32_t local = episode - session->episode_base;
    session_answered(session, context, result);
    /* One that a newer alert has overtaken on its way is accounted for, but not tried again. */
    struct suggestion_outbox overtaken = {.state = SUGGESTION_IN_FLIGHT,
                                          .episode = local,
                                          .tries = context->options->suggestions.tries_max};
    enum suggestion_state state = suggestion_outbox_done(
        local == session->suggestions.episode ? &session->suggestions : &overtaken,
        &context->options->suggestions, result, context->now.mono, &session->rand);
    session->unsaved = true;
    struct effect *note = session_note(session, context, NOTE_SUGGESTION);
    if (note) {
        note->episode = episode;
        note->suggestion_state = state;
        note->status = result->status;
        note->outcome = result->outcome;
        note->reason = result->reason;
    }
    if (state == SUGGESTION_SENT || state == SUGGESTION_UNKNOWN) {
        if (session->family) {
            family_deliver(session->family, context->now.mono);
        }
        struct call_event event = {.kind = CALL_EVENT_DELIVERED, .episode = local};
        session_judge(session, context, &event);
    }
    if (state == SUGGESTION_WAITING &&
        (session->phase != PHASE_LIVE || !context->options->send_suggestions)) {
        session_withdraw_suggestion(session, context,
                                    session->phase != PHASE_LIVE
                                        ? "the call ended before it could be delivered"
                                        : "suggestions are switched off");
    }
}

void session_on_stop(struct session *session, struct session_context *context)
{
    session->stopping = true;
    poll_schedule_leave(context->schedule, &session->paced);
    attribute_outbox_finish(&session->attributes);
}

static void run_attributes(struct session *session, struct session_context *context)
{
    struct mono now = context->now.mono;
    struct mono due;
    const struct attribute_limits *limits = &context->options->attributes;
    if (!context->options->write_attributes ||
        !attribute_outbox_due(&session->attributes, limits, &due) ||
        !mono_reached(now, mono_later(due, session_free(session)))) {
        return;
    }
    if (!session_may_ask(session, context, &session->attributes.not_before)) {
        return;
    }
    struct effect *effect = session_effect(session, context, EFFECT_ATTRIBUTES);
    poll_schedule_count_other(context->schedule);
    if (effect) {
        effect->reading = *attribute_outbox_send(&session->attributes, limits, now);
        effect->has_summary =
            session->attributes.writes_summary && summary_take(session->call, &effect->summary);
        effect->alerts = session->episode_base + session->episodes;
        if (effect->has_summary) {
            session->has_summarised = true;
            session->summarised = effect->summary;
            session->summarised_alerts = effect->alerts;
        }
        session->last_sent = now;
    }
}

static void run_suggestion(struct session *session, struct session_context *context)
{
    struct mono due;
    if (!suggestion_outbox_due(&session->suggestions, &due) ||
        !mono_reached(context->now.mono, due)) {
        return;
    }
    if (session->alert.path == CALL_ALERT_RULE && !session->hint) {
        session_withdraw_suggestion(session, context, "its text was not kept");
        return;
    }
    if (!session_may_ask(session, context, &session->suggestions.not_before)) {
        return;
    }
    if (session->suggestions.tries == 0 ? !fuse_allow(context->fuse, context->now.mono)
                                        : context->fuse->reason != FUSE_WHOLE) {
        session_withdraw_suggestion(session, context, "the fuse holds all suggestions back");
        return;
    }
    struct effect *effect = session_effect(session, context, EFFECT_SUGGEST);
    poll_schedule_count_other(context->schedule);
    if (effect) {
        suggestion_outbox_send(&session->suggestions);
        effect->episode = session->episode_base + session->suggestions.episode;
        effect->reading = session->alert_reading;
        effect->alert = session->alert;
        effect->said = session->alert_said;
        effect->message = session->alert.path == CALL_ALERT_RULE ? session->hint : NULL;
        session_suggestion_key(session, context->options, effect->episode, effect->idempotency_key);
    }
}

static bool attributes_settled(const struct session *session, const struct session_context *context)
{
    return !context->options->write_attributes ||
           attribute_outbox_settled(&session->attributes, &context->options->attributes);
}

/* Everything wanted of an ending call has been fetched and scored. */
static bool is_swept(const struct session *session)
{
    return session->phase == PHASE_ENDING && session->sweeps_done >= SESSION_SWEEPS &&
           !session->polling && call_pending(session->call) == 0;
}

static bool is_summarised(const struct session *session, const struct summary *summary)
{
    const struct summary *last = &session->summarised;
    return session->has_summarised && last->utterances == summary->utterances &&
           last->mean == summary->mean && last->lowest == summary->lowest &&
           last->low_ms == summary->low_ms &&
           session->summarised_alerts == session->episode_base + session->episodes;
}

/* The vendor may forget a call soon after its end. So its summary does not wait for the sweeps, but
 * goes out once all that was heard is judged; and again if a sweep has brought what changes it. */
static void run_summary(struct session *session, struct session_context *context)
{
    struct summary summary;
    if (session->phase == PHASE_ENDING && context->options->attributes.summarise &&
        !session->polling && call_pending(session->call) == 0 &&
        summary_take(session->call, &summary) && !is_summarised(session, &summary)) {
        attribute_outbox_summarise(&session->attributes);
    }
}

static void run_last_reading(struct session *session, struct session_context *context)
{
    if (is_swept(session) && !session->ended_told) {
        struct call_event event = {.kind = CALL_EVENT_ENDED};
        session_cues_tell(session, context, CUES_ENDED, 0);
        session_judge(session, context, &event);
        attribute_outbox_finish(&session->attributes);
        session->ended_told = true;
    }
}

static void close_session(struct session *session, struct session_context *context)
{
    int64_t oldest_ms;
    struct effect *note = session_note(session, context, NOTE_CALL_CLOSED);
    if (note) {
        note->end_reason = session->end_reason;
        (void)session_reading(session, &note->reading);
        note->unasked = call_unasked(session->call, &oldest_ms);
    }
    struct effect *closed = session_effect(session, context, EFFECT_CLOSED);
    if (closed) {
        session_record(session, &closed->kept, true);
        (void)session_suggestion(session, context->options, &closed->kept_suggestion);
    }
}

bool session_run(struct session *session, struct session_context *context)
{
    session_heed_family(session, context);
    if (mono_reached(context->now.mono, session->next_tick)) {
        session_judge_tick(session, context);
    }
    if (mono_reached(context->now.mono, session->next_cues)) {
        session_cues_tick(session, context);
    }
    /* Writes before polls: they share the call's quota, and a poll is always wanted. */
    run_suggestion(session, context);
    run_last_reading(session, context);
    run_summary(session, context);
    run_attributes(session, context);
    session_run_idle_end(session, context);
    session_run_poll(session, context);
    if (is_swept(session) && session->ended_told && attributes_settled(session, context) &&
        suggestion_outbox_settled(&session->suggestions)) {
        session->phase = PHASE_CLOSED;
        close_session(session, context);
        return false;
    }
    return true;
}

struct mono session_due(const struct session *session, const struct session_context *context)
{
    struct mono due = mono_earlier(session->next_tick, session->next_cues);
    struct mono other;
    if (!session->polling && session_polls_more(session)) {
        due = mono_earlier(due, mono_later(session->next_poll, session_free(session)));
    }
    if (context->options->write_attributes &&
        attribute_outbox_due(&session->attributes, &context->options->attributes, &other)) {
        due = mono_earlier(due, mono_later(other, session_free(session)));
    }
    if (suggestion_outbox_due(&session->suggestions, &other)) {
        due = mono_earlier(due, other);
    }
    if (session->phase == PHASE_LIVE && !session->listed) {
        due = mono_earlier(due,
                           mono_after_ms(session->last_voice, context->options->idle_timeout_ms));
    }
    return due;
}

void session_look(const struct session *session, struct session_view *view)
{
    uint32_t open = session_episode_open(session);
    uint32_t suggested = session->suggestions.episode;
    *view = (struct session_view){
        .interaction_id = session->interaction_id,
        .live = session_is_live(session),
        .listed = session->listed,
        .state = session->state,
        .transferred_from = session->transferred_from,
        .queue = session->queue,
        .language = session->language,
        .judged = session_is_judged(session),
        .opened = session->opened,
        .refreshed = session->refreshed,
        .episodes = session->episode_base + session->episodes,
        .episode_open = open ? session->episode_base + open : 0,
        .suggestion_episode = suggested ? session->episode_base + suggested : 0,
        .suggestion_state = session->suggestions.state,
        .attribute_state = attribute_outbox_state(&session->attributes),
    };
    view->has_reading = session_reading(session, &view->reading);
}

struct family *session_family(const struct session *session)
{
    return session->family;
}

void session_note_lost(struct session *session, struct session_context *context, const char *reason)
{
    struct effect *note = session_note(session, context, NOTE_STATE_LOST);
    if (note) {
        note->reason = reason;
    }
}

uint64_t session_handle(const struct session *session)
{
    return session->handle;
}

struct due_item *session_due_item(struct session *session)
{
    return &session->due_item;
}

const char *session_interaction_id(const struct session *session)
{
    return session->interaction_id;
}

const struct call *session_call(const struct session *session)
{
    return session->call;
}

bool session_is_unsaved(const struct session *session)
{
    return session->unsaved;
}

bool session_is_live(const struct session *session)
{
    return session->phase == PHASE_LIVE;
}

bool session_is_settled(const struct session *session, const struct session_context *context)
{
    return call_pending(session->call) == 0 && attributes_settled(session, context) &&
           suggestion_outbox_settled(&session->suggestions);
}
