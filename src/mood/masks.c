/* masks.c - see masks.h. A mask that opens runs to the end of time, so it swallows all later ones:
 * only the last can be open. */
#include "mood/masks.h"

#include <string.h>

static void remove_item(struct masks *masks, uint32_t at)
{
    masks->count--;
    memmove(&masks->items[at], &masks->items[at + 1], (masks->count - at) * sizeof masks->items[0]);
}

/* Makes room for one more by giving up the smallest gap. */
static void join_nearest(struct masks *masks)
{
    uint32_t nearest = 1;
    for (uint32_t i = 2; i < masks->count; i++) {
        const struct mask *items = masks->items;
        if (items[i].from_ms - items[i - 1].to_ms <
            items[nearest].from_ms - items[nearest - 1].to_ms) {
            nearest = i;
        }
    }
    masks->items[nearest - 1].to_ms = masks->items[nearest].to_ms;
    remove_item(masks, nearest);
}

void masks_open(struct masks *masks, int64_t from_ms)
{
    masks->closed_to_ms = masks_is_open(masks) ? masks->closed_to_ms : INT64_MIN;
    while (masks->count > 0 && masks->items[masks->count - 1].to_ms >= from_ms) {
        const struct mask *last = &masks->items[--masks->count];
        from_ms = last->from_ms < from_ms ? last->from_ms : from_ms;
        if (last->to_ms != INT64_MAX && last->to_ms > masks->closed_to_ms) {
            masks->closed_to_ms = last->to_ms;
        }
    }
    if (masks->count == MASKS_MAX) {
        join_nearest(masks);
    }
    masks->items[masks->count++] = (struct mask){.from_ms = from_ms, .to_ms = INT64_MAX};
}

void masks_close(struct masks *masks, int64_t to_ms)
{
    if (!masks_is_open(masks)) {
        return;
    }
    struct mask *last = &masks->items[masks->count - 1];
    last->to_ms = to_ms > masks->closed_to_ms ? to_ms : masks->closed_to_ms;
    if (last->to_ms <= last->from_ms) {
        masks->count--;
    }
}

bool masks_is_open(const struct masks *masks)
{
    return masks->count > 0 && masks->items[masks->count - 1].to_ms == INT64_MAX;
}

bool masks_cover(const struct masks *masks, int64_t end_ms)
{
    for (uint32_t i = 0; i < masks->count; i++) {
        if (end_ms >= masks->items[i].from_ms && end_ms < masks->items[i].to_ms) {
            return true;
        }
    }
    return false;
}
