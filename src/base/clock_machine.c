/* clock_machine.c - the machine's clocks: see clock.h. Apart from the arithmetic, so that a
 * simulation can put other clocks in their place. */
#include "base/clock.h"

#include <stdbool.h>
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

struct wall clock_steady(void)
{
    static bool is_set;
    static int64_t began_ms; /* of the wall clock, when the monotonic one stood at 0 */
    int64_t mono_ms = clock_mono().us / 1000;
    if (!is_set) {
        began_ms = clock_wall().ms - mono_ms;
        is_set = true;
    }
    return (struct wall){began_ms + mono_ms};
}
