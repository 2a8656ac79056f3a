/* cxone/throttle.h - tells one interaction's quota from the whole client's; pure.
 *
 * A 429 does not say whose quota ran out. One interaction throttled again and again is its own
 * affair; several different ones within a second mean the client's quota. */
#ifndef CXONE_THROTTLE_H
#define CXONE_THROTTLE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { THROTTLE_DISTINCT = 3, THROTTLE_WINDOW_MS = 1000 };

struct throttle {
    struct throttle_entry {
        uint64_t interaction; /* hash */
        struct mono at;
    } recent[THROTTLE_DISTINCT];
    size_t count;
};

/* One 429. True when THROTTLE_DISTINCT different interactions had one within the window; the count
 * then begins anew. */
bool throttle_record(struct throttle *throttle, uint64_t interaction, struct mono now);

#endif
