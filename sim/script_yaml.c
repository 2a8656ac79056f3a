/* script_yaml.c - see script_yaml.h. The only file of the simulator that knows libyaml.
 *
 * Walks libyaml's events, because each knows its line and column. A script is a list of flat
 * mappings of words and short lists; anything else YAML can do is refused at its place.
 */
#include "sim/script_yaml.h"

#include <stdbool.h>
#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; always deletable */
    const char *name;
    struct error *err;
    struct script_yaml_item item;
};

static int fail_at(struct reader *reader, yaml_mark_t mark, const char *what)
{
    return error_set(reader->err, ERROR_CONFIG, "%s:%zu:%zu: %s", reader->name, mark.line + 1,
                     mark.column + 1, what);
}

static int fail_here(struct reader *reader, const char *what)
{
    return fail_at(reader, reader->event.start_mark, what);
}

static struct script_yaml_mark mark_of(const yaml_event_t *event)
{
    return (struct script_yaml_mark){event->start_mark.line + 1, event->start_mark.column + 1};
}

static int next(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (!yaml_parser_parse(&reader->parser, &reader->event)) {
        memset(&reader->event, 0, sizeof reader->event);
        if (reader->parser.error == YAML_MEMORY_ERROR) {
            return error_set(reader->err, ERROR_MEMORY, "no memory to read %s", reader->name);
        }
        const char *problem = reader->parser.problem;
        return fail_at(reader, reader->parser.problem_mark,
                       problem != NULL ? problem : "not valid YAML");
    }
    return 0;
}

/* Copies the current event's word; an error if it is none. */
static int take_word(struct reader *reader, char out[SCRIPT_YAML_TEXT_BYTES])
{
    if (reader->event.type != YAML_SCALAR_EVENT) {
        return fail_here(reader, "a word or a number was expected here");
    }
    size_t bytes = reader->event.data.scalar.length;
    const char *text = (const char *)reader->event.data.scalar.value;
    if (reader->event.data.scalar.anchor != NULL || reader->event.data.scalar.tag != NULL) {
        return fail_here(reader, "anchors and tags are not supported");
    }
    if (bytes == 0 || bytes >= SCRIPT_YAML_TEXT_BYTES || strlen(text) != bytes) {
        return fail_here(reader, "no value, or one that is too long");
    }
    memcpy(out, text, bytes + 1);
    return 0;
}

static int read_values(struct reader *reader, struct script_yaml_field *field)
{
    int rc = next(reader);
    field->value_mark = mark_of(&reader->event);
    if (rc != 0 || reader->event.type != YAML_SEQUENCE_START_EVENT) {
        field->value_count = 1;
        return rc != 0 ? rc : take_word(reader, field->values[0]);
    }
    for (;;) {
        rc = next(reader);
        if (rc != 0 || reader->event.type == YAML_SEQUENCE_END_EVENT) {
            return rc != 0 || field->value_count > 0 ? rc : fail_here(reader, "an empty list");
        }
        if (field->value_count == SCRIPT_YAML_VALUES_MAX) {
            return fail_here(reader, "the list is too long");
        }
        rc = take_word(reader, field->values[field->value_count++]);
        if (rc != 0) {
            return rc;
        }
    }
}

static bool has_key(const struct script_yaml_item *item, const char *key)
{
    for (size_t i = 0; i < item->field_count; i++) {
        if (strcmp(item->fields[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

/* Reads the mapping whose start is the current event. */
static int read_item(struct reader *reader)
{
    reader->item = (struct script_yaml_item){.mark = mark_of(&reader->event)};
    for (;;) {
        int rc = next(reader);
        if (rc != 0 || reader->event.type == YAML_MAPPING_END_EVENT) {
            return rc;
        }
        char key[SCRIPT_YAML_TEXT_BYTES];
        struct script_yaml_mark mark = mark_of(&reader->event);
        rc = take_word(reader, key);
        if (rc == 0 && has_key(&reader->item, key)) {
            rc = fail_here(reader, "this field was given before");
        }
        if (rc == 0 && reader->item.field_count == SCRIPT_YAML_FIELDS_MAX) {
            rc = fail_here(reader, "too many fields");
        }
        if (rc != 0) {
            return rc;
        }
        struct script_yaml_field *field = &reader->item.fields[reader->item.field_count++];
        field->key_mark = mark;
        memcpy(field->key, key, sizeof key);
        rc = read_values(reader, field);
        if (rc != 0) {
            return rc;
        }
    }
}

static int read_list(struct reader *reader, script_yaml_fn *fn, void *user)
{
    for (;;) {
        int rc = next(reader);
        if (rc != 0 || reader->event.type == YAML_SEQUENCE_END_EVENT) {
            return rc;
        }
        if (reader->event.type != YAML_MAPPING_START_EVENT) {
            return fail_here(reader, "each entry must be a mapping such as {do: late, share: 0.1}");
        }
        rc = read_item(reader);
        rc = rc != 0 ? rc : fn(user, &reader->item, reader->err);
        if (rc != 0) {
            return rc;
        }
    }
}

/* A file of comments only is a script of nothing. */
static int read_document(struct reader *reader, script_yaml_fn *fn, void *user)
{
    int rc = next(reader); /* stream start */
    rc = rc != 0 ? rc : next(reader);
    if (rc != 0 || reader->event.type == YAML_STREAM_END_EVENT) {
        return rc;
    }
    rc = next(reader);
    if (rc == 0 && reader->event.type != YAML_SEQUENCE_START_EVENT) {
        rc = fail_here(reader, "a script is a list: begin each entry with \"- \"");
    }
    rc = rc != 0 ? rc : read_list(reader, fn, user);
    rc = rc != 0 ? rc : next(reader); /* document end */
    rc = rc != 0 ? rc : next(reader);
    if (rc == 0 && reader->event.type != YAML_STREAM_END_EVENT) {
        rc = fail_here(reader, "more than one document: remove the second '---'");
    }
    return rc;
}

int script_yaml_read(const char *name, const char *text, size_t bytes, script_yaml_fn *fn,
                     void *user, struct error *err)
{
    struct error ignored;
    struct reader reader = {.name = name, .err = err != NULL ? err : &ignored};
    if (!yaml_parser_initialize(&reader.parser)) {
        return error_set(err, ERROR_MEMORY, "no memory to read %s", name);
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, bytes);
    int rc = read_document(&reader, fn, user);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return rc;
}
