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

enum {
    TOKENIZER_PATH_BYTES = 4096,
    TOKENIZER_FILE_BYTES_MAX = 128 * 1024 * 1024,
    TOKENIZER_IDS_MAX = 1 << 24,
};

/* What is read; everything is borrowed for the time of loading. */
struct tokenizer_files {
    const char *directory;
    const char *path;          /* tokenizer.json or the family's file, for messages */
    const struct json *root;   /* of tokenizer.json; NULL when there is none */
    const char *config_path;   /* tokenizer_config.json */
    const struct json *config; /* NULL when there is none */
};

enum tokenizer_name {
    TOKENIZER_NAME_CLS,
    TOKENIZER_NAME_SEP,
    TOKENIZER_NAME_UNK,
    TOKENIZER_NAME_PAD,
    TOKENIZER_NAME_MASK,
    TOKENIZER_NAMES,
};

struct tokenizer_family {
    const char *type; /* "model"/"type" in tokenizer.json */
    const char *file; /* without tokenizer.json: the family is chosen by this file */
    const char *tokens[TOKENIZER_NAMES]; /* the usual special tokens, by enum tokenizer_name */
    struct added_token mask; /* how the mask token is found in text; only the switches count */
    bool mask_is_normalized;

    /* Reads the model from files->root, or without one from the family's own files. On success
     * *model is for close. *id_count becomes one more than the largest id. */
    int (*load)(void **model, const struct tokenizer_files *files, size_t *id_count, uint32_t *unk,
                struct error *err);
    void (*close)(void *model);

    /* A token's id, or TOKENIZER_NO_ID. */
    uint32_t (*find)(const void *model, const char *token, size_t size);

    /* Added tokens that the family's own files declare, by index from 0; NULL where there are none.
     * False past the last. */
    bool (*declared)(const void *model, size_t index, struct added_token *token);

    /* An added token that matches normalized text. */
    int (*add_normalized)(void *model, const struct added_token *token, const char *path,
                          struct error *err);

    /* After the last token; NULL where nothing is to do. */
    void (*seal)(void *model);

    /* The model to a packed file, or from it: then *model is made, even when that fails, and every
     * id in it is below id_count. */
    void (*pack)(void **model, struct packed *packed, size_t id_count);

    /* Encoding one stretch of text, as tokenizer_start and tokenizer_next; at_start: the stretch
     * is the first thing in the text. */
    size_t scratch_bytes;
    void (*start)(const void *model, void *scratch, const char *bytes, size_t size, bool at_start);
    size_t (*next)(const void *model, void *scratch, uint32_t *ids, size_t ids_max);
};

struct tokenizer {
    const struct tokenizer_family *family;
    void *model;
    struct added_tokens added;  /* those that match raw text */
    struct added_tokens listed; /* all, for look-ups while loading */
    struct tokenizer_frame frame;
    struct tokenizer_special special;
    size_t vocab_count;
};

extern const struct tokenizer_family wordpiece_load_family;
extern const struct tokenizer_family bpe_load_family;
extern const struct tokenizer_family unigram_load_family;

/* All families; NULL past the last. */
const struct tokenizer_family *tokenizer_load_family(size_t index);

/* Fills a zeroed tokenizer; what it holds on failure is for tokenizer_close. */
int tokenizer_load(struct tokenizer *tokenizer, const char *directory, struct error *err);

/* The same for files that were read already. Without files->root the family must be set. */
int tokenizer_load_files(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                         struct error *err);

/* Reads post_processor of files->root into tokenizer->frame. */
int tokenizer_post_load(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                        struct error *err);

/* A token's id in the model or among the added tokens, which may stand outside the model's
 * vocabulary; or TOKENIZER_NO_ID. */
uint32_t tokenizer_load_find(const struct tokenizer *tokenizer, const char *content, size_t size);

/* Reads an optional switch: absent or null leaves *out as it is; another type is an error that
 * names path, where (such as "normalizer") and key. */
int tokenizer_load_switch(const struct json *object, const char *path, const char *where,
                          const char *key, bool *out, struct error *err);

/* The bytes of NAME in DIRECTORY in *path; an error when that is too long. */
int tokenizer_load_path(char path[TOKENIZER_PATH_BYTES], const char *directory, const char *name,
                        struct error *err);

/* Reads a JSON object; *document stays NULL when there is no such file. */
int tokenizer_load_document(const char *path, struct json_document **document, struct error *err);

/* Whether a member is missing or null. */
bool tokenizer_load_is_absent(const struct json *value);

/* The content of a special token in tokenizer_config.json, which is a string or an object with
 * "content"; fallback when the key or the file is absent. NULL for another type: an error. */
const char *tokenizer_load_name(const struct tokenizer_files *files, const char *key,
                                const char *fallback, struct error *err);

#endif
