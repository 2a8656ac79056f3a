/* nlp/kernels/peak.h - the most multiply-adds this CPU does when nothing else stands in the way:
 * the ceiling that bench compares the encoder with, for the instructions that its kernels use. */
#ifndef NLP_KERNELS_PEAK_H
#define NLP_KERNELS_PEAK_H

#include <stddef.h>

/* Which products. */
enum peak_products { PEAK_PRODUCTS_FP32, PEAK_PRODUCTS_BF16, PEAK_PRODUCTS_INT8 };

/* A loop over registers only, with enough independent chains to hide the latency of each. */
struct peak {
    const char *name;
    unsigned cpu_flags; /* what cpu_flags() must report for it to run */
    enum peak_products products;
    double multiply_adds;        /* per round */
    float (*run)(size_t rounds); /* the result means nothing but must be used */
};

extern const struct peak peak_ref;
#if defined(__x86_64__)
extern const struct peak peak_x86_avx2;
extern const struct peak peak_x86_avx2_int8;
extern const struct peak peak_x86_avx512;
extern const struct peak peak_x86_avx512_int8;
extern const struct peak peak_x86_avx512vnni;
extern const struct peak peak_x86_avx512bf16;
#endif

/* The fastest for those products that these flags allow: give the flags of the kernels in use. */
const struct peak *peak_select(unsigned cpu_flags, enum peak_products products);

#endif
