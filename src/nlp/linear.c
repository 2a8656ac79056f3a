/* linear.c - see linear.h. Other threads help by rows when narrowing, by outputs in products: so a
 * weight is still read by one thread only, and each value computed as it would be alone. */
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

/* ---- narrowing ---- */

struct narrowing {
    const struct linear_rows *rows;
    const struct kernels_matrix *matrix;
};

static size_t part_at(size_t count, size_t part, size_t parts)
{
    return count * part / parts;
}

static void narrow_part(void *user, size_t part, size_t parts, void *own)
{
    const struct narrowing *job = user;
    const struct linear_rows *rows = job->rows;
    const struct linear_scratch *s = rows->scratch;
    const struct kernels_matrix *matrix = job->matrix;
    size_t first = part_at(rows->count, part, parts);
    size_t count = part_at(rows->count, part + 1, parts) - first;
    const float *x = rows->x + first * rows->x_stride;
    char *values = (char *)s->values + first * s->row_bytes;
    (void)own;
    if (matrix->storage == KERNELS_STORAGE_S8) {
        const struct kernels_bytes bytes = {(uint8_t *)values, s->row_bytes, s->steps + first,
                                            s->zeros + first};
        rows->kernels->quantise(matrix->outliers, x, rows->x_stride, count, matrix->inputs, &bytes);
    } else {
        rows->kernels->round_bf16(x, rows->x_stride, count, matrix->inputs,
                                  (uint16_t *)(void *)values, s->row_bytes / sizeof(uint16_t));
    }
}

void linear_narrow(const struct linear_rows *rows, const struct kernels_matrix *matrix,
                   struct crew *crew)
{
    enum { PART_ROWS = 4 };
    assert(rows->count <= rows->scratch->rows_max);
    if (matrix->storage == KERNELS_STORAGE_S8 || matrix->storage == KERNELS_STORAGE_BF16) {
        struct narrowing job = {rows, matrix};
        size_t parts = crew_is_open(crew) ? (rows->count + PART_ROWS - 1) / PART_ROWS : 1;
        crew_run(crew, narrow_part, &job, parts, NULL);
    }
}

/* ---- products ---- */

struct product {
    const struct linear_rows *rows;
    const struct kernels_matrix *matrix;
    enum kernels_epilogue epilogue;
    float *y;
    size_t y_stride;
    size_t part_panels;
};

static size_t panel_count(const struct kernels_matrix *matrix)
{
    return (matrix->outputs + KERNELS_PANEL - 1) / KERNELS_PANEL;
}

static void run_product(const struct linear_rows *rows, const struct kernels_matrix *matrix,
                        enum kernels_epilogue epilogue, float *y, size_t y_stride)
{
    const struct kernels *k = rows->kernels;
    const struct linear_scratch *s = rows->scratch;
    if (matrix->storage == KERNELS_STORAGE_S8) {
        const struct kernels_bytes bytes = {s->values, s->row_bytes, s->steps, s->zeros};
        k->linear_s8(matrix, epilogue, &bytes, rows->count, y, y_stride);
    } else if (matrix->storage == KERNELS_STORAGE_BF16) {
        k->linear_bf16(matrix, epilogue, s->values, s->row_bytes / sizeof(uint16_t), rows->count, y,
                       y_stride);
    } else {
        k->linear(matrix, epilogue, rows->x, rows->x_stride, rows->count, y, y_stride);
    }
}

static void product_part(void *user, size_t part, size_t parts, void *own)
{
    const struct product *job = user;
    size_t first = part * job->part_panels;
    struct kernels_matrix columns = kernels_matrix_part(job->matrix, first, job->part_panels);
    (void)parts;
    (void)own;
    run_product(job->rows, &columns, job->epilogue, job->y + first * KERNELS_PANEL, job->y_stride);
}

/* A part is as many panels as kernels take at once, or some such, and about a twelfth: two, three
 * or four threads then get equally many. */
static size_t panels_of_part(size_t panels, size_t rows)
{
    enum { PARTS = 12 };
    size_t unit = rows == 1 ? 8 : rows <= 3 ? 4 : 2;
    return (panels + PARTS * unit - 1) / (PARTS * unit) * unit;
}

void linear_product(const struct linear_rows *rows, const struct kernels_matrix *matrix,
                    enum kernels_epilogue epilogue, float *y, size_t y_stride, struct crew *crew)
{
    assert(rows->count <= rows->scratch->rows_max);
    if (!crew_is_open(crew)) {
        run_product(rows, matrix, epilogue, y, y_stride);
        return;
    }
    size_t panels = panel_count(matrix);
    struct product job = {rows, matrix, epilogue, y, y_stride, panels_of_part(panels, rows->count)};
    crew_run(crew, product_part, &job, (panels + job.part_panels - 1) / job.part_panels, NULL);
}
