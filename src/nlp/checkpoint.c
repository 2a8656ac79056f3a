/* checkpoint.c - see checkpoint.h. Tensors are found by the family's names, with and without its
 * prefix, and with the LayerNorm names (gamma, beta) of checkpoints from before 2019, which are
 * still published. Tensors nobody asks for (position_ids, other heads) are ignored. */
#include "nlp/checkpoint.h"

#include "nlp/checkpoint_config.h"
#include "nlp/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 192, CHECK_AT_ONCE = 1024 };

struct checkpoint {
    struct checkpoint_config config;
    struct weights *weights;
};

const struct checkpoint_config *checkpoint_config(const struct checkpoint *checkpoint)
{
    return &checkpoint->config;
}

size_t checkpoint_tokens_max(const struct checkpoint_config *config)
{
    bool after_padding = config->family->positions == CHECKPOINT_POSITIONS_AFTER_PADDING;
    return config->position_count - (after_padding ? config->pad_id + 1 : 0);
}

const char *checkpoint_file(const struct checkpoint *checkpoint, size_t index)
{
    return weights_file(checkpoint->weights, index);
}

/* One spelling of a tensor's name. */
static const struct tensor *find_spelling(const struct checkpoint *checkpoint, const char *prefix,
                                          int layer, const char *name, const char *part)
{
    char full[NAME_BYTES];
    if (layer == CHECKPOINT_NO_LAYER) {
        (void)snprintf(full, sizeof full, "%s%s.%s", prefix, name, part);
    } else {
        (void)snprintf(full, sizeof full, "%s%s%d.%s.%s", prefix,
                       checkpoint->config.family->layer_prefix, layer, name, part);
    }
    return weights_find(checkpoint->weights, full);
}

static const struct tensor *find_any(const struct checkpoint *checkpoint, int layer,
                                     const char *name, const char *part)
{
    const char *prefixes[] = {checkpoint->config.family->prefix, ""};
    const char *parts[] = {part, strcmp(part, "weight") == 0 ? "gamma" : "beta"};
    for (size_t i = 0; i < 4; i++) {
        const struct tensor *tensor =
            find_spelling(checkpoint, prefixes[i % 2], layer, name, parts[i / 2]);
        if (tensor) {
            return tensor;
        }
    }
    return NULL;
}

/* All weights of a layer have one type in practice; the first layer's query stands for them. */
enum tensor_dtype checkpoint_dtype(const struct checkpoint *checkpoint)
{
    const struct tensor *tensor =
        find_any(checkpoint, 0, checkpoint->config.family->query, "weight");
    return tensor ? tensor->dtype : TENSOR_OTHER;
}

static int missing(const struct checkpoint *checkpoint, int layer, const char *name,
                   const char *part, struct error *err)
{
    const struct checkpoint_family *family = checkpoint->config.family;
    char number[16] = "";
    if (layer != CHECKPOINT_NO_LAYER) {
        (void)snprintf(number, sizeof number, "%d.", layer);
    }
    return error_set(err, ERROR_FORMAT,
                     "%s: tensor \"%s%s%s.%s\" is missing; weights and config.json are of "
                     "different models, or this is not a %s checkpoint",
                     weights_path(checkpoint->weights),
                     layer == CHECKPOINT_NO_LAYER ? "" : family->layer_prefix, number, name, part,
                     family->architecture);
}

/* rank 1 ignores columns. */
static int find_checked(const struct checkpoint *checkpoint, int layer, const char *name,
                        const char *part, unsigned rank, size_t rows, size_t columns,
                        const struct tensor **tensor, struct error *err)
{
    const struct tensor *found = find_any(checkpoint, layer, name, part);
    if (!found) {
        return missing(checkpoint, layer, name, part, err);
    }
    bool fits =
        found->rank == rank && found->shape[0] == rows && (rank == 1 || found->shape[1] == columns);
    if (!fits) {
        char wanted[48];
        if (rank == 1) {
            (void)snprintf(wanted, sizeof wanted, "[%zu]", rows);
        } else {
            (void)snprintf(wanted, sizeof wanted, "[%zu, %zu]", rows, columns);
        }
        return error_set(err, ERROR_FORMAT,
                         "%s: tensor \"%.100s\" has %zu elements in %u dimensions, but config.json "
                         "asks for %s; weights and configuration are of different models",
                         found->file, found->name, found->elements, found->rank, wanted);
    }
    if (found->dtype == TENSOR_OTHER) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: tensor \"%.100s\" has dtype %s; save the model as F32, F16 or BF16",
                         found->file, found->name, found->dtype_name);
    }
    *tensor = found;
    return 0;
}

int checkpoint_check_finite(const struct tensor *tensor, struct error *err)
{
    float values[CHECK_AT_ONCE];
    size_t element_bytes = tensor_element_bytes(tensor->dtype);
    for (size_t at = 0; at < tensor->elements; at += CHECK_AT_ONCE) {
        size_t left = tensor->elements - at;
        size_t count = left < CHECK_AT_ONCE ? left : CHECK_AT_ONCE;
        tensor_widen(tensor->dtype, tensor->bytes + at * element_bytes, count, values);
        for (size_t i = 0; i < count; i++) {
            if (!isfinite(values[i])) {
                return error_set(
                    err, ERROR_FORMAT,
                    "%s: tensor \"%.100s\" holds a value that is not finite at element "
                    "%zu; the training that made it failed, or the file is damaged",
                    tensor->file, tensor->name, at + i);
            }
        }
    }
    return 0;
}

static int read_checked(const struct checkpoint *checkpoint, int layer, const char *name,
                        const char *part, unsigned rank, size_t rows, size_t columns, float *out,
                        struct error *err)
{
    const struct tensor *tensor = NULL;
    int code = find_checked(checkpoint, layer, name, part, rank, rows, columns, &tensor, err);
    if (code != 0) {
        return code;
    }
    code = checkpoint_check_finite(tensor, err);
    if (code == 0) {
        tensor_widen(tensor->dtype, tensor->bytes, tensor->elements, out);
    }
    return code;
}

int checkpoint_find_weight(const struct checkpoint *checkpoint, int layer, const char *name,
                           size_t rows, size_t columns, const struct tensor **tensor,
                           struct error *err)
{
    return find_checked(checkpoint, layer, name, "weight", 2, rows, columns, tensor, err);
}

int checkpoint_read_weight(const struct checkpoint *checkpoint, int layer, const char *name,
                           size_t rows, size_t columns, float *out, struct error *err)
{
    return read_checked(checkpoint, layer, name, "weight", 2, rows, columns, out, err);
}

int checkpoint_read_bias(const struct checkpoint *checkpoint, int layer, const char *name,
                         size_t count, float *out, struct error *err)
{
    return read_checked(checkpoint, layer, name, "bias", 1, count, 1, out, err);
}

int checkpoint_read_gain(const struct checkpoint *checkpoint, int layer, const char *name,
                         size_t count, float *out, struct error *err)
{
    return read_checked(checkpoint, layer, name, "weight", 1, count, 1, out, err);
}

/* ---- checking that all is there, before anyone allocates by the configuration's numbers ---- */

static int check_linear(const struct checkpoint *checkpoint, int layer, const char *name,
                        size_t outputs, size_t inputs, struct error *err)
{
    const struct tensor *tensor = NULL;
    int code = find_checked(checkpoint, layer, name, "weight", 2, outputs, inputs, &tensor, err);
    return code ? code : find_checked(checkpoint, layer, name, "bias", 1, outputs, 1, &tensor, err);
}

static int check_norm(const struct checkpoint *checkpoint, int layer, const char *name,
                      struct error *err)
{
    const struct tensor *tensor = NULL;
    size_t width = checkpoint->config.hidden;
    int code = find_checked(checkpoint, layer, name, "weight", 1, width, 1, &tensor, err);
    return code ? code : find_checked(checkpoint, layer, name, "bias", 1, width, 1, &tensor, err);
}

static int check_embeddings(const struct checkpoint *checkpoint, struct error *err)
{
    const struct checkpoint_config *c = &checkpoint->config;
    const struct checkpoint_family *f = c->family;
    const struct tensor *tensor = NULL;
    const int none = CHECKPOINT_NO_LAYER;
    int code = checkpoint_find_weight(checkpoint, none, f->word_embeddings, c->vocab_count,
                                      c->hidden, &tensor, err);
    code = code ? code
                : checkpoint_find_weight(checkpoint, none, f->position_embeddings,
                                         c->position_count, c->hidden, &tensor, err);
    if (code == 0 && c->type_count > 0) {
        code = checkpoint_find_weight(checkpoint, none, f->type_embeddings, c->type_count,
                                      c->hidden, &tensor, err);
    }
    return code ? code : check_norm(checkpoint, none, f->embeddings_norm, err);
}

static int check_layer(const struct checkpoint *checkpoint, int layer, struct error *err)
{
    const struct checkpoint_config *c = &checkpoint->config;
    const struct checkpoint_family *f = c->family;
    const char *square[] = {f->query, f->key, f->value, f->attention_output};
    int code = 0;
    for (size_t i = 0; i < sizeof square / sizeof square[0] && code == 0; i++) {
        code = check_linear(checkpoint, layer, square[i], c->hidden, c->hidden, err);
    }
    code = code ? code : check_norm(checkpoint, layer, f->attention_norm, err);
    code = code ? code : check_linear(checkpoint, layer, f->ffn_input, c->ffn, c->hidden, err);
    code = code ? code : check_linear(checkpoint, layer, f->ffn_output, c->hidden, c->ffn, err);
    return code ? code : check_norm(checkpoint, layer, f->ffn_norm, err);
}

/* ---- that nothing is there which would change the answer, did we know it ---- */

/* What follows the start, or NULL. */
static const char *after(const char *name, const char *start)
{
    size_t bytes = start ? strlen(start) : 0;
    return bytes > 0 && strncmp(name, start, bytes) == 0 ? name + bytes : NULL;
}

static bool is_part(const char *rest)
{
    static const char *const parts[] = {".weight", ".bias", ".gamma", ".beta"};
    for (size_t i = 0; rest && i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(rest, parts[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Heads of other tasks and unused poolers are outside the encoder and change nothing; inside it an
 * adapter, a relative position or a second attention would. */
static bool is_known(const struct checkpoint_family *f, const char *name)
{
    const char *inside[] = {f->query,          f->key,       f->value,      f->attention_output,
                            f->attention_norm, f->ffn_input, f->ffn_output, f->ffn_norm};
    const char *outside[] = {f->word_embeddings, f->position_embeddings, f->type_embeddings,
                             f->embeddings_norm};
    const char *rest = after(name, f->prefix);
    name = rest ? rest : name;
    rest = after(name, f->layer_prefix);
    if (rest) {
        rest += strspn(rest, "0123456789");
        rest += *rest == '.';
        for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
            if (is_part(after(rest, inside[i]))) {
                return true;
            }
        }
        return false;
    }
    rest = after(name, "embeddings.");
    if (!rest || strcmp(rest, "position_ids") == 0 || strcmp(rest, "token_type_ids") == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        if (is_part(after(name, outside[i]))) {
            return true;
        }
    }
    return false;
}

static int check_nothing_more(const struct checkpoint *checkpoint, struct error *err)
{
    size_t position = 0;
    const struct tensor *tensor;
    while ((tensor = weights_next(checkpoint->weights, &position)) != NULL) {
        if (!is_known(checkpoint->config.family, tensor->name)) {
            return error_set(err, ERROR_UNSUPPORTED,
                             "%s: tensor \"%.100s\" is no part of a %s encoder; this program would "
                             "leave it out and answer wrongly (if it is an adapter, merge it into "
                             "the model first)",
                             tensor->file, tensor->name, checkpoint->config.family->model_type);
        }
    }
    return 0;
}

static int check_tensors(const struct checkpoint *checkpoint, struct error *err)
{
    const struct checkpoint_config *c = &checkpoint->config;
    const int none = CHECKPOINT_NO_LAYER;
    int code = check_embeddings(checkpoint, err);
    for (int layer = 0; layer < (int)c->layer_count && code == 0; layer++) {
        code = check_layer(checkpoint, layer, err);
    }
    code = code ? code
                : check_linear(checkpoint, none, c->family->head_dense, c->hidden, c->hidden, err);
    code = code ? code
                : check_linear(checkpoint, none, c->family->head_output, c->label_count, c->hidden,
                               err);
    return code ? code : check_nothing_more(checkpoint, err);
}

int checkpoint_open(struct checkpoint **checkpoint, const char *directory, struct error *err)
{
    *checkpoint = NULL;
    struct checkpoint *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "not enough memory to open a model");
    }
    int code = checkpoint_config_read(&made->config, directory, err);
    code = code ? code : weights_open(&made->weights, directory, err);
    code = code ? code : check_tensors(made, err);
    if (code != 0) {
        checkpoint_close(made);
        return code;
    }
    *checkpoint = made;
    return 0;
}

void checkpoint_close(struct checkpoint *checkpoint)
{
    if (checkpoint) {
        weights_close(checkpoint->weights);
        free(checkpoint);
    }
}
