/* fuzz.h - what a fuzz target is, and how to stop one that found something. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* libFuzzer's entry: tries one input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the process where a promise is broken, in builds without assertions too. */
static inline void fuzz_require(int holds)
{
    if (!holds) {
        abort();
    }
}

#endif
