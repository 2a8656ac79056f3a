/* peak.c - see peak.h. The portable loop is left to the compiler to vectorize, like kernels_ref. */
#include "nlp/kernels/peak.h"

enum { LANES = 64, STEPS = 64 };

static float run_ref(size_t rounds)
{
    float sums[LANES];
    for (size_t i = 0; i < LANES; i++) {
        sums[i] = (float)i;
    }
    for (size_t round = 0; round < rounds; round++) {
        for (size_t step = 0; step < STEPS; step++) {
            for (size_t i = 0; i < LANES; i++) {
                sums[i] = sums[i] * 0.9999f + 0.0001f;
            }
        }
    }
    float total = 0;
    for (size_t i = 0; i < LANES; i++) {
        total += sums[i];
    }
    return total;
}

const struct peak peak_ref = {"ref", 0, PEAK_PRODUCTS_FP32, (double)LANES *STEPS, run_ref};

const struct peak *peak_select(unsigned cpu_flags, enum peak_products products)
{
    static const struct peak *const peaks[] = {
#if defined(__x86_64__)
        &peak_x86_avx512bf16,
        &peak_x86_avx512vnni,
        &peak_x86_avx512,
        &peak_x86_avx512_int8,
        &peak_x86_avx2,
        &peak_x86_avx2_int8,
#endif
        &peak_ref,
    };
    for (size_t i = 0; i < sizeof peaks / sizeof peaks[0]; i++) {
        if (peaks[i]->products == products && (peaks[i]->cpu_flags & ~cpu_flags) == 0) {
            return peaks[i];
        }
    }
    return &peak_ref;
}
