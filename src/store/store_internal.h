/* store/store_internal.h - what a keeper implements; private to the room. */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/store.h"

struct store_keeper {
    int (*commit)(void *keeper, const struct store_call *calls, size_t count, struct error *err);
    int (*load)(void *keeper, const char *interaction_id, struct store_call *call, bool *found,
                struct error *err);
    size_t (*count)(const void *keeper);
    void (*close)(void *keeper);
};

/* Takes ownership of `state` also on failure. */
int store_create(struct store **store, const struct store_keeper *keeper, void *state,
                 struct error *err);

#endif
