/* encoder_load.c - makes an encoder, from a checkpoint's tensors or from a packed file. Norms come
 * first: int8 matrices are laid out by the outliers that show in the norm before them. What is laid
 * out is placed twice by the same code, once to measure and once in memory (block.h), and from a
 * file the second time in its mapping. */
#include "nlp/encoder.h"

#include "nlp/activation.h"
#include "nlp/encoder_internal.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- from a checkpoint ---- */

/* Reads one linear layer and packs it as outputs first .. first + outputs of matrix. */
static int load_linear(const struct checkpoint *checkpoint, int layer, const char *name,
                       size_t outputs, struct kernels_matrix *matrix, size_t first,
                       struct error *err)
{
    size_t inputs = matrix->inputs;
    float *weights = malloc(outputs * inputs * sizeof *weights);
    float *bias = malloc(outputs * sizeof *bias);
    int code = weights && bias ? 0 : error_set(err, ERROR_MEMORY, "no memory to load a model");
    code = code ? code
                : checkpoint_read_weight(checkpoint, layer, name, outputs, inputs, weights, err);
    code = code ? code : checkpoint_read_bias(checkpoint, layer, name, outputs, bias, err);
    if (code == 0) {
        kernels_matrix_set_rows(matrix, first, outputs, weights, bias);
    }
    free(weights);
    free(bias);
    return code;
}

static int load_norm(const struct checkpoint *checkpoint, int layer, const char *name, size_t width,
                     struct norm *norm, float *scratch, struct error *err)
{
    int code = checkpoint_read_gain(checkpoint, layer, name, width, norm->gain, err);
    code = code ? code : checkpoint_read_bias(checkpoint, layer, name, width, norm->bias, err);
    if (code == 0 && norm->shrink) {
        outliers_find(&norm->outliers, norm->gain, norm->bias, width, norm->shrink, scratch);
    }
    return code;
}

/* All norms, before anything else: int8 matrices are packed by the outliers of what they read. */
static int load_norms(struct encoder *encoder, const struct checkpoint *checkpoint,
                      struct error *err)
{
    const struct checkpoint_config *c = &encoder->config;
    const struct checkpoint_family *f = c->family;
    float *scratch = malloc(c->hidden * sizeof *scratch);
    if (!scratch) {
        return error_set(err, ERROR_MEMORY, "no memory to load a model");
    }
    int code = load_norm(checkpoint, CHECKPOINT_NO_LAYER, f->embeddings_norm, c->hidden,
                         &encoder->embeddings_norm, scratch, err);
    for (size_t i = 0; i < c->layer_count && code == 0; i++) {
        struct layer *layer = &encoder->layers[i];
        code = load_norm(checkpoint, (int)i, f->attention_norm, c->hidden, &layer->attention_norm,
                         scratch, err);
        code = code ? code
                    : load_norm(checkpoint, (int)i, f->ffn_norm, c->hidden, &layer->ffn_norm,
                                scratch, err);
    }
    free(scratch);
    return code;
}

/* Whether every linear layer of the checkpoint holds halves. */
static bool all_halves(const struct encoder *encoder, const struct checkpoint *checkpoint)
{
    const struct checkpoint_config *c = &encoder->config;
    const struct checkpoint_family *f = c->family;
    const struct {
        const char *name;
        size_t outputs;
        size_t inputs;
    } parts[] = {{f->query, c->hidden, c->hidden},  {f->key, c->hidden, c->hidden},
                 {f->value, c->hidden, c->hidden},  {f->attention_output, c->hidden, c->hidden},
                 {f->ffn_input, c->ffn, c->hidden}, {f->ffn_output, c->hidden, c->ffn}};
    for (int layer = 0; layer < (int)c->layer_count; layer++) {
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            const struct tensor *tensor;
            if (checkpoint_find_weight(checkpoint, layer, parts[i].name, parts[i].outputs,
                                       parts[i].inputs, &tensor, NULL) ||
                tensor->dtype != TENSOR_F16) {
                return false;
            }
        }
    }
    return true;
}

static int choose_storage(struct encoder *encoder, const struct checkpoint *checkpoint,
                          enum encoder_precision precision, struct error *err)
{
    const struct kernels *k = encoder->kernels;
    switch (precision) {
    case ENCODER_PRECISION_INT8:
        encoder->storage = KERNELS_STORAGE_S8;
        return 0;
    case ENCODER_PRECISION_BF16:
        encoder->storage = KERNELS_STORAGE_BF16;
        return k->linear_bf16 ? 0
                              : error_set(err, ERROR_UNSUPPORTED,
                                          "kernels \"%s\" have no bf16 products, which need a CPU "
                                          "with AVX512_BF16; use precision fp32 or int8",
                                          k->name);
    case ENCODER_PRECISION_FP32:
        break;
    }
    bool halves = all_halves(encoder, checkpoint);
    encoder->storage = halves ? KERNELS_STORAGE_F16 : KERNELS_STORAGE_F32;
    return 0;
}

static int load_layer(const struct encoder *encoder, const struct checkpoint *checkpoint, int at,
                      struct error *err)
{
    const struct checkpoint_config *c = &encoder->config;
    const struct checkpoint_family *f = c->family;
    struct layer *layer = &encoder->layers[at];
    const struct {
        const char *name;
        size_t outputs;
        struct kernels_matrix *matrix;
        size_t first;
    } parts[] = {
        {f->query, c->hidden, &layer->query, 0},
        {f->key, c->hidden, &layer->key_value, 0},
        {f->value, c->hidden, &layer->key_value, c->hidden},
        {f->attention_output, c->hidden, &layer->attention_output, 0},
        {f->ffn_input, c->ffn, &layer->ffn_input, 0},
        {f->ffn_output, c->hidden, &layer->ffn_output, 0},
    };
    int code = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && code == 0; i++) {
        code = load_linear(checkpoint, at, parts[i].name, parts[i].outputs, parts[i].matrix,
                           parts[i].first, err);
    }
    return code;
}

/* The positions, with the row of token type 0 added: every token of a single text has that type. */
static int load_positions(const struct encoder *encoder, const struct checkpoint *checkpoint,
                          struct error *err)
{
    const struct checkpoint_config *c = &encoder->config;
    const struct checkpoint_family *f = c->family;
    const int none = CHECKPOINT_NO_LAYER;
    int code = checkpoint_read_weight(checkpoint, none, f->position_embeddings, c->position_count,
                                      c->hidden, encoder->positions, err);
    if (code != 0 || c->type_count == 0) {
        return code;
    }
    float *types = malloc(c->type_count * c->hidden * sizeof *types);
    if (!types) {
        return error_set(err, ERROR_MEMORY, "no memory to load a model");
    }
    code = checkpoint_read_weight(checkpoint, none, f->type_embeddings, c->type_count, c->hidden,
                                  types, err);
    for (size_t i = 0; code == 0 && i < c->position_count * c->hidden; i++) {
        encoder->positions[i] += types[i % c->hidden];
    }
    free(types);
    return code;
}

/* Word embeddings keep the checkpoint's type: few rows are ever touched, so halves stay halves. */
static int load_words(struct encoder *encoder, const struct checkpoint *checkpoint,
                      struct error *err)
{
    const struct checkpoint_config *c = &encoder->config;
    const struct tensor *tensor;
    int code = checkpoint_find_weight(checkpoint, CHECKPOINT_NO_LAYER, c->family->word_embeddings,
                                      c->vocab_count, c->hidden, &tensor, err);
    code = code ? code : checkpoint_check_finite(tensor, err);
    if (code != 0) {
        return code;
    }
    encoder->words = malloc(tensor->size);
    if (!encoder->words) {
        return error_set(err, ERROR_MEMORY, "no memory to load a model");
    }
    memcpy(encoder->words, tensor->bytes, tensor->size);
    encoder->words_dtype = tensor->dtype;
    return 0;
}

static void place_matrix(struct encoder *encoder, struct kernels_matrix *matrix, size_t outputs,
                         size_t inputs, const struct norm *from)
{
    const struct kernels_outliers *outliers = from && from->shrink ? &from->outliers.view : NULL;
    float *memory = block_take(&encoder->weights,
                               kernels_matrix_floats(encoder->storage, outputs, inputs, outliers));
    if (memory && encoder->weights.is_mapped) {
        kernels_matrix_place(matrix, encoder->storage, outputs, inputs, outliers, memory);
    } else if (memory) {
        kernels_matrix_init(matrix, encoder->storage, outputs, inputs, outliers, memory);
    }
}

static void place_norm(struct encoder *encoder, struct norm *norm)
{
    size_t width = encoder->config.hidden;
    norm->gain = block_take(&encoder->norms, width);
    norm->bias = block_take(&encoder->norms, width);
    if (encoder->storage == KERNELS_STORAGE_S8) {
        norm->shrink = block_take(&encoder->norms, width);
    }
}

static void place_norms(struct encoder *encoder)
{
    place_norm(encoder, &encoder->embeddings_norm);
    for (size_t i = 0; i < encoder->config.layer_count; i++) {
        place_norm(encoder, &encoder->layers[i].attention_norm);
        place_norm(encoder, &encoder->layers[i].ffn_norm);
    }
}

static void place_weights(struct encoder *encoder)
{
    const struct checkpoint_config *c = &encoder->config;
    const struct norm *before = &encoder->embeddings_norm;
    encoder->positions = block_take(&encoder->weights, c->position_count * c->hidden);
    for (size_t i = 0; i < c->layer_count; i++) {
        struct layer *layer = &encoder->layers[i];
        place_matrix(encoder, &layer->query, c->hidden, c->hidden, before);
        place_matrix(encoder, &layer->key_value, 2 * c->hidden, c->hidden, before);
        place_matrix(encoder, &layer->attention_output, c->hidden, c->hidden, NULL);
        place_matrix(encoder, &layer->ffn_input, c->ffn, c->hidden, &layer->attention_norm);
        place_matrix(encoder, &layer->ffn_output, c->hidden, c->ffn, NULL);
        before = &layer->ffn_norm;
    }
}

/* ---- from a checkpoint, by several threads ---- */

enum { THREADS_MAX = 8 };

/* Part 0 are the embeddings, the others the layers. */
struct loading {
    struct encoder *encoder;
    const struct checkpoint *checkpoint;
    atomic_size_t next; /* the part that is free */
    size_t parts;
};

struct loader {
    struct loading *loading;
    pthread_t thread;
    bool has_thread;
    int code; /* of the part that failed; it is this loader's last */
    size_t part;
    struct error err;
};

static void *load_parts(void *user)
{
    struct loader *loader = user;
    struct loading *loading = loader->loading;
    const struct checkpoint *checkpoint = loading->checkpoint;
    while (loader->code == 0) {
        loader->part = atomic_fetch_add(&loading->next, 1);
        if (loader->part >= loading->parts) {
            break;
        }
        if (loader->part > 0) {
            loader->code =
                load_layer(loading->encoder, checkpoint, (int)loader->part - 1, &loader->err);
            continue;
        }
        loader->code = load_words(loading->encoder, checkpoint, &loader->err);
        loader->code = loader->code ? loader->code
                                    : load_positions(loading->encoder, checkpoint, &loader->err);
    }
    return NULL;
}

/* Packing is most of a start, and its parts have nothing to do with each other. Of several errors
 * the first part's is told, so that a broken checkpoint is described the same each time. */
static int load_in_parallel(struct encoder *encoder, const struct checkpoint *checkpoint,
                            struct error *err)
{
    struct loading loading = {.encoder = encoder, .checkpoint = checkpoint};
    struct loader loaders[THREADS_MAX] = {0};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
    const struct loader *failed = NULL;
    loading.parts = encoder->config.layer_count + 1;
    for (size_t i = 0; i < count; i++) {
        loaders[i].loading = &loading;
        loaders[i].has_thread =
            i > 0 && pthread_create(&loaders[i].thread, NULL, load_parts, &loaders[i]) == 0;
    }
    (void)load_parts(&loaders[0]); /* alone, if there are no threads to be had */
    for (size_t i = 0; i < count; i++) {
        if (loaders[i].has_thread) {
            (void)pthread_join(loaders[i].thread, NULL);
        }
        if (loaders[i].code != 0 && (!failed || loaders[i].part < failed->part)) {
            failed = &loaders[i];
        }
    }
    return failed ? error_set(err, failed->err.code, "%s", failed->err.message) : 0;
}

static int load_all(struct encoder *encoder, const struct checkpoint *checkpoint, struct error *err)
{
    const struct checkpoint_config *c = &encoder->config;
    encoder->layers = calloc(c->layer_count, sizeof *encoder->layers);
    if (!encoder->layers) {
        return error_set(err, ERROR_MEMORY, "no memory to load a model");
    }
    place_norms(encoder);
    int code = block_allocate(&encoder->norms, "the norms", err);
    if (code != 0) {
        return code;
    }
    place_norms(encoder);
    code = load_norms(encoder, checkpoint, err);
    if (code != 0) {
        return code;
    }
    place_weights(encoder);
    code = block_allocate(&encoder->weights, "the packed weights", err);
    if (code != 0) {
        return code;
    }
    place_weights(encoder);
    return load_in_parallel(encoder, checkpoint, err);
}

static struct encoder *make(const struct checkpoint_config *config, const struct kernels *kernels,
                            struct error *err)
{
    struct encoder *made = calloc(1, sizeof *made);
    if (!made) {
        (void)error_set(err, ERROR_MEMORY, "no memory to load a model");
        return NULL;
    }
    made->config = *config;
    made->kernels = kernels;
    made->head_width = made->config.hidden / made->config.head_count;
    made->epilogue = activation_epilogue(made->config.activation);
    return made;
}

int encoder_open(struct encoder **encoder, const struct checkpoint *checkpoint,
                 const struct kernels *kernels, enum encoder_precision precision, struct error *err)
{
    *encoder = NULL;
    struct encoder *made = make(checkpoint_config(checkpoint), kernels, err);
    if (!made) {
        return ERROR_MEMORY;
    }
    int code = choose_storage(made, checkpoint, precision, err);
    code = code ? code : load_all(made, checkpoint, err);
    if (code != 0) {
        encoder_close(made);
        return code;
    }
    *encoder = made;
    return 0;
}

/* ---- packed ---- */

static bool is_precision(enum kernels_storage storage, enum encoder_precision precision)
{
    switch (precision) {
    case ENCODER_PRECISION_INT8:
        return storage == KERNELS_STORAGE_S8;
    case ENCODER_PRECISION_BF16:
        return storage == KERNELS_STORAGE_BF16;
    case ENCODER_PRECISION_FP32:
        break;
    }
    return storage == KERNELS_STORAGE_F32 || storage == KERNELS_STORAGE_F16;
}

void encoder_pack(const struct encoder *encoder, struct packed *packed)
{
    size_t storage = (size_t)encoder->storage;
    size_t dtype = (size_t)encoder->words_dtype;
    packed_size(packed, &storage, KERNELS_STORAGE_S8);
    packed_size(packed, &dtype, TENSOR_BF16);
    block_pack(&encoder->norms, packed);
    block_pack(&encoder->weights, packed);
    (void)packed_array(packed, encoder->words,
                       encoder->config.vocab_count * encoder->config.hidden *
                           tensor_element_bytes(encoder->words_dtype));
}

/* Finds anew which columns are outliers, as packing did: matrices are laid out by that. */
static int find_outliers(struct encoder *encoder, struct error *err)
{
    size_t width = encoder->config.hidden;
    float *scratch = malloc(width * sizeof *scratch);
    if (!scratch) {
        return error_set(err, ERROR_MEMORY, "no memory to load a model");
    }
    struct norm *norm = &encoder->embeddings_norm;
    outliers_find(&norm->outliers, norm->gain, norm->bias, width, norm->shrink, scratch);
    for (size_t i = 0; i < 2 * encoder->config.layer_count; i++) {
        struct layer *layer = &encoder->layers[i / 2];
        norm = i % 2 == 0 ? &layer->attention_norm : &layer->ffn_norm;
        outliers_find(&norm->outliers, norm->gain, norm->bias, width, norm->shrink, scratch);
    }
    free(scratch);
    return 0;
}

/* The norms are copied, being small and partly written, the rest stays in the file. */
static int unpack_norms(struct encoder *encoder, struct packed *packed, struct error *err)
{
    place_norms(encoder);
    int code = block_allocate(&encoder->norms, "the norms", err);
    if (code != 0) {
        return code;
    }
    const float *norms = packed_array(packed, NULL, block_bytes(&encoder->norms));
    if (!norms) {
        return 0;
    }
    for (size_t i = 0; i < encoder->norms.floats; i++) {
        if (!isfinite(norms[i])) {
            packed_fail(packed, "holds a norm that is not finite");
            return 0;
        }
    }
    memcpy(encoder->norms.memory, norms, block_bytes(&encoder->norms));
    place_norms(encoder);
    return encoder->storage == KERNELS_STORAGE_S8 ? find_outliers(encoder, err) : 0;
}

static int unpack_all(struct encoder *encoder, enum encoder_precision precision,
                      struct packed *packed, struct error *err)
{
    const struct checkpoint_config *c = &encoder->config;
    size_t storage = 0;
    size_t dtype = 0;
    packed_size(packed, &storage, KERNELS_STORAGE_S8);
    packed_size(packed, &dtype, TENSOR_BF16);
    encoder->storage = (enum kernels_storage)storage;
    encoder->words_dtype = (enum tensor_dtype)dtype;
    if (!is_precision(encoder->storage, precision)) {
        packed_fail(packed, "is of another precision");
    }
    encoder->layers = calloc(c->layer_count, sizeof *encoder->layers);
    if (!encoder->layers) {
        return error_set(err, ERROR_MEMORY, "no memory to load a model");
    }
    int code = unpack_norms(encoder, packed, err);
    if (code != 0 || packed_failed(packed)) {
        return code;
    }
    place_weights(encoder);
    if (block_map(&encoder->weights, packed)) {
        place_weights(encoder);
    }
    encoder->words = packed_array(
        packed, NULL, c->vocab_count * c->hidden * tensor_element_bytes(encoder->words_dtype));
    encoder->words_are_mapped = true;
    return 0;
}

int encoder_unpack(struct encoder **encoder, const struct checkpoint_config *config,
                   const struct kernels *kernels, enum encoder_precision precision,
                   struct packed *packed, struct error *err)
{
    *encoder = make(config, kernels, err);
    int code = *encoder ? unpack_all(*encoder, precision, packed, err) : ERROR_MEMORY;
    if (code != 0) {
        encoder_close(*encoder);
        *encoder = NULL;
    }
    return code;
}

void encoder_close(struct encoder *encoder)
{
    if (encoder) {
        block_done(&encoder->norms);
        block_done(&encoder->weights);
        free(encoder->layers);
        if (!encoder->words_are_mapped) {
            free(encoder->words);
        }
        free(encoder);
    }
}
