/* nlp/kernels/kernels.h - the arithmetic of a transformer as one table of pure functions.
 *
 * kernels_ref is plain C and defines the right answer; every other table must agree with it to the
 * tolerance stated at each entry, on every shape. A table is chosen once, at start, by what the CPU
 * can do or by name. All matrices are row-major float32 with a stride in floats between rows;
 * nothing here allocates, reads globals or keeps state, so any number of threads may call.
 *
 * Promise to callers: a row of a result is computed by the same operations in the same order
 * whatever the other rows are and however many there are. An answer is therefore the same bits
 * alone and in a batch (but not the same bits in two different tables).
 */
#ifndef NLP_KERNELS_KERNELS_H
#define NLP_KERNELS_KERNELS_H

#include "base/error.h"

#include <stddef.h>

/* Weights are repacked once at load into panels of this many outputs, so that the inner loop of a
 * product reads memory strictly forwards. */
enum { KERNELS_PANEL = 16 };

/* How packed weights are held. Only files in kernels/ look inside a matrix, so a further storage is
 * added here, in kernels_matrix_set_rows and in each table's linear. */
enum kernels_storage { KERNELS_STORAGE_F32 };

/* W [outputs x inputs] and b [outputs], packed: element W[o][i] is at
 * panels[(o / 16) * inputs * 16 + i * 16 + o % 16]; outputs past the last are zero. */
struct kernels_matrix {
    enum kernels_storage storage;
    size_t outputs;
    size_t inputs;
    float *panels; /* borrowed, 64-byte aligned */
    float *bias;   /* borrowed, padded with zeros to whole panels */
};

/* What a product does to its result before it leaves the registers or the nearest cache. */
enum kernels_epilogue {
    KERNELS_EPILOGUE_SET,       /* y = x W^T + b */
    KERNELS_EPILOGUE_ADD,       /* y = y + (x W^T + b): the residual connection */
    KERNELS_EPILOGUE_GELU,      /* y = gelu(x W^T + b) */
    KERNELS_EPILOGUE_GELU_TANH, /* y = gelu_tanh(x W^T + b) */
};

/* One head of one sequence: out = softmax(q k^T) v, with 1/sqrt(width) already folded into q. */
struct kernels_attention {
    const float *q; /* [queries x width] */
    size_t q_stride;
    const float *k; /* [keys x width] */
    const float *v; /* [keys x width] */
    size_t kv_stride;
    size_t queries;
    size_t keys;  /* the true length; there is no padding to mask */
    size_t width; /* of the head */
    float *out;   /* [queries x width]; must not overlap the inputs */
    size_t out_stride;
    float *scratch; /* kernels_attention_floats(keys, width), 64-byte aligned */
};

struct kernels {
    const char *name;
    unsigned cpu_flags; /* what cpu_flags() must report for this table to run */

    /* rows of x [rows x inputs] times the matrix into y [rows x outputs]; y must not overlap x.
     * Within sqrt(inputs) * 2^-23 * (|x| |W|^T + |b|) of the exact value, elementwise. */
    void (*linear)(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                   const float *x, size_t x_stride, size_t rows, float *y, size_t y_stride);

    /* In place, each of rows: x = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the
     * biased variance about the mean (two passes). Within 2e-6 * max(1, |result|). */
    void (*layer_norm)(float *x, size_t stride, size_t rows, size_t width, const float *gamma,
                       const float *beta, float epsilon);

    /* In place: x = exp(x - max) / sum. Within 5e-7. count >= 1. */
    void (*softmax)(float *x, size_t count);

    /* In place: x = x * 0.5 * (1 + erf(x / sqrt(2))). Within 3e-7 * max(1, |x|). */
    void (*gelu)(float *x, size_t count);

    /* In place: x = x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))). Within
     * 3e-7 * max(1, |x|). */
    void (*gelu_tanh)(float *x, size_t count);

    /* Within 2e-6 of the largest |v|. */
    void (*attention)(const struct kernels_attention *attention);
};

extern const struct kernels kernels_ref;
#if defined(__x86_64__)
extern const struct kernels kernels_x86_avx2; /* named "avx2": AVX2, FMA, F16C */
#endif

/* The best table for these flags (see cpu.h). Never fails: the reference runs everywhere. */
const struct kernels *kernels_select(unsigned cpu_flags);

/* The table of that name; NULL name selects the best. The error lists the names that run here. */
int kernels_find(const char *name, unsigned cpu_flags, const struct kernels **kernels,
                 struct error *err);

/* Walks all tables of this build, the best first, whether or not they run here; NULL at the end. */
const struct kernels *kernels_at(size_t index);

/* Floats that a packed matrix takes, bias included; a multiple of 16. */
size_t kernels_matrix_floats(size_t outputs, size_t inputs);

/* Makes a matrix of zeros in memory of that many floats, 64-byte aligned. */
void kernels_matrix_init(struct kernels_matrix *matrix, size_t outputs, size_t inputs,
                         float *memory);

/* Packs rows [rows x inputs] and bias [rows] as outputs first .. first + rows, each times scale. */
void kernels_matrix_set_rows(struct kernels_matrix *matrix, size_t first, size_t rows,
                             const float *weights, const float *bias, float scale);

/* Scratch that attention needs for sequences of up to keys tokens. */
size_t kernels_attention_floats(size_t keys, size_t width);

#endif
