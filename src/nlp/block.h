/* nlp/block.h - one allocation cut into arrays of floats, each on a cache line of its own.
 *
 * Lay the arrays out twice with the same code: first with a zeroed block, when block_take only
 * counts and returns NULL, then after block_allocate, when it hands out memory.
 */
#ifndef NLP_BLOCK_H
#define NLP_BLOCK_H

#include "base/error.h"

#include "nlp/packed.h"

#include <stdbool.h>
#include <stddef.h>

struct block {
    float *memory; /* owned; NULL while measuring */
    size_t used;   /* floats */
    size_t floats;
    bool is_mapped; /* memory is a packed file's */
};

/* NULL while measuring. What is left of the last cache line is zero. A total that would overflow
 * makes block_allocate fail. */
float *block_take(struct block *block, size_t floats);

/* Allocates what was measured, aligned to 64 bytes, contents undefined, and starts over. */
int block_allocate(struct block *block, const char *what, struct error *err);

/* Instead of allocating: takes what was measured from a file that is being read, and starts over.
 * It must not be written then. False after a fault. */
bool block_map(struct block *block, struct packed *packed);

/* To a packed file. */
void block_pack(const struct block *block, struct packed *packed);

/* Accepts a zeroed block. */
void block_done(struct block *block);

size_t block_bytes(const struct block *block);

#endif
