/* mood/transcript.h - the utterances known of one call, in the order of their end.
 *
 * One sorted array, because every question asked of it is about time: which utterances end in a
 * window, and what had been carried along up to there. So each record also holds the running sums
 * ("prefix") of the judged customer utterances up to and including itself; a window is then two
 * binary searches and a subtraction of integers. The prefixes are kept right by fold.c.
 *
 * Order: end, score (unscored first), start, key. A record is 64 bytes and holds no text.
 */
#ifndef MOOD_TRANSCRIPT_H
#define MOOD_TRANSCRIPT_H

#include "mood/call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct utterance {
    int64_t start_ms;
    int64_t end_ms;    /* as judged: clamped where the vendor's was unusable */
    uint64_t key;      /* identity.h */
    uint64_t form;     /* identity.h: changes when the utterance is revised */
    int64_t sum;       /* prefix: scores */
    int64_t sustained; /* prefix: CUSUM */
    uint32_t rank;     /* prefix: how many were judged, folded ones included */
    uint32_t number;   /* unique in the call */
    uint16_t revision;
    uint16_t ordinal;
    uint32_t score : 20;
    uint32_t trend : 2; /* prefix: enum call_trend */
    uint32_t speaker : 2;
    uint32_t scored : 1;
    uint32_t pending : 1;  /* a score for this revision was asked for */
    uint32_t backlog : 1;  /* pending, and history from before we joined */
    uint32_t marked : 1;   /* scratch of identity.c */
    uint32_t withheld : 1; /* this form is asked for when it is served again (and not masked) */
};

_Static_assert(sizeof(struct utterance) == 64, "one cache line per utterance");
_Static_assert(MOOD_ONE < 1 << 20, "a score fits its bits");

/* What is carried along the order: the state after some utterance. */
struct prefix {
    int64_t sum;
    int64_t sustained;
    uint32_t rank;
    enum call_trend trend;
};

struct transcript {
    struct utterance *items;
    size_t count;
    size_t capacity;
    size_t count_max;
    struct prefix base; /* the state after all that was folded away */
    int64_t horizon_ms; /* newest end folded away, 0 if none */
    uint32_t numbers;   /* given out so far */
    uint32_t unsaved;   /* no record with a smaller number has changed since the last save */
    uint32_t pending;   /* records with pending set */
    uint32_t pending_customer;
    uint32_t pending_backlog;
};

void transcript_init(struct transcript *transcript, size_t count_max);
void transcript_done(struct transcript *transcript);

/* Room for `extra` more records, as far as count_max allows; false without memory. */
bool transcript_reserve(struct transcript *transcript, size_t extra);

/* Puts a copy in its place, prefixes taken over from its predecessor, and returns the place. There
 * must be room. */
size_t transcript_insert(struct transcript *transcript, const struct utterance *utterance);
struct utterance transcript_remove(struct transcript *transcript, size_t position);

/* Sets or ends the wait for a score, keeping the counts of it. */
void transcript_expect(struct transcript *transcript, struct utterance *utterance, bool pending,
                       bool backlog);

/* Forgets the oldest quarter, and what ends with its newest; their state becomes the base. Returns
 * how many of them still waited for a score. The table must be full. */
uint32_t transcript_fold_oldest(struct transcript *transcript);

/* Notes that the record with this number is not as it was saved. */
void transcript_touch(struct transcript *transcript, uint32_t number);

/* The place of the utterance with this number, or count. */
size_t transcript_find(const struct transcript *transcript, uint32_t number);

/* How many records end at or before end_ms: also the place of the first that ends later. */
size_t transcript_upper(const struct transcript *transcript, int64_t end_ms);

/* The first place below `limit` whose prefix has at least this rank, or limit. */
size_t transcript_at_rank(const struct transcript *transcript, uint32_t rank, size_t limit);

/* The state before the record at this place. */
struct prefix transcript_prefix(const struct transcript *transcript, size_t position);

/* Whether the customer said it and it has a score in force: only such utterances are judged. */
bool transcript_counts(const struct utterance *utterance);

/* The end of the newest judged utterance still remembered; false if there is none. */
bool transcript_newest(const struct transcript *transcript, int64_t *end_ms);

/* Whether a customer utterance that ends at or before end_ms still waits for its score. */
bool transcript_awaits(const struct transcript *transcript, int64_t end_ms);

#endif
