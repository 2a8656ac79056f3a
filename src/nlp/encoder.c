/* encoder.c - see encoder.h. A post-LayerNorm transformer (Devlin et al. 2018, BERT) over a ragged
 * batch: products see all tokens as rows of one matrix, only attention knows where a sequence ends.
 * Two savings, neither of which changes the answer: the position table has the type-0 row added
 * in, and in the last layer only the first token, the one a classifier reads, goes past the keys
 * and values. Rows are taken in blocks that stay in the second-level cache from the attention
 * output to the end of the layer. Only the products of linear layers know of a precision: hidden
 * states, attention and norms are float32 always. No threads in here: one scratch per thread scales
 * better on short texts than any split of a layer. */
#include "nlp/encoder.h"

#include "nlp/activation.h"
#include "nlp/block.h"
#include "nlp/linear.h"
#include "nlp/outliers.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of one block, a multiple of what kernels take at once. */
enum { BLOCK_ROWS = 96, ROW_UNIT = 12 };

struct norm {
    float *gain;
    float *bias;
    float *shrink;            /* int8 only, like the next */
    struct outliers outliers; /* among the columns that this norm makes */
};

struct layer {
    struct kernels_matrix query;     /* [hidden x hidden] */
    struct kernels_matrix key_value; /* [2 hidden x hidden]: keys, then values */
    struct kernels_matrix attention_output;
    struct kernels_matrix ffn_input;
    struct kernels_matrix ffn_output;
    struct norm attention_norm;
    struct norm ffn_norm;
};

struct encoder {
    struct checkpoint_config config;
    const struct kernels *kernels;
    enum kernels_epilogue epilogue; /* the activation, or SET where it takes a pass of its own */
    size_t head_width;
    enum kernels_storage storage; /* of all linear layers */
    struct block norms;
    struct block weights;
    struct layer *layers;
    float *positions; /* [position_count x hidden], type 0 included */
    struct norm embeddings_norm;
    unsigned char *words; /* [vocab_count x hidden] as the checkpoint stores them */
    enum tensor_dtype words_dtype;
};

struct encoder_scratch {
    struct block block;
    size_t tokens_max;
    size_t sequences_max;
    float *x;         /* [tokens x hidden]: the hidden states, updated in place */
    float *query;     /* [tokens x hidden] */
    float *key_value; /* [tokens x 2 hidden] */
    float *context;   /* [tokens x hidden]: what attention gives */
    float *ffn;       /* [BLOCK_ROWS x ffn], ffn_stride apart */
    float *first;     /* [sequences x hidden]: x of first tokens in the last layer */
    float *attention;
    struct linear_scratch linear;
};

/* ---- loading ---- */

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
    if (memory) {
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
    code = load_words(encoder, checkpoint, err);
    code = code ? code : load_positions(encoder, checkpoint, err);
    for (int i = 0; i < (int)c->layer_count && code == 0; i++) {
        code = load_layer(encoder, checkpoint, i, err);
    }
    return code;
}

int encoder_open(struct encoder **encoder, const struct checkpoint *checkpoint,
                 const struct kernels *kernels, enum encoder_precision precision, struct error *err)
{
    *encoder = NULL;
    struct encoder *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory to load a model");
    }
    made->config = *checkpoint_config(checkpoint);
    made->kernels = kernels;
    made->head_width = made->config.hidden / made->config.head_count;
    made->epilogue = activation_epilogue(made->config.activation);
    int code = choose_storage(made, checkpoint, precision, err);
    code = code ? code : load_all(made, checkpoint, err);
    if (code != 0) {
        encoder_close(made);
        return code;
    }
    *encoder = made;
    return 0;
}

void encoder_close(struct encoder *encoder)
{
    if (encoder) {
        block_done(&encoder->norms);
        block_done(&encoder->weights);
        free(encoder->layers);
        free(encoder->words);
        free(encoder);
    }
}

size_t encoder_hidden(const struct encoder *encoder)
{
    return encoder->config.hidden;
}

size_t encoder_tokens_max(const struct encoder *encoder)
{
    return checkpoint_tokens_max(&encoder->config);
}

size_t encoder_weight_bytes(const struct encoder *encoder)
{
    const struct checkpoint_config *c = &encoder->config;
    return block_bytes(&encoder->norms) + block_bytes(&encoder->weights) +
           c->vocab_count * c->hidden * tensor_element_bytes(encoder->words_dtype);
}

/* ---- scratch ---- */

/* Rows that lie a multiple of a page apart fall into the same few lines of the nearest cache, and a
 * product reads twelve of them at once: the usual widths of this layer need a line in between. */
static size_t ffn_stride(const struct encoder *encoder)
{
    enum { LINE_FLOATS = 16 };
    return encoder->config.ffn + LINE_FLOATS;
}

static void place_scratch(const struct encoder *encoder, struct encoder_scratch *s)
{
    const struct checkpoint_config *c = &encoder->config;
    s->x = block_take(&s->block, s->tokens_max * c->hidden);
    s->query = block_take(&s->block, s->tokens_max * c->hidden);
    s->key_value = block_take(&s->block, s->tokens_max * 2 * c->hidden);
    s->context = block_take(&s->block, s->tokens_max * c->hidden);
    s->ffn = block_take(&s->block, BLOCK_ROWS * ffn_stride(encoder));
    s->first = block_take(&s->block, s->sequences_max * c->hidden);
    s->attention = block_take(
        &s->block, kernels_attention_floats(encoder_tokens_max(encoder), encoder->head_width));
    size_t inputs_max = c->ffn > c->hidden ? c->ffn : c->hidden;
    linear_scratch_place(&s->linear, &s->block, encoder->storage, BLOCK_ROWS, inputs_max,
                         outliers_extra_max(c->hidden));
}

int encoder_scratch_create(const struct encoder *encoder, size_t tokens_max, size_t sequences_max,
                           struct encoder_scratch **scratch, struct error *err)
{
    enum { TOKENS_LIMIT = 1 << 24 };
    *scratch = NULL;
    if (tokens_max > TOKENS_LIMIT || sequences_max > tokens_max) {
        return error_set(err, ERROR_LIMIT, "a batch of %zu tokens is more than %d", tokens_max,
                         TOKENS_LIMIT);
    }
    struct encoder_scratch *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory for the encoder's scratch");
    }
    made->tokens_max = tokens_max;
    made->sequences_max = sequences_max;
    place_scratch(encoder, made);
    int code = block_allocate(&made->block, "the encoder's scratch", err);
    if (code != 0) {
        free(made);
        return code;
    }
    place_scratch(encoder, made);
    *scratch = made;
    return 0;
}

void encoder_scratch_destroy(struct encoder_scratch *scratch)
{
    if (scratch) {
        block_done(&scratch->block);
        free(scratch);
    }
}

size_t encoder_scratch_bytes(const struct encoder_scratch *scratch)
{
    return block_bytes(&scratch->block);
}

/* ---- running ---- */

/* How many rows the next block takes, so that all blocks of a batch are about equally large. */
static size_t next_rows(size_t left)
{
    size_t blocks = (left + BLOCK_ROWS - 1) / BLOCK_ROWS;
    size_t rows = (left + blocks - 1) / blocks;
    rows = (rows + ROW_UNIT - 1) / ROW_UNIT * ROW_UNIT;
    return rows < left ? rows : left;
}

/* x = word + position, for one sequence. */
static void embed_sequence(const struct encoder *encoder, const uint32_t *ids, size_t count,
                           float *x)
{
    const struct checkpoint_config *c = &encoder->config;
    size_t row_bytes = c->hidden * tensor_element_bytes(encoder->words_dtype);
    bool after_padding = c->family->positions == CHECKPOINT_POSITIONS_AFTER_PADDING;
    size_t next = after_padding ? c->pad_id + (size_t)1 : 0;
    for (size_t at = 0; at < count; at++) {
        assert(ids[at] < c->vocab_count);
        size_t row = after_padding && ids[at] == c->pad_id ? c->pad_id : next++;
        const float *position = encoder->positions + row * c->hidden;
        tensor_widen(encoder->words_dtype, encoder->words + ids[at] * row_bytes, c->hidden, x);
        for (size_t i = 0; i < c->hidden; i++) {
            x[i] += position[i];
        }
        x += c->hidden;
    }
}

static void embed(const struct encoder *encoder, struct encoder_scratch *s, const uint32_t *ids,
                  const uint32_t *starts, size_t count)
{
    size_t hidden = encoder->config.hidden;
    for (size_t i = 0; i < count; i++) {
        embed_sequence(encoder, ids + starts[i], starts[i + 1] - starts[i],
                       s->x + starts[i] * hidden);
    }
    encoder->kernels->layer_norm(s->x, hidden, starts[count], hidden, encoder->embeddings_norm.gain,
                                 encoder->embeddings_norm.bias, encoder->config.layer_norm_epsilon);
}

/* queries holds each sequence's tokens at its start, or its first token only at its number. */
static void attend(const struct encoder *encoder, struct encoder_scratch *s, const uint32_t *starts,
                   size_t count, bool first_only)
{
    size_t hidden = encoder->config.hidden;
    for (size_t sequence = 0; sequence < count; sequence++) {
        size_t keys = starts[sequence + 1] - starts[sequence];
        size_t row = first_only ? sequence : starts[sequence];
        const float *key = s->key_value + starts[sequence] * 2 * hidden;
        for (size_t at = 0; at < hidden; at += encoder->head_width) {
            const struct kernels_attention head = {
                .q = s->query + row * hidden + at,
                .q_stride = hidden,
                .k = key + at,
                .v = key + hidden + at,
                .kv_stride = 2 * hidden,
                .queries = first_only ? 1 : keys,
                .keys = keys,
                .width = encoder->head_width,
                .scale = 1.0f / sqrtf((float)encoder->head_width),
                .out = s->context + row * hidden + at,
                .out_stride = hidden,
                .scratch = s->attention,
            };
            encoder->kernels->attention(&head);
        }
    }
}

/* From attention's context to the end of the layer, for rows of x. */
static void finish_rows(const struct encoder *encoder, const struct encoder_scratch *s,
                        const struct layer *layer, const float *context, float *x, size_t rows)
{
    const struct kernels *k = encoder->kernels;
    const struct linear_scratch *linear = &s->linear;
    size_t hidden = encoder->config.hidden;
    size_t ffn = encoder->config.ffn;
    size_t stride = ffn_stride(encoder);
    float epsilon = encoder->config.layer_norm_epsilon;
    linear_run(k, &layer->attention_output, KERNELS_EPILOGUE_ADD, context, hidden, rows, linear, x,
               hidden);
    k->layer_norm(x, hidden, rows, hidden, layer->attention_norm.gain, layer->attention_norm.bias,
                  epsilon);
    linear_run(k, &layer->ffn_input, encoder->epilogue, x, hidden, rows, linear, s->ffn, stride);
    for (size_t row = 0; row < rows; row++) {
        activation_apply(encoder->config.activation, s->ffn + row * stride, ffn);
    }
    linear_run(k, &layer->ffn_output, KERNELS_EPILOGUE_ADD, s->ffn, stride, rows, linear, x,
               hidden);
    k->layer_norm(x, hidden, rows, hidden, layer->ffn_norm.gain, layer->ffn_norm.bias, epsilon);
}

double encoder_multiply_adds(const struct encoder *encoder, size_t tokens)
{
    double t = (double)tokens;
    double hidden = (double)encoder->config.hidden;
    double ffn = (double)encoder->config.ffn;
    double full = (double)encoder->config.layer_count - 1;
    double row = 2 * hidden * hidden + 2 * hidden * ffn; /* query, output, both of the ffn */
    double keys_values = 2 * hidden * hidden * t;
    double attention = 2 * hidden * t; /* for one query */
    return full * (keys_values + (row + attention) * t) + keys_values + row + attention;
}

static void run_layer(const struct encoder *encoder, struct encoder_scratch *s,
                      const struct layer *layer, const uint32_t *starts, size_t count,
                      bool first_only)
{
    const struct kernels *k = encoder->kernels;
    size_t hidden = encoder->config.hidden;
    size_t tokens = starts[count];
    for (size_t at = 0, rows; at < tokens; at += rows) {
        rows = next_rows(tokens - at);
        linear_run(k, &layer->key_value, KERNELS_EPILOGUE_SET, s->x + at * hidden, hidden, rows,
                   &s->linear, s->key_value + at * 2 * hidden, 2 * hidden);
    }
    float *x = s->x;
    size_t total = tokens;
    if (first_only) {
        for (size_t sequence = 0; sequence < count; sequence++) {
            memcpy(s->first + sequence * hidden, s->x + starts[sequence] * hidden,
                   hidden * sizeof *x);
        }
        x = s->first;
        total = count;
    }
    for (size_t at = 0, rows; at < total; at += rows) {
        rows = next_rows(total - at);
        linear_run(k, &layer->query, KERNELS_EPILOGUE_SET, x + at * hidden, hidden, rows,
                   &s->linear, s->query + at * hidden, hidden);
    }
    attend(encoder, s, starts, count, first_only);
    for (size_t at = 0, rows; at < total; at += rows) {
        rows = next_rows(total - at);
        finish_rows(encoder, s, layer, s->context + at * hidden, x + at * hidden, rows);
    }
}

const float *encoder_run(const struct encoder *encoder, struct encoder_scratch *scratch,
                         const uint32_t *ids, const uint32_t *starts, size_t count)
{
    assert(count <= scratch->sequences_max && starts[count] <= scratch->tokens_max);
    embed(encoder, scratch, ids, starts, count);
    for (size_t i = 0; i < encoder->config.layer_count; i++) {
        bool last = i + 1 == encoder->config.layer_count;
        run_layer(encoder, scratch, &encoder->layers[i], starts, count, last);
    }
    return scratch->first;
}
