/* neon_math.h - exp and the two GELUs on four floats; for the NEON table only. The formulas are
 * those of x86_avx2_math.h, whose comments give their sources, in the same order. */
#ifndef NLP_KERNELS_NEON_MATH_H
#define NLP_KERNELS_NEON_MATH_H

#include <arm_neon.h>

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

static inline float32x4_t neon_magnitude(float32x4_t x)
{
    return neon_min(vdupq_n_f32(14.0f), vabsq_f32(x));
}

static inline float32x4_t neon_gelu(float32x4_t x)
{
    float32x4_t m = neon_magnitude(x);
    float32x4_t one = vdupq_n_f32(1.0f);
    float32x4_t t = vdivq_f32(one, vfmaq_f32(one, vdupq_n_f32(0.231641888f), m));
    float32x4_t p = vdupq_n_f32(0.5307027145f);
    p = vfmaq_f32(vdupq_n_f32(-0.7265760135f), p, t);
    p = vfmaq_f32(vdupq_n_f32(0.7107068705f), p, t);
    p = vfmaq_f32(vdupq_n_f32(-0.142248368f), p, t);
    p = vfmaq_f32(vdupq_n_f32(0.127414796f), p, t);
    float32x4_t e = neon_exp(vmulq_n_f32(vmulq_f32(m, m), -0.5f));
    float32x4_t tail = vmulq_f32(vmulq_f32(p, t), vmulq_f32(m, e));
    return vsubq_f32(neon_max(vdupq_n_f32(0), x), tail);
}

static inline float32x4_t neon_gelu_tanh(float32x4_t x)
{
    float32x4_t m = neon_magnitude(x);
    float32x4_t one = vdupq_n_f32(1.0f);
    float32x4_t cubic = vfmaq_f32(one, vmulq_f32(m, m), vdupq_n_f32(0.044715f));
    float32x4_t e = neon_exp(vmulq_n_f32(vmulq_f32(m, cubic), -1.5957691216057308f));
    float32x4_t tail = vdivq_f32(vmulq_f32(m, e), vaddq_f32(one, e));
    return vsubq_f32(neon_max(vdupq_n_f32(0), x), tail);
}

#endif
