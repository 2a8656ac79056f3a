/* mood/fixed.h - rounding quotients of fixed-point numbers, the same on every machine. */
#ifndef MOOD_FIXED_H
#define MOOD_FIXED_H

#include <stdint.h>

/* dividend / divisor to the nearest integer, halves away from zero; divisor > 0. */
static inline int64_t fixed_divide(int64_t dividend, int64_t divisor)
{
    int64_t whole = dividend / divisor;
    int64_t rest = dividend % divisor;
    int64_t size = rest < 0 ? -rest : rest;
    if (size >= divisor - size) {
        whole += dividend < 0 ? -1 : 1;
    }
    return whole;
}

#endif
