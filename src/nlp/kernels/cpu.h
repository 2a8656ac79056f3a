/* nlp/kernels/cpu.h - what this CPU can run, in the few groups that kernels are written for. */
#ifndef NLP_KERNELS_CPU_H
#define NLP_KERNELS_CPU_H

enum {
    CPU_FLAG_X86_AVX2 = 1u << 0,   /* AVX2, FMA and F16C, and the system saves the registers */
    CPU_FLAG_X86_AVX512 = 1u << 1, /* AVX-512 F, BW, DQ and VL, and all of the above */
    CPU_FLAG_X86_AVX512VNNI = 1u << 2,
    CPU_FLAG_X86_AVX512BF16 = 1u << 3,
    CPU_FLAG_NEON = 1u << 4,
};

/* The flags of the machine we run on. */
unsigned cpu_flags(void);

#endif
