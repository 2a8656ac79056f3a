/* nlp/sentencepiece.h - reads a sentencepiece model file (a protocol buffer, ModelProto of
 * sentencepiece_model.proto), as much of it as a tokenizer needs. Every length is checked against
 * what is left; fields that are not needed are skipped.
 */
#ifndef NLP_SENTENCEPIECE_H
#define NLP_SENTENCEPIECE_H

#include "base/error.h"

#include <stddef.h>

enum { SENTENCEPIECE_PIECES_MAX = 1 << 22 };

enum sentencepiece_type {
    SENTENCEPIECE_TYPE_NORMAL = 1,
    SENTENCEPIECE_TYPE_UNKNOWN = 2,
    SENTENCEPIECE_TYPE_CONTROL = 3,
    SENTENCEPIECE_TYPE_USER_DEFINED = 4,
    SENTENCEPIECE_TYPE_UNUSED = 5,
    SENTENCEPIECE_TYPE_BYTE = 6,
};

enum sentencepiece_model {
    SENTENCEPIECE_MODEL_UNIGRAM = 1,
    SENTENCEPIECE_MODEL_BPE = 2,
    SENTENCEPIECE_MODEL_WORD = 3,
    SENTENCEPIECE_MODEL_CHAR = 4,
};

struct sentencepiece_piece {
    const char *bytes; /* UTF-8, in the file's bytes */
    size_t size;
    float score; /* finite */
    enum sentencepiece_type type;
};

struct sentencepiece {
    struct sentencepiece_piece *pieces; /* in the order of their ids */
    size_t count;
    enum sentencepiece_model model;
    const unsigned char *charsmap; /* in the file's bytes; NULL when there is none */
    size_t charsmap_size;
};

/* Reads bytes[0..size), which must outlive what was read. On success sentencepiece_done is due; on
 * failure nothing is held. path is for messages. */
int sentencepiece_read(struct sentencepiece *model, const char *bytes, size_t size,
                       const char *path, struct error *err);

/* Accepts a zeroed model. */
void sentencepiece_done(struct sentencepiece *model);

#endif
