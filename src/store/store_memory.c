/* store_memory.c - keeps calls in a hash map, in a ring ordered by commit so that the oldest can be
 * forgotten. Nothing reaches a disk. */
#include "base/map.h"
#include "store/store_internal.h"

#include <stdlib.h>
#include <string.h>

struct kept_call {
    struct store_call call;
    struct kept_call *older;
    struct kept_call *newer;
};

struct memory_keeper {
    struct map calls; /* interaction id -> struct kept_call */
    size_t calls_max;
    struct kept_call *oldest;
    struct kept_call *newest;
};

static void unlink_kept(struct memory_keeper *keeper, struct kept_call *kept)
{
    *(kept->older ? &kept->older->newer : &keeper->oldest) = kept->newer;
    *(kept->newer ? &kept->newer->older : &keeper->newest) = kept->older;
    kept->older = NULL;
    kept->newer = NULL;
}

static void append_kept(struct memory_keeper *keeper, struct kept_call *kept)
{
    kept->older = keeper->newest;
    *(keeper->newest ? &keeper->newest->newer : &keeper->oldest) = kept;
    keeper->newest = kept;
}

static void forget_oldest(struct memory_keeper *keeper)
{
    struct kept_call *kept = keeper->oldest;
    map_remove(&keeper->calls, kept->call.interaction_id, strlen(kept->call.interaction_id));
    unlink_kept(keeper, kept);
    free(kept);
}

/* The kept entry for this id, made if needed; NULL without memory. */
static struct kept_call *entry_for(struct memory_keeper *keeper, const char *id)
{
    struct kept_call *kept = map_get(&keeper->calls, id, strlen(id));
    if (kept) {
        unlink_kept(keeper, kept);
        append_kept(keeper, kept);
        return kept;
    }
    if (keeper->calls.count >= keeper->calls_max) {
        forget_oldest(keeper);
    }
    kept = calloc(1, sizeof *kept);
    if (!kept || !map_put(&keeper->calls, id, strlen(id), kept)) {
        free(kept);
        return NULL;
    }
    append_kept(keeper, kept);
    return kept;
}

/* All or nothing: entries are made first, and only filled when every one is there. */
static int memory_commit(void *state, const struct store_call *calls, size_t count,
                         struct error *err)
{
    struct memory_keeper *keeper = state;
    for (size_t i = 0; i < count; i++) {
        struct kept_call *kept = entry_for(keeper, calls[i].interaction_id);
        if (!kept) {
            return error_set_retriable(err, ERROR_MEMORY, "no memory to remember a call");
        }
        if (kept->call.interaction_id[0] == '\0') {
            memcpy(kept->call.interaction_id, calls[i].interaction_id, STORE_ID_BYTES);
            kept->call.newest_end_ms = -1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const char *id = calls[i].interaction_id;
        struct kept_call *kept = map_get(&keeper->calls, id, strlen(id));
        if (kept) {
            kept->call = calls[i];
        }
    }
    return 0;
}

static int memory_load(void *state, const char *interaction_id, struct store_call *call,
                       bool *found, struct error *err)
{
    (void)err;
    struct memory_keeper *keeper = state;
    const struct kept_call *kept = map_get(&keeper->calls, interaction_id, strlen(interaction_id));
    *found = kept != NULL;
    if (kept) {
        *call = kept->call;
    }
    return 0;
}

static size_t memory_count(const void *state)
{
    const struct memory_keeper *keeper = state;
    return keeper->calls.count;
}

static void memory_close(void *state)
{
    struct memory_keeper *keeper = state;
    while (keeper->oldest) {
        forget_oldest(keeper);
    }
    map_done(&keeper->calls);
    free(keeper);
}

static const struct store_keeper memory_functions = {
    .commit = memory_commit,
    .load = memory_load,
    .count = memory_count,
    .close = memory_close,
};

int store_open_memory(struct store **store, size_t calls_max, struct error *err)
{
    *store = NULL;
    struct memory_keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper) {
        return error_set(err, ERROR_MEMORY, "no memory for the store");
    }
    keeper->calls_max = calls_max ? calls_max : 1;
    map_init(&keeper->calls, keeper->calls_max);
    return store_create(store, &memory_functions, keeper, err);
}
