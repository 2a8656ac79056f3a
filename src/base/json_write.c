/* json_write.c - see json_write.h. */
#include "base/json_write.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void json_writer_init(struct json_writer *writer, struct buf *out)
{
    *writer = (struct json_writer){.out = out};
}

/* Writes the comma that a value or key at this place needs. */
static void before_item(struct json_writer *writer)
{
    if (writer->after_key) {
        writer->after_key = false;
        return;
    }
    uint32_t bit = UINT32_C(1) << writer->depth;
    if (writer->has_items & bit) {
        buf_append_char(writer->out, ',');
    }
    writer->has_items |= bit;
}

static void begin(struct json_writer *writer, char bracket)
{
    before_item(writer);
    buf_append_char(writer->out, bracket);
    if (writer->depth + 1 >= JSON_WRITE_DEPTH_MAX) {
        writer->out->failed = true;
        return;
    }
    writer->depth++;
    writer->has_items &= ~(UINT32_C(1) << writer->depth);
}

static void end(struct json_writer *writer, char bracket)
{
    if (writer->depth == 0) {
        writer->out->failed = true;
        return;
    }
    writer->depth--;
    buf_append_char(writer->out, bracket);
}

void json_write_object_begin(struct json_writer *writer)
{
    begin(writer, '{');
}

void json_write_object_end(struct json_writer *writer)
{
    end(writer, '}');
}

void json_write_array_begin(struct json_writer *writer)
{
    begin(writer, '[');
}

void json_write_array_end(struct json_writer *writer)
{
    end(writer, ']');
}

static void write_escaped(struct buf *out, uint32_t code_point)
{
    switch (code_point) {
    case '"':
        buf_append_string(out, "\\\"");
        return;
    case '\\':
        buf_append_string(out, "\\\\");
        return;
    case '\n':
        buf_append_string(out, "\\n");
        return;
    case '\r':
        buf_append_string(out, "\\r");
        return;
    case '\t':
        buf_append_string(out, "\\t");
        return;
    default:
        break;
    }
    if (code_point < 0x20 || code_point == 0x7F) {
        buf_printf(out, "\\u%04x", (unsigned)code_point);
        return;
    }
    char encoded[UTF8_BYTES_MAX];
    buf_append(out, encoded, utf8_encode(code_point, encoded));
}

static void write_quoted(struct buf *out, const char *bytes, size_t size)
{
    buf_append_char(out, '"');
    for (size_t at = 0; at < size;) {
        size_t run = at;
        while (run < size && (unsigned char)bytes[run] >= 0x20 &&
               (unsigned char)bytes[run] < 0x7F && bytes[run] != '"' && bytes[run] != '\\') {
            run++;
        }
        buf_append(out, bytes + at, run - at);
        at = run;
        if (at < size) {
            uint32_t code_point;
            at += utf8_decode(bytes + at, size - at, &code_point, NULL);
            write_escaped(out, code_point);
        }
    }
    buf_append_char(out, '"');
}

void json_write_key(struct json_writer *writer, const char *key)
{
    before_item(writer);
    write_quoted(writer->out, key, strlen(key));
    buf_append_char(writer->out, ':');
    writer->after_key = true;
}

void json_write_string(struct json_writer *writer, const char *bytes, size_t size)
{
    before_item(writer);
    write_quoted(writer->out, bytes, size);
}

void json_write_cstring(struct json_writer *writer, const char *string)
{
    if (!string) {
        json_write_null(writer);
        return;
    }
    json_write_string(writer, string, strlen(string));
}

void json_write_integer(struct json_writer *writer, int64_t value)
{
    before_item(writer);
    buf_printf(writer->out, "%lld", (long long)value);
}

void json_write_number(struct json_writer *writer, double value, int digits)
{
    if (!isfinite(value)) {
        json_write_null(writer);
        return;
    }
    before_item(writer);
    char text[64];
    (void)snprintf(text, sizeof text, "%.*g", digits, value);
    char *comma = strchr(text, ',');
    if (comma) {
        *comma = '.';
    }
    buf_append_string(writer->out, text);
}

void json_write_boolean(struct json_writer *writer, bool value)
{
    before_item(writer);
    buf_append_string(writer->out, value ? "true" : "false");
}

void json_write_null(struct json_writer *writer)
{
    before_item(writer);
    buf_append_string(writer->out, "null");
}

void json_write_member_text(struct json_writer *writer, const char *key, const char *string)
{
    json_write_key(writer, key);
    json_write_cstring(writer, string);
}

void json_write_member_integer(struct json_writer *writer, const char *key, int64_t value)
{
    json_write_key(writer, key);
    json_write_integer(writer, value);
}

void json_write_member_number(struct json_writer *writer, const char *key, double value, int digits)
{
    json_write_key(writer, key);
    json_write_number(writer, value, digits);
}

void json_write_member_boolean(struct json_writer *writer, const char *key, bool value)
{
    json_write_key(writer, key);
    json_write_boolean(writer, value);
}
