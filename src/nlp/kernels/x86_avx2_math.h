/* x86_avx2_math.h - exp and the two GELUs on eight floats; for the AVX2 tables only. */
#ifndef NLP_KERNELS_X86_AVX2_MATH_H
#define NLP_KERNELS_X86_AVX2_MATH_H

#include <immintrin.h>

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

/* |x|, at most 14: beyond that both GELUs are x or 0 to float precision. Not-a-number stays. */
static inline __m256 avx2_magnitude(__m256 x)
{
    __m256 magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
    return _mm256_min_ps(_mm256_set1_ps(14.0f), magnitude);
}

/* gelu(x) = max(x, 0) - |x| / 2 * erfc(|x| / sqrt 2), which loses nothing to cancellation on the
 * negative side. erfc(z) = t (a1 + t (a2 + ...)) e^(-z^2), t = 1 / (1 + p z), is 7.1.26 of
 * Abramowitz and Stegun, good to 1.5e-7; p is divided by sqrt 2 here, and a1 to a5 by 2. */
static inline __m256 avx2_gelu(__m256 x)
{
    __m256 m = avx2_magnitude(x);
    __m256 one = _mm256_set1_ps(1.0f);
    __m256 t = _mm256_div_ps(one, _mm256_fmadd_ps(_mm256_set1_ps(0.231641888f), m, one));
    __m256 p = _mm256_set1_ps(0.5307027145f);
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-0.7265760135f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(0.7107068705f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-0.142248368f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(0.127414796f));
    __m256 e = avx2_exp(_mm256_mul_ps(_mm256_mul_ps(m, m), _mm256_set1_ps(-0.5f)));
    __m256 tail = _mm256_mul_ps(_mm256_mul_ps(p, t), _mm256_mul_ps(m, e));
    return _mm256_sub_ps(_mm256_max_ps(_mm256_setzero_ps(), x), tail);
}

/* x / 2 * (1 + tanh u) = max(x, 0) - |x| * e / (1 + e) with e = exp(-2 |u|),
 * u = sqrt(2 / pi) (x + 0.044715 x^3). */
static inline __m256 avx2_gelu_tanh(__m256 x)
{
    __m256 m = avx2_magnitude(x);
    __m256 one = _mm256_set1_ps(1.0f);
    __m256 cubic = _mm256_fmadd_ps(_mm256_mul_ps(m, m), _mm256_set1_ps(0.044715f), one);
    __m256 u2 = _mm256_mul_ps(_mm256_mul_ps(m, cubic), _mm256_set1_ps(-1.5957691216057308f));
    __m256 e = avx2_exp(u2);
    __m256 tail = _mm256_div_ps(_mm256_mul_ps(m, e), _mm256_add_ps(one, e));
    return _mm256_sub_ps(_mm256_max_ps(_mm256_setzero_ps(), x), tail);
}

#endif
