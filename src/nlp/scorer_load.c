/* scorer_load.c - makes a scorer, from a checkpoint's files or from a packed file of one, and packs
 * it into such a file. The configuration and model.yaml are read anew each time: they are small,
 * and so a packed file holds nothing that a person edits. */
#include "nlp/scorer.h"

#include "base/keyhash.h"
#include "nlp/checkpoint_config.h"
#include "nlp/kernels/cpu.h"
#include "nlp/model_source.h"
#include "nlp/scorer_internal.h"

#include <assert.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>

/* ---- from a checkpoint ---- */

static int check_fit(const struct scorer *scorer, const struct checkpoint_config *config,
                     const char *directory, struct error *err)
{
    size_t ids = tokenizer_vocab_count(scorer->tokenizer);
    if (ids > config->vocab_count) {
        return error_set(err, ERROR_CONFIG,
                         "%s: the tokenizer knows %zu tokens, but \"vocab_size\" in config.json is "
                         "%zu; the files are of different models",
                         directory, ids, config->vocab_count);
    }
    if (scorer->tokens_max <= scorer->frame.prefix_count + scorer->frame.suffix_count) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: \"max_position_embeddings\" in config.json leaves no room for text",
                         directory);
    }
    return 0;
}

static const struct {
    const char *word;
    enum encoder_precision precision;
} precisions[] = {
    [SCORER_PRECISION_AUTO] = {"auto", ENCODER_PRECISION_FP32},
    [SCORER_PRECISION_FP32] = {"fp32", ENCODER_PRECISION_FP32},
    [SCORER_PRECISION_INT8] = {"int8", ENCODER_PRECISION_INT8},
    [SCORER_PRECISION_BF16] = {"bf16", ENCODER_PRECISION_BF16},
};

enum { PRECISION_COUNT = sizeof precisions / sizeof precisions[0] };

bool scorer_precision_parse(const char *word, enum scorer_precision *precision)
{
    for (size_t i = 0; i < PRECISION_COUNT; i++) {
        if (strcmp(precisions[i].word, word) == 0) {
            *precision = (enum scorer_precision)i;
            return true;
        }
    }
    return false;
}

static void close_parts(struct scorer *scorer)
{
    classifier_close(scorer->classifier);
    encoder_close(scorer->encoder);
    tokenizer_close(scorer->tokenizer);
    packed_close(scorer->packed);
    scorer->classifier = NULL;
    scorer->encoder = NULL;
    scorer->tokenizer = NULL;
    scorer->packed = NULL;
}

static int fit_parts(struct scorer *scorer, const struct checkpoint_config *config,
                     const char *directory, struct error *err)
{
    scorer->frame = *tokenizer_frame(scorer->tokenizer);
    scorer->tokens_max = encoder_tokens_max(scorer->encoder);
    scorer->config = *config;
    return check_fit(scorer, config, directory, err);
}

static int read_parts(struct scorer *scorer, const char *directory, struct error *err)
{
    struct checkpoint *checkpoint = NULL;
    int code = tokenizer_open(&scorer->tokenizer, directory, err);
    code = code ? code : checkpoint_open(&checkpoint, directory, err);
    code =
        code ? code
             : encoder_open(&scorer->encoder, checkpoint, scorer->kernels, scorer->precision, err);
    code = code ? code : classifier_open(&scorer->classifier, checkpoint, scorer->kernels, err);
    code = code ? code : fit_parts(scorer, checkpoint_config(checkpoint), directory, err);
    checkpoint_close(checkpoint);
#ifdef __GLIBC__
    (void)malloc_trim(0); /* what tokenizer.json took, tens of megabytes, goes back to the system */
#endif
    return code;
}

/* ---- packed ---- */

/* Changes whenever the order of what is packed does, or what it means: how tables are hashed too.
 */
enum { PACKED_VERSION = 2 };

/* What a small matrix of each kind packs to says more of the layout than any number kept by hand.
 */
static uint64_t layout_sum(void)
{
    enum { OUTPUTS = 17, INPUTS = 9, FLOATS = 2048 };
    static const uint32_t columns[] = {3};
    static const uint32_t copies[] = {3};
    const float shrink[INPUTS] = {1, 1, 1, 1.0f / 3, 1, 1, 1, 1, 1};
    const struct kernels_outliers outliers = {1, columns, copies, shrink};
    const unsigned char key[KEYHASH_SHORT_KEY_BYTES] = {0};
    float weights[OUTPUTS * INPUTS];
    float bias[OUTPUTS];
    float memory[FLOATS];
    uint64_t sums[KERNELS_STORAGE_S8 + 4] = {PACKED_VERSION};
    for (size_t i = 0; i < OUTPUTS * INPUTS; i++) {
        weights[i] = (float)((i * 37) % 101) - 50.0f;
        bias[i % OUTPUTS] = (float)i;
    }
    for (unsigned storage = KERNELS_STORAGE_F32; storage <= KERNELS_STORAGE_S8; storage++) {
        struct kernels_matrix matrix;
        size_t floats = kernels_matrix_floats(storage, OUTPUTS, INPUTS, &outliers);
        assert(floats <= FLOATS);
        kernels_matrix_init(&matrix, storage, OUTPUTS, INPUTS, &outliers, memory);
        kernels_matrix_set_rows(&matrix, 0, OUTPUTS, weights, bias);
        sums[storage + 1] = keyhash_short(key, memory, floats * sizeof memory[0]);
    }
    sums[KERNELS_STORAGE_S8 + 2] = tokenizer_pack_layout();
    sums[KERNELS_STORAGE_S8 + 3] = keyhash_short(key, UNDERTONE_VERSION, strlen(UNDERTONE_VERSION));
    return keyhash_short(key, sums, sizeof sums);
}

static int unpack_parts(struct scorer *scorer, const char *directory, const char *path,
                        struct error *err)
{
    struct checkpoint_config config;
    const struct packed_identity identity = {layout_sum(), scorer->source};
    int code = packed_open(&scorer->packed, path, &identity, err);
    code = code ? code : checkpoint_config_read(&config, directory, err);
    if (code != 0) {
        return code;
    }
    tokenizer_unpack(&scorer->tokenizer, scorer->packed);
    code = encoder_unpack(&scorer->encoder, &config, scorer->kernels, scorer->precision,
                          scorer->packed, err);
    code = code ? code
                : classifier_unpack(&scorer->classifier, &config, scorer->kernels, scorer->packed,
                                    err);
    code = code ? code : packed_finish(scorer->packed, err);
    return code ? code : fit_parts(scorer, &config, directory, err);
}

int scorer_pack(const struct scorer *scorer, const char *directory, const char *path,
                struct error *err)
{
    struct packed *packed = NULL;
    uint64_t source;
    int code = model_source_sum(directory, &source, err);
    if (code == 0 && (!scorer->has_source || source != scorer->source)) {
        code = error_set(err, ERROR_CONFIG, "%s: its files have changed since it was loaded",
                         directory);
    }
    const struct packed_identity identity = {layout_sum(), scorer->source};
    code = code ? code : packed_create(&packed, path, &identity, err);
    if (code == 0) {
        tokenizer_pack(scorer->tokenizer, packed);
        encoder_pack(scorer->encoder, packed);
        classifier_pack(scorer->classifier, packed);
        code = packed_commit(packed, err);
    }
    packed_close(packed);
    return code;
}

bool scorer_is_packed(const struct scorer *scorer)
{
    return scorer->packed != NULL;
}

const struct error *scorer_packed_fault(const struct scorer *scorer)
{
    return scorer->packed_fault.code != ERROR_NONE ? &scorer->packed_fault : NULL;
}

int scorer_packed_verify(const struct scorer *scorer, struct error *err)
{
    return scorer->packed ? packed_verify(scorer->packed, err) : 0;
}

size_t scorer_packed_bytes(const struct scorer *scorer)
{
    return scorer->packed ? packed_file_bytes(scorer->packed) : 0;
}

/* ---- opening ---- */

static int open_parts(struct scorer *scorer, const char *directory,
                      const struct scorer_options *options, struct error *err)
{
    scorer->precision = precisions[options->precision].precision;
    int code = kernels_find(options->kernels, cpu_flags(), &scorer->kernels, err);
    if (code != 0) {
        return code;
    }
    struct error *fault = &scorer->packed_fault;
    scorer->has_source = model_source_sum(directory, &scorer->source, fault) == 0;
    if (options->packed && scorer->has_source) {
        if (unpack_parts(scorer, directory, options->packed, fault) == 0) {
            return 0;
        }
        close_parts(scorer);
    }
    return read_parts(scorer, directory, err);
}

int scorer_open(struct scorer **scorer, const char *directory, const struct scorer_options *options,
                struct error *err)
{
    *scorer = NULL;
    struct scorer *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory to load a model");
    }
    const struct scorer_options none = {0};
    int code = open_parts(made, directory, options ? options : &none, err);
    if (code != 0) {
        scorer_close(made);
        return code;
    }
    *scorer = made;
    return 0;
}

void scorer_close(struct scorer *scorer)
{
    if (scorer) {
        close_parts(scorer);
        free(scorer);
    }
}

/* ---- what it is ---- */

unsigned scorer_label_count(const struct scorer *scorer)
{
    return (unsigned)scorer->config.label_count;
}

const char *scorer_label_name(const struct scorer *scorer, unsigned label)
{
    return label < scorer->config.label_count ? scorer->config.labels[label].name : NULL;
}

const char *scorer_kernels_name(const struct scorer *scorer)
{
    return scorer->kernels->name;
}

const char *scorer_precision_word(enum scorer_precision precision)
{
    return precision == SCORER_PRECISION_AUTO ? "fp32" : precisions[precision].word;
}

const char *scorer_precision_name(const struct scorer *scorer)
{
    size_t i = SCORER_PRECISION_FP32;
    while (precisions[i].precision != scorer->precision) {
        i++;
    }
    return precisions[i].word;
}

size_t scorer_tokens_max(const struct scorer *scorer)
{
    return scorer->tokens_max;
}

size_t scorer_weight_bytes(const struct scorer *scorer)
{
    return encoder_weight_bytes(scorer->encoder) + classifier_weight_bytes(scorer->classifier);
}

double scorer_multiply_adds(const struct scorer *scorer, size_t tokens)
{
    double hidden = (double)encoder_hidden(scorer->encoder);
    return encoder_multiply_adds(scorer->encoder, tokens) + hidden * hidden +
           hidden * (double)scorer->config.label_count;
}
