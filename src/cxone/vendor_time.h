/* cxone/vendor_time.h - the forms in which vendors write a moment, all to epoch milliseconds. Pure.
 *
 * Numbers may come as text. Nothing is guessed from size: a time in another form than the one
 * configured is no time, so that a wrong setting shows at once and not as a call of 1970.
 */
#ifndef CXONE_VENDOR_TIME_H
#define CXONE_VENDOR_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;

enum cxone_time_format {
    CXONE_TIME_EPOCH_MS,      /* whole milliseconds */
    CXONE_TIME_EPOCH_S,       /* seconds, perhaps with a fraction */
    CXONE_TIME_EPOCH_US,      /* whole microseconds */
    CXONE_TIME_ISO8601,       /* "2026-11-24T07:33:04.123Z", "...+01:00"; without a zone: UTC */
    CXONE_TIME_SECONDS_NANOS, /* {"seconds": 1732433584, "nanos": 123000000} */
    CXONE_TIME_TICKS,         /* whole 100 ns since the year 1, as .NET counts */
    CXONE_TIME_RELATIVE_MS,   /* milliseconds since the call's start */
    CXONE_TIME_RELATIVE_S,    /* seconds since then, perhaps with a fraction */
};

bool vendor_time_is_relative(enum cxone_time_format format);

/* False for what is no time of that form or lies outside the years 1970 to 9999, so that nobody who
 * adds to a time can overflow. call_start_ms is used by the relative forms only. */
bool vendor_time_read(const struct json *value, enum cxone_time_format format,
                      int64_t call_start_ms, int64_t *out_ms);

/* Epoch milliseconds, or ISO 8601 text: for times that stand beside the segments. */
bool vendor_time_read_any(const struct json *value, int64_t *out_ms);

/* RFC 3339 and the freer forms around it: a blank for 'T', no zone (UTC), no seconds, any number of
 * decimals (cut to milliseconds), a date alone. The whole of text[0..bytes) must be it. */
bool vendor_time_parse_iso(const char *text, size_t bytes, int64_t *out_ms);

#endif
