/* tensor.c - see tensor.h. Elements to float, exactly for F32, F16 and BF16. It also runs per
 * token, when the encoder looks up embeddings, so the loops are branch-free and compilers vectorise
 * them. Assumes a little-endian machine, like the rest. */
#include "nlp/tensor.h"

#include <assert.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensor data is little-endian");

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The exponent is rebiased by a multiplication with 2^(127 - 15), which also normalises subnormal
 * halves; infinities and NaNs then get their all-ones exponent back. */
static float float_of_half(uint16_t half)
{
    const float rebias = 0x1p112f;
    uint32_t magnitude = (uint32_t)(half & 0x7FFF) << 13;
    uint32_t special = (half & 0x7C00) == 0x7C00 ? 0x7F800000u : 0u;
    uint32_t bits = bits_of_float(float_of_bits(magnitude) * rebias) | special;
    return float_of_bits(bits | (uint32_t)(half & 0x8000) << 16);
}

static void widen_halves(const unsigned char *bytes, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, bytes + 2 * i, sizeof half);
        out[i] = float_of_half(half);
    }
}

static void widen_brains(const unsigned char *bytes, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t brain;
        memcpy(&brain, bytes + 2 * i, sizeof brain);
        out[i] = float_of_bits((uint32_t)brain << 16);
    }
}

static void widen_doubles(const unsigned char *bytes, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, bytes + 8 * i, sizeof value);
        out[i] = (float)value;
    }
}

void tensor_widen(enum tensor_dtype dtype, const unsigned char *bytes, size_t count, float *out)
{
    switch (dtype) {
    case TENSOR_F64:
        widen_doubles(bytes, count, out);
        return;
    case TENSOR_F32:
        memcpy(out, bytes, count * sizeof *out);
        return;
    case TENSOR_F16:
        widen_halves(bytes, count, out);
        return;
    case TENSOR_BF16:
        widen_brains(bytes, count, out);
        return;
    case TENSOR_OTHER:
        break;
    }
    assert(!"a tensor of this type is never widened");
}

size_t tensor_element_bytes(enum tensor_dtype dtype)
{
    switch (dtype) {
    case TENSOR_F64:
        return 8;
    case TENSOR_F32:
        return 4;
    case TENSOR_F16:
    case TENSOR_BF16:
        return 2;
    case TENSOR_OTHER:
        break;
    }
    return 0;
}
