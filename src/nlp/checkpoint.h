/* nlp/checkpoint.h - a Hugging Face checkpoint directory: config.json and its tensors, by role.
 *
 * checkpoint_open checks the whole of it: that the configuration is one this program runs, that
 * every tensor the family needs is there with the type and shape the configuration promises, and
 * that the labels have a known meaning. Whoever reads tensors afterwards meets no surprises but a
 * value that is not finite.
 */
#ifndef NLP_CHECKPOINT_H
#define NLP_CHECKPOINT_H

#include "base/error.h"
#include "nlp/model_yaml.h"
#include "nlp/tensor.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CHECKPOINT_LABELS_MAX = MODEL_YAML_LABELS_MAX,
    CHECKPOINT_LABEL_BYTES = MODEL_YAML_LABEL_BYTES,
    CHECKPOINT_NO_LAYER = -1,
};

/* As transformers' activations.py computes them. */
enum checkpoint_activation {
    CHECKPOINT_ACTIVATION_GELU,       /* the exact one, with erf */
    CHECKPOINT_ACTIVATION_GELU_TANH,  /* the tanh form */
    CHECKPOINT_ACTIVATION_QUICK_GELU, /* x sigmoid(1.702 x) */
    CHECKPOINT_ACTIVATION_RELU,
    CHECKPOINT_ACTIVATION_SILU, /* x sigmoid(x) */
    CHECKPOINT_ACTIVATION_MISH, /* x tanh(log(1 + e^x)) */
    CHECKPOINT_ACTIVATION_TANH,
};

/* How a token's row in the position table follows from its place. */
enum checkpoint_positions {
    CHECKPOINT_POSITIONS_FROM_ZERO, /* the n-th token of a sequence takes row n */
    /* The n-th token that is not padding takes row pad + n, from n = 1; padding, which a text can
     * spell out, takes row pad and does not count (modeling_roberta.py). */
    CHECKPOINT_POSITIONS_AFTER_PADDING,
};

/* What becomes of logits, by the rules of transformers' text classification pipeline. */
enum checkpoint_output {
    CHECKPOINT_OUTPUT_SOFTMAX,
    CHECKPOINT_OUTPUT_SIGMOID, /* of each label on its own */
    CHECKPOINT_OUTPUT_RAW,     /* a regression */
};

/* What differs between families that share the encoder: where tensors are called what. Names are
 * without prefix and without ".weight"; per-layer names follow layer_prefix and the number. */
struct checkpoint_family {
    const char *model_type;   /* config.json "model_type" */
    const char *architecture; /* an entry of config.json "architectures" */
    const char *prefix;       /* in front of every name; some files lack it */
    struct {                  /* config.json's names for its numbers */
        const char *layers;
        const char *hidden;
        const char *heads;
        const char *ffn;
        const char *activation;
        const char *epsilon; /* NULL: always 1e-12 */
        const char *types;   /* NULL: no token types */
    } keys;
    enum checkpoint_positions positions;
    uint32_t pad_id; /* unless config.json says otherwise */
    const char *word_embeddings;
    const char *position_embeddings;
    const char *type_embeddings;
    const char *embeddings_norm;
    const char *layer_prefix;
    const char *query;
    const char *key;
    const char *value;
    const char *attention_output;
    const char *attention_norm;
    const char *ffn_input;
    const char *ffn_output;
    const char *ffn_norm;
    const char *head_dense; /* token 0 -> dense -> head_activation -> head_output */
    enum checkpoint_activation head_activation;
    const char *head_output;
};

struct checkpoint_label {
    char name[CHECKPOINT_LABEL_BYTES]; /* as the file spells it */
    double polarity;                   /* 0 negative, 0.5 neutral, 1 positive, and between */
};

struct checkpoint_config {
    const struct checkpoint_family *family;
    size_t layer_count;
    size_t hidden; /* a multiple of head_count */
    size_t head_count;
    size_t ffn;
    size_t vocab_count;
    size_t position_count;
    size_t type_count; /* 0 when the family has no token types */
    uint32_t pad_id;
    enum checkpoint_activation activation;
    float layer_norm_epsilon;
    enum checkpoint_output output;
    size_t label_count;
    struct checkpoint_label labels[CHECKPOINT_LABELS_MAX];
    struct model_yaml extra; /* what config.json does not say */
};

struct checkpoint;

/* How many of a sequence's tokens, special ones included, have a row in the position table. */
size_t checkpoint_tokens_max(const struct checkpoint_config *config);

/* On failure *checkpoint is NULL; errors name file and key or tensor, and what to do. */
int checkpoint_open(struct checkpoint **checkpoint, const char *directory, struct error *err);

/* Accepts NULL. */
void checkpoint_close(struct checkpoint *checkpoint);

const struct checkpoint_config *checkpoint_config(const struct checkpoint *checkpoint);

/* The tensor NAME.weight [rows x columns] of a layer, or of CHECKPOINT_NO_LAYER. A tensor that is
 * missing, of another shape or not floating-point is an error. */
int checkpoint_find_weight(const struct checkpoint *checkpoint, int layer, const char *name,
                           size_t rows, size_t columns, const struct tensor **tensor,
                           struct error *err);

/* The same, widened into out [rows x columns]; every value is finite on success. */
int checkpoint_read_weight(const struct checkpoint *checkpoint, int layer, const char *name,
                           size_t rows, size_t columns, float *out, struct error *err);

/* The vectors NAME.bias and, for a LayerNorm, NAME.weight [count]. */
int checkpoint_read_bias(const struct checkpoint *checkpoint, int layer, const char *name,
                         size_t count, float *out, struct error *err);
int checkpoint_read_gain(const struct checkpoint *checkpoint, int layer, const char *name,
                         size_t count, float *out, struct error *err);

/* The type most weights of the layers are stored in, and the weights' files (NULL past the last).
 */
enum tensor_dtype checkpoint_dtype(const struct checkpoint *checkpoint);
const char *checkpoint_file(const struct checkpoint *checkpoint, size_t index);

/* Fails, naming the tensor, if a value among its elements is infinite or not a number. */
int checkpoint_check_finite(const struct tensor *tensor, struct error *err);

#endif
