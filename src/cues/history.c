/* history.c - see history.h. Records and masks are two parallel arrays, because the number of words
 * of a mask is known only at run time. New utterances almost always go to the end, so places are
 * looked for from there. */
#include "cues/history.h"

#include <stdlib.h>
#include <string.h>

bool history_is_by(uint8_t speaker, uint8_t by)
{
    return by == 0 || speaker == by;
}

bool history_init(struct history *history, size_t families)
{
    *history = (struct history){
        .words = (families + 63) / 64,
        .families = families,
        .horizon_ms = INT64_MIN,
        .begun_ms = INT64_MAX,
    };
    history->totals = calloc(families ? families : 1, sizeof *history->totals);
    if (!history->totals) {
        return false;
    }
    for (size_t i = 0; i < families; i++) {
        history->totals[i].first_begin_ms = INT64_MAX;
    }
    return true;
}

void history_done(struct history *history)
{
    free(history->items);
    free(history->masks);
    free(history->totals);
    *history = (struct history){0};
}

static bool grow(struct history *history)
{
    size_t capacity = history->capacity ? history->capacity * 2 : 16;
    size_t words = history->words ? history->words : 1;
    uint64_t *masks = realloc(history->masks, capacity * words * sizeof *masks);
    if (!masks) {
        return false;
    }
    history->masks = masks;
    struct history_record *items = realloc(history->items, capacity * sizeof *items);
    if (!items) {
        return false;
    }
    history->items = items;
    history->capacity = capacity;
    return true;
}

bool history_reserve(struct history *history, const uint8_t *family_speakers)
{
    if (history->count == HISTORY_MAX) {
        history_fold(history, HISTORY_FOLD, family_speakers);
    }
    return history->count < history->capacity || grow(history);
}

static bool is_before(const struct history_record *a, const struct history_record *b)
{
    if (a->end_ms != b->end_ms) {
        return a->end_ms < b->end_ms;
    }
    if (a->begin_ms != b->begin_ms) {
        return a->begin_ms < b->begin_ms;
    }
    if (a->speaker != b->speaker) {
        return a->speaker < b->speaker;
    }
    return a->form < b->form;
}

void history_insert(struct history *history, const struct history_record *record,
                    const uint64_t *mask)
{
    size_t place = history->count;
    while (place > 0 && is_before(record, &history->items[place - 1])) {
        place--;
    }
    size_t words = history->words;
    size_t after = history->count - place;
    memmove(&history->items[place + 1], &history->items[place], after * sizeof *record);
    history->items[place] = *record;
    if (words > 0) {
        uint64_t *own = &history->masks[place * words];
        memmove(own + words, own, after * words * sizeof *own);
        memcpy(own, mask, words * sizeof *own);
    }
    history->count++;
}

static void drop(struct history *history, size_t place, size_t count)
{
    size_t after = history->count - place - count;
    size_t words = history->words;
    memmove(&history->items[place], &history->items[place + count], after * sizeof *history->items);
    memmove(&history->masks[place * words], &history->masks[(place + count) * words],
            after * words * sizeof *history->masks);
    history->count -= count;
}

void history_remove(struct history *history, size_t place)
{
    drop(history, place, 1);
}

bool history_has(const struct history *history, size_t place, uint32_t family)
{
    return (history->masks[place * history->words + family / 64] >> (family % 64)) & 1;
}

static void fold_one(struct history *history, size_t place, const uint8_t *family_speakers)
{
    const struct history_record *record = &history->items[place];
    if (record->speaker != history->last_speaker || history->turns[0] == 0) {
        history->turns[0]++;
        if (record->speaker > 0) {
            history->turns[record->speaker]++;
        }
        history->last_speaker = record->speaker;
    }
    for (uint32_t family = 0; family < history->families; family++) {
        struct history_total *total = &history->totals[family];
        if (!history_has(history, place, family)) {
            continue;
        }
        total->count += total->count < UINT32_MAX ? 1 : 0;
        if (total->first_turn == 0) {
            total->first_turn = history->turns[family_speakers[family]];
        }
        if (record->begin_ms < total->first_begin_ms) {
            total->first_begin_ms = record->begin_ms;
        }
    }
    if (record->begin_ms < history->begun_ms) {
        history->begun_ms = record->begin_ms;
    }
    history->horizon_ms = record->end_ms;
}

void history_fold(struct history *history, size_t count, const uint8_t *family_speakers)
{
    for (size_t i = 0; i < count; i++) {
        fold_one(history, i, family_speakers);
    }
    drop(history, 0, count);
}
