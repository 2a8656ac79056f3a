/* nlp/torch_file.h - one file of tensors as torch.save wrote it (pytorch_model.bin).
 *
 * Since torch 1.6 a zip archive: a pickle that describes the tensors, and their storages one entry
 * each; before, pickles and storages one after the other. Both are read; nothing in them is ever
 * executed (pickle.h), and every offset, shape and stride is checked before open returns.
 */
#ifndef NLP_TORCH_FILE_H
#define NLP_TORCH_FILE_H

#include "base/error.h"
#include "nlp/tensor.h"

#include <stddef.h>

struct torch_file;

/* On failure *file is NULL; errors name file and tensor. */
int torch_file_open(struct torch_file **file, const char *path, struct error *err);

/* Accepts NULL. */
void torch_file_close(struct torch_file *file);

/* All tensors; borrowed, like everything in them. */
const struct tensor *torch_file_tensors(const struct torch_file *file, size_t *count);

#endif
