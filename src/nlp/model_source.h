/* nlp/model_source.h - tells whether a checkpoint's files are still those that something was made
 * from, without reading them all. */
#ifndef NLP_MODEL_SOURCE_H
#define NLP_MODEL_SOURCE_H

#include "base/error.h"

#include <stdint.h>

/* A number for what configuration, tokenizer and weights in a directory are: names, sizes, times of
 * change, the small files whole, and of each large one a few pages spread over it, so that another
 * training of the same shape shows even where all times are equal. model.yaml does not count. */
int model_source_sum(const char *directory, uint64_t *sum, struct error *err);

#endif
