/* checkpoint_config.c - see checkpoint_config.h. A key that is missing takes the default of Hugging
 * Face's BertConfig where that has one a file may rely on; a key whose value this program would
 * compute wrongly is refused. What labels mean is read from their names and never guessed: a wrong
 * guess turns every angry customer into a happy one. */
#include "nlp/checkpoint_config.h"

#include "base/json.h"
#include "base/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bounds of what is a sane encoder: they keep every later product of sizes far from overflow. */
enum {
    CONFIG_BYTES_MAX = 16 << 20,
    PATH_BYTES = 512,
    LAYERS_MAX = 256,
    HEADS_MAX = 512,
    WIDTH_MAX = 65536,
    VOCAB_MAX = 1 << 23,
    POSITIONS_MAX = 1 << 20,
    TYPES_MAX = 64,
};

static const struct checkpoint_family families[] = {
    {
        .model_type = "bert",
        .architecture = "BertForSequenceClassification",
        .prefix = "bert.",
        .positions = CHECKPOINT_POSITIONS_FROM_ZERO,
        .word_embeddings = "embeddings.word_embeddings",
        .position_embeddings = "embeddings.position_embeddings",
        .type_embeddings = "embeddings.token_type_embeddings",
        .embeddings_norm = "embeddings.LayerNorm",
        .layer_prefix = "encoder.layer.",
        .query = "attention.self.query",
        .key = "attention.self.key",
        .value = "attention.self.value",
        .attention_output = "attention.output.dense",
        .attention_norm = "attention.output.LayerNorm",
        .ffn_input = "intermediate.dense",
        .ffn_output = "output.dense",
        .ffn_norm = "output.LayerNorm",
        .head_dense = "pooler.dense",
        .head_output = "classifier",
    },
};

static const struct {
    const char *name;
    enum checkpoint_activation activation;
} activations[] = {
    {"gelu", CHECKPOINT_ACTIVATION_GELU},
    {"gelu_new", CHECKPOINT_ACTIVATION_GELU_TANH},
    {"gelu_pytorch_tanh", CHECKPOINT_ACTIVATION_GELU_TANH},
};

static const struct {
    const char *name;
    double polarity;
} meanings[] = {{"negative", 0.0}, {"neutral", 0.5}, {"positive", 1.0}};

/* The file being read, so that helpers can name it. */
struct reading {
    const char *path;
    const struct json *root;
    struct error *err;
};

static bool is_given(const struct json *value)
{
    enum json_kind kind = json_kind(value);
    return kind != JSON_KIND_ABSENT && kind != JSON_KIND_NULL;
}

/* A whole number from 1 to max; fallback 0 makes the key mandatory. */
static int read_size(const struct reading *r, const char *key, size_t max, size_t fallback,
                     size_t *out)
{
    const struct json *value = json_get(r->root, key);
    int64_t number = 0;
    if (!is_given(value) && fallback > 0) {
        *out = fallback;
        return 0;
    }
    if (!json_as_integer(value, &number) || number < 1 || (uint64_t)number > max) {
        return error_set(r->err, ERROR_FORMAT, "%s: \"%s\" must be a whole number from 1 to %zu",
                         r->path, key, max);
    }
    *out = (size_t)number;
    return 0;
}

static int read_family(const struct reading *r, struct checkpoint_config *config)
{
    const char *type = json_as_string(json_get(r->root, "model_type"), NULL);
    if (!type) {
        return error_set(r->err, ERROR_FORMAT,
                         "%s: \"model_type\" is missing; is this a Hugging Face checkpoint?",
                         r->path);
    }
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (strcmp(families[i].model_type, type) == 0) {
            config->family = &families[i];
        }
    }
    if (!config->family) {
        return error_set(r->err, ERROR_UNSUPPORTED,
                         "%s: \"model_type\" is \"%.40s\"; this build runs \"bert\" sequence "
                         "classifiers",
                         r->path, type);
    }
    const struct json *names = json_get(r->root, "architectures");
    for (size_t i = 0; i < json_size(names); i++) {
        const char *name = json_as_string(json_at(names, i), NULL);
        if (name && strcmp(name, config->family->architecture) == 0) {
            return 0;
        }
    }
    if (is_given(names)) {
        return error_set(r->err, ERROR_UNSUPPORTED,
                         "%s: \"architectures\" lacks \"%s\"; the model has no classifier head, "
                         "fine-tune it for sequence classification first",
                         r->path, config->family->architecture);
    }
    return 0;
}

static int read_sizes(const struct reading *r, struct checkpoint_config *config)
{
    int code = read_size(r, "num_hidden_layers", LAYERS_MAX, 0, &config->layer_count);
    code = code ? code : read_size(r, "hidden_size", WIDTH_MAX, 0, &config->hidden);
    code = code ? code : read_size(r, "num_attention_heads", HEADS_MAX, 0, &config->head_count);
    code = code ? code : read_size(r, "intermediate_size", WIDTH_MAX, 0, &config->ffn);
    code = code ? code : read_size(r, "vocab_size", VOCAB_MAX, 0, &config->vocab_count);
    code = code
               ? code
               : read_size(r, "max_position_embeddings", POSITIONS_MAX, 0, &config->position_count);
    code = code ? code : read_size(r, "type_vocab_size", TYPES_MAX, 2, &config->type_count);
    if (code == 0 && config->hidden % config->head_count != 0) {
        code = error_set(r->err, ERROR_FORMAT,
                         "%s: \"hidden_size\" %zu is not a multiple of \"num_attention_heads\" %zu",
                         r->path, config->hidden, config->head_count);
    }
    return code;
}

static int read_activation(const struct reading *r, struct checkpoint_config *config)
{
    const struct json *value = json_get(r->root, "hidden_act");
    const char *name = is_given(value) ? json_as_string(value, NULL) : "gelu";
    for (size_t i = 0; name && i < sizeof activations / sizeof activations[0]; i++) {
        if (strcmp(activations[i].name, name) == 0) {
            config->activation = activations[i].activation;
            return 0;
        }
    }
    return error_set(r->err, ERROR_UNSUPPORTED,
                     "%s: \"hidden_act\" is \"%.40s\"; this build runs gelu, gelu_new and "
                     "gelu_pytorch_tanh",
                     r->path, name ? name : "not a string");
}

static int read_epsilon(const struct reading *r, struct checkpoint_config *config)
{
    const struct json *value = json_get(r->root, "layer_norm_eps");
    double epsilon = 1e-12;
    if (is_given(value) && (!json_as_number(value, &epsilon) || !(epsilon >= 0 && epsilon < 1))) {
        return error_set(r->err, ERROR_FORMAT,
                         "%s: \"layer_norm_eps\" must be a number from 0 to 1", r->path);
    }
    config->layer_norm_epsilon = (float)epsilon;
    return 0;
}

/* A key that, when given, must have one value, because others change the mathematics. */
static int require_text(const struct reading *r, const char *key, const char *only)
{
    const struct json *value = json_get(r->root, key);
    const char *text = json_as_string(value, NULL);
    if (!is_given(value) || (text && strcmp(text, only) == 0)) {
        return 0;
    }
    return error_set(r->err, ERROR_UNSUPPORTED, "%s: \"%s\" is \"%.40s\"; this build runs \"%s\"",
                     r->path, key, text ? text : "not a string", only);
}

static int label_error(const struct reading *r, const char *label, const char *why)
{
    return error_set(r->err, ERROR_CONFIG,
                     "%s: \"id2label\" %s \"%.40s\"; rename the labels there to negative, neutral "
                     "(optional) and positive, in the order the model was trained with, see its "
                     "model card",
                     r->path, why, label);
}

static int read_label(const struct reading *r, const char *name, struct checkpoint_config *config,
                      size_t id)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (strcasecmp(meanings[i].name, name) != 0) {
            continue;
        }
        for (size_t other = 0; other < id; other++) {
            if (strcasecmp(config->labels[other].name, name) == 0) {
                return label_error(r, name, "repeats");
            }
        }
        struct checkpoint_label *label = &config->labels[id];
        (void)snprintf(label->name, sizeof label->name, "%s", name);
        label->polarity = meanings[i].polarity;
        return 0;
    }
    return label_error(r, name, "does not say what this label means:");
}

static int read_labels(const struct reading *r, struct checkpoint_config *config)
{
    const struct json *labels = json_get(r->root, "id2label");
    size_t count = json_size(labels);
    if (json_kind(labels) != JSON_KIND_OBJECT || count < 2 || count > 3) {
        return error_set(r->err, ERROR_CONFIG,
                         "%s: \"id2label\" must name two or three labels: negative, neutral "
                         "(optional), positive",
                         r->path);
    }
    for (size_t id = 0; id < count; id++) {
        char key[24];
        (void)snprintf(key, sizeof key, "%zu", id);
        const char *name = json_as_string(json_get(labels, key), NULL);
        if (!name) {
            return error_set(r->err, ERROR_CONFIG,
                             "%s: \"id2label\" has %zu labels but none under the key \"%zu\"",
                             r->path, count, id);
        }
        int code = read_label(r, name, config, id);
        if (code != 0) {
            return code;
        }
    }
    config->label_count = count;
    if (count == 2 && config->labels[0].polarity + config->labels[1].polarity != 1.0) {
        return label_error(r, "neutral", "with two labels may not hold");
    }
    return 0;
}

static int read_all(const struct reading *r, struct checkpoint_config *config)
{
    int code = read_family(r, config);
    code = code ? code : read_sizes(r, config);
    code = code ? code : read_activation(r, config);
    code = code ? code : read_epsilon(r, config);
    code = code ? code : require_text(r, "position_embedding_type", "absolute");
    code = code ? code : require_text(r, "problem_type", "single_label_classification");
    code = code ? code : read_labels(r, config);
    return code;
}

int checkpoint_config_read(struct checkpoint_config *config, const char *directory,
                           struct error *err)
{
    char path[PATH_BYTES];
    char *text = NULL;
    size_t size = 0;
    struct json_document *document = NULL;

    *config = (struct checkpoint_config){0};
    int wrote = snprintf(path, sizeof path, "%s/config.json", directory);
    if (wrote < 0 || (size_t)wrote >= sizeof path) {
        return error_set(err, ERROR_CONFIG, "the model's directory name is too long: %.200s...",
                         directory);
    }
    int code = lines_read_file(path, CONFIG_BYTES_MAX, &text, &size, err);
    if (code != 0) {
        goto out;
    }
    code = json_parse(text, size, &document, err);
    if (code != 0) {
        error_wrap(err, "%s", path);
        goto out;
    }
    struct reading reading = {.path = path, .root = json_root(document), .err = err};
    code = read_all(&reading, config);
out:
    json_free(document);
    free(text);
    return code;
}
