/* x86_avx512.c - the kernels for AVX-512 F, BW, DQ and VL: products on the tiles of
 * x86_avx512_tile.h, and everything else on sixteen floats with masks for what is left over.
 * Vectors never run over a dimension that a product sums, so a row's bits do not depend on its
 * neighbours; LayerNorm and softmax sum along rows that stand alone. */
#include "nlp/kernels/kernels.h"

#if defined(__x86_64__)

#include "nlp/kernels/cpu.h"
#include "nlp/kernels/rounding.h"
#include "nlp/kernels/x86_avx512.h"
#include "nlp/kernels/x86_avx512_math.h"
#include "nlp/kernels/x86_avx512_tile.h"
#include "nlp/kernels/x86_avx512_transpose.h"

#include <math.h>

enum { LANES = 16 };

static inline __mmask16 mask_of(size_t count)
{
    return (__mmask16)(count < LANES ? (1u << count) - 1 : 0xFFFF);
}

/* ---- elementwise ---- */

static inline __attribute__((always_inline)) void apply_gelu(const struct avx512_tail *tail,
                                                             float *x, size_t count)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        _mm512_storeu_ps(x + i, avx512_gelu(tail, _mm512_loadu_ps(x + i)));
    }
    if (i < count) {
        __mmask16 mask = mask_of(count - i);
        __m512 value = avx512_gelu(tail, _mm512_maskz_loadu_ps(mask, x + i));
        _mm512_mask_storeu_ps(x + i, mask, value);
    }
}

static void gelu_rows(const struct gelu_tail *form, float *y, size_t y_stride, size_t rows,
                      size_t columns)
{
    const struct avx512_tail tail = avx512_load_tail(form);
    for (size_t r = 0; r < rows; r++) {
        apply_gelu(&tail, y + r * y_stride, columns);
    }
}

void x86_avx512_gelu(float *x, size_t count)
{
    gelu_rows(&gelu_tail_exact, x, count, 1, count);
}

void x86_avx512_gelu_tanh(float *x, size_t count)
{
    gelu_rows(&gelu_tail_tanh, x, count, 1, count);
}

void x86_avx512_finish(enum kernels_epilogue epilogue, float *y, size_t y_stride, size_t rows,
                       size_t columns)
{
    if (epilogue == KERNELS_EPILOGUE_GELU) {
        gelu_rows(&gelu_tail_exact, y, y_stride, rows, columns);
    } else if (epilogue == KERNELS_EPILOGUE_GELU_TANH) {
        gelu_rows(&gelu_tail_tanh, y, y_stride, rows, columns);
    }
}

/* ---- products ---- */

void x86_avx512_linear(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                       const float *x, size_t x_stride, size_t rows, float *y, size_t y_stride)
{
    const struct avx512_product p = {.x = (const unsigned char *)x,
                                     .x_stride = x_stride * sizeof *x,
                                     .y = y,
                                     .y_stride = y_stride};
    if (matrix->storage == KERNELS_STORAGE_F16) {
        avx512_linear(KERNELS_STORAGE_F16, matrix, epilogue, p, rows);
    } else {
        avx512_linear(KERNELS_STORAGE_F32, matrix, epilogue, p, rows);
    }
}

static void avx512_linear_s8(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                             const struct kernels_bytes *x, size_t rows, float *y, size_t y_stride)
{
    avx512_linear_bytes(matrix, epilogue, x, rows, y, y_stride);
}

/* ---- rows to bytes ---- */

/* Two accumulators, so that no minimum waits for the one before. */
static inline __attribute__((always_inline)) struct rounding_scale
scale_of(const bool shrinks, const float *shrink, const float *x, size_t inputs)
{
    __m512 least[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    __m512 most[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    size_t i = 0;
    for (; i + 2 * LANES <= inputs; i += 2 * LANES) {
#pragma GCC unroll 2
        for (size_t v = 0; v < 2; v++) {
            __m512 value = _mm512_loadu_ps(x + i + v * LANES);
            if (shrinks) {
                value = _mm512_mul_ps(value, _mm512_loadu_ps(shrink + i + v * LANES));
            }
            least[v] = _mm512_min_ps(least[v], value);
            most[v] = _mm512_max_ps(most[v], value);
        }
    }
    for (; i < inputs; i += LANES) {
        __mmask16 mask = mask_of(inputs - i);
        __m512 value = _mm512_maskz_loadu_ps(mask, x + i);
        if (shrinks) {
            value = _mm512_mul_ps(value, _mm512_maskz_loadu_ps(mask, shrink + i));
        }
        least[0] = _mm512_min_ps(least[0], value);
        most[0] = _mm512_max_ps(most[0], value);
    }
    return rounding_scale_of(_mm512_reduce_min_ps(_mm512_min_ps(least[0], least[1])),
                             _mm512_reduce_max_ps(_mm512_max_ps(most[0], most[1])));
}

static inline __m512i nearest(const float *x, __m512 inverse)
{
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x), inverse));
}

/* Sixty-four numbers at a time, then sixteen. Packing goes by quarters of a register, so the fours
 * that come out are put in order at last; it saturates, which is what a byte needs. */
static void round_row(const float *x, size_t inputs, const struct rounding_scale *scale,
                      uint8_t *bytes)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512 inverse = _mm512_set1_ps(scale->inverse);
    __m512i zeros = _mm512_set1_epi16((int16_t)scale->zero);
    size_t i = 0;
    for (; i + 4 * LANES <= inputs; i += 4 * LANES) {
        const float *at = x + i;
        __m512i low = _mm512_packs_epi32(nearest(at, inverse), nearest(at + LANES, inverse));
        __m512i high =
            _mm512_packs_epi32(nearest(at + 2 * LANES, inverse), nearest(at + 3 * LANES, inverse));
        __m512i fours =
            _mm512_packus_epi16(_mm512_adds_epi16(low, zeros), _mm512_adds_epi16(high, zeros));
        _mm512_storeu_si512(bytes + i, _mm512_permutexvar_epi32(order, fours));
    }
    __m512i zero = _mm512_set1_epi32(scale->zero);
    for (; i < inputs; i += LANES) {
        __mmask16 mask = mask_of(inputs - i);
        __m512 value = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), inverse);
        __m512i byte = _mm512_add_epi32(_mm512_cvtps_epi32(value), zero);
        byte = _mm512_max_epi32(byte, _mm512_setzero_si512());
        _mm512_mask_cvtusepi32_storeu_epi8(bytes + i, mask, byte);
    }
}

static struct rounding_scale scale_of_row(const struct kernels_outliers *outliers, const float *x,
                                          size_t inputs)
{
    return outliers ? scale_of(true, outliers->shrink, x, inputs)
                    : scale_of(false, NULL, x, inputs);
}

void x86_avx512_quantise(const struct kernels_outliers *outliers, const float *x, size_t x_stride,
                         size_t rows, size_t inputs, const struct kernels_bytes *out)
{
    for (size_t row = 0; row < rows; row++, x += x_stride) {
        uint8_t *bytes = out->values + row * out->stride;
        struct rounding_scale scale = scale_of_row(outliers, x, inputs);
        round_row(x, inputs, &scale, bytes);
        rounding_outliers(outliers, x, inputs, &scale, bytes);
        out->steps[row] = scale.step;
        out->zeros[row] = scale.zero;
    }
}

/* ---- rows that stand alone ---- */

/* The sum over a row is one chain of additions in each lane, so that all tables give the same bits;
 * a few rows at once keep the adders from waiting for it. In the functions below rows is a constant
 * at every call. */
enum { NORM_ROWS = 4 };

static inline __attribute__((always_inline)) void
mean_of_rows(const float *x, size_t stride, const size_t rows, size_t width, __m512 *means)
{
    __m512 sums[NORM_ROWS];
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++) {
        sums[r] = _mm512_setzero_ps();
    }
    for (size_t i = 0; i < width; i += LANES) {
        __mmask16 mask = mask_of(width - i);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            sums[r] = _mm512_add_ps(sums[r], _mm512_maskz_loadu_ps(mask, x + r * stride + i));
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++) {
        means[r] = _mm512_set1_ps(_mm512_reduce_add_ps(sums[r]) / (float)width);
    }
}

static inline __attribute__((always_inline)) void scale_of_rows(const float *x, size_t stride,
                                                                const size_t rows, size_t width,
                                                                float epsilon, const __m512 *means,
                                                                __m512 *scales)
{
    __m512 squares[NORM_ROWS];
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++) {
        squares[r] = _mm512_setzero_ps();
    }
    for (size_t i = 0; i < width; i += LANES) {
        __mmask16 mask = mask_of(width - i);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            __m512 value = _mm512_maskz_loadu_ps(mask, x + r * stride + i);
            __m512 off = _mm512_maskz_sub_ps(mask, value, means[r]);
            squares[r] = _mm512_fmadd_ps(off, off, squares[r]);
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++) {
        float variance = _mm512_reduce_add_ps(squares[r]) / (float)width;
        scales[r] = _mm512_set1_ps(1.0f / sqrtf(variance + epsilon));
    }
}

static inline __attribute__((always_inline)) void norm_rows(float *x, size_t stride,
                                                            const size_t rows, size_t width,
                                                            const float *gamma, const float *beta,
                                                            float epsilon)
{
    __m512 means[NORM_ROWS];
    __m512 scales[NORM_ROWS];
    mean_of_rows(x, stride, rows, width, means);
    scale_of_rows(x, stride, rows, width, epsilon, means, scales);
    for (size_t i = 0; i < width; i += LANES) {
        __mmask16 mask = mask_of(width - i);
        __m512 gain = _mm512_maskz_loadu_ps(mask, gamma + i);
        __m512 bias = _mm512_maskz_loadu_ps(mask, beta + i);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            float *at = x + r * stride + i;
            __m512 off = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, at), means[r]);
            __m512 value = _mm512_fmadd_ps(_mm512_mul_ps(off, scales[r]), gain, bias);
            _mm512_mask_storeu_ps(at, mask, value);
        }
    }
}

void x86_avx512_layer_norm(float *x, size_t stride, size_t rows, size_t width, const float *gamma,
                           const float *beta, float epsilon)
{
    size_t row = 0;
    for (; row + NORM_ROWS <= rows; row += NORM_ROWS) {
        norm_rows(x + row * stride, stride, NORM_ROWS, width, gamma, beta, epsilon);
    }
    for (; row < rows; row++) {
        norm_rows(x + row * stride, stride, 1, width, gamma, beta, epsilon);
    }
}

/* softmax(scale * x), for a positive scale */
static inline void soften(float *x, size_t count, float scale)
{
    __m512 lowest = _mm512_set1_ps(-INFINITY);
    __m512 most = lowest;
    for (size_t i = 0; i < count; i += LANES) {
        most = _mm512_max_ps(most, _mm512_mask_loadu_ps(lowest, mask_of(count - i), x + i));
    }
    __m512 max = _mm512_set1_ps(_mm512_reduce_max_ps(most));
    __m512 factor = _mm512_set1_ps(scale);
    __m512 sums = _mm512_setzero_ps();
    for (size_t i = 0; i < count; i += LANES) {
        __mmask16 mask = mask_of(count - i);
        __m512 off = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), max);
        __m512 e = _mm512_maskz_mov_ps(mask, avx512_exp(_mm512_mul_ps(off, factor)));
        sums = _mm512_add_ps(sums, e);
        _mm512_mask_storeu_ps(x + i, mask, e);
    }
    __m512 share = _mm512_set1_ps(1.0f / _mm512_reduce_add_ps(sums));
    for (size_t i = 0; i < count; i += LANES) {
        __mmask16 mask = mask_of(count - i);
        __m512 e = _mm512_maskz_loadu_ps(mask, x + i);
        _mm512_mask_storeu_ps(x + i, mask, _mm512_mul_ps(e, share));
    }
}

void x86_avx512_softmax(float *x, size_t count)
{
    soften(x, count, 1);
}

/* ---- attention ---- */

static size_t round_to_panel(size_t count)
{
    return (count + KERNELS_PANEL - 1) / KERNELS_PANEL * KERNELS_PANEL;
}

/* Keys become the outputs of a product, their elements its inputs; keys that only fill the panel
 * are zero. */
static void pack_panel_of_keys(const float *k, size_t stride, size_t keys, size_t width,
                               float *panel)
{
    for (size_t first = 0; first < width; first += LANES) {
        __m512 square[LANES];
        __mmask16 mask = mask_of(width - first);
#pragma GCC unroll 16
        for (size_t key = 0; key < LANES; key++) {
            const float *at = k + (key < keys ? key : 0) * stride + first;
            square[key] = _mm512_maskz_loadu_ps(key < keys ? mask : 0, at);
        }
        avx512_transpose(square);
        size_t columns = width - first;
#pragma GCC unroll 16
        for (size_t i = 0; i < LANES; i++) {
            if (i < columns) {
                _mm512_store_ps(panel + (first + i) * LANES, square[i]);
            }
        }
    }
}

static void pack_keys(const struct kernels_attention *a, float *panels)
{
    _Static_assert((int)KERNELS_PANEL == (int)LANES, "a panel of keys is one square wide");
    for (size_t key = 0; key < a->keys; key += KERNELS_PANEL, panels += KERNELS_PANEL * a->width) {
        size_t left = a->keys - key;
        pack_panel_of_keys(a->k + key * a->kv_stride, a->kv_stride,
                           left < KERNELS_PANEL ? left : KERNELS_PANEL, a->width, panels);
    }
}

/* Values are the inputs of a product already; only their rows move together. */
static void pack_values(const struct kernels_attention *a, float *panels)
{
    for (size_t first = 0; first < a->width; first += KERNELS_PANEL) {
        __mmask16 mask = mask_of(a->width - first);
        for (size_t key = 0; key < a->keys; key++, panels += KERNELS_PANEL) {
            const float *v = a->v + key * a->kv_stride + first;
            _mm512_store_ps(panels, _mm512_maskz_loadu_ps(mask, v));
        }
    }
}

/* count rows by all packed columns; columns beyond the last panel's are whatever y needs not. */
static void small_product(struct avx512_product p, size_t rows, const float *packed, size_t columns)
{
    size_t panels = round_to_panel(columns) / KERNELS_PANEL;
    float *y = p.y;
    p.ahead = (uintptr_t)packed;
    for (size_t at = 0, some; at < panels; at += some) {
        some = panels - at >= 2 ? 2 : 1;
        p.panels = (const unsigned char *)(packed + at * KERNELS_PANEL * p.steps);
        p.y = y + at * KERNELS_PANEL;
        p.last = mask_of(columns - (at + some - 1) * KERNELS_PANEL);
        if (some == 2) {
            avx512_tile_rows(KERNELS_STORAGE_F32, &p, rows, 2);
        } else {
            avx512_tile_rows(KERNELS_STORAGE_F32, &p, rows, 1);
        }
    }
}

void x86_avx512_attention(const struct kernels_attention *a)
{
    size_t key_columns = round_to_panel(a->keys);
    float *keys = a->scratch;
    float *values = keys + key_columns * a->width;
    float *weights = values + round_to_panel(a->width) * a->keys;
    pack_keys(a, keys);
    pack_values(a, values);
    for (size_t query = 0, rows; query < a->queries; query += rows) {
        rows = avx512_next_rows(a->queries - query);
        const struct avx512_product scores = {
            .x = (const unsigned char *)(a->q + query * a->q_stride),
            .x_stride = a->q_stride * sizeof(float),
            .steps = a->width,
            .y = weights,
            .y_stride = key_columns};
        small_product(scores, rows, keys, key_columns);
        for (size_t row = 0; row < rows; row++) {
            soften(weights + row * key_columns, a->keys, a->scale);
        }
        const struct avx512_product mean = {.x = (const unsigned char *)weights,
                                            .x_stride = key_columns * sizeof(float),
                                            .steps = a->keys,
                                            .y = a->out + query * a->out_stride,
                                            .y_stride = a->out_stride};
        small_product(mean, rows, values, a->width);
    }
}

const struct kernels kernels_x86_avx512 = {
    .name = "avx512",
    .cpu_flags = CPU_FLAG_X86_AVX512,
    .linear = x86_avx512_linear,
    .quantise = x86_avx512_quantise,
    .linear_s8 = avx512_linear_s8,
    .layer_norm = x86_avx512_layer_norm,
    .softmax = x86_avx512_softmax,
    .gelu = x86_avx512_gelu,
    .gelu_tanh = x86_avx512_gelu_tanh,
    .attention = x86_avx512_attention,
};

#endif
