/* mood/call_effects.h - filling the list of effects that call.h lets the caller own. */
#ifndef MOOD_CALL_EFFECTS_H
#define MOOD_CALL_EFFECTS_H

#include "mood/call.h"
#include "mood/transcript.h"

/* Room for `extra` more; false without memory. */
bool call_effects_reserve(struct call_effects *effects, size_t extra);

/* A zeroed effect of this kind at the end; room must have been reserved. */
struct call_effect *call_effects_append(struct call_effects *effects, enum call_effect_kind kind);

/* The same, naming an utterance: its numbers, speaker and times, no text. */
struct call_effect *call_effects_append_utterance(struct call_effects *effects,
                                                  enum call_effect_kind kind,
                                                  const struct utterance *utterance);

#endif
