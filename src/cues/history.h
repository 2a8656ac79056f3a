/* cues/history.h - the utterances known of one call: when, who, and which families of phrases each
 * held. No text.
 *
 * Sorted by end, then begin, speaker and form, so that the same set is the same array whatever the
 * order of arrival. Bounded: of HISTORY_MAX records the oldest quarter is folded into counts over
 * the whole call.
 */
#ifndef CUES_HISTORY_H
#define CUES_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HISTORY_MAX = 256, HISTORY_FOLD = HISTORY_MAX / 4 };

struct history_record {
    int64_t begin_ms;
    int64_t end_ms;
    uint64_t key;    /* whose utterance it is: by the vendor's id, or speaker and begin */
    uint64_t form;   /* end and text: another form of the same key is a revision */
    uint8_t speaker; /* enum cues_speaker */
    bool served;     /* scratch: this very form is in the reply at hand */
};

/* Of one family, over what was folded away. */
struct history_total {
    uint32_t count;         /* utterances */
    uint32_t first_turn;    /* in which turn of its speaker (or of all), from 1; 0 for none */
    int64_t first_begin_ms; /* INT64_MAX for none */
};

struct history {
    struct history_record *items;
    uint64_t *masks; /* `words` for each record */
    size_t count;
    size_t capacity;
    size_t words;
    struct history_total *totals; /* one per family */
    size_t families;
    int64_t horizon_ms; /* newest end folded away; INT64_MIN for none */
    int64_t begun_ms;   /* begin of the first utterance folded away; INT64_MAX for none */
    uint32_t turns[3];  /* folded: of anybody, the customer, the agent */
    uint8_t last_speaker;
};

/* For so many families; false without memory. */
bool history_init(struct history *history, size_t families);
void history_done(struct history *history); /* accepts a zeroed one */

/* Room for one more; may fold. False without memory. */
bool history_reserve(struct history *history, const uint8_t *family_speakers);

/* Puts it in its place; there must be room. The mask is copied. */
void history_insert(struct history *history, const struct history_record *record,
                    const uint64_t *mask);
void history_remove(struct history *history, size_t place);

/* Folds the oldest `count` records into the totals. family_speakers: whose turns count for each
 * family (enum cues_speaker). */
void history_fold(struct history *history, size_t count, const uint8_t *family_speakers);

bool history_has(const struct history *history, size_t place, uint32_t family);

/* Whether `speaker` is one whose turns count for `by`. */
bool history_is_by(uint8_t speaker, uint8_t by);

#endif
