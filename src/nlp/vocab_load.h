/* nlp/vocab_load.h - a vocabulary from a JSON object that maps tokens to ids. */
#ifndef NLP_VOCAB_LOAD_H
#define NLP_VOCAB_LOAD_H

#include "base/error.h"
#include "base/json.h"
#include "nlp/vocab.h"

#include <stddef.h>

/* Adds every member; each id from 0 to VOCAB_IDS_MAX - 1 may stand once. *id_count becomes one more
 * than the largest. path and where ("model.vocab") are for messages. */
int vocab_load_object(struct vocab *vocab, const struct json *object, const char *path,
                      const char *where, size_t *id_count, struct error *err);

#endif
