/* x86_avx2_math.h - exp and GELU on eight floats; for the AVX2 tables only. */
#ifndef NLP_KERNELS_X86_AVX2_MATH_H
#define NLP_KERNELS_X86_AVX2_MATH_H

#include "nlp/kernels/gelu.h"

#include <immintrin.h>
#include <stddef.h>

/* e^x for x <= 0, within 1 ulp or so; below -86 the result stays at e^-86, about 4e-38, so that no
 * subnormal slows the rest down. Range reduction and polynomial as in Moshier's Cephes, expf. */
static inline __m256 avx2_exp(__m256 x)
{
    x = _mm256_max_ps(_mm256_set1_ps(-86.0f), x);
    __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504088896341f)),
                               _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
    __m256 p = _mm256_set1_ps(1.9875691500e-4f);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.3981999507e-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.3334519073e-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.1665795894e-2f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.6666665459e-1f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(5.0000001201e-1f));
    p = _mm256_fmadd_ps(p, _mm256_mul_ps(r, r), _mm256_add_ps(r, _mm256_set1_ps(1.0f)));
    __m256i exponent =
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(p, _mm256_castsi256_ps(exponent));
}

/* See gelu.h. The eight pieces' terms are one vector each. */
static inline __m256 avx2_gelu(const struct gelu_tail *tail, __m256 x)
{
    __m256 magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
    __m256 m = _mm256_min_ps(_mm256_set1_ps(GELU_MOST), magnitude);
    __m256 scale = _mm256_set1_ps(GELU_SCALE);
    __m256 round = _mm256_set1_ps(GELU_ROUND);
    __m256 nearest = _mm256_fmadd_ps(m, scale, round);
    __m256i piece = _mm256_castps_si256(nearest);
    __m256 r = _mm256_fmsub_ps(m, scale, _mm256_sub_ps(nearest, round));
    __m256 p = _mm256_permutevar8x32_ps(_mm256_load_ps(tail->terms[GELU_TERMS - 1]), piece);
#pragma GCC unroll 6
    for (size_t i = GELU_TERMS - 1; i-- > 0;) {
        __m256 term = _mm256_permutevar8x32_ps(_mm256_load_ps(tail->terms[i]), piece);
        p = _mm256_fmadd_ps(p, r, term);
    }
    return _mm256_fnmadd_ps(m, p, _mm256_max_ps(_mm256_setzero_ps(), x));
}

#endif
