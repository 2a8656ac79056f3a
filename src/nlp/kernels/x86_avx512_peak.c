/* x86_avx512_peak.c - see peak.h and x86_avx2_peak.c; all four kinds of AVX-512 products. */
#include "nlp/kernels/peak.h"

#include "nlp/kernels/cpu.h"
#include "nlp/kernels/peak_chains.h"

#if defined(__x86_64__)

#include <immintrin.h>

enum { FLOATS = 16, BRAINS = 32, BYTES = 64 };

#define START(i) __m512i chain##i = _mm512_setzero_si512();
#define ADD(i)   sum = _mm512_add_epi32(sum, chain##i);
#define FMA(i)   __asm__ volatile("vfmadd231ps %1, %2, %0" : "+v"(chain##i) : "v"(weights), "v"(x));
#define VNNI(i)  __asm__ volatile("vpdpbusd %1, %2, %0" : "+v"(chain##i) : "v"(weights), "v"(x));
#define BF16(i)  __asm__ volatile("vdpbf16ps %1, %2, %0" : "+v"(chain##i) : "v"(weights), "v"(x));
#define PAIRS(i)                                                                         \
    __asm__ volatile("vpmaddubsw %2, %3, %1\n\tvpmaddwd %1, %4, %1\n\tvpaddd %1, %0, %0" \
                     : "+v"(chain##i), "=&v"(products)                                   \
                     : "v"(weights), "v"(x), "v"(ones));

/* A function of rounds that takes one step on each chain. */
#define RUN(name, step)                                                  \
    static float name(size_t rounds)                                     \
    {                                                                    \
        const __m512i x = _mm512_set1_epi8(3);                           \
        const __m512i weights = _mm512_set1_epi8(5);                     \
        __m512i sum = _mm512_setzero_si512();                            \
        PEAK_TWELVE(START)                                               \
        for (size_t round = 0; round < rounds; round++) {                \
            PEAK_TWELVE(step)                                            \
        }                                                                \
        PEAK_TWELVE(ADD)                                                 \
        return (float)_mm_extract_epi32(_mm512_castsi512_si128(sum), 0); \
    }

RUN(run_avx512, FMA)
RUN(run_avx512vnni, VNNI)
RUN(run_avx512bf16, BF16)

static float run_avx512_int8(size_t rounds)
{
    const __m512i x = _mm512_set1_epi8(3);
    const __m512i weights = _mm512_set1_epi8(5);
    const __m512i ones = _mm512_set1_epi16(1);
    __m512i sum = _mm512_setzero_si512();
    __m512i products;
    PEAK_TWELVE(START)
    for (size_t round = 0; round < rounds; round++) {
        PEAK_TWELVE(PAIRS)
    }
    PEAK_TWELVE(ADD)
    return (float)_mm_extract_epi32(_mm512_castsi512_si128(sum), 0);
}

const struct peak peak_x86_avx512 = {"avx512", CPU_FLAG_X86_AVX512, PEAK_PRODUCTS_FP32,
                                     PEAK_CHAINS *FLOATS, run_avx512};
const struct peak peak_x86_avx512_int8 = {"avx512 int8", CPU_FLAG_X86_AVX512, PEAK_PRODUCTS_INT8,
                                          PEAK_CHAINS *BYTES, run_avx512_int8};
const struct peak peak_x86_avx512vnni = {"avx512 vnni",
                                         CPU_FLAG_X86_AVX512 | CPU_FLAG_X86_AVX512VNNI,
                                         PEAK_PRODUCTS_INT8, PEAK_CHAINS *BYTES, run_avx512vnni};
const struct peak peak_x86_avx512bf16 = {"avx512 bf16",
                                         CPU_FLAG_X86_AVX512 | CPU_FLAG_X86_AVX512BF16,
                                         PEAK_PRODUCTS_BF16, PEAK_CHAINS *BRAINS, run_avx512bf16};

#endif
