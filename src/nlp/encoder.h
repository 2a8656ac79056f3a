/* nlp/encoder.h - the transformer: token ids in, the last hidden state of each first token out.
 *
 * An encoder is immutable after encoder_open and shared by all threads; each thread has its own
 * scratch. Batches are ragged: the tokens of all sequences follow each other without padding.
 */
#ifndef NLP_ENCODER_H
#define NLP_ENCODER_H

#include "base/error.h"
#include "nlp/checkpoint.h"
#include "nlp/kernels/kernels.h"
#include "nlp/packed.h"

#include <stddef.h>
#include <stdint.h>

/* What the linear layers, nearly all of the work, compute with. Everything else is float32. */
enum encoder_precision {
    ENCODER_PRECISION_FP32, /* weights stay halves where the checkpoint holds halves: exact */
    ENCODER_PRECISION_INT8, /* weights and activations in bytes, exact 32-bit sums */
    ENCODER_PRECISION_BF16, /* products of bfloat16, sums of float32 */
};

struct crew;
struct encoder;
struct encoder_scratch;

/* Packs the weights; the checkpoint is not needed afterwards, the kernels are. A precision that the
 * kernels lack is an error. On failure *encoder is NULL. */
int encoder_open(struct encoder **encoder, const struct checkpoint *checkpoint,
                 const struct kernels *kernels, enum encoder_precision precision,
                 struct error *err);

/* To a packed file, and from it, which must then outlive the encoder; precision must be what the
 * weights were packed for. A fault in the file is for packed_finish; on failure *encoder is NULL.
 */
void encoder_pack(const struct encoder *encoder, struct packed *packed);
int encoder_unpack(struct encoder **encoder, const struct checkpoint_config *config,
                   const struct kernels *kernels, enum encoder_precision precision,
                   struct packed *packed, struct error *err);

/* Accepts NULL. No scratch may be in use. */
void encoder_close(struct encoder *encoder);

size_t encoder_hidden(const struct encoder *encoder);
size_t encoder_tokens_max(const struct encoder *encoder);   /* of one sequence */
size_t encoder_weight_bytes(const struct encoder *encoder); /* held in memory */

/* Multiply-adds executed for one sequence, those of products and attention only. */
double encoder_multiply_adds(const struct encoder *encoder, size_t tokens);

/* Scratch for batches of up to tokens_max tokens in up to sequences_max sequences. */
int encoder_scratch_create(const struct encoder *encoder, size_t tokens_max, size_t sequences_max,
                           struct encoder_scratch **scratch, struct error *err);
void encoder_scratch_destroy(struct encoder_scratch *scratch); /* accepts NULL */
size_t encoder_scratch_bytes(const struct encoder_scratch *scratch);

/* For threads without work, to help with another's batch: own is the helper's own scratch, of the
 * same encoder and not running. The leader opens and closes its crew. */
struct crew *encoder_scratch_crew(struct encoder_scratch *scratch);

/* Sequence s is ids[starts[s]] .. ids[starts[s + 1]]: starts has count + 1 entries from 0 upwards.
 * No sequence may be empty or longer than encoder_tokens_max, no id past the vocabulary. Returns
 * [count x hidden], borrowed from the scratch until its next run. Allocates nothing; a row's bits
 * do not depend on the other sequences. */
const float *encoder_run(const struct encoder *encoder, struct encoder_scratch *scratch,
                         const uint32_t *ids, const uint32_t *starts, size_t count);

#endif
