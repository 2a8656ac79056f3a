/* nlp/linear.h - one linear layer on float rows, whatever its weights are stored as.
 *
 * Where weights are bytes or bfloat16, the rows are brought to that form right before the product,
 * while they are still in the nearest cache from whoever made them.
 */
#ifndef NLP_LINEAR_H
#define NLP_LINEAR_H

#include "nlp/block.h"
#include "nlp/crew.h"
#include "nlp/kernels/kernels.h"

#include <stddef.h>

/* Room for the narrow form of some rows; nothing is needed for floats. */
struct linear_scratch {
    size_t rows_max;
    size_t row_bytes;
    void *values;
    float *steps;
    int32_t *zeros;
};

/* Takes room for products of up to rows_max rows of up to inputs_max inputs in this storage;
 * outliers_max is the most further bytes that outliers' copies add to a row. */
void linear_scratch_place(struct linear_scratch *scratch, struct block *block,
                          enum kernels_storage storage, size_t rows_max, size_t inputs_max,
                          size_t outliers_max);

/* Some rows on their way through linear layers. */
struct linear_rows {
    const struct kernels *kernels;
    const struct linear_scratch *scratch; /* holds their narrow form */
    const float *x;
    size_t x_stride;
    size_t count; /* at most scratch->rows_max */
};

/* Narrows rows for products with this matrix, or any other of the same inputs. */
void linear_narrow(const struct linear_rows *rows, const struct kernels_matrix *matrix,
                   struct crew *crew);

/* Narrowed rows through the matrix into y, by the epilogue. */
void linear_product(const struct linear_rows *rows, const struct kernels_matrix *matrix,
                    enum kernels_epilogue epilogue, float *y, size_t y_stride, struct crew *crew);

#endif
