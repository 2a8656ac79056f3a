/* ref.c - the kernels in portable C: the definition of the right answer, and the way to run where
 * no faster table does. Vectors run over the columns of a panel only (GCC's and Clang's own vector
 * types, which become whatever the CPU has), so that no sum changes its order. Deliberately no
 * tiling and no approximation. */
#include "nlp/kernels/kernels.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void ref_gelu(float *x, size_t count)
{
    const float sqrt_half = 0.70710678118654752f;
    for (size_t i = 0; i < count; i++) {
        x[i] = x[i] * 0.5f * (1.0f + erff(x[i] * sqrt_half));
    }
}

static void ref_gelu_tanh(float *x, size_t count)
{
    const float sqrt_2_over_pi = 0.79788456080286536f;
    for (size_t i = 0; i < count; i++) {
        float inner = sqrt_2_over_pi * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
        x[i] = x[i] * 0.5f * (1.0f + tanhf(inner));
    }
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

/* sums = one row of x times one panel. In four named vectors, because left to itself a compiler
 * makes vectors of the wrong loop here and is four times slower. */
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

static void ref_linear(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                       const float *x, size_t x_stride, size_t rows, float *y, size_t y_stride)
{
    assert(matrix->storage == KERNELS_STORAGE_F32);
    for (size_t first = 0; first < matrix->outputs; first += KERNELS_PANEL) {
        const float *panel = matrix->panels + first * matrix->inputs;
        size_t left = matrix->outputs - first;
        size_t columns = left < KERNELS_PANEL ? left : KERNELS_PANEL;
        for (size_t row = 0; row < rows; row++) {
            float sums[KERNELS_PANEL];
            ref_sum_panel(x + row * x_stride, panel, matrix->inputs, sums);
            for (size_t c = 0; c < KERNELS_PANEL; c++) {
                sums[c] += matrix->bias[first + c];
            }
            ref_epilogue(epilogue, sums, y + row * y_stride + first, columns);
        }
    }
}

static void ref_layer_norm(float *x, size_t stride, size_t rows, size_t width, const float *gamma,
                           const float *beta, float epsilon)
{
    for (size_t row = 0; row < rows; row++) {
        float *at = x + row * stride;
        float sum = 0;
        for (size_t i = 0; i < width; i++) {
            sum += at[i];
        }
        float mean = sum / (float)width;
        float squares = 0;
        for (size_t i = 0; i < width; i++) {
            float off = at[i] - mean;
            squares += off * off;
        }
        float scale = 1.0f / sqrtf(squares / (float)width + epsilon);
        for (size_t i = 0; i < width; i++) {
            at[i] = (at[i] - mean) * scale * gamma[i] + beta[i];
        }
    }
}

static void ref_softmax(float *x, size_t count)
{
    float max = x[0];
    for (size_t i = 1; i < count; i++) {
        max = x[i] > max ? x[i] : max;
    }
    float sum = 0;
    for (size_t i = 0; i < count; i++) {
        x[i] = expf(x[i] - max);
        sum += x[i];
    }
    for (size_t i = 0; i < count; i++) {
        x[i] /= sum;
    }
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
                dot += q[i] * k[i];
            }
            weights[key] = dot;
        }
        ref_softmax(weights, a->keys);
        float *out = a->out + query * a->out_stride;
        for (size_t i = 0; i < a->width; i++) {
            out[i] = 0;
        }
        for (size_t key = 0; key < a->keys; key++) {
            const float *v = a->v + key * a->kv_stride;
            for (size_t i = 0; i < a->width; i++) {
                out[i] += weights[key] * v[i];
            }
        }
    }
}

const struct kernels kernels_ref = {
    .name = "ref",
    .cpu_flags = 0,
    .linear = ref_linear,
    .layer_norm = ref_layer_norm,
    .softmax = ref_softmax,
    .gelu = ref_gelu,
    .gelu_tanh = ref_gelu_tanh,
    .attention = ref_attention,
};
