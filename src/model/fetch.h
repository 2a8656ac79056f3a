/* model/fetch.h - a model from a hub into the standard cache (hub_cache.h). */
#ifndef MODEL_FETCH_H
#define MODEL_FETCH_H

#include "base/buf.h"
#include "base/error.h"
#include "model/hub_cache.h"

struct fetch_options {
    struct hub_cache_name name;
    const char *endpoint;
    const char *token; /* NULL: none */
    bool quiet;        /* no line per file, no progress */
};

/* Fetches what the program reads (configuration, tokenizer, weights; nothing else), resuming what
 * an earlier try left, checks each file's size and, where the hub states it, its SHA-256, and links
 * the files into the cache. Files already there are not fetched again. Writes the snapshot's folder
 * to folder. */
int fetch_model(const struct fetch_options *options, struct buf *folder, struct error *err);

#endif
