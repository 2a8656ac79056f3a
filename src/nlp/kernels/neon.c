/* neon.c - the kernels for 64-bit ARM, whose base architecture has NEON with fused multiply-adds:
 * tiles of up to four rows by one panel of sixteen outputs, sixteen sums in thirty-two registers.
 * Written for the same bits as the other tables; tested under an emulator, so its speed on real
 * machines is not known. */
#include "nlp/kernels/kernels.h"

#if defined(__aarch64__)

#include "nlp/kernels/cpu.h"
#include "nlp/kernels/neon.h"
#include "nlp/kernels/neon_math.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { LANES = 4, VECTORS = 4, SIXTEEN = 16, TILE_ROWS = 4 };

/* ---- elementwise ---- */

static void apply_gelu(const struct gelu_tail *form, float *x, size_t count)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vst1q_f32(x + i, neon_gelu(form, vld1q_f32(x + i)));
    }
    if (i < count) {
        float rest[LANES] = {0};
        memcpy(rest, x + i, (count - i) * sizeof *x);
        vst1q_f32(rest, neon_gelu(form, vld1q_f32(rest)));
        memcpy(x + i, rest, (count - i) * sizeof *x);
    }
}

static void neon_gelu_all(float *x, size_t count)
{
    apply_gelu(&gelu_tail_exact, x, count);
}

static void neon_gelu_tanh_all(float *x, size_t count)
{
    apply_gelu(&gelu_tail_tanh, x, count);
}

void neon_finish(enum kernels_epilogue epilogue, float *y, size_t y_stride, size_t rows,
                 size_t columns)
{
    for (size_t r = 0; r < rows; r++) {
        if (epilogue == KERNELS_EPILOGUE_GELU) {
            neon_gelu_all(y + r * y_stride, columns);
        } else if (epilogue == KERNELS_EPILOGUE_GELU_TANH) {
            neon_gelu_tanh_all(y + r * y_stride, columns);
        }
    }
}

/* ---- products ---- */

/* Rows of x by one panel of floats or halves into sums [rows x 16]. */
struct product {
    const float *x;
    size_t x_stride;
    size_t inputs;
    bool halves;
    const void *panel;
};

static inline __attribute__((always_inline)) void
load_weights(bool halves, const void *panel, size_t input, float32x4_t weights[VECTORS])
{
    if (halves) {
        const uint16_t *at = (const uint16_t *)panel + input * KERNELS_PANEL;
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) {
            weights[v] = vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(at + v * LANES)));
        }
    } else {
        const float *at = (const float *)panel + input * KERNELS_PANEL;
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) {
            weights[v] = vld1q_f32(at + v * LANES);
        }
    }
}

/* halves and rows are constants at every call. */
static inline __attribute__((always_inline)) void tile(const struct product *p, bool halves,
                                                       const size_t rows, float *out)
{
    float32x4_t sums[TILE_ROWS * VECTORS];
#pragma GCC unroll 16
    for (size_t i = 0; i < rows * VECTORS; i++) {
        sums[i] = vdupq_n_f32(0);
    }
    for (size_t i = 0; i < p->inputs; i++) {
        float32x4_t weights[VECTORS];
        load_weights(halves, p->panel, i, weights);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            float32x4_t value = vdupq_n_f32(p->x[r * p->x_stride + i]);
#pragma GCC unroll 4
            for (size_t v = 0; v < VECTORS; v++) {
                sums[r * VECTORS + v] = vfmaq_f32(sums[r * VECTORS + v], value, weights[v]);
            }
        }
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < rows * VECTORS; i++) {
        vst1q_f32(out + i * LANES, sums[i]);
    }
}

static inline __attribute__((always_inline)) void tile_rows_of(const struct product *p, bool halves,
                                                               size_t rows, float *out)
{
    switch (rows) {
    case 1:
        tile(p, halves, 1, out);
        break;
    case 2:
        tile(p, halves, 2, out);
        break;
    case 3:
        tile(p, halves, 3, out);
        break;
    default:
        assert(rows == TILE_ROWS);
        tile(p, halves, TILE_ROWS, out);
        break;
    }
}

static void tile_rows(const struct product *p, size_t rows, float *out)
{
    if (p->halves) {
        tile_rows_of(p, true, rows, out);
    } else {
        tile_rows_of(p, false, rows, out);
    }
}

static size_t next_rows(size_t left)
{
    return left < TILE_ROWS ? left : TILE_ROWS;
}

static void neon_linear(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                        const float *x, size_t x_stride, size_t rows, float *y, size_t y_stride)
{
    bool halves = matrix->storage == KERNELS_STORAGE_F16;
    assert(halves || matrix->storage == KERNELS_STORAGE_F32);
    size_t panel_bytes =
        matrix->inputs * KERNELS_PANEL * (halves ? sizeof(uint16_t) : sizeof(float));
    for (size_t first = 0; first < matrix->outputs; first += KERNELS_PANEL) {
        const unsigned char *panels = matrix->panels;
        size_t left = matrix->outputs - first;
        size_t columns = left < KERNELS_PANEL ? left : KERNELS_PANEL;
        for (size_t row = 0, count; row < rows; row += count) {
            const struct product p = {x + row * x_stride, x_stride, matrix->inputs, halves,
                                      panels + first / KERNELS_PANEL * panel_bytes};
            float sums[TILE_ROWS * KERNELS_PANEL];
            count = next_rows(rows - row);
            tile_rows(&p, count, sums);
            for (size_t r = 0; r < count; r++) {
                float *to = y + (row + r) * y_stride + first;
                for (size_t c = 0; c < columns; c++) {
                    float value = sums[r * KERNELS_PANEL + c] + matrix->bias[first + c];
                    to[c] = epilogue == KERNELS_EPILOGUE_ADD ? to[c] + value : value;
                }
            }
        }
    }
    neon_finish(epilogue, y, y_stride, rows, matrix->outputs);
}

/* ---- rows that stand alone ---- */

/* Sixteen partial sums, added as a tree: the order of every table. */
struct sixteen {
    float32x4_t parts[VECTORS];
};

static inline struct sixteen zero_sixteen(void)
{
    float32x4_t zero = vdupq_n_f32(0);
    return (struct sixteen){{zero, zero, zero, zero}};
}

static inline float sum_sixteen(const struct sixteen *sums)
{
    float32x4_t low = vaddq_f32(sums->parts[0], sums->parts[2]);
    float32x4_t high = vaddq_f32(sums->parts[1], sums->parts[3]);
    float32x4_t four = vaddq_f32(low, high);
    float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

/* The last count numbers of a row, filled up. */
static void copy_rest(float *rest, const float *x, size_t count, float fill)
{
    for (size_t i = 0; i < SIXTEEN; i++) {
        rest[i] = i < count ? x[i] : fill;
    }
}

static inline void add_numbers(struct sixteen *sums, const float *x)
{
    for (size_t v = 0; v < VECTORS; v++) {
        sums->parts[v] = vaddq_f32(sums->parts[v], vld1q_f32(x + v * LANES));
    }
}

static inline void add_squares(struct sixteen *sums, const float *x, float mean)
{
    for (size_t v = 0; v < VECTORS; v++) {
        float32x4_t off = vsubq_f32(vld1q_f32(x + v * LANES), vdupq_n_f32(mean));
        sums->parts[v] = vfmaq_f32(sums->parts[v], off, off);
    }
}

static void norm_row(float *x, size_t width, const float *gamma, const float *beta, float epsilon)
{
    size_t whole = width / SIXTEEN * SIXTEEN;
    float rest[SIXTEEN];
    struct sixteen sums = zero_sixteen();
    struct sixteen squares = zero_sixteen();
    for (size_t i = 0; i < whole; i += SIXTEEN) {
        add_numbers(&sums, x + i);
    }
    copy_rest(rest, x + whole, width - whole, 0);
    add_numbers(&sums, rest);
    float mean = sum_sixteen(&sums) / (float)width;
    for (size_t i = 0; i < whole; i += SIXTEEN) {
        add_squares(&squares, x + i, mean);
    }
    copy_rest(rest, x + whole, width - whole, mean);
    add_squares(&squares, rest, mean);
    float scale = 1.0f / sqrtf(sum_sixteen(&squares) / (float)width + epsilon);
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) {
        float32x4_t off = vsubq_f32(vld1q_f32(x + i), vdupq_n_f32(mean));
        off = vmulq_n_f32(off, scale);
        vst1q_f32(x + i, vfmaq_f32(vld1q_f32(beta + i), off, vld1q_f32(gamma + i)));
    }
    for (; i < width; i++) {
        x[i] = fmaf((x[i] - mean) * scale, gamma[i], beta[i]);
    }
}

static void neon_layer_norm(float *x, size_t stride, size_t rows, size_t width, const float *gamma,
                            const float *beta, float epsilon)
{
    for (size_t row = 0; row < rows; row++) {
        norm_row(x + row * stride, width, gamma, beta, epsilon);
    }
}

/* exp(scale * (x - max)) in place on sixteen numbers. */
static inline void exp_sixteen(float *x, float max, float scale)
{
    for (size_t v = 0; v < VECTORS; v++) {
        float32x4_t off = vsubq_f32(vld1q_f32(x + v * LANES), vdupq_n_f32(max));
        vst1q_f32(x + v * LANES, neon_exp(vmulq_n_f32(off, scale)));
    }
}

/* softmax(scale * x), for a positive scale */
static void soften(float *x, size_t count, float scale)
{
    size_t whole = count / SIXTEEN * SIXTEEN;
    float rest[SIXTEEN];
    struct sixteen sums = zero_sixteen();
    float max = x[0];
    for (size_t i = 1; i < count; i++) {
        max = x[i] > max ? x[i] : max;
    }
    for (size_t i = 0; i < whole; i += SIXTEEN) {
        exp_sixteen(x + i, max, scale);
        add_numbers(&sums, x + i);
    }
    copy_rest(rest, x + whole, count - whole, 0);
    exp_sixteen(rest, max, scale);
    copy_rest(rest, rest, count - whole, 0);
    add_numbers(&sums, rest);
    memcpy(x + whole, rest, (count - whole) * sizeof *x);
    float share = 1.0f / sum_sixteen(&sums);
    for (size_t i = 0; i < count; i++) {
        x[i] *= share;
    }
}

static void neon_softmax(float *x, size_t count)
{
    soften(x, count, 1);
}

/* ---- attention ---- */

static size_t round_to_panel(size_t count)
{
    return (count + KERNELS_PANEL - 1) / KERNELS_PANEL * KERNELS_PANEL;
}

/* Keys become the outputs of a product, their elements its inputs. */
static void pack_keys(const struct kernels_attention *a, float *panels)
{
    memset(panels, 0, round_to_panel(a->keys) * a->width * sizeof *panels);
    for (size_t key = 0; key < a->keys; key++) {
        const float *k = a->k + key * a->kv_stride;
        float *column =
            panels + key / KERNELS_PANEL * KERNELS_PANEL * a->width + key % KERNELS_PANEL;
        for (size_t i = 0; i < a->width; i++) {
            column[i * KERNELS_PANEL] = k[i];
        }
    }
}

/* Values are the inputs of a product already; only their rows move together. */
static void pack_values(const struct kernels_attention *a, float *panels)
{
    for (size_t first = 0; first < a->width; first += KERNELS_PANEL) {
        size_t left = a->width - first;
        size_t columns = left < KERNELS_PANEL ? left : KERNELS_PANEL;
        for (size_t key = 0; key < a->keys; key++, panels += KERNELS_PANEL) {
            const float *v = a->v + key * a->kv_stride + first;
            memcpy(panels, v, columns * sizeof *panels);
            memset(panels + columns, 0, (KERNELS_PANEL - columns) * sizeof *panels);
        }
    }
}

/* rows of x [rows x inputs] by all packed columns. */
static void small_product(const float *x, size_t x_stride, size_t rows, size_t inputs,
                          const float *packed, size_t columns, float *y, size_t y_stride)
{
    for (size_t first = 0; first < columns; first += KERNELS_PANEL) {
        const struct product p = {x, x_stride, inputs, false, packed + first * inputs};
        size_t left = columns - first;
        float sums[TILE_ROWS * KERNELS_PANEL];
        tile_rows(&p, rows, sums);
        for (size_t r = 0; r < rows; r++) {
            memcpy(y + r * y_stride + first, sums + r * KERNELS_PANEL,
                   (left < KERNELS_PANEL ? left : KERNELS_PANEL) * sizeof *y);
        }
    }
}

static void neon_attention(const struct kernels_attention *a)
{
    size_t key_columns = round_to_panel(a->keys);
    float *keys = a->scratch;
    float *values = keys + key_columns * a->width;
    float *weights = values + round_to_panel(a->width) * a->keys;
    pack_keys(a, keys);
    pack_values(a, values);
    for (size_t query = 0, rows; query < a->queries; query += rows) {
        rows = next_rows(a->queries - query);
        small_product(a->q + query * a->q_stride, a->q_stride, rows, a->width, keys, a->keys,
                      weights, key_columns);
        for (size_t row = 0; row < rows; row++) {
            soften(weights + row * key_columns, a->keys, a->scale);
        }
        small_product(weights, key_columns, rows, a->keys, values, a->width,
                      a->out + query * a->out_stride, a->out_stride);
    }
}

const struct kernels kernels_neon = {
    .name = "neon",
    .cpu_flags = CPU_FLAG_NEON,
    .linear = neon_linear,
    .quantise = neon_quantise,
    .linear_s8 = neon_linear_s8,
    .layer_norm = neon_layer_norm,
    .softmax = neon_softmax,
    .gelu = neon_gelu_all,
    .gelu_tanh = neon_gelu_tanh_all,
    .attention = neon_attention,
};

#endif
