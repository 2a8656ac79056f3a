/* nlp/tokenizer_internal.h - how a family of models plugs in behind tokenizer.h.
 *
 * What all families share is in tokenizer.c (added tokens in the text, frame, pulling ids) and
 * tokenizer_load.c (files, added tokens, post-processor). A family reads its own model, normalizer
 * and pre-tokenizer and turns one stretch of text into ids. To add one: write its struct
 * tokenizer_family and list it in tokenizer_load.c.
 */
#ifndef NLP_TOKENIZER_INTERNAL_H
#define NLP_TOKENIZER_INTERNAL_H

#include "base/error.h"
#include "base/json.h"
#include "nlp/added_tokens.h"
#include "nlp/tokenizer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is read; everything is borrowed for the time of loading. */
struct tokenizer_files {
    const char *directory;
    const char *path;          /* tokenizer.json or the family's vocabulary file, for messages */
    const struct json *root;   /* of tokenizer.json; NULL when there is none */
    const char *config_path;   /* tokenizer_config.json */
    const struct json *config; /* NULL when there is none */
};

struct tokenizer_family {
    const char *type; /* "model"/"type" in tokenizer.json */

    /* Reads the model from files->root, or without one from the family's own files. On success
     * *model is for close. *id_count becomes one more than the largest id. */
    int (*load)(void **model, const struct tokenizer_files *files, size_t *id_count, uint32_t *unk,
                struct error *err);
    void (*close)(void *model);

    /* A token's id, or TOKENIZER_NO_ID. */
    uint32_t (*find)(const void *model, const char *token, size_t size);

    /* An added token that matches normalized text. */
    int (*add_normalized)(void *model, const struct added_token *token, const char *path,
                          struct error *err);

    /* Encoding one stretch of text, as tokenizer_start and tokenizer_next. */
    size_t scratch_bytes;
    void (*start)(const void *model, void *scratch, const char *bytes, size_t size);
    size_t (*next)(const void *model, void *scratch, uint32_t *ids, size_t ids_max);
};

struct tokenizer {
    const struct tokenizer_family *family;
    void *model;
    struct added_tokens added;
    struct tokenizer_frame frame;
    struct tokenizer_special special;
    size_t vocab_count;
};

extern const struct tokenizer_family wordpiece_load_family;

/* Fills a zeroed tokenizer; what it holds on failure is for tokenizer_close. */
int tokenizer_load(struct tokenizer *tokenizer, const char *directory, struct error *err);

/* Reads an optional switch: absent or null leaves *out as it is; another type is an error that
 * names path, where (such as "normalizer") and key. */
int tokenizer_load_switch(const struct json *object, const char *path, const char *where,
                          const char *key, bool *out, struct error *err);

/* The content of a special token in tokenizer_config.json, which is a string or an object with
 * "content"; fallback when the key or the file is absent. NULL for another type: an error. */
const char *tokenizer_load_name(const struct tokenizer_files *files, const char *key,
                                const char *fallback, struct error *err);

#endif
