/* mood/reading.h - what there is to say of a call at its newest judged utterance. */
#ifndef MOOD_READING_H
#define MOOD_READING_H

#include "mood/window.h"

/* The reading and the two windows it came from. */
struct judgement {
    struct call_reading reading;
    struct window current;
    struct window previous;
};

/* False while no judged utterance is remembered. */
bool reading_take(const struct transcript *transcript, const struct mood_policy *policy,
                  struct judgement *judgement);

bool reading_equals(const struct call_reading *a, const struct call_reading *b);

#endif
