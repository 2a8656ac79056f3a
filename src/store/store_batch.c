/* store_batch.c - a list of changes, each a block of its own with everything it points to, so that
 * a batch can be handed to another thread and kept for another try. */
#include "store/store_internal.h"

#include <stdlib.h>
#include <string.h>

struct store_batch *store_batch_create(void)
{
    return calloc(1, sizeof(struct store_batch));
}

void store_batch_clear(struct store_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->items[i]);
    }
    batch->count = 0;
    batch->number = 0;
}

void store_batch_destroy(struct store_batch *batch)
{
    if (batch) {
        store_batch_clear(batch);
        free(batch->items);
        free(batch);
    }
}

static bool reserve_one(struct store_batch *batch)
{
    if (batch->count < batch->capacity) {
        return true;
    }
    size_t capacity = batch->capacity ? batch->capacity * 2 : 32;
    struct store_item **items = capacity > SIZE_MAX / sizeof *items
                                    ? NULL
                                    : realloc(batch->items, capacity * sizeof *items);
    if (!items) {
        return false;
    }
    batch->items = items;
    batch->capacity = capacity;
    return true;
}

/* 0 if it cannot be told. */
static size_t block_bytes(const struct store_change *change)
{
    size_t bytes = sizeof(struct store_item);
    bool over = change->page_count > SIZE_MAX / 2 / sizeof(struct store_page);
    over = over ||
           __builtin_add_overflow(bytes, change->page_count * sizeof(struct store_page), &bytes);
    over = over || __builtin_add_overflow(bytes, change->head_bytes, &bytes);
    for (size_t i = 0; !over && i < change->page_count; i++) {
        over = __builtin_add_overflow(bytes, (size_t)change->pages[i].size, &bytes);
    }
    return over ? 0 : bytes;
}

static const void *put(char **at, const void *bytes, size_t size)
{
    char *place = *at;
    if (size > 0) {
        memcpy(place, bytes, size);
    }
    *at += size;
    return place;
}

bool store_batch_add(struct store_batch *batch, const struct store_change *change)
{
    size_t bytes = block_bytes(change);
    struct store_item *item = bytes > 0 && reserve_one(batch) ? malloc(bytes) : NULL;
    if (!item) {
        return false;
    }
    char *at = (char *)(item->pages + change->page_count);
    item->change = *change;
    item->change.head = change->head ? put(&at, change->head, change->head_bytes) : NULL;
    item->change.pages = item->pages;
    for (size_t i = 0; i < change->page_count; i++) {
        item->pages[i] = change->pages[i];
        item->pages[i].bytes = put(&at, change->pages[i].bytes, change->pages[i].size);
    }
    if (change->suggestion) {
        item->suggestion = *change->suggestion;
        item->change.suggestion = &item->suggestion;
    }
    batch->items[batch->count++] = item;
    return true;
}

bool store_batch_names(const struct store_batch *batch, const char *interaction_id)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (strcmp(batch->items[i]->change.call.interaction_id, interaction_id) == 0) {
            return true;
        }
    }
    return false;
}

size_t store_batch_count(const struct store_batch *batch)
{
    return batch->count;
}
