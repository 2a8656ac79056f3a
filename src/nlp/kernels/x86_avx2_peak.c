/* x86_avx2_peak.c - see peak.h. Twelve chains of fused multiply-adds: two units of latency four or
 * five need eight to ten in flight, and twelve with their operands still fit sixteen registers. */
#include "nlp/kernels/peak.h"

#include "nlp/kernels/cpu.h"

#if defined(__x86_64__)

#include <immintrin.h>

enum { CHAINS = 12, STEPS = 64, LANES = 8 };

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
            chains[i] = _mm256_fmadd_ps(chains[i], factor, term);
        }
    }
    float lanes[LANES];
    float total = 0;
    for (int i = 1; i < CHAINS; i++) {
        chains[0] = _mm256_add_ps(chains[0], chains[i]);
    }
    _mm256_storeu_ps(lanes, chains[0]);
    for (int i = 0; i < LANES; i++) {
        total += lanes[i];
    }
    return total;
}

const struct peak peak_x86_avx2 = {"avx2", CPU_FLAG_X86_AVX2, (double)CHAINS *STEPS *LANES,
                                   run_avx2};

#endif
