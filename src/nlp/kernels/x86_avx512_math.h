/* x86_avx512_math.h - exp and the two GELUs on sixteen floats; for the AVX-512 tables only. The
 * formulas are those of x86_avx2_math.h, whose comments give their sources. */
#ifndef NLP_KERNELS_X86_AVX512_MATH_H
#define NLP_KERNELS_X86_AVX512_MATH_H

#include <immintrin.h>

/* Without optimising GCC's _mm512_roundscale_ps is a macro that hands an unsigned mask to a signed
 * parameter. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
static inline __m512 avx512_exp(__m512 x)
{
    x = _mm512_max_ps(_mm512_set1_ps(-86.0f), x);
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504088896341f)),
                                    _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_fmadd_ps(p, _mm512_mul_ps(r, r), _mm512_add_ps(r, _mm512_set1_ps(1.0f)));
    return _mm512_scalef_ps(p, n);
}
#pragma GCC diagnostic pop

static inline __m512 avx512_magnitude(__m512 x)
{
    return _mm512_min_ps(_mm512_set1_ps(14.0f), _mm512_abs_ps(x));
}

static inline __m512 avx512_gelu(__m512 x)
{
    __m512 m = avx512_magnitude(x);
    __m512 one = _mm512_set1_ps(1.0f);
    __m512 t = _mm512_div_ps(one, _mm512_fmadd_ps(_mm512_set1_ps(0.231641888f), m, one));
    __m512 p = _mm512_set1_ps(0.5307027145f);
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.7265760135f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.7107068705f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.142248368f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.127414796f));
    __m512 e = avx512_exp(_mm512_mul_ps(_mm512_mul_ps(m, m), _mm512_set1_ps(-0.5f)));
    __m512 tail = _mm512_mul_ps(_mm512_mul_ps(p, t), _mm512_mul_ps(m, e));
    return _mm512_sub_ps(_mm512_max_ps(_mm512_setzero_ps(), x), tail);
}

static inline __m512 avx512_gelu_tanh(__m512 x)
{
    __m512 m = avx512_magnitude(x);
    __m512 one = _mm512_set1_ps(1.0f);
    __m512 cubic = _mm512_fmadd_ps(_mm512_mul_ps(m, m), _mm512_set1_ps(0.044715f), one);
    __m512 u2 = _mm512_mul_ps(_mm512_mul_ps(m, cubic), _mm512_set1_ps(-1.5957691216057308f));
    __m512 e = avx512_exp(u2);
    __m512 tail = _mm512_div_ps(_mm512_mul_ps(m, e), _mm512_add_ps(one, e));
    return _mm512_sub_ps(_mm512_max_ps(_mm512_setzero_ps(), x), tail);
}

#endif
