/* http_date.c - see http_date.h. A cursor walks the text and each small reader moves it on, or
 * fails; nothing depends on the locale or on the time zone of the machine. The name of the weekday
 * must be one, but need not be the right one for the date.
 */
#include "net/http_date.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const HTTP_DATE_DAYS[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday"};
static const char HTTP_DATE_MONTHS[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct http_date_fields {
    int year, month, day; /* month 1 to 12 */
    int hour, minute, second;
};

static bool read_literal(const char **at, const char *literal)
{
    size_t size = strlen(literal);
    if (strncmp(*at, literal, size) != 0) {
        return false;
    }
    *at += size;
    return true;
}

/* Exactly `digits` digits. */
static bool read_number(const char **at, int digits, int *out)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    *at += digits;
    *out = value;
    return true;
}

static bool read_month(const char **at, int *out)
{
    for (int i = 0; i < 12; i++) {
        if (read_literal(at, HTTP_DATE_MONTHS[i])) {
            *out = i + 1;
            return true;
        }
    }
    return false;
}

static bool read_time(const char **at, struct http_date_fields *f)
{
    return read_number(at, 2, &f->hour) && read_literal(at, ":") &&
           read_number(at, 2, &f->minute) && read_literal(at, ":") &&
           read_number(at, 2, &f->second);
}

/* "06 Nov 1994 08:49:37 GMT", after the weekday and ", ". */
static bool read_imf(const char *at, struct http_date_fields *f)
{
    return read_number(&at, 2, &f->day) && read_literal(&at, " ") && read_month(&at, &f->month) &&
           read_literal(&at, " ") && read_number(&at, 4, &f->year) && read_literal(&at, " ") &&
           read_time(&at, f) && read_literal(&at, " GMT") && *at == '\0';
}

/* "06-Nov-94 08:49:37 GMT". Without a clock the century follows POSIX %y: 69 to 99 are 19xx. */
static bool read_rfc850(const char *at, struct http_date_fields *f)
{
    int year = 0;
    bool ok = read_number(&at, 2, &f->day) && read_literal(&at, "-") &&
              read_month(&at, &f->month) && read_literal(&at, "-") && read_number(&at, 2, &year) &&
              read_literal(&at, " ") && read_time(&at, f) && read_literal(&at, " GMT") &&
              *at == '\0';
    f->year = year >= 69 ? 1900 + year : 2000 + year;
    return ok;
}

/* "Nov  6 08:49:37 1994", after the weekday and " ". */
static bool read_asctime(const char *at, struct http_date_fields *f)
{
    bool ok =
        read_month(&at, &f->month) && read_literal(&at, " ") &&
        (read_literal(&at, " ") ? read_number(&at, 1, &f->day) : read_number(&at, 2, &f->day));
    return ok && read_literal(&at, " ") && read_time(&at, f) && read_literal(&at, " ") &&
           read_number(&at, 4, &f->year) && *at == '\0';
}

static bool read_any_form(const char *text, struct http_date_fields *f)
{
    for (int i = 0; i < 7; i++) {
        const char *at = text;
        if (read_literal(&at, HTTP_DATE_DAYS[i]) && read_literal(&at, ", ")) {
            return read_rfc850(at, f);
        }
        at = text;
        if (strncmp(at, HTTP_DATE_DAYS[i], 3) == 0) {
            at += 3;
            return read_literal(&at, ", ") ? read_imf(at, f)
                                           : read_literal(&at, " ") && read_asctime(at, f);
        }
    }
    return false;
}

static int days_in_month(int year, int month)
{
    static const int DAYS[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar; year at least 1. Counts years from
 * March, so that the leap day is the last of its year. */
static int64_t days_from_epoch(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    return 365 * y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

bool http_date_parse(const char *text, int64_t *epoch_ms)
{
    struct http_date_fields f = {0};
    if (!text || !read_any_form(text, &f)) {
        return false;
    }
    if (f.year < 1 || f.day < 1 || f.day > days_in_month(f.year, f.month) || f.hour > 23 ||
        f.minute > 59 || f.second > 60) {
        return false;
    }
    int64_t seconds = f.hour * 3600 + f.minute * 60 + f.second;
    *epoch_ms = (days_from_epoch(f.year, f.month, f.day) * 86400 + seconds) * 1000;
    return true;
}

const char *http_date_format(int64_t epoch_ms, char out[HTTP_DATE_BYTES])
{
    const int64_t last_s = 253402300799; /* the end of the year 9999: four digits are all we have */
    int64_t s = epoch_ms / 1000;
    time_t when = (time_t)(s < 0 ? 0 : s > last_s ? last_s : s);
    struct tm tm = {0};
    gmtime_r(&when, &tm);
    (void)snprintf(out, HTTP_DATE_BYTES, "%.3s, %02d %s %04d %02d:%02d:%02d GMT",
                   HTTP_DATE_DAYS[tm.tm_wday], tm.tm_mday, HTTP_DATE_MONTHS[tm.tm_mon],
                   tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return out;
}

/* delay-seconds: digits only. A number too large to hold is as good as the largest. */
static bool read_delay_ms(const char *text, int64_t *out)
{
    int64_t seconds = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        seconds = seconds > INT64_MAX / 100000 ? seconds : seconds * 10 + (*at - '0');
    }
    *out = seconds > INT64_MAX / 1000 ? INT64_MAX : seconds * 1000;
    return at != text && *at == '\0';
}

int64_t http_retry_after_ms(const char *value, int64_t date_ms, int64_t wall_ms, int64_t max_ms)
{
    int64_t wait_ms = 0;
    if (!value) {
        return -1;
    }
    if (!read_delay_ms(value, &wait_ms)) {
        int64_t until_ms = 0;
        if (!http_date_parse(value, &until_ms)) {
            return -1;
        }
        wait_ms = until_ms - (date_ms >= 0 ? date_ms : wall_ms);
    }
    if (wait_ms < 0) {
        return 0;
    }
    return wait_ms < max_ms ? wait_ms : max_ms;
}
