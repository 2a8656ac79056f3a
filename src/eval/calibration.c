/* calibration.c - see calibration.h. */
#include "eval/calibration.h"

#include <math.h>

void calibration_add(struct calibration *calibration, double probability, bool right)
{
    int bin = (int)(probability * CALIBRATION_BINS);
    bin = bin < 0 ? 0 : bin < CALIBRATION_BINS ? bin : CALIBRATION_BINS - 1;
    calibration->counts[bin]++;
    calibration->right[bin] += right;
    calibration->sums[bin] += probability;
}

uint64_t calibration_count(const struct calibration *calibration)
{
    uint64_t count = 0;
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        count += calibration->counts[i];
    }
    return count;
}

double calibration_error(const struct calibration *calibration)
{
    double gaps = 0;
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        gaps += fabs(calibration->sums[i] - (double)calibration->right[i]);
    }
    uint64_t count = calibration_count(calibration);
    return count ? gaps / (double)count : NAN;
}
