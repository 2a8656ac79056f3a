/* eval/bootstrap.h - how far a measure would wander if other calls had been labelled.
 *
 * Percentile intervals (Efron, Annals of Statistics 7, 1979) from a seeded generator: the same
 * calls give the same interval on every run. Pure.
 */
#ifndef EVAL_BOOTSTRAP_H
#define EVAL_BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BOOTSTRAP_MEASURES_MAX = 8 };

struct bootstrap_interval {
    double low; /* 95 %; NaN where no draw gave a number */
    double high;
};

/* Measures count calls, chosen by index with repeats, into values. */
typedef void bootstrap_fn(void *user, const size_t *chosen, size_t count,
                          double values[BOOTSTRAP_MEASURES_MAX]);

/* Draws `rounds` times `count` out of `count`; values that are NaN are left out. Bounds are the
 * order statistics floor(0.025 n) and ceil(0.975 n) - 1 of n. False without memory. */
bool bootstrap_intervals(bootstrap_fn *measure, void *user, size_t count, size_t rounds,
                         uint64_t seed, struct bootstrap_interval out[BOOTSTRAP_MEASURES_MAX]);

#endif
