/* nlp/kernels/x86_avx512.h - what the AVX-512 tables share; see kernels.h for each. */
#ifndef NLP_KERNELS_X86_AVX512_H
#define NLP_KERNELS_X86_AVX512_H

#include "nlp/kernels/kernels.h"

void x86_avx512_linear(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                       const float *x, size_t x_stride, size_t rows, float *y, size_t y_stride);
void x86_avx512_quantise(const struct kernels_outliers *outliers, const float *x, size_t x_stride,
                         size_t rows, size_t inputs, const struct kernels_bytes *out);
void x86_avx512_layer_norm(float *x, size_t stride, size_t rows, size_t width, const float *gamma,
                           const float *beta, float epsilon);
void x86_avx512_softmax(float *x, size_t count);
void x86_avx512_gelu(float *x, size_t count);
void x86_avx512_gelu_tanh(float *x, size_t count);
void x86_avx512_attention(const struct kernels_attention *attention);

/* The part of an epilogue that is done after a tile is stored, on rows of columns outputs. */
void x86_avx512_finish(enum kernels_epilogue epilogue, float *y, size_t y_stride, size_t rows,
                       size_t columns);

/* By VNNI: for CPUs with CPU_FLAG_X86_AVX512VNNI. */
void x86_avx512vnni_linear_s8(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                              const struct kernels_bytes *x, size_t rows, float *y,
                              size_t y_stride);

#endif
