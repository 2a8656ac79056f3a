/* family.c - see family.h. Families without members stand in a list by when they were left, so the
 * ones to forget are always at its front. */
#include "app/family.h"

#include <stdlib.h>
#include <string.h>

void families_init(struct families *families, size_t families_max)
{
    *families = (struct families){.families_max = families_max};
    map_init(&families->by_master, families_max);
}

void families_done(struct families *families)
{
    size_t position = 0;
    for (void *family = map_next(&families->by_master, &position); family;
         family = map_next(&families->by_master, &position)) {
        free(family);
    }
    map_done(&families->by_master);
    *families = (struct families){0};
}

static void unlink_family(struct families *families, struct family *family)
{
    *(family->older ? &family->older->newer : &families->oldest) = family->newer;
    *(family->newer ? &family->newer->older : &families->newest) = family->older;
    family->older = NULL;
    family->newer = NULL;
}

static void forget_old(struct families *families, struct mono now)
{
    while (families->oldest) {
        struct family *family = families->oldest;
        bool full = families->by_master.count >= families->families_max;
        if (!full && !mono_reached(now, mono_after_ms(family->left, FAMILY_MEMORY_MS))) {
            return;
        }
        unlink_family(families, family);
        map_remove(&families->by_master, family->master_id, strlen(family->master_id));
        free(family);
    }
}

static struct family *found(struct families *families, const char *master_id, size_t id_bytes)
{
    struct family *family = calloc(1, sizeof *family);
    if (!family || !map_put(&families->by_master, master_id, id_bytes, family)) {
        free(family);
        return NULL;
    }
    memcpy(family->master_id, master_id, id_bytes + 1);
    return family;
}

struct family *families_join(struct families *families, const char *master_id, struct mono now)
{
    size_t id_bytes = strlen(master_id);
    if (id_bytes >= STORE_ID_BYTES) {
        return NULL;
    }
    struct family *family = map_get(&families->by_master, master_id, id_bytes);
    if (family && family->members == 0) {
        unlink_family(families, family);
        if (mono_reached(now, mono_after_ms(family->left, FAMILY_MEMORY_MS))) {
            family->newest_id[0] = '\0';
            family->has_delivered = false;
        }
    }
    forget_old(families, now);
    if (!family) {
        family = found(families, master_id, id_bytes);
    }
    if (family) {
        family->members++;
    }
    return family;
}

void families_leave(struct families *families, struct family *family, struct mono now)
{
    family->members--;
    if (family->members > 0) {
        return;
    }
    family->left = now;
    family->older = families->newest;
    *(families->newest ? &families->newest->newer : &families->oldest) = family;
    families->newest = family;
}

void family_deliver(struct family *family, struct mono now)
{
    if (!family->has_delivered || now.us > family->delivered.us) {
        family->has_delivered = true;
        family->delivered = now;
    }
}
