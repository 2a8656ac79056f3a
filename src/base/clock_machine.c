/* clock_machine.c - the machine's clocks: see clock.h. Apart from the arithmetic, so that a
 * simulation can put other clocks in their place. */
#include "base/clock.h"

#include <time.h>

struct mono clock_mono(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (struct mono){(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000};
}

struct wall clock_wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct wall){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}
