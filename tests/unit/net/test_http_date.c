/* Dates: the examples of RFC 9110, numbers from `date -u -d ... +%s`, and the C library's own
 * calendar as an independent witness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "net/http_date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void expect_s(const char *text, int64_t seconds)
{
    int64_t ms = 0;
    if (!http_date_parse(text, &ms)) {
        fail_msg("not parsed: %s", text);
    }
    assert_true(ms == seconds * 1000);
}

static void test_three_forms_are_read(void **state)
{
    (void)state;
    expect_s("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
    expect_s("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
    expect_s("Sun Nov  6 08:49:37 1994", 784111777);
    expect_s("Wed Nov 16 08:49:37 1994", 784975777);
    expect_s("Thu, 01 Jan 1970 00:00:00 GMT", 0);
    expect_s("Tue, 29 Feb 2000 23:59:59 GMT", 951868799);
    expect_s("Fri, 31 Dec 9999 23:59:59 GMT", 253402300799);
    expect_s("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800); /* a leap second */
    expect_s("Wednesday, 01-Jan-69 00:00:00 GMT", -31536000);
    expect_s("Monday, 01-Jan-68 00:00:00 GMT", 3092601600);
}

static void test_anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "Sun",
        "Sun,",
        "Sun, ",
        "06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "1994-11-06T08:49:37Z",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, +6 Nov 1994 08:49:37 GMT",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        int64_t ms = 42;
        if (http_date_parse(BAD[i], &ms)) {
            fail_msg("accepted: \"%s\"", BAD[i]);
        }
        assert_int_equal(ms, 42);
    }
    int64_t ms = 0;
    assert_false(http_date_parse(NULL, &ms));
}

static void test_impossible_dates_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Tue, 29 Feb 1994 08:49:37 GMT", "Thu, 29 Feb 1900 08:49:37 GMT",
        "Fri, 30 Feb 2024 08:49:37 GMT", "Sun, 32 Jan 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        int64_t ms = 0;
        if (http_date_parse(BAD[i], &ms)) {
            fail_msg("accepted: \"%s\"", BAD[i]);
        }
    }
}

static void test_every_cut_of_a_date_is_refused(void **state)
{
    (void)state;
    static const char *const FORMS[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < 3; i++) {
        for (size_t size = 0; size < strlen(FORMS[i]); size++) {
            char cut[40];
            int64_t ms = 0;
            (void)snprintf(cut, sizeof cut, "%.*s", (int)size, FORMS[i]);
            assert_false(http_date_parse(cut, &ms));
        }
    }
}

static void test_format_agrees_with_the_c_library_and_reads_back(void **state)
{
    (void)state;
    struct rand rand;
    rand_seed(&rand, 9);
    for (int i = 0; i < 20000; i++) {
        int64_t seconds = (int64_t)rand_below(&rand, 253402300800);
        time_t when = (time_t)seconds;
        struct tm tm;
        char expected[64], text[HTTP_DATE_BYTES];
        gmtime_r(&when, &tm);
        (void)strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        assert_string_equal(http_date_format(seconds * 1000 + 999, text), expected);
        expect_s(text, seconds);
        (void)strftime(expected, sizeof expected, "%a %b %e %H:%M:%S %Y", &tm);
        expect_s(expected, seconds);
    }
    char text[HTTP_DATE_BYTES];
    assert_string_equal(http_date_format(INT64_MIN, text), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_string_equal(http_date_format(INT64_MAX, text), "Fri, 31 Dec 9999 23:59:59 GMT");
}

enum { MAX_MS = 300000 };
static const int64_t DATE_MS = INT64_C(784111777000);

static int64_t retry(const char *value)
{
    return http_retry_after_ms(value, DATE_MS, 0, MAX_MS);
}

static void test_retry_after_in_seconds(void **state)
{
    (void)state;
    assert_int_equal(retry("0"), 0);
    assert_int_equal(retry("7"), 7000);
    assert_int_equal(retry("007"), 7000);
    assert_int_equal(retry("300"), 300000);
    assert_int_equal(retry("36000"), MAX_MS); /* ten hours */
    assert_int_equal(retry("99999999999999999999999999999999"), MAX_MS);
    assert_true(http_retry_after_ms("99999999999999999999999", -1, 0, INT64_MAX) > 0);
}

static void test_retry_after_garbage_is_absent(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",     " ",   "-1",       "+5",         "1.5", "1,5",
                                      "1e3",  "inf", "nan",      "0x10",       "5 s", "5s",
                                      "soon", "-",   "\xd9\xa1", "Sun, 06 Nov"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        assert_int_equal(retry(BAD[i]), -1);
    }
    assert_int_equal(retry(NULL), -1);
}

static void test_retry_after_date_counts_from_the_responses_own_date(void **state)
{
    (void)state;
    assert_int_equal(retry("Sun, 06 Nov 1994 08:50:07 GMT"), 30000);
    assert_int_equal(retry("Sunday, 06-Nov-94 08:50:07 GMT"), 30000);
    assert_int_equal(retry("Sun Nov  6 08:50:07 1994"), 30000);
    assert_int_equal(retry("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
    assert_int_equal(retry("Sun, 06 Nov 1994 08:00:00 GMT"), 0); /* the past */
    assert_int_equal(retry("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    assert_int_equal(retry("Sun, 06 Nov 1994 18:49:37 GMT"), MAX_MS); /* ten hours */
    assert_int_equal(
        http_retry_after_ms("Sun, 06 Nov 1994 08:50:07 GMT", -1, DATE_MS + 10500, MAX_MS), 19500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_forms_are_read),
        cmocka_unit_test(test_anything_else_is_refused),
        cmocka_unit_test(test_impossible_dates_are_refused),
        cmocka_unit_test(test_every_cut_of_a_date_is_refused),
        cmocka_unit_test(test_format_agrees_with_the_c_library_and_reads_back),
        cmocka_unit_test(test_retry_after_in_seconds),
        cmocka_unit_test(test_retry_after_garbage_is_absent),
        cmocka_unit_test(test_retry_after_date_counts_from_the_responses_own_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
