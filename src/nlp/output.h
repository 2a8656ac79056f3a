/* nlp/output.h - logits to probabilities, and those to one sentiment score. Pure. */
#ifndef NLP_OUTPUT_H
#define NLP_OUTPUT_H

#include "nlp/checkpoint.h"
#include "nlp/kernels/kernels.h"

/* label_count logits into as many probabilities, after temperature; a regression's number stays as
 * it is. */
void output_probabilities(const struct checkpoint_config *config, const struct kernels *kernels,
                          const float *logits, float *probabilities);

/* The score in [0, 1], from negative to positive: the mean of the labels' meanings, weighted by
 * their probabilities. A single label's own probability counts for or against it; a regression's
 * number is placed within its range. */
double output_score(const struct checkpoint_config *config, const float *probabilities);

#endif
