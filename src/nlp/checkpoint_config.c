/* checkpoint_config.c - see checkpoint_config.h. A key that is missing takes the default of Hugging
 * Face's configuration classes where that has one a file may rely on; a key whose value this
 * program would compute wrongly is refused. */
#include "nlp/checkpoint_config.h"

#include "base/json.h"
#include "base/lines.h"
#include "nlp/activation.h"
#include "nlp/checkpoint_family.h"
#include "nlp/checkpoint_labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    config->family = checkpoint_family_find(type);
    if (!config->family) {
        return error_set(r->err, ERROR_UNSUPPORTED,
                         "%s: \"model_type\" is \"%.40s\"; this build runs sequence classifiers of "
                         "the types bert, roberta, xlm-roberta and distilbert",
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
    const struct checkpoint_family *f = config->family;
    int code = read_size(r, f->keys.layers, LAYERS_MAX, 0, &config->layer_count);
    code = code ? code : read_size(r, f->keys.hidden, WIDTH_MAX, 0, &config->hidden);
    code = code ? code : read_size(r, f->keys.heads, HEADS_MAX, 0, &config->head_count);
    code = code ? code : read_size(r, f->keys.ffn, WIDTH_MAX, 0, &config->ffn);
    code = code ? code : read_size(r, "vocab_size", VOCAB_MAX, 0, &config->vocab_count);
    code = code
               ? code
               : read_size(r, "max_position_embeddings", POSITIONS_MAX, 0, &config->position_count);
    if (code == 0 && f->keys.types) {
        code = read_size(r, f->keys.types, TYPES_MAX, 2, &config->type_count);
    }
    if (code == 0 && config->hidden % config->head_count != 0) {
        code =
            error_set(r->err, ERROR_FORMAT, "%s: \"%s\" %zu is not a multiple of \"%s\" %zu",
                      r->path, f->keys.hidden, config->hidden, f->keys.heads, config->head_count);
    }
    return code;
}

static int read_padding(const struct reading *r, struct checkpoint_config *config)
{
    const struct json *value = json_get(r->root, "pad_token_id");
    int64_t id = config->family->pad_id;
    if (is_given(value) &&
        (!json_as_integer(value, &id) || id < 0 || (uint64_t)id >= config->vocab_count)) {
        return error_set(r->err, ERROR_FORMAT,
                         "%s: \"pad_token_id\" must be a token of the vocabulary", r->path);
    }
    config->pad_id = (uint32_t)id;
    if (config->family->positions == CHECKPOINT_POSITIONS_AFTER_PADDING &&
        config->pad_id + (size_t)1 >= config->position_count) {
        return error_set(r->err, ERROR_FORMAT,
                         "%s: \"max_position_embeddings\" %zu leaves no position after "
                         "\"pad_token_id\" %u",
                         r->path, config->position_count, (unsigned)config->pad_id);
    }
    return 0;
}

static int read_activation(const struct reading *r, struct checkpoint_config *config)
{
    const char *key = config->family->keys.activation;
    const struct json *value = json_get(r->root, key);
    const char *name = is_given(value) ? json_as_string(value, NULL) : "gelu";
    if (name && activation_find(name, &config->activation)) {
        return 0;
    }
    return error_set(r->err, ERROR_UNSUPPORTED, "%s: \"%s\" is \"%.40s\"; this build runs %s",
                     r->path, key, name ? name : "not a string", ACTIVATION_NAMES);
}

static int read_epsilon(const struct reading *r, struct checkpoint_config *config)
{
    const char *key = config->family->keys.epsilon;
    const struct json *value = key ? json_get(r->root, key) : NULL;
    double epsilon = 1e-12;
    if (is_given(value) && (!json_as_number(value, &epsilon) || !(epsilon >= 0 && epsilon < 1))) {
        return error_set(r->err, ERROR_FORMAT, "%s: \"%s\" must be a number from 0 to 1", r->path,
                         key);
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

/* The pipeline's rule (transformers, text_classification.py); model.yaml may overrule it. */
static int read_output(const struct reading *r, struct checkpoint_config *config)
{
    const struct json *value = json_get(r->root, "problem_type");
    const char *type =
        is_given(value) ? json_as_string(value, NULL) : "single_label_classification";
    if (type && strcmp(type, "regression") == 0) {
        config->output = CHECKPOINT_OUTPUT_RAW;
    } else if (type && (strcmp(type, "multi_label_classification") == 0)) {
        config->output = CHECKPOINT_OUTPUT_SIGMOID;
    } else if (type && strcmp(type, "single_label_classification") == 0) {
        config->output =
            config->label_count == 1 ? CHECKPOINT_OUTPUT_SIGMOID : CHECKPOINT_OUTPUT_SOFTMAX;
    } else {
        return error_set(r->err, ERROR_UNSUPPORTED,
                         "%s: \"problem_type\" is \"%.40s\"; this build runs "
                         "single_label_classification, multi_label_classification and regression",
                         r->path, type ? type : "not a string");
    }
    static const enum checkpoint_output said[] = {
        [MODEL_YAML_OUTPUT_SOFTMAX] = CHECKPOINT_OUTPUT_SOFTMAX,
        [MODEL_YAML_OUTPUT_SIGMOID] = CHECKPOINT_OUTPUT_SIGMOID,
        [MODEL_YAML_OUTPUT_NONE] = CHECKPOINT_OUTPUT_RAW,
    };
    if (config->extra.output != MODEL_YAML_OUTPUT_UNSAID) {
        config->output = said[config->extra.output];
    }
    return 0;
}

/* A decoder masks what comes later: other mathematics. */
static int refuse_decoder(const struct reading *r)
{
    static const char *const keys[] = {"is_decoder", "add_cross_attention"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        bool is_on = false;
        if (json_as_boolean(json_get(r->root, keys[i]), &is_on) && is_on) {
            return error_set(r->err, ERROR_UNSUPPORTED,
                             "%s: \"%s\" is true; this build runs encoders only", r->path, keys[i]);
        }
    }
    return 0;
}

static int read_all(const struct reading *r, struct checkpoint_config *config)
{
    int code = read_family(r, config);
    code = code ? code : read_sizes(r, config);
    code = code ? code : read_padding(r, config);
    code = code ? code : read_activation(r, config);
    code = code ? code : read_epsilon(r, config);
    code = code ? code : require_text(r, "position_embedding_type", "absolute");
    code = code ? code : refuse_decoder(r);
    code = code ? code : checkpoint_labels_count(r->path, r->root, config, r->err);
    code = code ? code : read_output(r, config);
    return code ? code : checkpoint_labels_read(r->path, r->root, config, r->err);
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
    code = model_yaml_read(&config->extra, directory, err);
    if (code != 0) {
        goto out;
    }
    struct reading reading = {.path = path, .root = json_root(document), .err = err};
    code = read_all(&reading, config);
out:
    json_free(document);
    free(text);
    return code;
}
