/* nlp/outliers.h - which columns of a hidden state are much larger than the rest, told from the
 * LayerNorm that makes them.
 *
 * A few dimensions of BERT-like models carry values many times the others', token after token, and
 * would coarsen the scale of everything quantised beside them. They show in the LayerNorm's own
 * gain and bias (Kovaleva et al. 2021, "BERT Busters"), so no example texts are needed.
 */
#ifndef NLP_OUTLIERS_H
#define NLP_OUTLIERS_H

#include "nlp/kernels/matrix.h"

#include <stddef.h>
#include <stdint.h>

enum { OUTLIERS_MAX = 64 }; /* columns */

struct outliers {
    struct kernels_outliers view; /* what kernels read; points into here and at shrink */
    uint32_t columns[OUTLIERS_MAX];
    uint32_t copies[OUTLIERS_MAX];
};

/* The most that all copies add to rows of that many columns. */
size_t outliers_extra_max(size_t width);

/* Finds the outliers among columns with that gain and bias. shrink [width] is filled in and stays
 * borrowed; scratch [width] is overwritten. outliers must not move afterwards. */
void outliers_find(struct outliers *outliers, const float *gain, const float *bias, size_t width,
                   float *shrink, float *scratch);

#endif
