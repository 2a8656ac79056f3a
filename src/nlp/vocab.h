/* nlp/vocab.h - a vocabulary as a trie over bytes: token to id, and longest match. */
#ifndef NLP_VOCAB_H
#define NLP_VOCAB_H

#include "nlp/packed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOCAB_NODES_MAX = 1 << 24, /* a node number and a byte make a 32-bit key */
    VOCAB_IDS_MAX = 1 << 24,   /* ids are below this */
};
#define VOCAB_NO_ID       UINT32_MAX
#define VOCAB_HASH_FACTOR 2654435769u /* 2^32 by the golden ratio */

enum { VOCAB_ROOT = 1, VOCAB_NO_NODE = 0 };

/* An edge is found by hashing (node, byte): one probe per byte, no pointers, built in any order. */
struct vocab_edge {
    uint32_t key; /* node << 8 | byte */
    uint32_t child;
};

struct vocab {
    struct vocab_edge *edges;
    unsigned edges_log2;
    uint32_t *ids; /* by node; VOCAB_NO_ID where no token ends */
    size_t nodes;  /* including the unused node 0; 0 while empty */
    size_t nodes_capacity;
    bool is_mapped; /* edges and ids are a packed file's */
};

enum vocab_added {
    VOCAB_ADDED,
    VOCAB_ADDED_DUPLICATE, /* the token is there already; nothing changed */
    VOCAB_ADDED_NO_MEMORY, /* or more than VOCAB_NODES_MAX; the vocabulary stays usable */
};

/* An empty vocabulary; allocates nothing yet. */
void vocab_init(struct vocab *vocab);

/* Accepts a zeroed vocabulary. */
void vocab_done(struct vocab *vocab);

/* id must be below VOCAB_IDS_MAX. */
enum vocab_added vocab_add(struct vocab *vocab, const char *token, size_t size, uint32_t id);

/* The token's id, or VOCAB_NO_ID. */
uint32_t vocab_find(const struct vocab *vocab, const char *token, size_t size);

/* The node reached from `node` over these bytes, or VOCAB_NO_NODE. */
uint32_t vocab_walk(const struct vocab *vocab, uint32_t node, const char *bytes, size_t size);

/* The node reached from `node`, which must be one, over one byte, or VOCAB_NO_NODE. Inline, because
 * the Unigram model does little else. The vocabulary must hold a token. */
static inline uint32_t vocab_step(const struct vocab *vocab, uint32_t node, char byte)
{
    const uint32_t key = node << 8 | (unsigned char)byte;
    const uint32_t mask = (uint32_t)(((uint64_t)1 << vocab->edges_log2) - 1);
    uint32_t at = (key * VOCAB_HASH_FACTOR) >> (32 - vocab->edges_log2);
    while (vocab->edges[at].child != VOCAB_NO_NODE && vocab->edges[at].key != key) {
        at = (at + 1) & mask;
    }
    return vocab->edges[at].child;
}

/* The longest token that is a prefix of bytes, read from `node` on; writes its id and returns its
 * size beyond node, or returns 0. */
size_t vocab_match(const struct vocab *vocab, uint32_t node, const char *bytes, size_t size,
                   uint32_t *id);

/* To a packed file or from it, into an empty vocabulary. What is read is checked: every id is below
 * id_count, and no look-up leaves the arrays or goes on for ever. */
void vocab_pack(struct vocab *vocab, struct packed *packed, size_t id_count);

#endif
