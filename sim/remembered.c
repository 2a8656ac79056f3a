/* remembered.c - see remembered.h. */
#include "sim/remembered.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void remembered_init(struct remembered *remembered)
{
    *remembered = (struct remembered){0};
    map_init(&remembered->by_key, REMEMBERED_MAX);
}

void remembered_done(struct remembered *remembered)
{
    for (size_t i = 0; i < REMEMBERED_MAX; i++) {
        free(remembered->entries[i].key);
        remembered->entries[i].key = NULL;
    }
    map_done(&remembered->by_key);
}

const struct remembered_entry *remembered_find(const struct remembered *remembered, const char *key)
{
    return key == NULL ? NULL : map_get(&remembered->by_key, key, strlen(key));
}

void remembered_add(struct remembered *remembered, const char *key, unsigned long long body_hash,
                    const char *suggestion_id)
{
    struct remembered_entry *entry = &remembered->entries[remembered->next];
    if (entry->key != NULL) {
        map_remove(&remembered->by_key, entry->key, strlen(entry->key));
        free(entry->key);
    }
    entry->key = strdup(key);
    if (entry->key == NULL || !map_put(&remembered->by_key, key, strlen(key), entry)) {
        free(entry->key);
        entry->key = NULL;
        return;
    }
    entry->body_hash = body_hash;
    snprintf(entry->suggestion_id, sizeof entry->suggestion_id, "%s", suggestion_id);
    remembered->next = (remembered->next + 1) % REMEMBERED_MAX;
}
