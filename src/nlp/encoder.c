/* encoder.c - see encoder.h. A post-LayerNorm transformer (Devlin et al. 2018, BERT) over a ragged
 * batch: products see all tokens as rows of one matrix, only attention knows where a sequence ends.
 * Two savings, neither of which changes the answer: the position table has the type-0 row added
 * in, and in the last layer only the first token, the one a classifier reads, goes past the keys
 * and values. Some sequences at a time go through a layer, in blocks of rows that stay in the
 * second-level cache from the attention output to the end of the layer. Only the products of linear
 * layers know of a precision: hidden states, attention and norms are float32 always. No threads in
 * here: one scratch per thread scales best. A thread that has nothing to do may help another's
 * batch (crew.h), by rows, heads or outputs, never by what a sum runs over, so that the answer
 * stays the same bits. */
#include "nlp/encoder.h"

#include "nlp/activation.h"
#include "nlp/crew.h"
#include "nlp/encoder_internal.h"
#include "nlp/linear.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of one block, a multiple of what kernels take at once. */
enum { BLOCK_ROWS = 96, ROW_UNIT = 12 };

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
    struct crew crew;
};

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
    crew_init(&made->crew);
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

struct crew *encoder_scratch_crew(struct encoder_scratch *scratch)
{
    return &scratch->crew;
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

/* ---- pieces of work that a crew shares ---- */

struct attending {
    const struct encoder *encoder;
    const struct encoder_scratch *s;
    const uint32_t *starts;
    bool first_only; /* queries are of first tokens only, each at its sequence's number */
};

/* One head of one sequence. */
static void attend_part(void *user, size_t part, size_t parts, void *own)
{
    const struct attending *job = user;
    const struct encoder_scratch *s = job->s;
    struct encoder_scratch *mine = own;
    size_t hidden = job->encoder->config.hidden;
    size_t width = job->encoder->head_width;
    size_t sequence = part / job->encoder->config.head_count;
    size_t at = part % job->encoder->config.head_count * width;
    size_t start = job->starts[sequence];
    size_t keys = job->starts[sequence + 1] - start;
    size_t row = job->first_only ? sequence : start;
    const float *key = s->key_value + start * 2 * hidden + at;
    const struct kernels_attention head = {
        .q = s->query + row * hidden + at,
        .q_stride = hidden,
        .k = key,
        .v = key + hidden,
        .kv_stride = 2 * hidden,
        .queries = job->first_only ? 1 : keys,
        .keys = keys,
        .width = width,
        .scale = 1.0f / sqrtf((float)width),
        .out = s->context + row * hidden + at,
        .out_stride = hidden,
        .scratch = mine->attention,
    };
    (void)parts;
    job->encoder->kernels->attention(&head);
}

static void attend(const struct encoder *encoder, struct encoder_scratch *s, const uint32_t *starts,
                   size_t count, bool first_only)
{
    struct attending job = {encoder, s, starts, first_only};
    crew_run(&s->crew, attend_part, &job, count * encoder->config.head_count, s);
}

struct norming {
    const struct encoder *encoder;
    const struct norm *norm;
    float *x;
    size_t rows;
};

static void norm_part(void *user, size_t part, size_t parts, void *own)
{
    const struct norming *job = user;
    size_t hidden = job->encoder->config.hidden;
    size_t first = job->rows * part / parts;
    size_t rows = job->rows * (part + 1) / parts - first;
    (void)own;
    job->encoder->kernels->layer_norm(job->x + first * hidden, hidden, rows, hidden,
                                      job->norm->gain, job->norm->bias,
                                      job->encoder->config.layer_norm_epsilon);
}

static void norm_rows(const struct encoder *encoder, struct encoder_scratch *s,
                      const struct norm *norm, float *x, size_t rows)
{
    enum { PART_ROWS = 4 };
    struct norming job = {encoder, norm, x, rows};
    size_t parts = crew_is_open(&s->crew) ? (rows + PART_ROWS - 1) / PART_ROWS : 1;
    crew_run(&s->crew, norm_part, &job, parts, s);
}

/* ---- layers ---- */

static void embed(const struct encoder *encoder, struct encoder_scratch *s, const uint32_t *ids,
                  const uint32_t *starts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        embed_sequence(encoder, ids + starts[i], starts[i + 1] - starts[i],
                       s->x + starts[i] * encoder->config.hidden);
    }
    norm_rows(encoder, s, &encoder->embeddings_norm, s->x, starts[count]);
}

/* From attention's context to the end of the layer, for rows of x. */
static void finish_rows(const struct encoder *encoder, struct encoder_scratch *s,
                        const struct layer *layer, const float *context, float *x, size_t count)
{
    size_t hidden = encoder->config.hidden;
    size_t stride = ffn_stride(encoder);
    struct crew *crew = &s->crew;
    struct linear_rows rows = {encoder->kernels, &s->linear, context, hidden, count};
    linear_narrow(&rows, &layer->attention_output, crew);
    linear_product(&rows, &layer->attention_output, KERNELS_EPILOGUE_ADD, x, hidden, crew);
    norm_rows(encoder, s, &layer->attention_norm, x, count);
    rows.x = x;
    linear_narrow(&rows, &layer->ffn_input, crew);
    linear_product(&rows, &layer->ffn_input, encoder->epilogue, s->ffn, stride, crew);
    for (size_t row = 0; row < count; row++) {
        activation_apply(encoder->config.activation, s->ffn + row * stride, encoder->config.ffn);
    }
    rows.x = s->ffn;
    rows.x_stride = stride;
    linear_narrow(&rows, &layer->ffn_output, crew);
    linear_product(&rows, &layer->ffn_output, KERNELS_EPILOGUE_ADD, x, hidden, crew);
    norm_rows(encoder, s, &layer->ffn_norm, x, count);
}

/* Keys and values of all tokens, and queries too unless only those of first tokens are wanted. */
static void project_rows(const struct encoder *encoder, struct encoder_scratch *s,
                         const struct layer *layer, size_t at, size_t count, bool first_only)
{
    size_t hidden = encoder->config.hidden;
    const struct linear_rows rows = {encoder->kernels, &s->linear, s->x + at * hidden, hidden,
                                     count};
    linear_narrow(&rows, &layer->key_value, &s->crew);
    linear_product(&rows, &layer->key_value, KERNELS_EPILOGUE_SET, s->key_value + at * 2 * hidden,
                   2 * hidden, &s->crew);
    if (!first_only) {
        linear_product(&rows, &layer->query, KERNELS_EPILOGUE_SET, s->query + at * hidden, hidden,
                       &s->crew);
    }
}

/* Brings together the first tokens' rows, and makes their queries. */
static void project_first(const struct encoder *encoder, struct encoder_scratch *s,
                          const struct layer *layer, const uint32_t *starts, size_t count)
{
    size_t hidden = encoder->config.hidden;
    for (size_t sequence = 0; sequence < count; sequence++) {
        memcpy(s->first + sequence * hidden, s->x + starts[sequence] * hidden,
               hidden * sizeof *s->first);
    }
    for (size_t at = 0, some; at < count; at += some) {
        some = next_rows(count - at);
        const struct linear_rows rows = {encoder->kernels, &s->linear, s->first + at * hidden,
                                         hidden, some};
        linear_narrow(&rows, &layer->query, &s->crew);
        linear_product(&rows, &layer->query, KERNELS_EPILOGUE_SET, s->query + at * hidden, hidden,
                       &s->crew);
    }
}

/* The sequences from the first on whose rows are one block; at least one sequence. */
static size_t next_sequences(const uint32_t *starts, size_t first, size_t count)
{
    size_t next = first + 1;
    while (next < count && starts[next + 1] - starts[first] <= BLOCK_ROWS) {
        next++;
    }
    return next;
}

/* Sequences that go through a layer together: the rows starts[0] to starts[count]. */
static void run_sequences(const struct encoder *encoder, struct encoder_scratch *s,
                          const struct layer *layer, const uint32_t *starts, size_t count,
                          bool first_only)
{
    size_t hidden = encoder->config.hidden;
    for (size_t at = starts[0], rows; at < starts[count]; at += rows) {
        rows = next_rows(starts[count] - at);
        project_rows(encoder, s, layer, at, rows, first_only);
    }
    if (first_only) {
        project_first(encoder, s, layer, starts, count);
    }
    attend(encoder, s, starts, count, first_only);
    float *x = first_only ? s->first : s->x;
    size_t end = first_only ? count : starts[count];
    for (size_t at = first_only ? 0 : starts[0], rows; at < end; at += rows) {
        rows = next_rows(end - at);
        finish_rows(encoder, s, layer, s->context + at * hidden, x + at * hidden, rows);
    }
}

/* All of a layer but the last is done for some sequences before the next are begun, while their
 * keys and values are near. */
static void run_layer(const struct encoder *encoder, struct encoder_scratch *s,
                      const struct layer *layer, const uint32_t *starts, size_t count,
                      bool first_only)
{
    for (size_t first = 0, next; first < count; first = next) {
        next = first_only ? count : next_sequences(starts, first, count);
        run_sequences(encoder, s, layer, starts + first, next - first, first_only);
    }
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
