/* A call in a few numbers; each expected one is worked out by hand in the comment beside it. */
#include "harness.h"
#include "mood/summary.h"

static void check(const struct harness *h, uint32_t utterances, int64_t mean, int64_t lowest,
                  int64_t low_ms)
{
    struct summary summary;
    assert_true(summary_take(h->call, &summary));
    assert_int_equal(summary.utterances, utterances);
    assert_int_equal(summary.mean, mean);
    assert_int_equal(summary.lowest, lowest);
    assert_int_equal(summary.low_ms, low_ms);
}

static void a_call_nobody_was_judged_in_has_none(void **state)
{
    (void)state;
    struct harness h;
    struct summary summary;
    harness_start(&h, NULL);
    assert_false(summary_take(h.call, &summary));
    harness_stop(&h);
}

static void mean_lowest_and_time_below_the_threshold(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_say(&h, 10000, 800000);
    check(&h, 1, 800000, 800000, 0);
    harness_say(&h, 20000, 200000);
    harness_say(&h, 30000, 100000); /* (0.8 + 0.2 + 0.1) / 3 = 0.367, above 0.35 */
    check(&h, 3, 366667, 366667, 0);
    harness_say(&h, 40000, 100000); /* (0.2 + 0.1 + 0.1) / 3 = 0.133: low from here on */
    check(&h, 4, 300000, 133333, 0);
    harness_say(&h, 200000, 900000); /* 160 s later: at most 120 s of them are known to be low */
    check(&h, 5, 420000, 133333, 120000);
    harness_hear(&h, 48000, 50000, 200000); /* late: low from 40 s to 50 s, and 120 s from there */
    check(&h, 6, 383333, 133333, 130000);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_nobody_was_judged_in_has_none),
        cmocka_unit_test(mean_lowest_and_time_below_the_threshold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
