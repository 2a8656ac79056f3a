/* transcript.c - see transcript.h.
 *
 * Look-ups by number go backwards from the newest record: what is asked for was nearly always said
 * in the last minute, so an index would cost more memory than it saves time. */
#include "mood/transcript.h"

#include <stdlib.h>
#include <string.h>

enum { TRANSCRIPT_CAPACITY_FIRST = 16 };

void transcript_init(struct transcript *transcript, size_t count_max)
{
    *transcript = (struct transcript){.count_max = count_max};
}

void transcript_done(struct transcript *transcript)
{
    free(transcript->items);
    *transcript = (struct transcript){0};
}

bool transcript_reserve(struct transcript *transcript, size_t extra)
{
    size_t room = transcript->count_max - transcript->count;
    size_t needed = transcript->count + (extra < room ? extra : room);
    if (needed <= transcript->capacity) {
        return true;
    }
    size_t capacity = transcript->capacity + transcript->capacity / 2;
    if (capacity < TRANSCRIPT_CAPACITY_FIRST) {
        capacity = TRANSCRIPT_CAPACITY_FIRST;
    }
    if (capacity < needed) {
        capacity = needed;
    }
    if (capacity > transcript->count_max) {
        capacity = transcript->count_max;
    }
    struct utterance *items = realloc(transcript->items, capacity * sizeof *items);
    if (!items) {
        return false;
    }
    transcript->items = items;
    transcript->capacity = capacity;
    return true;
}

bool transcript_counts(const struct utterance *utterance)
{
    return utterance->scored && utterance->speaker == SPEAKER_CUSTOMER;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* A total order up to records that are judged alike. */
static int compare(const struct utterance *a, const struct utterance *b)
{
    int order = compare_numbers(a->end_ms, b->end_ms);
    if (order == 0) {
        int64_t score_a = transcript_counts(a) ? (int64_t)a->score : -1;
        int64_t score_b = transcript_counts(b) ? (int64_t)b->score : -1;
        order = compare_numbers(score_a, score_b);
    }
    if (order == 0) {
        order = compare_numbers(a->start_ms, b->start_ms);
    }
    if (order == 0) {
        order = (a->key > b->key) - (a->key < b->key);
    }
    return order;
}

size_t transcript_insert(struct transcript *transcript, const struct utterance *utterance)
{
    size_t low = 0;
    size_t high = transcript->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&transcript->items[middle], utterance) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    transcript_touch(transcript, utterance->number);
    struct utterance *place = &transcript->items[low];
    memmove(place + 1, place, (transcript->count - low) * sizeof *place);
    transcript->count++;

    struct prefix before = transcript_prefix(transcript, low);
    *place = *utterance;
    place->sum = before.sum;
    place->sustained = before.sustained;
    place->rank = before.rank;
    place->trend = (uint32_t)before.trend & 3u;
    return low;
}

struct utterance transcript_remove(struct transcript *transcript, size_t position)
{
    struct utterance *place = &transcript->items[position];
    struct utterance removed = *place;
    transcript->count--;
    memmove(place, place + 1, (transcript->count - position) * sizeof *place);
    return removed;
}

void transcript_expect(struct transcript *transcript, struct utterance *utterance, bool pending,
                       bool backlog)
{
    uint32_t customer = utterance->speaker == SPEAKER_CUSTOMER;
    transcript->pending -= utterance->pending;
    transcript->pending_customer -= utterance->pending & customer;
    transcript->pending_backlog -= utterance->backlog;
    utterance->pending = pending;
    utterance->backlog = pending && backlog;
    transcript->pending += utterance->pending;
    transcript->pending_customer += utterance->pending & customer;
    transcript->pending_backlog += utterance->backlog;
}

uint32_t transcript_fold_oldest(struct transcript *transcript)
{
    size_t quarter = transcript->count / 4;
    transcript->horizon_ms = transcript->items[quarter - 1].end_ms;
    size_t folded = transcript_upper(transcript, transcript->horizon_ms);
    uint32_t pending = transcript->pending;
    for (size_t i = 0; i < folded; i++) {
        transcript_expect(transcript, &transcript->items[i], false, false);
        transcript_touch(transcript, transcript->items[i].number);
    }
    transcript->base = transcript_prefix(transcript, folded);
    transcript->count -= folded;
    memmove(transcript->items, transcript->items + folded,
            transcript->count * sizeof *transcript->items);
    return pending - transcript->pending;
}

void transcript_touch(struct transcript *transcript, uint32_t number)
{
    if (transcript->unsaved > number) {
        transcript->unsaved = number;
    }
}

size_t transcript_find(const struct transcript *transcript, uint32_t number)
{
    for (size_t i = transcript->count; i > 0; i--) {
        if (transcript->items[i - 1].number == number) {
            return i - 1;
        }
    }
    return transcript->count;
}

size_t transcript_upper(const struct transcript *transcript, int64_t end_ms)
{
    size_t low = 0;
    size_t high = transcript->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (transcript->items[middle].end_ms <= end_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t transcript_at_rank(const struct transcript *transcript, uint32_t rank, size_t limit)
{
    size_t low = 0;
    size_t high = limit;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (transcript->items[middle].rank < rank) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct prefix transcript_prefix(const struct transcript *transcript, size_t position)
{
    if (position == 0) {
        return transcript->base;
    }
    const struct utterance *last = &transcript->items[position - 1];
    return (struct prefix){
        .sum = last->sum,
        .sustained = last->sustained,
        .rank = last->rank,
        .trend = (enum call_trend)last->trend,
    };
}

bool transcript_newest(const struct transcript *transcript, int64_t *end_ms)
{
    uint32_t rank = transcript_prefix(transcript, transcript->count).rank;
    if (rank == transcript->base.rank) {
        return false;
    }
    size_t position = transcript_at_rank(transcript, rank, transcript->count);
    *end_ms = transcript->items[position].end_ms;
    return true;
}

bool transcript_awaits(const struct transcript *transcript, int64_t end_ms)
{
    uint32_t later = 0;
    for (size_t i = transcript_upper(transcript, end_ms); i < transcript->count; i++) {
        const struct utterance *utterance = &transcript->items[i];
        later += utterance->pending && utterance->speaker == SPEAKER_CUSTOMER;
    }
    return transcript->pending_customer > later;
}
