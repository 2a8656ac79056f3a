/* model/hub_cache.h - the standard cache of models from a hub, as huggingface_hub lays it out and
 * other programs share it:
 *
 *     ROOT/models--ORG--NAME/refs/main               the commit "main" was when last fetched
 *     ROOT/models--ORG--NAME/snapshots/COMMIT/FILE   links to ../../blobs/HASH
 *     ROOT/models--ORG--NAME/blobs/HASH
 */
#ifndef MODEL_HUB_CACHE_H
#define MODEL_HUB_CACHE_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

enum { HUB_CACHE_NAME_BYTES = 200, HUB_CACHE_REVISION_BYTES = 128 };

/* A model's name as users write it, "ORG/NAME" or "NAME", optionally "@REVISION". */
struct hub_cache_name {
    char repository[HUB_CACHE_NAME_BYTES];   /* "ORG/NAME" */
    char revision[HUB_CACHE_REVISION_BYTES]; /* "main" unless given */
};

/* False when text cannot be such a name: it would be no plain path below the cache. */
bool hub_cache_parse_name(const char *text, struct hub_cache_name *name);

/* $HF_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub or ~/.cache/huggingface/hub. */
int hub_cache_root(struct buf *path, struct error *err);

/* ROOT/models--ORG--NAME */
int hub_cache_repository(const struct hub_cache_name *name, struct buf *path, struct error *err);

/* The folder of the model's files, if that revision (a branch, a tag, a commit) is there with a
 * config.json; asks no network. */
bool hub_cache_find(const struct hub_cache_name *name, struct buf *path);

#endif
