/* flow/family.h - calls that belong to one contact. Pure.
 *
 * A transfer gives a contact a new call under the same master id, with another agent. Both calls
 * have a mood of their own, but the suggestions about one customer share one cooldown: whoever is
 * on the line is not told the same thing seconds after the agent before.
 *
 * A family lives as long as a member is followed, and FAMILY_MEMORY_MS longer, so that a call
 * which appears after the last one closed is still known to continue it.
 */
#ifndef FLOW_FAMILY_H
#define FLOW_FAMILY_H

#include "base/clock.h"
#include "base/map.h"
#include "store/store.h"

#include <stdbool.h>

enum { FAMILY_MEMORY_MS = 10 * 60 * 1000 };

struct family {
    char newest_id[STORE_ID_BYTES]; /* the member that joined last; "" before the first */
    bool has_delivered;
    struct mono delivered; /* the newest suggestion confirmed to any member */

    char master_id[STORE_ID_BYTES]; /* the rest is family.c's */
    size_t members;
    struct mono left; /* without members: since when */
    struct family *older;
    struct family *newer;
};

struct family_set {
    struct map by_master;
    size_t families_max;
    struct family *oldest; /* of those without members, in the order they were left */
    struct family *newest;
};

void family_set_init(struct family_set *set, size_t families_max);
void family_set_done(struct family_set *set); /* accepts a zeroed object */

/* One more member. NULL without memory or room: the call is then followed without a family. */
struct family *family_set_join(struct family_set *set, const char *master_id, struct mono now);
void family_set_leave(struct family_set *set, struct family *family, struct mono now);

/* A suggestion was confirmed to a member. */
void family_deliver(struct family *family, struct mono now);

#endif
