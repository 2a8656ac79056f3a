/* falling.c - see falling.h.
 *
 * The number of orders of a multiset with each number of inversions are the coefficients of its
 * Gaussian multinomial (MacMahon), which is multiplied up group by group of tied scores:
 * binomial [n choose c] = product of (1 - q^(n-c+i)) / (1 - q^i) for i = 1..c, each partial product
 * being a polynomial with whole coefficients. */
#include "mood/falling.h"

#include "mood/fixed.h"
#include "mood/policy.h"

#include <stdlib.h>

enum { PAIRS_MAX = FALLING_MAX * (FALLING_MAX - 1) / 2 };

/* Coefficients of orders by their number of inversions, 0..degree. */
struct orders {
    int64_t counts[PAIRS_MAX + FALLING_MAX + 1];
    size_t degree;
};

/* Times (1 - q^over) / (1 - q^under). */
static void multiply(struct orders *orders, size_t over, size_t under)
{
    int64_t *counts = orders->counts;
    size_t degree = orders->degree + over;
    for (size_t i = orders->degree + 1; i <= degree; i++) {
        counts[i] = 0;
    }
    for (size_t i = degree; i >= over; i--) {
        counts[i] -= counts[i - over];
    }
    for (size_t i = under; i <= degree; i++) {
        counts[i] += counts[i - under];
    }
    orders->degree = degree - under;
}

static int compare_scores(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void count_orders(const struct falling_point *points, size_t count, struct orders *orders)
{
    int64_t sorted[FALLING_MAX];
    *orders = (struct orders){.counts = {1}};
    for (size_t i = 0; i < count; i++) {
        sorted[i] = points[i].score;
    }
    qsort(sorted, count, sizeof sorted[0], compare_scores);
    size_t tied = 0;
    for (size_t i = 0; i < count; i++) {
        tied = i > 0 && sorted[i] == sorted[i - 1] ? tied + 1 : 1;
        /* The next of a group of ties: from [i choose tied - 1] to [i + 1 choose tied]. */
        multiply(orders, i + 1, tied);
    }
}

int64_t falling_confidence(const struct falling_point *points, size_t count)
{
    struct orders orders;
    if (count < 2) {
        return 0;
    }
    size_t inversions = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            inversions += points[j].score < points[i].score;
        }
    }
    count_orders(points, count, &orders);
    int64_t total = 0;
    int64_t fewer = 0;
    for (size_t i = 0; i <= orders.degree; i++) {
        total += orders.counts[i];
        fewer += i < inversions ? orders.counts[i] : 0;
    }
    return fixed_divide(fewer * MOOD_ONE, total);
}

int64_t falling_slope(const struct falling_point *points, size_t count)
{
    const int64_t minute_ms = 60000;
    int64_t slopes[PAIRS_MAX];
    size_t pairs = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            int64_t passed_ms = points[j].at_ms - points[i].at_ms;
            if (passed_ms > 0) {
                int64_t change = (points[j].score - points[i].score) * minute_ms;
                slopes[pairs++] = fixed_divide(change, passed_ms);
            }
        }
    }
    if (pairs == 0) {
        return 0;
    }
    qsort(slopes, pairs, sizeof slopes[0], compare_scores);
    return fixed_divide(slopes[(pairs - 1) / 2] + slopes[pairs / 2], 2);
}
