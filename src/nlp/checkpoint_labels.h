/* nlp/checkpoint_labels.h - what a checkpoint's outputs mean; for checkpoint_config.c only. */
#ifndef NLP_CHECKPOINT_LABELS_H
#define NLP_CHECKPOINT_LABELS_H

#include "base/json.h"
#include "nlp/checkpoint.h"

/* Sets label_count by config.json's "id2label", else "num_labels", else 2. `path` is the file's. */
int checkpoint_labels_count(const char *path, const struct json *root,
                            struct checkpoint_config *config, struct error *err);

/* Sets the labels. Needs label_count, output and extra. */
int checkpoint_labels_read(const char *path, const struct json *root,
                           struct checkpoint_config *config, struct error *err);

#endif
