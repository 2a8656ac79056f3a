/* pipeline.c - see pipeline.h. Handles are slot number and generation, so that an answer which
 * arrives after its session closed finds nobody instead of somebody else. */
#include "flow/pipeline_internal.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t no_slot = UINT32_MAX;

static struct poll_schedule_limits schedule_limits(const struct session_options *options)
{
    struct poll_schedule_limits limits = {
        .floor_ms = options->poll_floor_ms,
        .pace_ms = {options->poll_active_ms, options->poll_idle_ms, options->poll_quiet_ms},
        .max_ms = options->poll_max_ms > options->poll_quiet_ms ? options->poll_max_ms
                                                                : options->poll_quiet_ms,
    };
    if (options->interaction_rps > 0 && options->interaction_rps * (double)limits.floor_ms < 1000) {
        limits.floor_ms = (int64_t)(1000 / options->interaction_rps);
    }
    return limits;
}

static void init_schedule(struct pipeline *pipeline)
{
    struct poll_schedule_limits limits = schedule_limits(&pipeline->options.session);
    pipeline_set_quota(pipeline, pipeline->options.quota_rps, 0, 0);
    poll_schedule_init(&pipeline->schedule, &limits, pipeline->quota_rps, (struct mono){0});
}

struct pipeline *pipeline_create(const struct pipeline_options *options)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline || options->calls_max >= no_slot) {
        free(pipeline);
        return NULL;
    }
    pipeline->options = *options;
    init_schedule(pipeline);
    fuse_init(&pipeline->fuse, &options->fuse);
    pipeline->first_free = no_slot;
    pipeline->slots = calloc(options->calls_max ? options->calls_max : 1, sizeof(struct slot));
    pipeline->unsaved = calloc(options->calls_max ? options->calls_max : 1, sizeof(uint64_t));
    map_init(&pipeline->by_id, options->calls_max);
    family_set_init(&pipeline->families, options->calls_max * 2);
    effects_init(&pipeline->effects);
    call_effects_init(&pipeline->call_effects);
    cursor_delays_init(&pipeline->delays);
    if (!due_heap_init(&pipeline->due, options->calls_max) || !pipeline->slots ||
        !pipeline->unsaved) {
        pipeline_destroy(pipeline);
        return NULL;
    }
    return pipeline;
}

void pipeline_destroy(struct pipeline *pipeline)
{
    if (!pipeline) {
        return;
    }
    for (size_t i = 0; i < pipeline->slot_count; i++) {
        session_destroy(pipeline->slots[i].session);
    }
    free(pipeline->slots);
    free(pipeline->unsaved);
    map_done(&pipeline->by_id);
    family_set_done(&pipeline->families);
    due_heap_done(&pipeline->due);
    effects_done(&pipeline->effects);
    call_effects_done(&pipeline->call_effects);
    free(pipeline);
}

/* --- sessions by handle and by id ------------------------------------------------------------ */

static uint64_t make_handle(uint32_t slot, uint32_t generation)
{
    return (uint64_t)generation << 32 | slot;
}

struct session *pipeline_find_by_handle(const struct pipeline *pipeline, uint64_t handle)
{
    uint32_t at = (uint32_t)handle;
    if (at >= pipeline->slot_count || pipeline->slots[at].generation != (uint32_t)(handle >> 32)) {
        return NULL;
    }
    return pipeline->slots[at].session;
}

struct session *pipeline_find_by_id(const struct pipeline *pipeline, const char *id)
{
    return map_get(&pipeline->by_id, id, strlen(id));
}

static uint32_t take_slot(struct pipeline *pipeline)
{
    if (pipeline->first_free != no_slot) {
        uint32_t at = pipeline->first_free;
        pipeline->first_free = pipeline->slots[at].next_free;
        return at;
    }
    if (pipeline->slot_count < pipeline->options.calls_max) {
        return (uint32_t)pipeline->slot_count++;
    }
    return no_slot;
}

static void release_slot(struct pipeline *pipeline, uint32_t at)
{
    struct slot *slot = &pipeline->slots[at];
    slot->session = NULL;
    slot->is_noted = false;
    slot->is_closed = false;
    pipeline->alerting -= slot->is_alerting;
    slot->is_alerting = false;
    slot->generation++;
    slot->next_free = pipeline->first_free;
    pipeline->first_free = at;
}

static struct session *open_session(struct pipeline *pipeline, struct session_context *context,
                                    const struct pipeline_event *event)
{
    uint32_t at = take_slot(pipeline);
    if (at == no_slot) {
        return NULL; /* at calls_max: discovery will name the call again */
    }
    struct slot *slot = &pipeline->slots[at];
    struct mono now = context->now.mono;
    struct family *family =
        event->master_id ? family_set_join(&pipeline->families, event->master_id, now) : NULL;
    struct session *session = session_create(context, make_handle(at, slot->generation),
                                             event->interaction_id, event->resume, family,
                                             rand_mix(pipeline->options.seed + pipeline->opened++));
    slot->session = session;
    const char *id = event->interaction_id;
    if (!session || !map_put(&pipeline->by_id, id, strlen(id), session)) {
        session_abandon(session, context);
        if (family) {
            family_set_leave(&pipeline->families, family, now);
        }
        release_slot(pipeline, at);
        effects_clear(context->effects);
        return NULL;
    }
    pipeline->calls++;
    return session;
}

/* A restored session finds its family as it was; its last delivery is known by every member. */
static void find_family(struct pipeline *pipeline, struct session *session,
                        const struct session_kin *kin, struct mono now)
{
    struct family *family =
        kin->master_id[0] ? family_set_join(&pipeline->families, kin->master_id, now) : NULL;
    if (!family) {
        return;
    }
    session_join(session, family);
    if (kin->has_delivered) {
        struct mono saved = mono_after_ms(now, -kin->passed_ms);
        family_deliver(family, mono_after_ms(saved, -kin->delivered_age_ms));
    }
}

/* What cannot be read is told, and the call taken up behind what was taken in. */
static struct session *restore_session(struct pipeline *pipeline, struct session_context *context,
                                       const struct pipeline_event *event)
{
    const struct store_saved *saved = event->saved;
    const char *id = saved->call.interaction_id;
    struct session_kin kin;
    struct error err;
    uint32_t at = pipeline_find_by_id(pipeline, id) ? no_slot : take_slot(pipeline);
    if (at == no_slot) {
        return NULL;
    }
    struct slot *slot = &pipeline->slots[at];
    struct session *session =
        session_restore(context, make_handle(at, slot->generation), saved,
                        rand_mix(pipeline->options.seed + pipeline->opened++), &kin, &err);
    slot->session = session;
    if (session && map_put(&pipeline->by_id, id, strlen(id), session)) {
        find_family(pipeline, session, &kin, context->now.mono);
        pipeline->calls++;
        return session;
    }
    session_abandon(session, context);
    release_slot(pipeline, at);
    effects_clear(context->effects);
    struct pipeline_event listed = {
        .kind = PIPELINE_CALL_LISTED, .interaction_id = id, .resume = &saved->call};
    session = session ? NULL : open_session(pipeline, context, &listed);
    if (session) {
        memcpy(pipeline->restore_error, err.message, sizeof err.message);
        session_note_lost(session, context, pipeline->restore_error);
    }
    return session;
}

static void close_session(struct pipeline *pipeline, uint64_t handle, struct mono now)
{
    struct session *session = pipeline_find_by_handle(pipeline, handle);
    if (!session) {
        return;
    }
    const char *id = session_interaction_id(session);
    pipeline_add_counts(&pipeline->closed_counts, call_counts(session_call(session)));
    map_remove(&pipeline->by_id, id, strlen(id));
    due_heap_remove(&pipeline->due, session_due_item(session));
    release_slot(pipeline, (uint32_t)handle);
    if (session_family(session)) {
        family_set_leave(&pipeline->families, session_family(session), now);
    }
    session_destroy(session);
    pipeline->calls--;
}

/* --- the step -------------------------------------------------------------------------------- */

/* There are never more live handles in the list than calls, but dead ones: they make room. */
static void note_unsaved(struct pipeline *pipeline, uint64_t handle)
{
    struct slot *slot = &pipeline->slots[(uint32_t)handle];
    if (slot->is_noted) {
        return;
    }
    slot->is_noted = true;
    if (pipeline->unsaved_count == pipeline->options.calls_max) {
        size_t kept = 0;
        for (size_t i = 0; i < pipeline->unsaved_count; i++) {
            if (pipeline_find_by_handle(pipeline, pipeline->unsaved[i])) {
                pipeline->unsaved[kept++] = pipeline->unsaved[i];
            }
        }
        pipeline->unsaved_count = kept;
    }
    pipeline->unsaved[pipeline->unsaved_count++] = handle;
}

/* The fuse sees what share of the calls is under an alert before their suggestions leave. */
static void note_alert(struct pipeline *pipeline, const struct session *session, struct mono now)
{
    struct slot *slot = &pipeline->slots[(uint32_t)session_handle(session)];
    bool is_alerting = session_episode_open(session) > 0;
    if (is_alerting != slot->is_alerting) {
        pipeline->alerting += is_alerting ? 1 : (size_t)-1;
        slot->is_alerting = is_alerting;
        fuse_watch(&pipeline->fuse, pipeline->calls, pipeline->alerting, now);
    }
}

/* Lets a session do what is due and puts it back in the queue. A closed session is destroyed at the
 * start of the next step, because the effects still borrow its name. */
static void settle(struct pipeline *pipeline, struct session_context *context,
                   struct session *session)
{
    note_alert(pipeline, session, context->now.mono);
    if (!session_run(session, context)) {
        due_heap_remove(&pipeline->due, session_due_item(session));
        pipeline->slots[(uint32_t)session_handle(session)].is_closed = true;
        return;
    }
    if (pipeline->options.keep_state && session_is_unsaved(session)) {
        note_unsaved(pipeline, session_handle(session));
    }
    due_heap_set(&pipeline->due, session_due_item(session), session_due(session, context));
}

static void destroy_closed(struct pipeline *pipeline, struct mono now)
{
    for (size_t i = 0; i < pipeline->effects.count; i++) {
        if (pipeline->effects.items[i].kind == EFFECT_CLOSED) {
            close_session(pipeline, pipeline->effects.items[i].call, now);
        }
    }
    effects_clear(&pipeline->effects);
}

/* The master of a contact can change after several transfers, and may be named late. */
static void follow_master(struct pipeline *pipeline, struct session *session, const char *master_id,
                          struct mono now)
{
    struct family *before = session_family(session);
    if (!master_id || (before && strcmp(before->master_id, master_id) == 0)) {
        return;
    }
    struct family *family = family_set_join(&pipeline->families, master_id, now);
    if (family) {
        session_join(session, family);
    }
    if (family && before) {
        family_set_leave(&pipeline->families, before, now);
    }
}

static struct session *event_session(struct pipeline *pipeline, struct session_context *context,
                                     const struct pipeline_event *event)
{
    switch (event->kind) {
    case PIPELINE_CALL_RESTORED:
        return restore_session(pipeline, context, event);
    case PIPELINE_CALL_LISTED: {
        struct session *session = pipeline_find_by_id(pipeline, event->interaction_id);
        if (session) {
            follow_master(pipeline, session, event->master_id, context->now.mono);
        }
        return session || pipeline->stopping ? session : open_session(pipeline, context, event);
    }
    case PIPELINE_CALL_GONE:
        return pipeline_find_by_id(pipeline, event->interaction_id);
    case PIPELINE_POLLED:
    case PIPELINE_SCORED:
    case PIPELINE_ATTRIBUTES_DONE:
    case PIPELINE_SUGGESTED:
        return pipeline_find_by_handle(pipeline, event->call);
    case PIPELINE_TICK:
    case PIPELINE_OPTIONS:
    case PIPELINE_STOP:
        return NULL;
    }
    return NULL;
}

static void deliver(struct session *session, struct session_context *context,
                    const struct pipeline_event *event)
{
    switch (event->kind) {
    case PIPELINE_CALL_RESTORED:
        break;
    case PIPELINE_CALL_LISTED:
        session_on_traits(session, context, &event->traits);
        if (event->from_discovery) {
            session_on_listed(session, context, &event->listing);
        }
        break;
    case PIPELINE_CALL_GONE:
        session_on_gone(session, context, event->end_reason);
        break;
    case PIPELINE_POLLED:
        session_on_polled(session, context, event->result);
        break;
    case PIPELINE_SCORED:
        session_on_scored(session, context, event->utterance, event->revision, event->scorable,
                          event->score);
        break;
    case PIPELINE_ATTRIBUTES_DONE:
        session_on_attributes_done(session, context, event->result);
        break;
    case PIPELINE_SUGGESTED:
        session_on_suggested(session, context, event->episode, event->result);
        break;
    case PIPELINE_TICK:
    case PIPELINE_OPTIONS:
    case PIPELINE_STOP:
        break;
    }
}

/* Each session acts at most once a turn, however soon it wants to act again. */
static void run_due(struct pipeline *pipeline, struct session_context *context)
{
    for (size_t turns = pipeline->due.count; turns > 0; turns--) {
        struct due_item *item = due_heap_first(&pipeline->due);
        if (!item || !mono_reached(context->now.mono, item->due)) {
            break;
        }
        settle(pipeline, context, item->owner);
    }
}

static void tell_all(struct pipeline *pipeline, struct session_context *context,
                     void (*tell)(struct session *, struct session_context *))
{
    for (size_t i = 0; i < pipeline->slot_count; i++) {
        if (pipeline->slots[i].session) {
            tell(pipeline->slots[i].session, context);
            settle(pipeline, context, pipeline->slots[i].session);
        }
    }
}

static void change_options(struct pipeline *pipeline, struct session_context *context,
                           const struct pipeline_options *options)
{
    struct poll_schedule_limits limits = schedule_limits(&options->session);
    pipeline->options.session = options->session;
    pipeline->options.quota_rps = options->quota_rps;
    fuse_set_limits(&pipeline->fuse, &options->fuse);
    poll_schedule_set_limits(&pipeline->schedule, &limits);
    tell_all(pipeline, context, session_on_options);
}

static struct session_context make_context(struct pipeline *pipeline, struct call_now now)
{
    return (struct session_context){
        .options = &pipeline->options.session,
        .delays = &pipeline->delays,
        .schedule = &pipeline->schedule,
        .effects = &pipeline->effects,
        .call_effects = &pipeline->call_effects,
        .fuse = &pipeline->fuse,
        .now = now,
        .hold_polls = pipeline->hold_polls,
        .call_rps = pipeline->call_rps,
    };
}

struct effects *pipeline_step(struct pipeline *pipeline, struct call_now now,
                              const struct pipeline_event *event)
{
    destroy_closed(pipeline, now.mono);
    struct session_context context = make_context(pipeline, now);
    poll_schedule_set_learnt(&pipeline->schedule,
                             pipeline->quota_rps < pipeline->options.quota_rps);
    poll_schedule_steer(&pipeline->schedule, pipeline->quota_rps, pipeline->requests_waiting,
                        now.mono);
    if (poll_schedule_take_plenty(&pipeline->schedule)) {
        tell_all(pipeline, &context, session_replan);
    }
    if (event->kind == PIPELINE_TICK) {
        run_due(pipeline, &context);
    } else if (event->kind == PIPELINE_STOP) {
        pipeline->stopping = true;
        tell_all(pipeline, &context, session_on_stop);
    } else if (event->kind == PIPELINE_OPTIONS) {
        change_options(pipeline, &context, event->options);
    } else {
        struct session *session = event_session(pipeline, &context, event);
        if (session) {
            deliver(session, &context, event);
            settle(pipeline, &context, session);
        }
    }
    return &pipeline->effects;
}

/* --- saving ---------------------------------------------------------------------------------- */

bool pipeline_has_unsaved(const struct pipeline *pipeline)
{
    return pipeline->unsaved_count > 0;
}

bool pipeline_save(struct pipeline *pipeline, struct call_now now, struct store_batch *batch)
{
    while (pipeline->unsaved_count > 0) {
        uint64_t handle = pipeline->unsaved[pipeline->unsaved_count - 1];
        struct session *session = pipeline_find_by_handle(pipeline, handle);
        bool wanted = session && !pipeline->slots[(uint32_t)handle].is_closed;
        if (wanted && !session_save(session, &pipeline->options.session, now, batch)) {
            return false;
        }
        pipeline->unsaved_count--;
        if (session) {
            pipeline->slots[(uint32_t)handle].is_noted = false;
        }
    }
    return true;
}
