/* session_poll.c - when one call is asked for its transcript, what a reply means, and how a call
 * comes to its end. See session.h. */
#include "flow/session_internal.h"

#include <stdlib.h>

enum {
    YOUNG_MS = 60000,
    SWEEP_PATIENCE_MS = 4 * 3600 * 1000,
    DENIED_PATIENCE_MS = 600000,
    BLAMELESS_SPREAD_MS = 2000
};

static enum poll_schedule_state poll_state(const struct session *session,
                                           const struct session_context *context)
{
    const struct session_options *options = context->options;
    int64_t silent_ms = mono_ms_between(session->last_voice, context->now.mono);
    if (session->state == CXONE_CALL_HELD || silent_ms >= options->quiet_after_ms) {
        return POLL_SCHEDULE_QUIET;
    }
    return silent_ms < options->active_for_ms ? POLL_SCHEDULE_ACTIVE : POLL_SCHEDULE_IDLE;
}

static enum poll_schedule_risk poll_risk(const struct session *session,
                                         const struct session_context *context)
{
    struct call_reading reading;
    if (session_episode_open(session)) {
        return POLL_SCHEDULE_ALERT;
    }
    bool is_low = session_reading(session, &reading) &&
                  (reading.score < context->options->mood.recover_above ||
                   reading.trend == CALL_TREND_DECLINING);
    return is_low ? POLL_SCHEDULE_LOW : POLL_SCHEDULE_CALM;
}

void session_join_schedule(struct session *session, struct session_context *context)
{
    bool urgent = poll_risk(session, context) != POLL_SCHEDULE_CALM;
    session->next_poll = poll_schedule_join(context->schedule, &session->paced, urgent,
                                            &session->rand, context->now.mono);
}

static int64_t interval_ms(struct session *session, struct session_context *context)
{
    const struct poll_schedule_need need = {
        .risk = poll_risk(session, context),
        .state = poll_state(session, context),
        .young = mono_ms_between(session->opened, context->now.mono) < YOUNG_MS,
        .held = session->state == CXONE_CALL_HELD,
    };
    return poll_schedule_interval_ms(context->schedule, &session->paced, &need, &session->rand);
}

/* The interval counts from when the last poll really left, but leaves the floor to a slow vendor.
 */
static void schedule_next(struct session *session, struct session_context *context,
                          const struct cxone_result *result)
{
    int64_t wait_ms = result->queued_ms + interval_ms(session, context);
    struct mono due = mono_after_ms(session->poll_sent, wait_ms);
    struct mono soonest = mono_after_ms(context->now.mono, context->options->poll_floor_ms);
    session->next_poll = due.us > soonest.us ? due : soonest;
}

void session_replan(struct session *session, struct session_context *context)
{
    bool waits = session->phase == PHASE_LIVE && session->paced.joined && !session->polling &&
                 session->had_reply && session->poll_failures == 0 && session->not_found == 0;
    if (!waits) {
        return;
    }
    struct mono due = mono_after_ms(session->poll_sent, interval_ms(session, context));
    session->next_poll = due.us < session->next_poll.us ? due : session->next_poll;
}

/* +-10 %, never under the floor. */
static void schedule_poll(struct session *session, struct session_context *context, int64_t wait_ms)
{
    int64_t spread = wait_ms / 5;
    int64_t jitter = (int64_t)rand_below(&session->rand, (uint64_t)spread + 1) - spread / 2;
    wait_ms += jitter;
    if (wait_ms < context->options->poll_floor_ms) {
        wait_ms = context->options->poll_floor_ms;
    }
    session->next_poll = mono_after_ms(context->now.mono, wait_ms);
}

/* What did not even leave, or failed while the vendor was out for all, says nothing of this call:
 * it is asked for again as soon as the way may be open, not when its own patience is over. */
static void plan_retry(struct session *session, struct session_context *context,
                       const struct cxone_result *result)
{
    if (result->blameless && result->retry_after_ms >= 0) {
        int64_t spread_ms = (int64_t)rand_below(&session->rand, BLAMELESS_SPREAD_MS);
        session->next_poll = mono_after_ms(context->now.mono, result->retry_after_ms + spread_ms);
        return;
    }
    int64_t wait_ms =
        backoff_wait_ms(&context->options->poll_backoff, session->poll_failures, &session->rand);
    if (wait_ms < result->retry_after_ms) {
        wait_ms = result->retry_after_ms;
    }
    session->poll_failures++;
    schedule_poll(session, context, wait_ms);
}

static void retry_poll(struct session *session, struct session_context *context,
                       const struct cxone_result *result)
{
    plan_retry(session, context, result);
    struct effect *note = session_note(session, context, NOTE_POLL_FAILED);
    if (note) {
        note->outcome = result->outcome;
        note->status = result->status;
        note->reason = result->reason;
        note->wait_ms = mono_left_ms(context->now.mono, session->next_poll);
    }
}

static void begin_ending(struct session *session, struct session_context *context,
                         enum end_reason reason)
{
    if (session->phase != PHASE_LIVE) {
        return;
    }
    session->phase = PHASE_ENDING;
    session->end_reason = reason;
    session->ending_since = context->now.mono;
    session->sweeps_done = 0;
    session->next_poll = mono_after_ms(context->now.mono, context->options->sweep_after_ms[0]);
    poll_schedule_leave(context->schedule, &session->paced);
    struct effect *note = session_note(session, context, NOTE_CALL_ENDING);
    if (note) {
        note->end_reason = reason;
    }
    session_withdraw_suggestion(session, context, "the call ended before it could be delivered");
}

/* Words that ended within the hold: a list that masks them may still be on its way. They are left
 * out as if not served yet, and a later poll brings them again. An end that lies ahead is not worth
 * waiting for. */
static bool is_held_back(const struct session *session, const struct session_context *context,
                         const struct segment *segment)
{
    int64_t now_ms = context->now.vendor_ms;
    return session->phase == PHASE_LIVE && segment->is_final &&
           segment->end_ms > now_ms - context->options->mask_hold_ms &&
           segment->end_ms <= now_ms + context->options->mood.future_tolerance_ms;
}

/* What of a reply is taken in now, as a copy if anything is left out. */
struct intake_choice {
    struct segment *copy;
    const struct segment *segments;
    size_t count;
    size_t held_back;
};

static bool choose_segments(const struct session *session, struct session_context *context,
                            const struct cxone_result *result, struct intake_choice *choice)
{
    *choice = (struct intake_choice){.segments = result->segments, .count = result->segment_count};
    if (result->segment_count == 0 ||
        (session->floor_ms < 0 && context->options->mask_hold_ms == 0)) {
        return true;
    }
    choice->copy = calloc(result->segment_count, sizeof *choice->copy);
    if (!choice->copy) {
        return false;
    }
    choice->segments = choice->copy;
    choice->count = 0;
    for (size_t i = 0; i < result->segment_count; i++) {
        const struct segment *segment = &result->segments[i];
        if (segment->end_ms <= session->floor_ms) {
            continue; /* an earlier session of this call took it in */
        }
        if (is_held_back(session, context, segment)) {
            choice->held_back++;
        } else {
            choice->copy[choice->count++] = *segment;
        }
    }
    return true;
}

/* How often the customer was heard; history from before we joined says nothing of the pace. */
static void learn_rate(struct session *session, const struct session_context *context,
                       const struct call_counts *before)
{
    const struct call_counts *after = call_counts(session->call);
    if (session->had_reply) {
        poll_schedule_learn(
            &session->paced,
            (unsigned)(after->finals - before->finals + after->revisions - before->revisions),
            context->now.mono);
    }
}

static bool holds_news(const struct call_counts *before, const struct call_counts *after)
{
    return after->finals != before->finals || after->agent != before->agent ||
           after->revisions != before->revisions || after->partials != before->partials;
}

static void take_segments(struct session *session, struct session_context *context,
                          const struct cxone_result *result)
{
    struct intake_choice choice;
    session_hear_language(session, context, result->language);
    if (!choose_segments(session, context, result, &choice)) {
        context->effects->failed = true;
        return;
    }
    struct call_counts before = *call_counts(session->call);
    int64_t newest_before_ms = session->cursor.newest_end_ms;
    cursor_observe(&session->cursor, choice.segments, choice.count);
    cursor_bound_newest(&session->cursor, context->now.vendor_ms);
    struct call_event event = {
        .kind = CALL_EVENT_REPLY,
        .segments = choice.segments,
        .segment_count = choice.count,
        .backlog = !session->had_reply,
    };
    session_judge(session, context, &event);
    session_cues_reply(session, context, choice.segments, choice.count);
    session_keep_words(session, context, choice.segments, choice.count);
    session->unsaved = session->unsaved || !session->had_reply ||
                       session->cursor.newest_end_ms != newest_before_ms ||
                       holds_news(&before, call_counts(session->call));
    if (choice.held_back > 0 || holds_news(&before, call_counts(session->call))) {
        session->last_voice = context->now.mono;
    }
    learn_rate(session, context, &before);
    session->had_reply = true;
    session->unasked_ms = INT64_MAX;
    free(choice.copy);
}

static void poll_succeeded(struct session *session, struct session_context *context,
                           const struct cxone_result *result)
{
    session->poll_failures = 0;
    session->not_found = 0;
    if (result->outcome == CXONE_OK) {
        take_segments(session, context, result);
    } else {
        learn_rate(session, context, call_counts(session->call));
        session->had_reply = true;
        session->cues_begun = true;
        session->unasked_ms = INT64_MAX;
    }
    session_judge_tick(session, context);
    schedule_next(session, context, result);
}

static void poll_not_found(struct session *session, struct session_context *context,
                           const struct cxone_result *result)
{
    session->not_found++;
    bool young = !session->had_reply && mono_ms_between(session->opened, context->now.mono) <
                                            context->options->appear_grace_ms;
    if (result->status == 410 ||
        (!young && session->not_found >= context->options->not_found_max)) {
        begin_ending(session, context, END_REASON_GONE);
        return;
    }
    schedule_poll(session, context, context->options->poll_idle_ms);
}

/* While a non-final segment stands, its final is still owed: then looks every poll_quiet_ms between
 * the sweeps. */
static void schedule_sweep(struct session *session, struct session_context *context)
{
    session->next_poll = mono_after_ms(session->ending_since,
                                       context->options->sweep_after_ms[session->sweeps_done]);
    if (session->cursor.open_start_ms >= 0) {
        struct mono soon = mono_after_ms(context->now.mono, context->options->poll_quiet_ms);
        session->next_poll = soon.us < session->next_poll.us ? soon : session->next_poll;
    }
}

static bool sweep_is_due(const struct session *session, const struct session_context *context)
{
    return mono_reached(session->poll_sent,
                        mono_after_ms(session->ending_since,
                                      context->options->sweep_after_ms[session->sweeps_done]));
}

/* What was said before an outage, or in it, is still owed afterwards; but not what the vendor no
 * longer has, nor what it never let us read. */
static bool is_hopeless(const struct session *session, const struct session_context *context,
                        enum cxone_outcome outcome)
{
    bool was_read = outcome != CXONE_DENIED || session->had_reply;
    return outcome == CXONE_ENDED || outcome == CXONE_REFUSED ||
           mono_ms_between(session->ending_since, context->now.mono) >=
               (was_read ? SWEEP_PATIENCE_MS : DENIED_PATIENCE_MS);
}

/* At least the sweep's reach back, and no less than what no poll has covered yet. */
static int64_t sweep_start_ms(const struct session *session, const struct session_context *context)
{
    int64_t start_ms = context->now.vendor_ms - context->options->sweep_reach_ms;
    int64_t covered_ms = session->cursor.newest_end_ms - context->options->cursor.overlap_max_ms;
    if (session->cursor.newest_end_ms < 0 || session->first_ms > start_ms) {
        return session->first_ms;
    }
    start_ms = covered_ms < start_ms ? covered_ms : start_ms;
    start_ms = session->unasked_ms < start_ms ? session->unasked_ms : start_ms;
    return start_ms > session->first_ms ? start_ms : session->first_ms;
}

static void sweep_done(struct session *session, struct session_context *context,
                       const struct cxone_result *result)
{
    bool answered = result->outcome == CXONE_OK || result->outcome == CXONE_EMPTY;
    if (result->outcome == CXONE_OK) {
        take_segments(session, context, result);
    }
    if (!answered && !is_hopeless(session, context, result->outcome)) {
        retry_poll(session, context, result); /* the sweep is still owed */
        return;
    }
    session->poll_failures = 0;
    session->sweeps_done += sweep_is_due(session, context);
    session->unsaved = true;
    if (!answered) {
        session->sweeps_done = SESSION_SWEEPS; /* gone, or hopeless: nothing more to fetch */
    }
    if (session->sweeps_done < SESSION_SWEEPS) {
        schedule_sweep(session, context);
    }
}

void session_on_polled(struct session *session, struct session_context *context,
                       const struct cxone_result *result)
{
    session->polling = false;
    session_answered(session, context, result);
    if (result->outcome == CXONE_OK || result->outcome == CXONE_EMPTY) {
        session->refreshed = context->now.mono;
    }
    if (session->phase == PHASE_ENDING) {
        sweep_done(session, context, result);
        return;
    }
    switch (result->outcome) {
    case CXONE_OK:
    case CXONE_EMPTY:
        poll_succeeded(session, context, result);
        return;
    case CXONE_ENDED:
        poll_not_found(session, context, result);
        return;
    case CXONE_DENIED: /* the capability is suspended for all calls: look again now and then */
    case CXONE_REFUSED:
    case CXONE_THROTTLED:
    case CXONE_FAILED:
    case CXONE_UNKNOWN:
    case CXONE_MALFORMED:
    case CXONE_CANCELLED:
        retry_poll(session, context, result);
        return;
    }
}

bool session_polls_more(const struct session *session)
{
    return !session->stopping &&
           (session->phase == PHASE_LIVE ||
            (session->phase == PHASE_ENDING && session->sweeps_done < SESSION_SWEEPS));
}

void session_run_poll(struct session *session, struct session_context *context)
{
    struct mono now = context->now.mono;
    if (session->polling || !session_polls_more(session) ||
        !mono_reached(now, session->next_poll) || !mono_reached(now, session_free(session))) {
        return;
    }
    if (context->hold_polls) {
        session->next_poll = mono_after_ms(now, 100);
        return;
    }
    if (!session_may_ask(session, context, &session->next_poll)) {
        return;
    }
    struct effect *effect = session_effect(session, context, EFFECT_POLL);
    if (!effect) {
        return;
    }
    effect->opening = !session->asked;
    session->asked = true;
    session->polling = true;
    session->poll_sent = now;
    session->last_sent = now;
    if (session->phase == PHASE_ENDING) {
        poll_schedule_count_other(context->schedule);
        effect->start_ms = sweep_start_ms(session, context);
        return;
    }
    effect->start_ms = cursor_next_start_ms(&session->cursor, &context->options->cursor,
                                            context->delays, session->first_ms, now);
    if (effect->start_ms > session->unasked_ms) {
        effect->start_ms = session->unasked_ms;
    }
}

void session_on_gone(struct session *session, struct session_context *context,
                     enum end_reason reason)
{
    session->listed = false;
    if (reason != END_REASON_NONE) {
        begin_ending(session, context, reason);
    }
}

void session_run_idle_end(struct session *session, struct session_context *context)
{
    int64_t silent_ms = mono_ms_between(session->last_voice, context->now.mono);
    if (session->phase == PHASE_LIVE && !session->listed &&
        silent_ms >= context->options->idle_timeout_ms) {
        begin_ending(session, context, END_REASON_IDLE);
    }
}
