/* The forms in which vendors write a moment. Expected values by Python's datetime. */
#include "base/json.h"
#include "cxone/vendor_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool read_value(const char *body, enum cxone_time_format format, int64_t *out)
{
    struct json_document *document;
    assert_int_equal(json_parse(body, strlen(body), &document, NULL), 0);
    bool ok = vendor_time_read(json_root(document), format, 1000000, out);
    json_free(document);
    return ok;
}

static void each_form_gives_the_same_moment(void **state)
{
    (void)state;
    static const struct {
        enum cxone_time_format format;
        const char *body;
    } rows[] = {
        {CXONE_TIME_EPOCH_MS, "1795505584123"},
        {CXONE_TIME_EPOCH_MS, "\"1795505584123\""},
        {CXONE_TIME_EPOCH_MS, "1795505584123.0"},
        {CXONE_TIME_EPOCH_S, "1795505584.123"},
        {CXONE_TIME_EPOCH_S, "\"1795505584.1239\""},
        {CXONE_TIME_EPOCH_US, "1795505584123456"},
        {CXONE_TIME_EPOCH_US, "\"1795505584123999\""},
        {CXONE_TIME_ISO8601, "\"2026-11-24T07:33:04.123Z\""},
        {CXONE_TIME_ISO8601, "\"2026-11-24T07:33:04.123\""},
        {CXONE_TIME_ISO8601, "\"2026-11-24 07:33:04.123456789\""},
        {CXONE_TIME_ISO8601, "\"2026-11-24t13:03:04.123+05:30\""},
        {CXONE_TIME_ISO8601, "\"2026-11-23T23:33:04.123-0800\""},
        {CXONE_TIME_SECONDS_NANOS, "{\"seconds\":1795505584,\"nanos\":123000000}"},
        {CXONE_TIME_SECONDS_NANOS, "{\"seconds\":\"1795505584\",\"nanos\":123999999}"},
        {CXONE_TIME_TICKS, "639311023841239999"},
        {CXONE_TIME_RELATIVE_MS, "1795504584123"},
        {CXONE_TIME_RELATIVE_S, "1795504584.123"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = 0;
        if (!read_value(rows[i].body, rows[i].format, &ms) || ms != 1795505584123) {
            fail_msg("row %zu: %s gives %lld", i, rows[i].body, (long long)ms);
        }
    }
}

static void odd_dates_of_the_calendar_are_right(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01", 0},
        {"2000-02-29T23:59Z", 951868740000},
        {"2024-02-29T12:00:00.5Z", 1709208000500},
        {"2100-03-01T00:00:00Z", 4107542400000},
        {"2016-12-31T23:59:60Z", 1483228800000}, /* a leap second */
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -1;
        assert_true(vendor_time_parse_iso(rows[i].text, strlen(rows[i].text), &ms));
        assert_true(ms == rows[i].ms);
    }
}

static void what_is_no_time_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "2026",
        "2026-11",
        "2026-1-24",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "2100-02-29",
        "2026-11-31",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00", /* before 1970 */
        "2026-11-24T",
        "2026-11-24T7:33:04Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T07:60:00Z",
        "2026-11-24T07:33:61Z",
        "2026-11-24T07:33:04.Z",
        "2026-11-24T07:33:04,123Z",
        "2026-11-24T07:33:04Z ",
        "2026-11-24T07:33:04+5",
        "2026-11-24T07:33:04+24:00",
        " 2026-11-24T07:33:04Z",
        "2026-11-24T07:33:04ZZ",
        "24.11.2026",
    };
    int64_t ms;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (vendor_time_parse_iso(texts[i], strlen(texts[i]), &ms)) {
            fail_msg("taken for a time: %s", texts[i]);
        }
    }
    static const struct {
        enum cxone_time_format format;
        const char *body;
    } rows[] = {
        {CXONE_TIME_EPOCH_MS, "-1"},
        {CXONE_TIME_EPOCH_MS, "1.5"},
        {CXONE_TIME_EPOCH_MS, "null"},
        {CXONE_TIME_EPOCH_MS, "\"1e3\""},
        {CXONE_TIME_EPOCH_MS, "253402300800000"}, /* the year 10000 */
        {CXONE_TIME_EPOCH_MS, "9223372036854775807"},
        {CXONE_TIME_EPOCH_S, "253402300800"},
        {CXONE_TIME_TICKS, "3155378976000000000"},
        {CXONE_TIME_EPOCH_MS, "\"2026-11-24T07:33:04Z\""},
        {CXONE_TIME_EPOCH_S, "1e300"},
        {CXONE_TIME_EPOCH_S, "-0.5"},
        {CXONE_TIME_EPOCH_S, "\"1.\""},
        {CXONE_TIME_EPOCH_S, "\".5\""},
        {CXONE_TIME_EPOCH_S, "\"9999999999999999\""},
        {CXONE_TIME_ISO8601, "1795505584123"},
        {CXONE_TIME_SECONDS_NANOS, "1795505584"},
        {CXONE_TIME_SECONDS_NANOS, "{\"nanos\":1}"},
        {CXONE_TIME_SECONDS_NANOS, "{\"seconds\":1,\"nanos\":1000000000}"},
        {CXONE_TIME_SECONDS_NANOS, "{\"seconds\":9223372036854775807}"},
        {CXONE_TIME_TICKS, "1795505584123"}, /* the year 1 */
        {CXONE_TIME_RELATIVE_MS, "9223372036854775807"},
        {CXONE_TIME_RELATIVE_MS, "9223372036853775807"}, /* the sum just fits 64 bits */
        {CXONE_TIME_RELATIVE_S, "-1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (read_value(rows[i].body, rows[i].format, &ms)) {
            fail_msg("row %zu taken for a time: %s", i, rows[i].body);
        }
    }
}

static void times_beside_the_segments_have_two_forms(void **state)
{
    (void)state;
    static const char *const bodies[] = {"1795505584123", "\"2026-11-24T07:33:04.123Z\""};
    for (size_t i = 0; i < 2; i++) {
        struct json_document *document;
        int64_t ms = 0;
        assert_int_equal(json_parse(bodies[i], strlen(bodies[i]), &document, NULL), 0);
        assert_true(vendor_time_read_any(json_root(document), &ms));
        assert_true(ms == 1795505584123);
        json_free(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_gives_the_same_moment),
        cmocka_unit_test(odd_dates_of_the_calendar_are_right),
        cmocka_unit_test(what_is_no_time_is_none),
        cmocka_unit_test(times_beside_the_segments_have_two_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
