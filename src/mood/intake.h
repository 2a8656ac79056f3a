/* mood/intake.h - takes one reply of the transcript endpoint into the transcript.
 *
 * In two halves, so that running out of memory changes nothing: the plan sorts the reply's finals
 * into duplicates, revisions and new utterances, the apply carries it out and cannot fail.
 */
#ifndef MOOD_INTAKE_H
#define MOOD_INTAKE_H

#include "mood/identity.h"
#include "mood/masks.h"
#include "mood/times.h"

struct intake_item {
    const struct segment *segment;
    struct times times;
};

struct intake {
    struct intake_item *items; /* the usable finals, in the reply's order */
    struct identity *identities;
    struct identity **sorted;
    size_t count;
    size_t partials;
    size_t quarantined;
    size_t inserts; /* new utterances */
    size_t scores;  /* at most this many SCORE and MASKED effects */
    int64_t first_start_ms;
};

/* What an apply needs to know of the call. */
struct intake_target {
    struct transcript *transcript;
    const struct mood_policy *policy;
    const struct masks *masks;
    struct call_counts *counts;
    struct call_effects *effects; /* with room for intake.scores */
    int64_t origin_ms;            /* of the CUSUM */
    int64_t vendor_ms;
    bool backlog;
};

/* False without memory; intake_done is due either way. first_start_ms is the oldest start known of
 * the call, or 0. */
bool intake_plan(struct intake *intake, const struct call_event *event,
                 struct transcript *transcript, const struct mood_policy *policy,
                 int64_t first_start_ms, int64_t vendor_ms);

/* Emits one SCORE for each new or revised utterance to be scored, MASKED instead in a mask. */
void intake_apply(const struct intake *intake, const struct intake_target *target);

void intake_done(struct intake *intake);

#endif
