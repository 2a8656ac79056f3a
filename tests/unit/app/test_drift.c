/* The population stability index over sliding time; expected values are Python's. */
#include "app/drift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static struct mono at_ms(int64_t ms)
{
    return (struct mono){(int64_t)1000 * (1000 * (int64_t)HOUR_MS + ms)};
}

static void add(struct drift *drift, double score, int count, int64_t ms)
{
    for (int i = 0; i < count; i++) {
        drift_add(drift, score, at_ms(ms));
    }
}

static void the_last_hour_is_held_against_the_day_before(void **state)
{
    (void)state;
    struct drift drift;
    drift_init(&drift, at_ms(0));
    add(&drift, 0.0, 500, 5 * MINUTE_MS);
    add(&drift, 1.0, 100, 2 * HOUR_MS);
    add(&drift, 0.05, 300, 4 * HOUR_MS);
    add(&drift, 0.95, 300, 4 * HOUR_MS + 20 * MINUTE_MS);
    struct drift_reading reading = drift_read(&drift, at_ms(4 * HOUR_MS + 30 * MINUTE_MS));
    assert_true(reading.known);
    assert_int_equal(reading.current, 600);
    assert_int_equal(reading.reference, 600);
    assert_true(fabs(reading.index - 0.5307272301673207) < 1e-12);
}

static void the_same_shares_are_no_drift(void **state)
{
    (void)state;
    struct drift drift;
    drift_init(&drift, at_ms(0));
    for (int i = 0; i < 10; i++) {
        add(&drift, i / 10.0 + 0.05, 300, 0);
    }
    for (int i = 0; i < 10; i++) {
        add(&drift, i / 10.0 + 0.05, 100, 3 * HOUR_MS);
    }
    struct drift_reading reading = drift_read(&drift, at_ms(3 * HOUR_MS));
    assert_true(reading.known);
    assert_true(fabs(reading.index) < 1e-12);
}

static void few_scores_say_nothing(void **state)
{
    (void)state;
    struct drift drift;
    drift_init(&drift, at_ms(0));
    add(&drift, 0.1, 199, 0);
    add(&drift, 0.9, 1000, 3 * HOUR_MS);
    struct drift_reading reading = drift_read(&drift, at_ms(3 * HOUR_MS));
    assert_false(reading.known);
    assert_true(reading.index == 0);
}

static void what_is_older_than_a_day_and_an_hour_is_forgotten(void **state)
{
    (void)state;
    struct drift drift;
    drift_init(&drift, at_ms(0));
    add(&drift, 0.1, 1000, 0);
    assert_int_equal(drift_read(&drift, at_ms(24 * HOUR_MS + 50 * MINUTE_MS)).reference, 1000);
    assert_int_equal(drift_read(&drift, at_ms(25 * HOUR_MS)).reference, 0);
    add(&drift, 0.1, 1000, 26 * HOUR_MS);
    struct drift_reading reading = drift_read(&drift, at_ms(1000 * (int64_t)HOUR_MS));
    assert_int_equal(reading.current + reading.reference, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_hour_is_held_against_the_day_before),
        cmocka_unit_test(the_same_shares_are_no_drift),
        cmocka_unit_test(few_scores_say_nothing),
        cmocka_unit_test(what_is_older_than_a_day_and_an_hour_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
