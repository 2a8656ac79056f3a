/* flow/session_internal.h - a session's state, shared by session.c (life and writing),
 * session_judge.c (what the judgement says), session_poll.c (fetching and ending), session_listed.c
 * and session_save.c (keeping it). */
#ifndef FLOW_SESSION_INTERNAL_H
#define FLOW_SESSION_INTERNAL_H

#include "flow/call_quota.h"
#include "flow/session.h"
#include "flow/words.h"

enum session_phase { PHASE_LIVE, PHASE_ENDING, PHASE_CLOSED };

struct session {
    uint64_t handle;
    char interaction_id[STORE_ID_BYTES];
    struct due_item due_item;
    struct call *call;
    struct cursor cursor;
    struct attribute_outbox attributes;
    struct suggestion_outbox suggestions;
    struct call_quota quota;
    struct poll_schedule_call paced;
    struct rand rand;
    struct family *family;                 /* or NULL */
    struct mono cooled_from;               /* newest delivery in the family that was heeded */
    char transferred_from[STORE_ID_BYTES]; /* or "" */

    char queue[SESSION_QUEUE_BYTES]; /* or "" */
    char language[LANGUAGE_BYTES];   /* or "" */
    bool heard_language;             /* the transcript said it */
    bool unjudged;                   /* the model does not know it */

    enum session_phase phase;
    enum end_reason end_reason;
    struct mono opened;
    struct mono ending_since;
    struct mono refreshed;  /* when the transcript was last read; at first, when opened */
    struct mono last_voice; /* when a segment not seen before last arrived */
    unsigned sweeps_done;
    bool stopping;
    bool ended_told; /* the judgement knows that the call is over */
    bool has_summarised;
    struct summary summarised; /* that of the last write with one */
    uint32_t summarised_alerts;
    bool unsaved; /* something worth keeping has changed since session_save */

    enum cxone_call_state state; /* as last listed */
    int64_t unmasked_ms;         /* vendor clock: last listed as not masked; 0 for never */
    int64_t masked_from_ms;      /* of the last mask */

    bool asked; /* polled before, by this process or an earlier one */
    bool polling;
    bool had_reply;
    bool listed; /* discovery named it as live */
    unsigned poll_failures;
    unsigned not_found;
    struct mono next_poll;
    struct mono poll_sent;
    struct mono last_sent; /* a poll or an attribute write */
    struct mono next_tick;

    int64_t first_ms;   /* where the call begins for us */
    int64_t unasked_ms; /* restored: start of the oldest utterance to be asked for again, until a
                         * reply has come; else INT64_MAX */
    int64_t floor_ms;   /* segments ending up to here were taken in by an earlier session; or -1 */
    uint32_t episode_base;             /* alert numbers used up by earlier sessions of this call */
    uint32_t episodes;                 /* by this one */
    struct call_reading alert_reading; /* of the episode in the suggestion outbox */
    struct call_alert alert;
    struct segment alert_said; /* what moved it most, or fired it: speaker and times only */

    struct words *words;              /* NULL while none are to be held */
    struct cues_state *cues;          /* NULL while there are no rules */
    bool cues_begun;                  /* history from before we joined has been taken in */
    struct mono next_cues;            /* when the passing of time may make a rule fire */
    char *hint;                       /* text of the suggestion in the outbox, if a rule's */
    const struct cues_firing *firing; /* while it is being judged */
};

static const struct mono session_never = {INT64_MAX};

struct effect *session_effect(struct session *session, struct session_context *context,
                              enum effect_kind kind);
struct effect *session_note(struct session *session, struct session_context *context,
                            enum note_kind note);

/* A session without a call and without a place to begin; NULL without memory. */
struct session *session_blank(struct session_context *context, uint64_t handle,
                              const char *interaction_id, uint64_t seed);

/* What is remembered of it when its state is not. */
void session_record(const struct session *session, struct store_call *record, bool closed);

/* What became of its last suggestion; false if there was none. */
bool session_suggestion(const struct session *session, const struct session_options *options,
                        struct store_suggestion *suggestion);
void session_suggestion_key(const struct session *session, const struct session_options *options,
                            uint32_t episode, char out[KEYHASH_TEXT_BYTES]);

/* Polls and attribute writes of a call go one at a time, or those that wait for the client's quota
 * would leave closer together than the call's own allows; but none waits longer for the answer of
 * another than this bound. The earliest time for the next. */
struct mono session_free(const struct session *session);

/* Takes leave of the call's own quota for one request; otherwise says from when on to ask again. */
bool session_may_ask(struct session *session, const struct session_context *context,
                     struct mono *again);

/* What any answer says of the call's own quota. */
void session_answered(struct session *session, const struct session_context *context,
                      const struct cxone_result *result);

/* A waiting suggestion has lost its reason; it is dropped, and that is noted. */
void session_withdraw_suggestion(struct session *session, struct session_context *context,
                                 const char *reason);

/* One step of the judgement, its effects translated. */
void session_judge(struct session *session, struct session_context *context,
                   const struct call_event *event);
void session_judge_tick(struct session *session, struct session_context *context);

/* What the call's rules say of a reply, of time that passed or a new mood, and of other events. */
void session_cues_reply(struct session *session, struct session_context *context,
                        const struct segment *segments, size_t count);
void session_cues_tick(struct session *session, struct session_context *context);
void session_cues_tell(struct session *session, struct session_context *context,
                       enum cues_event_kind kind, int64_t at_ms);

/* What an alert by a rule says beside the usual. */
void session_cues_describe(const struct session *session, const struct session_context *context,
                           struct effect *note);

/* The text for the agent of the firing being judged becomes the session's hint. */
void session_cues_hint(struct session *session, struct session_context *context);

/* Words in a language are heard, or the languages that are known have changed. */
void session_hear_language(struct session *session, struct session_context *context,
                           const char *text);
void session_weigh_language(struct session *session, struct session_context *context);

/* As call_reading, for a call that is judged. */
bool session_reading(const struct session *session, struct call_reading *reading);

/* Redacted words, where policy wants any and the language is one that redaction knows. */
void session_keep_words(struct session *session, struct session_context *context,
                        const struct segment *segments, size_t count);
void session_weigh_words(struct session *session, struct session_context *context);
void session_mask_words(struct session *session, struct session_context *context, int64_t from_ms);

/* Suggestions delivered to the family's other calls cool this one down as well. */
void session_heed_family(struct session *session, struct session_context *context);

/* Polls it with the others from now on; a restored call at risk comes first. */
void session_join_schedule(struct session *session, struct session_context *context);

/* Whether any poll is still wanted. */
bool session_polls_more(const struct session *session);
void session_run_poll(struct session *session, struct session_context *context);
void session_run_idle_end(struct session *session, struct session_context *context);

#endif
