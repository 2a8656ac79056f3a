/* model/model_path.h - where a model is: a folder, or a name looked up in the usual places. */
#ifndef MODEL_MODEL_PATH_H
#define MODEL_MODEL_PATH_H

#include "base/buf.h"
#include "base/error.h"

#define MODEL_PATH_DEFAULT_NAME "undertone-minilm-l6"

/* Writes the folder of the model to path. `model` is a folder, a name, or NULL or "" for the
 * default model. A name is looked for in $UNDERTONE_MODELS, ./models, the models/ of the source
 * tree the program was built in, ../share/undertone/models beside the program, and
 * /usr/share/undertone/models, and, like "ORG/NAME" and "ORG/NAME@REVISION", in the hub's cache
 * (hub_cache.h). Asks no network. ERROR_CONFIG lists the places looked at. */
int model_path_find(const char *model, struct buf *path, struct error *err);

#endif
