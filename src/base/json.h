/* json.h - reading JSON (RFC 8259). The only file that knows jansson is json.c.
 *
 * A document owns its values; every `struct json *` is borrowed and lives as long as its document.
 * All accessors accept NULL and values of the wrong type and answer "absent", so that a reader can
 * walk a path and check once at its end.
 *
 *     struct json_document *document;
 *     if (json_parse(body, body_bytes, &document, &err)) ...
 *     const char *text = json_as_string(json_get(json_root(document), "text"), NULL);
 *     json_free(document);
 *
 * Tolerated on input, because vendors send it: a byte order mark, invalid UTF-8 and lone
 * surrogate escapes (both become U+FFFD), duplicate keys (the last wins). 64-bit integers stay
 * exact, unless the document holds one that is larger (Hugging Face writes 10^30 for "no limit"):
 * then all its integers are read as doubles. Refused: anything after the value, NaN, nesting deeper
 * than JSON_DEPTH_MAX.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 64 };

struct json;
struct json_document;

enum json_kind {
    JSON_KIND_ABSENT,
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_INTEGER,
    JSON_KIND_REAL,
    JSON_KIND_STRING,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT,
};

/* On success *document is the caller's to json_free; on failure it is NULL. The message names line
 * and column, never the content. */
int json_parse(const char *bytes, size_t size, struct json_document **document, struct error *err);

/* Accepts NULL. */
void json_free(struct json_document *document);

const struct json *json_root(const struct json_document *document);
enum json_kind json_kind(const struct json *value);

/* Object member, or NULL. */
const struct json *json_get(const struct json *object, const char *key);

/* RFC 6901 pointer such as "/data/items/0/text"; "" is the value itself. NULL when absent. */
const struct json *json_pointer(const struct json *value, const char *pointer);

/* Whether the text is a pointer at all: empty, or '/' and tokens in which '~' is only part of ~0 or
 * ~1, none longer than can be looked up. */
bool json_pointer_is_valid(const char *pointer);

/* Number of array elements or object members; 0 for anything else. */
size_t json_size(const struct json *value);
const struct json *json_at(const struct json *array, size_t index);

/* Walks an object's members in file order: start with *iterator = NULL; false at the end. */
bool json_next(const struct json *object, void **iterator, const char **key,
               const struct json **value);

/* The string and its length in bytes (which may hold NULs), or NULL. bytes may be NULL. */
const char *json_as_string(const struct json *value, size_t *bytes);

/* Each returns whether the value has that type, and then writes it. json_as_number takes integers
 * too; json_as_integer takes reals only when they are whole and within +-2^53. */
bool json_as_integer(const struct json *value, int64_t *out);
bool json_as_number(const struct json *value, double *out);
bool json_as_boolean(const struct json *value, bool *out);

#endif
