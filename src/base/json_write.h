/* json_write.h - writing JSON into a buf, with commas and escapes taken care of.
 *
 *     struct json_writer w;
 *     json_writer_init(&w, &buf);
 *     json_write_object_begin(&w);
 *     json_write_key(&w, "text");
 *     json_write_string(&w, text, text_bytes);
 *     json_write_object_end(&w);
 *
 * Output is compact and always valid UTF-8: malformed input bytes become U+FFFD. A failure (the
 * buf's limit, nesting past JSON_WRITE_DEPTH_MAX) is kept in buf->failed; check it once at the end.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_WRITE_DEPTH_MAX = 32 };

struct json_writer {
    struct buf *out;
    uint32_t has_items; /* bit d: something was written at depth d */
    unsigned depth;
    bool after_key;
};

void json_writer_init(struct json_writer *writer, struct buf *out);
void json_write_object_begin(struct json_writer *writer);
void json_write_object_end(struct json_writer *writer);
void json_write_array_begin(struct json_writer *writer);
void json_write_array_end(struct json_writer *writer);
void json_write_key(struct json_writer *writer, const char *key);
void json_write_string(struct json_writer *writer, const char *bytes, size_t size);
void json_write_cstring(struct json_writer *writer, const char *string); /* NULL writes null */
void json_write_integer(struct json_writer *writer, int64_t value);

/* `digits` significant digits in the C locale, whatever LC_NUMERIC says; not a number and
 * infinities are written as null. 17 digits round-trip a double, 9 a float. */
void json_write_number(struct json_writer *writer, double value, int digits);
void json_write_boolean(struct json_writer *writer, bool value);
void json_write_null(struct json_writer *writer);

/* A key and its value. */
void json_write_member_text(struct json_writer *writer, const char *key, const char *string);
void json_write_member_integer(struct json_writer *writer, const char *key, int64_t value);
void json_write_member_number(struct json_writer *writer, const char *key, double value,
                              int digits);
void json_write_member_boolean(struct json_writer *writer, const char *key, bool value);

#endif
