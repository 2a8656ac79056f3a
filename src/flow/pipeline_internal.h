/* flow/pipeline_internal.h - the pipeline's state, shared by pipeline.c (the step) and
 * pipeline_look.c (looking at it). */
#ifndef FLOW_PIPELINE_INTERNAL_H
#define FLOW_PIPELINE_INTERNAL_H

#include "base/map.h"
#include "flow/pipeline.h"

struct slot {
    struct session *session; /* NULL when free */
    uint32_t generation;
    uint32_t next_free;
    bool is_noted;    /* among the unsaved */
    bool is_alerting; /* counted in `alerting` */
    bool is_closed;   /* what is to be remembered was said by EFFECT_CLOSED */
};

struct pipeline {
    struct pipeline_options options;
    struct slot *slots;
    size_t slot_count; /* slots in use or on the free list */
    uint32_t first_free;
    struct map by_id; /* interaction id -> struct session */
    struct family_set families;
    struct due_heap due;
    struct cursor_delays delays;
    struct poll_schedule schedule;
    double quota_rps;
    double call_rps;
    unsigned requests_waiting;
    struct effects effects;
    struct call_effects call_effects;
    struct call_counts closed_counts;
    uint64_t *unsaved; /* handles of sessions that have changed; some may be gone */
    size_t unsaved_count;
    char restore_error[ERROR_MESSAGE_BYTES];
    size_t calls;
    size_t alerting; /* of them: an alert is open */
    struct fuse fuse;
    bool hold_polls;
    bool stopping;
    uint64_t opened;
};

/* NULL for nobody. */
struct session *pipeline_find_by_handle(const struct pipeline *pipeline, uint64_t handle);
struct session *pipeline_find_by_id(const struct pipeline *pipeline, const char *id);

void pipeline_add_counts(struct call_counts *sum, const struct call_counts *more);

#endif
