/* sentencepiece.c - see sentencepiece.h. The wire format is a list of fields, each a varint key
 * (number << 3 | wire type) and a value; strings and messages carry their length. Merging of
 * repeated messages and groups is left out: no writer of these files makes them.
 */
#include "nlp/sentencepiece.h"

#include "base/utf8.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum wire {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

/* Field numbers. */
enum {
    MODEL_PIECES = 1,
    MODEL_TRAINER = 2,
    MODEL_NORMALIZER = 3,
    PIECE_TEXT = 1,
    PIECE_SCORE = 2,
    PIECE_TYPE = 3,
    TRAINER_MODEL_TYPE = 3,
    NORMALIZER_CHARSMAP = 2,
};

struct reader {
    const unsigned char *at;
    const unsigned char *end;
};

struct field {
    uint64_t number;
    enum wire wire;
    uint64_t value;             /* varint and fixed */
    const unsigned char *bytes; /* WIRE_BYTES */
    size_t size;
};

static bool read_varint(struct reader *reader, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        unsigned char byte = *reader->at++;
        *out |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

static bool read_fixed(struct reader *reader, unsigned bytes, uint64_t *out)
{
    *out = 0;
    if ((size_t)(reader->end - reader->at) < bytes) {
        return false;
    }
    for (unsigned i = 0; i < bytes; i++) {
        *out |= (uint64_t)reader->at[i] << (8 * i);
    }
    reader->at += bytes;
    return true;
}

/* Reads one field; there must be something left. */
static bool read_field(struct reader *reader, struct field *field)
{
    uint64_t key;
    if (!read_varint(reader, &key)) {
        return false;
    }
    *field = (struct field){.number = key >> 3, .wire = (enum wire)(key & 7)};
    switch (field->wire) {
    case WIRE_VARINT:
        return read_varint(reader, &field->value);
    case WIRE_FIXED64:
        return read_fixed(reader, 8, &field->value);
    case WIRE_FIXED32:
        return read_fixed(reader, 4, &field->value);
    case WIRE_BYTES:
        if (!read_varint(reader, &field->value) ||
            field->value > (uint64_t)(reader->end - reader->at)) {
            return false;
        }
        field->bytes = reader->at;
        field->size = (size_t)field->value;
        reader->at += field->size;
        return true;
    default:
        return false;
    }
}

static bool is_field(const struct field *field, uint64_t number, enum wire wire)
{
    return field->number == number && field->wire == wire;
}

static float float_of_bits(uint64_t bits)
{
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    return value;
}

static bool read_piece(struct sentencepiece_piece *piece, const struct field *message)
{
    struct reader reader = {.at = message->bytes, .end = message->bytes + message->size};
    *piece = (struct sentencepiece_piece){.bytes = "", .type = SENTENCEPIECE_TYPE_NORMAL};
    while (reader.at < reader.end) {
        struct field field;
        if (!read_field(&reader, &field)) {
            return false;
        }
        if (is_field(&field, PIECE_TEXT, WIRE_BYTES)) {
            piece->bytes = (const char *)field.bytes;
            piece->size = field.size;
        } else if (is_field(&field, PIECE_SCORE, WIRE_FIXED32)) {
            piece->score = float_of_bits(field.value);
        } else if (is_field(&field, PIECE_TYPE, WIRE_VARINT)) {
            bool is_known =
                field.value >= SENTENCEPIECE_TYPE_NORMAL && field.value <= SENTENCEPIECE_TYPE_BYTE;
            piece->type =
                is_known ? (enum sentencepiece_type)field.value : SENTENCEPIECE_TYPE_NORMAL;
        }
    }
    return isfinite(piece->score) && utf8_is_valid(piece->bytes, piece->size);
}

static bool read_trainer(struct sentencepiece *model, const struct field *message)
{
    struct reader reader = {.at = message->bytes, .end = message->bytes + message->size};
    while (reader.at < reader.end) {
        struct field field;
        if (!read_field(&reader, &field)) {
            return false;
        }
        if (is_field(&field, TRAINER_MODEL_TYPE, WIRE_VARINT)) {
            if (field.value < SENTENCEPIECE_MODEL_UNIGRAM ||
                field.value > SENTENCEPIECE_MODEL_CHAR) {
                return false;
            }
            model->model = (enum sentencepiece_model)field.value;
        }
    }
    return true;
}

static bool read_normalizer(struct sentencepiece *model, const struct field *message)
{
    struct reader reader = {.at = message->bytes, .end = message->bytes + message->size};
    while (reader.at < reader.end) {
        struct field field;
        if (!read_field(&reader, &field)) {
            return false;
        }
        if (is_field(&field, NORMALIZER_CHARSMAP, WIRE_BYTES)) {
            model->charsmap = field.size > 0 ? field.bytes : NULL;
            model->charsmap_size = field.size;
        }
    }
    return true;
}

static int add_piece(struct sentencepiece *model, size_t *capacity, const struct field *message,
                     const char *path, struct error *err)
{
    if (model->count == *capacity) {
        size_t grown_capacity = *capacity ? *capacity * 2 : 1024;
        struct sentencepiece_piece *grown = NULL;
        if (grown_capacity <= SENTENCEPIECE_PIECES_MAX) {
            grown = realloc(model->pieces, grown_capacity * sizeof *grown);
        }
        if (!grown) {
            return error_set(err, ERROR_LIMIT, "%s: no memory for, or more than %d, pieces", path,
                             SENTENCEPIECE_PIECES_MAX);
        }
        model->pieces = grown;
        *capacity = grown_capacity;
    }
    if (!read_piece(&model->pieces[model->count], message)) {
        return error_set(err, ERROR_FORMAT, "%s: piece %zu is malformed", path, model->count);
    }
    model->count++;
    return 0;
}

static int read_model(struct sentencepiece *model, struct reader *reader, const char *path,
                      struct error *err)
{
    const unsigned char *begin = reader->at;
    size_t capacity = 0;
    while (reader->at < reader->end) {
        size_t offset = (size_t)(reader->at - begin);
        struct field field;
        bool is_good = read_field(reader, &field);
        if (is_good && is_field(&field, MODEL_PIECES, WIRE_BYTES)) {
            int result = add_piece(model, &capacity, &field, path, err);
            if (result) {
                return result;
            }
        } else if (is_good && is_field(&field, MODEL_TRAINER, WIRE_BYTES)) {
            is_good = read_trainer(model, &field);
        } else if (is_good && is_field(&field, MODEL_NORMALIZER, WIRE_BYTES)) {
            is_good = read_normalizer(model, &field);
        }
        if (!is_good) {
            return error_set(err, ERROR_FORMAT,
                             "%s: not a sentencepiece model (malformed at byte %zu)", path, offset);
        }
    }
    return 0;
}

int sentencepiece_read(struct sentencepiece *model, const char *bytes, size_t size,
                       const char *path, struct error *err)
{
    const unsigned char *begin = (const unsigned char *)bytes;
    struct reader reader = {.at = begin, .end = size > 0 ? begin + size : begin};
    *model = (struct sentencepiece){.model = SENTENCEPIECE_MODEL_UNIGRAM};
    int result = read_model(model, &reader, path, err);
    if (!result && model->count == 0) {
        result = error_set(err, ERROR_FORMAT, "%s: no pieces", path);
    }
    if (result) {
        sentencepiece_done(model);
    }
    return result;
}

void sentencepiece_done(struct sentencepiece *model)
{
    free(model->pieces);
    *model = (struct sentencepiece){0};
}
