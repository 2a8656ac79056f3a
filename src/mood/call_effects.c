/* call_effects.c - see call_effects.h. A step reserves before it changes anything, so that it can
 * still fail as if it had not been tried. */
#include "mood/call_effects.h"

#include <stdlib.h>

void call_effects_init(struct call_effects *effects)
{
    *effects = (struct call_effects){0};
}

void call_effects_clear(struct call_effects *effects)
{
    effects->count = 0;
}

void call_effects_done(struct call_effects *effects)
{
    free(effects->items);
    *effects = (struct call_effects){0};
}

bool call_effects_reserve(struct call_effects *effects, size_t extra)
{
    if (extra <= effects->capacity - effects->count) {
        return true;
    }
    size_t needed;
    size_t bytes;
    if (__builtin_add_overflow(effects->count, extra, &needed)) {
        return false;
    }
    if (needed < effects->capacity + effects->capacity / 2) {
        needed = effects->capacity + effects->capacity / 2;
    }
    if (__builtin_mul_overflow(needed, sizeof *effects->items, &bytes)) {
        return false;
    }
    struct call_effect *items = realloc(effects->items, bytes);
    if (!items) {
        return false;
    }
    effects->items = items;
    effects->capacity = needed;
    return true;
}

struct call_effect *call_effects_append(struct call_effects *effects, enum call_effect_kind kind)
{
    struct call_effect *effect = &effects->items[effects->count++];
    *effect = (struct call_effect){.kind = kind};
    return effect;
}

struct call_effect *call_effects_append_utterance(struct call_effects *effects,
                                                  enum call_effect_kind kind,
                                                  const struct utterance *utterance)
{
    struct call_effect *effect = call_effects_append(effects, kind);
    effect->utterance = utterance->number;
    effect->revision = utterance->revision;
    effect->ordinal = utterance->ordinal;
    effect->segment = (struct segment){
        .start_ms = utterance->start_ms,
        .end_ms = utterance->end_ms,
        .speaker = (enum speaker)utterance->speaker,
        .is_final = true,
    };
    return effect;
}
