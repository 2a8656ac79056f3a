/* vendor_time.c - see vendor_time.h. Text is read digit by digit into integers, because strtod
 * follows the locale and a double cannot hold .NET's ticks. */
#include "cxone/vendor_time.h"

#include "base/json.h"
#include "cxone/reply.h"

#include <math.h>
#include <string.h>

static const int64_t YEAR_10000_MS = 253402300800000;
static const int64_t TICKS_OF_1970_MS = 62135596800000; /* from the year 1 */

bool vendor_time_is_relative(enum cxone_time_format format)
{
    return format == CXONE_TIME_RELATIVE_MS || format == CXONE_TIME_RELATIVE_S;
}

/* ---- numbers ---- */

struct cursor {
    const char *at;
    const char *end;
};

static bool take(struct cursor *cursor, char c)
{
    bool is_there = cursor->at < cursor->end && *cursor->at == c;
    cursor->at += is_there;
    return is_there;
}

/* At least `least` digits, at most `most`. */
static bool take_digits(struct cursor *cursor, int least, int most, int64_t *out)
{
    int count = 0;
    int64_t value = 0;
    while (count < most && cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        value = value * 10 + (*cursor->at++ - '0');
        count++;
    }
    *out = value;
    return count >= least;
}

/* The decimals after a dot as milliseconds; what is finer is cut off. */
static bool take_decimals(struct cursor *cursor, int64_t *ms)
{
    int64_t rest;
    const char *begin = cursor->at;
    if (!take_digits(cursor, 1, 3, ms)) {
        return false;
    }
    for (int64_t digits = cursor->at - begin; digits < 3; digits++) {
        *ms *= 10;
    }
    while (cursor->at < cursor->end && take_digits(cursor, 1, 9, &rest)) {
    }
    return true;
}

/* "1732433584" or "1732433584.123" as thousandths; decimals only where allowed. */
static bool parse_thousandths(const char *text, size_t bytes, bool decimals, int64_t *out)
{
    struct cursor cursor = {text, text + bytes};
    int64_t whole;
    int64_t part = 0;
    if (!take_digits(&cursor, 1, 15, &whole)) {
        return false;
    }
    if (decimals && take(&cursor, '.') && !take_decimals(&cursor, &part)) {
        return false;
    }
    *out = whole * 1000 + part;
    return cursor.at == cursor.end;
}

/* A whole number, also as text. */
static bool read_whole(const struct json *value, int64_t *out)
{
    size_t bytes;
    const char *text = json_as_string(value, &bytes);
    if (!text) {
        return json_as_integer(value, out);
    }
    return reply_parse_integer(text, bytes, out);
}

/* Seconds with a fraction as milliseconds. */
static bool read_seconds(const struct json *value, int64_t *out_ms)
{
    size_t bytes;
    double seconds;
    const char *text = json_as_string(value, &bytes);
    if (text) {
        return parse_thousandths(text, bytes, true, out_ms);
    }
    if (!json_as_number(value, &seconds) || !(fabs(seconds) < 1e12)) {
        return false;
    }
    *out_ms = (int64_t)llround(seconds * 1000);
    return true;
}

static bool read_seconds_nanos(const struct json *value, int64_t *out_ms)
{
    int64_t seconds;
    int64_t nanos = 0;
    const struct json *fraction = json_get(value, "nanos");
    if (!read_whole(json_get(value, "seconds"), &seconds) || seconds < 0 ||
        seconds > YEAR_10000_MS / 1000) {
        return false;
    }
    if (fraction && (!read_whole(fraction, &nanos) || nanos < 0 || nanos > 999999999)) {
        return false;
    }
    *out_ms = seconds * 1000 + nanos / 1000000;
    return true;
}

/* ---- ISO 8601 ---- */

/* Days from 1970-01-01 to a date of the Gregorian calendar (March-based years, so that the leap day
 * comes last). */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

static bool take_date(struct cursor *cursor, int64_t *ms)
{
    int64_t year;
    int64_t month;
    int64_t day;
    if (!take_digits(cursor, 4, 4, &year) || !take(cursor, '-') ||
        !take_digits(cursor, 2, 2, &month) || !take(cursor, '-') ||
        !take_digits(cursor, 2, 2, &day)) {
        return false;
    }
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *ms = days_from_civil(year, month, day) * 86400000;
    return true;
}

/* A second of 60 is a leap second, and counts as the first of the next minute. */
static bool take_clock(struct cursor *cursor, int64_t *ms)
{
    int64_t hour;
    int64_t minute;
    int64_t second = 0;
    int64_t part = 0;
    if (!take_digits(cursor, 2, 2, &hour) || !take(cursor, ':') ||
        !take_digits(cursor, 2, 2, &minute)) {
        return false;
    }
    if (take(cursor, ':') && !take_digits(cursor, 2, 2, &second)) {
        return false;
    }
    if (take(cursor, '.') && !take_decimals(cursor, &part)) {
        return false;
    }
    *ms = ((hour * 60 + minute) * 60 + second) * 1000 + part;
    return hour < 24 && minute < 60 && second <= 60;
}

/* "Z", "+01:00", "-0530", or nothing. */
static bool take_zone(struct cursor *cursor, int64_t *ms)
{
    int64_t hour;
    int64_t minute;
    *ms = 0;
    if (cursor->at == cursor->end || take(cursor, 'Z') || take(cursor, 'z')) {
        return true;
    }
    bool is_west = take(cursor, '-');
    if ((!is_west && !take(cursor, '+')) || !take_digits(cursor, 2, 2, &hour)) {
        return false;
    }
    (void)take(cursor, ':');
    if (!take_digits(cursor, 2, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *ms = (hour * 60 + minute) * 60000 * (is_west ? -1 : 1);
    return true;
}

bool vendor_time_parse_iso(const char *text, size_t bytes, int64_t *out_ms)
{
    struct cursor cursor = {text, text + bytes};
    int64_t date;
    int64_t clock = 0;
    int64_t zone = 0;
    if (!take_date(&cursor, &date)) {
        return false;
    }
    if (take(&cursor, 'T') || take(&cursor, 't') || take(&cursor, ' ')) {
        if (!take_clock(&cursor, &clock) || !take_zone(&cursor, &zone)) {
            return false;
        }
    }
    *out_ms = date + clock - zone;
    return cursor.at == cursor.end && *out_ms >= 0 && *out_ms < YEAR_10000_MS;
}

/* ---- any ---- */

static bool read_iso(const struct json *value, int64_t *out_ms)
{
    size_t bytes;
    const char *text = json_as_string(value, &bytes);
    return text && vendor_time_parse_iso(text, bytes, out_ms);
}

static bool read_form(const struct json *value, enum cxone_time_format format, int64_t *out_ms)
{
    switch (format) {
    case CXONE_TIME_EPOCH_MS:
    case CXONE_TIME_RELATIVE_MS:
        return read_whole(value, out_ms);
    case CXONE_TIME_EPOCH_S:
    case CXONE_TIME_RELATIVE_S:
        return read_seconds(value, out_ms);
    case CXONE_TIME_EPOCH_US:
        if (!read_whole(value, out_ms)) {
            return false;
        }
        *out_ms /= 1000;
        return true;
    case CXONE_TIME_ISO8601:
        return read_iso(value, out_ms);
    case CXONE_TIME_SECONDS_NANOS:
        return read_seconds_nanos(value, out_ms);
    case CXONE_TIME_TICKS:
        if (!read_whole(value, out_ms)) {
            return false;
        }
        *out_ms = *out_ms / 10000 - TICKS_OF_1970_MS;
        return true;
    }
    return false;
}

bool vendor_time_read(const struct json *value, enum cxone_time_format format,
                      int64_t call_start_ms, int64_t *out_ms)
{
    if (!read_form(value, format, out_ms) || *out_ms < 0) {
        return false;
    }
    if (vendor_time_is_relative(format) && __builtin_add_overflow(*out_ms, call_start_ms, out_ms)) {
        return false;
    }
    return *out_ms < YEAR_10000_MS;
}

bool vendor_time_read_any(const struct json *value, int64_t *out_ms)
{
    return vendor_time_read(value, CXONE_TIME_EPOCH_MS, 0, out_ms) ||
           vendor_time_read(value, CXONE_TIME_ISO8601, 0, out_ms);
}
