/* config_yaml.c - see config_yaml.h. The only file that knows libyaml.
 *
 * Walks libyaml's events rather than a loaded document, because each event knows its line and
 * column. What a configuration has no use for is refused at its place instead of being interpreted:
 * anchors and aliases, tags, several documents, keys that are not plain words. libyaml's own copies
 * of scalars are not wiped, which is one reason to keep a secret in a file of its own.
 */
#include "app/config_yaml.h"

#include "app/config_value.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { KEY_BYTES = 64, GROUP_DEPTH_MAX = 3 };

struct loader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; always deletable */
    const struct config_yaml_source *source;
    struct config *config;
    struct error *err;
    bool group_seen[CONFIG_ROWS_MAX]; /* by the index of the group's first row */
};

/* --- places and failures --- */

/* Puts "NAME:LINE:COLUMN" in front of the error already set. */
static int at_mark(struct loader *loader, yaml_mark_t mark)
{
    return error_wrap(loader->err, "%s:%zu:%zu", loader->source->name, mark.line + 1,
                      mark.column + 1);
}

static int fail_at(struct loader *loader, yaml_mark_t mark, const char *what)
{
    error_set(loader->err, ERROR_CONFIG, "%s", what);
    return at_mark(loader, mark);
}

static int fail_here(struct loader *loader, const char *what)
{
    return fail_at(loader, loader->event.start_mark, what);
}

/* Whether the indentation of a line holds a tab: libyaml's own words for that help nobody. */
static bool has_tab_indent(const struct config_yaml_source *source, size_t line)
{
    const char *at = source->bytes;
    const char *end = at + source->size;
    for (; line > 0 && at; line--) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    while (at && at < end && *at == ' ') {
        at++;
    }
    return at && at < end && *at == '\t';
}

static int fail_parser(struct loader *loader)
{
    const yaml_parser_t *parser = &loader->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        return error_set(loader->err, ERROR_MEMORY, "no memory to read %s", loader->source->name);
    }
    if (has_tab_indent(loader->source, parser->problem_mark.line)) {
        return fail_at(loader, parser->problem_mark, "a tab in the indentation: use spaces");
    }
    error_set(loader->err, ERROR_CONFIG, "not valid YAML: %s",
              parser->problem ? parser->problem : "cannot be read");
    return at_mark(loader, parser->problem_mark);
}

static int next(struct loader *loader)
{
    yaml_event_delete(&loader->event);
    if (!yaml_parser_parse(&loader->parser, &loader->event)) {
        memset(&loader->event, 0, sizeof loader->event);
        return fail_parser(loader);
    }
    return 0;
}

/* libyaml reports encoding trouble by byte offset only, so it is looked for first. */
static int check_characters(struct loader *loader)
{
    const struct config_yaml_source *source = loader->source;
    yaml_mark_t mark = {0};
    for (size_t at = 0; at < source->size;) {
        uint32_t code_point;
        bool valid;
        size_t taken = utf8_decode(source->bytes + at, source->size - at, &code_point, &valid);
        if (!valid) {
            return fail_at(loader, mark, "not valid UTF-8");
        }
        if ((code_point < 0x20 && !strchr("\t\r\n", (int)code_point)) || code_point == 0 ||
            (code_point >= 0x7F && code_point < 0xA0 && code_point != 0x85)) {
            return fail_at(loader, mark, "a control character");
        }
        at += taken;
        mark.column++;
        if (code_point == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return 0;
}

/* --- events --- */

static bool is_null(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

/* Refuses what no value of ours may carry. */
static int check_plain(struct loader *loader)
{
    const yaml_event_t *event = &loader->event;
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT) {
        return fail_here(loader, "aliases (*name) are not supported: write the value again");
    }
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor) {
        return fail_here(loader, "anchors (&name) are not supported: write the value again");
    }
    if (tag) {
        return fail_here(loader, "tags (!name) are not supported");
    }
    if (event->type == YAML_SCALAR_EVENT &&
        strlen((const char *)event->data.scalar.value) != event->data.scalar.length) {
        return fail_here(loader, "a NUL character in text");
    }
    return 0;
}

/* --- values --- */

static int check_not_set(struct loader *loader, const struct config_row *row, yaml_mark_t mark)
{
    const struct config_origin *origin = config_table_origin(loader->config, row);
    if (origin->layer != CONFIG_LAYER_FILE) {
        return 0;
    }
    error_set(loader->err, ERROR_CONFIG, "'%s' was set before, at %s", row->key, origin->where);
    return at_mark(loader, mark);
}

static int load_list(struct loader *loader, const struct config_row *row)
{
    config_value_clear(loader->config, row);
    for (;;) {
        int result = next(loader);
        if (!result && loader->event.type == YAML_SEQUENCE_END_EVENT) {
            return 0;
        }
        result = result ? result : check_plain(loader);
        if (result) {
            return result;
        }
        if (loader->event.type != YAML_SCALAR_EVENT || is_null(&loader->event)) {
            error_set(loader->err, ERROR_CONFIG, "%s: each item must be text", row->key);
            return at_mark(loader, loader->event.start_mark);
        }
        const char *item = (const char *)loader->event.data.scalar.value;
        if (config_value_add(loader->config, row, item, loader->err)) {
            return at_mark(loader, loader->event.start_mark);
        }
    }
}

static int load_scalar(struct loader *loader, const struct config_row *row)
{
    const char *text = (const char *)loader->event.data.scalar.value;
    if (is_null(&loader->event)) {
        error_set(loader->err, ERROR_CONFIG, "%s: no value; leave the key out%s", row->key,
                  row->type == CONFIG_TYPE_STRING ? ", or write \"\" for empty text" : "");
        return at_mark(loader, loader->event.start_mark);
    }
    if (config_value_set(loader->config, row, text, loader->err)) {
        return at_mark(loader, loader->event.start_mark);
    }
    return 0;
}

/* Reads the value of a known key; `mark` is the key's place. */
static int load_value(struct loader *loader, const struct config_row *row, yaml_mark_t mark)
{
    int result = check_not_set(loader, row, mark);
    result = result ? result : next(loader);
    result = result ? result : check_plain(loader);
    if (result) {
        return result;
    }
    yaml_mark_t place = loader->event.start_mark;
    if (loader->event.type == YAML_SCALAR_EVENT) {
        result = load_scalar(loader, row);
    } else if (loader->event.type == YAML_SEQUENCE_START_EVENT && row->type == CONFIG_TYPE_LIST) {
        result = load_list(loader, row);
    } else {
        error_set(loader->err, ERROR_CONFIG, "%s: takes one value, not a %s", row->key,
                  loader->event.type == YAML_MAPPING_START_EVENT ? "group of keys" : "list");
        result = at_mark(loader, place);
    }
    return result ? result
                  : config_table_set_origin(loader->config, row, CONFIG_LAYER_FILE, loader->err,
                                            "%s:%zu:%zu", loader->source->name, place.line + 1,
                                            place.column + 1);
}

/* --- keys --- */

static int fail_unknown(struct loader *loader, const char *key)
{
    const char *meant = config_table_suggest(key);
    if (meant) {
        error_set(loader->err, ERROR_CONFIG, "unknown key '%s'; did you mean '%s'?", key, meant);
    } else {
        error_set(loader->err, ERROR_CONFIG, "unknown key '%s'; see docs/CONFIGURATION.md", key);
    }
    return at_mark(loader, loader->event.start_mark);
}

/* Composes the full key of the current event; an error if it cannot be a key. */
static int read_key(struct loader *loader, const char *prefix, char out[KEY_BYTES])
{
    int result = check_plain(loader);
    if (result) {
        return result;
    }
    if (loader->event.type != YAML_SCALAR_EVENT) {
        return fail_here(loader, "a key must be a word");
    }
    const char *name = (const char *)loader->event.data.scalar.value;
    int size = snprintf(out, KEY_BYTES, "%s%s%s", prefix, *prefix ? "." : "", name);
    if (*name == '\0' || size < 0 || size >= KEY_BYTES ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") <
            strlen(name)) {
        return fail_here(loader, "not a key: keys are words of letters, digits, '_' and '.'");
    }
    return 0;
}

static int load_mapping(struct loader *loader, const char *prefix, int depth);

/* Reads the members of a group such as "alert". An empty group is allowed. */
static int load_group(struct loader *loader, const char *group, int depth)
{
    size_t index = (size_t)(config_table_find_group(group) - config_table);
    if (loader->group_seen[index]) {
        error_set(loader->err, ERROR_CONFIG, "the group '%s' appears twice", group);
        return at_mark(loader, loader->event.start_mark);
    }
    loader->group_seen[index] = true;
    int result = next(loader);
    result = result ? result : check_plain(loader);
    if (result) {
        return result;
    }
    if (loader->event.type == YAML_SCALAR_EVENT && is_null(&loader->event)) {
        return 0;
    }
    if (loader->event.type != YAML_MAPPING_START_EVENT) {
        error_set(loader->err, ERROR_CONFIG, "'%s' is a group: write its keys below it, indented",
                  group);
        return at_mark(loader, loader->event.start_mark);
    }
    return load_mapping(loader, group, depth + 1);
}

/* Reads keys and values up to the end of the mapping that was just entered. */
static int load_mapping(struct loader *loader, const char *prefix, int depth)
{
    for (;;) {
        char key[KEY_BYTES];
        int result = next(loader);
        if (!result && loader->event.type == YAML_MAPPING_END_EVENT) {
            return 0;
        }
        result = result ? result : read_key(loader, prefix, key);
        if (result) {
            return result;
        }
        const struct config_row *row = config_table_find(key);
        if (row) {
            result = load_value(loader, row, loader->event.start_mark);
        } else if (depth < GROUP_DEPTH_MAX && config_table_find_group(key)) {
            result = load_group(loader, key, depth);
        } else {
            result = fail_unknown(loader, key);
        }
        if (result) {
            return result;
        }
    }
}

/* --- the document --- */

/* An empty file, or one of comments only, is a valid configuration. */
static int load_document(struct loader *loader)
{
    int result = next(loader); /* stream start */
    result = result ? result : next(loader);
    if (result || loader->event.type == YAML_STREAM_END_EVENT) {
        return result;
    }
    result = next(loader);
    result = result ? result : check_plain(loader);
    if (result) {
        return result;
    }
    if (loader->event.type == YAML_MAPPING_START_EVENT) {
        result = load_mapping(loader, "", 0);
    } else if (loader->event.type != YAML_SCALAR_EVENT || !is_null(&loader->event)) {
        result = fail_here(loader, "the file must be a mapping of keys to values");
    }
    result = result ? result : next(loader); /* document end */
    result = result ? result : next(loader);
    if (!result && loader->event.type != YAML_STREAM_END_EVENT) {
        result = fail_here(loader, "more than one document: remove the second '---'");
    }
    return result;
}

int config_yaml_load(struct config *config, const struct config_yaml_source *source,
                     struct error *err)
{
    struct error ignored;
    struct loader loader = {.source = source, .config = config, .err = err ? err : &ignored};
    int result = check_characters(&loader);
    if (result) {
        return result;
    }
    if (!yaml_parser_initialize(&loader.parser)) {
        return error_set(err, ERROR_MEMORY, "no memory to read %s", source->name);
    }
    yaml_parser_set_encoding(&loader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&loader.parser, (const unsigned char *)source->bytes,
                                 source->size);
    result = load_document(&loader);
    yaml_event_delete(&loader.event);
    yaml_parser_delete(&loader.parser);
    return result;
}
