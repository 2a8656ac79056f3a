/* daemon_effects.c - carries out what the pipeline asks, and brings the answers back to it. Each
 * outstanding request has a small heap object that knows whose it is. */
#include "app/daemon_calls.h"
#include "app/daemon_decisions.h"
#include "app/daemon_reload.h"
#include "app/daemon_switch.h"
#include "app/daemon_wallboard.h"

#include "app/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The scorer is behind when this many utterances wait: polling pauses until half are done. */
enum { QUEUE_HIGH = 4096, QUEUE_LOW = 2048, MESSAGE_BYTES_MAX = 64 * 1024 };

/* What falls due within such a time is done together: against seconds between polls it is nothing,
 * and a process that wakes for one thing at a time spends as much on waking as on the thing. */
enum { DUE_SPACING_MS = 50 };

struct request {
    struct daemon *daemon;
    uint64_t call;
    uint32_t episode;
    struct mono asked;
};

struct call_now daemon_now(const struct daemon *daemon)
{
    struct cxone_status status;
    cxone_status(daemon->cxone, &status);
    int64_t offset_ms =
        status.vendor_offset_known ? status.vendor_offset_ms : daemon->vendor_offset_ms;
    return (struct call_now){
        .mono = loop_now(daemon->loop),
        .vendor_ms = clock_steady().ms + offset_ms,
    };
}

static struct request *make_request(struct daemon *daemon, const struct effect *effect)
{
    struct request *request = malloc(sizeof *request);
    if (!request) {
        struct error err;
        error_set(&err, ERROR_MEMORY, "no memory for a request");
        daemon_fail(daemon, &err);
        return NULL;
    }
    *request = (struct request){
        .daemon = daemon,
        .call = effect->call,
        .episode = effect->episode,
        .asked = loop_now(daemon->loop),
    };
    return request;
}

static void finish_request(struct request *request, enum pipeline_event_kind kind,
                           enum cxone_operation operation, const struct cxone_result *result)
{
    struct daemon *daemon = request->daemon;
    if (daemon->closing) {
        free(request);
        return;
    }
    struct pipeline_event event = {
        .kind = kind, .call = request->call, .episode = request->episode, .result = result};
    daemon_report_result(daemon, operation, result);
    if (kind == PIPELINE_SUGGESTED && result->outcome == CXONE_OK) {
        metrics_observe(&daemon->metrics, METRIC_HISTOGRAM_SUGGESTION,
                        (double)mono_ms_between(request->asked, loop_now(daemon->loop)) / 1e3);
    }
    free(request);
    daemon_step(daemon, &event);
}

static void on_polled(void *user, const struct cxone_result *result)
{
    finish_request(user, PIPELINE_POLLED, CXONE_TRANSCRIPTS, result);
}

static void on_attributes(void *user, const struct cxone_result *result)
{
    finish_request(user, PIPELINE_ATTRIBUTES_DONE, CXONE_ATTRIBUTES, result);
}

static void on_suggested(void *user, const struct cxone_result *result)
{
    finish_request(user, PIPELINE_SUGGESTED, CXONE_SUGGESTIONS, result);
}

static void do_poll(struct daemon *daemon, const struct effect *effect)
{
    struct request *request = make_request(daemon, effect);
    if (request) {
        cxone_poll(daemon->cxone, effect->interaction_id, effect->start_ms, on_polled, request);
    }
}

bool daemon_is_degraded(const struct daemon *daemon, const char *interaction_id)
{
    return map_get(&daemon->degraded_calls, interaction_id, strlen(interaction_id)) != NULL;
}

static void note_degraded(struct daemon *daemon, const char *interaction_id)
{
    if (pipeline_follows(daemon->pipeline, interaction_id) &&
        !map_put(&daemon->degraded_calls, interaction_id, strlen(interaction_id), daemon)) {
        struct error err;
        error_set(&err, ERROR_MEMORY, "no memory to mark a call as degraded");
        daemon_fail(daemon, &err); /* going on could pass a fallback's score off as the model's */
    }
}

enum { SUMMARY_ATTRIBUTES = 4, SUMMARY_BYTES = 24 };

/* Writes those that have a key; returns how many. */
static size_t add_summary(const struct config *config, const struct effect *effect,
                          char texts[SUMMARY_ATTRIBUTES][SUMMARY_BYTES],
                          struct cxone_attribute *attributes)
{
    const char *const keys[SUMMARY_ATTRIBUTES] = {
        config->attr_summary_mean_key, config->attr_summary_low_key, config->attr_summary_time_key,
        config->attr_summary_count_key};
    const struct summary *summary = &effect->summary;
    size_t used = 0;
    (void)cxone_format_score(summary->mean, texts[0]);
    (void)cxone_format_score(summary->lowest, texts[1]);
    (void)snprintf(texts[2], SUMMARY_BYTES, "%lld", (long long)((summary->low_ms + 500) / 1000));
    (void)snprintf(texts[3], SUMMARY_BYTES, "%u", (unsigned)effect->alerts);
    for (size_t i = 0; i < SUMMARY_ATTRIBUTES && effect->has_summary; i++) {
        if (keys[i][0]) {
            attributes[used++] = (struct cxone_attribute){keys[i], texts[i]};
        }
    }
    return used;
}

static void do_attributes(struct daemon *daemon, const struct effect *effect)
{
    const struct config *config = daemon->config;
    const struct call_reading *reading = &effect->reading;
    struct cxone_attribute attributes[5 + SUMMARY_ATTRIBUTES];
    char summary[SUMMARY_ATTRIBUTES][SUMMARY_BYTES];
    char score[CXONE_SCORE_BYTES];
    char count[24];
    char as_of[24];
    size_t used = 0;
    attributes[used++] =
        (struct cxone_attribute){config->attr_score_key, cxone_format_score(reading->score, score)};
    attributes[used++] =
        (struct cxone_attribute){config->attr_trend_key, call_trend_name(reading->trend)};
    if (config->attr_count_key[0]) {
        (void)snprintf(count, sizeof count, "%u", (unsigned)reading->utterances);
        attributes[used++] = (struct cxone_attribute){config->attr_count_key, count};
    }
    if (config->attr_as_of_key[0]) {
        (void)snprintf(as_of, sizeof as_of, "%lld", (long long)reading->as_of_ms);
        attributes[used++] = (struct cxone_attribute){config->attr_as_of_key, as_of};
    }
    if (config->attr_degraded_key[0]) {
        const char *degraded =
            daemon_is_degraded(daemon, effect->interaction_id) ? "true" : "false";
        attributes[used++] = (struct cxone_attribute){config->attr_degraded_key, degraded};
    }
    used += add_summary(config, effect, summary, &attributes[used]);
    struct request *request = make_request(daemon, effect);
    if (request) {
        cxone_put_attributes(daemon->cxone, effect->interaction_id, attributes, used, on_attributes,
                             request);
    }
}

static void do_suggest(struct daemon *daemon, const struct effect *effect)
{
    struct buf message;
    buf_init(&message, MESSAGE_BYTES_MAX);
    const char *words = pipeline_words(daemon->pipeline, effect->call, &effect->said);
    if (effect->message) {
        message_fill_words(effect->message, words, &message);
    } else {
        message_fill(daemon->config->assist_template, &effect->reading, words, &message);
    }
    struct request *request = make_request(daemon, effect);
    if (request) {
        cxone_suggest(daemon->cxone, effect->interaction_id, effect->idempotency_key,
                      buf_string(&message), on_suggested, request);
    }
    if (message.bytes) {
        keyhash_wipe(message.bytes, message.size);
    }
    buf_done(&message);
}

static void do_score(struct daemon *daemon, const struct effect *effect)
{
    struct score_ticket ticket = {
        .call = effect->call,
        .utterance = effect->utterance,
        .revision = effect->revision,
        .ordinal = effect->ordinal,
        .start_ms = effect->segment.start_ms,
        .end_ms = effect->segment.end_ms,
        .backlog = effect->backlog,
        .english = effect->english,
        .interaction_id = effect->interaction_id,
    };
    if (!score_pool_submit(daemon->pool, &ticket, effect->segment.text,
                           effect->segment.text_bytes)) {
        struct error err;
        error_set(&err, ERROR_MEMORY, "no memory to queue an utterance for scoring");
        daemon_fail(daemon, &err);
    }
}

void daemon_carry_out(struct daemon *daemon, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_POLL:
        do_poll(daemon, effect);
        break;
    case EFFECT_SCORE:
        do_score(daemon, effect);
        break;
    case EFFECT_ATTRIBUTES:
        do_attributes(daemon, effect);
        break;
    case EFFECT_SUGGEST:
        do_suggest(daemon, effect);
        break;
    case EFFECT_NOTE:
        daemon_report_note(daemon, effect);
        daemon_decisions_note(daemon, effect);
        daemon_wallboard_note(daemon->wallboard, effect);
        break;
    case EFFECT_CLOSED:
        (void)map_remove(&daemon->degraded_calls, effect->interaction_id,
                         strlen(effect->interaction_id));
        daemon_calls_closed(daemon, effect->interaction_id);
        break;
    }
}

static void arm_due_timer(struct daemon *daemon)
{
    struct mono soonest = mono_after_ms(daemon->ticked, DUE_SPACING_MS);
    struct mono due = mono_later(pipeline_next_due(daemon->pipeline), soonest);
    int64_t wait_ms = mono_left_ms(loop_now(daemon->loop), due);
    loop_timer_start(daemon->due_timer, wait_ms < 60000 ? wait_ms : 60000, 0);
}

static void watch_queue(struct daemon *daemon)
{
    size_t queued = score_pool_queued(daemon->pool);
    if (queued >= QUEUE_HIGH) {
        daemon->polls_held = true;
    } else if (queued <= QUEUE_LOW) {
        daemon->polls_held = false;
    }
    daemon->store_behind = daemon_keep_is_behind(daemon, daemon->store_behind);
    pipeline_hold_polls(daemon->pipeline, daemon->polls_held || daemon->store_behind ||
                                              daemon_reload_is_draining(daemon));
}

static void watch_quota(struct daemon *daemon)
{
    struct cxone_status status;
    cxone_status(daemon->cxone, &status);
    pipeline_set_quota(daemon->pipeline, status.rate_rps, status.call_rps, status.queued);
    const struct poll_schedule *schedule = pipeline_schedule(daemon->pipeline);
    if (schedule->degraded != daemon->schedule_degraded) {
        daemon->schedule_degraded = schedule->degraded;
        daemon_report_schedule(daemon, schedule);
    }
}

void daemon_step(struct daemon *daemon, const struct pipeline_event *event)
{
    struct effects *effects = pipeline_step(daemon->pipeline, daemon_now(daemon), event);
    for (size_t i = 0; i < effects->count; i++) {
        if (!daemon_keep_effect(daemon, &effects->items[i])) {
            daemon_carry_out(daemon, &effects->items[i]);
        }
    }
    if (effects->failed) {
        struct error err;
        error_set(&err, ERROR_MEMORY, "no memory to go on judging without losing anything");
        daemon_fail(daemon, &err);
    }
    daemon_keep_flush(daemon);
    daemon_switch_watch_fuse(daemon);
    watch_queue(daemon);
    watch_quota(daemon);
    arm_due_timer(daemon);
    daemon_check_stopped(daemon);
}

void daemon_on_due(void *user)
{
    struct daemon *daemon = user;
    struct pipeline_event event = {.kind = PIPELINE_TICK};
    daemon->ticked = loop_now(daemon->loop);
    daemon_step(daemon, &event);
}

void daemon_on_answer(void *user, const struct score_answer *answer)
{
    struct daemon *daemon = user;
    struct pipeline_event event = {
        .kind = PIPELINE_SCORED,
        .call = answer->ticket.call,
        .utterance = answer->ticket.utterance,
        .revision = answer->ticket.revision,
        .scorable = answer->scorable,
        .score = answer->score,
    };
    daemon->answers++;
    /* Masked since it was asked for: nothing of it is told, and the judgement ignores it. */
    if (!pipeline_is_masked(daemon->pipeline, answer->ticket.call, answer->ticket.utterance)) {
        if (answer->degraded) {
            note_degraded(daemon, answer->ticket.interaction_id);
        }
        if (!daemon_keep_answer(daemon, answer)) {
            daemon_report_answer(daemon, answer);
        }
        daemon_wallboard_answer(daemon->wallboard, answer);
        if (answer->scorable) {
            drift_add(&daemon->drift, (double)answer->score / MOOD_ONE, loop_now(daemon->loop));
        }
    }
    daemon_step(daemon, &event);
}

/* --- discovery ------------------------------------------------------------------------------- */

bool daemon_list_call(struct daemon *daemon, struct pipeline_event *event)
{
    const char *interaction_id = event->interaction_id;
    struct store_call known;
    bool found = false;
    bool follows = pipeline_follows(daemon->pipeline, interaction_id);
    if (!follows && daemon_keep_awaits(daemon, interaction_id)) {
        return false; /* it closed a moment ago */
    }
    if (!follows && store_load(daemon->store, interaction_id, &known, &found, NULL) == 0 && found) {
        event->resume = &known;
    }
    daemon_step(daemon, event);
    event->resume = NULL;
    return true;
}

static void list_call(struct daemon *daemon, const struct cxone_active *active)
{
    struct pipeline_event event = {
        .kind = PIPELINE_CALL_LISTED,
        .interaction_id = active->interaction_id,
        .from_discovery = true,
        .traits = {active->queue, active->language},
        .listing = {active->state, active->state_since_ms, daemon->discover_asked_ms},
        .master_id = active->master_id,
    };
    if (roster_seen(&daemon->roster, active->interaction_id)) { /* else there is no room */
        (void)daemon_list_call(daemon, &event);                 /* the next round names it again */
    }
}

static void drop_call(struct daemon *daemon, const char *interaction_id, enum end_reason reason)
{
    struct pipeline_event event = {
        .kind = PIPELINE_CALL_GONE, .interaction_id = interaction_id, .end_reason = reason};
    daemon_step(daemon, &event);
}

void daemon_forget_list(struct daemon *daemon)
{
    for (int i = 0; i < ROSTER_MISSING_ROUNDS; i++) {
        roster_begin(&daemon->roster);
    }
    for (const char *id = roster_missing(&daemon->roster); id;
         id = roster_missing(&daemon->roster)) {
        bool stays = daemon_calls_names(daemon, id);
        drop_call(daemon, id, stays ? END_REASON_NONE : END_REASON_DISCOVERY);
    }
    daemon->discovered = false;
}

static void on_discovered(void *user, const struct cxone_result *result)
{
    struct daemon *daemon = user;
    daemon->discovering = false;
    if (daemon->closing) {
        return;
    }
    daemon_report_result(daemon, CXONE_DISCOVERY, result);
    if ((result->outcome != CXONE_OK && result->outcome != CXONE_EMPTY) || daemon->stopping ||
        daemon_discovery_ms(daemon) == 0) {
        return;
    }
    daemon->discovered = true;
    daemon->discovered_at = loop_now(daemon->loop);
    roster_begin(&daemon->roster);
    for (size_t i = 0; i < result->active_count; i++) {
        const struct cxone_active *active = &result->active[i];
        if (active->state != CXONE_CALL_ENDED) {
            list_call(daemon, active);
        } else if (roster_ended(&daemon->roster, active->interaction_id)) {
            drop_call(daemon, active->interaction_id, END_REASON_DISCOVERY);
        }
    }
    for (const char *id = roster_missing(&daemon->roster); id;
         id = roster_missing(&daemon->roster)) {
        drop_call(daemon, id, END_REASON_DISCOVERY);
    }
}

void daemon_on_discover(void *user)
{
    struct daemon *daemon = user;
    if (!daemon->discovering && !daemon->stopping && !daemon_reload_is_draining(daemon)) {
        daemon->discovering = true;
        daemon->discover_asked_ms = daemon_now(daemon).vendor_ms;
        cxone_discover(daemon->cxone, on_discovered, daemon);
    }
}
