/* ref.c - the kernels in portable C: the definition of the right answer, and the way to run where
 * no faster table does. Vectors run over the columns of a panel only (GCC's and Clang's own vector
 * types, which become whatever the CPU has), so that no sum changes its order. Products of floats
 * are not fused, since that is a function call where the CPU is not known to have it. No tiling. */
#include "nlp/kernels/kernels.h"

#include "nlp/kernels/gelu.h"
#include "nlp/kernels/rounding.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Elementwise functions and the sums along a row use the formulas and the order of every other
 * table (x86_avx2_math.h and gelu.h have their sources), with fused multiply-adds where those have
 * them: that is why int8 answers are the same bits everywhere. */

static float ref_exp(float x)
{
    x = -86.0f > x ? -86.0f : x;
    if (isnan(x)) {
        return x;
    }
    float n = rounding_nearest(x * 1.44269504088896341f);
    float r = fmaf(-n, 0.693359375f, x);
    r = fmaf(-n, -2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = fmaf(p, r, 1.3981999507e-3f);
    p = fmaf(p, r, 8.3334519073e-3f);
    p = fmaf(p, r, 4.1665795894e-2f);
    p = fmaf(p, r, 1.6666665459e-1f);
    p = fmaf(p, r, 5.0000001201e-1f);
    p = fmaf(p, r * r, r + 1.0f);
    return ldexpf(p, (int)n);
}

static void ref_apply_gelu(const struct gelu_tail *tail, float *x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float m = GELU_MOST < fabsf(x[i]) ? GELU_MOST : fabsf(x[i]);
        float nearest = fmaf(m, GELU_SCALE, GELU_ROUND);
        uint32_t piece = rounding_bits(nearest) % GELU_PIECES;
        float r = fmaf(m, GELU_SCALE, GELU_ROUND - nearest);
        float p = tail->terms[GELU_TERMS - 1][piece];
        for (size_t term = GELU_TERMS - 1; term-- > 0;) {
            p = fmaf(p, r, tail->terms[term][piece]);
        }
        x[i] = fmaf(-m, p, 0.0f > x[i] ? 0.0f : x[i]);
    }
}

static void ref_gelu(float *x, size_t count)
{
    ref_apply_gelu(&gelu_tail_exact, x, count);
}

static void ref_gelu_tanh(float *x, size_t count)
{
    ref_apply_gelu(&gelu_tail_tanh, x, count);
}

/* The sum of sixteen partial sums. */
static float ref_sum_sixteen(float *sums)
{
    for (size_t half = 8; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) {
            sums[i] += sums[i + half];
        }
    }
    return sums[0];
}

static void ref_epilogue(enum kernels_epilogue epilogue, const float *sums, float *y, size_t count)
{
    for (size_t c = 0; c < count; c++) {
        y[c] = epilogue == KERNELS_EPILOGUE_ADD ? y[c] + sums[c] : sums[c];
    }
    if (epilogue == KERNELS_EPILOGUE_GELU) {
        ref_gelu(y, count);
    } else if (epilogue == KERNELS_EPILOGUE_GELU_TANH) {
        ref_gelu_tanh(y, count);
    }
}

/* sums = one row of x times one panel of floats. In four named vectors, because left to itself a
 * compiler makes vectors of the wrong loop here and is four times slower. */
static void ref_sum_panel(const float *x, const float *panel, size_t inputs, float *sums)
{
    enum { PARTS = KERNELS_PANEL / 4 };
    typedef float four_floats __attribute__((vector_size(16)));
    four_floats parts[PARTS] = {{0}};
    for (size_t i = 0; i < inputs; i++) {
        for (size_t part = 0; part < PARTS; part++) {
            four_floats weights;
            memcpy(&weights, panel + i * KERNELS_PANEL + part * 4, sizeof weights);
            parts[part] += x[i] * weights;
        }
    }
    memcpy(sums, parts, sizeof parts);
}

static float ref_float_of_half(uint16_t half)
{
    const float rebias = 0x1p112f; /* 2^(127 - 15); normalises subnormal halves as well */
    uint32_t bits = (uint32_t)(half & 0x7FFF) << 13;
    float magnitude;
    memcpy(&magnitude, &bits, sizeof bits);
    magnitude *= rebias;
    return half & 0x8000 ? -magnitude : magnitude;
}

static void ref_sum_half_panel(const float *x, const uint16_t *panel, size_t inputs, float *sums)
{
    memset(sums, 0, KERNELS_PANEL * sizeof *sums);
    for (size_t i = 0; i < inputs; i++) {
        for (size_t c = 0; c < KERNELS_PANEL; c++) {
            sums[c] += x[i] * ref_float_of_half(panel[i * KERNELS_PANEL + c]);
        }
    }
}

/* Adds the bias to one panel's sums and puts what is an output where it belongs. */
static void ref_finish_panel(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                             float *sums, size_t first, float *y)
{
    size_t left = matrix->outputs - first;
    for (size_t c = 0; c < KERNELS_PANEL; c++) {
        sums[c] += matrix->bias[first + c];
    }
    ref_epilogue(epilogue, sums, y + first, left < KERNELS_PANEL ? left : KERNELS_PANEL);
}

static void ref_linear(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                       const float *x, size_t x_stride, size_t rows, float *y, size_t y_stride)
{
    bool halves = matrix->storage == KERNELS_STORAGE_F16;
    assert(halves || matrix->storage == KERNELS_STORAGE_F32);
    for (size_t first = 0; first < matrix->outputs; first += KERNELS_PANEL) {
        size_t at = first * matrix->inputs;
        for (size_t row = 0; row < rows; row++) {
            float sums[KERNELS_PANEL];
            const float *from = x + row * x_stride;
            if (halves) {
                const uint16_t *panels = matrix->panels;
                ref_sum_half_panel(from, panels + at, matrix->inputs, sums);
            } else {
                const float *panels = matrix->panels;
                ref_sum_panel(from, panels + at, matrix->inputs, sums);
            }
            ref_finish_panel(matrix, epilogue, sums, first, y + row * y_stride);
        }
    }
}

/* ---- bytes ---- */

static void ref_quantise_row(const struct kernels_outliers *outliers, const float *x, size_t inputs,
                             struct rounding_scale *scale, uint8_t *bytes)
{
    float least = 0;
    float most = 0;
    for (size_t i = 0; i < inputs; i++) {
        float value = outliers ? x[i] * outliers->shrink[i] : x[i];
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    *scale = rounding_scale_of(least, most);
    for (size_t i = 0; i < inputs; i++) {
        bytes[i] = rounding_byte((int32_t)rounding_nearest(x[i] * scale->inverse) + scale->zero);
    }
    rounding_outliers(outliers, x, inputs, scale, bytes);
}

static void ref_quantise(const struct kernels_outliers *outliers, const float *x, size_t x_stride,
                         size_t rows, size_t inputs, const struct kernels_bytes *out)
{
    for (size_t row = 0; row < rows; row++) {
        struct rounding_scale scale;
        ref_quantise_row(outliers, x + row * x_stride, inputs, &scale,
                         out->values + row * out->stride);
        out->steps[row] = scale.step;
        out->zeros[row] = scale.zero;
    }
}

static void ref_sum_byte_panel(const uint8_t *x, int32_t zero, const int8_t *panel, size_t steps,
                               int32_t *sums)
{
    memset(sums, 0, KERNELS_PANEL * sizeof *sums);
    for (size_t step = 0; step < steps; step++, x += 4) {
        for (size_t c = 0; c < KERNELS_PANEL; c++, panel += 4) {
            for (size_t i = 0; i < 4; i++) {
                sums[c] += (x[i] - zero) * panel[i];
            }
        }
    }
}

static void ref_linear_s8(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                          const struct kernels_bytes *x, size_t rows, float *y, size_t y_stride)
{
    assert(matrix->storage == KERNELS_STORAGE_S8);
    const int8_t *panels = matrix->panels;
    for (size_t first = 0; first < matrix->outputs; first += KERNELS_PANEL) {
        for (size_t row = 0; row < rows; row++) {
            int32_t sums[KERNELS_PANEL];
            float scaled[KERNELS_PANEL];
            ref_sum_byte_panel(x->values + row * x->stride, x->zeros[row],
                               panels + first * matrix->steps * 4, matrix->steps, sums);
            for (size_t c = 0; c < KERNELS_PANEL; c++) {
                scaled[c] = (float)sums[c] * (x->steps[row] * matrix->scales[first + c]);
            }
            ref_finish_panel(matrix, epilogue, scaled, first, y + row * y_stride);
        }
    }
}

/* ---- bfloat16: for comparison only, it saves nothing here ---- */

static void ref_round_bf16(const float *x, size_t x_stride, size_t rows, size_t inputs,
                           uint16_t *out, size_t out_stride)
{
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < inputs; i++) {
            out[row * out_stride + i] = rounding_brain(x[row * x_stride + i]);
        }
        if (inputs % 2 != 0) {
            out[row * out_stride + inputs] = 0;
        }
    }
}

static float ref_float_of_brain(uint16_t brain)
{
    uint32_t bits = (uint32_t)brain << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void ref_linear_bf16(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                            const uint16_t *x, size_t x_stride, size_t rows, float *y,
                            size_t y_stride)
{
    assert(matrix->storage == KERNELS_STORAGE_BF16);
    const uint16_t *panels = matrix->panels;
    for (size_t first = 0; first < matrix->outputs; first += KERNELS_PANEL) {
        for (size_t row = 0; row < rows; row++) {
            float sums[KERNELS_PANEL] = {0};
            for (size_t i = 0; i < matrix->inputs; i++) {
                const uint16_t *step = panels + (first * matrix->steps + i / 2 * KERNELS_PANEL) * 2;
                float value = ref_float_of_brain(x[row * x_stride + i]);
                for (size_t c = 0; c < KERNELS_PANEL; c++) {
                    sums[c] += value * ref_float_of_brain(step[c * 2 + i % 2]);
                }
            }
            ref_finish_panel(matrix, epilogue, sums, first, y + row * y_stride);
        }
    }
}

/* ---- rows that stand alone ---- */

static void ref_layer_norm(float *x, size_t stride, size_t rows, size_t width, const float *gamma,
                           const float *beta, float epsilon)
{
    for (size_t row = 0; row < rows; row++) {
        float *at = x + row * stride;
        float sums[16] = {0};
        float squares[16] = {0};
        for (size_t i = 0; i < width; i++) {
            sums[i % 16] += at[i];
        }
        float mean = ref_sum_sixteen(sums) / (float)width;
        for (size_t i = 0; i < width; i++) {
            float off = at[i] - mean;
            squares[i % 16] = fmaf(off, off, squares[i % 16]);
        }
        float scale = 1.0f / sqrtf(ref_sum_sixteen(squares) / (float)width + epsilon);
        for (size_t i = 0; i < width; i++) {
            at[i] = fmaf((at[i] - mean) * scale, gamma[i], beta[i]);
        }
    }
}

/* softmax(scale * x), for a positive scale */
static void ref_soften(float *x, size_t count, float scale)
{
    float max = x[0];
    for (size_t i = 1; i < count; i++) {
        max = x[i] > max ? x[i] : max;
    }
    float sums[16] = {0};
    for (size_t i = 0; i < count; i++) {
        x[i] = ref_exp((x[i] - max) * scale);
        sums[i % 16] += x[i];
    }
    float share = 1.0f / ref_sum_sixteen(sums);
    for (size_t i = 0; i < count; i++) {
        x[i] *= share;
    }
}

static void ref_softmax(float *x, size_t count)
{
    ref_soften(x, count, 1);
}

static void ref_attention(const struct kernels_attention *a)
{
    float *weights = a->scratch;
    for (size_t query = 0; query < a->queries; query++) {
        const float *q = a->q + query * a->q_stride;
        for (size_t key = 0; key < a->keys; key++) {
            const float *k = a->k + key * a->kv_stride;
            float dot = 0;
            for (size_t i = 0; i < a->width; i++) {
                dot = fmaf(q[i], k[i], dot);
            }
            weights[key] = dot;
        }
        ref_soften(weights, a->keys, a->scale);
        float *out = a->out + query * a->out_stride;
        for (size_t i = 0; i < a->width; i++) {
            out[i] = 0;
        }
        for (size_t key = 0; key < a->keys; key++) {
            const float *v = a->v + key * a->kv_stride;
            for (size_t i = 0; i < a->width; i++) {
                out[i] = fmaf(weights[key], v[i], out[i]);
            }
        }
    }
}

const struct kernels kernels_ref = {
    .name = "ref",
    .cpu_flags = 0,
    .linear = ref_linear,
    .quantise = ref_quantise,
    .linear_s8 = ref_linear_s8,
    .round_bf16 = ref_round_bf16,
    .linear_bf16 = ref_linear_bf16,
    .layer_norm = ref_layer_norm,
    .softmax = ref_softmax,
    .gelu = ref_gelu,
    .gelu_tanh = ref_gelu_tanh,
    .attention = ref_attention,
};
