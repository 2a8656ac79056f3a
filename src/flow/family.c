/* family.c - see family.h. Families without members stand in a list by when they were left, so the
 * ones to forget are always at its front. */
#include "flow/family.h"

#include <stdlib.h>
#include <string.h>

void family_set_init(struct family_set *set, size_t families_max)
{
    *set = (struct family_set){.families_max = families_max};
    map_init(&set->by_master, families_max);
}

void family_set_done(struct family_set *set)
{
    size_t position = 0;
    for (void *family = map_next(&set->by_master, &position); family;
         family = map_next(&set->by_master, &position)) {
        free(family);
    }
    map_done(&set->by_master);
    *set = (struct family_set){0};
}

static void unlink_family(struct family_set *set, struct family *family)
{
    *(family->older ? &family->older->newer : &set->oldest) = family->newer;
    *(family->newer ? &family->newer->older : &set->newest) = family->older;
    family->older = NULL;
    family->newer = NULL;
}

static void forget_old(struct family_set *set, struct mono now)
{
    while (set->oldest) {
        struct family *family = set->oldest;
        bool full = set->by_master.count >= set->families_max;
        if (!full && !mono_reached(now, mono_after_ms(family->left, FAMILY_MEMORY_MS))) {
            return;
        }
        unlink_family(set, family);
        map_remove(&set->by_master, family->master_id, strlen(family->master_id));
        free(family);
    }
}

static struct family *found(struct family_set *set, const char *master_id, size_t id_bytes)
{
    struct family *family = calloc(1, sizeof *family);
    if (!family || !map_put(&set->by_master, master_id, id_bytes, family)) {
        free(family);
        return NULL;
    }
    memcpy(family->master_id, master_id, id_bytes + 1);
    return family;
}

struct family *family_set_join(struct family_set *set, const char *master_id, struct mono now)
{
    size_t id_bytes = strlen(master_id);
    if (id_bytes >= STORE_ID_BYTES) {
        return NULL;
    }
    struct family *family = map_get(&set->by_master, master_id, id_bytes);
    if (family && family->members == 0) {
        unlink_family(set, family);
        if (mono_reached(now, mono_after_ms(family->left, FAMILY_MEMORY_MS))) {
            family->newest_id[0] = '\0';
            family->has_delivered = false;
        }
    }
    forget_old(set, now);
    if (!family) {
        family = found(set, master_id, id_bytes);
    }
    if (family) {
        family->members++;
    }
    return family;
}

void family_set_leave(struct family_set *set, struct family *family, struct mono now)
{
    family->members--;
    if (family->members > 0) {
        return;
    }
    family->left = now;
    family->older = set->newest;
    *(set->newest ? &set->newest->newer : &set->oldest) = family;
    set->newest = family;
}

void family_deliver(struct family *family, struct mono now)
{
    if (!family->has_delivered || now.us > family->delivered.us) {
        family->has_delivered = true;
        family->delivered = now;
    }
}
