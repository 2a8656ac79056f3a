/* allocations.h - how often the program asked for memory, for tests of what should not ask. Counted
 * by standing in for malloc and its kin, which sanitizers do themselves: under them, and without
 * glibc, nothing can be counted. Include it in one file of a program. */
#ifndef TESTS_UNIT_ALLOCATIONS_H
#define TESTS_UNIT_ALLOCATIONS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CAN_COUNT_ALLOCATIONS 1

static atomic_size_t allocations_asked;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t unit, size_t size);

void *malloc(size_t size)
{
    atomic_fetch_add(&allocations_asked, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    atomic_fetch_add(&allocations_asked, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    atomic_fetch_add(&allocations_asked, 1);
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t unit, size_t size)
{
    atomic_fetch_add(&allocations_asked, 1);
    return __libc_memalign(unit, size);
}

static inline size_t allocations_so_far(void)
{
    return atomic_load(&allocations_asked);
}
#else
#define CAN_COUNT_ALLOCATIONS 0

static inline size_t allocations_so_far(void)
{
    return 0;
}
#endif

#endif
