/* neon_math.h - exp and GELU on four floats; for the NEON table only. The formulas are
 * those of x86_avx2_math.h, whose comments give their sources, in the same order. */
#ifndef NLP_KERNELS_NEON_MATH_H
#define NLP_KERNELS_NEON_MATH_H

#include "nlp/kernels/gelu.h"

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

/* a > b ? a : b and a < b ? a : b, with not-a-number in b handed on: what x86 calls max and min. */
static inline float32x4_t neon_max(float32x4_t a, float32x4_t b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

static inline float32x4_t neon_min(float32x4_t a, float32x4_t b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}

static inline float32x4_t neon_exp(float32x4_t x)
{
    x = neon_max(vdupq_n_f32(-86.0f), x);
    float32x4_t n = vrndnq_f32(vmulq_n_f32(x, 1.44269504088896341f));
    float32x4_t r = vfmsq_f32(x, n, vdupq_n_f32(0.693359375f));
    r = vfmsq_f32(r, n, vdupq_n_f32(-2.12194440e-4f));
    float32x4_t p = vdupq_n_f32(1.9875691500e-4f);
    p = vfmaq_f32(vdupq_n_f32(1.3981999507e-3f), p, r);
    p = vfmaq_f32(vdupq_n_f32(8.3334519073e-3f), p, r);
    p = vfmaq_f32(vdupq_n_f32(4.1665795894e-2f), p, r);
    p = vfmaq_f32(vdupq_n_f32(1.6666665459e-1f), p, r);
    p = vfmaq_f32(vdupq_n_f32(5.0000001201e-1f), p, r);
    p = vfmaq_f32(vaddq_f32(r, vdupq_n_f32(1.0f)), p, vmulq_f32(r, r));
    int32x4_t exponent = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    return vmulq_f32(p, vreinterpretq_f32_s32(exponent));
}

/* See gelu.h. A term of the eight pieces is 32 bytes, and a piece's is found by its four. */
static inline float32x4_t neon_term(const float *term, uint8x16_t bytes)
{
    uint8x16x2_t pieces = {{vld1q_u8((const uint8_t *)term), vld1q_u8((const uint8_t *)term + 16)}};
    return vreinterpretq_f32_u8(vqtbl2q_u8(pieces, bytes));
}

static inline float32x4_t neon_gelu(const struct gelu_tail *tail, float32x4_t x)
{
    float32x4_t m = neon_min(vdupq_n_f32(GELU_MOST), vabsq_f32(x));
    float32x4_t scale = vdupq_n_f32(GELU_SCALE);
    float32x4_t round = vdupq_n_f32(GELU_ROUND);
    float32x4_t nearest = vfmaq_f32(round, m, scale);
    uint32x4_t piece = vandq_u32(vreinterpretq_u32_f32(nearest), vdupq_n_u32(GELU_PIECES - 1));
    uint32x4_t four = vmlaq_n_u32(vdupq_n_u32(0x03020100), piece, 0x04040404);
    uint8x16_t bytes = vreinterpretq_u8_u32(four);
    float32x4_t r = vfmaq_f32(vsubq_f32(round, nearest), m, scale);
    float32x4_t p = neon_term(tail->terms[GELU_TERMS - 1], bytes);
#pragma GCC unroll 6
    for (size_t i = GELU_TERMS - 1; i-- > 0;) {
        p = vfmaq_f32(neon_term(tail->terms[i], bytes), p, r);
    }
    return vfmsq_f32(neon_max(vdupq_n_f32(0), x), m, p);
}

#endif
