/* model/model_info.h - what a model is, for people and for programs. */
#ifndef MODEL_MODEL_INFO_H
#define MODEL_MODEL_INFO_H

#include "base/buf.h"
#include "base/error.h"
#include "nlp/scorer.h"

#include <stdbool.h>

/* Opens the model in that folder and describes it: family and sizes, labels and what they mean, the
 * precision it is stored in, memory it takes, packed file, tokenizer, files with their SHA-256.
 * Text, or one JSON object with the same facts. */
int model_info_describe(const char *directory, const struct scorer_options *options, bool as_json,
                        struct buf *out, struct error *err);

/* Opens the model step by step and writes a line for each that went well; reads its packed file
 * through, if it has one. */
int model_info_check(const char *directory, const struct scorer_options *options, struct buf *out,
                     struct error *err);

#endif
