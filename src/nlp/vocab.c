/* vocab.c - see vocab.h. Open addressing with linear probing and multiplicative hashing (Knuth,
 * TAOCP 6.4), at most half full. Model files are trusted enough not to seed the hash; a vocabulary
 * built to collide is slow to load, not unsafe.
 */
#include "nlp/vocab.h"

#include <stdlib.h>

enum { EDGES_LOG2_FIRST = 10, EDGES_LOG2_MAX = 26, NODES_FIRST = 512 };

static size_t edge_home(const struct vocab *vocab, uint32_t key)
{
    return (size_t)((key * VOCAB_HASH_FACTOR) >> (32 - vocab->edges_log2));
}

/* The slot of the key, or the free slot where it belongs. */
static struct vocab_edge *find_edge(const struct vocab *vocab, uint32_t key)
{
    size_t mask = ((size_t)1 << vocab->edges_log2) - 1;
    size_t at = edge_home(vocab, key);
    while (vocab->edges[at].child != VOCAB_NO_NODE && vocab->edges[at].key != key) {
        at = (at + 1) & mask;
    }
    return &vocab->edges[at];
}

static uint32_t edge_key(uint32_t node, char byte)
{
    return node << 8 | (unsigned char)byte;
}

void vocab_init(struct vocab *vocab)
{
    *vocab = (struct vocab){0};
}

void vocab_done(struct vocab *vocab)
{
    if (!vocab->is_mapped) {
        free(vocab->edges);
        free(vocab->ids);
    }
    vocab_init(vocab);
}

static bool grow_edges(struct vocab *vocab)
{
    unsigned log2 = vocab->edges_log2 ? vocab->edges_log2 + 1 : EDGES_LOG2_FIRST;
    struct vocab grown = {.edges_log2 = log2};
    grown.edges = calloc((size_t)1 << log2, sizeof *grown.edges);
    if (!grown.edges) {
        return false;
    }
    size_t old_count = vocab->edges ? (size_t)1 << vocab->edges_log2 : 0;
    for (size_t i = 0; i < old_count; i++) {
        if (vocab->edges[i].child != VOCAB_NO_NODE) {
            *find_edge(&grown, vocab->edges[i].key) = vocab->edges[i];
        }
    }
    free(vocab->edges);
    vocab->edges = grown.edges;
    vocab->edges_log2 = log2;
    return true;
}

static bool grow_nodes(struct vocab *vocab)
{
    size_t capacity = vocab->nodes_capacity ? vocab->nodes_capacity * 2 : NODES_FIRST;
    uint32_t *ids = realloc(vocab->ids, capacity * sizeof *ids);
    if (!ids) {
        return false;
    }
    vocab->ids = ids;
    vocab->nodes_capacity = capacity;
    return true;
}

/* Makes room for one more node and the edge to it. */
static bool reserve_node(struct vocab *vocab)
{
    if (vocab->nodes >= VOCAB_NODES_MAX) {
        return false;
    }
    if (vocab->nodes == vocab->nodes_capacity && !grow_nodes(vocab)) {
        return false;
    }
    bool half_full = !vocab->edges || vocab->nodes * 2 >= (size_t)1 << vocab->edges_log2;
    return !half_full || grow_edges(vocab);
}

static bool create_root(struct vocab *vocab)
{
    if (!reserve_node(vocab)) {
        return false;
    }
    vocab->ids[VOCAB_NO_NODE] = VOCAB_NO_ID;
    vocab->ids[VOCAB_ROOT] = VOCAB_NO_ID;
    vocab->nodes = VOCAB_ROOT + 1;
    return true;
}

enum vocab_added vocab_add(struct vocab *vocab, const char *token, size_t size, uint32_t id)
{
    if (vocab->nodes == 0 && !create_root(vocab)) {
        return VOCAB_ADDED_NO_MEMORY;
    }
    uint32_t node = VOCAB_ROOT;
    for (size_t i = 0; i < size; i++) {
        uint32_t key = edge_key(node, token[i]);
        struct vocab_edge *edge = find_edge(vocab, key);
        if (edge->child == VOCAB_NO_NODE) {
            if (!reserve_node(vocab)) {
                return VOCAB_ADDED_NO_MEMORY;
            }
            edge = find_edge(vocab, key);
            *edge = (struct vocab_edge){.key = key, .child = (uint32_t)vocab->nodes};
            vocab->ids[vocab->nodes++] = VOCAB_NO_ID;
        }
        node = edge->child;
    }
    if (vocab->ids[node] != VOCAB_NO_ID) {
        return VOCAB_ADDED_DUPLICATE;
    }
    vocab->ids[node] = id;
    return VOCAB_ADDED;
}

uint32_t vocab_walk(const struct vocab *vocab, uint32_t node, const char *bytes, size_t size)
{
    if (vocab->nodes == 0) {
        return VOCAB_NO_NODE;
    }
    for (size_t i = 0; i < size && node != VOCAB_NO_NODE; i++) {
        node = vocab_step(vocab, node, bytes[i]);
    }
    return node;
}

uint32_t vocab_find(const struct vocab *vocab, const char *token, size_t size)
{
    uint32_t node = vocab_walk(vocab, VOCAB_ROOT, token, size);
    return node == VOCAB_NO_NODE ? VOCAB_NO_ID : vocab->ids[node];
}

size_t vocab_match(const struct vocab *vocab, uint32_t node, const char *bytes, size_t size,
                   uint32_t *id)
{
    size_t matched = 0;
    if (vocab->nodes == 0 || node == VOCAB_NO_NODE) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        node = vocab_step(vocab, node, bytes[i]);
        if (node == VOCAB_NO_NODE) {
            break;
        }
        if (vocab->ids[node] != VOCAB_NO_ID) {
            matched = i + 1;
            *id = vocab->ids[node];
        }
    }
    return matched;
}

static bool is_sound(const struct vocab *vocab, size_t id_count)
{
    size_t slots = (size_t)1 << vocab->edges_log2;
    size_t used = 0;
    for (size_t i = 0; i < slots; i++) {
        used += vocab->edges[i].child != VOCAB_NO_NODE;
        if (vocab->edges[i].child >= vocab->nodes) {
            return false;
        }
    }
    for (size_t i = 0; i < vocab->nodes; i++) {
        if (vocab->ids[i] != VOCAB_NO_ID && vocab->ids[i] >= id_count) {
            return false;
        }
    }
    return used < slots; /* a free slot ends a search */
}

void vocab_pack(struct vocab *vocab, struct packed *packed, size_t id_count)
{
    packed_size(packed, &vocab->nodes, VOCAB_NODES_MAX);
    packed_id(packed, &vocab->edges_log2, EDGES_LOG2_MAX);
    bool is_empty = vocab->nodes <= VOCAB_ROOT || vocab->edges_log2 < EDGES_LOG2_FIRST;
    if (is_empty || packed_failed(packed)) {
        packed_fail(packed, "holds no vocabulary");
        return;
    }
    vocab->edges = packed_array(packed, vocab->edges, sizeof *vocab->edges << vocab->edges_log2);
    vocab->ids = packed_array(packed, vocab->ids, vocab->nodes * sizeof *vocab->ids);
    if (!packed_writes(packed)) {
        vocab->is_mapped = true;
        vocab->nodes_capacity = vocab->nodes;
        if (!packed_failed(packed) && !is_sound(vocab, id_count)) {
            packed_fail(packed, "holds a vocabulary that points astray");
        }
    }
}
