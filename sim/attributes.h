/* attributes.h - the attributes of one interaction: names and texts, merged by later requests. */
#ifndef SIM_ATTRIBUTES_H
#define SIM_ATTRIBUTES_H

#include "base/json.h"
#include "base/json_write.h"

#include <stdbool.h>
#include <stddef.h>

enum { ATTRIBUTES_MAX = 256 };

struct attributes_entry {
    char *name;
    char *value;
    size_t value_bytes;
};

/* In order of first appearance. Start zeroed. */
struct attributes {
    struct attributes_entry *entries;
    size_t count;
};

/* Sets every member of an object of strings. False, with nothing changed, when it would pass
 * ATTRIBUTES_MAX; false with some members set when memory ends. */
bool attributes_merge(struct attributes *attributes, const struct json *object);

/* Writes them as an object. */
void attributes_write(const struct attributes *attributes, struct json_writer *writer);

void attributes_done(struct attributes *attributes);

#endif
