/* mood/call.h - one call as a pure state machine: (state, now, event) -> (state, effects).
 *
 * No I/O, no clock, no threads, no model: time and scores are handed in, so a whole call can be
 * replayed in a test. The caller feeds events and carries out the effects.
 *
 * Invariants
 * - What is known of an utterance depends on the set of segments seen, not on their order of
 *   arrival: readings after any permutation of late, duplicate and revised segments are equal to
 *   those of an in-order replay (integer arithmetic; recomputed, never subtracted).
 * - For each (utterance, revision) exactly one CALL_EFFECT_SCORE is emitted, ever.
 * - At most one alert is open; an alert id (episode number) is never reused. A rule's alert takes a
 *   number too, but is never open and leaves an open episode as it is.
 * - Once CALL_EVENT_MASKED was taken, no utterance whose end lies in the mask is asked to be scored
 *   or counts in a reading, whichever came first, the segment, its score or the mask. An utterance
 *   not scored yet is dropped; one already scored loses its score, and the history is recomputed as
 *   if it had never had one. Either is told once by CALL_EFFECT_MASKED. What was published before,
 *   and what was folded away, is beyond recall.
 * - An utterance withheld under an open mask that turns out to have ended before is asked for when
 *   it is served again. One that had been asked for before the mask was known is not: once is once.
 * - Of a call restored in a later process (call_save.h), what was asked for and not answered when
 *   it was saved is asked for, as the same revision, when it is served again.
 * - Memory is bounded by policy->utterances_max, 64 bytes each. What is older than all that is
 *   remembered stays in the trend and the CUSUM, and is neither scored nor changed any more.
 *
 * Identity (no id in the payload): key = (speaker, start_ms), or the vendor's id where there is
 * one. Same key, end and text = duplicate. Same key, other end or text, in a reply that no longer
 * holds the old form = revision. Two different finals of one key in one reply = two utterances.
 * A revision moves to its new end at once and keeps its old score until the new one is given.
 *
 * Means, differences and contributions are rounded to the nearest, halves away from zero;
 * decisions compare them unrounded.
 */
#ifndef MOOD_CALL_H
#define MOOD_CALL_H

#include "base/clock.h"
#include "mood/policy.h"
#include "mood/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CALL_EVIDENCE_MAX = 5 };

struct call;

struct call_now {
    struct mono mono;  /* cooldown, and the advance of event time in silence */
    int64_t vendor_ms; /* estimated vendor clock */
};

enum call_trend { CALL_TREND_STABLE, CALL_TREND_IMPROVING, CALL_TREND_DECLINING };
enum call_alert_path { CALL_ALERT_DECLINING, CALL_ALERT_SUSTAINED_LOW, CALL_ALERT_RULE };

/* Whom an alert is for: a hint to the agent, or that and a supervisor. In order of weight. */
enum call_tier { CALL_TIER_AGENT, CALL_TIER_SUPERVISOR };

/* What an alert stands on. */
struct call_alert {
    enum call_alert_path path;
    enum call_tier tier;
    uint32_t rule;      /* CALL_ALERT_RULE: as given in the event */
    int64_t confidence; /* fixed point: how surely it is no accident; 0 where that is not known */
    int64_t slope;      /* change of score a minute over both windows, fixed point */
};

enum call_event_kind {
    CALL_EVENT_REPLY,      /* one reply of the transcript endpoint, in its order */
    CALL_EVENT_SCORED,     /* the scorer's answer to one CALL_EFFECT_SCORE */
    CALL_EVENT_UNSCORABLE, /* nothing to judge in it (blank after cleaning), or scoring failed */
    CALL_EVENT_DELIVERED,  /* the suggestion of the open or last episode was confirmed */
    CALL_EVENT_COOL,       /* a suggestion was delivered elsewhere to whom this call belongs */
    CALL_EVENT_MASKED,     /* nothing that ends from at_ms on may be looked at */
    CALL_EVENT_UNMASKED,   /* the mask ended at at_ms */
    CALL_EVENT_HELD,       /* nobody talks to the customer: no alert opens */
    CALL_EVENT_RESUMED,    /* an alert held back opens if its reason still stands */
    CALL_EVENT_RULE,       /* a rule beside mood fired: an alert with the next number, whatever the
                            * mood does; it is told once and never open. How often a rule may fire
                            * is the caller's affair */
    CALL_EVENT_TICK,       /* time passed; about once a second */
    CALL_EVENT_ENDED,      /* the call is over and swept: last reading, no more alerts */
};

struct call_event {
    enum call_event_kind kind;
    const struct segment *segments; /* REPLY */
    size_t segment_count;
    bool backlog;       /* REPLY: history from before we joined: no reading or alert until all of
                         * it is scored */
    uint32_t utterance; /* SCORED, UNSCORABLE: as given in the effect */
    uint32_t revision;
    int64_t score;         /* SCORED: fixed point, 0..MOOD_ONE */
    uint32_t episode;      /* DELIVERED */
    struct mono delivered; /* COOL: when */
    int64_t at_ms;         /* MASKED, UNMASKED: vendor clock */
    uint32_t rule;         /* RULE: the caller's number for it */
    enum call_tier tier;   /* RULE */
};

struct call_reading {
    int64_t score; /* mean of the current window, fixed point */
    enum call_trend trend;
    int64_t difference;      /* mean now minus mean before; 0 if either window is too thin */
    uint32_t samples;        /* utterances in the current window */
    uint32_t utterances;     /* customer utterances judged so far in this call */
    int64_t as_of_ms;        /* T: end of the newest judged customer utterance */
    int64_t sustained;       /* CUSUM value at T */
    int64_t score_before;    /* mean of the window before; 0 if that is empty */
    uint32_t samples_before; /* utterances in it */
};

struct call_evidence {
    int64_t start_ms;
    int64_t end_ms;
    enum speaker speaker;
    int64_t score;
    int64_t
        contribution; /* (score - mean it is held against) / samples: how far it moved the mean */
};

enum call_effect_kind {
    CALL_EFFECT_SCORE,     /* please score this text */
    CALL_EFFECT_MASKED,    /* this utterance was said while masked: it has no score */
    CALL_EFFECT_READING,   /* a new reading to publish */
    CALL_EFFECT_ALERT,     /* an episode opened, or a rule fired */
    CALL_EFFECT_RAISED,    /* the open episode now concerns a supervisor too */
    CALL_EFFECT_REMINDED,  /* it has stayed open for long */
    CALL_EFFECT_RECOVERED, /* the open episode ended well */
};

struct call_effect {
    enum call_effect_kind kind;
    /* SCORE, MASKED */
    uint32_t utterance;     /* small number, unique in the call, stable over revisions */
    uint32_t revision;      /* 0 for the first form */
    uint32_t ordinal;       /* 0, or n for the n-th utterance that shares its key */
    struct segment segment; /* SCORE: borrowed from the event; MASKED: speaker and times only */
    bool withdrawn;         /* MASKED: it had a score, which no longer counts */
    /* READING, ALERT, RAISED, REMINDED, RECOVERED */
    struct call_reading reading; /* zeroed for a rule that fires before there is one */
    uint32_t episode;            /* all but READING: 1, 2, ... */
    struct call_alert alert;     /* all but READING */
    struct call_evidence evidence[CALL_EVIDENCE_MAX];
    uint32_t evidence_count;
};

/* A bounded list the caller owns and empties; a step never emits more than one SCORE or MASKED per
 * utterance plus three others. */
struct call_effects {
    struct call_effect *items;
    size_t count;
    size_t capacity;
};

void call_effects_init(struct call_effects *effects);
void call_effects_clear(struct call_effects *effects); /* keeps memory */
void call_effects_done(struct call_effects *effects);

/* What was seen, for metrics; all counted since creation. */
struct call_counts {
    uint64_t finals;   /* customer finals accepted as new utterances */
    uint64_t agent;    /* agent finals accepted as new utterances */
    uint64_t partials; /* segments with is_final false */
    uint64_t duplicates;
    uint64_t revisions;
    uint64_t late;            /* accepted, but ended before one already judged */
    uint64_t beyond_lateness; /* of those, older than lateness_ms: judged, never alerting */
    uint64_t folded;          /* older than all that is remembered: counted, not judged */
    uint64_t clamped;         /* end in the future, or before its start */
    uint64_t quarantined;     /* unusable times */
    uint64_t unknown_speaker;
    uint64_t unscorable;
    uint64_t masked; /* forms withheld from the scorer, or whose score was taken back, by a mask */
};

/* NULL without memory. The policy is copied. */
struct call *call_create(const struct mood_policy *policy);
void call_destroy(struct call *call); /* accepts NULL */

/* One step. Appends to effects; returns false only without memory, the state then as before. */
bool call_step(struct call *call, struct call_now now, const struct call_event *event,
               struct call_effects *effects);

const struct call_counts *call_counts(const struct call *call);

/* The latest reading emitted; false before the first, and when a mask has left none. */
bool call_reading(const struct call *call, struct call_reading *reading);

/* The open episode's number, or 0. */
uint32_t call_episode_open(const struct call *call);

/* Whether this utterance lies in a mask, so that an answer still on its way is to be thrown away.
 */
bool call_is_masked(const struct call *call, uint32_t utterance);

/* Whether words that ended then lie in a mask known now. */
bool call_masks(const struct call *call, int64_t end_ms);

/* Utterances asked to be scored and not yet answered. */
uint32_t call_pending(const struct call *call);

/* Utterances without a score that would be asked for if they were served again, and the start of
 * the oldest (untouched if there are none). */
uint32_t call_unasked(const struct call *call, int64_t *oldest_start_ms);

/* Bytes held by this call. */
size_t call_bytes(const struct call *call);

const char *call_trend_name(enum call_trend trend); /* "stable", "improving", ... */
/* "declining", "sustained_low", "rule" */
const char *call_alert_path_name(enum call_alert_path path);
const char *call_tier_name(enum call_tier tier); /* "agent", "supervisor" */

#endif
