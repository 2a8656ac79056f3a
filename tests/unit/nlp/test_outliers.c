/* Which columns outliers_find takes for outliers, and into how many copies it divides them. */
#include "nlp/outliers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WIDTH = 768 };

static float gain[WIDTH];
static float bias[WIDTH];
static float shrink[WIDTH];
static float scratch[WIDTH];

static void even_columns(void)
{
    for (int i = 0; i < WIDTH; i++) {
        gain[i] = 1;
        bias[i] = 0;
    }
}

static void even_columns_have_no_outliers(void **state)
{
    (void)state;
    struct outliers outliers;
    even_columns();
    outliers_find(&outliers, gain, bias, WIDTH, shrink, scratch);
    assert_int_equal(outliers.view.count, 0);
    for (int i = 0; i < WIDTH; i++) {
        assert_true(shrink[i] == 1);
    }
}

static void large_gains_and_biases_are_outliers_of_either_sign(void **state)
{
    (void)state;
    struct outliers outliers;
    even_columns();
    gain[77] = -20;  /* reaches 60, where the others reach 3 and one and a half times that pass */
    bias[588] = -42; /* reaches 45 */
    outliers_find(&outliers, gain, bias, WIDTH, shrink, scratch);
    assert_int_equal(outliers.view.count, 2);
    assert_int_equal(outliers.view.columns[0], 77);
    assert_int_equal(outliers.view.copies[0], 14); /* 60 / 4.5, rounded up */
    assert_int_equal(outliers.view.columns[1], 588);
    assert_int_equal(outliers.view.copies[1], 10);
    assert_true(shrink[77] == 1.0f / 14 && shrink[588] == 1.0f / 10 && shrink[0] == 1);
}

static void rows_grow_by_an_eighth_at_most(void **state)
{
    (void)state;
    struct outliers outliers;
    even_columns();
    for (int i = 0; i < WIDTH; i += 10) {
        gain[i] = 1000;
    }
    outliers_find(&outliers, gain, bias, WIDTH, shrink, scratch);
    size_t extra = 0;
    for (size_t i = 0; i < outliers.view.count; i++) {
        assert_true(outliers.view.copies[i] >= 2);
        extra += outliers.view.copies[i] - 1;
    }
    assert_true(extra <= outliers_extra_max(WIDTH));
}

static void a_norm_of_zeros_has_no_outliers(void **state)
{
    (void)state;
    struct outliers outliers;
    for (int i = 0; i < WIDTH; i++) {
        gain[i] = 0;
        bias[i] = 0;
    }
    bias[3] = 1;
    outliers_find(&outliers, gain, bias, WIDTH, shrink, scratch);
    assert_int_equal(outliers.view.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even_columns_have_no_outliers),
        cmocka_unit_test(large_gains_and_biases_are_outliers_of_either_sign),
        cmocka_unit_test(rows_grow_by_an_eighth_at_most),
        cmocka_unit_test(a_norm_of_zeros_has_no_outliers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
