/* nlp/unigram.h - the Unigram model of sentencepiece, as XLM-RoBERTa's, with Metaspace in front.
 *
 * Built in steps (init, every piece, seal), then immutable. A text is normalized, cut into pieces
 * that begin at spaces, and each piece into the tokens whose scores have the largest sum.
 */
#ifndef NLP_UNIGRAM_H
#define NLP_UNIGRAM_H

#include "nlp/added_tokens.h"
#include "nlp/unigram_normalizer.h"
#include "nlp/vocab.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNIGRAM_PIECE_BYTES_MAX = 64 * 1024, /* longer pieces are cut */
    UNIGRAM_REPLACEMENT_MAX = 4,
};

enum unigram_prepend {
    UNIGRAM_PREPEND_ALWAYS,
    UNIGRAM_PREPEND_FIRST, /* only where the text begins */
    UNIGRAM_PREPEND_NEVER,
};

/* The pre-tokenizer. */
struct unigram_words {
    bool split_white_space; /* first cut at white space, which is dropped */
    bool metaspace;         /* then replace spaces, prepend and split by the fields below */
    bool split;
    enum unigram_prepend prepend;
    char replacement[UNIGRAM_REPLACEMENT_MAX]; /* one code point, usually U+2581 */
    size_t replacement_size;
};

struct unigram {
    struct vocab vocab;
    double *scores; /* by id */
    size_t count;
    uint32_t unk;
    double unk_score;
    struct unigram_normalizer normalizer;
    struct added_tokens normalized; /* matched after normalization */
    struct added_tokens symbols;    /* declared by the model file itself */
    struct unigram_words words;
    bool is_mapped; /* scores are a packed file's */
};

/* The best way to get to a place in a piece. */
struct unigram_node {
    double score;
    uint32_t from; /* UINT32_MAX: no way yet */
    uint32_t id;
};

struct unigram_scratch {
    struct unigram_normalizer_scratch normalizer;
    struct added_cursor cursor; /* over the segment */
    bool at_start;              /* the stretch is the first thing in the text */
    const char *split;          /* what is left between added tokens */
    const char *split_end;
    const char *at; /* what is left between white space */
    const char *end;
    bool is_fresh;     /* nothing of at..end was taken: the place to prepend */
    bool may_be_first; /* at..end may begin where the text begins */
    size_t ids_at;     /* in ids; they fill it from its end */
    char piece[UNIGRAM_PIECE_BYTES_MAX + UNIGRAM_REPLACEMENT_MAX];
    struct unigram_node nodes[UNIGRAM_PIECE_BYTES_MAX + 1];
    uint32_t ids[UNIGRAM_PIECE_BYTES_MAX];
};

/* An empty model. */
void unigram_init(struct unigram *unigram);

/* Accepts a zeroed model. */
void unigram_done(struct unigram *unigram);

/* Takes the model's pieces: bytes and sizes of `count` tokens with their scores, id by id. Of equal
 * tokens the last counts. False without memory. */
struct unigram_piece {
    const char *bytes;
    size_t size;
    double score;
};
bool unigram_set_pieces(struct unigram *unigram, const struct unigram_piece *pieces, size_t count,
                        uint32_t unk);

/* To a packed file or from it, into an empty model; every id read is below id_count. */
void unigram_pack(struct unigram *unigram, struct packed *packed, size_t id_count);

/* Begins a text; bytes is borrowed until the last id is taken. */
void unigram_start(const struct unigram *unigram, struct unigram_scratch *scratch,
                   const char *bytes, size_t size, bool at_start);

/* The next ids; fewer than ids_max means that the text is done. */
size_t unigram_next(const struct unigram *unigram, struct unigram_scratch *scratch, uint32_t *ids,
                    size_t ids_max);

#endif
