/* Saturating times, and dates as Python's datetime prints them. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void monotonic_time_does_not_go_back(void **state)
{
    (void)state;
    struct mono before = clock_mono();
    for (int i = 0; i < 1000; i++) {
        struct mono now = clock_mono();
        assert_true(now.us >= before.us);
        before = now;
    }
    assert_true(clock_wall().ms > INT64_C(1700000000000)); /* after November 2023 */
}

static void sums_and_differences_saturate(void **state)
{
    (void)state;
    const struct mono zero = {0};
    const struct mono last = {INT64_MAX};
    const struct mono first = {INT64_MIN};
    assert_true(mono_after_ms((struct mono){500}, 2).us == 2500);
    assert_true(mono_after_ms((struct mono){500}, -2).us == -1500);
    assert_true(mono_after_ms(zero, INT64_MAX).us == INT64_MAX);
    assert_true(mono_after_ms(zero, INT64_MIN).us == INT64_MIN);
    assert_true(mono_after_ms(last, 1).us == INT64_MAX);
    assert_true(mono_after_ms(first, -1).us == INT64_MIN);
    assert_int_equal(mono_ms_between((struct mono){1000}, (struct mono){3999}), 2);
    assert_int_equal(mono_ms_between((struct mono){3000}, (struct mono){1000}), -2);
    assert_true(mono_ms_between(first, last) == INT64_MAX / 1000);
    assert_true(mono_ms_between(last, first) == INT64_MIN / 1000);
}

static void time_left_is_rounded_up_and_never_negative(void **state)
{
    (void)state;
    const struct mono now = {1000};
    assert_int_equal(mono_left_ms(now, (struct mono){1000}), 0);
    assert_int_equal(mono_left_ms(now, (struct mono){999}), 0);
    assert_int_equal(mono_left_ms(now, (struct mono){1001}), 1);
    assert_int_equal(mono_left_ms(now, (struct mono){2000}), 1);
    assert_int_equal(mono_left_ms(now, (struct mono){2001}), 2);
    assert_true(mono_left_ms((struct mono){INT64_MIN}, (struct mono){INT64_MAX}) > 0);
    assert_true(mono_reached(now, now));
    assert_false(mono_reached(now, (struct mono){1001}));
}

/* python3: datetime.fromtimestamp(ms / 1000, timezone.utc).isoformat(timespec='milliseconds') */
static void dates_are_rfc_3339_in_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {INT64_C(1795505584123), "2026-11-24T07:33:04.123Z"},
        {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
        {INT64_C(4107542399999), "2100-02-28T23:59:59.999Z"},
        {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59.000Z"},
        {-86400001, "1969-12-30T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[WALL_TEXT_BYTES];
        assert_string_equal(wall_format((struct wall){cases[i].ms}, text), cases[i].text);
    }
}

static void any_wall_time_fits_its_text(void **state)
{
    (void)state;
    static const int64_t extremes[] = {INT64_MAX, INT64_MIN, INT64_MIN + 1,
                                       INT64_C(253402300800000), INT64_C(-62167219200001)};
    for (size_t i = 0; i < sizeof extremes / sizeof extremes[0]; i++) {
        struct {
            char text[WALL_TEXT_BYTES];
            char guard;
        } box = {.guard = 'g'};
        (void)wall_format((struct wall){extremes[i]}, box.text);
        assert_true(strlen(box.text) < WALL_TEXT_BYTES);
        assert_int_equal(box.guard, 'g');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_time_does_not_go_back),
        cmocka_unit_test(sums_and_differences_saturate),
        cmocka_unit_test(time_left_is_rounded_up_and_never_negative),
        cmocka_unit_test(dates_are_rfc_3339_in_utc),
        cmocka_unit_test(any_wall_time_fits_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
