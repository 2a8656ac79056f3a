/* effects.c - see effects.h. */
#include "flow/effects.h"

#include <stdlib.h>

void effects_init(struct effects *effects)
{
    *effects = (struct effects){0};
}

void effects_clear(struct effects *effects)
{
    effects->count = 0;
}

void effects_done(struct effects *effects)
{
    free(effects->items);
    effects_init(effects);
}

struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
    if (effects->count == effects->capacity) {
        size_t capacity = effects->capacity ? effects->capacity * 2 : 64;
        struct effect *items = capacity > SIZE_MAX / sizeof *items
                                   ? NULL
                                   : realloc(effects->items, capacity * sizeof *items);
        if (!items) {
            effects->failed = true;
            return NULL;
        }
        effects->items = items;
        effects->capacity = capacity;
    }
    struct effect *effect = &effects->items[effects->count++];
    *effect = (struct effect){.kind = kind};
    return effect;
}

const char *effects_end_reason_name(enum end_reason reason)
{
    switch (reason) {
    case END_REASON_NONE:
        return "none";
    case END_REASON_DISCOVERY:
        return "discovery";
    case END_REASON_GONE:
        return "gone";
    case END_REASON_IDLE:
        return "idle";
    case END_REASON_REMOVED:
        return "removed";
    }
    return "none";
}
