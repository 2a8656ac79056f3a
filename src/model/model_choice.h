/* model/model_choice.h - the model that judges, or what stands in for it.
 *
 * The model asked for is loaded unless there is no memory for it or it fails its self-test; then
 * the next of `model.fallback` is tried, and what comes of it is degraded. Any other fault (no such
 * folder, a broken file) stops the start, with or without a fallback: a person has to mend it.
 */
#ifndef MODEL_MODEL_CHOICE_H
#define MODEL_MODEL_CHOICE_H

#include "base/buf.h"
#include "base/error.h"
#include "nlp/lexicon.h"
#include "nlp/scorer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The word for nlp/lexicon.h: as the model asked for, or as the last of model.fallback. Every score
 * of it is marked degraded, but as the model asked for it degrades nothing. */
#define MODEL_CHOICE_LEXICON "lexicon"

struct model_choice_options {
    const char *model;           /* as model_path_find takes it */
    const char *const *fallback; /* names of the same kind; the last may be MODEL_CHOICE_LEXICON */
    size_t fallback_count;
    struct scorer_options scorer; /* but for `packed`, which goes by: */
    const char *cache;            /* model.cache, as model_cache_path takes it */
    uint64_t memory_bytes;        /* what may be taken (memory_room.h); UINT64_MAX: unknown */
};

struct model_choice {
    struct scorer *scorer;   /* owned; NULL when only the lexicon is left */
    struct lexicon *lexicon; /* owned; NULL when it is not in the list */
    struct buf directory;    /* of the scorer */
    struct buf packed;   /* the file for its packed form, there or not; "": there is to be none */
    bool degraded;       /* not the model that was asked for */
    struct error reason; /* if degraded: why the model before this one was not used */
};

/* ERROR_MEMORY or ERROR_UNSUPPORTED of the last one tried when none can be used. In any case
 * model_choice_free afterwards. */
int model_choice_make(struct model_choice *choice, const struct model_choice_options *options,
                      struct error *err);

/* Accepts a zeroed choice. */
void model_choice_free(struct model_choice *choice);

/* What loading the checkpoint in a folder will take, about, by the sizes of its weight files:
 * packed weights are as large as the files, the rest is scratch. 0 when there are none. */
uint64_t model_choice_estimate_bytes(const char *directory);

#endif
