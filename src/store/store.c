/* store.c - passes each call on to the keeper that was opened, and gives one that may block a
 * thread to write on. There is one slot: a batch goes in, is decided, and is collected before the
 * next one; whoever has more to keep meanwhile gathers it, which is what makes batches grow with
 * the time that a disk takes. */
#include "store/store_internal.h"

#include <pthread.h>
#include <stdlib.h>

enum slot_state { SLOT_EMPTY, SLOT_SUBMITTED, SLOT_DECIDED };

struct store {
    const struct store_keeper *keeper;
    void *state;
    uint64_t last_number;
    store_wake_fn *wake;
    void *user;

    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    enum slot_state slot;
    struct store_batch *batch;
    struct error fate;
    bool tend;
    bool working; /* the thread is at the keeper */
    bool closing;
    struct wall now;
};

/* --- the writing thread ---------------------------------------------------------------------- */

static void write_batch(struct store *store)
{
    struct error fate = {.code = ERROR_NONE};
    struct store_batch *batch = store->batch;
    pthread_mutex_unlock(&store->mutex);
    (void)store->keeper->commit(store->state, batch, &fate);
    pthread_mutex_lock(&store->mutex);
    store->fate = fate;
    store->slot = SLOT_DECIDED;
    pthread_cond_broadcast(&store->changed);
    if (store->wake) {
        store->wake(store->user);
    }
    if (store->keeper->after) {
        pthread_mutex_unlock(&store->mutex);
        store->keeper->after(store->state);
        pthread_mutex_lock(&store->mutex);
    }
}

static void *run_writer(void *argument)
{
    struct store *store = argument;
    pthread_mutex_lock(&store->mutex);
    while (!store->closing || store->slot == SLOT_SUBMITTED || store->tend) {
        if (store->slot == SLOT_SUBMITTED) {
            store->working = true;
            write_batch(store);
        } else if (store->tend) {
            struct wall now = store->now;
            store->working = true;
            store->tend = false;
            pthread_mutex_unlock(&store->mutex);
            store->keeper->tend(store->state, now);
            pthread_mutex_lock(&store->mutex);
        } else {
            pthread_cond_wait(&store->changed, &store->mutex);
        }
        store->working = false;
        pthread_cond_broadcast(&store->changed);
    }
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}

/* --- the owner's side ------------------------------------------------------------------------ */

int store_create(struct store **store, const struct store_setup *setup, struct error *err)
{
    struct store *made = calloc(1, sizeof *made);
    if (!made) {
        setup->keeper->close(setup->state);
        return error_set(err, ERROR_MEMORY, "no memory for the store");
    }
    made->keeper = setup->keeper;
    made->state = setup->state;
    made->last_number = setup->last_number;
    made->wake = setup->wake;
    made->user = setup->user;
    (void)pthread_mutex_init(&made->mutex, NULL);
    (void)pthread_cond_init(&made->changed, NULL);
    if (made->keeper->blocking) {
        made->has_thread = pthread_create(&made->thread, NULL, run_writer, made) == 0;
        if (!made->has_thread) {
            store_close(made);
            return error_set(err, ERROR_MEMORY, "no thread for the store");
        }
    }
    *store = made;
    return 0;
}

bool store_is_durable(const struct store *store)
{
    return store->keeper->blocking;
}

void store_submit(struct store *store, struct store_batch *batch, struct wall now)
{
    if (batch->number == 0) {
        batch->number = ++store->last_number;
    }
    batch->now = now;
    pthread_mutex_lock(&store->mutex);
    store->batch = batch;
    if (store->keeper->blocking) {
        store->slot = SLOT_SUBMITTED;
        pthread_cond_broadcast(&store->changed);
    } else {
        store->fate = (struct error){.code = ERROR_NONE};
        (void)store->keeper->commit(store->state, batch, &store->fate);
        store->slot = SLOT_DECIDED;
    }
    pthread_mutex_unlock(&store->mutex);
}

struct store_batch *store_collect(struct store *store, struct error *err)
{
    struct store_batch *batch = NULL;
    pthread_mutex_lock(&store->mutex);
    if (store->slot == SLOT_DECIDED) {
        batch = store->batch;
        *err = store->fate;
        store->batch = NULL;
        store->slot = SLOT_EMPTY;
    }
    pthread_mutex_unlock(&store->mutex);
    return batch;
}

void store_wait(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    while (store->slot == SLOT_SUBMITTED) {
        pthread_cond_wait(&store->changed, &store->mutex);
    }
    pthread_mutex_unlock(&store->mutex);
}

int store_load(struct store *store, const char *interaction_id, struct store_call *call,
               bool *found, struct error *err)
{
    return store->keeper->load(store->state, interaction_id, call, found, err);
}

int store_load_live(struct store *store, store_visit_fn *visit, void *user, struct error *err)
{
    return store->keeper->visit(store->state, visit, user, err);
}

int store_forget(struct store *store, const char *interaction_id, bool *found, struct error *err)
{
    pthread_mutex_lock(&store->mutex);
    while (store->slot == SLOT_SUBMITTED || store->working) {
        pthread_cond_wait(&store->changed, &store->mutex);
    }
    int result = store->keeper->forget(store->state, interaction_id, found, err);
    pthread_mutex_unlock(&store->mutex);
    return result;
}

void store_tend(struct store *store, struct wall now)
{
    if (!store->keeper->blocking) {
        store->keeper->tend(store->state, now);
        return;
    }
    pthread_mutex_lock(&store->mutex);
    store->tend = true;
    store->now = now;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->mutex);
}

void store_count(struct store *store, struct store_counts *counts)
{
    *counts = (struct store_counts){0};
    store->keeper->count(store->state, counts);
}

void store_close(struct store *store)
{
    if (!store) {
        return;
    }
    if (store->has_thread) {
        pthread_mutex_lock(&store->mutex);
        store->closing = true;
        pthread_cond_broadcast(&store->changed);
        pthread_mutex_unlock(&store->mutex);
        (void)pthread_join(store->thread, NULL);
    }
    store->keeper->close(store->state);
    store_batch_destroy(store->batch);
    (void)pthread_cond_destroy(&store->changed);
    (void)pthread_mutex_destroy(&store->mutex);
    free(store);
}
