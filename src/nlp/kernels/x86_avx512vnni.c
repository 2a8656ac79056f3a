/* x86_avx512vnni.c - int8 products by VNNI, which multiplies and adds four bytes in one step:
 * four times the float rate. All else is x86_avx512.c. */
#include "nlp/kernels/kernels.h"

#if defined(__x86_64__)

#include "nlp/kernels/cpu.h"
#include "nlp/kernels/x86_avx512.h"
#include "nlp/kernels/x86_avx512_tile.h"

void x86_avx512vnni_linear_s8(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                              const struct kernels_bytes *x, size_t rows, float *y, size_t y_stride)
{
    avx512_linear_bytes(matrix, epilogue, x, rows, y, y_stride);
}

const struct kernels kernels_x86_avx512vnni = {
    .name = "avx512vnni",
    .cpu_flags = CPU_FLAG_X86_AVX512 | CPU_FLAG_X86_AVX512VNNI,
    .linear = x86_avx512_linear,
    .quantise = x86_avx512_quantise,
    .linear_s8 = x86_avx512vnni_linear_s8,
    .layer_norm = x86_avx512_layer_norm,
    .softmax = x86_avx512_softmax,
    .gelu = x86_avx512_gelu,
    .gelu_tanh = x86_avx512_gelu_tanh,
    .attention = x86_avx512_attention,
};

#endif
