/* checkpoint_labels.c - see checkpoint_labels.h. What a label means is read from its name, or from
 * model.yaml, and never guessed: a wrong guess turns every angry customer into a happy one. Names
 * must make a whole scale, evenly spread from negative to positive, so that half-understood sets
 * are refused too. */
#include "nlp/checkpoint_labels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* In a scale of five, plain negative and positive are the second and the fourth step. */
static const struct {
    const char *name;
    double of_five;
    double otherwise; /* below 0: only in a scale of five */
} meanings[] = {
    {"negative", 0.25, 0},    {"neg", 0.25, 0},         {"neutral", 0.5, 0.5},
    {"neu", 0.5, 0.5},        {"positive", 0.75, 1},    {"pos", 0.75, 1},
    {"very negative", 0, -1}, {"very positive", 1, -1}, {"1 star", 0, -1},
    {"2 stars", 0.25, -1},    {"3 stars", 0.5, -1},     {"4 stars", 0.75, -1},
    {"5 stars", 1, -1},
};

struct labels {
    const char *path;
    const struct json *names; /* "id2label" */
    struct checkpoint_config *config;
    struct error *err;
};

#define HINT_MAP                                                                \
    "say what each label means in model.yaml beside it, see the model's card: " \
    "\"labels: {LABEL_0: negative, LABEL_1: neutral, LABEL_2: positive}\""

int checkpoint_labels_count(const char *path, const struct json *root,
                            struct checkpoint_config *config, struct error *err)
{
    const struct json *names = json_get(root, "id2label");
    int64_t count = 2; /* as transformers assumes */
    if (json_kind(names) == JSON_KIND_OBJECT) {
        count = (int64_t)json_size(names);
    } else if (json_kind(names) != JSON_KIND_ABSENT && json_kind(names) != JSON_KIND_NULL) {
        count = 0;
    } else {
        (void)json_as_integer(json_get(root, "num_labels"), &count);
    }
    if (count < 1 || count > CHECKPOINT_LABELS_MAX) {
        return error_set(err, ERROR_CONFIG,
                         "%s: \"id2label\" must name from one to %d labels, such as negative, "
                         "neutral and positive",
                         path, CHECKPOINT_LABELS_MAX);
    }
    config->label_count = (size_t)count;
    return 0;
}

/* The label's name under its number: JSON's order means nothing. */
static int read_name(const struct labels *l, size_t id)
{
    struct checkpoint_label *label = &l->config->labels[id];
    char key[24];
    (void)snprintf(key, sizeof key, "%zu", id);
    if (json_kind(l->names) != JSON_KIND_OBJECT) {
        (void)snprintf(label->name, sizeof label->name, "LABEL_%zu", id);
        return 0;
    }
    const char *name = json_as_string(json_get(l->names, key), NULL);
    if (!name) {
        return error_set(l->err, ERROR_CONFIG,
                         "%s: \"id2label\" has %zu labels but none under the key \"%zu\"", l->path,
                         l->config->label_count, id);
    }
    if (strlen(name) >= sizeof label->name) {
        return error_set(l->err, ERROR_CONFIG,
                         "%s: the label \"%.40s...\" in \"id2label\" is too long", l->path, name);
    }
    (void)snprintf(label->name, sizeof label->name, "%s", name);
    for (size_t other = 0; other < id; other++) {
        if (strcasecmp(l->config->labels[other].name, name) == 0) {
            return error_set(l->err, ERROR_CONFIG, "%s: \"id2label\" repeats \"%s\"", l->path,
                             name);
        }
    }
    return 0;
}

/* ---- meanings from model.yaml ---- */

static const struct model_yaml_label *find_given(const struct model_yaml *extra, const char *name)
{
    for (size_t i = 0; i < extra->label_count; i++) {
        if (strcmp(extra->labels[i].name, name) == 0) {
            return &extra->labels[i];
        }
    }
    return NULL;
}

static int take_given(const struct labels *l)
{
    struct checkpoint_config *config = l->config;
    double least = 1;
    double most = 0;
    for (size_t id = 0; id < config->label_count; id++) {
        const struct model_yaml_label *given = find_given(&config->extra, config->labels[id].name);
        if (!given) {
            return error_set(l->err, ERROR_CONFIG,
                             "%s: model.yaml beside it says nothing about the label \"%s\"",
                             l->path, config->labels[id].name);
        }
        config->labels[id].polarity = given->polarity;
        least = fmin(least, given->polarity);
        most = fmax(most, given->polarity);
    }
    if (config->extra.label_count != config->label_count) {
        return error_set(l->err, ERROR_CONFIG,
                         "%s: model.yaml beside it has %zu labels, but the model %zu", l->path,
                         config->extra.label_count, config->label_count);
    }
    if (config->label_count > 1 && !(least < most)) {
        return error_set(l->err, ERROR_CONFIG,
                         "%s: model.yaml beside it gives all labels one meaning", l->path);
    }
    return 0;
}

/* ---- meanings from names ---- */

static int take_name(const struct labels *l, struct checkpoint_label *label)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        double polarity = l->config->label_count == 5 ? meanings[i].of_five : meanings[i].otherwise;
        if (polarity >= 0 && strcasecmp(meanings[i].name, label->name) == 0) {
            label->polarity = polarity;
            return 0;
        }
    }
    return error_set(l->err, ERROR_CONFIG,
                     "%s: \"id2label\" does not say what this label means: \"%s\"; " HINT_MAP,
                     l->path, label->name);
}

/* Whether the meanings are 0, 1/(n-1), ... 1 in some order. */
static bool is_scale(const struct checkpoint_config *config)
{
    size_t steps = config->label_count - 1;
    for (size_t step = 0; step <= steps && steps > 0; step++) {
        bool found = false;
        for (size_t id = 0; id <= steps; id++) {
            found = found || config->labels[id].polarity * (double)steps == (double)step;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static int take_names(const struct labels *l)
{
    int code = 0;
    for (size_t id = 0; id < l->config->label_count && code == 0; id++) {
        code = take_name(l, &l->config->labels[id]);
    }
    if (code == 0 && !is_scale(l->config)) {
        code = error_set(l->err, ERROR_CONFIG,
                         "%s: the %zu labels in \"id2label\" are no whole scale from negative to "
                         "positive; " HINT_MAP,
                         l->path, l->config->label_count);
    }
    return code;
}

/* A regression's number is placed by its range; its label's name means nothing. */
static int take_range(const struct labels *l)
{
    if (l->config->label_count != 1) {
        return error_set(l->err, ERROR_UNSUPPORTED,
                         "%s: a regression of %zu numbers; this build runs those of one", l->path,
                         l->config->label_count);
    }
    l->config->labels[0].polarity = 1;
    if (!l->config->extra.has_range) {
        return error_set(l->err, ERROR_CONFIG,
                         "%s: a regression; say in model.yaml beside it which numbers are plainly "
                         "negative and plainly positive, such as \"range: [1, 5]\"",
                         l->path);
    }
    return 0;
}

int checkpoint_labels_read(const char *path, const struct json *root,
                           struct checkpoint_config *config, struct error *err)
{
    const struct labels l = {path, json_get(root, "id2label"), config, err};
    int code = 0;
    for (size_t id = 0; id < config->label_count && code == 0; id++) {
        code = read_name(&l, id);
    }
    if (code != 0) {
        return code;
    }
    if (config->output == CHECKPOINT_OUTPUT_RAW) {
        return take_range(&l);
    }
    return config->extra.label_count > 0 ? take_given(&l) : take_names(&l);
}
