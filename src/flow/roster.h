/* flow/roster.h - which calls the vendor's list named, round by round. Pure.
 *
 * A call that the list calls ended is gone at once; one that the list merely stopped naming is gone
 * after it was missing from two good replies in a row, because lists are paged, cached and late.
 */
#ifndef FLOW_ROSTER_H
#define FLOW_ROSTER_H

#include "base/map.h"

#include <stdbool.h>
#include <stdint.h>

enum { ROSTER_MISSING_ROUNDS = 2 };

struct roster_entry;

struct roster {
    struct map entries; /* interaction id -> struct roster_entry */
    uint64_t round;
    struct roster_entry *handed_out; /* by roster_missing, freed at its next call */
};

void roster_init(struct roster *roster, size_t calls_max);
void roster_done(struct roster *roster);

/* A good reply begins. */
void roster_begin(struct roster *roster);

/* The reply names this call as live. False when there is no room for it. */
bool roster_seen(struct roster *roster, const char *interaction_id);

/* The reply names this call as ended; true if it was on the roster. */
bool roster_ended(struct roster *roster, const char *interaction_id);

/* After the reply: the next call missing too long, removed from the roster, or NULL. The string is
 * good until the next call of this function. */
const char *roster_missing(struct roster *roster);

#endif
