/* eval/calibration.h - whether what was said to be sure with probability p is right that often.
 *
 * Expected calibration error over ten bins of equal width (Naeini et al., AAAI 2015): the mean
 * distance, weighted by count, of a bin's mean probability from its share of right answers. Pure.
 */
#ifndef EVAL_CALIBRATION_H
#define EVAL_CALIBRATION_H

#include <stdbool.h>
#include <stdint.h>

enum { CALIBRATION_BINS = 10 };

/* Zeroed: nothing yet. */
struct calibration {
    uint64_t counts[CALIBRATION_BINS];
    uint64_t right[CALIBRATION_BINS];
    double sums[CALIBRATION_BINS]; /* of probabilities */
};

/* Probability in [0, 1]; the last bin holds 1. */
void calibration_add(struct calibration *calibration, double probability, bool right);

double calibration_error(const struct calibration *calibration); /* NaN for nothing */
uint64_t calibration_count(const struct calibration *calibration);

#endif
