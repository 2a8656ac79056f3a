/* delay.h - requests that wait for their slow answer, earliest first. Pure. */
#ifndef SIM_DELAY_H
#define SIM_DELAY_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>

/* As many as there can be connections. */
enum { DELAY_MAX = 1024 };

struct delay_entry {
    struct mono due;
    void *what;
};

/* Start zeroed. */
struct delay {
    struct delay_entry entries[DELAY_MAX]; /* by due */
    size_t count;
};

/* False when it is full. */
bool delay_add(struct delay *delay, struct mono due, void *what);

/* The first that is due, removed; NULL for none. */
void *delay_take(struct delay *delay, struct mono now);

#endif
