/* nlp/weights.h - the tensors of a checkpoint directory, by name, whatever files they are in. */
#ifndef NLP_WEIGHTS_H
#define NLP_WEIGHTS_H

#include "base/error.h"
#include "nlp/tensor.h"

#include <stddef.h>

enum { WEIGHTS_FILES_MAX = 512 };

struct weights;

/* Opens the first of these that DIRECTORY holds: model.safetensors, all files that
 * model.safetensors.index.json names, pytorch_model.bin, all that pytorch_model.bin.index.json
 * names. On failure *weights is NULL; errors name file and tensor. */
int weights_open(struct weights **weights, const char *directory, struct error *err);

/* Accepts NULL. */
void weights_close(struct weights *weights);

/* The path of the file, or of the index, for messages. */
const char *weights_path(const struct weights *weights);

/* The files that hold tensors, in the order they were met; NULL past the last. */
const char *weights_file(const struct weights *weights, size_t index);

/* Walks all tensors in no order: start with *position = 0; NULL at the end. */
const struct tensor *weights_next(const struct weights *weights, size_t *position);

/* NULL when absent. */
const struct tensor *weights_find(const struct weights *weights, const char *name);

#endif
