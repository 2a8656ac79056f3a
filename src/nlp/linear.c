/* linear.c - see linear.h. */
#include "nlp/linear.h"

#include <assert.h>

enum { LINE_BYTES = 64 };

void linear_scratch_place(struct linear_scratch *scratch, struct block *block,
                          enum kernels_storage storage, size_t rows_max, size_t inputs_max,
                          size_t outliers_max)
{
    *scratch = (struct linear_scratch){.rows_max = rows_max};
    if (storage == KERNELS_STORAGE_F32 || storage == KERNELS_STORAGE_F16) {
        return;
    }
    size_t bytes = kernels_row_bytes(storage, inputs_max + outliers_max, NULL);
    scratch->row_bytes = (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    scratch->values = block_take(block, rows_max * scratch->row_bytes / sizeof(float));
    scratch->steps = block_take(block, rows_max);
    scratch->zeros = (int32_t *)(void *)block_take(block, rows_max);
}

void linear_run(const struct kernels *kernels, const struct kernels_matrix *matrix,
                enum kernels_epilogue epilogue, const float *x, size_t x_stride, size_t rows,
                const struct linear_scratch *scratch, float *y, size_t y_stride)
{
    assert(rows <= scratch->rows_max);
    if (matrix->storage == KERNELS_STORAGE_S8) {
        const struct kernels_bytes bytes = {scratch->values, scratch->row_bytes, scratch->steps,
                                            scratch->zeros};
        kernels->quantise(matrix->outliers, x, x_stride, rows, matrix->inputs, &bytes);
        kernels->linear_s8(matrix, epilogue, &bytes, rows, y, y_stride);
    } else if (matrix->storage == KERNELS_STORAGE_BF16) {
        size_t stride = scratch->row_bytes / sizeof(uint16_t);
        kernels->round_bf16(x, x_stride, rows, matrix->inputs, scratch->values, stride);
        kernels->linear_bf16(matrix, epilogue, scratch->values, stride, rows, y, y_stride);
    } else {
        kernels->linear(matrix, epilogue, x, x_stride, rows, y, y_stride);
    }
}
