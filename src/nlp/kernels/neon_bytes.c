/* neon_bytes.c - int8 products for any 64-bit ARM, without the dot product extension: signed bytes
 * multiplied to 16 bits, neighbours added there (two products of at most 128 * 127 fit), and added
 * in pairs to 32. Activations become signed by taking 128 off, which the sums of the weights
 * make up for; the 32-bit sums are the exact ones. Tiles are of up to four rows by one panel. */
#include "nlp/kernels/kernels.h"

#if defined(__aarch64__)

#include "nlp/kernels/neon.h"
#include "nlp/kernels/rounding.h"

#include <arm_neon.h>
#include <assert.h>
#include <string.h>

enum { LANES = 4, VECTORS = 4, TILE_ROWS = 4, STEP_BYTES = 64, SIGN_OFFSET = 128 };

struct product {
    const struct kernels_matrix *matrix;
    const struct kernels_bytes *x;
    enum kernels_epilogue epilogue;
    float *y;
    size_t y_stride;
};

/* One step of four outputs' sums. */
static inline int32x4_t dot(int32x4_t sums, int8x16_t x, int8x16_t weights)
{
    int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(weights));
    int16x8_t high = vmull_high_s8(x, weights);
    return vpadalq_s16(sums, vpaddq_s16(low, high));
}

/* sums of one row with the panel that starts at output first, scaled, with the bias */
static void store_row(const struct product *p, size_t row, size_t first, const int32x4_t *sums)
{
    const struct kernels_matrix *m = p->matrix;
    float whole[KERNELS_PANEL];
    int32_t zero = p->x->zeros[row] - SIGN_OFFSET;
    for (size_t v = 0; v < VECTORS; v++) {
        size_t at = first + v * LANES;
        int32x4_t exact = vmlsq_n_s32(sums[v], vld1q_s32(m->sums + at), zero);
        float32x4_t scale = vmulq_n_f32(vld1q_f32(m->scales + at), p->x->steps[row]);
        float32x4_t value = vmulq_f32(vcvtq_f32_s32(exact), scale);
        vst1q_f32(whole + v * LANES, vaddq_f32(value, vld1q_f32(m->bias + at)));
    }
    size_t left = m->outputs - first;
    size_t columns = left < KERNELS_PANEL ? left : KERNELS_PANEL;
    float *y = p->y + row * p->y_stride + first;
    for (size_t c = 0; c < columns; c++) {
        y[c] = p->epilogue == KERNELS_EPILOGUE_ADD ? y[c] + whole[c] : whole[c];
    }
}

/* rows is a constant at every call. */
static inline __attribute__((always_inline)) void tile(const struct product *p, size_t row,
                                                       const size_t rows, size_t first)
{
    const int8_t *w = (const int8_t *)p->matrix->panels + first * p->matrix->steps * 4;
    const uint8_t *x = p->x->values + row * p->x->stride;
    const int8x16_t sign = vdupq_n_s8((int8_t)-SIGN_OFFSET);
    int32x4_t sums[TILE_ROWS * VECTORS];
#pragma GCC unroll 16
    for (size_t i = 0; i < rows * VECTORS; i++) {
        sums[i] = vdupq_n_s32(0);
    }
    for (size_t s = 0; s < p->matrix->steps; s++, w += STEP_BYTES, x += KERNELS_STEP_BYTES) {
        int8x16_t weights[VECTORS];
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) {
            weights[v] = vld1q_s8(w + v * 16);
        }
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            uint32_t four;
            memcpy(&four, x + r * p->x->stride, sizeof four);
            int8x16_t value = veorq_s8(vreinterpretq_s8_u32(vdupq_n_u32(four)), sign);
#pragma GCC unroll 4
            for (size_t v = 0; v < VECTORS; v++) {
                sums[r * VECTORS + v] = dot(sums[r * VECTORS + v], value, weights[v]);
            }
        }
    }
    for (size_t r = 0; r < rows; r++) {
        store_row(p, row + r, first, sums + r * VECTORS);
    }
}

static void tile_rows(const struct product *p, size_t row, size_t rows, size_t first)
{
    switch (rows) {
    case 1:
        tile(p, row, 1, first);
        break;
    case 2:
        tile(p, row, 2, first);
        break;
    case 3:
        tile(p, row, 3, first);
        break;
    default:
        assert(rows == TILE_ROWS);
        tile(p, row, TILE_ROWS, first);
        break;
    }
}

void neon_linear_s8(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                    const struct kernels_bytes *x, size_t rows, float *y, size_t y_stride)
{
    assert(matrix->storage == KERNELS_STORAGE_S8);
    const struct product p = {matrix, x, epilogue, y, y_stride};
    for (size_t first = 0; first < matrix->outputs; first += KERNELS_PANEL) {
        for (size_t row = 0, count; row < rows; row += count) {
            count = rows - row < TILE_ROWS ? rows - row : TILE_ROWS;
            tile_rows(&p, row, count, first);
        }
    }
    neon_finish(epilogue, y, y_stride, rows, matrix->outputs);
}

/* ---- rows to bytes ---- */

static struct rounding_scale scale_of_row(const struct kernels_outliers *outliers, const float *x,
                                          size_t inputs)
{
    float32x4_t least = vdupq_n_f32(0);
    float32x4_t most = vdupq_n_f32(0);
    size_t i = 0;
    for (; i + LANES <= inputs; i += LANES) {
        float32x4_t value = vld1q_f32(x + i);
        if (outliers) {
            value = vmulq_f32(value, vld1q_f32(outliers->shrink + i));
        }
        least = vminq_f32(least, value);
        most = vmaxq_f32(most, value);
    }
    float lowest = vminvq_f32(least);
    float highest = vmaxvq_f32(most);
    for (; i < inputs; i++) {
        float value = outliers ? x[i] * outliers->shrink[i] : x[i];
        lowest = value < lowest ? value : lowest;
        highest = value > highest ? value : highest;
    }
    return rounding_scale_of(lowest, highest);
}

void neon_quantise(const struct kernels_outliers *outliers, const float *x, size_t x_stride,
                   size_t rows, size_t inputs, const struct kernels_bytes *out)
{
    for (size_t row = 0; row < rows; row++, x += x_stride) {
        uint8_t *bytes = out->values + row * out->stride;
        struct rounding_scale scale = scale_of_row(outliers, x, inputs);
        int32x4_t zero = vdupq_n_s32(scale.zero);
        size_t i = 0;
        for (; i + LANES <= inputs; i += LANES) {
            float32x4_t value = vmulq_n_f32(vld1q_f32(x + i), scale.inverse);
            int32x4_t byte = vaddq_s32(vcvtnq_s32_f32(value), zero);
            uint16x4_t words = vqmovun_s32(byte);
            uint8x8_t eight = vqmovn_u16(vcombine_u16(words, words));
            uint32_t four = vget_lane_u32(vreinterpret_u32_u8(eight), 0);
            memcpy(bytes + i, &four, sizeof four);
        }
        for (; i < inputs; i++) {
            int32_t value = (int32_t)rounding_nearest(x[i] * scale.inverse);
            bytes[i] = rounding_byte(value + scale.zero);
        }
        rounding_outliers(outliers, x, inputs, &scale, bytes);
        out->steps[row] = scale.step;
        out->zeros[row] = scale.zero;
    }
}

#endif
