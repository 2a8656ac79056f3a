/* script_yaml.c - see script_yaml.h. A script is a list of flat mappings of words and short lists;
 * anything else YAML can do is refused at its place.
 */
#include "sim/script_yaml.h"

#include "base/yaml_reader.h"

#include <stdbool.h>
#include <string.h>

struct reader {
    struct yaml_reader *yaml;
    const struct yaml_reader_event *event; /* the current one */
    struct error *err;
    struct script_yaml_item item;
};

static int fail_here(struct reader *reader, const char *what)
{
    return yaml_reader_fail_here(reader->yaml, reader->err, "%s", what);
}

static int next(struct reader *reader)
{
    return yaml_reader_next(reader->yaml, reader->err);
}

/* Copies the current event's word; an error if it is none. */
static int take_word(struct reader *reader, char out[SCRIPT_YAML_TEXT_BYTES])
{
    if (reader->event->kind != YAML_READER_SCALAR) {
        return fail_here(reader, "a word or a number was expected here");
    }
    size_t bytes = reader->event->bytes;
    if (bytes == 0 || bytes >= SCRIPT_YAML_TEXT_BYTES) {
        return fail_here(reader, "no value, or one that is too long");
    }
    memcpy(out, reader->event->text, bytes + 1);
    return 0;
}

static int read_values(struct reader *reader, struct script_yaml_field *field)
{
    int rc = next(reader);
    field->value_mark = reader->event->mark;
    if (rc != 0 || reader->event->kind != YAML_READER_SEQUENCE_BEGIN) {
        field->value_count = 1;
        return rc != 0 ? rc : take_word(reader, field->values[0]);
    }
    for (;;) {
        rc = next(reader);
        if (rc != 0 || reader->event->kind == YAML_READER_SEQUENCE_END) {
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
    reader->item = (struct script_yaml_item){.mark = reader->event->mark};
    for (;;) {
        int rc = next(reader);
        if (rc != 0 || reader->event->kind == YAML_READER_MAPPING_END) {
            return rc;
        }
        char key[SCRIPT_YAML_TEXT_BYTES];
        struct yaml_reader_mark mark = reader->event->mark;
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
        if (rc != 0 || reader->event->kind == YAML_READER_SEQUENCE_END) {
            return rc;
        }
        if (reader->event->kind != YAML_READER_MAPPING_BEGIN) {
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
    int rc = next(reader);
    if (rc != 0 || reader->event->kind == YAML_READER_END) {
        return rc;
    }
    if (reader->event->kind != YAML_READER_SEQUENCE_BEGIN) {
        return fail_here(reader, "a script is a list: begin each entry with \"- \"");
    }
    rc = read_list(reader, fn, user);
    return rc != 0 ? rc : next(reader); /* nothing may follow */
}

int script_yaml_read(const char *name, const char *text, size_t bytes, script_yaml_fn *fn,
                     void *user, struct error *err)
{
    struct error ignored;
    struct reader reader = {.err = err != NULL ? err : &ignored};
    int rc = yaml_reader_open(&reader.yaml, name, text, bytes, reader.err);
    if (rc == 0) {
        reader.event = yaml_reader_event(reader.yaml);
        rc = read_document(&reader, fn, user);
    }
    yaml_reader_close(reader.yaml);
    return rc;
}
