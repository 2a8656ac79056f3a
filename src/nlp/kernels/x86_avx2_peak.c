/* x86_avx2_peak.c - see peak.h. Instructions are spelled out so that no compiler finds a shorter
 * way, and so that nothing needs the compiler's leave. */
#include "nlp/kernels/peak.h"

#include "nlp/kernels/cpu.h"
#include "nlp/kernels/peak_chains.h"

#if defined(__x86_64__)

#include <immintrin.h>

enum { FLOATS = 8, BYTES = 32 };

#define START(i) __m256i chain##i = _mm256_setzero_si256();
#define ADD(i)   sum = _mm256_add_epi32(sum, chain##i);
#define FMA(i)   __asm__ volatile("vfmadd231ps %1, %2, %0" : "+x"(chain##i) : "x"(weights), "x"(x));

/* What int8 costs here: products in pairs, pairs in fours, and the sum. */
#define PAIRS(i)                                                                         \
    __asm__ volatile("vpmaddubsw %2, %3, %1\n\tvpmaddwd %1, %4, %1\n\tvpaddd %1, %0, %0" \
                     : "+x"(chain##i), "=&x"(products)                                   \
                     : "x"(weights), "x"(x), "x"(ones));

static float run_avx2(size_t rounds)
{
    const __m256i x = _mm256_set1_epi8(3);
    const __m256i weights = _mm256_set1_epi8(5);
    __m256i sum = _mm256_setzero_si256();
    PEAK_TWELVE(START)
    for (size_t round = 0; round < rounds; round++) {
        PEAK_TWELVE(FMA)
    }
    PEAK_TWELVE(ADD)
    return (float)_mm256_extract_epi32(sum, 0);
}

static float run_avx2_int8(size_t rounds)
{
    const __m256i x = _mm256_set1_epi8(3);
    const __m256i weights = _mm256_set1_epi8(5);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sum = _mm256_setzero_si256();
    __m256i products;
    PEAK_TWELVE(START)
    for (size_t round = 0; round < rounds; round++) {
        PEAK_TWELVE(PAIRS)
    }
    PEAK_TWELVE(ADD)
    return (float)_mm256_extract_epi32(sum, 0);
}

const struct peak peak_x86_avx2 = {"avx2", CPU_FLAG_X86_AVX2, PEAK_PRODUCTS_FP32,
                                   PEAK_CHAINS *FLOATS, run_avx2};
const struct peak peak_x86_avx2_int8 = {"avx2 int8", CPU_FLAG_X86_AVX2, PEAK_PRODUCTS_INT8,
                                        PEAK_CHAINS *BYTES, run_avx2_int8};

#endif
