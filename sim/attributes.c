/* attributes.c - see attributes.h. A plain array: an interaction has a handful. */
#include "sim/attributes.h"

#include <stdlib.h>
#include <string.h>

static struct attributes_entry *find(const struct attributes *attributes, const char *name)
{
    for (size_t i = 0; i < attributes->count; i++) {
        if (strcmp(attributes->entries[i].name, name) == 0) {
            return &attributes->entries[i];
        }
    }
    return NULL;
}

static bool set_value(struct attributes_entry *entry, const char *value, size_t bytes)
{
    char *copy = malloc(bytes + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, value, bytes);
    copy[bytes] = '\0';
    free(entry->value);
    entry->value = copy;
    entry->value_bytes = bytes;
    return true;
}

static bool set(struct attributes *attributes, const char *name, const char *value, size_t bytes)
{
    struct attributes_entry *known = find(attributes, name);
    if (known != NULL) {
        return set_value(known, value, bytes);
    }
    struct attributes_entry *entries =
        realloc(attributes->entries, (attributes->count + 1) * sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    attributes->entries = entries;
    struct attributes_entry made = {.name = strdup(name)};
    if (made.name == NULL || !set_value(&made, value, bytes)) {
        free(made.name);
        return false;
    }
    entries[attributes->count++] = made;
    return true;
}

bool attributes_merge(struct attributes *attributes, const struct json *object)
{
    void *iterator = NULL;
    const char *name;
    const struct json *value;
    size_t count = attributes->count;
    while (json_next(object, &iterator, &name, &value)) {
        count += find(attributes, name) == NULL;
    }
    if (count > ATTRIBUTES_MAX) {
        return false;
    }
    iterator = NULL;
    while (json_next(object, &iterator, &name, &value)) {
        size_t bytes;
        const char *text = json_as_string(value, &bytes);
        if (text == NULL || !set(attributes, name, text, bytes)) {
            return false;
        }
    }
    return true;
}

void attributes_write(const struct attributes *attributes, struct json_writer *writer)
{
    json_write_object_begin(writer);
    for (size_t i = 0; i < attributes->count; i++) {
        json_write_key(writer, attributes->entries[i].name);
        json_write_string(writer, attributes->entries[i].value, attributes->entries[i].value_bytes);
    }
    json_write_object_end(writer);
}

void attributes_done(struct attributes *attributes)
{
    for (size_t i = 0; i < attributes->count; i++) {
        free(attributes->entries[i].name);
        free(attributes->entries[i].value);
    }
    free(attributes->entries);
    *attributes = (struct attributes){0};
}
