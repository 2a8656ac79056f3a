/* x86_avx512_peak.c - see peak.h and x86_avx2_peak.c. All four kinds of AVX-512 products are here:
 * the newer instructions are spelled out, so the compiler needs no leave to use them. */
#include "nlp/kernels/peak.h"

#include "nlp/kernels/cpu.h"

#if defined(__x86_64__)

#include <immintrin.h>

enum { CHAINS = 12, STEPS = 64, FLOATS = 16, BRAINS = 32, BYTES = 64 };

/* A function of rounds that repeats one instruction, or a few, on each chain. */
#define RUN(name, instructions)                                                \
    static float name(size_t rounds)                                           \
    {                                                                          \
        const __m512i x = _mm512_set1_epi8(3);                                 \
        const __m512i weights = _mm512_set1_epi8(5);                           \
        const __m512i ones = _mm512_set1_epi16(1);                             \
        __m512i chains[CHAINS];                                                \
        for (int i = 0; i < CHAINS; i++) {                                     \
            chains[i] = _mm512_setzero_si512();                                \
        }                                                                      \
        for (size_t step = 0; step < rounds * STEPS; step++) {                 \
            _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++)          \
            {                                                                  \
                __m512i products;                                              \
                __asm__ volatile(instructions                                  \
                                 : "+v"(chains[i]), "=&v"(products)            \
                                 : "v"(weights), "v"(x), "v"(ones));           \
                (void)products;                                                \
            }                                                                  \
        }                                                                      \
        for (int i = 1; i < CHAINS; i++) {                                     \
            chains[0] = _mm512_add_epi32(chains[0], chains[i]);                \
        }                                                                      \
        return (float)_mm_extract_epi32(_mm512_castsi512_si128(chains[0]), 0); \
    }

RUN(run_avx512, "vfmadd231ps %2, %3, %0")
RUN(run_avx512_int8, "vpmaddubsw %2, %3, %1\n\tvpmaddwd %1, %4, %1\n\tvpaddd %1, %0, %0")
RUN(run_avx512vnni, "vpdpbusd %2, %3, %0")
RUN(run_avx512bf16, "vdpbf16ps %2, %3, %0")

const struct peak peak_x86_avx512 = {"avx512", CPU_FLAG_X86_AVX512, PEAK_PRODUCTS_FP32,
                                     (double)CHAINS *STEPS *FLOATS, run_avx512};
const struct peak peak_x86_avx512_int8 = {"avx512 int8", CPU_FLAG_X86_AVX512, PEAK_PRODUCTS_INT8,
                                          (double)CHAINS *STEPS *BYTES, run_avx512_int8};
const struct peak peak_x86_avx512vnni = {
    "avx512 vnni", CPU_FLAG_X86_AVX512 | CPU_FLAG_X86_AVX512VNNI, PEAK_PRODUCTS_INT8,
    (double)CHAINS *STEPS *BYTES, run_avx512vnni};
const struct peak peak_x86_avx512bf16 = {
    "avx512 bf16", CPU_FLAG_X86_AVX512 | CPU_FLAG_X86_AVX512BF16, PEAK_PRODUCTS_BF16,
    (double)CHAINS *STEPS *BRAINS, run_avx512bf16};

#endif
