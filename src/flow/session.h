/* flow/session.h - following one call: when to poll it, what to write, when it is over. Pure.
 *
 *     live --(discovery, 404/410, idle)--> ending --(swept, settled)--> closed
 *       ^------------(it is back)-------------'
 *
 * A session owns the judgement of its call (mood/call.h), the cursor and the two outboxes. It does
 * nothing by itself: events come in through the functions below, session_run does what is due, and
 * both answer with effects.
 *
 * The final sweep: when a call is over, its whole transcript (at most the last 10 minutes) is asked
 * for again after 5 s and after 60 s, because recognisers deliver late; then the last reading is
 * flushed and the session closes.
 */
#ifndef FLOW_SESSION_H
#define FLOW_SESSION_H

#include "base/language.h"
#include "base/rand.h"
#include "cues/cues.h"
#include "flow/attribute_outbox.h"
#include "flow/due_heap.h"
#include "flow/effects.h"
#include "flow/family.h"
#include "flow/fuse.h"
#include "flow/poll_schedule.h"
#include "flow/suggestion_outbox.h"
#include "mood/cursor.h"

enum { SESSION_SWEEPS = 2, SESSION_QUEUE_BYTES = CUES_NAME_BYTES_MAX + 1 };

struct session_options {
    struct mood_policy mood;
    struct cursor_limits cursor;
    struct attribute_limits attributes;
    struct suggestion_limits suggestions;
    struct backoff_limits poll_backoff;
    int64_t poll_active_ms; /* someone spoke within active_for_ms; while quota is plentiful */
    int64_t poll_idle_ms;
    int64_t poll_quiet_ms; /* nobody spoke for quiet_after_ms */
    int64_t poll_floor_ms;
    int64_t poll_max_ms; /* the promise when quota is scarce; at least poll_quiet_ms */
    int64_t active_for_ms;
    int64_t quiet_after_ms;
    int64_t lookback_ms; /* -1: from the beginning */
    int64_t idle_timeout_ms;
    int64_t appear_grace_ms; /* a new call may answer 404 this long */
    unsigned not_found_max;
    int64_t sweep_after_ms[SESSION_SWEEPS];
    int64_t sweep_reach_ms;
    int64_t mask_hold_ms;      /* while live, words are taken in this long after they ended */
    double interaction_rps;    /* 0: no limit of its own */
    struct keyhash effect_key; /* of the idempotency keys; the same for the life of a store */
    bool write_attributes;     /* false in shadow mode */
    bool send_suggestions;
    struct language_set languages; /* that the model knows */
    bool keep_words;               /* redacted ones, for the evidence of alerts */
    struct cues_rules *rules;      /* beside the mood; borrowed until other options come; or NULL */
};

/* What every session of one pipeline shares during a step. */
struct session_context {
    const struct session_options *options;
    struct cursor_delays *delays;
    struct poll_schedule *schedule;
    struct effects *effects;
    struct call_effects *call_effects; /* scratch */
    struct fuse *fuse;
    struct call_now now;
    double call_rps; /* learnt: requests a second for one call; 0: what is configured */
    bool hold_polls; /* the scorer is behind: no new polls for now */
};

struct session;

/* NULL without memory. `resume` (may be NULL) is what the store knew of this call: it goes on
 * behind what was taken in then, with windows of its own. A family (may be NULL) outlives the
 * session. */
struct session *session_create(struct session_context *context, uint64_t handle,
                               const char *interaction_id, const struct store_call *resume,
                               struct family *family, uint64_t seed);
void session_destroy(struct session *session); /* accepts NULL */

/* Destroys one whose following could not begin; accepts NULL. */
void session_abandon(struct session *session, struct session_context *context);

/* The family of a restored session, for whoever keeps families. */
struct session_kin {
    char master_id[STORE_ID_BYTES]; /* or "" */
    bool has_delivered;
    int64_t delivered_age_ms; /* when it was saved */
    int64_t passed_ms;        /* since then */
};

/* A session as a process before has left it. NULL with ERROR_FORMAT or ERROR_UNSUPPORTED if what
 * was kept cannot be read, ERROR_MEMORY otherwise. */
struct session *session_restore(struct session_context *context, uint64_t handle,
                                const struct store_saved *saved, uint64_t seed,
                                struct session_kin *kin, struct error *err);

/* Whether something worth keeping has changed since it was last saved. */
bool session_is_unsaved(const struct session *session);

/* Adds what has changed to the batch; false without memory: it is as unsaved as before. */
bool session_save(struct session *session, const struct session_options *options,
                  struct call_now now, struct store_batch *batch);

/* Events. Each may append effects. */
void session_on_polled(struct session *session, struct session_context *context,
                       const struct cxone_result *result);
void session_on_scored(struct session *session, struct session_context *context, uint32_t utterance,
                       uint32_t revision, bool scorable, int64_t score);
void session_on_attributes_done(struct session *session, struct session_context *context,
                                const struct cxone_result *result);
void session_on_suggested(struct session *session, struct session_context *context,
                          uint32_t episode, const struct cxone_result *result);

/* What a list says of a live call. */
struct session_listing {
    enum cxone_call_state state;
    int64_t since_ms; /* vendor clock: when that state began; -1: not said */
    int64_t asked_ms; /* vendor clock: when the list was asked for */
};
void session_on_listed(struct session *session, struct session_context *context,
                       const struct session_listing *listing);

/* What somebody says of a call: the vendor's list, or whoever names it. NULL: it is as it was. */
struct session_traits {
    const char *queue;    /* cut at SESSION_QUEUE_BYTES */
    const char *language; /* what is no tag counts as not said */
};
void session_on_traits(struct session *session, struct session_context *context,
                       const struct session_traits *traits);

/* The call belongs to this family from now on; the caller leaves the one before. */
void session_join(struct session *session, struct family *family);
struct family *session_family(const struct session *session); /* or NULL */

/* The call is over; for END_REASON_NONE only the vendor's list no longer speaks of it. */
void session_on_gone(struct session *session, struct session_context *context,
                     enum end_reason reason);
/* The options have changed: it is judged, paced and written by them from now on. A suggestion that
 * waits is dropped if none are sent any more; attributes wait for the day they are. */
void session_on_options(struct session *session, struct session_context *context);

/* The quota has become plentiful: the next poll is due when it would be if planned now. */
void session_replan(struct session *session, struct session_context *context);

/* The program stops: no more polls, what is owed is flushed. */
void session_on_stop(struct session *session, struct session_context *context);

/* Does whatever is due now. Returns false when the session has closed: destroy it. */
bool session_run(struct session *session, struct session_context *context);

/* When session_run should be called again. */
struct mono session_due(const struct session *session, const struct session_context *context);

/* A call as it stands, for display. */
struct session_view {
    const char *interaction_id; /* the session's */
    bool live;
    bool listed;                  /* the vendor's list named it */
    enum cxone_call_state state;  /* as last listed; active where no list says so */
    const char *transferred_from; /* id of the call it continues, or "" */
    const char *queue;            /* or "" */
    const char *language;         /* or "" */
    bool judged;                  /* false: the model does not know this language */
    bool has_reading;
    struct call_reading reading;
    struct mono opened;
    struct mono
        refreshed;     /* last good reply of the transcript endpoint; `opened` before the first */
    uint32_t episodes; /* alert numbers used up */
    uint32_t episode_open;       /* number of the open alert, as in NOTE_ALERT_OPENED, or 0 */
    uint32_t suggestion_episode; /* what suggestion_state is about, or 0 */
    enum suggestion_state suggestion_state;
    enum attribute_state attribute_state;
};
void session_look(const struct session *session, struct session_view *view);

/* What the store had kept of this call could not be read. */
void session_note_lost(struct session *session, struct session_context *context,
                       const char *reason);

struct due_item *session_due_item(struct session *session);
uint64_t session_handle(const struct session *session);
const char *session_interaction_id(const struct session *session);
const struct call *session_call(const struct session *session);
/* The redacted words of an utterance (speaker and times count), or NULL if they are not held. Good
 * until the session's next event. */
const char *session_words(const struct session *session, const struct segment *said);
size_t session_words_bytes(const struct session *session);

bool session_is_judged(const struct session *session);
uint32_t session_episode_open(const struct session *session); /* number in the call; 0: none */
bool session_is_live(const struct session *session);
bool session_is_settled(const struct session *session, const struct session_context *context);

#endif
