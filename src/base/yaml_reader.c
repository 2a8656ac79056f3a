/* yaml_reader.c - see yaml_reader.h. Walks libyaml's events rather than a loaded document, because
 * each event knows its line and column. Stream and document events are folded away: a file is one
 * document or none. */
#include "base/yaml_reader.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct yaml_reader {
    yaml_parser_t parser;
    yaml_event_t raw; /* the current one; always deletable */
    struct yaml_reader_event event;
    const char *name;
    const char *bytes;
    size_t size;
    bool begun;
    size_t depth; /* of containers begun and not ended */
};

/* --- places and failures --- */

static struct yaml_reader_mark mark_of(yaml_mark_t mark)
{
    return (struct yaml_reader_mark){mark.line + 1, mark.column + 1};
}

static int wrap(const struct yaml_reader *reader, struct yaml_reader_mark mark, struct error *err)
{
    return error_wrap(err, "%s:%zu:%zu", reader->name, mark.line, mark.column);
}

static int fail_args(const struct yaml_reader *reader, struct yaml_reader_mark mark,
                     struct error *err, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static int fail_args(const struct yaml_reader *reader, struct yaml_reader_mark mark,
                     struct error *err, const char *format, va_list args)
{
    char message[ERROR_MESSAGE_BYTES];
    (void)vsnprintf(message, sizeof message, format, args);
    error_set(err, ERROR_CONFIG, "%s", message);
    (void)wrap(reader, mark, err);
    return ERROR_CONFIG;
}

int yaml_reader_fail(const struct yaml_reader *reader, struct yaml_reader_mark mark,
                     struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int code = fail_args(reader, mark, err, format, args);
    va_end(args);
    return code;
}

int yaml_reader_fail_here(const struct yaml_reader *reader, struct error *err, const char *format,
                          ...)
{
    va_list args;
    va_start(args, format);
    int code = fail_args(reader, reader->event.mark, err, format, args);
    va_end(args);
    return code;
}

int yaml_reader_wrap_here(const struct yaml_reader *reader, struct error *err)
{
    return wrap(reader, reader->event.mark, err);
}

/* Whether the indentation of a line, counted from 0, holds a tab: libyaml's own words for that help
 * nobody. */
static bool has_tab_indent(const struct yaml_reader *reader, size_t line)
{
    const char *at = reader->bytes;
    const char *end = at + reader->size;
    for (; line > 0 && at; line--) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    while (at && at < end && *at == ' ') {
        at++;
    }
    return at && at < end && *at == '\t';
}

static int fail_parser(const struct yaml_reader *reader, struct error *err)
{
    const yaml_parser_t *parser = &reader->parser;
    struct yaml_reader_mark mark = mark_of(parser->problem_mark);
    if (parser->error == YAML_MEMORY_ERROR) {
        return error_set(err, ERROR_MEMORY, "no memory to read %s", reader->name);
    }
    if (has_tab_indent(reader, parser->problem_mark.line)) {
        return yaml_reader_fail(reader, mark, err, "a tab in the indentation: use spaces");
    }
    return yaml_reader_fail(reader, mark, err, "not valid YAML: %s",
                            parser->problem ? parser->problem : "cannot be read");
}

/* libyaml reports encoding trouble by byte offset only, so it is looked for first. */
static int check_characters(const struct yaml_reader *reader, struct error *err)
{
    struct yaml_reader_mark mark = {1, 1};
    for (size_t at = 0; at < reader->size;) {
        uint32_t code_point;
        bool valid;
        size_t taken = utf8_decode(reader->bytes + at, reader->size - at, &code_point, &valid);
        if (!valid) {
            return yaml_reader_fail(reader, mark, err, "not valid UTF-8");
        }
        if ((code_point < 0x20 && !strchr("\t\r\n", (int)code_point)) || code_point == 0 ||
            (code_point >= 0x7F && code_point < 0xA0 && code_point != 0x85)) {
            return yaml_reader_fail(reader, mark, err, "a control character");
        }
        at += taken;
        mark.column++;
        if (code_point == '\n') {
            mark.line++;
            mark.column = 1;
        }
    }
    return 0;
}

/* --- events --- */

static int advance(struct yaml_reader *reader, struct error *err)
{
    yaml_event_delete(&reader->raw);
    if (!yaml_parser_parse(&reader->parser, &reader->raw)) {
        memset(&reader->raw, 0, sizeof reader->raw);
        return fail_parser(reader, err);
    }
    reader->event = (struct yaml_reader_event){.mark = mark_of(reader->raw.start_mark)};
    return 0;
}

static int refuse_extras(const struct yaml_reader *reader, const yaml_char_t *anchor,
                         const yaml_char_t *tag, struct error *err)
{
    if (anchor) {
        return yaml_reader_fail_here(reader, err,
                                     "anchors (&name) are not supported: write the value again");
    }
    return tag ? yaml_reader_fail_here(reader, err, "tags (!name) are not supported") : 0;
}

static int take_scalar(struct yaml_reader *reader, struct error *err)
{
    struct yaml_reader_event *event = &reader->event;
    event->kind = YAML_READER_SCALAR;
    event->text = (const char *)reader->raw.data.scalar.value;
    event->bytes = reader->raw.data.scalar.length;
    if (strlen(event->text) != event->bytes) {
        return yaml_reader_fail_here(reader, err, "a NUL character in text");
    }
    event->is_null =
        reader->raw.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        (*event->text == '\0' || strcmp(event->text, "~") == 0 || strcmp(event->text, "null") == 0);
    return refuse_extras(reader, reader->raw.data.scalar.anchor, reader->raw.data.scalar.tag, err);
}

static int take_node(struct yaml_reader *reader, struct error *err)
{
    const yaml_event_t *raw = &reader->raw;
    struct yaml_reader_event *event = &reader->event;
    switch (raw->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(reader, err);
    case YAML_ALIAS_EVENT:
        return yaml_reader_fail_here(reader, err,
                                     "aliases (*name) are not supported: write the value again");
    case YAML_SEQUENCE_START_EVENT:
        event->kind = YAML_READER_SEQUENCE_BEGIN;
        reader->depth++;
        return refuse_extras(reader, raw->data.sequence_start.anchor, raw->data.sequence_start.tag,
                             err);
    case YAML_MAPPING_START_EVENT:
        event->kind = YAML_READER_MAPPING_BEGIN;
        reader->depth++;
        return refuse_extras(reader, raw->data.mapping_start.anchor, raw->data.mapping_start.tag,
                             err);
    case YAML_SEQUENCE_END_EVENT:
        event->kind = YAML_READER_SEQUENCE_END;
        reader->depth--;
        return 0;
    case YAML_MAPPING_END_EVENT:
        event->kind = YAML_READER_MAPPING_END;
        reader->depth--;
        return 0;
    default:
        event->kind = YAML_READER_END;
        return 0;
    }
}

/* Past the stream's and the document's beginning. */
static int begin(struct yaml_reader *reader, struct error *err)
{
    int code = advance(reader, err);
    code = code ? code : advance(reader, err);
    if (code == 0 && reader->raw.type == YAML_DOCUMENT_START_EVENT) {
        code = advance(reader, err);
    }
    return code ? code : take_node(reader, err);
}

/* Past the document's end, where the file must end too. */
static int finish(struct yaml_reader *reader, struct error *err)
{
    int code = advance(reader, err);
    code = code ? code : advance(reader, err);
    if (code == 0 && reader->raw.type != YAML_STREAM_END_EVENT) {
        code =
            yaml_reader_fail_here(reader, err, "more than one document: remove the second '---'");
    }
    reader->event.kind = YAML_READER_END;
    return code;
}

int yaml_reader_next(struct yaml_reader *reader, struct error *err)
{
    if (!reader->begun) {
        reader->begun = true;
        return begin(reader, err);
    }
    if (reader->depth == 0) {
        return finish(reader, err);
    }
    int code = advance(reader, err);
    return code ? code : take_node(reader, err);
}

const struct yaml_reader_event *yaml_reader_event(const struct yaml_reader *reader)
{
    return &reader->event;
}

/* --- the reader --- */

int yaml_reader_open(struct yaml_reader **reader, const char *name, const char *bytes, size_t size,
                     struct error *err)
{
    *reader = NULL;
    struct yaml_reader *made = calloc(1, sizeof *made);
    if (!made || !yaml_parser_initialize(&made->parser)) {
        free(made);
        return error_set(err, ERROR_MEMORY, "no memory to read %s", name);
    }
    made->name = name;
    made->bytes = bytes;
    made->size = size;
    int code = check_characters(made, err);
    if (code != 0) {
        yaml_reader_close(made);
        return code;
    }
    yaml_parser_set_encoding(&made->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&made->parser, (const unsigned char *)bytes, size);
    *reader = made;
    return 0;
}

void yaml_reader_close(struct yaml_reader *reader)
{
    if (reader) {
        yaml_event_delete(&reader->raw);
        yaml_parser_delete(&reader->parser);
        free(reader);
    }
}
