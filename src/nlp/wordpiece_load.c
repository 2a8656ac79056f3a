/* wordpiece_load.c - reads a WordPiece model, with BERT's normalizer and pre-tokenizer, from
 * tokenizer.json or from vocab.txt, and offers it as a tokenizer family.
 */
#include "nlp/tokenizer_internal.h"
#include "nlp/vocab_load.h"
#include "nlp/wordpiece.h"

#include "base/lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_BYTES_MAX = 4096, WORD_CHARS_DEFAULT = 100 };

static const char default_unk[] = "[UNK]";
static const char default_prefix[] = "##";

/* strip_accents follows lowercase unless it is said otherwise. */
struct normalizer_switches {
    bool clean_text;
    bool handle_chinese_chars;
    bool lowercase;
    bool strip_accents;
    bool strip_accents_is_set;
};

static int read_strip_accents(struct normalizer_switches *switches, const struct json *object,
                              const char *path, const char *where, struct error *err)
{
    enum json_kind kind = json_kind(json_get(object, "strip_accents"));
    if (kind != JSON_KIND_ABSENT) {
        switches->strip_accents_is_set = kind == JSON_KIND_BOOL;
    }
    return tokenizer_load_switch(object, path, where, "strip_accents", &switches->strip_accents,
                                 err);
}

static int read_normalizer(struct normalizer_switches *switches, const struct json *root,
                           const char *path, struct error *err)
{
    const struct json *normalizer = json_get(root, "normalizer");
    const char *type = json_as_string(json_get(normalizer, "type"), NULL);
    if (json_kind(normalizer) == JSON_KIND_NULL || json_kind(normalizer) == JSON_KIND_ABSENT) {
        *switches = (struct normalizer_switches){0};
        return 0;
    }
    if (!type || strcmp(type, "BertNormalizer") != 0) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: normalizer.type is %s; this build reads BertNormalizer", path,
                         type ? type : "missing");
    }
    int result = tokenizer_load_switch(normalizer, path, "normalizer", "clean_text",
                                       &switches->clean_text, err);
    if (!result) {
        result = tokenizer_load_switch(normalizer, path, "normalizer", "handle_chinese_chars",
                                       &switches->handle_chinese_chars, err);
    }
    if (!result) {
        result = tokenizer_load_switch(normalizer, path, "normalizer", "lowercase",
                                       &switches->lowercase, err);
    }
    return result ? result : read_strip_accents(switches, normalizer, path, "normalizer", err);
}

/* What tokenizer_config.json says wins over tokenizer.json, as in transformers' BertTokenizerFast;
 * its class PreTrainedTokenizerFast takes tokenizer.json as it is. */
static int read_config_switches(struct normalizer_switches *switches,
                                const struct tokenizer_files *files, struct error *err)
{
    const char *class = json_as_string(json_get(files->config, "tokenizer_class"), NULL);
    if (class && strcmp(class, "PreTrainedTokenizerFast") == 0) {
        return 0;
    }
    int result = tokenizer_load_switch(files->config, files->config_path, "", "do_lower_case",
                                       &switches->lowercase, err);
    if (!result) {
        result =
            tokenizer_load_switch(files->config, files->config_path, "", "tokenize_chinese_chars",
                                  &switches->handle_chinese_chars, err);
    }
    return result ? result
                  : read_strip_accents(switches, files->config, files->config_path, "", err);
}

static int check_pre_tokenizer(const struct json *root, const char *path, struct error *err)
{
    const char *type = json_as_string(json_pointer(root, "/pre_tokenizer/type"), NULL);
    if (type && strcmp(type, "BertPreTokenizer") == 0) {
        return 0;
    }
    return error_set(err, ERROR_UNSUPPORTED,
                     "%s: pre_tokenizer.type is %s; this build reads BertPreTokenizer", path,
                     type ? type : "missing");
}

static int read_word_chars_max(const struct json *model, const char *path, size_t *out,
                               struct error *err)
{
    int64_t value = WORD_CHARS_DEFAULT;
    const struct json *limit = json_get(model, "max_input_chars_per_word");
    *out = WORD_CHARS_DEFAULT;
    if (json_kind(limit) == JSON_KIND_ABSENT) {
        return 0;
    }
    if (!json_as_integer(limit, &value) || value < 1 || value > WORDPIECE_WORD_CHARS_MAX) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: model.max_input_chars_per_word must be from 1 to %d", path,
                         WORDPIECE_WORD_CHARS_MAX);
    }
    *out = (size_t)value;
    return 0;
}

/* An optional string of the model; *size is set too. */
static int read_model_string(const struct json *model, const char *path, const char *key,
                             const char *fallback, const char **out, size_t *size,
                             struct error *err)
{
    const struct json *value = json_get(model, key);
    *out = fallback;
    *size = strlen(fallback);
    if (json_kind(value) == JSON_KIND_ABSENT) {
        return 0;
    }
    *out = json_as_string(value, size);
    return *out ? 0 : error_set(err, ERROR_FORMAT, "%s: model.%s must be a string", path, key);
}

static int no_memory(const char *path, struct error *err)
{
    return error_set(err, ERROR_MEMORY, "%s: no memory for the vocabulary", path);
}

static int load_json(struct wordpiece *wordpiece, const struct tokenizer_files *files,
                     size_t *id_count, const char **unk, struct error *err)
{
    const struct json *model = json_get(files->root, "model");
    const char *prefix = NULL;
    size_t prefix_bytes = 0;
    size_t unk_bytes = 0;
    int result = vocab_load_object(&wordpiece->vocab, json_get(model, "vocab"), files->path,
                                   "model.vocab", id_count, err);
    if (!result) {
        result =
            read_model_string(model, files->path, "unk_token", default_unk, unk, &unk_bytes, err);
    }
    if (!result) {
        result = read_model_string(model, files->path, "continuing_subword_prefix", default_prefix,
                                   &prefix, &prefix_bytes, err);
    }
    if (!result) {
        result = check_pre_tokenizer(files->root, files->path, err);
    }
    if (!result) {
        wordpiece_seal(wordpiece, prefix, prefix_bytes,
                       vocab_find(&wordpiece->vocab, *unk, unk_bytes));
    }
    return result;
}

static size_t trimmed_size(const char *line, size_t size)
{
    while (size > 0 && strchr(" \t\r\n\v\f", line[size - 1])) {
        size--;
    }
    return size;
}

/* The number of a line is the token's id; an empty line is an id without a token. */
static int read_vocab_lines(struct wordpiece *wordpiece, struct lines *lines, const char *path,
                            size_t *id_count, struct error *err)
{
    const char *line;
    size_t size;
    int more;
    struct error detail = {0};
    *id_count = 0;
    while ((more = lines_next(lines, &line, &size, &detail)) > 0) {
        size_t number = lines_number(lines);
        size = trimmed_size(line, size);
        if (number > VOCAB_IDS_MAX) {
            return error_set(err, ERROR_LIMIT, "%s: more than %d lines", path, VOCAB_IDS_MAX);
        }
        if (size == 0) {
            continue;
        }
        switch (vocab_add(&wordpiece->vocab, line, size, (uint32_t)(number - 1))) {
        case VOCAB_ADDED:
            break;
        case VOCAB_ADDED_DUPLICATE:
            return error_set(err, ERROR_FORMAT, "%s:%zu: the same token stands on line %" PRIu32,
                             path, number, vocab_find(&wordpiece->vocab, line, size) + 1);
        case VOCAB_ADDED_NO_MEMORY:
            return no_memory(path, err);
        }
        *id_count = number;
    }
    if (more < 0) {
        return error_set(err, detail.code, "%s", detail.message);
    }
    return *id_count > 0 ? 0 : error_set(err, ERROR_FORMAT, "%s: no tokens", path);
}

static int load_vocab_file(struct wordpiece *wordpiece, const struct tokenizer_files *files,
                           size_t *id_count, const char **unk, struct error *err)
{
    struct lines *lines = NULL;
    *unk = tokenizer_load_name(files, "unk_token", default_unk, err);
    if (!*unk) {
        return ERROR_FORMAT;
    }
    int result = lines_open(&lines, files->path, TOKEN_BYTES_MAX, err);
    if (!result) {
        result = read_vocab_lines(wordpiece, lines, files->path, id_count, err);
    }
    lines_close(lines);
    if (!result) {
        wordpiece_seal(wordpiece, default_prefix, strlen(default_prefix),
                       vocab_find(&wordpiece->vocab, *unk, strlen(*unk)));
    }
    return result;
}

static void close_model(void *model)
{
    wordpiece_done(model);
    free(model);
}

static int load_model(void **model, const struct tokenizer_files *files, size_t *id_count,
                      uint32_t *unk, struct error *err)
{
    struct normalizer_switches switches = {
        .clean_text = true, .handle_chinese_chars = true, .lowercase = true};
    size_t word_chars_max = WORD_CHARS_DEFAULT;
    const char *unk_name = NULL;
    int result = files->root ? read_normalizer(&switches, files->root, files->path, err) : 0;
    if (!result) {
        result = read_config_switches(&switches, files, err);
    }
    if (!result) {
        result =
            read_word_chars_max(json_get(files->root, "model"), files->path, &word_chars_max, err);
    }
    struct wordpiece *wordpiece = result ? NULL : calloc(1, sizeof *wordpiece);
    if (!wordpiece) {
        return result ? result : no_memory(files->path, err);
    }
    struct bert_normalizer normalizer = {
        .clean_text = switches.clean_text,
        .handle_chinese_chars = switches.handle_chinese_chars,
        .lowercase = switches.lowercase,
        .strip_accents =
            switches.strip_accents_is_set ? switches.strip_accents : switches.lowercase,
    };
    wordpiece_init(wordpiece, normalizer, word_chars_max);
    result = files->root ? load_json(wordpiece, files, id_count, &unk_name, err)
                         : load_vocab_file(wordpiece, files, id_count, &unk_name, err);
    if (!result && wordpiece->unk == VOCAB_NO_ID) {
        result =
            error_set(err, ERROR_FORMAT, "%s: the unknown token %.64s is not in the vocabulary",
                      files->path, unk_name);
    }
    if (result) {
        close_model(wordpiece);
        return result;
    }
    *unk = wordpiece->unk;
    *model = wordpiece;
    return 0;
}

static uint32_t find_token(const void *model, const char *token, size_t size)
{
    const struct wordpiece *wordpiece = model;
    return vocab_find(&wordpiece->vocab, token, size);
}

static int add_normalized(void *model, const struct added_token *token, const char *path,
                          struct error *err)
{
    switch (
        wordpiece_add_pattern(model, token->content, token->size, token->id, token->single_word)) {
    case WORDPIECE_ADDED:
        return 0;
    case WORDPIECE_ADDED_EMPTY:
        return error_set(err, ERROR_FORMAT,
                         "%s: nothing is left of the added token with id %" PRIu32
                         " after normalization",
                         path, token->id);
    case WORDPIECE_ADDED_LONG:
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: the added token with id %" PRIu32 " is longer than %d characters",
                         path, token->id, WORDPIECE_PATTERN_CHARS_MAX);
    case WORDPIECE_ADDED_MANY:
        return error_set(err, ERROR_UNSUPPORTED, "%s: more than %d normalized added tokens", path,
                         WORDPIECE_PATTERNS_MAX);
    case WORDPIECE_ADDED_NO_MEMORY:
        break;
    }
    return no_memory(path, err);
}

static void pack_model(void **model, struct packed *packed, size_t id_count)
{
    if (packed_writes(packed)) {
        struct wordpiece view = *(const struct wordpiece *)*model;
        wordpiece_pack(&view, packed, id_count);
        return;
    }
    struct wordpiece *wordpiece = calloc(1, sizeof *wordpiece);
    *model = wordpiece;
    if (!wordpiece) {
        packed_fail(packed, "there is no memory for its vocabulary");
        return;
    }
    wordpiece_pack(wordpiece, packed, id_count);
}

static void start_text(const void *model, void *scratch, const char *bytes, size_t size,
                       bool at_start)
{
    (void)at_start;
    wordpiece_start(model, scratch, bytes, size);
}

static size_t next_ids(const void *model, void *scratch, uint32_t *ids, size_t ids_max)
{
    return wordpiece_next(model, scratch, ids, ids_max);
}

const struct tokenizer_family wordpiece_load_family = {
    .type = "WordPiece",
    .file = "vocab.txt",
    .tokens = {"[CLS]", "[SEP]", default_unk, "[PAD]", "[MASK]"},
    .load = load_model,
    .close = close_model,
    .find = find_token,
    .add_normalized = add_normalized,
    .pack = pack_model,
    .scratch_bytes = sizeof(struct wordpiece_scratch),
    .start = start_text,
    .next = next_ids,
};
