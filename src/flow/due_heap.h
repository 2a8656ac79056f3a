/* flow/due_heap.h - an indexed binary heap of (due time, owner): who must act next.
 *
 * Each item sits in its owner and knows its place, so that changing a due time costs O(log n) and
 * needs no search. Pure.
 */
#ifndef FLOW_DUE_HEAP_H
#define FLOW_DUE_HEAP_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>

#define DUE_HEAP_OUT ((size_t)-1)

struct due_item {
    struct mono due;
    size_t place; /* DUE_HEAP_OUT when in no heap */
    void *owner;
};

struct due_heap {
    struct due_item **items;
    size_t count;
    size_t capacity;
};

/* Room for count_max items, allocated at once. False without memory. */
bool due_heap_init(struct due_heap *heap, size_t count_max);
void due_heap_done(struct due_heap *heap);

void due_item_init(struct due_item *item, void *owner);

/* Inserts the item or moves it to a new due time. The heap must have room for a new one. */
void due_heap_set(struct due_heap *heap, struct due_item *item, struct mono due);
void due_heap_remove(struct due_heap *heap, struct due_item *item); /* no-op when out */

/* The item due first, or NULL. */
struct due_item *due_heap_first(const struct due_heap *heap);

#endif
