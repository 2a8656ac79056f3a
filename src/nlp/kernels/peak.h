/* nlp/kernels/peak.h - the most multiply-adds this CPU does when nothing else stands in the way:
 * the ceiling that bench compares the encoder with, for the instruction set the kernels use. */
#ifndef NLP_KERNELS_PEAK_H
#define NLP_KERNELS_PEAK_H

#include <stddef.h>

/* A loop over registers only, with enough independent chains to hide the latency of each. */
struct peak {
    const char *name;
    unsigned cpu_flags;          /* what cpu_flags() must report for it to run */
    double multiply_adds;        /* per round */
    float (*run)(size_t rounds); /* the result means nothing but must be used */
};

extern const struct peak peak_ref;
#if defined(__x86_64__)
extern const struct peak peak_x86_avx2;
#endif

/* The fastest that these flags (cpu.h) allow. */
const struct peak *peak_select(unsigned cpu_flags);

#endif
