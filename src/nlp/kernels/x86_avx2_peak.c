/* x86_avx2_peak.c - see peak.h. Twelve chains: two units of latency four or five need eight to ten
 * in flight, and twelve with their operands still fit sixteen registers. Instructions are spelled
 * out so that no compiler finds a shorter way. */
#include "nlp/kernels/peak.h"

#include "nlp/kernels/cpu.h"

#if defined(__x86_64__)

#include <immintrin.h>

enum { CHAINS = 12, STEPS = 64, FLOATS = 8, BYTES = 32 };

static float run_avx2(size_t rounds)
{
    const __m256 factor = _mm256_set1_ps(0.9999f);
    const __m256 term = _mm256_set1_ps(0.0001f);
    __m256 chains[CHAINS];
    for (int i = 0; i < CHAINS; i++) {
        chains[i] = _mm256_set1_ps((float)i);
    }
    for (size_t step = 0; step < rounds * STEPS; step++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) {
            __asm__ volatile("vfmadd231ps %1, %2, %0" : "+x"(chains[i]) : "x"(factor), "x"(term));
        }
    }
    for (int i = 1; i < CHAINS; i++) {
        chains[0] = _mm256_add_ps(chains[0], chains[i]);
    }
    return _mm256_cvtss_f32(chains[0]);
}

/* What int8 costs here: products in pairs, pairs in fours, and the sum. */
static float run_avx2_int8(size_t rounds)
{
    const __m256i x = _mm256_set1_epi8(3);
    const __m256i weights = _mm256_set1_epi8(5);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i chains[CHAINS];
    for (int i = 0; i < CHAINS; i++) {
        chains[i] = _mm256_set1_epi32(i);
    }
    for (size_t step = 0; step < rounds * STEPS; step++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) {
            __m256i products;
            __asm__ volatile("vpmaddubsw %2, %3, %1\n\tvpmaddwd %1, %4, %1\n\tvpaddd %1, %0, %0"
                             : "+x"(chains[i]), "=&x"(products)
                             : "x"(weights), "x"(x), "x"(ones));
        }
    }
    for (int i = 1; i < CHAINS; i++) {
        chains[0] = _mm256_add_epi32(chains[0], chains[i]);
    }
    return (float)_mm256_extract_epi32(chains[0], 0);
}

const struct peak peak_x86_avx2 = {"avx2", CPU_FLAG_X86_AVX2, PEAK_PRODUCTS_FP32,
                                   (double)CHAINS *STEPS *FLOATS, run_avx2};
const struct peak peak_x86_avx2_int8 = {"avx2 int8", CPU_FLAG_X86_AVX2, PEAK_PRODUCTS_INT8,
                                        (double)CHAINS *STEPS *BYTES, run_avx2_int8};

#endif
