/* delay.c - see delay.h. A sorted array: few wait at a time. */
#include "sim/delay.h"

#include <string.h>

bool delay_add(struct delay *delay, struct mono due, void *what)
{
    if (delay->count == DELAY_MAX) {
        return false;
    }
    size_t at = delay->count;
    while (at > 0 && delay->entries[at - 1].due.us > due.us) {
        at--;
    }
    memmove(&delay->entries[at + 1], &delay->entries[at],
            (delay->count - at) * sizeof delay->entries[0]);
    delay->entries[at] = (struct delay_entry){due, what};
    delay->count++;
    return true;
}

void *delay_take(struct delay *delay, struct mono now)
{
    if (delay->count == 0 || !mono_reached(now, delay->entries[0].due)) {
        return NULL;
    }
    void *what = delay->entries[0].what;
    delay->count--;
    memmove(&delay->entries[0], &delay->entries[1], delay->count * sizeof delay->entries[0]);
    return what;
}
