/* flow/effects.h - what the pipeline wants done in the world.
 *
 * The pipeline is pure: it answers each event with a list of effects, which the daemon carries out
 * in order (and a test simply looks at). Pointers in an effect are borrowed from the event or from
 * the session and are good only until the next step.
 */
#ifndef FLOW_EFFECTS_H
#define FLOW_EFFECTS_H

#include "cxone/cxone.h"
#include "flow/suggestion_outbox.h"
#include "mood/call.h"
#include "mood/summary.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum effect_kind {
    EFFECT_POLL,       /* ask for the call's transcript from start_ms */
    EFFECT_SCORE,      /* score segment.text */
    EFFECT_ATTRIBUTES, /* write `reading` to the call */
    EFFECT_SUGGEST,    /* send the suggestion of `episode` */
    EFFECT_NOTE,       /* something to log and count */
    EFFECT_CLOSED,     /* the session is gone, its handle dead; `kept` is what to remember */
};

enum note_kind {
    NOTE_CALL_OPENED,
    NOTE_CALL_ENDING,    /* reason says why */
    NOTE_CALL_RETURNED,  /* it is listed as live again before it was closed */
    NOTE_CALL_DESCRIBED, /* its queue or language is known now, or is another */
    NOTE_CALL_STATE,     /* held, muted, masked, or none of these again */
    NOTE_CALL_CLOSED,
    NOTE_WORDS_DROPPED, /* redacted words are held no more: those that ended from start_ms on */
    NOTE_UTTERANCE_UNJUDGED, /* said in a language that the model does not know */
    NOTE_UTTERANCE_MASKED,   /* said while masked: not scored, or its score is taken back */
    NOTE_ALERT_OPENED,
    NOTE_ALERT_RAISED,   /* it concerns a supervisor now */
    NOTE_ALERT_REMINDED, /* it has stayed open for long */
    NOTE_ALERT_RECOVERED,
    NOTE_POLL_FAILED,
    NOTE_SUGGESTION, /* suggestion_state says what became of it */
    NOTE_ATTRIBUTES_FAILED,
    NOTE_ATTRIBUTES_LOST, /* the last value could not be delivered */
    NOTE_STATE_LOST,      /* what the store had kept of the call cannot be read; it begins anew */
};

enum end_reason {
    END_REASON_NONE,
    END_REASON_DISCOVERY, /* the vendor's list says so, or no longer names it */
    END_REASON_GONE,      /* 404 or 410 */
    END_REASON_IDLE,
    END_REASON_REMOVED, /* whoever named it no longer does */
};

struct effect {
    enum effect_kind kind;
    uint64_t call; /* handle, see pipeline.h */
    const char *interaction_id;

    int64_t start_ms;   /* POLL, NOTE_WORDS_DROPPED */
    bool opening;       /* POLL: the first of this call, which is to be kept before it is read */
    uint32_t utterance; /* SCORE, NOTE_UTTERANCE_MASKED, NOTE_UTTERANCE_UNJUDGED */
    uint32_t revision;  /* the same */
    uint32_t ordinal;   /* the same */
    struct segment segment; /* the same; a masked one is speaker and times only */
    bool backlog;           /* SCORE: history; what is spoken now goes first */
    bool english;           /* SCORE: sure to be; opinion words may judge it if need be */
    bool withdrawn;         /* NOTE_UTTERANCE_MASKED: it had a score */

    struct call_reading reading;                      /* ATTRIBUTES, SUGGEST, NOTE_ALERT_* */
    bool has_summary;                                 /* ATTRIBUTES: the last of a call */
    struct summary summary;                           /* the same */
    uint32_t alerts;                                  /* the same: how many there were */
    uint32_t episode;                                 /* SUGGEST, NOTE_ALERT_*, NOTE_SUGGESTION */
    struct call_alert alert;                          /* SUGGEST, NOTE_ALERT_* */
    struct call_evidence evidence[CALL_EVIDENCE_MAX]; /* NOTE_ALERT_OPENED, _RAISED, _REMINDED */
    uint32_t evidence_count;
    const char *rule;    /* NOTE_ALERT_OPENED by a rule: its name, else NULL */
    const char *message; /* SUGGEST of a rule: its text; NULL: the configured one */
    struct segment said; /* NOTE_ALERT_OPENED by a rule about words, SUGGEST: what was said, by
                          * speaker and times only; its words are to be had of the pipeline */

    struct store_call kept;                  /* CLOSED */
    struct store_suggestion kept_suggestion; /* CLOSED: its last; episode 0 for none */

    enum note_kind note;
    enum end_reason end_reason;
    enum cxone_outcome outcome; /* NOTE_*_FAILED */
    int status;
    const char *reason;
    enum suggestion_state suggestion_state;
    int64_t wait_ms;              /* NOTE_POLL_FAILED: until the next try */
    enum cxone_call_state state;  /* NOTE_CALL_STATE */
    const char *transferred_from; /* NOTE_CALL_OPENED: id of the call it continues, or NULL */
    const char *queue;            /* NOTE_CALL_DESCRIBED, NOTE_ALERT_OPENED: or "" */
    const char *language;         /* NOTE_CALL_DESCRIBED: or "" */
    bool judged;                  /* the same: the model knows this language */
    uint32_t unasked; /* NOTE_CALL_CLOSED: utterances never scored, as not served again */
    char idempotency_key[KEYHASH_TEXT_BYTES]; /* SUGGEST */
};

struct effects {
    struct effect *items;
    size_t count;
    size_t capacity;
    bool failed; /* an effect was lost for want of memory: the daemon stops rather than go on */
};

void effects_init(struct effects *effects);
void effects_clear(struct effects *effects); /* keeps memory */
void effects_done(struct effects *effects);

/* A zeroed new item, or NULL without memory (then `failed` is set). */
struct effect *effects_add(struct effects *effects, enum effect_kind kind);

const char *effects_end_reason_name(enum end_reason reason);

#endif
