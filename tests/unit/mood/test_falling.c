/* test_falling.c - the exact test of a fall against all orders of the scores, one by one, and
 * against published tables; the slope; the confirmation among the newest. */
#include "harness.h"

#include "mood/falling.h"
#include "mood/recent.h"

static int64_t confidence_of(const int64_t *scores, size_t count)
{
    struct falling_point points[FALLING_MAX];
    for (size_t i = 0; i < count; i++) {
        points[i] = (struct falling_point){EPOCH + 1000 * (int64_t)i, scores[i]};
    }
    return falling_confidence(points, count);
}

static int inversions_of(const int64_t *scores, size_t count)
{
    int inversions = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            inversions += scores[j] < scores[i];
        }
    }
    return inversions;
}

/* Of all orders of scores[at..], those with fewer inversions than `observed`, and all. */
static void try_orders(int64_t *scores, size_t count, size_t at, int observed, int64_t *fewer,
                       int64_t *all)
{
    if (at == count) {
        *fewer += inversions_of(scores, count) < observed;
        ++*all;
        return;
    }
    for (size_t i = at; i < count; i++) {
        int64_t swap = scores[at];
        scores[at] = scores[i];
        scores[i] = swap;
        try_orders(scores, count, at + 1, observed, fewer, all);
        scores[i] = scores[at];
        scores[at] = swap;
    }
}

static void test_all_orders_of_few_scores_are_counted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 120; seed++) {
        int64_t scores[7];
        size_t count = 2 + seed % 6;
        for (size_t i = 0; i < count; i++) {
            scores[i] = (int64_t)(seed * 2654435761u >> (3 * i) & (seed % 2 ? 7 : 1));
        }
        int64_t fewer = 0;
        int64_t all = 0;
        int64_t got = confidence_of(scores, count);
        try_orders(scores, count, 0, inversions_of(scores, count), &fewer, &all);
        assert_int_equal(got, (2 * fewer * MOOD_ONE + all) / (2 * all));
    }
}

/* One-sided chances of Kendall's S without ties, as tabled for small n (Kendall, Rank Correlation
 * Methods, appendix table 1). */
static void test_tabled_chances_are_met(void **state)
{
    (void)state;
    assert_int_equal(confidence_of((int64_t[]){4, 3, 2, 1}, 4), 958333);       /* S = 6: .042 */
    assert_int_equal(confidence_of((int64_t[]){4, 3, 1, 2}, 4), 833333);       /* S = 4: .167 */
    assert_int_equal(confidence_of((int64_t[]){5, 4, 3, 2, 1}, 5), 991667);    /* S = 10: .0083 */
    assert_int_equal(confidence_of((int64_t[]){5, 4, 3, 1, 2}, 5), 958333);    /* S = 8: .042 */
    assert_int_equal(confidence_of((int64_t[]){6, 5, 4, 3, 2, 1}, 6), 998611); /* S = 15: .0014 */
}

static void test_fifteen_scores_fit(void **state)
{
    (void)state;
    int64_t scores[FALLING_MAX];
    for (int i = 0; i < FALLING_MAX; i++) {
        scores[i] = i;
    }
    assert_int_equal(confidence_of(scores, FALLING_MAX), 0);
    for (int i = 0; i < FALLING_MAX; i++) {
        scores[i] = FALLING_MAX - i;
    }
    assert_int_equal(confidence_of(scores, FALLING_MAX), MOOD_ONE);
}

static void test_what_never_changes_does_not_fall(void **state)
{
    (void)state;
    assert_int_equal(confidence_of((int64_t[]){5, 5, 5, 5, 5}, 5), 0);
    assert_int_equal(confidence_of((int64_t[]){5}, 1), 0);
    assert_int_equal(confidence_of(NULL, 0), 0);
}

static void test_the_slope_is_the_median_of_all_pairs(void **state)
{
    (void)state;
    /* Pairs a minute: -10, -10, -10 and, with the outlier, far from it. */
    const struct falling_point points[] = {
        {0, 900}, {60000, 890}, {120000, 880}, {180000, 100000}, {240000, 860}};
    assert_int_equal(falling_slope(points, 3), -10);
    assert_int_equal(falling_slope(points, 5), -10);
    const struct falling_point together[] = {{5, 1}, {5, 2}};
    assert_int_equal(falling_slope(together, 2), 0);
}

/* Chances of a binomial variable, from a table: n = 4, p = 0.1. */
static void test_the_chance_of_fewer_low_ones_is_binomial(void **state)
{
    (void)state;
    assert_int_equal(recent_confidence(0, 4, 100000), 0);
    assert_int_equal(recent_confidence(1, 4, 100000), 656100);
    assert_int_equal(recent_confidence(2, 4, 100000), 947700);
    assert_int_equal(recent_confidence(3, 4, 100000), 996300);
    assert_int_equal(recent_confidence(4, 4, 100000), 999900);
    assert_int_equal(recent_confidence(3, 3, 0), MOOD_ONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_orders_of_few_scores_are_counted),
        cmocka_unit_test(test_tabled_chances_are_met),
        cmocka_unit_test(test_fifteen_scores_fit),
        cmocka_unit_test(test_what_never_changes_does_not_fall),
        cmocka_unit_test(test_the_slope_is_the_median_of_all_pairs),
        cmocka_unit_test(test_the_chance_of_fewer_low_ones_is_binomial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
