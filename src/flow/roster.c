/* roster.c - see roster.h. */
#include "flow/roster.h"

#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 129 };

struct roster_entry {
    uint64_t round;
    char id[ID_BYTES];
};

void roster_init(struct roster *roster, size_t calls_max)
{
    map_init(&roster->entries, calls_max);
    roster->round = 0;
    roster->handed_out = NULL;
}

void roster_done(struct roster *roster)
{
    size_t position = 0;
    for (void *entry = map_next(&roster->entries, &position); entry;
         entry = map_next(&roster->entries, &position)) {
        free(entry);
    }
    map_done(&roster->entries);
    free(roster->handed_out);
    roster->handed_out = NULL;
}

void roster_begin(struct roster *roster)
{
    roster->round++;
}

bool roster_seen(struct roster *roster, const char *interaction_id)
{
    size_t id_bytes = strlen(interaction_id);
    struct roster_entry *entry = map_get(&roster->entries, interaction_id, id_bytes);
    if (!entry) {
        entry = id_bytes < ID_BYTES ? calloc(1, sizeof *entry) : NULL;
        if (!entry || !map_put(&roster->entries, interaction_id, id_bytes, entry)) {
            free(entry);
            return false;
        }
        memcpy(entry->id, interaction_id, id_bytes + 1);
    }
    entry->round = roster->round;
    return true;
}

bool roster_ended(struct roster *roster, const char *interaction_id)
{
    void *entry = map_remove(&roster->entries, interaction_id, strlen(interaction_id));
    free(entry);
    return entry != NULL;
}

const char *roster_missing(struct roster *roster)
{
    free(roster->handed_out);
    roster->handed_out = NULL;
    size_t position = 0;
    for (struct roster_entry *entry = map_next(&roster->entries, &position); entry;
         entry = map_next(&roster->entries, &position)) {
        if (entry->round + ROSTER_MISSING_ROUNDS <= roster->round) {
            roster->handed_out = map_remove(&roster->entries, entry->id, strlen(entry->id));
            return entry->id;
        }
    }
    return NULL;
}
