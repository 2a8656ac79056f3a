/* tokenizer_load.c - reads what all families have in common from a checkpoint's directory: which
 * family it is, added tokens, the frame around a sequence. tokenizer.json is trusted in nothing: a
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

enum { PATH_BYTES = 4096, FILE_BYTES_MAX = 128 * 1024 * 1024, IDS_MAX = 1 << 24 };

/* The first is the one for directories without a tokenizer.json. */
static const struct tokenizer_family *const families[] = {&wordpiece_load_family};

static int join_path(char out[PATH_BYTES], const char *directory, const char *name,
                     struct error *err)
{
    int length = snprintf(out, PATH_BYTES, "%s/%s", directory, name);
    if (length < 0 || length >= PATH_BYTES) {
        return error_set(err, ERROR_LIMIT, "the path of %s is too long", name);
    }
    return 0;
}

/* *document stays NULL when there is no such file. */
static int read_json(const char *path, struct json_document **document, struct error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    *document = NULL;
    if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return 0;
    }
    int result = lines_read_file(path, FILE_BYTES_MAX, &bytes, &size, err);
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

static bool is_absent(const struct json *value)
{
    return json_kind(value) == JSON_KIND_ABSENT || json_kind(value) == JSON_KIND_NULL;
}

int tokenizer_load_switch(const struct json *object, const char *path, const char *where,
                          const char *key, bool *out, struct error *err)
{
    const struct json *value = json_get(object, key);
    if (is_absent(value) || json_as_boolean(value, out)) {
        return 0;
    }
    return error_set(err, ERROR_FORMAT, "%s: %s%s%s must be true, false or null", path, where,
                     *where ? "." : "", key);
}

const char *tokenizer_load_name(const struct tokenizer_files *files, const char *key,
                                const char *fallback, struct error *err)
{
    const struct json *value = json_get(files->config, key);
    if (is_absent(value)) {
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

/* Added tokens may stand outside the model's vocabulary. */
static uint32_t find_token(const struct tokenizer *tokenizer, const char *content, size_t size)
{
    uint32_t id = tokenizer->family->find(tokenizer->model, content, size);
    if (id == TOKENIZER_NO_ID) {
        const struct added_token *added = added_tokens_find(&tokenizer->added, content, size);
        id = added ? added->id : TOKENIZER_NO_ID;
    }
    return id;
}

static int add_token(struct tokenizer *tokenizer, const struct added_token *token, bool normalized,
                     const char *path, struct error *err)
{
    uint32_t known = find_token(tokenizer, token->content, token->size);
    if (known != TOKENIZER_NO_ID && known != token->id) {
        return error_set(err, ERROR_FORMAT,
                         "%s: the added token with id %" PRIu32 " has id %" PRIu32
                         " in the vocabulary",
                         path, token->id, known);
    }
    if (added_tokens_find(&tokenizer->added, token->content, token->size)) {
        return error_set(err, ERROR_FORMAT,
                         "%s: the added token with id %" PRIu32 " is given twice", path, token->id);
    }
    if (tokenizer->vocab_count <= token->id) {
        tokenizer->vocab_count = (size_t)token->id + 1;
    }
    if (normalized) {
        return tokenizer->family->add_normalized(tokenizer->model, token, path, err);
    }
    if (!added_tokens_add(&tokenizer->added, token)) {
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
    if (id < 0 || id >= IDS_MAX) {
        return error_set(err, ERROR_FORMAT, "%s: %s has no id from 0 to %d", path, where,
                         IDS_MAX - 1);
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
    if (is_absent(array)) {
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
 * the token's; a token that is not required may be missing. */
static int load_named_token(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                            const char *key, const char *fallback, bool required, uint32_t *id,
                            struct error *err)
{
    const char *name = tokenizer_load_name(files, key, fallback, err);
    if (!name) {
        return ERROR_FORMAT;
    }
    size_t size = strlen(name);
    *id = find_token(tokenizer, name, size);
    if (*id == TOKENIZER_NO_ID && required) {
        return error_set(err, ERROR_FORMAT,
                         "%s: %s is not in the vocabulary; set %s in tokenizer_config.json",
                         files->path, name, key);
    }
    if (*id == TOKENIZER_NO_ID || size == 0 || size > ADDED_TOKEN_BYTES_MAX ||
        added_tokens_find(&tokenizer->added, name, size)) {
        return 0;
    }
    struct added_token token = {.content = name, .size = size, .id = *id};
    return add_token(tokenizer, &token, false, files->path, err);
}

static int load_named_tokens(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                             struct error *err)
{
    static const struct {
        const char *key;
        const char *fallback;
        bool required;
    } names[] = {{"cls_token", "[CLS]", true},
                 {"sep_token", "[SEP]", true},
                 {"unk_token", "[UNK]", true},
                 {"pad_token", "[PAD]", false},
                 {"mask_token", "[MASK]", false}};
    enum { NAMES = sizeof names / sizeof names[0] };
    uint32_t ids[NAMES];
    for (size_t i = 0; i < NAMES; i++) {
        int result = load_named_token(tokenizer, files, names[i].key, names[i].fallback,
                                      names[i].required, &ids[i], err);
        if (result) {
            return result;
        }
    }
    tokenizer->frame = (struct tokenizer_frame){
        .prefix = {ids[0]}, .prefix_count = 1, .suffix = {ids[1]}, .suffix_count = 1};
    return 0;
}

/* A [token, id] pair or a template's token: its id must be the vocabulary's own. */
static int add_to_frame(struct tokenizer *tokenizer, const struct json *token,
                        const struct json *id_value, bool before, const char *path,
                        struct error *err)
{
    size_t size = 0;
    int64_t id = -1;
    const char *content = json_as_string(token, &size);
    if (!content || !json_as_integer(id_value, &id)) {
        return error_set(err, ERROR_FORMAT, "%s: post_processor: a special token needs text and id",
                         path);
    }
    uint32_t known = find_token(tokenizer, content, size);
    if (known == TOKENIZER_NO_ID || (int64_t)known != id) {
        return error_set(err, ERROR_FORMAT,
                         "%s: post_processor: the special token with id %" PRId64
                         " is not that token in the vocabulary",
                         path, id);
    }
    struct tokenizer_frame *frame = &tokenizer->frame;
    size_t *count = before ? &frame->prefix_count : &frame->suffix_count;
    if (*count == TOKENIZER_FRAME_MAX) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: post_processor: more than %d special tokens on one side", path,
                         TOKENIZER_FRAME_MAX);
    }
    uint32_t *ids = before ? frame->prefix : frame->suffix;
    ids[(*count)++] = known;
    return 0;
}

/* {"SpecialToken": {"id": NAME}} stands for the ids that "special_tokens" gives for NAME. */
static int add_template_token(struct tokenizer *tokenizer, const struct json *processor,
                              const struct json *piece, bool before, const char *path,
                              struct error *err)
{
    const char *name = json_as_string(json_get(piece, "id"), NULL);
    const struct json *special =
        name ? json_get(json_get(processor, "special_tokens"), name) : NULL;
    const struct json *ids = json_get(special, "ids");
    const struct json *tokens = json_get(special, "tokens");
    if (json_size(ids) == 0 || json_size(ids) != json_size(tokens)) {
        return error_set(err, ERROR_FORMAT,
                         "%s: post_processor.single names a token that special_tokens lacks", path);
    }
    for (size_t i = 0; i < json_size(ids); i++) {
        int result =
            add_to_frame(tokenizer, json_at(tokens, i), json_at(ids, i), before, path, err);
        if (result) {
            return result;
        }
    }
    return 0;
}

static int load_template(struct tokenizer *tokenizer, const struct json *processor,
                         const char *path, struct error *err)
{
    const struct json *single = json_get(processor, "single");
    size_t sequences = 0;
    for (size_t i = 0; i < json_size(single); i++) {
        const struct json *special = json_get(json_at(single, i), "SpecialToken");
        const struct json *sequence = json_get(json_at(single, i), "Sequence");
        const struct json *piece = special ? special : sequence;
        int64_t type_id = 0;
        (void)json_as_integer(json_get(piece, "type_id"), &type_id);
        if (!piece || type_id != 0) {
            return error_set(err, ERROR_UNSUPPORTED,
                             "%s: post_processor.single[%zu] is not a special token or sequence of "
                             "type 0",
                             path, i);
        }
        sequences += sequence != NULL;
        int result =
            special ? add_template_token(tokenizer, processor, piece, sequences == 0, path, err)
                    : 0;
        if (result) {
            return result;
        }
    }
    if (sequences != 1) {
        return error_set(err, ERROR_FORMAT, "%s: post_processor.single must hold one sequence",
                         path);
    }
    return 0;
}

static int load_post_processor(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                               struct error *err)
{
    const struct json *processor = json_get(files->root, "post_processor");
    const char *type = json_as_string(json_get(processor, "type"), NULL);
    int result;
    if (type && strcmp(type, "TemplateProcessing") == 0) {
        result = load_template(tokenizer, processor, files->path, err);
    } else if (type && strcmp(type, "BertProcessing") == 0) {
        const struct json *cls = json_get(processor, "cls");
        const struct json *sep = json_get(processor, "sep");
        result = add_to_frame(tokenizer, json_at(cls, 0), json_at(cls, 1), true, files->path, err);
        if (!result) {
            result =
                add_to_frame(tokenizer, json_at(sep, 0), json_at(sep, 1), false, files->path, err);
        }
    } else {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: post_processor.type is %s; this build reads TemplateProcessing and "
                         "BertProcessing",
                         files->path, type ? type : "missing");
    }
    if (!result && tokenizer->frame.prefix_count == 0) {
        result = error_set(err, ERROR_UNSUPPORTED,
                           "%s: post_processor puts no token first; a classifier reads that token",
                           files->path);
    }
    return result;
}

static int choose_family(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                         struct error *err)
{
    tokenizer->family = families[0];
    if (!files->root) {
        return 0;
    }
    const struct json *model = json_get(files->root, "model");
    const char *type = json_as_string(json_get(model, "type"), NULL);
    if (!type && json_get(model, "max_input_chars_per_word")) {
        type = "WordPiece"; /* files older than the "type" key */
    }
    for (size_t i = 0; type && i < sizeof families / sizeof families[0]; i++) {
        if (strcmp(families[i]->type, type) == 0) {
            tokenizer->family = families[i];
            return 0;
        }
    }
    return error_set(err, ERROR_UNSUPPORTED, "%s: model.type is %s; this build reads WordPiece",
                     files->path, type ? type : "missing");
}

static int load_special(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                        struct error *err)
{
    const struct tokenizer_frame *frame = &tokenizer->frame;
    const char *pad = tokenizer_load_name(files, "pad_token", "[PAD]", err);
    if (!pad) {
        return ERROR_FORMAT;
    }
    tokenizer->special.cls = frame->prefix[0];
    tokenizer->special.sep =
        frame->suffix_count > 0 ? frame->suffix[frame->suffix_count - 1] : TOKENIZER_NO_ID;
    tokenizer->special.pad = find_token(tokenizer, pad, strlen(pad));
    return 0;
}

static int load_parts(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                      struct error *err)
{
    int result = choose_family(tokenizer, files, err);
    if (!result) {
        result = tokenizer->family->load(&tokenizer->model, files, &tokenizer->vocab_count,
                                         &tokenizer->special.unk, err);
    }
    if (!result) {
        result = files->root ? load_added_array(tokenizer, files, err)
                             : load_added_decoder(tokenizer, files, err);
    }
    if (!result) {
        result = files->root ? load_post_processor(tokenizer, files, err)
                             : load_named_tokens(tokenizer, files, err);
    }
    added_tokens_sort(&tokenizer->added);
    return result ? result : load_special(tokenizer, files, err);
}

int tokenizer_load(struct tokenizer *tokenizer, const char *directory, struct error *err)
{
    char json_path[PATH_BYTES];
    char vocab_path[PATH_BYTES];
    char config_path[PATH_BYTES];
    struct json_document *root = NULL;
    struct json_document *config = NULL;
    int result = join_path(json_path, directory, "tokenizer.json", err);
    if (!result) {
        result = join_path(vocab_path, directory, "vocab.txt", err);
    }
    if (!result) {
        result = join_path(config_path, directory, "tokenizer_config.json", err);
    }
    if (!result) {
        result = read_json(json_path, &root, err);
    }
    if (!result) {
        result = read_json(config_path, &config, err);
    }
    if (!result) {
        struct tokenizer_files files = {.directory = directory,
                                        .path = root ? json_path : vocab_path,
                                        .root = json_root(root),
                                        .config_path = config_path,
                                        .config = json_root(config)};
        result = load_parts(tokenizer, &files, err);
    }
    json_free(config);
    json_free(root);
    return result;
}
