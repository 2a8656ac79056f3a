/* nlp/kernels/kernels.h - the arithmetic of a transformer as one table of pure functions.
 *
 * kernels_ref is plain C and defines the right answer; every other table must agree with it to the
 * tolerance stated at each entry, on every shape. A table is chosen once, at start, by what the CPU
 * can do or by name. All matrices are row-major float32 with a stride in floats between rows;
 * nothing here allocates, reads globals or keeps state, so any number of threads may call.
 *
 * Promise to callers: a row of a result is computed by the same operations in the same order
 * whatever the other rows are and however many there are. An answer is therefore the same bits
 * alone and in a batch. That order is also the same in every table: products of F32 and F16 are
 * one chain of fused multiply-adds over the inputs, sums along a row are sixteen partial sums and
 * then a tree. All tables give the same bits, but for kernels_ref's products of floats, which are
 * not fused, and bf16, which the CPU rounds as it likes.
 */
#ifndef NLP_KERNELS_KERNELS_H
#define NLP_KERNELS_KERNELS_H

#include "base/error.h"
#include "nlp/kernels/matrix.h"

#include <stddef.h>
#include <stdint.h>

/* What a product does to its result before it leaves the registers or the nearest cache. */
enum kernels_epilogue {
    KERNELS_EPILOGUE_SET,       /* y = x W^T + b */
    KERNELS_EPILOGUE_ADD,       /* y = y + (x W^T + b): the residual connection */
    KERNELS_EPILOGUE_GELU,      /* y = gelu(x W^T + b) */
    KERNELS_EPILOGUE_GELU_TANH, /* y = gelu_tanh(x W^T + b) */
};

/* Rows quantised to unsigned bytes, each by its own step and zero: x = (byte - zero) * step. */
struct kernels_bytes {
    uint8_t *values; /* kernels_row_bytes a row, 4-byte aligned */
    size_t stride;   /* a multiple of 4 */
    float *steps;    /* [rows] */
    int32_t *zeros;  /* [rows] */
};

/* One head of one sequence: out = softmax(scale * q k^T) v. */
struct kernels_attention {
    const float *q; /* [queries x width] */
    size_t q_stride;
    const float *k; /* [keys x width] */
    const float *v; /* [keys x width] */
    size_t kv_stride;
    size_t queries;
    size_t keys;  /* the true length; there is no padding to mask */
    size_t width; /* of the head */
    float scale;  /* 1/sqrt(width) as a rule */
    float *out;   /* [queries x width]; must not overlap the inputs */
    size_t out_stride;
    float *scratch; /* kernels_attention_floats(keys, width), 64-byte aligned */
};

struct kernels {
    const char *name;
    unsigned cpu_flags; /* what cpu_flags() must report for this table to run */

    /* rows of x [rows x inputs] times a matrix of F32 or F16 into y [rows x outputs]; y must not
     * overlap x. Within sqrt(inputs) * 2^-23 * (|x| |W|^T + |b|) of the exact value, elementwise.
     */
    void (*linear)(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                   const float *x, size_t x_stride, size_t rows, float *y, size_t y_stride);

    /* Rows of x [rows x inputs] to bytes, by each row's least and most value. The same bytes in
     * every table. What follows the inputs are the outliers' copies, then zeros. */
    void (*quantise)(const struct kernels_outliers *outliers, const float *x, size_t x_stride,
                     size_t rows, size_t inputs, const struct kernels_bytes *out);

    /* The same as linear for a matrix of S8: y = sum * (step * scale) + b, where the sum over
     * (byte - zero) * weight is an exact 32-bit integer and the float operations are rounded one
     * by one. For SET and ADD the same bits in every table. */
    void (*linear_s8)(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                      const struct kernels_bytes *x, size_t rows, float *y, size_t y_stride);

    /* Rows of x to bfloat16, ties to even, filled up with a zero to an even count. Strides in
     * elements, the second even. NULL, like linear_bf16, where the CPU has no such products. */
    void (*round_bf16)(const float *x, size_t x_stride, size_t rows, size_t inputs, uint16_t *out,
                       size_t out_stride);

    /* The same as linear for a matrix of BF16: the products are exact and within
     * inputs * 2^-23 * (|x| |W|^T + |b|) when summed; subnormals may count as zero. */
    void (*linear_bf16)(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                        const uint16_t *x, size_t x_stride, size_t rows, float *y, size_t y_stride);

    /* In place, each of rows: x = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the
     * biased variance about the mean (two passes). Within 2e-6 * max(1, |result|). */
    void (*layer_norm)(float *x, size_t stride, size_t rows, size_t width, const float *gamma,
                       const float *beta, float epsilon);

    /* In place: x = exp(x - max) / sum. Within 5e-7. count >= 1. */
    void (*softmax)(float *x, size_t count);

    /* In place: x = x * 0.5 * (1 + erf(x / sqrt(2))). Within 1.2e-7 * max(1, |x|). */
    void (*gelu)(float *x, size_t count);

    /* In place: x = x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))). Within
     * 1.2e-7 * max(1, |x|). */
    void (*gelu_tanh)(float *x, size_t count);

    /* Within 2e-6 of the largest |v|. */
    void (*attention)(const struct kernels_attention *attention);
};

extern const struct kernels kernels_ref;
#if defined(__x86_64__)
extern const struct kernels kernels_x86_avx2;       /* named "avx2": AVX2, FMA, F16C */
extern const struct kernels kernels_x86_avx512;     /* "avx512": F, BW, DQ, VL */
extern const struct kernels kernels_x86_avx512vnni; /* "avx512vnni": the same, int8 by VNNI */
extern const struct kernels kernels_x86_avx512bf16; /* "avx512bf16": the same, bf16 as well */
#elif defined(__aarch64__)
extern const struct kernels kernels_neon; /* named "neon": what every 64-bit ARM has */
#endif

/* The best table for these flags (see cpu.h). Never fails: the reference runs everywhere. */
const struct kernels *kernels_select(unsigned cpu_flags);

/* The table of that name; NULL name selects the best. The error lists the names that run here. */
int kernels_find(const char *name, unsigned cpu_flags, const struct kernels **kernels,
                 struct error *err);

/* Walks all tables of this build, the best first, whether or not they run here; NULL at the end. */
const struct kernels *kernels_at(size_t index);

/* Scratch that attention needs for sequences of up to keys tokens. */
size_t kernels_attention_floats(size_t keys, size_t width);

#endif
