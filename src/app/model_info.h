/* app/model_info.h - what a model is, for people and for programs. */
#ifndef APP_MODEL_INFO_H
#define APP_MODEL_INFO_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

/* Opens the model in that folder and describes it: family and sizes, labels and what they mean, the
 * precision it is stored in, memory it takes, tokenizer, files with their SHA-256. Text, or one
 * JSON object with the same facts. */
int model_info_describe(const char *directory, bool as_json, struct buf *out, struct error *err);

/* Opens the model step by step and writes a line for each that went well. */
int model_info_check(const char *directory, struct buf *out, struct error *err);

#endif
