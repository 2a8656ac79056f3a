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
#endif
    return flags;
}
