/* x86_avx512bf16.c - bfloat16 products, two a step: twice the float rate at three significant
 * digits. All else is x86_avx512.c and x86_avx512vnni.c. */
#include "nlp/kernels/kernels.h"

#if defined(__x86_64__)

#include "nlp/kernels/cpu.h"
#include "nlp/kernels/x86_avx512.h"
#include "nlp/kernels/x86_avx512_tile.h"

static void avx512_round_bf16(const float *x, size_t x_stride, size_t rows, size_t inputs,
                              uint16_t *out, size_t out_stride)
{
    enum { LANES = 16 };
    for (size_t row = 0; row < rows; row++, x += x_stride, out += out_stride) {
        size_t i = 0;
        for (; i + LANES <= inputs; i += LANES) {
            __m256i values = (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + i));
            _mm256_storeu_si256((__m256i *)(void *)(out + i), values);
        }
        if (i < inputs) {
            __mmask16 rest = (__mmask16)((1u << (inputs - i)) - 1);
            __mmask16 even = (__mmask16)((1u << (inputs - i + inputs % 2)) - 1);
            __m256i values = (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(rest, x + i));
            _mm256_mask_storeu_epi16(out + i, even, values);
        }
    }
}

static void avx512_linear_bf16(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                               const uint16_t *x, size_t x_stride, size_t rows, float *y,
                               size_t y_stride)
{
    const struct avx512_product p = {.x = (const unsigned char *)x,
                                     .x_stride = x_stride * sizeof *x,
                                     .y = y,
                                     .y_stride = y_stride};
    avx512_linear(KERNELS_STORAGE_BF16, matrix, epilogue, p, rows);
}

const struct kernels kernels_x86_avx512bf16 = {
    .name = "avx512bf16",
    .cpu_flags = CPU_FLAG_X86_AVX512 | CPU_FLAG_X86_AVX512VNNI | CPU_FLAG_X86_AVX512BF16,
    .linear = x86_avx512_linear,
    .quantise = x86_avx512_quantise,
    .linear_s8 = x86_avx512vnni_linear_s8,
    .round_bf16 = avx512_round_bf16,
    .linear_bf16 = avx512_linear_bf16,
    .layer_norm = x86_avx512_layer_norm,
    .softmax = x86_avx512_softmax,
    .gelu = x86_avx512_gelu,
    .gelu_tanh = x86_avx512_gelu_tanh,
    .attention = x86_avx512_attention,
};

#endif
