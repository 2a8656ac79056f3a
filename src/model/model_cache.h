/* model/model_cache.h - where packed models are kept (nlp/packed.h), so that a restart maps one
 * instead of packing anew.
 *
 * A folder holds one file for each model and precision. It can be removed at any time; what is
 * missing, stale or damaged is made anew. Without a folder that can be written everything works,
 * only starts take longer.
 */
#ifndef MODEL_MODEL_CACHE_H
#define MODEL_MODEL_CACHE_H

#include "base/buf.h"
#include "base/error.h"
#include "nlp/scorer.h"

/* Words of model.cache beside a folder. */
#define MODEL_CACHE_AUTO "auto"
#define MODEL_CACHE_OFF  "off"

/* The file for the model in a directory: in the folder that setting names, or with "auto" in the
 * first of $CACHE_DIRECTORY (a systemd unit's), $XDG_CACHE_HOME/undertone and ~/.cache/undertone.
 * "" with "off", and where there is no such place. setting NULL: $UNDERTONE_MODEL_CACHE, or "auto".
 */
void model_cache_path(const char *setting, const char *directory, enum scorer_precision precision,
                      struct buf *path);

/* scorer_open, from the file of model_cache_path if that can be used. For commands: it never writes
 * one. options may be NULL; its `packed` is ignored. */
int model_cache_open(struct scorer **scorer, const char *setting, const char *directory,
                     const struct scorer_options *options, struct error *err);

/* Packs a scorer to path, making the folder (0700) where it is missing. */
int model_cache_write(const struct scorer *scorer, const char *directory, const char *path,
                      struct error *err);

#endif
