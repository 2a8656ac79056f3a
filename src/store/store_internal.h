/* store/store_internal.h - what a keeper implements; private to the room. */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/store.h"

/* One change with all it points to, in one block. */
struct store_item {
    struct store_change change;
    struct store_suggestion suggestion;
    struct store_page pages[];
};

struct store_batch {
    uint64_t number; /* 0 until it is submitted */
    struct wall now;
    struct store_item **items;
    size_t count;
    size_t capacity;
};

/* Functions of one keeper. commit, after, tend and forget are never called at the same time; load,
 * visit and count may be called on another thread meanwhile if `blocking`. */
struct store_keeper {
    bool blocking; /* commit may wait for a disk: it runs on a thread of its own */
    /* Keeps the batch, unless its number is not above the last one kept. */
    int (*commit)(void *keeper, const struct store_batch *batch, struct error *err);
    void (*after)(void *keeper); /* what can wait until a batch was decided; or NULL */
    int (*load)(void *keeper, const char *interaction_id, struct store_call *call, bool *found,
                struct error *err);
    int (*visit)(void *keeper, store_visit_fn *visit, void *user, struct error *err);
    int (*forget)(void *keeper, const char *interaction_id, bool *found, struct error *err);
    void (*tend)(void *keeper, struct wall now);
    void (*count)(void *keeper, struct store_counts *counts);
    void (*close)(void *keeper);
};

struct store_setup {
    const struct store_keeper *keeper;
    void *state;
    uint64_t last_number; /* of the last batch kept */
    store_wake_fn *wake;  /* or NULL */
    void *user;
};

/* Takes ownership of `state` also on failure. */
int store_create(struct store **store, const struct store_setup *setup, struct error *err);

#endif
