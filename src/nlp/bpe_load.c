/* bpe_load.c - reads a byte-level BPE model from tokenizer.json, or from vocab.json and merges.txt,
 * and offers it as a tokenizer family. Other kinds of BPE (of characters, with word ends, with
 * byte fallback) are errors: RoBERTa-like classifiers have none.
 */
#include "nlp/bpe.h"
#include "nlp/tokenizer_internal.h"
#include "nlp/vocab_load.h"

#include "base/lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MERGE_BYTES_MAX = 4096 };

static int no_memory(const char *path, struct error *err)
{
    return error_set(err, ERROR_MEMORY, "%s: no memory for the vocabulary", path);
}

/* Where a merge stands, for messages. */
struct place {
    const char *path;
    const char *what; /* "merge" or "line" */
    size_t number;
};

/* Tokens are told apart by their spelling: left, right and both in one must be in the vocabulary.
 */
static int add_merge(struct bpe *bpe, const char *left, size_t left_size, const char *right,
                     size_t right_size, size_t rank, bool replace, const struct place *place,
                     struct error *err)
{
    uint32_t node = vocab_walk(&bpe->vocab, VOCAB_ROOT, left, left_size);
    struct bpe_merge merge = {
        .left = node == VOCAB_NO_NODE ? VOCAB_NO_ID : bpe->vocab.ids[node],
        .right = vocab_find(&bpe->vocab, right, right_size),
        .rank = (uint32_t)rank,
    };
    node = vocab_walk(&bpe->vocab, node, right, right_size);
    merge.merged = node == VOCAB_NO_NODE ? VOCAB_NO_ID : bpe->vocab.ids[node];
    if (merge.left == VOCAB_NO_ID || merge.right == VOCAB_NO_ID || merge.merged == VOCAB_NO_ID) {
        return error_set(err, ERROR_FORMAT, "%s: %s %zu names a token that the vocabulary lacks",
                         place->path, place->what, place->number);
    }
    if (!bpe_add_merge(bpe, &merge, replace)) {
        return error_set(err, ERROR_LIMIT, "%s: no memory for, or more than %d, merges",
                         place->path, BPE_MERGES_MAX);
    }
    return 0;
}

/* "left right", with one space. */
static int add_merge_line(struct bpe *bpe, const char *line, size_t size, size_t rank, bool replace,
                          const struct place *place, struct error *err)
{
    const char *space = memchr(line, ' ', size);
    const char *end = line + size;
    if (!space || space == line || space + 1 == end ||
        memchr(space + 1, ' ', (size_t)(end - space - 1))) {
        return error_set(err, ERROR_FORMAT, "%s: %s %zu must be two tokens and a space between",
                         place->path, place->what, place->number);
    }
    return add_merge(bpe, line, (size_t)(space - line), space + 1, (size_t)(end - space - 1), rank,
                     replace, place, err);
}

static bool is_version(const char *line, size_t size)
{
    static const char version[] = "#version";
    return size >= sizeof version - 1 && memcmp(line, version, sizeof version - 1) == 0;
}

/* Old files hold strings, new ones pairs. */
static int read_merges(struct bpe *bpe, const struct json *merges, const char *path,
                       struct error *err)
{
    if (json_kind(merges) != JSON_KIND_ARRAY) {
        return error_set(err, ERROR_FORMAT, "%s: model.merges must be an array", path);
    }
    int result = 0;
    for (size_t i = 0; !result && i < json_size(merges); i++) {
        const struct json *merge = json_at(merges, i);
        struct place place = {.path = path, .what = "merge", .number = i + 1};
        size_t left_size = 0;
        size_t right_size = 0;
        const char *left = json_as_string(merge, &left_size);
        if (left) {
            result = is_version(left, left_size)
                         ? 0
                         : add_merge_line(bpe, left, left_size, i, true, &place, err);
            continue;
        }
        left = json_as_string(json_at(merge, 0), &left_size);
        const char *right = json_as_string(json_at(merge, 1), &right_size);
        if (!left || !right || json_size(merge) != 2) {
            return error_set(err, ERROR_FORMAT, "%s: merge %zu must be two tokens", path, i + 1);
        }
        result = add_merge(bpe, left, left_size, right, right_size, i, true, &place, err);
    }
    return result;
}

/* The first line may be a version comment; others may not, because "#" is a token. */
static int read_merge_lines(struct bpe *bpe, const char *path, struct error *err)
{
    struct lines *lines = NULL;
    struct error detail = {0};
    const char *line;
    size_t size;
    int more = 0;
    int result = lines_open(&lines, path, MERGE_BYTES_MAX, err);
    while (!result && (more = lines_next(lines, &line, &size, &detail)) > 0) {
        size_t number = lines_number(lines);
        struct place place = {.path = path, .what = "line", .number = number};
        if (size == 0 || (number == 1 && is_version(line, size))) {
            continue;
        }
        result = add_merge_line(bpe, line, size, number, false, &place, err);
    }
    if (!result && more < 0) {
        result = error_set(err, detail.code, "%s", detail.message);
    }
    lines_close(lines);
    return result;
}

static int unsupported(const char *path, const char *key, const char *reads, struct error *err)
{
    return error_set(err, ERROR_UNSUPPORTED, "%s: %s is not one that this build reads (%s)", path,
                     key, reads);
}

/* Settings of other kinds of BPE, which must be off. */
static int check_model(const struct json *model, const char *path, struct error *err)
{
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (size_t i = 0; i < sizeof affixes / sizeof affixes[0]; i++) {
        const struct json *affix = json_get(model, affixes[i]);
        size_t size = 1;
        if (!tokenizer_load_is_absent(affix) && (!json_as_string(affix, &size) || size > 0)) {
            return error_set(err, ERROR_UNSUPPORTED, "%s: model.%s must be empty", path,
                             affixes[i]);
        }
    }
    double dropout = 0;
    const struct json *value = json_get(model, "dropout");
    if (!tokenizer_load_is_absent(value) && (!json_as_number(value, &dropout) || dropout > 0)) {
        return error_set(err, ERROR_UNSUPPORTED, "%s: model.dropout must be null", path);
    }
    bool byte_fallback = false;
    int result = tokenizer_load_switch(model, path, "model", "byte_fallback", &byte_fallback, err);
    if (!result && byte_fallback) {
        result = error_set(err, ERROR_UNSUPPORTED, "%s: model.byte_fallback must be false", path);
    }
    return result;
}

/* ByteLevel, alone or as the one member of a Sequence. */
static int read_pre_tokenizer(struct bpe *bpe, const struct json *root, const char *path,
                              struct error *err)
{
    const struct json *pre = json_get(root, "pre_tokenizer");
    const char *type = json_as_string(json_get(pre, "type"), NULL);
    if (type && strcmp(type, "Sequence") == 0 && json_size(json_get(pre, "pretokenizers")) == 1) {
        pre = json_at(json_get(pre, "pretokenizers"), 0);
        type = json_as_string(json_get(pre, "type"), NULL);
    }
    if (!type || strcmp(type, "ByteLevel") != 0) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: pre_tokenizer.type is %s; with BPE this build reads ByteLevel", path,
                         type ? type : "missing");
    }
    bpe->add_prefix_space = true;
    int result = tokenizer_load_switch(pre, path, "pre_tokenizer", "add_prefix_space",
                                       &bpe->add_prefix_space, err);
    return result ? result
                  : tokenizer_load_switch(pre, path, "pre_tokenizer", "use_regex", &bpe->use_regex,
                                          err);
}

/* What transformers' RobertaTokenizerFast makes of it: tokenizer_config.json's add_prefix_space
 * wins over tokenizer.json's, and is false when absent. Its class PreTrainedTokenizerFast, and a
 * directory without the file, take tokenizer.json as it is. */
static int read_config_switches(struct bpe *bpe, const struct tokenizer_files *files,
                                struct error *err)
{
    const char *class = json_as_string(json_get(files->config, "tokenizer_class"), NULL);
    bool names_class = class && strcmp(class, "PreTrainedTokenizerFast") != 0;
    if (names_class || !files->root) {
        bpe->add_prefix_space = false;
    }
    return tokenizer_load_switch(files->config, files->config_path, "", "add_prefix_space",
                                 &bpe->add_prefix_space, err);
}

/* Spelled tokens become words; spellings of other things are passed over. */
static int add_words(struct bpe *bpe, const struct json *vocab, const char *path, struct error *err)
{
    struct bpe_scratch *scratch = malloc(sizeof *scratch);
    void *iterator = NULL;
    const char *token;
    const struct json *value;
    bool added = scratch != NULL;
    while (added && json_next(vocab, &iterator, &token, &value)) {
        int64_t id = 0;
        (void)json_as_integer(value, &id);
        added = bpe_add_word(bpe, scratch, token, strlen(token), (uint32_t)id);
    }
    free(scratch);
    return added ? 0 : no_memory(path, err);
}

/* The unknown token is optional: a vocabulary with all 256 bytes never needs it. */
static int read_unknown(struct bpe *bpe, const struct json *model, const char *path,
                        uint32_t *unknown, struct error *err)
{
    const struct json *value = json_get(model, "unk_token");
    size_t size = 0;
    const char *token = json_as_string(value, &size);
    *unknown = VOCAB_NO_ID;
    if (tokenizer_load_is_absent(value)) {
        return 0;
    }
    *unknown = token ? vocab_find(&bpe->vocab, token, size) : VOCAB_NO_ID;
    if (*unknown == VOCAB_NO_ID) {
        return error_set(err, ERROR_FORMAT, "%s: model.unk_token is not in the vocabulary", path);
    }
    return 0;
}

static int load_json(struct bpe *bpe, const struct tokenizer_files *files, size_t *id_count,
                     uint32_t *unknown, struct error *err)
{
    const struct json *model = json_get(files->root, "model");
    const struct json *vocab = json_get(model, "vocab");
    const char *path = files->path;
    int result = check_model(model, path, err);
    if (!result && !tokenizer_load_is_absent(json_get(files->root, "normalizer"))) {
        result = unsupported(path, "normalizer", "with BPE: null", err);
    }
    if (!result) {
        result = read_pre_tokenizer(bpe, files->root, path, err);
    }
    if (!result) {
        result = tokenizer_load_switch(model, path, "model", "fuse_unk", &bpe->fuse_unknown, err);
    }
    if (!result) {
        result =
            tokenizer_load_switch(model, path, "model", "ignore_merges", &bpe->ignore_merges, err);
    }
    if (!result) {
        result = vocab_load_object(&bpe->vocab, vocab, path, "model.vocab", id_count, err);
    }
    if (!result) {
        result = read_unknown(bpe, model, path, unknown, err);
    }
    if (!result) {
        result = read_merges(bpe, json_get(model, "merges"), path, err);
    }
    bpe_seal(bpe, *unknown);
    return result ? result : add_words(bpe, vocab, path, err);
}

/* vocab.json and merges.txt beside it. */
static int load_files(struct bpe *bpe, const struct tokenizer_files *files, size_t *id_count,
                      struct error *err)
{
    char merges_path[TOKENIZER_PATH_BYTES];
    struct json_document *document = NULL;
    int result = tokenizer_load_path(merges_path, files->directory, "merges.txt", err);
    if (!result) {
        result = tokenizer_load_document(files->path, &document, err);
    }
    const struct json *vocab = json_root(document);
    if (!result) {
        result = vocab_load_object(&bpe->vocab, vocab, files->path, "the file", id_count, err);
    }
    if (!result) {
        result = read_merge_lines(bpe, merges_path, err);
    }
    bpe_seal(bpe, VOCAB_NO_ID);
    if (!result) {
        result = add_words(bpe, vocab, files->path, err);
    }
    json_free(document);
    return result;
}

static void close_model(void *model)
{
    bpe_done(model);
    free(model);
}

static int load_model(void **model, const struct tokenizer_files *files, size_t *id_count,
                      uint32_t *unk, struct error *err)
{
    struct bpe *bpe = calloc(1, sizeof *bpe);
    if (!bpe) {
        return no_memory(files->path, err);
    }
    bpe_init(bpe);
    *unk = VOCAB_NO_ID;
    int result = files->root ? load_json(bpe, files, id_count, unk, err)
                             : load_files(bpe, files, id_count, err);
    if (!result) {
        result = read_config_switches(bpe, files, err);
    }
    if (result) {
        close_model(bpe);
        return result;
    }
    *model = bpe;
    return 0;
}

static uint32_t find_token(const void *model, const char *token, size_t size)
{
    const struct bpe *bpe = model;
    return vocab_find(&bpe->vocab, token, size);
}

static int add_normalized(void *model, const struct added_token *token, const char *path,
                          struct error *err)
{
    struct bpe *bpe = model;
    if (!added_tokens_add(&bpe->normalized, token)) {
        return error_set(err, ERROR_LIMIT, "%s: no memory for, or more than %d, added tokens", path,
                         ADDED_TOKENS_MAX);
    }
    return 0;
}

static void seal_model(void *model)
{
    struct bpe *bpe = model;
    added_tokens_sort(&bpe->normalized);
}

static void pack_model(void **model, struct packed *packed, size_t id_count)
{
    if (packed_writes(packed)) {
        struct bpe view = *(const struct bpe *)*model;
        bpe_pack(&view, packed, id_count);
        return;
    }
    struct bpe *bpe = calloc(1, sizeof *bpe);
    *model = bpe;
    if (!bpe) {
        packed_fail(packed, "there is no memory for its vocabulary");
        return;
    }
    bpe_init(bpe);
    bpe_pack(bpe, packed, id_count);
}

static void start_text(const void *model, void *scratch, const char *bytes, size_t size,
                       bool at_start)
{
    (void)at_start;
    bpe_start(model, scratch, bytes, size);
}

static size_t next_ids(const void *model, void *scratch, uint32_t *ids, size_t ids_max)
{
    return bpe_next(model, scratch, ids, ids_max);
}

const struct tokenizer_family bpe_load_family = {
    .type = "BPE",
    .file = "vocab.json",
    .tokens = {"<s>", "</s>", "<unk>", "<pad>", "<mask>"},
    .mask = {.lstrip = true},
    .load = load_model,
    .close = close_model,
    .find = find_token,
    .add_normalized = add_normalized,
    .seal = seal_model,
    .pack = pack_model,
    .scratch_bytes = sizeof(struct bpe_scratch),
    .start = start_text,
    .next = next_ids,
};
