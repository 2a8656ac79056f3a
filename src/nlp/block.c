/* block.c - see block.h. Large blocks ask for huge pages: weights are streamed through once per
 * batch, and with small pages a good part of that is spent walking page tables. */
#include "nlp/block.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE_FLOATS = 16, LINE_BYTES = 64, HUGE_BYTES = 2 << 20 };

float *block_take(struct block *block, size_t floats)
{
    size_t at = block->used;
    size_t asked = floats;
    size_t end;
    if (__builtin_add_overflow(floats, (size_t)LINE_FLOATS - 1, &floats) ||
        __builtin_add_overflow(at, floats / LINE_FLOATS * LINE_FLOATS, &end)) {
        end = SIZE_MAX;
    }
    block->used = end;
    if (!block->memory) {
        return NULL;
    }
    assert(end <= block->floats);
    if (!block->is_mapped) {
        memset(block->memory + at + asked, 0, (end - at - asked) * sizeof(float));
    }
    return block->memory + at;
}

int block_allocate(struct block *block, const char *what, struct error *err)
{
    size_t unit = block->used >= HUGE_BYTES / sizeof(float) ? HUGE_BYTES : LINE_BYTES;
    if (block->used > (SIZE_MAX - unit) / sizeof(float)) {
        return error_set(err, ERROR_MEMORY, "the size of %s overflows", what);
    }
    size_t bytes = (block->used * sizeof(float) + unit - 1) / unit * unit;
    block->memory = aligned_alloc(unit, bytes ? bytes : unit);
    if (!block->memory) {
        return error_set(err, ERROR_MEMORY, "no memory for %s (%zu MiB)", what, bytes >> 20);
    }
#ifdef MADV_HUGEPAGE
    if (unit == HUGE_BYTES) {
        (void)madvise(block->memory, bytes, MADV_HUGEPAGE); /* a wish; refusal changes nothing */
    }
#endif
    block->floats = block->used;
    block->used = 0;
    return 0;
}

bool block_map(struct block *block, struct packed *packed)
{
    if (block->used > SIZE_MAX / sizeof(float)) {
        packed_fail(packed, "holds less than the model");
        return false;
    }
    block->memory = packed_array(packed, NULL, block->used * sizeof(float));
    block->is_mapped = true;
    block->floats = block->used;
    block->used = 0;
    return block->memory != NULL;
}

void block_pack(const struct block *block, struct packed *packed)
{
    (void)packed_array(packed, block->memory, block->floats * sizeof(float));
}

void block_done(struct block *block)
{
    if (!block->is_mapped) {
        free(block->memory);
    }
    *block = (struct block){0};
}

size_t block_bytes(const struct block *block)
{
    return block->floats * sizeof(float);
}
