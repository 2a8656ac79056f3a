/* nlp/bpe.h - byte-level byte-pair encoding, as GPT-2's and RoBERTa's.
 *
 * Built in steps (init, the vocabulary, merges, seal with words), then immutable. A word that the
 * vocabulary holds, and that its own merges build, is found by one look-up; only the rest is merged
 * pair by pair.
 */
#ifndef NLP_BPE_H
#define NLP_BPE_H

#include "nlp/added_tokens.h"
#include "nlp/vocab.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BPE_WORD_BYTES_MAX = 64 * 1024, /* longer words are cut */
    BPE_MERGES_MAX = 1 << 22,
};

struct bpe_merge {
    uint32_t left; /* VOCAB_NO_ID in a free slot */
    uint32_t right;
    uint32_t rank;
    uint32_t merged;
};

struct bpe_word {
    uint32_t id; /* VOCAB_NO_ID in a free slot */
    uint32_t hash;
    uint32_t start; /* in word_bytes */
    uint32_t size;
};

struct bpe {
    struct vocab vocab;        /* as the tokens are spelled, see byte_level.h */
    uint32_t byte_ids[256];    /* what single bytes begin as; VOCAB_NO_ID: nothing, they vanish */
    bool byte_is_unknown[256]; /* byte_ids is the unknown token's */
    struct bpe_merge *merges;  /* hash table, at most half full */
    unsigned merges_log2;
    size_t merge_count;
    struct bpe_word *words; /* hash table, at most half full */
    unsigned words_log2;
    size_t word_count;
    char *word_bytes;
    size_t word_bytes_size;
    size_t word_bytes_capacity;
    struct added_tokens
        normalized; /* there is no normalizer, so these match the stretch as it is */
    bool add_prefix_space;
    bool use_regex;     /* off: a stretch is one word */
    bool ignore_merges; /* a word that is a token is that token */
    bool fuse_unknown;
    bool is_mapped; /* merges, words and word_bytes are a packed file's */
};

struct bpe_symbol {
    uint32_t id; /* VOCAB_NO_ID once merged into its left neighbour */
    uint32_t previous;
    uint32_t next;
};

struct bpe_scratch {
    struct added_cursor cursor;
    const char *at; /* what is left of the stretch between added tokens */
    const char *end;
    bool prefix_space; /* a space goes before it */
    size_t ids_at;     /* in symbols */
    size_t ids_count;
    size_t heap_count;
    char word[BPE_WORD_BYTES_MAX];
    struct bpe_symbol symbols[BPE_WORD_BYTES_MAX];
    uint64_t heap[3 * BPE_WORD_BYTES_MAX]; /* rank << 32 | position */
};

/* An empty model. */
void bpe_init(struct bpe *bpe);

/* Accepts a zeroed model. */
void bpe_done(struct bpe *bpe);

/* Adds a merge; of two for one pair the first counts, or with `replace` the last. False without
 * memory or at BPE_MERGES_MAX. */
bool bpe_add_merge(struct bpe *bpe, const struct bpe_merge *merge, bool replace);

/* After vocabulary and merges: what every byte begins as. unknown may be VOCAB_NO_ID. */
void bpe_seal(struct bpe *bpe, uint32_t unknown);

/* After bpe_seal: makes a token findable as a whole word, if its own merges (or ignore_merges) make
 * it one. scratch is only used for the time of the call. False without memory. */
bool bpe_add_word(struct bpe *bpe, struct bpe_scratch *scratch, const char *token, size_t size,
                  uint32_t id);

/* To a packed file or from it, into an empty model; every id read is below id_count. */
void bpe_pack(struct bpe *bpe, struct packed *packed, size_t id_count);

/* Begins a text; bytes is borrowed until the last id is taken. */
void bpe_start(const struct bpe *bpe, struct bpe_scratch *scratch, const char *bytes, size_t size);

/* The next ids; fewer than ids_max means that the text is done. */
size_t bpe_next(const struct bpe *bpe, struct bpe_scratch *scratch, uint32_t *ids, size_t ids_max);

#endif
