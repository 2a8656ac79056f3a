/* config_yaml.c - see config_yaml.h. Which keys there are and what their values may be is the
 * table's to say; this file finds each value's key and keeps its place for `config show --origin`
 * and for errors.
 */
#include "config/config_yaml.h"

#include "base/yaml_reader.h"
#include "config/config_value.h"

#include <stdio.h>
#include <string.h>

enum { KEY_BYTES = 64, GROUP_DEPTH_MAX = 3 };

struct loader {
    struct yaml_reader *reader;
    const struct yaml_reader_event *event; /* the current one */
    const struct config_yaml_source *source;
    struct config *config;
    struct error *err;
    bool group_seen[CONFIG_ROWS_MAX]; /* by the index of the group's first row */
};

static int next(struct loader *loader)
{
    return yaml_reader_next(loader->reader, loader->err);
}

/* --- values --- */

static int check_not_set(struct loader *loader, const struct config_row *row)
{
    const struct config_origin *origin = config_table_origin(loader->config, row);
    return origin->layer == CONFIG_LAYER_FILE
               ? yaml_reader_fail_here(loader->reader, loader->err, "'%s' was set before, at %s",
                                       row->key, origin->where)
               : 0;
}

static int load_list(struct loader *loader, const struct config_row *row)
{
    const struct yaml_reader_event *event = loader->event;
    config_value_clear(loader->config, row);
    for (;;) {
        int result = next(loader);
        if (result || event->kind == YAML_READER_SEQUENCE_END) {
            return result;
        }
        if (event->kind != YAML_READER_SCALAR || event->is_null) {
            return yaml_reader_fail_here(loader->reader, loader->err, "%s: each item must be text",
                                         row->key);
        }
        if (config_value_add(loader->config, row, event->text, loader->err)) {
            return yaml_reader_wrap_here(loader->reader, loader->err);
        }
    }
}

static int load_scalar(struct loader *loader, const struct config_row *row)
{
    if (loader->event->is_null) {
        return yaml_reader_fail_here(
            loader->reader, loader->err, "%s: no value; leave the key out%s", row->key,
            row->type == CONFIG_TYPE_STRING ? ", or write \"\" for empty text" : "");
    }
    if (config_value_set(loader->config, row, loader->event->text, loader->err)) {
        return yaml_reader_wrap_here(loader->reader, loader->err);
    }
    return 0;
}

/* Reads the value of a known key, which is the current event. */
static int load_value(struct loader *loader, const struct config_row *row)
{
    int result = check_not_set(loader, row);
    result = result ? result : next(loader);
    if (result) {
        return result;
    }
    struct yaml_reader_mark place = loader->event->mark;
    if (loader->event->kind == YAML_READER_SCALAR) {
        result = load_scalar(loader, row);
    } else if (loader->event->kind == YAML_READER_SEQUENCE_BEGIN && row->type == CONFIG_TYPE_LIST) {
        result = load_list(loader, row);
    } else {
        result = yaml_reader_fail_here(
            loader->reader, loader->err, "%s: takes one value, not a %s", row->key,
            loader->event->kind == YAML_READER_MAPPING_BEGIN ? "group of keys" : "list");
    }
    return result ? result
                  : config_table_set_origin(loader->config, row, CONFIG_LAYER_FILE, loader->err,
                                            "%s:%zu:%zu", loader->source->name, place.line,
                                            place.column);
}

/* --- keys --- */

static int fail_unknown(struct loader *loader, const char *key)
{
    const char *meant = config_table_suggest(key);
    return meant ? yaml_reader_fail_here(loader->reader, loader->err,
                                         "unknown key '%s'; did you mean '%s'?", key, meant)
                 : yaml_reader_fail_here(loader->reader, loader->err,
                                         "unknown key '%s'; see docs/CONFIGURATION.md", key);
}

/* Composes the full key of the current event; an error if it cannot be a key. */
static int read_key(struct loader *loader, const char *prefix, char out[KEY_BYTES])
{
    const char *name = loader->event->text;
    if (loader->event->kind != YAML_READER_SCALAR) {
        return yaml_reader_fail_here(loader->reader, loader->err, "a key must be a word");
    }
    int size = snprintf(out, KEY_BYTES, "%s%s%s", prefix, *prefix ? "." : "", name);
    if (*name == '\0' || size < 0 || size >= KEY_BYTES ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") <
            strlen(name)) {
        return yaml_reader_fail_here(loader->reader, loader->err,
                                     "not a key: keys are words of letters, digits, '_' and '.'");
    }
    return 0;
}

static int load_mapping(struct loader *loader, const char *prefix, int depth);

/* Reads the members of a group such as "alert". An empty group is allowed. */
static int load_group(struct loader *loader, const char *group, int depth)
{
    size_t index = config_table_index(config_table_find_group(group));
    if (loader->group_seen[index]) {
        return yaml_reader_fail_here(loader->reader, loader->err, "the group '%s' appears twice",
                                     group);
    }
    loader->group_seen[index] = true;
    int result = next(loader);
    if (result || (loader->event->kind == YAML_READER_SCALAR && loader->event->is_null)) {
        return result;
    }
    if (loader->event->kind != YAML_READER_MAPPING_BEGIN) {
        return yaml_reader_fail_here(loader->reader, loader->err,
                                     "'%s' is a group: write its keys below it, indented", group);
    }
    return load_mapping(loader, group, depth + 1);
}

/* Reads keys and values up to the end of the mapping that was just entered. */
static int load_mapping(struct loader *loader, const char *prefix, int depth)
{
    for (;;) {
        char key[KEY_BYTES];
        int result = next(loader);
        if (result || loader->event->kind == YAML_READER_MAPPING_END) {
            return result;
        }
        result = read_key(loader, prefix, key);
        if (result) {
            return result;
        }
        const struct config_row *row = config_table_find(key);
        if (row) {
            result = load_value(loader, row);
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
    int result = next(loader);
    if (result || loader->event->kind == YAML_READER_END) {
        return result;
    }
    if (loader->event->kind == YAML_READER_MAPPING_BEGIN) {
        result = load_mapping(loader, "", 0);
    } else if (loader->event->kind != YAML_READER_SCALAR || !loader->event->is_null) {
        result = yaml_reader_fail_here(loader->reader, loader->err,
                                       "the file must be a mapping of keys to values");
    }
    return result ? result : next(loader); /* nothing may follow */
}

int config_yaml_load(struct config *config, const struct config_yaml_source *source,
                     struct error *err)
{
    struct error ignored;
    struct loader loader = {.source = source, .config = config, .err = err ? err : &ignored};
    int result =
        yaml_reader_open(&loader.reader, source->name, source->bytes, source->size, loader.err);
    if (result == 0) {
        loader.event = yaml_reader_event(loader.reader);
        result = load_document(&loader);
    }
    yaml_reader_close(loader.reader);
    return result;
}
