/* script_yaml.h - a script file taken apart: entries of fields as they were written, with places.
 */
#ifndef SIM_SCRIPT_YAML_H
#define SIM_SCRIPT_YAML_H

#include "base/error.h"
#include "base/yaml_reader.h"

#include <stddef.h>

enum {
    SCRIPT_YAML_FIELDS_MAX = 16,
    SCRIPT_YAML_VALUES_MAX = 5,
    SCRIPT_YAML_TEXT_BYTES = 32,
    SCRIPT_YAML_FILE_BYTES_MAX = 1 << 18,
};

struct script_yaml_field {
    char key[SCRIPT_YAML_TEXT_BYTES];
    struct yaml_reader_mark key_mark;
    struct yaml_reader_mark value_mark;
    char values[SCRIPT_YAML_VALUES_MAX][SCRIPT_YAML_TEXT_BYTES];
    size_t value_count; /* 1 unless written as a list */
};

struct script_yaml_item {
    struct yaml_reader_mark mark;
    struct script_yaml_field fields[SCRIPT_YAML_FIELDS_MAX];
    size_t field_count;
};

/* Takes one entry; a failure ends the reading and is returned by script_yaml_read as it is. */
typedef int script_yaml_fn(void *user, const struct script_yaml_item *item, struct error *err);

/* Hands over every entry of a document that is a list of mappings, in order. `name` is the file's;
 * errors are "NAME:LINE:COLUMN: ...". */
int script_yaml_read(const char *name, const char *text, size_t bytes, script_yaml_fn *fn,
                     void *user, struct error *err);

#endif
