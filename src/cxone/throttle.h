/* cxone/throttle.h - tells one interaction's quota from the whole client's; pure.
 *
 * A 429 does not say whose quota ran out. One interaction throttled again and again is its own
 * affair, and so are a few refusals strewn among many good answers. Several different interactions
 * refused within a second, and at least one answer in THROTTLE_SHARE refused of late, mean the
 * client's quota. */
#ifndef CXONE_THROTTLE_H
#define CXONE_THROTTLE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { THROTTLE_DISTINCT = 3, THROTTLE_WINDOW_MS = 1000, THROTTLE_SHARE = 20 };

struct throttle {
    struct throttle_entry {
        uint64_t interaction; /* hash */
        struct mono at;
    } recent[THROTTLE_DISTINCT];
    size_t count;
    struct throttle_span { /* answers of a second */
        struct mono begun;
        uint64_t accepted;
        uint64_t refused;
    } span, last;
};

/* One answer that was no refusal. */
void throttle_accepted(struct throttle *throttle, struct mono now);

/* One 429. True when THROTTLE_DISTINCT different interactions had one within the window (their
 * count then begins anew) and refusals are no rarer than one in THROTTLE_SHARE. */
bool throttle_record(struct throttle *throttle, uint64_t interaction, struct mono now);

#endif
