/* due_heap.c - see due_heap.h. */
#include "flow/due_heap.h"

#include <stdlib.h>

bool due_heap_init(struct due_heap *heap, size_t count_max)
{
    *heap = (struct due_heap){.capacity = count_max};
    heap->items = calloc(count_max ? count_max : 1, sizeof(struct due_item *));
    return heap->items != NULL;
}

void due_heap_done(struct due_heap *heap)
{
    free(heap->items);
    *heap = (struct due_heap){0};
}

void due_item_init(struct due_item *item, void *owner)
{
    *item = (struct due_item){.place = DUE_HEAP_OUT, .owner = owner};
}

static void put(struct due_heap *heap, size_t place, struct due_item *item)
{
    heap->items[place] = item;
    item->place = place;
}

static void sift_up(struct due_heap *heap, size_t place)
{
    struct due_item *item = heap->items[place];
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (heap->items[parent]->due.us <= item->due.us) {
            break;
        }
        put(heap, place, heap->items[parent]);
        place = parent;
    }
    put(heap, place, item);
}

static void sift_down(struct due_heap *heap, size_t place)
{
    struct due_item *item = heap->items[place];
    for (;;) {
        size_t child = place * 2 + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count &&
            heap->items[child + 1]->due.us < heap->items[child]->due.us) {
            child++;
        }
        if (heap->items[child]->due.us >= item->due.us) {
            break;
        }
        put(heap, place, heap->items[child]);
        place = child;
    }
    put(heap, place, item);
}

void due_heap_set(struct due_heap *heap, struct due_item *item, struct mono due)
{
    item->due = due;
    if (item->place == DUE_HEAP_OUT) {
        put(heap, heap->count++, item);
    }
    sift_up(heap, item->place);
    sift_down(heap, item->place);
}

void due_heap_remove(struct due_heap *heap, struct due_item *item)
{
    size_t place = item->place;
    if (place == DUE_HEAP_OUT) {
        return;
    }
    item->place = DUE_HEAP_OUT;
    struct due_item *last = heap->items[--heap->count];
    if (last != item) {
        put(heap, place, last);
        sift_up(heap, place);
        sift_down(heap, last->place);
    }
}

struct due_item *due_heap_first(const struct due_heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}
