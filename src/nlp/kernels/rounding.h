/* nlp/kernels/rounding.h - numbers to fewer bits, the same on every machine: what all tables must
 * agree on to the last bit when they quantise. For kernels/ only. */
#ifndef NLP_KERNELS_ROUNDING_H
#define NLP_KERNELS_ROUNDING_H

#include "nlp/kernels/matrix.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* To the nearest integer, ties to even, for |x| < 2^22: adding 1.5 * 2^23 leaves no fraction bits.
 * Unlike nearbyintf it vectorises. */
static inline float rounding_nearest(float x)
{
    const float magic = 12582912.0f;
    return (x + magic) - magic;
}

static inline uint32_t rounding_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* To bfloat16: the upper half of a float, ties to even; not-a-number stays one. */
static inline uint16_t rounding_brain(float x)
{
    uint32_t bits = rounding_bits(x);
    if (isnan(x)) {
        return (uint16_t)(bits >> 16 | 0x40);
    }
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/* To a half, ties to even. Below the normal range adding 1/2 aligns the fraction to 2^-24; above,
 * the exponent is rebiased by 112 and 13 bits are rounded off. */
static inline uint16_t rounding_half(float x)
{
    uint32_t bits = rounding_bits(x);
    uint32_t sign = bits >> 16 & 0x8000;
    uint32_t magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) {
        return (uint16_t)(sign | 0x7E00);
    }
    if (magnitude >= 0x47800000) { /* 65536 */
        return (uint16_t)(sign | 0x7C00);
    }
    if (magnitude < 0x38800000) { /* 2^-14 */
        uint32_t low = rounding_bits(fabsf(x) + 0.5f) - rounding_bits(0.5f);
        return (uint16_t)(sign | low);
    }
    uint32_t rounded = magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1);
    return (uint16_t)(sign | rounded >> 13);
}

/* How a row of activations becomes unsigned bytes: byte = nearest(x * inverse) + zero. */
struct rounding_scale {
    float step;
    float inverse;
    int32_t zero;
};

/* For values from least to most; zero itself is always representable, exactly. One byte is kept
 * free at either end, because zero and the outliers' parts are rounded as well. */
static inline struct rounding_scale rounding_scale_of(float least, float most)
{
    least = least < 0 ? least : 0;
    most = most > 0 ? most : 0;
    float step = (most - least) / 253.0f;
    if (step < 0x1p-100f) {
        return (struct rounding_scale){.step = step, .inverse = 0, .zero = 0};
    }
    float inverse = 1.0f / step;
    return (struct rounding_scale){step, inverse, 1 + (int32_t)rounding_nearest(-least * inverse)};
}

/* Part `copy` of a rounded value divided into `copies` integers that differ by at most one. */
static inline int32_t rounding_part(int32_t value, int32_t copies, int32_t copy)
{
    int32_t shifted = value + copy;
    int32_t part = shifted / copies;
    return part - (shifted % copies < 0 ? 1 : 0);
}

static inline uint8_t rounding_byte(int32_t value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Divides each outlier's value among its copies, over the bytes of a row quantised without regard
 * to them, and fills the row's last step up. */
static inline void rounding_outliers(const struct kernels_outliers *outliers, const float *x,
                                     size_t inputs, const struct rounding_scale *scale,
                                     uint8_t *bytes)
{
    size_t at = inputs;
    for (size_t i = 0; outliers && i < outliers->count; i++) {
        uint32_t column = outliers->columns[i];
        int32_t copies = (int32_t)outliers->copies[i];
        int32_t value = (int32_t)rounding_nearest(x[column] * scale->inverse);
        bytes[column] = rounding_byte(rounding_part(value, copies, 0) + scale->zero);
        for (int32_t copy = 1; copy < copies; copy++) {
            bytes[at++] = rounding_byte(rounding_part(value, copies, copy) + scale->zero);
        }
    }
    for (; at % KERNELS_STEP_BYTES != 0; at++) {
        bytes[at] = 0;
    }
}

#endif
