/* cpu.c - see cpu.h. The compiler's own probe also asks whether the system saves wide registers. */
#include "nlp/kernels/cpu.h"

unsigned cpu_flags(void)
{
    unsigned flags = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("f16c")) {
        flags |= CPU_FLAG_X86_AVX2;
    }
    if (flags && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        flags |= CPU_FLAG_X86_AVX512;
        flags |= __builtin_cpu_supports("avx512vnni") ? CPU_FLAG_X86_AVX512VNNI : 0;
        flags |= __builtin_cpu_supports("avx512bf16") ? CPU_FLAG_X86_AVX512BF16 : 0;
    }
#elif defined(__aarch64__)
    flags |= CPU_FLAG_NEON; /* part of the architecture */
#endif
    return flags;
}
