/* nlp/classifier.h - the head: logits from each sequence's first hidden state.
 *
 * logits = output(activation(dense(first))), as transformers' ...ForSequenceClassification: BERT's
 * pooler and RoBERTa's head with tanh, DistilBERT's with relu.
 */
#ifndef NLP_CLASSIFIER_H
#define NLP_CLASSIFIER_H

#include "base/error.h"
#include "nlp/checkpoint.h"
#include "nlp/kernels/kernels.h"
#include "nlp/packed.h"

#include <stddef.h>

struct classifier;

/* The checkpoint is not needed afterwards, the kernels are. On failure *classifier is NULL. */
int classifier_open(struct classifier **classifier, const struct checkpoint *checkpoint,
                    const struct kernels *kernels, struct error *err);

/* To a packed file, and from it, which must then outlive the classifier. A fault in the file is for
 * packed_finish; on failure *classifier is NULL. */
void classifier_pack(const struct classifier *classifier, struct packed *packed);
int classifier_unpack(struct classifier **classifier, const struct checkpoint_config *config,
                      const struct kernels *kernels, struct packed *packed, struct error *err);

/* Accepts NULL. */
void classifier_close(struct classifier *classifier);

size_t classifier_weight_bytes(const struct classifier *classifier);

/* Floats of scratch that classifier_run needs for count sequences. */
size_t classifier_scratch_floats(const struct classifier *classifier, size_t count);

/* first [count x hidden] into logits [count x label_count]. A row's bits do not depend on the other
 * rows. */
void classifier_run(const struct classifier *classifier, const float *first, size_t count,
                    float *scratch, float *logits);

#endif
