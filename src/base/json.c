/* json.c - see json.h. Bad UTF-8 and lone surrogates are repaired in a copy before parsing, because
 * jansson would refuse the whole document and with it every good segment beside the bad one. */
#include "base/json.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct json_document {
    json_t *root;
};

static json_t *unwrap(const struct json *value)
{
    return (json_t *)(uintptr_t)value;
}

static const struct json *wrap(const json_t *value)
{
    return (const struct json *)(uintptr_t)value;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* The code unit of a \uXXXX escape at bytes, or -1. */
static int32_t escape_unit(const char *bytes, size_t size)
{
    if (size < 6 || bytes[0] != '\\' || bytes[1] != 'u') {
        return -1;
    }
    int32_t unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(bytes[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high(int32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(int32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* Copies one escape sequence; returns the input bytes taken. */
static size_t repair_escape(const char *bytes, size_t size, struct buf *out)
{
    int32_t unit = escape_unit(bytes, size);
    if (is_high(unit) && is_low(escape_unit(bytes + 6, size - 6))) {
        buf_append(out, bytes, 12);
        return 12;
    }
    if (is_high(unit) || is_low(unit)) {
        buf_append_string(out, "\\uFFFD");
        return 6;
    }
    size_t taken = size < 2 ? size : 2;
    buf_append(out, bytes, taken);
    return taken;
}

/* True if the document must be copied to be repaired. */
static bool needs_repair(const char *bytes, size_t size)
{
    if (!utf8_is_valid(bytes, size)) {
        return true;
    }
    for (const char *at = bytes; size >= 6 && at;) {
        at = memchr(at, '\\', size - (size_t)(at - bytes));
        if (at) {
            size_t left = size - (size_t)(at - bytes);
            int32_t unit = escape_unit(at, left);
            if (unit >= 0xD800 && unit <= 0xDFFF) {
                return true;
            }
            at = left > 2 ? at + 2 : NULL;
        }
    }
    return false;
}

static bool repair(const char *bytes, size_t size, struct buf *out)
{
    for (size_t at = 0; at < size && !out->failed;) {
        if (bytes[at] == '\\') {
            at += repair_escape(bytes + at, size - at, out);
            continue;
        }
        uint32_t code_point;
        char encoded[UTF8_BYTES_MAX];
        at += utf8_decode(bytes + at, size - at, &code_point, NULL);
        buf_append(out, encoded, utf8_encode(code_point, encoded));
    }
    return !out->failed;
}

/* jansson's own depth limit is 2048, which is more recursion than a hostile peer should buy. */
static bool depth_within_limit(const char *bytes, size_t size)
{
    bool in_string = false;
    unsigned depth = 0;
    for (size_t i = 0; i < size; i++) {
        char c = bytes[i];
        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_DEPTH_MAX) {
                return false;
            }
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return true;
}

static json_t *load(const char *bytes, size_t size, struct error *err)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t detail;
    json_t *root = json_loadb(bytes, size, flags, &detail);
    if (!root && json_error_code(&detail) == json_error_numeric_overflow) {
        root = json_loadb(bytes, size, flags | JSON_DECODE_INT_AS_REAL, &detail);
    }
    if (!root) {
        const char *what = json_error_code(&detail) == json_error_out_of_memory
                               ? "out of memory while reading JSON"
                               : "not valid JSON";
        error_set(err, ERROR_FORMAT, "%s (line %d, column %d)", what, detail.line, detail.column);
    }
    return root;
}

int json_parse(const char *bytes, size_t size, struct json_document **document, struct error *err)
{
    int result = 0;
    struct buf repaired;
    buf_init(&repaired, size <= SIZE_MAX / 8 ? size * 3 + 16 : 0);
    struct json_document *created = calloc(1, sizeof *created);
    *document = NULL;
    if (!created) {
        result = error_set(err, ERROR_MEMORY, "no memory for a JSON document");
        goto out;
    }
    if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        bytes += 3;
        size -= 3;
    }
    if (!depth_within_limit(bytes, size)) {
        result = error_set(err, ERROR_FORMAT, "JSON nested deeper than %d levels", JSON_DEPTH_MAX);
        goto out;
    }
    if (needs_repair(bytes, size)) {
        if (!repair(bytes, size, &repaired)) {
            result = error_set(err, ERROR_MEMORY, "no memory to repair a JSON document");
            goto out;
        }
        bytes = buf_string(&repaired);
        size = repaired.size;
    }
    created->root = load(bytes, size, err);
    if (!created->root) {
        result = ERROR_FORMAT;
        goto out;
    }
    *document = created;
    created = NULL;
out:
    buf_done(&repaired);
    free(created);
    return result;
}

void json_free(struct json_document *document)
{
    if (document) {
        json_decref(document->root);
        free(document);
    }
}

const struct json *json_root(const struct json_document *document)
{
    return document ? wrap(document->root) : NULL;
}

enum json_kind json_kind(const struct json *value)
{
    if (!value) {
        return JSON_KIND_ABSENT;
    }
    switch (json_typeof(unwrap(value))) {
    case JSON_OBJECT:
        return JSON_KIND_OBJECT;
    case JSON_ARRAY:
        return JSON_KIND_ARRAY;
    case JSON_STRING:
        return JSON_KIND_STRING;
    case JSON_INTEGER:
        return JSON_KIND_INTEGER;
    case JSON_REAL:
        return JSON_KIND_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return JSON_KIND_BOOL;
    case JSON_NULL:
        return JSON_KIND_NULL;
    }
    return JSON_KIND_ABSENT;
}

const struct json *json_get(const struct json *object, const char *key)
{
    return object ? wrap(json_object_get(unwrap(object), key)) : NULL;
}

enum { POINTER_TOKEN_BYTES = 128 };

/* Reads one reference token of a pointer, undoing ~0 and ~1; false if it is too long. */
static bool pointer_token(const char **pointer, char *out, size_t out_bytes)
{
    size_t size = 0;
    const char *at = *pointer;
    while (*at && *at != '/') {
        char c = *at++;
        if (c == '~' && (*at == '0' || *at == '1')) {
            c = *at++ == '0' ? '~' : '/';
        }
        if (size + 1 >= out_bytes) {
            return false;
        }
        out[size++] = c;
    }
    out[size] = '\0';
    *pointer = at;
    return true;
}

const struct json *json_pointer(const struct json *value, const char *pointer)
{
    char token[POINTER_TOKEN_BYTES];
    while (value && *pointer == '/') {
        pointer++;
        if (!pointer_token(&pointer, token, sizeof token)) {
            return NULL;
        }
        if (json_kind(value) == JSON_KIND_ARRAY) {
            char *end;
            unsigned long index = strtoul(token, &end, 10);
            bool is_index = token[0] >= '0' && token[0] <= '9' && *end == '\0' &&
                            (token[0] != '0' || token[1] == '\0'); /* no leading zeros */
            value = is_index ? json_at(value, index) : NULL;
        } else {
            value = json_get(value, token);
        }
    }
    return *pointer == '\0' ? value : NULL;
}

bool json_pointer_is_valid(const char *pointer)
{
    char token[POINTER_TOKEN_BYTES];
    for (const char *at = strchr(pointer, '~'); at; at = strchr(at + 1, '~')) {
        if (at[1] != '0' && at[1] != '1') {
            return false;
        }
    }
    while (*pointer == '/') {
        pointer++;
        if (!pointer_token(&pointer, token, sizeof token)) {
            return false;
        }
    }
    return *pointer == '\0';
}

size_t json_size(const struct json *value)
{
    enum json_kind kind = json_kind(value);
    if (kind == JSON_KIND_ARRAY) {
        return json_array_size(unwrap(value));
    }
    return kind == JSON_KIND_OBJECT ? json_object_size(unwrap(value)) : 0;
}

const struct json *json_at(const struct json *array, size_t index)
{
    return array ? wrap(json_array_get(unwrap(array), index)) : NULL;
}

bool json_next(const struct json *object, void **iterator, const char **key,
               const struct json **value)
{
    if (json_kind(object) != JSON_KIND_OBJECT) {
        return false;
    }
    json_t *node = unwrap(object);
    *iterator = *iterator ? json_object_iter_next(node, *iterator) : json_object_iter(node);
    if (!*iterator) {
        return false;
    }
    *key = json_object_iter_key(*iterator);
    *value = wrap(json_object_iter_value(*iterator));
    return true;
}

const char *json_as_string(const struct json *value, size_t *bytes)
{
    if (json_kind(value) != JSON_KIND_STRING) {
        return NULL;
    }
    if (bytes) {
        *bytes = json_string_length(unwrap(value));
    }
    return json_string_value(unwrap(value));
}

bool json_as_integer(const struct json *value, int64_t *out)
{
    enum json_kind kind = json_kind(value);
    if (kind == JSON_KIND_INTEGER) {
        *out = json_integer_value(unwrap(value));
        return true;
    }
    if (kind == JSON_KIND_REAL) {
        double real = json_real_value(unwrap(value));
        if (real == floor(real) && fabs(real) <= 9007199254740992.0) {
            *out = (int64_t)real;
            return true;
        }
    }
    return false;
}

bool json_as_number(const struct json *value, double *out)
{
    enum json_kind kind = json_kind(value);
    if (kind != JSON_KIND_INTEGER && kind != JSON_KIND_REAL) {
        return false;
    }
    *out = json_number_value(unwrap(value));
    return true;
}

bool json_as_boolean(const struct json *value, bool *out)
{
    if (json_kind(value) != JSON_KIND_BOOL) {
        return false;
    }
    *out = json_is_true(unwrap(value));
    return true;
}
