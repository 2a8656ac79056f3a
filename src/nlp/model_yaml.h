/* nlp/model_yaml.h - model.yaml beside a checkpoint's config.json: what its owner knows about it
 * and config.json cannot say. The file is optional, and so is each key:
 *
 *     labels: {LABEL_0: negative, LABEL_1: neutral, LABEL_2: positive}   # or numbers from 0 to 1
 *     preprocess: tweet        # as cardiffnlp's models were trained: @name is @user, a link http
 *     temperature: 1.4         # logits are divided by it
 *     output: softmax          # or sigmoid, or none (a regression): instead of config.json's
 *     range: [1, 5]            # of a regression: what is plainly negative, what plainly positive
 *     language: en             # of the texts; the self-test speaks English only
 */
#ifndef NLP_MODEL_YAML_H
#define NLP_MODEL_YAML_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { MODEL_YAML_LABELS_MAX = 8, MODEL_YAML_LABEL_BYTES = 32, MODEL_YAML_LANGUAGE_BYTES = 36 };

enum model_yaml_output {
    MODEL_YAML_OUTPUT_UNSAID, /* config.json's "problem_type" decides */
    MODEL_YAML_OUTPUT_SOFTMAX,
    MODEL_YAML_OUTPUT_SIGMOID,
    MODEL_YAML_OUTPUT_NONE,
};

struct model_yaml_label {
    char name[MODEL_YAML_LABEL_BYTES]; /* as config.json spells it */
    double polarity;                   /* 0 negative to 1 positive */
};

struct model_yaml {
    bool is_there;
    struct model_yaml_label labels[MODEL_YAML_LABELS_MAX];
    size_t label_count;
    bool preprocess_tweets;
    float temperature; /* above 0; 1 unless given */
    enum model_yaml_output output;
    bool has_range;
    float range[2]; /* not equal */
    char language[MODEL_YAML_LANGUAGE_BYTES];
};

/* Reads DIRECTORY/model.yaml; the defaults when there is none. Errors are
 * "DIRECTORY/model.yaml:LINE:COLUMN: ...". */
int model_yaml_read(struct model_yaml *model, const char *directory, struct error *err);

#endif
