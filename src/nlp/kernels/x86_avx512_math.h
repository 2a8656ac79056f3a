/* x86_avx512_math.h - exp and GELU on sixteen floats; for the AVX-512 tables only. The formula of
 * exp is that of x86_avx2_math.h, whose comment gives its source; gelu.h explains the other. */
#ifndef NLP_KERNELS_X86_AVX512_MATH_H
#define NLP_KERNELS_X86_AVX512_MATH_H

#include "nlp/kernels/gelu.h"

#include <immintrin.h>
#include <stddef.h>

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

/* A gelu_tail ready for use. */
struct avx512_tail {
    __m512 terms[GELU_TERMS];
};

static inline struct avx512_tail avx512_load_tail(const struct gelu_tail *tail)
{
    struct avx512_tail loaded;
#pragma GCC unroll 7
    for (size_t i = 0; i < GELU_TERMS; i++) {
        loaded.terms[i] = _mm512_broadcast_f32x8(_mm256_load_ps(tail->terms[i]));
    }
    return loaded;
}

static inline __m512 avx512_gelu(const struct avx512_tail *tail, __m512 x)
{
    __m512 m = _mm512_min_ps(_mm512_set1_ps(GELU_MOST), _mm512_abs_ps(x));
    __m512 scale = _mm512_set1_ps(GELU_SCALE);
    __m512 round = _mm512_set1_ps(GELU_ROUND);
    __m512 nearest = _mm512_fmadd_ps(m, scale, round);
    __m512i piece = _mm512_castps_si512(nearest);
    __m512 r = _mm512_fmsub_ps(m, scale, _mm512_sub_ps(nearest, round));
    __m512 p = _mm512_permutexvar_ps(piece, tail->terms[GELU_TERMS - 1]);
#pragma GCC unroll 6
    for (size_t i = GELU_TERMS - 1; i-- > 0;) {
        p = _mm512_fmadd_ps(p, r, _mm512_permutexvar_ps(piece, tail->terms[i]));
    }
    return _mm512_fnmadd_ps(m, p, _mm512_max_ps(_mm512_setzero_ps(), x));
}

#endif
