/* matrix.c - see matrix.h. Everything here is plain C without fused multiply-adds, so that the same
 * checkpoint packs to the same bytes on every machine: integer products then agree bit for bit
 * wherever they run. Runs once per load; only the choice of an int8 scale is worth any care. */
#include "nlp/kernels/matrix.h"

#include "nlp/kernels/rounding.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { INPUTS_MAX_S8 = 1 << 16 }; /* 255 * 127 * 65536 still fits 32 bits */

static size_t panel_count(size_t outputs)
{
    return (outputs + KERNELS_PANEL - 1) / KERNELS_PANEL;
}

/* Inputs of one step. */
static size_t step_inputs(enum kernels_storage storage)
{
    switch (storage) {
    case KERNELS_STORAGE_BF16:
        return 2;
    case KERNELS_STORAGE_S8:
        return 4;
    case KERNELS_STORAGE_F32:
    case KERNELS_STORAGE_F16:
        break;
    }
    return 1;
}

static size_t element_bytes(enum kernels_storage storage)
{
    switch (storage) {
    case KERNELS_STORAGE_F32:
        return 4;
    case KERNELS_STORAGE_F16:
    case KERNELS_STORAGE_BF16:
        return 2;
    case KERNELS_STORAGE_S8:
        break;
    }
    return 1;
}

/* Inputs with all copies of outliers. */
static size_t all_inputs(size_t inputs, const struct kernels_outliers *outliers)
{
    for (size_t i = 0; outliers && i < outliers->count; i++) {
        inputs += outliers->copies[i] - 1;
    }
    return inputs;
}

static size_t step_count(enum kernels_storage storage, size_t inputs,
                         const struct kernels_outliers *outliers)
{
    size_t all = storage == KERNELS_STORAGE_S8 ? all_inputs(inputs, outliers) : inputs;
    return (all + step_inputs(storage) - 1) / step_inputs(storage);
}

static size_t panel_bytes(enum kernels_storage storage, size_t steps)
{
    return steps * step_inputs(storage) * KERNELS_PANEL * element_bytes(storage);
}

size_t kernels_row_bytes(enum kernels_storage storage, size_t inputs,
                         const struct kernels_outliers *outliers)
{
    return step_count(storage, inputs, outliers) * KERNELS_STEP_BYTES;
}

/* Floats of all panels, to a whole cache line. */
static size_t panels_floats(enum kernels_storage storage, size_t outputs, size_t steps)
{
    size_t bytes = panel_count(outputs) * panel_bytes(storage, steps);
    return (bytes / sizeof(float) + 15) / 16 * 16;
}

size_t kernels_matrix_floats(enum kernels_storage storage, size_t outputs, size_t inputs,
                             const struct kernels_outliers *outliers)
{
    size_t vectors = storage == KERNELS_STORAGE_S8 ? 3 : 1; /* bias; scales and sums */
    return panels_floats(storage, outputs, step_count(storage, inputs, outliers)) +
           vectors * panel_count(outputs) * KERNELS_PANEL;
}

void kernels_matrix_init(struct kernels_matrix *matrix, enum kernels_storage storage,
                         size_t outputs, size_t inputs, const struct kernels_outliers *outliers,
                         float *memory)
{
    assert(storage != KERNELS_STORAGE_S8 || all_inputs(inputs, outliers) <= INPUTS_MAX_S8);
    size_t steps = step_count(storage, inputs, outliers);
    size_t padded = panel_count(outputs) * KERNELS_PANEL;
    *matrix = (struct kernels_matrix){.storage = storage,
                                      .outputs = outputs,
                                      .inputs = inputs,
                                      .steps = steps,
                                      .panels = memory,
                                      .bias = memory + panels_floats(storage, outputs, steps)};
    if (storage == KERNELS_STORAGE_S8) {
        matrix->outliers = outliers && outliers->count > 0 ? outliers : NULL;
        matrix->scales = matrix->bias + padded;
        matrix->sums = (int32_t *)(void *)(matrix->scales + padded);
    }
    memset(memory, 0, kernels_matrix_floats(storage, outputs, inputs, outliers) * sizeof *memory);
}

/* ---- one row of bytes ---- */

/* Makes two neighbours fit KERNELS_PAIR_MAX. Each gives up half of the excess, or one all of it
 * when the other is an outlier's: those are at most half of KERNELS_PAIR_MAX from the start. */
static void bound_pair(int8_t pair[2], bool keep_first, bool keep_second)
{
    int sign = pair[0] < 0 ? -1 : 1;
    int first = sign * pair[0];
    int second = sign * pair[1];
    int excess = first + second - KERNELS_PAIR_MAX;
    if (second > 0 && excess > 0) {
        int part = keep_first ? 0 : keep_second ? excess : excess / 2;
        pair[0] = (int8_t)(sign * (first - part));
        pair[1] = (int8_t)(sign * (second - (excess - part)));
    }
}

/* The square of what rounding to this step, and bounding pairs, does to a row. */
static float rounding_error(const float *weights, size_t inputs, float step)
{
    float inverse = 1.0f / step;
    float error = 0;
    for (size_t i = 0; i + 1 < inputs; i += 2) {
        float a = weights[i] * inverse;
        float b = weights[i + 1] * inverse;
        float near_a = rounding_nearest(a);
        float near_b = rounding_nearest(b);
        float sum = fabsf(near_a + near_b) - (float)KERNELS_PAIR_MAX;
        float half = near_a * near_b > 0 && sum > 0 ? 0.5f * sum : 0;
        float off_a = fabsf(near_a - a) + half;
        float off_b = fabsf(near_b - b) + half;
        error += off_a * off_a + off_b * off_b;
    }
    return error * step * step;
}

/* A step that uses all 127 values rounds finest but bounds the most pairs; the best of a few. */
static float best_step(const struct kernels_matrix *matrix, const float *weights)
{
    static const float most_used[] = {127, 112, 98, 86, 75, 64};
    const struct kernels_outliers *outliers = matrix->outliers;
    float largest = 0;
    for (size_t i = 0; i < matrix->inputs; i++) {
        largest = fmaxf(largest, fabsf(weights[i]));
    }
    float least_step = 0;
    for (size_t i = 0; outliers && i < outliers->count; i++) {
        float weight = fabsf(weights[outliers->columns[i]]);
        least_step = fmaxf(least_step, weight / (float)(KERNELS_PAIR_MAX / 2));
    }
    if (largest < 0x1p-100f) {
        return 1; /* all weights round to zero */
    }
    float best = 0;
    float least = INFINITY;
    for (size_t i = 0; i < sizeof most_used / sizeof most_used[0]; i++) {
        float step = fmaxf(largest / most_used[i], least_step);
        float error = rounding_error(weights, matrix->inputs, step);
        if (error < least) {
            least = error;
            best = step;
        }
    }
    return best;
}

static int8_t *byte_at(const struct kernels_matrix *matrix, size_t output, size_t input)
{
    int8_t *panel =
        (int8_t *)matrix->panels + output / KERNELS_PANEL * matrix->steps * 4 * KERNELS_PANEL;
    return panel + input / 4 * 4 * KERNELS_PANEL + output % KERNELS_PANEL * 4 + input % 4;
}

static int byte_of(float weight, float inverse)
{
    return (int)rounding_nearest(weight * inverse);
}

static bool is_outlier(const struct kernels_matrix *matrix, size_t input)
{
    return matrix->outliers && (input >= matrix->inputs || matrix->outliers->shrink[input] < 1);
}

static void bound_pairs(struct kernels_matrix *matrix, size_t output)
{
    for (size_t i = 0; i < matrix->steps * 4; i += 2) {
        bound_pair(byte_at(matrix, output, i), is_outlier(matrix, i), is_outlier(matrix, i + 1));
    }
}

static void set_bytes(struct kernels_matrix *matrix, size_t output, const float *weights)
{
    float step = best_step(matrix, weights);
    float inverse = 1.0f / step;
    for (size_t i = 0; i < matrix->inputs; i++) {
        *byte_at(matrix, output, i) = (int8_t)byte_of(weights[i], inverse);
    }
    size_t at = matrix->inputs;
    for (size_t i = 0; matrix->outliers && i < matrix->outliers->count; i++) {
        int value = byte_of(weights[matrix->outliers->columns[i]], inverse);
        for (uint32_t copy = 1; copy < matrix->outliers->copies[i]; copy++, at++) {
            *byte_at(matrix, output, at) = (int8_t)value;
        }
    }
    bound_pairs(matrix, output);
    int32_t sum = 0;
    for (size_t i = 0; i < matrix->steps * 4; i++) {
        sum += *byte_at(matrix, output, i);
    }
    matrix->scales[output] = step;
    matrix->sums[output] = sum;
}

/* ---- all storages ---- */

static void set_row(struct kernels_matrix *matrix, size_t output, const float *weights)
{
    size_t per_step = step_inputs(matrix->storage);
    size_t at = output / KERNELS_PANEL * matrix->steps * per_step * KERNELS_PANEL +
                output % KERNELS_PANEL * per_step;
    for (size_t i = 0; i < matrix->inputs; i++) {
        size_t element = at + i / per_step * per_step * KERNELS_PANEL + i % per_step;
        if (matrix->storage == KERNELS_STORAGE_F32) {
            ((float *)matrix->panels)[element] = weights[i];
        } else if (matrix->storage == KERNELS_STORAGE_F16) {
            ((uint16_t *)matrix->panels)[element] = rounding_half(weights[i]);
        } else {
            ((uint16_t *)matrix->panels)[element] = rounding_brain(weights[i]);
        }
    }
}

void kernels_matrix_set_rows(struct kernels_matrix *matrix, size_t first, size_t rows,
                             const float *weights, const float *bias)
{
    assert(first + rows <= matrix->outputs);
    for (size_t row = 0; row < rows; row++) {
        if (matrix->storage == KERNELS_STORAGE_S8) {
            set_bytes(matrix, first + row, weights + row * matrix->inputs);
        } else {
            set_row(matrix, first + row, weights + row * matrix->inputs);
        }
        matrix->bias[first + row] = bias[row];
    }
}
