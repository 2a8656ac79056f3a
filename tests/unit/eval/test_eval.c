/* test_eval.c - measures against values worked out by hand and from published examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "eval/bootstrap.h"
#include "eval/calibration.h"
#include "eval/confusion.h"
#include "eval/outcome.h"

#include <math.h>

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-12)

static void test_macro_f1_is_the_mean_over_classes_that_occur_enough(void **state)
{
    (void)state;
    const struct confusion confusion = {{{8, 2, 0}, {1, 16, 3}, {0, 1, 3}}};
    unsigned classes;
    double negative = 2.0 * 8 / (10 + 9);
    double neutral = 2.0 * 16 / (20 + 19);
    double positive = 2.0 * 3 / (4 + 6);
    assert_near(confusion_macro_f1(&confusion, 1, &classes), (negative + neutral + positive) / 3);
    assert_int_equal(classes, 3);
    assert_near(confusion_macro_f1(&confusion, 10, &classes), (negative + neutral) / 2);
    assert_int_equal(classes, 2);
    assert_near(confusion_accuracy(&confusion), 27.0 / 34);
    const struct confusion none = {0};
    assert_true(isnan(confusion_macro_f1(&none, 1, NULL)));
    assert_true(isnan(confusion_accuracy(&none)));
    assert_true(isnan(confusion_kappa(&none)));
}

/* Quadratic weights: observed 1*2 + 4*0 ..., worked out by hand. */
static void test_kappa_weighs_by_distance(void **state)
{
    (void)state;
    const struct confusion agree = {{{5, 0, 0}, {0, 5, 0}, {0, 0, 5}}};
    assert_near(confusion_kappa(&agree), 1);
    const struct confusion chance = {{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}};
    assert_near(confusion_kappa(&chance), 0);
    /* observed 2 * 1 + 1 * 4 = 6; expected (of 10, rows 4 4 2, columns 4 3 3):
     * (4*3 + 4*4 + 4*3 + 2*3 + 4*(4*3 + 2*4)) / 10 = 12.6 */
    const struct confusion some = {{{3, 0, 1}, {1, 3, 0}, {0, 0, 2}}};
    const struct confusion shifted = {{{3, 0, 1}, {1, 2, 1}, {0, 1, 1}}};
    assert_near(confusion_kappa(&some),
                1 - 5.0 / ((4 * 3 + 4 * 4 + 4 * 3 + 2 * 3 + 4 * 20) / 10.0));
    assert_near(confusion_kappa(&shifted),
                1 - 7.0 / ((4 * 3 + 4 * 4 + 4 * 3 + 2 * 3 + 4 * 20) / 10.0));
}

static void test_calibration_is_the_gap_of_bins(void **state)
{
    (void)state;
    struct calibration calibration = {0};
    assert_true(isnan(calibration_error(&calibration)));
    calibration_add(&calibration, 0.95, true);
    calibration_add(&calibration, 0.95, false);
    calibration_add(&calibration, 0.25, false);
    calibration_add(&calibration, 1.0, true);
    /* The last bin: three, mean 2.9/3, right 2/3; another: 0.25 of none right. */
    assert_near(calibration_error(&calibration), (0.9 + 0.25) / 4);
    assert_int_equal(calibration_count(&calibration), 4);
}

static void test_alerts_are_counted_by_call(void **state)
{
    (void)state;
    const struct outcome outcomes[] = {
        {.wanted = true,
         .told = true,
         .alerts = 2,
         .turn = 3,
         .turns_off = -2,
         .off_ms = -9000,
         .told_ms = 20000,
         .length_ms = 600000,
         .recovery_wanted = true,
         .recovered = true,
         .supervisor_wanted = true,
         .supervisor = true},
        {.wanted = true,
         .told = true,
         .alerts = 1,
         .turn = 9,
         .turns_off = 1,
         .off_ms = 4000,
         .told_ms = 60000,
         .length_ms = 600000,
         .recovery_wanted = true},
        {.wanted = true, .length_ms = 600000, .supervisor_wanted = true},
        {.told = true, .alerts = 3, .told_ms = 30000, .length_ms = 600000, .supervisor = true},
        {.length_ms = 1200000},
    };
    double scratch[5];
    struct outcome_measures got;
    outcome_measure(outcomes, NULL, 5, scratch, &got);
    assert_near(got.precision, 2.0 / 3);
    assert_near(got.recall, 2.0 / 3);
    assert_near(got.f1, 2.0 / 3);
    assert_near(got.calm_told, 0.5);
    assert_near(got.alerts_a_call, 6.0 / 5);
    assert_near(got.wrong_an_hour, 3.0); /* in one hour */
    assert_near(got.turns_off, -0.5);
    assert_near(got.seconds_off, -2.5);
    assert_near(got.early, 0.5);
    assert_near(got.late, 0);
    assert_near(got.seconds_to_tell, 30);
    assert_near(got.recovered, 0.5);
    assert_int_equal(got.recoveries, 2);
    assert_near(got.supervisor_precision, 0.5);
    assert_near(got.supervisor_recall, 0.5);
    /* 4 turns heard: 1 - 1/(1 + e^-6); 10: a half; a miss: 1; a false one: 3/5. */
    assert_near(got.erde, (1 - 1 / (1 + exp(-6)) + 0.5 + 1 + 0.6) / 5);
    const size_t calm[] = {4, 4};
    outcome_measure(outcomes, calm, 2, scratch, &got);
    assert_true(isnan(got.precision) && isnan(got.recall) && isnan(got.f1));
    assert_near(got.calm_told, 0);
}

static void measure_mean(void *user, const size_t *chosen, size_t count,
                         double values[BOOTSTRAP_MEASURES_MAX])
{
    const double *of = user;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += of[chosen[i]];
    }
    values[1] = sum / (double)count;
}

/* The mean of 400 uniform numbers: its standard error is known. */
static void test_an_interval_is_as_wide_as_theory_says(void **state)
{
    (void)state;
    struct rand rand;
    struct bootstrap_interval intervals[BOOTSTRAP_MEASURES_MAX];
    struct bootstrap_interval again[BOOTSTRAP_MEASURES_MAX];
    double of[400];
    rand_seed(&rand, 5);
    for (int i = 0; i < 400; i++) {
        of[i] = rand_uniform(&rand);
    }
    assert_true(bootstrap_intervals(measure_mean, of, 400, 2000, 1, intervals));
    double width = intervals[1].high - intervals[1].low;
    double wanted = 2 * 1.96 * sqrt(1.0 / 12 / 400);
    assert_true(width > wanted * 0.9 && width < wanted * 1.1);
    assert_true(isnan(intervals[0].low) && isnan(intervals[0].high));
    assert_true(bootstrap_intervals(measure_mean, of, 400, 2000, 1, again));
    assert_true(again[1].low == intervals[1].low && again[1].high == intervals[1].high);
    assert_true(bootstrap_intervals(measure_mean, of, 0, 2000, 1, again));
    assert_true(isnan(again[1].low));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_macro_f1_is_the_mean_over_classes_that_occur_enough),
        cmocka_unit_test(test_kappa_weighs_by_distance),
        cmocka_unit_test(test_calibration_is_the_gap_of_bins),
        cmocka_unit_test(test_alerts_are_counted_by_call),
        cmocka_unit_test(test_an_interval_is_as_wide_as_theory_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
