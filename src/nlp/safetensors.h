/* nlp/safetensors.h - one file in the safetensors format (huggingface.co/docs/safetensors).
 *
 * A file is eight bytes of header length, a JSON header, and raw little-endian data. Files come
 * from strangers, so every offset, shape and type is checked before open returns: afterwards each
 * tensor's bytes lie inside the file and are exactly as many as its shape and type need.
 */
#ifndef NLP_SAFETENSORS_H
#define NLP_SAFETENSORS_H

#include "base/error.h"
#include "nlp/tensor.h"

#include <stddef.h>

enum { SAFETENSORS_HEADER_BYTES_MAX = 100000000 /* the format's own limit */ };

struct safetensors;

/* On failure *file is NULL; errors name file and tensor. */
int safetensors_open(struct safetensors **file, const char *path, struct error *err);

/* Accepts NULL. */
void safetensors_close(struct safetensors *file);

/* All tensors; borrowed, like everything in them. */
const struct tensor *safetensors_tensors(const struct safetensors *file, size_t *count);

#endif
