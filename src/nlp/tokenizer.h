/* nlp/tokenizer.h - text to token ids, exactly as Hugging Face's fast tokenizers give them.
 *
 * A tokenizer is immutable after tokenizer_open and may be used by all threads; what changes while
 * encoding lives in a scratch, one per thread. Encoding allocates nothing and takes text of any
 * length, because it is a stream: start it, then pull ids until none are left. A caller that cuts
 * long text into chunks pulls one chunk's worth at a time.
 *
 *     const struct tokenizer_frame *frame = tokenizer_frame(tokenizer);
 *     tokenizer_start(tokenizer, scratch, bytes, size);
 *     while ((count = tokenizer_next(tokenizer, scratch, ids, room)) > 0) {
 *         ... frame->prefix, ids[0..count), frame->suffix is one chunk ...
 *     }
 *
 * Families: WordPiece (BERT, DistilBERT, MiniLM), byte-level BPE (RoBERTa) and Unigram
 * (XLM-RoBERTa). Others plug in behind tokenizer_internal.h; this header does not change for them.
 */
#ifndef NLP_TOKENIZER_H
#define NLP_TOKENIZER_H

#include "base/error.h"
#include "nlp/packed.h"

#include <stddef.h>
#include <stdint.h>

enum { TOKENIZER_FRAME_MAX = 4 };
#define TOKENIZER_NO_ID UINT32_MAX

struct tokenizer;
struct tokenizer_scratch;

/* The special tokens that go around every sequence (token type 0 throughout): [CLS] ids [SEP]. */
struct tokenizer_frame {
    uint32_t prefix[TOKENIZER_FRAME_MAX];
    uint32_t suffix[TOKENIZER_FRAME_MAX];
    size_t prefix_count; /* at least 1: a classifier reads the first token */
    size_t suffix_count;
};

struct tokenizer_special {
    uint32_t cls; /* frame.prefix[0] */
    uint32_t sep; /* last of frame.suffix, or TOKENIZER_NO_ID */
    uint32_t unk; /* TOKENIZER_NO_ID when the model needs none: every byte has a token */
    uint32_t pad; /* TOKENIZER_NO_ID when the vocabulary has none */
};

/* Reads DIRECTORY/tokenizer.json, or, when there is none, the first of vocab.txt (WordPiece),
 * vocab.json with merges.txt (BPE) and sentencepiece.bpe.model (Unigram, with XLM-RoBERTa's ids),
 * with the switches of tokenizer_config.json (do_lower_case, strip_accents, tokenize_chinese_chars,
 * add_prefix_space, special token names; each optional). Truncation and padding blocks are ignored:
 * they are the caller's decisions. Errors name file and key (or line). On failure *tokenizer is
 * NULL. */
int tokenizer_open(struct tokenizer **tokenizer, const char *directory, struct error *err);

/* To a packed file, and from it, which must then outlive the tokenizer. A fault in the file is for
 * packed_finish; *tokenizer is NULL only without memory. */
void tokenizer_pack(const struct tokenizer *tokenizer, struct packed *packed);
void tokenizer_unpack(struct tokenizer **tokenizer, struct packed *packed);

/* Tells apart machines and builds whose packed tables lie differently. */
uint64_t tokenizer_pack_layout(void);

/* Accepts NULL. No scratch may be in use. */
void tokenizer_close(struct tokenizer *tokenizer);

/* One more than the largest id; every id ever returned is below it. The embedding table must have
 * at least this many rows. */
size_t tokenizer_vocab_count(const struct tokenizer *tokenizer);

const struct tokenizer_frame *tokenizer_frame(const struct tokenizer *tokenizer);
const struct tokenizer_special *tokenizer_special(const struct tokenizer *tokenizer);

/* Scratch for one thread at a time; good only for this tokenizer. */
int tokenizer_scratch_create(const struct tokenizer *tokenizer, struct tokenizer_scratch **scratch,
                             struct error *err);
void tokenizer_scratch_destroy(struct tokenizer_scratch *scratch); /* accepts NULL */

/* Begins a text, dropping whatever was in progress. Any bytes; malformed UTF-8 is read as U+FFFD.
 * bytes is borrowed until the last id is taken or the next start. */
void tokenizer_start(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch,
                     const char *bytes, size_t size);

/* The next ids of the text, without the frame. Returns how many, up to ids_max; fewer than ids_max
 * means that the text is done, and then every later call returns 0. WordPiece never gives more ids
 * in all than the text has bytes; the others may, by a constant factor. BPE words and Unigram
 * pieces of more than 64 KiB are cut there, which may change ids at the cut. */
size_t tokenizer_next(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch,
                      uint32_t *ids, size_t ids_max);

/* A whole text at once: returns how many ids it has, without the frame, and writes the first
 * ids_max of them. ids may be NULL when ids_max is 0. */
size_t tokenizer_encode(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch,
                        const char *bytes, size_t size, uint32_t *ids, size_t ids_max);

#endif
