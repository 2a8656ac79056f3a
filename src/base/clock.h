/* clock.h - two clocks that cannot be mixed.
 *
 * struct mono: microseconds since an arbitrary start. Never goes back, counts suspended time, is
 *   for intervals, timeouts and cooldowns only.
 * struct wall: milliseconds since the Unix epoch, UTC. May step. For event time and display only.
 *
 * Code below app/ and sim/ does not read clocks: "now" is handed to it.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct mono {
    int64_t us;
};

struct wall {
    int64_t ms;
};

/* The machine's clocks (CLOCK_BOOTTIME, CLOCK_REALTIME). Only programs and the loop call these. */
struct mono clock_mono(void);
struct wall clock_wall(void);

/* What the wall clock would show had nobody set it since this was first called: carried on by the
 * monotonic clock, so it never steps. For differences to another machine's clock. One thread only.
 */
struct wall clock_steady(void);

/* Saturating arithmetic on the monotonic clock, in milliseconds. */
struct mono mono_after_ms(struct mono from, int64_t ms);
int64_t mono_ms_between(struct mono earlier, struct mono later); /* negative if reversed */
int64_t mono_left_ms(struct mono now, struct mono deadline);     /* rounded up, never negative */
static inline struct mono mono_later(struct mono a, struct mono b)
{
    return a.us > b.us ? a : b;
}
static inline struct mono mono_earlier(struct mono a, struct mono b)
{
    return a.us < b.us ? a : b;
}
static inline int mono_reached(struct mono now, struct mono deadline)
{
    return now.us >= deadline.us;
}

enum { WALL_TEXT_BYTES = 32 };

/* RFC 3339 in UTC with milliseconds, "2026-11-24T07:33:04.123Z"; out has WALL_TEXT_BYTES. */
const char *wall_format(struct wall when, char *out);

#endif
