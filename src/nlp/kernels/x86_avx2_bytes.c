/* x86_avx2_bytes.c - int8 products without VNNI: bytes are multiplied and added in pairs to 16
 * bits, pairs to 32. The pairs would saturate with arbitrary weights; those of KERNELS_STORAGE_S8
 * are bounded so that they cannot (see KERNELS_PAIR_MAX), and the sums are the exact ones. Three
 * instructions for 32 products: about 1.9 times the float rate. Tiles are of four rows by one
 * panel, eight sums beside weights, activations and two temporaries in sixteen registers. */
#include "nlp/kernels/kernels.h"

#if defined(__x86_64__)

#include "nlp/kernels/rounding.h"
#include "nlp/kernels/x86_avx2.h"

#include <assert.h>
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 8, TILE_ROWS = 4, TILE_SUMS = 8, STEP_BYTES = 64 };

struct product {
    const uint8_t *x;
    size_t x_stride;
    const float *x_steps;
    const int32_t *x_zeros;
    size_t steps;
    const int8_t *panels; /* the first of them */
    const float *bias;    /* of the first panel, like the two below */
    const float *scales;
    const int32_t *sums;
    bool add;
    uintptr_t ahead; /* what to prefetch meanwhile, a line per step and panel */
    size_t ahead_step;
    float *y;
    size_t y_stride;
};

/* One step of eight sums, spelled out because GCC 12 would compute the pairs of several steps ahead
 * and move sums through memory for want of registers. */
static inline __m256i dot(__m256i sums, __m256i x, __m256i weights, __m256i ones)
{
    __m256i pairs;
    __asm__("vpmaddubsw %3, %2, %1\n\tvpmaddwd %1, %4, %1\n\tvpaddd %1, %0, %0"
            : "+x"(sums), "=&x"(pairs)
            : "x"(x), "x"(weights), "x"(ones));
    return sums;
}

static inline __attribute__((always_inline)) void
store_row(const struct product *p, size_t row, const size_t vectors, const __m256i *sums)
{
    __m256i zero = _mm256_set1_epi32(p->x_zeros[row]);
    __m256 step = _mm256_set1_ps(p->x_steps[row]);
    float *y = p->y + row * p->y_stride;
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; v++) {
        size_t at = v * LANES;
        __m256i column = _mm256_load_si256((const __m256i *)(const void *)(p->sums + at));
        __m256i exact = _mm256_sub_epi32(sums[v], _mm256_mullo_epi32(column, zero));
        __m256 scale = _mm256_mul_ps(step, _mm256_load_ps(p->scales + at));
        __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(exact), scale);
        value = _mm256_add_ps(value, _mm256_load_ps(p->bias + at));
        if (p->add) {
            value = _mm256_add_ps(_mm256_loadu_ps(y + at), value);
        }
        _mm256_storeu_ps(y + at, value);
    }
}

/* rows and panels are constants at every call; rows * panels * 2 <= TILE_SUMS. */
static inline __attribute__((always_inline)) void tile(const struct product *p, const size_t rows,
                                                       const size_t panels)
{
    const size_t steps = p->steps;
    const size_t vectors = 2 * panels;
    const size_t panel_bytes = steps * STEP_BYTES;
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sums[TILE_SUMS];
    const uint8_t *x[TILE_ROWS];
    const int8_t *w = p->panels;
    const size_t ahead_step = p->ahead_step;
    uintptr_t ahead = p->ahead;
#pragma GCC unroll 8
    for (size_t i = 0; i < rows * vectors; i++) {
        sums[i] = _mm256_setzero_si256();
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++) {
        x[r] = p->x + r * p->x_stride;
    }
    for (size_t s = 0; s < steps; s++, w += STEP_BYTES, ahead += ahead_step) {
        __m256i weights[TILE_SUMS];
#pragma GCC unroll 8
        for (size_t v = 0; v < panels; v++) {
            _mm_prefetch((const char *)(ahead + v * panel_bytes), _MM_HINT_T1);
        }
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++) {
            const int8_t *at = w + v / 2 * panel_bytes + v % 2 * STEP_BYTES / 2;
            weights[v] = _mm256_load_si256((const __m256i *)(const void *)at);
        }
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            const float *four = (const float *)(const void *)x[r];
            __m256i value = _mm256_castps_si256(_mm256_broadcast_ss(four + s));
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++) {
                sums[r * vectors + v] = dot(sums[r * vectors + v], value, weights[v], ones);
            }
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++) {
        store_row(p, r, vectors, sums + r * vectors);
    }
}

/* One row by four panels, two by two, or up to four by one. */
static void tile_any(const struct product *p, size_t rows, size_t panels)
{
    if (panels == 4) {
        tile(p, 1, 4);
    } else if (panels == 2) {
        tile(p, 2, 2);
    } else if (rows == 1) {
        tile(p, 1, 1);
    } else if (rows == 2) {
        tile(p, 2, 1);
    } else if (rows == 3) {
        tile(p, 3, 1);
    } else {
        assert(rows == TILE_ROWS);
        tile(p, 4, 1);
    }
}

/* The last panel's columns when the outputs end inside it: by way of a whole panel on the stack. */
static void tile_partial(const struct product *p, size_t rows, size_t columns)
{
    float whole[TILE_ROWS * KERNELS_PANEL] = {0};
    struct product inner = *p;
    inner.y = whole;
    inner.y_stride = KERNELS_PANEL;
    for (size_t r = 0; r < rows && p->add; r++) {
        memcpy(whole + r * KERNELS_PANEL, p->y + r * p->y_stride, columns * sizeof *whole);
    }
    tile_any(&inner, rows, 1);
    for (size_t r = 0; r < rows; r++) {
        memcpy(p->y + r * p->y_stride, whole + r * KERNELS_PANEL, columns * sizeof *whole);
    }
}

/* All rows by the panels that p stands at; meanwhile the panels after them are fetched. */
static void panels_product(struct product p, enum kernels_epilogue epilogue, size_t rows,
                           size_t panels, size_t columns)
{
    size_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    p.ahead = (uintptr_t)p.panels + panels * p.steps * STEP_BYTES;
    p.ahead_step = STEP_BYTES / tiles;
    for (size_t left = rows, count; left > 0; left -= count, tiles--) {
        count = (left + tiles - 1) / tiles; /* all tiles about equally tall */
        if (columns == panels * KERNELS_PANEL) {
            tile_any(&p, count, panels);
        } else {
            tile_partial(&p, count, columns);
        }
        x86_avx2_finish(epilogue, p.y, p.y_stride, count, columns);
        p.ahead += p.steps * p.ahead_step;
        p.x += count * p.x_stride;
        p.x_steps += count;
        p.x_zeros += count;
        p.y += count * p.y_stride;
    }
}

void x86_avx2_linear_s8(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                        const struct kernels_bytes *x, size_t rows, float *y, size_t y_stride)
{
    assert(matrix->storage == KERNELS_STORAGE_S8);
    const int8_t *panels = matrix->panels;
    size_t wide = rows == 1 ? 4 : rows == 2 ? 2 : 1;
    for (size_t first = 0, columns; first < matrix->outputs && rows > 0; first += columns) {
        size_t left = matrix->outputs - first;
        size_t some = left >= wide * KERNELS_PANEL ? wide : 1;
        columns = left < some * KERNELS_PANEL ? left : some * KERNELS_PANEL;
        const struct product p = {.x = x->values,
                                  .x_stride = x->stride,
                                  .x_steps = x->steps,
                                  .x_zeros = x->zeros,
                                  .steps = matrix->steps,
                                  .panels = panels + first * matrix->steps * KERNELS_STEP_BYTES,
                                  .bias = matrix->bias + first,
                                  .scales = matrix->scales + first,
                                  .sums = matrix->sums + first,
                                  .add = epilogue == KERNELS_EPILOGUE_ADD,
                                  .y = y + first,
                                  .y_stride = y_stride};
        panels_product(p, epilogue, rows, some, columns);
    }
}

/* ---- rows to bytes ---- */

static struct rounding_scale scale_of_row(const struct kernels_outliers *outliers, const float *x,
                                          size_t inputs)
{
    __m256 least = _mm256_setzero_ps();
    __m256 most = _mm256_setzero_ps();
    float bounds[2 * LANES];
    size_t i = 0;
    for (; i + LANES <= inputs; i += LANES) {
        __m256 value = _mm256_loadu_ps(x + i);
        if (outliers) {
            value = _mm256_mul_ps(value, _mm256_loadu_ps(outliers->shrink + i));
        }
        least = _mm256_min_ps(least, value);
        most = _mm256_max_ps(most, value);
    }
    _mm256_storeu_ps(bounds, least);
    _mm256_storeu_ps(bounds + LANES, most);
    for (size_t lane = 0; lane < LANES; lane++) {
        bounds[0] = bounds[lane] < bounds[0] ? bounds[lane] : bounds[0];
        bounds[LANES] = bounds[LANES + lane] > bounds[LANES] ? bounds[LANES + lane] : bounds[LANES];
    }
    for (; i < inputs; i++) {
        float value = outliers ? x[i] * outliers->shrink[i] : x[i];
        bounds[0] = value < bounds[0] ? value : bounds[0];
        bounds[LANES] = value > bounds[LANES] ? value : bounds[LANES];
    }
    return rounding_scale_of(bounds[0], bounds[LANES]);
}

void x86_avx2_quantise(const struct kernels_outliers *outliers, const float *x, size_t x_stride,
                       size_t rows, size_t inputs, const struct kernels_bytes *out)
{
    for (size_t row = 0; row < rows; row++, x += x_stride) {
        uint8_t *bytes = out->values + row * out->stride;
        struct rounding_scale scale = scale_of_row(outliers, x, inputs);
        __m256 inverse = _mm256_set1_ps(scale.inverse);
        __m256i zero = _mm256_set1_epi32(scale.zero);
        size_t i = 0;
        for (; i + LANES <= inputs; i += LANES) {
            __m256 value = _mm256_mul_ps(_mm256_loadu_ps(x + i), inverse);
            __m256i byte = _mm256_add_epi32(_mm256_cvtps_epi32(value), zero);
            __m128i words =
                _mm_packs_epi32(_mm256_castsi256_si128(byte), _mm256_extracti128_si256(byte, 1));
            _mm_storel_epi64((__m128i *)(void *)(bytes + i), _mm_packus_epi16(words, words));
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
