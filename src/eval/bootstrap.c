/* bootstrap.c - see bootstrap.h. */
#include "eval/bootstrap.h"

#include "base/rand.h"

#include <math.h>
#include <stdlib.h>

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static struct bootstrap_interval bounds(double *values, size_t count)
{
    if (count == 0) {
        return (struct bootstrap_interval){NAN, NAN};
    }
    qsort(values, count, sizeof *values, compare_doubles);
    return (struct bootstrap_interval){
        .low = values[count * 25 / 1000],
        .high = values[(count * 975 + 999) / 1000 - 1],
    };
}

static void draw(bootstrap_fn *measure, void *user, size_t *chosen, size_t count, size_t rounds,
                 struct rand *rand, double *values, size_t *counts)
{
    for (size_t round = 0; round < rounds; round++) {
        double measured[BOOTSTRAP_MEASURES_MAX];
        for (size_t i = 0; i < BOOTSTRAP_MEASURES_MAX; i++) {
            measured[i] = NAN;
        }
        for (size_t i = 0; i < count; i++) {
            chosen[i] = (size_t)rand_below(rand, count);
        }
        measure(user, chosen, count, measured);
        for (size_t i = 0; i < BOOTSTRAP_MEASURES_MAX; i++) {
            if (!isnan(measured[i])) {
                values[i * rounds + counts[i]++] = measured[i];
            }
        }
    }
}

bool bootstrap_intervals(bootstrap_fn *measure, void *user, size_t count, size_t rounds,
                         uint64_t seed, struct bootstrap_interval out[BOOTSTRAP_MEASURES_MAX])
{
    size_t counts[BOOTSTRAP_MEASURES_MAX] = {0};
    struct rand rand;
    size_t *chosen = calloc(count ? count : 1, sizeof *chosen);
    double *values = calloc(BOOTSTRAP_MEASURES_MAX * (rounds ? rounds : 1), sizeof *values);
    bool ok = chosen && values;
    if (ok) {
        rand_seed(&rand, seed);
        draw(measure, user, chosen, count, count ? rounds : 0, &rand, values, counts);
        for (size_t i = 0; i < BOOTSTRAP_MEASURES_MAX; i++) {
            out[i] = bounds(values + i * rounds, counts[i]);
        }
    }
    free(chosen);
    free(values);
    return ok;
}
