/* mood/masks.h - the stretches of a call that must not be looked at.
 *
 * An agent masks a call while a customer gives payment data. An utterance whose end lies in
 * [from, to) of a mask is never scored; an open mask has no `to` yet and covers all that ends from
 * its `from` on. The list is short: when it is full, the two neighbours with the smallest gap
 * become one, which covers more, never less.
 */
#ifndef MOOD_MASKS_H
#define MOOD_MASKS_H

#include <stdbool.h>
#include <stdint.h>

enum { MASKS_MAX = 8 };

struct mask {
    int64_t from_ms; /* vendor clock */
    int64_t to_ms;   /* INT64_MAX while open */
};

/* Zeroed: none. In order of time, apart from each other. */
struct masks {
    struct mask items[MASKS_MAX];
    uint32_t count;
    int64_t closed_to_ms; /* the open one took in closed ones up to here: it ends no earlier */
};

/* Masked since from_ms. Of a mask already open, the earlier beginning counts. */
void masks_open(struct masks *masks, int64_t from_ms);

/* Not masked any more since to_ms; a time at or before the open mask's beginning leaves nothing of
 * it. What was masked before it opened stays masked. Without an open one nothing changes. */
void masks_close(struct masks *masks, int64_t to_ms);

bool masks_is_open(const struct masks *masks);
bool masks_cover(const struct masks *masks, int64_t end_ms);

#endif
