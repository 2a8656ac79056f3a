/* pipeline_look.c - what there is to see of the pipeline, and the few things it is told between
 * steps. See pipeline.h. */
#include "flow/pipeline_internal.h"

static const struct mono far_future = {INT64_MAX};
static const double no_limit_rps = 1e9;

void pipeline_add_counts(struct call_counts *sum, const struct call_counts *more)
{
    sum->finals += more->finals;
    sum->agent += more->agent;
    sum->partials += more->partials;
    sum->duplicates += more->duplicates;
    sum->revisions += more->revisions;
    sum->late += more->late;
    sum->beyond_lateness += more->beyond_lateness;
    sum->folded += more->folded;
    sum->clamped += more->clamped;
    sum->quarantined += more->quarantined;
    sum->unknown_speaker += more->unknown_speaker;
    sum->unscorable += more->unscorable;
    sum->masked += more->masked;
}

struct mono pipeline_next_due(const struct pipeline *pipeline)
{
    const struct due_item *first = due_heap_first(&pipeline->due);
    return first ? first->due : far_future;
}

bool pipeline_is_masked(const struct pipeline *pipeline, uint64_t call, uint32_t utterance)
{
    const struct session *session = pipeline_find_by_handle(pipeline, call);
    return session && call_is_masked(session_call(session), utterance);
}

const char *pipeline_words(const struct pipeline *pipeline, uint64_t call,
                           const struct segment *said)
{
    const struct session *session = pipeline_find_by_handle(pipeline, call);
    return session ? session_words(session, said) : NULL;
}

size_t pipeline_words_bytes(const struct pipeline *pipeline)
{
    size_t bytes = 0;
    for (size_t i = 0; i < pipeline->slot_count; i++) {
        const struct session *session = pipeline->slots[i].session;
        bytes += session ? session_words_bytes(session) : 0;
    }
    return bytes;
}

void pipeline_hold_polls(struct pipeline *pipeline, bool hold)
{
    pipeline->hold_polls = hold;
}

void pipeline_set_quota(struct pipeline *pipeline, double quota_rps, double call_rps,
                        unsigned waiting)
{
    pipeline->call_rps = call_rps;
    pipeline->requests_waiting = waiting;
    pipeline->quota_rps = quota_rps > 0 ? quota_rps : no_limit_rps;
}

const struct poll_schedule *pipeline_schedule(const struct pipeline *pipeline)
{
    return &pipeline->schedule;
}

bool pipeline_follows(const struct pipeline *pipeline, const char *interaction_id)
{
    return pipeline_find_by_id(pipeline, interaction_id) != NULL;
}

size_t pipeline_calls(const struct pipeline *pipeline)
{
    return pipeline->calls;
}

size_t pipeline_calls_live(const struct pipeline *pipeline)
{
    size_t live = 0;
    for (size_t i = 0; i < pipeline->slot_count; i++) {
        const struct session *session = pipeline->slots[i].session;
        live += session && session_is_live(session);
    }
    return live;
}

size_t pipeline_calls_unjudged(const struct pipeline *pipeline)
{
    size_t unjudged = 0;
    for (size_t i = 0; i < pipeline->slot_count; i++) {
        const struct session *session = pipeline->slots[i].session;
        unjudged += session && session_is_live(session) && !session_is_judged(session);
    }
    return unjudged;
}

bool pipeline_settled(const struct pipeline *pipeline)
{
    struct session_context context = {.options = &pipeline->options.session};
    for (size_t i = 0; i < pipeline->slot_count; i++) {
        const struct session *session = pipeline->slots[i].session;
        if (session && !session_is_settled(session, &context)) {
            return false;
        }
    }
    return true;
}

void pipeline_counts(const struct pipeline *pipeline, struct call_counts *counts)
{
    *counts = pipeline->closed_counts;
    for (size_t i = 0; i < pipeline->slot_count; i++) {
        if (pipeline->slots[i].session) {
            pipeline_add_counts(counts, call_counts(session_call(pipeline->slots[i].session)));
        }
    }
}

bool pipeline_look(const struct pipeline *pipeline, const char *interaction_id,
                   struct session_view *view)
{
    const struct session *session = pipeline_find_by_id(pipeline, interaction_id);
    if (session) {
        session_look(session, view);
    }
    return session != NULL;
}

bool pipeline_next(const struct pipeline *pipeline, size_t *position, struct session_view *view)
{
    while (*position < pipeline->slot_count) {
        const struct session *session = pipeline->slots[(*position)++].session;
        if (session) {
            session_look(session, view);
            return true;
        }
    }
    return false;
}

const struct fuse *pipeline_fuse(const struct pipeline *pipeline)
{
    return &pipeline->fuse;
}

void pipeline_reset_fuse(struct pipeline *pipeline, struct mono now)
{
    fuse_reset(&pipeline->fuse);
    fuse_watch(&pipeline->fuse, pipeline->calls, pipeline->alerting, now);
}

void pipeline_watch_fuse(struct pipeline *pipeline, struct mono now)
{
    fuse_watch(&pipeline->fuse, pipeline->calls, pipeline->alerting, now);
}

size_t pipeline_alerting(const struct pipeline *pipeline)
{
    return pipeline->alerting;
}
