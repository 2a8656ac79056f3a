/* nlp/scorer.h - text in, sentiment out: the one door to the transformer.
 *
 * A scorer is a checkpoint (Hugging Face layout) opened and packed for this machine; it is
 * immutable and shared by all threads. Each thread that scores has its own scratch, allocated once;
 * scoring itself allocates nothing.
 *
 *     struct scorer *scorer;
 *     struct scorer_scratch *scratch;
 *     if (scorer_open(&scorer, dir, NULL, &err)) ...
 *     if (scorer_scratch_create(scorer, 512, &scratch, &err)) ...
 *     scorer_run(scorer, scratch, texts, count, SCORER_LONG_CHUNK, results, &err);
 */
#ifndef NLP_SCORER_H
#define NLP_SCORER_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCORER_LABELS_MAX = 8 };

struct scorer;
struct scorer_scratch;

/* What the model's linear layers compute with. */
enum scorer_precision {
    SCORER_PRECISION_AUTO, /* fp32: PyTorch's own logits to 1e-4 */
    SCORER_PRECISION_FP32,
    SCORER_PRECISION_INT8, /* several times faster, logits off by about 0.05 */
    SCORER_PRECISION_BF16, /* in between; only on CPUs that have such products */
};

struct scorer_options {
    const char *kernels; /* "ref", "avx2" and so on (kernels.h); NULL: the best this CPU runs */
    enum scorer_precision precision;
    const char *packed; /* a file of scorer_pack's to map instead of packing anew; NULL: none */
};

/* What to do with text of more tokens than the model takes. */
enum scorer_long {
    SCORER_LONG_CHUNK,    /* split by tokens; probabilities averaged by token count */
    SCORER_LONG_TRUNCATE, /* as PyTorch with truncation=True */
};

struct scorer_text {
    const char *bytes; /* any bytes; malformed UTF-8 is read as U+FFFD */
    size_t size;
};

struct scorer_result {
    float logits[SCORER_LABELS_MAX];        /* label_count values; meaningless if chunk_count > 1 */
    float probabilities[SCORER_LABELS_MAX]; /* of logits (output.h), or the mean over chunks */
    double score;         /* sum of probability times polarity: P(pos) + 0.5 P(neu), in [0, 1] */
    uint32_t label;       /* index of the largest probability */
    uint32_t token_count; /* with special tokens, summed over chunks */
    uint32_t chunk_count; /* 1 unless the text was long and chunked */
};

/* Reads config.json, tokenizer files and weights from a directory, checks all of it, packs the
 * weights. With a packed file that was made from these files as they are now, all but config.json
 * and model.yaml comes from there, to the same answers; one that cannot be used is passed over (see
 * scorer_packed_fault). options may be NULL. Errors name file and key. */
int scorer_open(struct scorer **scorer, const char *directory, const struct scorer_options *options,
                struct error *err);

/* Writes tokenizer and weights to a file for scorer_options.packed; it replaces an older one only
 * when it is complete. directory is where the scorer was opened from. Other threads may score
 * meanwhile. Whatever changed the checkpoint in between, the file is only as good as the scorer:
 * then ERROR_CONFIG. */
int scorer_pack(const struct scorer *scorer, const char *directory, const char *path,
                struct error *err);

/* Whether weights and tokenizer are a packed file's. */
bool scorer_is_packed(const struct scorer *scorer);

/* Why options.packed was not used, ERROR_IO when there is no such file; NULL when it was, or none
 * was named. */
const struct error *scorer_packed_fault(const struct scorer *scorer);

/* Reads all of the packed file through: 0 when it is as it was written, or is none. */
int scorer_packed_verify(const struct scorer *scorer, struct error *err);

/* "auto", "fp32", "int8" or "bf16"; false for any other word. */
bool scorer_precision_parse(const char *word, enum scorer_precision *precision);

/* Accepts NULL. No scratch may be in use. */
void scorer_close(struct scorer *scorer);

unsigned scorer_label_count(const struct scorer *scorer);
const char *scorer_label_name(const struct scorer *scorer, unsigned label);
const char *scorer_kernels_name(const struct scorer *scorer);       /* "avx2" */
const char *scorer_precision_name(const struct scorer *scorer);     /* "fp32", never "auto" */
const char *scorer_precision_word(enum scorer_precision precision); /* the same before opening */
const char *scorer_language(const struct scorer *scorer); /* model.yaml's; "en" if it says none */
size_t scorer_tokens_max(const struct scorer *scorer);    /* per chunk, special tokens included */
size_t scorer_weight_bytes(const struct scorer *scorer);  /* packed weights in memory */
size_t scorer_packed_bytes(const struct scorer *scorer);  /* the packed file's; 0 without one */

/* Multiply-adds executed to score one text of that many tokens, for comparing with the machine's
 * peak. */
double scorer_multiply_adds(const struct scorer *scorer, size_t tokens);

/* Scratch for ragged batches of up to batch_tokens tokens (raised to scorer_tokens_max if less). */
int scorer_scratch_create(const struct scorer *scorer, size_t batch_tokens,
                          struct scorer_scratch **scratch, struct error *err);
void scorer_scratch_destroy(struct scorer_scratch *scratch);       /* accepts NULL */
size_t scorer_scratch_bytes(const struct scorer_scratch *scratch); /* nearly all of it */

/* A thread that has nothing to score may help another. The other invites before its scorer_run and
 * dismisses after it; meanwhile helpers call scorer_help, each with a scratch of its own of the
 * same scorer. It returns when they are dismissed or *leave, which may be NULL, is true; at once if
 * nobody is invited. Two threads score one text in little more than half the time; with enough
 * texts, two runs are better. The answers are the same bits either way. */
void scorer_invite(struct scorer_scratch *scratch);
void scorer_dismiss(struct scorer_scratch *scratch);
void scorer_help(struct scorer_scratch *own, struct scorer_scratch *other,
                 const atomic_bool *leave);

/* Scores count texts into results, in order. Internally cut into ragged batches; an answer does not
 * depend on its batch-mates, their order or the thread. Fails only on an internal fault. */
int scorer_run(const struct scorer *scorer, struct scorer_scratch *scratch,
               const struct scorer_text *texts, size_t count, enum scorer_long long_text,
               struct scorer_result *results, struct error *err);

/* The token ids with special tokens, cut to the model's length only if long_text says truncate;
 * returns how many there are, writes at most ids_max of them. */
size_t scorer_tokens(const struct scorer *scorer, struct scorer_scratch *scratch,
                     struct scorer_text text, enum scorer_long long_text, uint32_t *ids,
                     size_t ids_max);

/* Scores a known-negative and a known-positive sentence, unless model.yaml says that the model
 * knows no English; an error says what came out instead. */
int scorer_self_test(const struct scorer *scorer, struct error *err);

#endif
