/* app/wallboard.h - what the supervisors' page shows, as a model. Pure: no sockets, no clock.
 *
 * The board holds one item per followed call, one per recent alert, and one for each call that went
 * away lately; all are bounded. Every change gives its item the next revision and moves it to the
 * end of one list, so "what is new since revision n" is the tail of that list, whoever asks and
 * however late: a slow or reconnected reader is never sent the same state twice nor a state that
 * has passed. Only what was forgotten (more calls gone than the board remembers) makes it begin
 * anew.
 *
 * Times are the vendor's clock in epoch ms. Calls are named by the vendor's id, because a
 * supervisor has to recognise them; of transcripts only redacted words, where policy says so.
 */
#ifndef APP_WALLBOARD_H
#define APP_WALLBOARD_H

#include "base/buf.h"
#include "flow/effects.h"
#include "flow/session.h"

enum {
    WALLBOARD_HISTORY_MS = 180000, /* of a call's readings */
    WALLBOARD_POINTS = 64,
    WALLBOARD_ALERTS_PAST = 200, /* remembered beside the latest one of each call */
    WALLBOARD_LATE_MS = 15000,   /* without a good reply, a call's numbers are called old */
    WALLBOARD_MINUTES = 15,      /* behind the counts of alerts and promptness */
    WALLBOARD_PROMPT_MS = 3000,
};

struct wallboard;

/* For so many calls, remembering `gone_max` that went away. NULL without memory. */
struct wallboard *wallboard_create(size_t calls_max, size_t gone_max);
void wallboard_destroy(struct wallboard *board); /* accepts NULL */

/* Redacted words of an utterance by speaker and times, or NULL. */
typedef const char *wallboard_words_fn(void *user, const struct effect *note,
                                       const struct segment *said);

/* The latest alert of each call shows words from now on; they are copied here, and wiped when the
 * alert is a past one, or as NOTE_WORDS_DROPPED says. Without, or with NULL, none are asked for. */
void wallboard_show_words(struct wallboard *board, wallboard_words_fn *words, void *user);

/* A note of the pipeline: calls opened and closed, alerts opened and recovered. */
void wallboard_note(struct wallboard *board, struct call_now now, const struct effect *note);

/* An utterance that ended at end_ms has its score now. What was said before its call was followed
 * does not count: nobody could have been prompt about it. */
void wallboard_scored(struct wallboard *board, struct call_now now, const char *interaction_id,
                      int64_t end_ms);

/* What somebody thinks of an alert (of this number of its call): a word that outlives the board. An
 * alert that is not on the board is passed over. */
void wallboard_feedback(struct wallboard *board, const char *interaction_id, uint32_t episode,
                        const char *word);

/* How a call stands; about once a second for each call. */
void wallboard_refresh(struct wallboard *board, struct call_now now,
                       const struct session_view *view);

struct wallboard_counts {
    size_t calls_live;
    size_t alerts_open;
    uint64_t alerts;        /* opened in the last WALLBOARD_MINUTES */
    uint64_t scored;        /* in the same time */
    uint64_t scored_prompt; /* of those, within WALLBOARD_PROMPT_MS of the utterance's end */
    int64_t oldest_data_ms; /* age of the live call that was read longest ago; 0 without calls */
};
void wallboard_count(const struct wallboard *board, struct call_now now,
                     struct wallboard_counts *counts);

uint64_t wallboard_revision(const struct wallboard *board);

/* Whether all that changed since a revision is still known. Revision 0, a board as yet unseen,
 * always is. */
bool wallboard_remembers(const struct wallboard *board, uint64_t revision);

/* Appends a JSON array of the items that changed after *revision, oldest change first, stopping
 * soon after `bytes`; advances *revision over what was written. True while more is left. */
bool wallboard_write_items(const struct wallboard *board, uint64_t *revision, size_t bytes,
                           struct buf *out);

#endif
