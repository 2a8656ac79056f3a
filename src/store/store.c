/* store.c - passes each call on to the keeper that was opened. */
#include "store/store_internal.h"

#include <stdlib.h>

struct store {
    const struct store_keeper *keeper;
    void *state;
};

int store_create(struct store **store, const struct store_keeper *keeper, void *state,
                 struct error *err)
{
    *store = malloc(sizeof **store);
    if (!*store) {
        keeper->close(state);
        return error_set(err, ERROR_MEMORY, "no memory for the store");
    }
    **store = (struct store){.keeper = keeper, .state = state};
    return 0;
}

int store_commit(struct store *store, const struct store_call *calls, size_t count,
                 struct error *err)
{
    return store->keeper->commit(store->state, calls, count, err);
}

int store_load(struct store *store, const char *interaction_id, struct store_call *call,
               bool *found, struct error *err)
{
    return store->keeper->load(store->state, interaction_id, call, found, err);
}

size_t store_count(const struct store *store)
{
    return store->keeper->count(store->state);
}

void store_close(struct store *store)
{
    if (store) {
        store->keeper->close(store->state);
        free(store);
    }
}
