/* store_memory.c - keeps where calls were left in a hash map, in a ring ordered by commit so that
 * the oldest can be forgotten. Nothing reaches a disk, so heads, pages and intents, which only a
 * later process could use, are not kept. */
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
    uint64_t last_number;
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

static void forget_kept(struct memory_keeper *keeper, struct kept_call *kept)
{
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
        forget_kept(keeper, keeper->oldest);
    }
    kept = calloc(1, sizeof *kept);
    if (!kept || !map_put(&keeper->calls, id, strlen(id), kept)) {
        free(kept);
        return NULL;
    }
    kept->call.newest_end_ms = -1;
    memcpy(kept->call.interaction_id, id, strlen(id) + 1);
    append_kept(keeper, kept);
    return kept;
}

/* All or nothing: entries are made first, and only filled when every one is there. */
static int memory_commit(void *state, const struct store_batch *batch, struct error *err)
{
    struct memory_keeper *keeper = state;
    if (batch->number <= keeper->last_number) {
        return 0;
    }
    for (size_t i = 0; i < batch->count; i++) {
        if (!entry_for(keeper, batch->items[i]->change.call.interaction_id)) {
            return error_set_retriable(err, ERROR_MEMORY, "no memory to remember a call");
        }
    }
    for (size_t i = 0; i < batch->count; i++) {
        const struct store_call *call = &batch->items[i]->change.call;
        struct kept_call *kept =
            map_get(&keeper->calls, call->interaction_id, strlen(call->interaction_id));
        if (kept) {
            kept->call = *call;
        }
    }
    keeper->last_number = batch->number;
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

static int memory_visit(void *state, store_visit_fn *visit, void *user, struct error *err)
{
    (void)err;
    const struct memory_keeper *keeper = state;
    for (const struct kept_call *kept = keeper->oldest; kept; kept = kept->newer) {
        struct store_saved saved = {.call = kept->call};
        if (!kept->call.closed && !visit(user, &saved)) {
            break;
        }
    }
    return 0;
}

static int memory_forget(void *state, const char *interaction_id, bool *found, struct error *err)
{
    (void)err;
    struct memory_keeper *keeper = state;
    struct kept_call *kept = map_get(&keeper->calls, interaction_id, strlen(interaction_id));
    *found = kept != NULL;
    if (kept) {
        forget_kept(keeper, kept);
    }
    return 0;
}

static void memory_tend(void *state, struct wall now)
{
    (void)state;
    (void)now;
}

static void memory_count(void *state, struct store_counts *counts)
{
    const struct memory_keeper *keeper = state;
    for (const struct kept_call *kept = keeper->oldest; kept; kept = kept->newer) {
        counts->closed += kept->call.closed;
        counts->live += !kept->call.closed;
    }
}

static void memory_close(void *state)
{
    struct memory_keeper *keeper = state;
    while (keeper->oldest) {
        forget_kept(keeper, keeper->oldest);
    }
    map_done(&keeper->calls);
    free(keeper);
}

static const struct store_keeper memory_functions = {
    .commit = memory_commit,
    .load = memory_load,
    .visit = memory_visit,
    .forget = memory_forget,
    .tend = memory_tend,
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
    return store_create(store, &(struct store_setup){.keeper = &memory_functions, .state = keeper},
                        err);
}
