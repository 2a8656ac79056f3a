/* tokenizer_load.c - reads what all families have in common from a checkpoint's directory: which
 * family it is, added tokens, special tokens by name. tokenizer.json is trusted in nothing: a
 * component that is not understood is an error, because guessing would change scores in silence.
 */
#include "nlp/tokenizer_internal.h"

#include "base/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order in which their files are looked for in a directory without tokenizer.json. */
static const struct tokenizer_family *const families[] = {&wordpiece_load_family, &bpe_load_family,
                                                          &unigram_load_family};
enum { FAMILIES = sizeof families / sizeof families[0] };

const struct tokenizer_family *tokenizer_load_family(size_t index)
{
    return index < FAMILIES ? families[index] : NULL;
}

int tokenizer_load_path(char path[TOKENIZER_PATH_BYTES], const char *directory, const char *name,
                        struct error *err)
{
    int length = snprintf(path, TOKENIZER_PATH_BYTES, "%s/%s", directory, name);
    if (length < 0 || length >= TOKENIZER_PATH_BYTES) {
        return error_set(err, ERROR_LIMIT, "the path of %s is too long", name);
    }
    return 0;
}

static bool is_missing(const char *path)
{
    return access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

int tokenizer_load_document(const char *path, struct json_document **document, struct error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    *document = NULL;
    if (is_missing(path)) {
        return 0;
    }
    int result = lines_read_file(path, TOKENIZER_FILE_BYTES_MAX, &bytes, &size, err);
    if (!result) {
        result = json_parse(bytes ? bytes : "", size, document, err);
        if (result) {
            error_wrap(err, "%s", path);
        } else if (json_kind(json_root(*document)) != JSON_KIND_OBJECT) {
            json_free(*document);
            *document = NULL;
            result = error_set(err, ERROR_FORMAT, "%s: not a JSON object", path);
        }
    }
    free(bytes);
    return result;
}

bool tokenizer_load_is_absent(const struct json *value)
{
    return json_kind(value) == JSON_KIND_ABSENT || json_kind(value) == JSON_KIND_NULL;
}

int tokenizer_load_switch(const struct json *object, const char *path, const char *where,
                          const char *key, bool *out, struct error *err)
{
    const struct json *value = json_get(object, key);
    if (tokenizer_load_is_absent(value) || json_as_boolean(value, out)) {
        return 0;
    }
    return error_set(err, ERROR_FORMAT, "%s: %s%s%s must be true, false or null", path, where,
                     *where ? "." : "", key);
}

const char *tokenizer_load_name(const struct tokenizer_files *files, const char *key,
                                const char *fallback, struct error *err)
{
    const struct json *value = json_get(files->config, key);
    if (tokenizer_load_is_absent(value)) {
        return fallback;
    }
    if (json_kind(value) == JSON_KIND_OBJECT) {
        value = json_get(value, "content");
    }
    const char *name = json_as_string(value, NULL);
    if (!name) {
        error_set(err, ERROR_FORMAT, "%s: %s must be a string", files->config_path, key);
    }
    return name;
}

uint32_t tokenizer_load_find(const struct tokenizer *tokenizer, const char *content, size_t size)
{
    uint32_t id = tokenizer->family->find(tokenizer->model, content, size);
    if (id == TOKENIZER_NO_ID) {
        const struct added_token *added = added_tokens_find(&tokenizer->listed, content, size);
        id = added ? added->id : TOKENIZER_NO_ID;
    }
    return id;
}

static int add_token(struct tokenizer *tokenizer, const struct added_token *token, bool normalized,
                     const char *path, struct error *err)
{
    uint32_t known = tokenizer_load_find(tokenizer, token->content, token->size);
    if (known != TOKENIZER_NO_ID && known != token->id) {
        return error_set(err, ERROR_FORMAT,
                         "%s: the added token with id %" PRIu32 " has id %" PRIu32
                         " in the vocabulary",
                         path, token->id, known);
    }
    if (added_tokens_find(&tokenizer->listed, token->content, token->size)) {
        return error_set(err, ERROR_FORMAT,
                         "%s: the added token with id %" PRIu32 " is given twice", path, token->id);
    }
    if (tokenizer->vocab_count <= token->id) {
        tokenizer->vocab_count = (size_t)token->id + 1;
    }
    bool listed = added_tokens_add(&tokenizer->listed, token);
    if (listed && normalized) {
        return tokenizer->family->add_normalized(tokenizer->model, token, path, err);
    }
    if (!listed || !added_tokens_add(&tokenizer->added, token)) {
        return error_set(err, ERROR_LIMIT, "%s: no memory for, or more than %d, added tokens", path,
                         ADDED_TOKENS_MAX);
    }
    return 0;
}

/* One element of "added_tokens" or member of "added_tokens_decoder"; where names it. */
static int load_added_token(struct tokenizer *tokenizer, const struct json *object, int64_t id,
                            const char *path, const char *where, struct error *err)
{
    size_t size = 0;
    const char *content = json_as_string(json_get(object, "content"), &size);
    if (!content || size == 0 || size > ADDED_TOKEN_BYTES_MAX) {
        return error_set(err, ERROR_FORMAT, "%s: %s.content must be a string of 1 to %d bytes",
                         path, where, ADDED_TOKEN_BYTES_MAX);
    }
    if (id < 0 || id >= TOKENIZER_IDS_MAX) {
        return error_set(err, ERROR_FORMAT, "%s: %s has no id from 0 to %d", path, where,
                         TOKENIZER_IDS_MAX - 1);
    }
    bool special = false;
    struct added_token token = {.content = content, .size = size, .id = (uint32_t)id};
    int result = tokenizer_load_switch(object, path, where, "special", &special, err);
    bool normalized = !special;
    if (!result) {
        result = tokenizer_load_switch(object, path, where, "normalized", &normalized, err);
    }
    if (!result) {
        result = tokenizer_load_switch(object, path, where, "single_word", &token.single_word, err);
    }
    if (!result) {
        result = tokenizer_load_switch(object, path, where, "lstrip", &token.lstrip, err);
    }
    if (!result) {
        result = tokenizer_load_switch(object, path, where, "rstrip", &token.rstrip, err);
    }
    return result ? result : add_token(tokenizer, &token, normalized, path, err);
}

static int load_added_array(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                            struct error *err)
{
    const struct json *array = json_get(files->root, "added_tokens");
    if (tokenizer_load_is_absent(array)) {
        return 0;
    }
    if (json_kind(array) != JSON_KIND_ARRAY) {
        return error_set(err, ERROR_FORMAT, "%s: added_tokens must be an array", files->path);
    }
    for (size_t i = 0; i < json_size(array); i++) {
        char where[64];
        int64_t id = -1;
        (void)snprintf(where, sizeof where, "added_tokens[%zu]", i);
        (void)json_as_integer(json_get(json_at(array, i), "id"), &id);
        int result = load_added_token(tokenizer, json_at(array, i), id, files->path, where, err);
        if (result) {
            return result;
        }
    }
    return 0;
}

/* tokenizer_config.json keeps them by id: {"100": {"content": "[UNK]", ...}}. */
static int load_added_decoder(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                              struct error *err)
{
    const struct json *object = json_get(files->config, "added_tokens_decoder");
    void *iterator = NULL;
    const char *key;
    const struct json *value;
    while (json_next(object, &iterator, &key, &value)) {
        char where[64];
        char *end = NULL;
        errno = 0;
        long long id = strtoll(key, &end, 10);
        bool is_number = errno == 0 && end != key && *end == '\0';
        (void)snprintf(where, sizeof where, "added_tokens_decoder.%.20s", key);
        int result =
            load_added_token(tokenizer, value, is_number ? id : -1, files->config_path, where, err);
        if (result) {
            return result;
        }
    }
    return 0;
}

/* Without tokenizer.json, the named special tokens are added tokens whether listed or not. *id is
 * the token's; only the tokens of a frame must exist. */
static int load_named_token(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                            enum tokenizer_name which, const char *key, uint32_t *id,
                            struct error *err)
{
    const struct tokenizer_family *family = tokenizer->family;
    const char *name = tokenizer_load_name(files, key, family->tokens[which], err);
    if (!name) {
        return ERROR_FORMAT;
    }
    size_t size = strlen(name);
    *id = tokenizer_load_find(tokenizer, name, size);
    if (*id == TOKENIZER_NO_ID && which <= TOKENIZER_NAME_UNK) {
        return error_set(err, ERROR_FORMAT,
                         "%s: %s is not in the vocabulary; set %s in tokenizer_config.json",
                         files->path, name, key);
    }
    if (*id == TOKENIZER_NO_ID || size == 0 || size > ADDED_TOKEN_BYTES_MAX ||
        added_tokens_find(&tokenizer->listed, name, size)) {
        return 0;
    }
    struct added_token token = {0};
    bool is_mask = which == TOKENIZER_NAME_MASK;
    if (is_mask) {
        token = family->mask;
    }
    token.content = name;
    token.size = size;
    token.id = *id;
    return add_token(tokenizer, &token, is_mask && family->mask_is_normalized, files->path, err);
}

static int load_named_tokens(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                             struct error *err)
{
    static const char *const keys[TOKENIZER_NAMES] = {
        [TOKENIZER_NAME_CLS] = "cls_token",   [TOKENIZER_NAME_SEP] = "sep_token",
        [TOKENIZER_NAME_UNK] = "unk_token",   [TOKENIZER_NAME_PAD] = "pad_token",
        [TOKENIZER_NAME_MASK] = "mask_token",
    };
    uint32_t ids[TOKENIZER_NAMES];
    for (unsigned i = 0; i < TOKENIZER_NAMES; i++) {
        int result =
            load_named_token(tokenizer, files, (enum tokenizer_name)i, keys[i], &ids[i], err);
        if (result) {
            return result;
        }
    }
    tokenizer->frame = (struct tokenizer_frame){.prefix = {ids[TOKENIZER_NAME_CLS]},
                                                .prefix_count = 1,
                                                .suffix = {ids[TOKENIZER_NAME_SEP]},
                                                .suffix_count = 1};
    return 0;
}

static int load_declared_tokens(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                                struct error *err)
{
    const struct tokenizer_family *family = tokenizer->family;
    struct added_token token;
    for (size_t i = 0; family->declared && family->declared(tokenizer->model, i, &token); i++) {
        if (added_tokens_find(&tokenizer->listed, token.content, token.size)) {
            continue;
        }
        int result = add_token(tokenizer, &token, false, files->path, err);
        if (result) {
            return result;
        }
    }
    return 0;
}

static int choose_family(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                         struct error *err)
{
    const struct json *model = json_get(files->root, "model");
    const char *type = json_as_string(json_get(model, "type"), NULL);
    if (!type && json_get(model, "merges")) {
        type = "BPE"; /* files older than the "type" key */
    } else if (!type && json_get(model, "max_input_chars_per_word")) {
        type = "WordPiece";
    }
    for (size_t i = 0; type && i < FAMILIES; i++) {
        if (strcmp(families[i]->type, type) == 0) {
            tokenizer->family = families[i];
            return 0;
        }
    }
    return error_set(err, ERROR_UNSUPPORTED,
                     "%s: model.type is %s; this build reads WordPiece, BPE and Unigram",
                     files->path, type ? type : "missing");
}

/* Without tokenizer.json: by the first file that is there. */
static int choose_family_by_file(struct tokenizer *tokenizer, const char *directory,
                                 char path[TOKENIZER_PATH_BYTES], struct error *err)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        int result = tokenizer_load_path(path, directory, families[i]->file, err);
        if (result) {
            return result;
        }
        if (!is_missing(path)) {
            tokenizer->family = families[i];
            return 0;
        }
    }
    return error_set(err, ERROR_IO,
                     "%s has no tokenizer.json, vocab.txt, vocab.json or sentencepiece.bpe.model",
                     directory);
}

static int load_special(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                        struct error *err)
{
    const struct tokenizer_frame *frame = &tokenizer->frame;
    const char *pad =
        tokenizer_load_name(files, "pad_token", tokenizer->family->tokens[TOKENIZER_NAME_PAD], err);
    if (!pad) {
        return ERROR_FORMAT;
    }
    tokenizer->special.cls = frame->prefix[0];
    tokenizer->special.sep =
        frame->suffix_count > 0 ? frame->suffix[frame->suffix_count - 1] : TOKENIZER_NO_ID;
    tokenizer->special.pad = tokenizer_load_find(tokenizer, pad, strlen(pad));
    return 0;
}

int tokenizer_load_files(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                         struct error *err)
{
    int result = files->root ? choose_family(tokenizer, files, err) : 0;
    if (result) {
        return result;
    }
    result = tokenizer->family->load(&tokenizer->model, files, &tokenizer->vocab_count,
                                     &tokenizer->special.unk, err);
    if (!result) {
        result = files->root ? load_added_array(tokenizer, files, err)
                             : load_added_decoder(tokenizer, files, err);
    }
    if (!result) {
        result = files->root ? tokenizer_post_load(tokenizer, files, err)
                             : load_named_tokens(tokenizer, files, err);
    }
    if (!result && !files->root) {
        result = load_declared_tokens(tokenizer, files, err);
    }
    if (!result && tokenizer->family->seal) {
        tokenizer->family->seal(tokenizer->model);
    }
    added_tokens_sort(&tokenizer->added);
    return result ? result : load_special(tokenizer, files, err);
}

int tokenizer_load(struct tokenizer *tokenizer, const char *directory, struct error *err)
{
    char path[TOKENIZER_PATH_BYTES];
    char config_path[TOKENIZER_PATH_BYTES];
    struct json_document *root = NULL;
    struct json_document *config = NULL;
    int result = tokenizer_load_path(path, directory, "tokenizer.json", err);
    if (!result) {
        result = tokenizer_load_path(config_path, directory, "tokenizer_config.json", err);
    }
    if (!result) {
        result = tokenizer_load_document(path, &root, err);
    }
    if (!result) {
        result = tokenizer_load_document(config_path, &config, err);
    }
    struct tokenizer_files files = {.directory = directory,
                                    .path = path,
                                    .root = json_root(root),
                                    .config_path = config_path,
                                    .config = json_root(config)};
    if (!result && !root) {
        result = choose_family_by_file(tokenizer, directory, path, err);
    }
    if (!result) {
        result = tokenizer_load_files(tokenizer, &files, err);
    }
    json_free(config);
    json_free(root);
    return result;
}
