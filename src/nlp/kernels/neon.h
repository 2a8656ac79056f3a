/* nlp/kernels/neon.h - what the NEON files share; see kernels.h for each. */
#ifndef NLP_KERNELS_NEON_H
#define NLP_KERNELS_NEON_H

#include "nlp/kernels/kernels.h"

void neon_quantise(const struct kernels_outliers *outliers, const float *x, size_t x_stride,
                   size_t rows, size_t inputs, const struct kernels_bytes *out);
void neon_linear_s8(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                    const struct kernels_bytes *x, size_t rows, float *y, size_t y_stride);

/* The part of an epilogue that is done after a tile is stored, on rows of columns outputs. */
void neon_finish(enum kernels_epilogue epilogue, float *y, size_t y_stride, size_t rows,
                 size_t columns);

#endif
