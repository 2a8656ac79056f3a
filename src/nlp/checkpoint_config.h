/* nlp/checkpoint_config.h - config.json into struct checkpoint_config, model.yaml included. */
#ifndef NLP_CHECKPOINT_CONFIG_H
#define NLP_CHECKPOINT_CONFIG_H

#include "nlp/checkpoint.h"

/* Reads and checks DIRECTORY/config.json. */
int checkpoint_config_read(struct checkpoint_config *config, const char *directory,
                           struct error *err);

#endif
