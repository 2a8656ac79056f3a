/* model_yaml.c - see model_yaml.h. Six keys, each read by a function of its own; an unknown one is
 * an error, because a misspelt "temperature" that is silently ignored is worse than none. */
#include "nlp/model_yaml.h"

#include "base/lines.h"
#include "base/yaml_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 16, PATH_BYTES = 4096, KEY_COUNT = 6 };

struct reading {
    struct yaml_reader *reader;
    const struct yaml_reader_event *event; /* the current one */
    struct model_yaml *model;
    struct error *err;
};

static int next(struct reading *r)
{
    return yaml_reader_next(r->reader, r->err);
}

/* Moves to a value that is one word. */
static int next_word(struct reading *r, const char *key)
{
    int code = next(r);
    if (code == 0 && (r->event->kind != YAML_READER_SCALAR || r->event->is_null)) {
        code = yaml_reader_fail_here(r->reader, r->err, "'%s' takes one word or number", key);
    }
    return code;
}

static bool as_number(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number);
}

/* One of the words, whose place in the list is the answer. */
static int read_choice(struct reading *r, const char *key, const char *const *words, int *choice)
{
    int code = next_word(r, key);
    for (*choice = 0; code == 0 && words[*choice]; (*choice)++) {
        if (strcmp(words[*choice], r->event->text) == 0) {
            return 0;
        }
    }
    return code ? code
                : yaml_reader_fail_here(r->reader, r->err, "'%s' is %s, %s%s%s", key, words[0],
                                        words[1], words[2] ? " or " : "", words[2] ? words[2] : "");
}

/* ---- the keys ---- */

static int read_meaning(struct reading *r, struct model_yaml_label *label)
{
    static const struct {
        const char *name;
        double polarity;
    } words[] = {{"negative", 0}, {"neutral", 0.5}, {"positive", 1}};
    int code = next_word(r, "labels");
    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(r->event->text, words[i].name) == 0) {
            label->polarity = words[i].polarity;
            return 0;
        }
    }
    if (as_number(r->event->text, &label->polarity) && label->polarity >= 0 &&
        label->polarity <= 1) {
        return 0;
    }
    return yaml_reader_fail_here(r->reader, r->err,
                                 "a label means negative, neutral, positive, or a number from 0 "
                                 "(negative) to 1 (positive)");
}

static int read_label(struct reading *r)
{
    struct model_yaml *model = r->model;
    const struct yaml_reader_event *event = r->event;
    if (event->kind != YAML_READER_SCALAR || event->bytes == 0 ||
        event->bytes >= MODEL_YAML_LABEL_BYTES) {
        return yaml_reader_fail_here(r->reader, r->err,
                                     "a label's name is text of 1 to %d bytes, as in config.json",
                                     MODEL_YAML_LABEL_BYTES - 1);
    }
    if (model->label_count == MODEL_YAML_LABELS_MAX) {
        return yaml_reader_fail_here(r->reader, r->err, "more than %d labels",
                                     MODEL_YAML_LABELS_MAX);
    }
    struct model_yaml_label *label = &model->labels[model->label_count++];
    memcpy(label->name, event->text, event->bytes + 1);
    for (size_t i = 0; i + 1 < model->label_count; i++) {
        if (strcmp(model->labels[i].name, label->name) == 0) {
            return yaml_reader_fail_here(r->reader, r->err, "this label was given before");
        }
    }
    return read_meaning(r, label);
}

static int read_labels(struct reading *r)
{
    int code = next(r);
    if (code == 0 && r->event->kind != YAML_READER_MAPPING_BEGIN) {
        code = yaml_reader_fail_here(r->reader, r->err,
                                     "'labels' says what each label of config.json means, such as "
                                     "{LABEL_0: negative, LABEL_1: positive}");
    }
    while (code == 0) {
        code = next(r);
        if (code != 0 || r->event->kind == YAML_READER_MAPPING_END) {
            break;
        }
        code = read_label(r);
    }
    return code;
}

static int read_preprocess(struct reading *r)
{
    static const char *const words[] = {"none", "tweet", NULL};
    int choice;
    int code = read_choice(r, "preprocess", words, &choice);
    r->model->preprocess_tweets = code == 0 && choice == 1;
    return code;
}

static int read_output(struct reading *r)
{
    static const char *const words[] = {"softmax", "sigmoid", "none", NULL};
    int choice;
    int code = read_choice(r, "output", words, &choice);
    if (code == 0) {
        r->model->output = (enum model_yaml_output)(MODEL_YAML_OUTPUT_SOFTMAX + choice);
    }
    return code;
}

static int read_temperature(struct reading *r)
{
    double number;
    int code = next_word(r, "temperature");
    if (code == 0 && (!as_number(r->event->text, &number) || number < 0.01 || number > 100)) {
        code =
            yaml_reader_fail_here(r->reader, r->err, "'temperature' is a number from 0.01 to 100");
    }
    if (code == 0) {
        r->model->temperature = (float)number;
    }
    return code;
}

static int read_range(struct reading *r)
{
    static const char help[] = "'range' is [lowest, highest], two different numbers";
    double ends[2] = {0};
    int code = next(r);
    bool is_right = code == 0 && r->event->kind == YAML_READER_SEQUENCE_BEGIN;
    for (size_t i = 0; i < 2 && code == 0 && is_right; i++) {
        code = next(r);
        is_right = code == 0 && r->event->kind == YAML_READER_SCALAR &&
                   as_number(r->event->text, &ends[i]) && fabs(ends[i]) <= 1e6;
    }
    if (code == 0 && is_right) {
        code = next(r);
        is_right = r->event->kind == YAML_READER_SEQUENCE_END && fabs(ends[1] - ends[0]) >= 1e-6;
    }
    if (code != 0 || !is_right) {
        return code ? code : yaml_reader_fail_here(r->reader, r->err, "%s", help);
    }
    r->model->has_range = true;
    r->model->range[0] = (float)ends[0];
    r->model->range[1] = (float)ends[1];
    return 0;
}

static int read_language(struct reading *r)
{
    int code = next_word(r, "language");
    if (code == 0 && r->event->bytes >= sizeof r->model->language) {
        code = yaml_reader_fail_here(r->reader, r->err, "'language' is a tag such as en or pt-BR");
    }
    if (code == 0) {
        memcpy(r->model->language, r->event->text, r->event->bytes + 1);
    }
    return code;
}

/* ---- the file ---- */

static int read_key(struct reading *r, bool given[KEY_COUNT])
{
    static const struct {
        const char *name;
        int (*read)(struct reading *r);
    } keys[KEY_COUNT] = {
        {"labels", read_labels}, {"preprocess", read_preprocess}, {"temperature", read_temperature},
        {"output", read_output}, {"range", read_range},           {"language", read_language},
    };
    for (size_t i = 0; r->event->kind == YAML_READER_SCALAR && i < KEY_COUNT; i++) {
        if (strcmp(r->event->text, keys[i].name) != 0) {
            continue;
        }
        if (given[i]) {
            return yaml_reader_fail_here(r->reader, r->err, "this key was given before");
        }
        given[i] = true;
        return keys[i].read(r);
    }
    return yaml_reader_fail_here(r->reader, r->err,
                                 "unknown key; there are labels, preprocess, temperature, output, "
                                 "range and language");
}

static int read_document(struct reading *r)
{
    bool given[KEY_COUNT] = {false};
    int code = next(r);
    if (code != 0 || r->event->kind == YAML_READER_END) {
        return code;
    }
    if (r->event->kind != YAML_READER_MAPPING_BEGIN) {
        return yaml_reader_fail_here(r->reader, r->err, "the file must be keys and values");
    }
    for (;;) {
        code = next(r);
        if (code != 0 || r->event->kind == YAML_READER_MAPPING_END) {
            return code ? code : next(r); /* nothing may follow */
        }
        code = read_key(r, given);
        if (code != 0) {
            return code;
        }
    }
}

int model_yaml_read(struct model_yaml *model, const char *directory, struct error *err)
{
    char path[PATH_BYTES];
    char *text = NULL;
    size_t size = 0;
    struct error ignored;
    struct reading reading = {.model = model, .err = err ? err : &ignored};
    *model = (struct model_yaml){.temperature = 1};
    int wrote = snprintf(path, sizeof path, "%s/model.yaml", directory);
    if (wrote < 0 || (size_t)wrote >= sizeof path || access(path, F_OK) != 0) {
        return 0;
    }
    model->is_there = true;
    int code = lines_read_file(path, FILE_BYTES_MAX, &text, &size, reading.err);
    code = code ? code : yaml_reader_open(&reading.reader, path, text, size, reading.err);
    if (code == 0) {
        reading.event = yaml_reader_event(reading.reader);
        code = read_document(&reading);
    }
    yaml_reader_close(reading.reader);
    free(text);
    return code;
}
