/* vocab_load.c - see vocab_load.h. */
#include "nlp/vocab_load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(const char *path, struct error *err)
{
    return error_set(err, ERROR_MEMORY, "%s: no memory for the vocabulary", path);
}

/* Every id at most once. *taken is a bit set that grows with the ids. */
static int take_id(unsigned char **taken, size_t *taken_bytes, int64_t id, const char *path,
                   const char *where, struct error *err)
{
    size_t byte = (size_t)id / 8;
    if (byte >= *taken_bytes) {
        size_t bytes = (byte + 1) * 2;
        unsigned char *grown = realloc(*taken, bytes);
        if (!grown) {
            return no_memory(path, err);
        }
        memset(grown + *taken_bytes, 0, bytes - *taken_bytes);
        *taken = grown;
        *taken_bytes = bytes;
    }
    unsigned char bit = (unsigned char)(1u << (id % 8));
    if ((*taken)[byte] & bit) {
        return error_set(err, ERROR_FORMAT, "%s: %s gives id %" PRId64 " twice", path, where, id);
    }
    (*taken)[byte] |= bit;
    return 0;
}

int vocab_load_object(struct vocab *vocab, const struct json *object, const char *path,
                      const char *where, size_t *id_count, struct error *err)
{
    unsigned char *taken = NULL;
    size_t taken_bytes = 0;
    void *iterator = NULL;
    const char *token;
    const struct json *value;
    int result = 0;
    if (json_kind(object) != JSON_KIND_OBJECT || json_size(object) == 0) {
        return error_set(err, ERROR_FORMAT, "%s: %s must be an object with tokens", path, where);
    }
    *id_count = 0;
    for (size_t entry = 1; !result && json_next(object, &iterator, &token, &value); entry++) {
        int64_t id = -1;
        if (!json_as_integer(value, &id) || id < 0 || id >= VOCAB_IDS_MAX) {
            result = error_set(err, ERROR_FORMAT, "%s: entry %zu of %s has no id from 0 to %d",
                               path, entry, where, VOCAB_IDS_MAX - 1);
            break;
        }
        result = take_id(&taken, &taken_bytes, id, path, where, err);
        if (!result &&
            vocab_add(vocab, token, strlen(token), (uint32_t)id) == VOCAB_ADDED_NO_MEMORY) {
            result = no_memory(path, err);
        }
        if ((size_t)id >= *id_count) {
            *id_count = (size_t)id + 1;
        }
    }
    free(taken);
    return result;
}
