/* yaml_reader.h - a YAML file as a stream of events, each with its place. The only file that knows
 * libyaml is yaml_reader.c.
 *
 * Meant for files that people write by hand: plain words, lists and mappings. What such a file has
 * no use for is refused at its place instead of being interpreted: anchors and aliases, tags, NULs,
 * a second document, tabs in indentation, control characters and malformed UTF-8.
 *
 *     struct yaml_reader *reader;
 *     if (yaml_reader_open(&reader, "u.yaml", bytes, size, &err)) ...
 *     while (!(code = yaml_reader_next(reader, &err)) && ...
 *     yaml_reader_close(reader);
 *
 * libyaml's own copies of scalars are not wiped, which is one reason to keep a secret in a file of
 * its own.
 */
#ifndef BASE_YAML_READER_H
#define BASE_YAML_READER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct yaml_reader;

enum yaml_reader_kind {
    YAML_READER_SCALAR,
    YAML_READER_SEQUENCE_BEGIN,
    YAML_READER_SEQUENCE_END,
    YAML_READER_MAPPING_BEGIN, /* then keys and values in turn */
    YAML_READER_MAPPING_END,
    YAML_READER_END, /* of the document; the first event of a file without one */
};

/* Counted from 1, the column in characters. */
struct yaml_reader_mark {
    size_t line;
    size_t column;
};

struct yaml_reader_event {
    enum yaml_reader_kind kind;
    struct yaml_reader_mark mark;
    const char *text; /* of a scalar, else NULL; borrowed until the next event */
    size_t bytes;
    bool is_null; /* written as nothing, ~ or null */
};

/* name (for messages) and bytes are borrowed. On failure *reader is NULL. */
int yaml_reader_open(struct yaml_reader **reader, const char *name, const char *bytes, size_t size,
                     struct error *err);

/* Accepts NULL. */
void yaml_reader_close(struct yaml_reader *reader);

/* Moves to the next event; not to be called after YAML_READER_END. Errors (ERROR_CONFIG) are
 * "NAME:LINE:COLUMN: ...". */
int yaml_reader_next(struct yaml_reader *reader, struct error *err);

/* The current event; borrowed. */
const struct yaml_reader_event *yaml_reader_event(const struct yaml_reader *reader);

/* Sets ERROR_CONFIG with "NAME:LINE:COLUMN: " in front of the message. */
int yaml_reader_fail(const struct yaml_reader *reader, struct yaml_reader_mark mark,
                     struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* As yaml_reader_fail, at the current event. */
int yaml_reader_fail_here(const struct yaml_reader *reader, struct error *err, const char *format,
                          ...) __attribute__((format(printf, 3, 4)));

/* Puts "NAME:LINE:COLUMN: " of the current event in front of an error already set. */
int yaml_reader_wrap_here(const struct yaml_reader *reader, struct error *err);

#endif
