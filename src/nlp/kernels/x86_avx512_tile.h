/* x86_avx512_tile.h - products on register tiles of AVX-512, one form for every storage: a step
 * takes four bytes of each row (one float, two bfloat16 or four bytes) and sixteen outputs of each
 * panel, so that only the one instruction in avx512_dot differs. Up to twelve rows by two panels
 * keep 24 sums in registers; fewer rows take more panels, so that enough sums are in flight. As
 * everywhere in kernels/, a sum is one chain over the inputs in order, whatever the tile.
 *
 * For the x86_avx512*.c files only; what a file may use follows from its compile options. */
#ifndef NLP_KERNELS_X86_AVX512_TILE_H
#define NLP_KERNELS_X86_AVX512_TILE_H

#include "nlp/kernels/kernels.h"
#include "nlp/kernels/x86_avx512.h"

#include <assert.h>
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { AVX512_ROWS = 12, AVX512_SUMS = 24, AVX512_LINE = 64 };

/* What a product of some rows with some panels needs to know. */
struct avx512_product {
    const unsigned char *x;
    size_t x_stride; /* bytes */
    size_t steps;
    const unsigned char *panels; /* the first of them */
    const float *bias;           /* of the first panel; NULL for none */
    const float *scales;         /* S8: of the first panel */
    const int32_t *sums;         /* S8: of the first panel */
    const float *x_steps;        /* S8: of the first row */
    const int32_t *x_zeros;      /* S8: of the first row */
    bool add;                    /* to what y holds */
    uintptr_t ahead;             /* what to prefetch meanwhile, a line per step and panel; past the
                                  * end of memory a prefetch does nothing */
    size_t ahead_step;           /* bytes */
    __mmask16 last;              /* the columns of the last panel that are outputs */
    float *y;                    /* at the first panel's first column */
    size_t y_stride;             /* floats */
};

static inline size_t avx512_step_bytes(enum kernels_storage storage)
{
    return storage == KERNELS_STORAGE_F16 ? AVX512_LINE / 2 : AVX512_LINE;
}

static inline __attribute__((always_inline)) __m512
avx512_weights(const enum kernels_storage storage, const unsigned char *at)
{
    if (storage == KERNELS_STORAGE_F16) {
        return _mm512_cvtph_ps(_mm256_load_si256((const __m256i *)(const void *)at));
    }
    return _mm512_load_ps(at);
}

/* Four bytes to all lanes, as integers: broadcasts of floats take a shuffle on some CPUs. */
static inline __attribute__((always_inline)) __m512 avx512_broadcast(const unsigned char *at)
{
    int32_t four;
    memcpy(&four, at, sizeof four);
    return _mm512_castsi512_ps(_mm512_set1_epi32(four));
}

/* One step of sixteen sums. Sums of bytes are integers that only pass for floats here. The single
 * instructions are spelled out because GCC 12 moves the sums of the intrinsics through memory. */
static inline __attribute__((always_inline)) __m512
avx512_dot(const enum kernels_storage storage, __m512 sums, __m512 x, __m512 weights)
{
    if (storage == KERNELS_STORAGE_S8) {
#if defined(__AVX512VNNI__)
        __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(x), "v"(weights));
        return sums;
#else
        __m512i pairs = _mm512_maddubs_epi16(_mm512_castps_si512(x), _mm512_castps_si512(weights));
        __m512i fours = _mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
        return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(sums), fours));
#endif
    }
#if defined(__AVX512BF16__)
    if (storage == KERNELS_STORAGE_BF16) {
        __asm__("vdpbf16ps %2, %1, %0" : "+v"(sums) : "v"(x), "v"(weights));
        return sums;
    }
#endif
    return _mm512_fmadd_ps(x, weights, sums);
}

/* What row r and one panel's sums amount to, before the bias. */
static inline __attribute__((always_inline)) __m512 avx512_value(const enum kernels_storage storage,
                                                                 const struct avx512_product *p,
                                                                 size_t row, size_t panel,
                                                                 __m512 sums)
{
    if (storage != KERNELS_STORAGE_S8) {
        return sums;
    }
    __m512i column_sums = _mm512_load_si512(p->sums + panel * KERNELS_PANEL);
    __m512i offset = _mm512_mullo_epi32(column_sums, _mm512_set1_epi32(p->x_zeros[row]));
    __m512i exact = _mm512_sub_epi32(_mm512_castps_si512(sums), offset);
    __m512 scale = _mm512_mul_ps(_mm512_set1_ps(p->x_steps[row]),
                                 _mm512_load_ps(p->scales + panel * KERNELS_PANEL));
    return _mm512_mul_ps(_mm512_cvtepi32_ps(exact), scale);
}

static inline __attribute__((always_inline)) void
avx512_store(const struct avx512_product *p, size_t panel, bool last, __m512 value, float *y)
{
    __mmask16 columns = last ? p->last : (__mmask16)0xFFFF;
    float *at = y + panel * KERNELS_PANEL;
    if (p->bias) {
        value = _mm512_add_ps(value, _mm512_load_ps(p->bias + panel * KERNELS_PANEL));
    }
    if (columns == 0xFFFF) { /* plain stores are much cheaper than masked ones on some CPUs */
        value = p->add ? _mm512_add_ps(_mm512_loadu_ps(at), value) : value;
        _mm512_storeu_ps(at, value);
    } else {
        value = p->add ? _mm512_add_ps(_mm512_maskz_loadu_ps(columns, at), value) : value;
        _mm512_mask_storeu_ps(at, columns, value);
    }
}

/* rows and panels are constants at every call, so that the loops over them unroll and the sums live
 * in registers; rows * panels <= AVX512_SUMS. Rows are reached from every third, because there are
 * not enough address registers for twelve. */
static inline __attribute__((always_inline)) void avx512_tile(const enum kernels_storage storage,
                                                              const struct avx512_product *p,
                                                              const size_t rows,
                                                              const size_t panels)
{
    const size_t steps = p->steps;
    const size_t step_bytes = avx512_step_bytes(storage);
    const size_t stride = p->x_stride;
    const size_t ahead_step = p->ahead_step;
    __m512 sums[AVX512_SUMS];
    const unsigned char *third[AVX512_ROWS / 3];
    const unsigned char *w = p->panels;
    uintptr_t ahead = p->ahead;
#pragma GCC unroll 24
    for (size_t i = 0; i < rows * panels; i++) {
        sums[i] = _mm512_setzero_ps();
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r += 3) {
        third[r / 3] = p->x + r * stride;
    }
    for (size_t s = 0; s < steps; s++, w += step_bytes, ahead += ahead_step) {
        __m512 weights[AVX512_SUMS];
#pragma GCC unroll 24
        for (size_t v = 0; v < panels; v++) {
            uintptr_t line = ahead + v * steps * step_bytes;
            _mm_prefetch((const char *)line, _MM_HINT_T0);
        }
#pragma GCC unroll 24
        for (size_t v = 0; v < panels; v++) {
            weights[v] = avx512_weights(storage, w + v * steps * step_bytes);
        }
#pragma GCC unroll 12
        for (size_t r = 0; r < rows; r++) {
            __m512 x = avx512_broadcast(third[r / 3] + r % 3 * stride + s * KERNELS_STEP_BYTES);
#pragma GCC unroll 24
            for (size_t v = 0; v < panels; v++) {
                sums[r * panels + v] = avx512_dot(storage, sums[r * panels + v], x, weights[v]);
            }
        }
    }
    float *y = p->y;
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++, y += p->y_stride) {
#pragma GCC unroll 24
        for (size_t v = 0; v < panels; v++) {
            __m512 value = avx512_value(storage, p, r, v, sums[r * panels + v]);
            avx512_store(p, v, v + 1 == panels, value, y);
        }
    }
}

/* Up to twelve rows by two panels or one. */
static inline __attribute__((always_inline)) void
avx512_tile_rows(const enum kernels_storage storage, const struct avx512_product *p, size_t rows,
                 const size_t panels)
{
#define ROWS(n)                             \
    case n:                                 \
        avx512_tile(storage, p, n, panels); \
        break
    switch (rows) {
        ROWS(1);
        ROWS(2);
        ROWS(3);
        ROWS(4);
        ROWS(5);
        ROWS(6);
        ROWS(7);
        ROWS(8);
        ROWS(9);
        ROWS(10);
        ROWS(11);
    default:
        assert(rows == AVX512_ROWS);
        avx512_tile(storage, p, AVX512_ROWS, panels);
        break;
    }
#undef ROWS
}

/* How many rows the next tile takes: all tiles of a batch are about equally tall. */
static inline size_t avx512_next_rows(size_t left)
{
    size_t tiles = (left + AVX512_ROWS - 1) / AVX512_ROWS;
    return (left + tiles - 1) / tiles;
}

/* How many panels one pass over the rows takes of those left. */
static inline size_t avx512_next_panels(size_t rows, size_t left)
{
    size_t wide = rows == 1 ? 8 : rows <= 3 ? 4 : 2;
    return left >= wide ? wide : left >= 2 ? 2 : 1;
}

/* All rows by the panels that p stands at. Meanwhile the panels after them are fetched, an equal
 * part by each tile: weights come from far away, once per batch. */
static inline __attribute__((always_inline)) void
avx512_panels_product(const enum kernels_storage storage, struct avx512_product p,
                      enum kernels_epilogue epilogue, size_t rows, size_t panels, size_t columns)
{
    size_t tiles = (rows + AVX512_ROWS - 1) / AVX512_ROWS;
    size_t panel_bytes = p.steps * avx512_step_bytes(storage);
    p.ahead = (uintptr_t)p.panels + panels * panel_bytes;
    p.ahead_step = avx512_step_bytes(storage) / tiles;
    for (size_t at = 0, count; at < rows; at += count) {
        count = avx512_next_rows(rows - at);
        if (panels == 8) {
            avx512_tile(storage, &p, 1, 8);
        } else if (panels == 4 && count == 1) {
            avx512_tile(storage, &p, 1, 4);
        } else if (panels == 4 && count == 2) {
            avx512_tile(storage, &p, 2, 4);
        } else if (panels == 4) {
            avx512_tile(storage, &p, 3, 4);
        } else if (panels == 2) {
            avx512_tile_rows(storage, &p, count, 2);
        } else {
            avx512_tile_rows(storage, &p, count, 1);
        }
        x86_avx512_finish(epilogue, p.y, p.y_stride, count, columns);
        p.ahead += p.steps * p.ahead_step;
        p.x += count * p.x_stride;
        p.y += count * p.y_stride;
        if (storage == KERNELS_STORAGE_S8) {
            p.x_steps += count;
            p.x_zeros += count;
        }
    }
}

/* Fills in what does not depend on the rows and goes through all panels. */
static inline __attribute__((always_inline)) void
avx512_linear(const enum kernels_storage storage, const struct kernels_matrix *matrix,
              enum kernels_epilogue epilogue, struct avx512_product p, size_t rows)
{
    assert(matrix->storage == storage);
    size_t panel_bytes = matrix->steps * avx512_step_bytes(storage);
    size_t count = (matrix->outputs + KERNELS_PANEL - 1) / KERNELS_PANEL;
    const unsigned char *panels = matrix->panels;
    float *y = p.y;
    p.steps = matrix->steps;
    p.add = epilogue == KERNELS_EPILOGUE_ADD;
    for (size_t at = 0, some; at < count && rows > 0; at += some) {
        some = avx512_next_panels(rows, count - at);
        size_t left = matrix->outputs - at * KERNELS_PANEL;
        size_t columns = left < some * KERNELS_PANEL ? left : some * KERNELS_PANEL;
        size_t last = columns - (some - 1) * KERNELS_PANEL;
        p.panels = panels + at * panel_bytes;
        p.bias = matrix->bias + at * KERNELS_PANEL;
        if (storage == KERNELS_STORAGE_S8) {
            p.scales = matrix->scales + at * KERNELS_PANEL;
            p.sums = matrix->sums + at * KERNELS_PANEL;
        }
        p.last = (__mmask16)((1u << last) - 1);
        p.y = y + at * KERNELS_PANEL;
        avx512_panels_product(storage, p, epilogue, rows, some, columns);
    }
}

/* The table's entry for rows of bytes. */
static inline __attribute__((always_inline)) void
avx512_linear_bytes(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                    const struct kernels_bytes *x, size_t rows, float *y, size_t y_stride)
{
    const struct avx512_product p = {.x = x->values,
                                     .x_stride = x->stride,
                                     .x_steps = x->steps,
                                     .x_zeros = x->zeros,
                                     .y = y,
                                     .y_stride = y_stride};
    avx512_linear(KERNELS_STORAGE_S8, matrix, epilogue, p, rows);
}

#endif
