/* flow/pipeline.h - the daemon's core as a pure step: (state, now, event) -> (state, effects).
 *
 * It holds one session per followed call and knows which must act next. It reads no clock, opens no
 * socket and starts no thread: the daemon feeds it what happened and carries out the effects; a
 * test does the same with a table of scores and a pretended clock, and so does replay.
 *
 *     struct effects *effects = pipeline_step(pipeline, now, &event);
 *     for (size_t i = 0; i < effects->count; i++) ... carry out effects->items[i], in order
 */
#ifndef FLOW_PIPELINE_H
#define FLOW_PIPELINE_H

#include "flow/effects.h"
#include "flow/session.h"

struct pipeline;

struct pipeline_options {
    struct session_options session;
    size_t calls_max;
    bool keep_state;         /* calls are saved: note which have changed */
    double quota_rps;        /* requests a second that polls and writes share; 0: no limit */
    struct fuse_limits fuse; /* zeroed: none */
    uint64_t seed;
};

enum pipeline_event_kind {
    PIPELINE_CALL_RESTORED,   /* `saved` goes on where a process before has left it */
    PIPELINE_CALL_LISTED,     /* interaction_id is live; followed from now on if it was not */
    PIPELINE_CALL_GONE,       /* interaction_id is over, for end_reason */
    PIPELINE_POLLED,          /* result of an EFFECT_POLL */
    PIPELINE_SCORED,          /* answer to an EFFECT_SCORE */
    PIPELINE_ATTRIBUTES_DONE, /* result of an EFFECT_ATTRIBUTES */
    PIPELINE_SUGGESTED,       /* result of an EFFECT_SUGGEST */
    PIPELINE_TICK,            /* time passed: do what is due */
    PIPELINE_OPTIONS,         /* other options from now on */
    PIPELINE_STOP,            /* no more polls; what is owed is flushed */
};

struct pipeline_event {
    enum pipeline_event_kind kind;
    const char *interaction_id;      /* LISTED, GONE */
    const struct store_saved *saved; /* RESTORED */
    const struct store_call *resume; /* LISTED: what the store knew, or NULL */
    bool from_discovery;             /* LISTED: the vendor's list keeps it alive */
    struct session_listing listing;  /* LISTED from discovery: what the list says of it */
    struct session_traits traits;    /* LISTED: what is said of it */
    const char *master_id;           /* LISTED: shared by a transferred contact's calls, or NULL */
    enum end_reason end_reason;      /* GONE */
    uint64_t call;                   /* the others: as given in the effect */
    const struct cxone_result *result;      /* POLLED, ATTRIBUTES_DONE, SUGGESTED */
    uint32_t utterance;                     /* SCORED */
    uint32_t revision;                      /* SCORED */
    bool scorable;                          /* SCORED: false when there was nothing to judge */
    int64_t score;                          /* SCORED: fixed point */
    uint32_t episode;                       /* SUGGESTED */
    const struct pipeline_options *options; /* OPTIONS: session and fuse; keys as they were */
};

/* NULL without memory. */
struct pipeline *pipeline_create(const struct pipeline_options *options);
void pipeline_destroy(struct pipeline *pipeline); /* accepts NULL */

/* One step. The effects belong to the pipeline and are good until the next step; an event for a
 * call that is no longer followed is ignored. */
struct effects *pipeline_step(struct pipeline *pipeline, struct call_now now,
                              const struct pipeline_event *event);

/* What a call is, for the store. Between two saves a step may change much: whatever a step wants
 * done that must not be done twice (write, suggest, log as done) is to wait until a save after that
 * step is durable, and so is the first poll of a call: what it brings belongs to a call that a
 * later process must know of. What else is asked of vendor and scorer need not wait; it is asked
 * again. */
bool pipeline_has_unsaved(const struct pipeline *pipeline);

/* Adds every call that has changed since it was last saved to the batch; those that closed are in
 * EFFECT_CLOSED. False without memory. */
bool pipeline_save(struct pipeline *pipeline, struct call_now now, struct store_batch *batch);

/* When a PIPELINE_TICK is wanted next; far in the future when nothing is due. */
struct mono pipeline_next_due(const struct pipeline *pipeline);

/* Whether this utterance of a followed call was masked: an answer to it says nothing to anybody. */
bool pipeline_is_masked(const struct pipeline *pipeline, uint64_t call, uint32_t utterance);

/* The redacted words of an utterance of a followed call, by speaker and times; NULL if they are not
 * held: policy wants none, the call is over, they are masked, too old, or of an earlier process.
 * Good until the next step. */
const char *pipeline_words(const struct pipeline *pipeline, uint64_t call,
                           const struct segment *said);
size_t pipeline_words_bytes(const struct pipeline *pipeline); /* of all calls */

/* While held, no new polls leave: the scorer is behind, and polling less is how that is mended. */
void pipeline_hold_polls(struct pipeline *pipeline, bool hold);

/* The vendor takes this many requests a second now, and so many for one call; 0: no limit but what
 * is configured. So many requests wait to be sent. */
void pipeline_set_quota(struct pipeline *pipeline, double quota_rps, double call_rps,
                        unsigned waiting);

/* The fuse as it stands. A reset one blows again at once if its reason still holds; watched, a
 * blown one whose time is over is whole again. */
const struct fuse *pipeline_fuse(const struct pipeline *pipeline);
void pipeline_reset_fuse(struct pipeline *pipeline, struct mono now);
void pipeline_watch_fuse(struct pipeline *pipeline, struct mono now);

/* How the polls are shared out. */
const struct poll_schedule *pipeline_schedule(const struct pipeline *pipeline);

bool pipeline_follows(const struct pipeline *pipeline, const char *interaction_id);
size_t pipeline_calls(const struct pipeline *pipeline); /* sessions, ending ones included */
size_t pipeline_calls_live(const struct pipeline *pipeline);
size_t pipeline_calls_unjudged(const struct pipeline *pipeline); /* of them, not judged */
size_t pipeline_alerting(const struct pipeline *pipeline);       /* of them, under an alert */
bool pipeline_settled(const struct pipeline *pipeline); /* nothing owed, nothing under way */

/* What the judgement counted, over all calls ever followed. */
void pipeline_counts(const struct pipeline *pipeline, struct call_counts *counts);

/* One followed call for display; false if it is not followed. */
bool pipeline_look(const struct pipeline *pipeline, const char *interaction_id,
                   struct session_view *view);

/* Walks the followed calls for display; start with *position = 0, false at the end. */
bool pipeline_next(const struct pipeline *pipeline, size_t *position, struct session_view *view);

#endif
