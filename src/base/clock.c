/* clock.c - arithmetic and text of the two clocks: see clock.h. Reads no clock itself. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

struct mono mono_after_ms(struct mono from, int64_t ms)
{
    int64_t us;
    int64_t sum;
    if (__builtin_mul_overflow(ms, (int64_t)1000, &us) ||
        __builtin_add_overflow(from.us, us, &sum)) {
        sum = ms < 0 ? INT64_MIN : INT64_MAX;
    }
    return (struct mono){sum};
}

int64_t mono_ms_between(struct mono earlier, struct mono later)
{
    int64_t us;
    if (__builtin_sub_overflow(later.us, earlier.us, &us)) {
        us = later.us > earlier.us ? INT64_MAX : INT64_MIN;
    }
    return us / 1000;
}

int64_t mono_left_ms(struct mono now, struct mono deadline)
{
    if (now.us >= deadline.us) {
        return 0;
    }
    int64_t us;
    if (__builtin_sub_overflow(deadline.us, now.us, &us)) {
        us = INT64_MAX;
    }
    return us / 1000 + (us % 1000 != 0);
}

const char *wall_format(struct wall when, char *out)
{
    int64_t ms = when.ms % 1000;
    int64_t seconds = when.ms / 1000;
    if (ms < 0) {
        ms += 1000;
        seconds -= 1;
    }
    time_t time = (time_t)seconds;
    struct tm parts;
    if (!gmtime_r(&time, &parts)) {
        (void)snprintf(out, WALL_TEXT_BYTES, "invalid");
        return out;
    }
    char date[WALL_TEXT_BYTES];
    size_t size = strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(out, WALL_TEXT_BYTES, "%.*s.%03dZ", (int)(size < 24 ? size : 24), date, (int)ms);
    return out;
}
