/* unigram_load.c - reads a Unigram model from tokenizer.json, or from a sentencepiece model file
 * with the ids that fairseq gave XLM-RoBERTa, and offers it as a tokenizer family. Normalizers and
 * pre-tokenizers are those that such classifiers come with; anything else is an error.
 */
#include "nlp/sentencepiece.h"
#include "nlp/tokenizer_internal.h"
#include "nlp/unigram.h"

#include "base/base64.h"
#include "base/lines.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char metaspace[] = "\xE2\x96\x81"; /* U+2581 */

static int no_memory(const char *path, struct error *err)
{
    return error_set(err, ERROR_MEMORY, "%s: no memory for the vocabulary", path);
}

/* A score of tokenizer.json as Hugging Face's library reads it: the digits as a whole number,
 * divided by a power of ten, which for every tenth value is off in the last bit. Sums that are
 * equal or not decide between tokens, so we err with it. */
static double read_score(double exact)
{
    char digits[32];
    int precision = 14;
    do {
        precision++;
        (void)snprintf(digits, sizeof digits, "%.*e", precision - 1, exact);
    } while (precision < 17 && strtod(digits, NULL) != exact);
    const char *exponent = strchr(digits, 'e');
    const char *at = digits;
    double whole = 0;
    uint64_t significand = 0;
    bool is_negative = *at == '-';
    for (at += is_negative; exponent && at < exponent; at++) {
        significand = *at == '.' ? significand : significand * 10 + (uint64_t)(*at - '0');
    }
    long power = exponent ? strtol(exponent + 1, NULL, 10) - (precision - 1) : 0;
    while (significand > 0 && significand % 10 == 0 && power < 0) {
        significand /= 10;
        power++;
    }
    whole = (double)significand;
    if (power < -300 || power > 300) {
        return exact;
    }
    (void)snprintf(digits, sizeof digits, "1e%ld", power < 0 ? -power : power);
    double scale = strtod(digits, NULL);
    double value = power < 0 ? whole / scale : whole * scale;
    return is_negative ? -value : value;
}

static int read_piece(const struct json *entry, size_t number, const char *path,
                      struct unigram_piece *piece, struct error *err)
{
    double score = 0;
    const struct json *value = json_at(entry, 1);
    piece->bytes = json_as_string(json_at(entry, 0), &piece->size);
    if (!piece->bytes || !json_as_number(value, &score)) {
        return error_set(err, ERROR_FORMAT, "%s: model.vocab[%zu] must be a token and its score",
                         path, number);
    }
    piece->score = json_kind(value) == JSON_KIND_REAL ? read_score(score) : score;
    return 0;
}

static int read_vocab(struct unigram *unigram, const struct json *model, const char *path,
                      struct error *err)
{
    const struct json *vocab = json_get(model, "vocab");
    size_t count = json_size(vocab);
    int64_t unk = -1;
    if (json_kind(vocab) != JSON_KIND_ARRAY || count == 0 || count > VOCAB_IDS_MAX) {
        return error_set(err, ERROR_FORMAT, "%s: model.vocab must be an array of 1 to %d tokens",
                         path, VOCAB_IDS_MAX);
    }
    if (!json_as_integer(json_get(model, "unk_id"), &unk) || unk < 0 || (uint64_t)unk >= count) {
        return error_set(err, ERROR_FORMAT, "%s: model.unk_id must be one of the %zu tokens", path,
                         count);
    }
    struct unigram_piece *pieces = calloc(count, sizeof *pieces);
    int result = pieces ? 0 : no_memory(path, err);
    for (size_t i = 0; !result && i < count; i++) {
        result = read_piece(json_at(vocab, i), i, path, &pieces[i], err);
    }
    if (!result && !unigram_set_pieces(unigram, pieces, count, (uint32_t)unk)) {
        result = no_memory(path, err);
    }
    free(pieces);
    return result;
}

static int read_charsmap(struct unigram *unigram, const unsigned char *bytes, size_t size,
                         const char *path, struct error *err)
{
    switch (charsmap_read(&unigram->normalizer.map, bytes, size)) {
    case CHARSMAP_READ:
        return 0;
    case CHARSMAP_READ_MALFORMED:
        return error_set(err, ERROR_FORMAT, "%s: precompiled_charsmap is malformed", path);
    case CHARSMAP_READ_NO_MEMORY:
        break;
    }
    return no_memory(path, err);
}

static int read_precompiled(struct unigram *unigram, const struct json *component, const char *path,
                            struct error *err)
{
    size_t text_size = 0;
    size_t size = 0;
    unsigned char *bytes = NULL;
    const char *text = json_as_string(json_get(component, "precompiled_charsmap"), &text_size);
    if (unigram->normalizer.map.units || unigram->normalizer.step_count > 0) {
        return error_set(err, ERROR_UNSUPPORTED, "%s: normalizer: Precompiled must come first",
                         path);
    }
    if (!text || !base64_decode(text, text_size, &bytes, &size)) {
        return error_set(err, ERROR_FORMAT, "%s: normalizer: precompiled_charsmap must be base64",
                         path);
    }
    int result = read_charsmap(unigram, bytes, size, path, err);
    free(bytes);
    return result;
}

static int add_step(struct unigram *unigram, const struct unigram_normalizer_step *step,
                    const char *path, struct error *err)
{
    struct unigram_normalizer *normalizer = &unigram->normalizer;
    bool collapses = step->kind == UNIGRAM_NORMALIZER_KIND_COLLAPSE;
    for (size_t i = 0; i < normalizer->step_count; i++) {
        bool again = collapses && normalizer->steps[i].kind == step->kind;
        if (again || i + 1 == UNIGRAM_NORMALIZER_STEPS_MAX) {
            return error_set(err, ERROR_UNSUPPORTED,
                             "%s: normalizer: a second Replace, or more than %d components", path,
                             UNIGRAM_NORMALIZER_STEPS_MAX);
        }
    }
    normalizer->steps[normalizer->step_count++] = *step;
    return 0;
}

static int read_strip(struct unigram *unigram, const struct json *component, const char *path,
                      struct error *err)
{
    struct unigram_normalizer_step step = {
        .kind = UNIGRAM_NORMALIZER_KIND_STRIP, .left = true, .right = true};
    int result =
        tokenizer_load_switch(component, path, "normalizer", "strip_left", &step.left, err);
    if (!result) {
        result =
            tokenizer_load_switch(component, path, "normalizer", "strip_right", &step.right, err);
    }
    return result ? result : add_step(unigram, &step, path, err);
}

/* Only " {2,}" by something short: "two or more spaces", which is all that these files replace. */
static int read_replace(struct unigram *unigram, const struct json *component, const char *path,
                        struct error *err)
{
    size_t size = 0;
    const char *pattern = json_as_string(json_pointer(component, "/pattern/Regex"), NULL);
    const char *content = json_as_string(json_get(component, "content"), &size);
    struct unigram_normalizer_step step = {.kind = UNIGRAM_NORMALIZER_KIND_COLLAPSE,
                                           .content_size = size};
    if (!pattern || strcmp(pattern, " {2,}") != 0) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: normalizer: Replace.pattern must be the Regex \" {2,}\"", path);
    }
    if (!content || size > UNIGRAM_NORMALIZER_CONTENT_MAX) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: normalizer: Replace.content must be a string of at most %d bytes",
                         path, UNIGRAM_NORMALIZER_CONTENT_MAX);
    }
    memcpy(step.content, content, size);
    return add_step(unigram, &step, path, err);
}

static int read_normalizer_component(struct unigram *unigram, const struct json *component,
                                     const char *path, struct error *err)
{
    const char *type = json_as_string(json_get(component, "type"), NULL);
    if (type && strcmp(type, "Precompiled") == 0) {
        return read_precompiled(unigram, component, path, err);
    }
    if (type && strcmp(type, "Strip") == 0) {
        return read_strip(unigram, component, path, err);
    }
    if (type && strcmp(type, "Replace") == 0) {
        return read_replace(unigram, component, path, err);
    }
    return error_set(err, ERROR_UNSUPPORTED,
                     "%s: normalizer.type is %s; with Unigram this build reads Precompiled, Strip, "
                     "Replace and a Sequence of them",
                     path, type ? type : "missing");
}

static int read_normalizer(struct unigram *unigram, const struct json *root, const char *path,
                           struct error *err)
{
    const struct json *normalizer = json_get(root, "normalizer");
    const char *type = json_as_string(json_get(normalizer, "type"), NULL);
    if (tokenizer_load_is_absent(normalizer)) {
        return 0;
    }
    if (!type || strcmp(type, "Sequence") != 0) {
        return read_normalizer_component(unigram, normalizer, path, err);
    }
    const struct json *components = json_get(normalizer, "normalizers");
    int result = 0;
    for (size_t i = 0; !result && i < json_size(components); i++) {
        result = read_normalizer_component(unigram, json_at(components, i), path, err);
    }
    return result;
}

/* prepend_scheme in new files; add_prefix_space in old ones, where true is what the default is. */
static int read_prepend(struct unigram *unigram, const struct json *component, const char *path,
                        struct error *err)
{
    static const char *const schemes[] = {[UNIGRAM_PREPEND_ALWAYS] = "always",
                                          [UNIGRAM_PREPEND_FIRST] = "first",
                                          [UNIGRAM_PREPEND_NEVER] = "never"};
    const struct json *value = json_get(component, "prepend_scheme");
    const char *scheme = json_as_string(value, NULL);
    bool add_prefix_space = true;
    int result = tokenizer_load_switch(component, path, "pre_tokenizer", "add_prefix_space",
                                       &add_prefix_space, err);
    if (result) {
        return result;
    }
    if (!value && !add_prefix_space) {
        scheme = "never";
    }
    for (unsigned i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strcmp(scheme ? scheme : "always", schemes[i]) == 0) {
            unigram->words.prepend = (enum unigram_prepend)i;
            return 0;
        }
    }
    return error_set(err, ERROR_UNSUPPORTED,
                     "%s: pre_tokenizer.prepend_scheme must be always, first or never", path);
}

static int read_metaspace(struct unigram *unigram, const struct json *component, const char *path,
                          struct error *err)
{
    struct unigram_words *words = &unigram->words;
    uint32_t code_point;
    size_t size = 0;
    const char *replacement = json_as_string(json_get(component, "replacement"), &size);
    if (!replacement || size == 0 || size > UNIGRAM_REPLACEMENT_MAX ||
        utf8_decode(replacement, size, &code_point, NULL) != size) {
        return error_set(err, ERROR_FORMAT, "%s: pre_tokenizer.replacement must be one character",
                         path);
    }
    memcpy(words->replacement, replacement, size);
    words->replacement_size = size;
    words->metaspace = true;
    words->split = true;
    int result =
        tokenizer_load_switch(component, path, "pre_tokenizer", "split", &words->split, err);
    return result ? result : read_prepend(unigram, component, path, err);
}

/* Metaspace, WhitespaceSplit, or the second and then the first. */
static int read_pre_tokenizer_component(struct unigram *unigram, const struct json *component,
                                        const char *path, struct error *err)
{
    struct unigram_words *words = &unigram->words;
    const char *type = json_as_string(json_get(component, "type"), NULL);
    if (type && strcmp(type, "Metaspace") == 0 && !words->metaspace) {
        return read_metaspace(unigram, component, path, err);
    }
    if (type && strcmp(type, "WhitespaceSplit") == 0 && !words->metaspace) {
        words->split_white_space = true;
        return 0;
    }
    return error_set(err, ERROR_UNSUPPORTED,
                     "%s: pre_tokenizer.type is %s; with Unigram this build reads Metaspace and a "
                     "Sequence of WhitespaceSplit and Metaspace",
                     path, type ? type : "missing");
}

static int read_pre_tokenizer(struct unigram *unigram, const struct json *root, const char *path,
                              struct error *err)
{
    const struct json *pre = json_get(root, "pre_tokenizer");
    const char *type = json_as_string(json_get(pre, "type"), NULL);
    if (tokenizer_load_is_absent(pre)) {
        return 0;
    }
    if (!type || strcmp(type, "Sequence") != 0) {
        return read_pre_tokenizer_component(unigram, pre, path, err);
    }
    const struct json *components = json_get(pre, "pretokenizers");
    int result = 0;
    for (size_t i = 0; !result && i < json_size(components); i++) {
        result = read_pre_tokenizer_component(unigram, json_at(components, i), path, err);
    }
    return result;
}

static int load_json(struct unigram *unigram, const struct tokenizer_files *files,
                     struct error *err)
{
    const struct json *model = json_get(files->root, "model");
    bool byte_fallback = false;
    int result =
        tokenizer_load_switch(model, files->path, "model", "byte_fallback", &byte_fallback, err);
    if (!result && byte_fallback) {
        result =
            error_set(err, ERROR_UNSUPPORTED, "%s: model.byte_fallback must be false", files->path);
    }
    if (!result) {
        result = read_normalizer(unigram, files->root, files->path, err);
    }
    if (!result) {
        result = read_pre_tokenizer(unigram, files->root, files->path, err);
    }
    return result ? result : read_vocab(unigram, model, files->path, err);
}

/* fairseq's ids: <s>, <pad>, </s>, <unk>, the pieces after sentencepiece's own three, <mask>. */
static int set_fairseq_pieces(struct unigram *unigram, const struct sentencepiece *model,
                              const char *path, struct error *err)
{
    static const char *const first[] = {"<s>", "<pad>", "</s>", "<unk>"};
    enum { FIRST = sizeof first / sizeof first[0], UNK = 3, OWN = 3 };
    static const char mask[] = "<mask>";
    size_t kept = model->count > OWN ? model->count - OWN : 0;
    size_t count = FIRST + kept + 1;
    struct unigram_piece *pieces = calloc(count, sizeof *pieces);
    if (!pieces) {
        return no_memory(path, err);
    }
    for (size_t i = 0; i < FIRST; i++) {
        pieces[i] = (struct unigram_piece){.bytes = first[i], .size = strlen(first[i])};
    }
    for (size_t i = 0; i < kept; i++) {
        const struct sentencepiece_piece *piece = &model->pieces[OWN + i];
        pieces[FIRST + i] = (struct unigram_piece){
            .bytes = piece->bytes, .size = piece->size, .score = (double)piece->score};
    }
    pieces[count - 1] = (struct unigram_piece){.bytes = mask, .size = strlen(mask)};
    bool is_set = unigram_set_pieces(unigram, pieces, count, UNK);
    free(pieces);
    return is_set ? 0 : no_memory(path, err);
}

/* Control and user-defined symbols are found in the text itself. */
static int keep_symbols(struct unigram *unigram, const struct sentencepiece *model,
                        const char *path, struct error *err)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct sentencepiece_piece *piece = &model->pieces[i];
        uint32_t id = vocab_find(&unigram->vocab, piece->bytes, piece->size);
        bool is_symbol = piece->type == SENTENCEPIECE_TYPE_CONTROL ||
                         piece->type == SENTENCEPIECE_TYPE_USER_DEFINED;
        if (!is_symbol || id == VOCAB_NO_ID || piece->size == 0) {
            continue;
        }
        struct added_token token = {.content = piece->bytes, .size = piece->size, .id = id};
        if (piece->size > ADDED_TOKEN_BYTES_MAX || !added_tokens_add(&unigram->symbols, &token)) {
            return error_set(err, ERROR_LIMIT,
                             "%s: piece %zu: no memory, more than %d symbols, or longer than %d "
                             "bytes",
                             path, i, ADDED_TOKENS_MAX, ADDED_TOKEN_BYTES_MAX);
        }
    }
    return 0;
}

/* What transformers' converter makes of a sentencepiece model. */
static int set_components(struct unigram *unigram, const struct sentencepiece *model,
                          const char *path, struct error *err)
{
    struct unigram_normalizer *normalizer = &unigram->normalizer;
    normalizer->steps[0] =
        (struct unigram_normalizer_step){.kind = UNIGRAM_NORMALIZER_KIND_STRIP, .right = true};
    normalizer->steps[1] = (struct unigram_normalizer_step){
        .kind = UNIGRAM_NORMALIZER_KIND_COLLAPSE, .content_size = sizeof metaspace - 1};
    memcpy(normalizer->steps[1].content, metaspace, sizeof metaspace - 1);
    normalizer->step_count = 2;
    unigram->words = (struct unigram_words){.metaspace = true,
                                            .split = true,
                                            .prepend = UNIGRAM_PREPEND_ALWAYS,
                                            .replacement_size = sizeof metaspace - 1};
    memcpy(unigram->words.replacement, metaspace, sizeof metaspace - 1);
    return model->charsmap
               ? read_charsmap(unigram, model->charsmap, model->charsmap_size, path, err)
               : 0;
}

static int load_sentencepiece(struct unigram *unigram, const struct tokenizer_files *files,
                              struct error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    struct sentencepiece model = {0};
    int result = lines_read_file(files->path, TOKENIZER_FILE_BYTES_MAX, &bytes, &size, err);
    if (!result) {
        result = sentencepiece_read(&model, bytes, size, files->path, err);
    }
    if (!result && model.model != SENTENCEPIECE_MODEL_UNIGRAM) {
        result = error_set(err, ERROR_UNSUPPORTED,
                           "%s: a sentencepiece model of another type than Unigram", files->path);
    }
    if (!result) {
        result = set_fairseq_pieces(unigram, &model, files->path, err);
    }
    if (!result) {
        result = keep_symbols(unigram, &model, files->path, err);
    }
    if (!result) {
        result = set_components(unigram, &model, files->path, err);
    }
    sentencepiece_done(&model);
    free(bytes);
    return result;
}

static void close_model(void *model)
{
    unigram_done(model);
    free(model);
}

static int load_model(void **model, const struct tokenizer_files *files, size_t *id_count,
                      uint32_t *unk, struct error *err)
{
    struct unigram *unigram = calloc(1, sizeof *unigram);
    if (!unigram) {
        return no_memory(files->path, err);
    }
    unigram_init(unigram);
    int result =
        files->root ? load_json(unigram, files, err) : load_sentencepiece(unigram, files, err);
    if (result) {
        close_model(unigram);
        return result;
    }
    *id_count = unigram->count;
    *unk = unigram->unk;
    *model = unigram;
    return 0;
}

static uint32_t find_token(const void *model, const char *token, size_t size)
{
    const struct unigram *unigram = model;
    return vocab_find(&unigram->vocab, token, size);
}

static bool declared_token(const void *model, size_t index, struct added_token *token)
{
    const struct unigram *unigram = model;
    if (index >= unigram->symbols.count) {
        return false;
    }
    *token = unigram->symbols.tokens[index];
    return true;
}

/* The token as it looks after normalization. */
static int add_normalized(void *model, const struct added_token *token, const char *path,
                          struct error *err)
{
    struct unigram *unigram = model;
    struct unigram_normalizer_scratch *scratch = malloc(sizeof *scratch);
    if (!scratch) {
        return no_memory(path, err);
    }
    unigram_normalizer_start(scratch, token->content, token->size);
    (void)unigram_normalizer_next(&unigram->normalizer, scratch);
    struct added_token normalized = *token;
    normalized.content = scratch->text;
    normalized.size = scratch->size;
    int result = 0;
    if (normalized.size == 0 || normalized.size > ADDED_TOKEN_BYTES_MAX) {
        result = error_set(err, ERROR_FORMAT,
                           "%s: the added token with id %" PRIu32
                           " is empty or longer than %d bytes after normalization",
                           path, token->id, ADDED_TOKEN_BYTES_MAX);
    } else if (!added_tokens_add(&unigram->normalized, &normalized)) {
        result = error_set(err, ERROR_LIMIT, "%s: no memory for, or more than %d, added tokens",
                           path, ADDED_TOKENS_MAX);
    }
    free(scratch);
    return result;
}

static void seal_model(void *model)
{
    struct unigram *unigram = model;
    added_tokens_sort(&unigram->normalized);
}

static void pack_model(void **model, struct packed *packed, size_t id_count)
{
    if (packed_writes(packed)) {
        struct unigram view = *(const struct unigram *)*model;
        unigram_pack(&view, packed, id_count);
        return;
    }
    struct unigram *unigram = calloc(1, sizeof *unigram);
    *model = unigram;
    if (!unigram) {
        packed_fail(packed, "there is no memory for its vocabulary");
        return;
    }
    unigram_init(unigram);
    unigram_pack(unigram, packed, id_count);
}

static void start_text(const void *model, void *scratch, const char *bytes, size_t size,
                       bool at_start)
{
    unigram_start(model, scratch, bytes, size, at_start);
}

static size_t next_ids(const void *model, void *scratch, uint32_t *ids, size_t ids_max)
{
    return unigram_next(model, scratch, ids, ids_max);
}

const struct tokenizer_family unigram_load_family = {
    .type = "Unigram",
    .file = "sentencepiece.bpe.model",
    .tokens = {"<s>", "</s>", "<unk>", "<pad>", "<mask>"},
    .mask = {.lstrip = true},
    .mask_is_normalized = true,
    .load = load_model,
    .close = close_model,
    .find = find_token,
    .declared = declared_token,
    .add_normalized = add_normalized,
    .seal = seal_model,
    .pack = pack_model,
    .scratch_bytes = sizeof(struct unigram_scratch),
    .start = start_text,
    .next = next_ids,
};
