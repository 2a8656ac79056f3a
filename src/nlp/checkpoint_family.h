/* nlp/checkpoint_family.h - the model families this program runs. */
#ifndef NLP_CHECKPOINT_FAMILY_H
#define NLP_CHECKPOINT_FAMILY_H

#include "nlp/checkpoint.h"

/* The family of config.json's "model_type", or NULL. */
const struct checkpoint_family *checkpoint_family_find(const char *model_type);

#endif
