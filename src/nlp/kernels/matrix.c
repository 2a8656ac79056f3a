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

void kernels_matrix_place(struct kernels_matrix *matrix, enum kernels_storage storage,
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
}

void kernels_matrix_init(struct kernels_matrix *matrix, enum kernels_storage storage,
                         size_t outputs, size_t inputs, const struct kernels_outliers *outliers,
                         float *memory)
{
    kernels_matrix_place(matrix, storage, outputs, inputs, outliers, memory);
    memset(memory, 0, kernels_matrix_floats(storage, outputs, inputs, outliers) * sizeof *memory);
}

struct kernels_matrix kernels_matrix_part(const struct kernels_matrix *matrix, size_t first_panel,
                                          size_t panels)
{
    size_t first = first_panel * KERNELS_PANEL;
    size_t left = matrix->outputs - first;
    struct kernels_matrix part = *matrix;
    assert(first < matrix->outputs);
    part.outputs = panels * KERNELS_PANEL < left ? panels * KERNELS_PANEL : left;
    part.panels =
        (char *)matrix->panels + first_panel * panel_bytes(matrix->storage, matrix->steps);
    part.bias += first;
    if (matrix->storage == KERNELS_STORAGE_S8) {
        part.scales += first;
        part.sums += first;
    }
    return part;
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

/* The square of what rounding, and bounding the pair, does to two neighbours. Of opposite signs
 * they never add up to more than may be. */
static inline float pair_error(const float *pair, float inverse)
{
    float one = pair[0] * inverse;
    float two = pair[1] * inverse;
    float near_one = rounding_nearest(one);
    float near_two = rounding_nearest(two);
    float excess = fabsf(near_one + near_two) - (float)KERNELS_PAIR_MAX;
    float half = excess > 0 ? 0.5f * excess : 0;
    float off_one = fabsf(near_one - one) + half;
    float off_two = fabsf(near_two - two) + half;
    return off_one * off_one + off_two * off_two;
}

/* The same for a row, in partial sums that vectorise. */
static float rounding_error(const float *weights, size_t inputs, float step)
{
    enum { PARTS = 8 };
    float inverse = 1.0f / step;
    float parts[PARTS] = {0};
    size_t i = 0;
    for (; i + 2 * PARTS <= inputs; i += 2 * PARTS) {
        for (size_t part = 0; part < PARTS; part++) {
            parts[part] += pair_error(weights + i + 2 * part, inverse);
        }
    }
    for (; i + 2 <= inputs; i += 2) {
        parts[0] += pair_error(weights + i, inverse);
    }
    float error = 0;
    for (size_t part = 0; part < PARTS; part++) {
        error += parts[part];
    }
    return error * step * step;
}

/* A step that uses all 127 values rounds finest but bounds the most pairs; the best of a few. */
static float best_step(const struct kernels_matrix *matrix, const float *weights)
{
    static const float most_used[] = {127, 115, 104, 94, 85, 76, 68};
    const struct kernels_outliers *outliers = matrix->outliers;
    float largest = 0;
    for (size_t i = 0; i < matrix->inputs; i++) {
        largest = fabsf(weights[i]) > largest ? fabsf(weights[i]) : largest;
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

static bool is_outlier(const struct kernels_matrix *matrix, size_t input)
{
    return matrix->outliers && (input >= matrix->inputs || matrix->outliers->shrink[input] < 1);
}

/* Past the inputs come the outliers' copies, and zeros up to the last step's end. */
static float copied_weight(const struct kernels_matrix *matrix, const float *weights, size_t input)
{
    size_t end = matrix->inputs;
    for (size_t i = 0; matrix->outliers && i < matrix->outliers->count; i++) {
        end += matrix->outliers->copies[i] - 1;
        if (input < end) {
            return weights[matrix->outliers->columns[i]];
        }
    }
    return 0;
}

static void set_bytes(struct kernels_matrix *matrix, size_t output, const float *weights)
{
    float scale = best_step(matrix, weights);
    float inverse = 1.0f / scale;
    int8_t *panels = matrix->panels;
    int8_t *at = panels + output / KERNELS_PANEL * matrix->steps * 4 * KERNELS_PANEL +
                 output % KERNELS_PANEL * 4;
    int32_t sum = 0;
    for (size_t i = 0; i < matrix->steps * 4; i += 4, at += 4 * KERNELS_PANEL) {
        for (size_t j = 0; j < 4; j++) {
            float weight =
                i + j < matrix->inputs ? weights[i + j] : copied_weight(matrix, weights, i + j);
            at[j] = (int8_t)rounding_nearest(weight * inverse);
        }
        bound_pair(at, is_outlier(matrix, i), is_outlier(matrix, i + 1));
        bound_pair(at + 2, is_outlier(matrix, i + 2), is_outlier(matrix, i + 3));
        sum += at[0] + at[1] + at[2] + at[3];
    }
    matrix->scales[output] = scale;
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
