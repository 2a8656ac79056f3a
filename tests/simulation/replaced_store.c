/* replaced_store.c - store/store.h on a simulated disk, which outlives the daemon.
 *
 * A batch is kept wholly or not at all; what was told as kept stays. One that is under way when the
 * daemon dies is kept or lost by chance. Numbers are heeded as the file's keeper does: a batch
 * whose number was kept before changes nothing. */
#include "disk.h"

#include "base/map.h"
#include "store/store_internal.h"
#include "vendor.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { CALLS_MAX = 65536, PAGES_MAX = 160 /* kept of one call at a time */ };

struct kept {
    struct store_call call;
    void *head;
    size_t head_bytes;
    struct store_page pages[PAGES_MAX]; /* by number */
    uint32_t page_count;
    enum store_suggestion_state suggestion;
};

static struct {
    struct kept **calls; /* in the order in which they came */
    size_t count;
    struct map by_id;
    uint64_t last_number;
    uint64_t commits;
} disk;

struct store {
    store_wake_fn *wake;
    void *user;
    uint64_t last_number;
    struct store_batch *batch;
    bool decided;
    struct error fate;
    struct world_event *event;
    bool durable;
    uint64_t unknown_at_open;
};

/* --- the disk -------------------------------------------------------------------------------- */

static void forget_state(struct kept *kept)
{
    free(kept->head);
    kept->head = NULL;
    kept->head_bytes = 0;
    for (uint32_t i = 0; i < kept->page_count; i++) {
        free((void *)(uintptr_t)kept->pages[i].bytes);
        kept->pages[i] = (struct store_page){0};
    }
    kept->page_count = 0;
}

void disk_erase(void)
{
    for (size_t i = 0; i < disk.count; i++) {
        forget_state(disk.calls[i]);
        free(disk.calls[i]);
    }
    free(disk.calls);
    map_done(&disk.by_id);
    memset(&disk, 0, sizeof disk);
    map_init(&disk.by_id, CALLS_MAX);
}

static struct kept *find(const char *id)
{
    return map_get(&disk.by_id, id, strlen(id));
}

static struct kept *find_or_add(const char *id)
{
    struct kept *kept = find(id);
    if (kept) {
        return kept;
    }
    kept = calloc(1, sizeof *kept);
    struct kept **calls = realloc(disk.calls, (disk.count + 1) * sizeof(struct kept *));
    if (!kept || !calls || !map_put(&disk.by_id, id, strlen(id), kept)) {
        abort();
    }
    disk.calls = calls;
    disk.calls[disk.count++] = kept;
    return kept;
}

static void *duplicate(const void *bytes, size_t size)
{
    void *made = malloc(size ? size : 1);
    if (!made) {
        abort();
    }
    if (size > 0) {
        memcpy(made, bytes, size);
    }
    return made;
}

static void write_page(struct kept *kept, const struct store_page *page)
{
    uint32_t at = 0;
    while (at < kept->page_count && kept->pages[at].number < page->number) {
        at++;
    }
    struct store_page *place = &kept->pages[at];
    size_t behind = (kept->page_count - at) * sizeof *place;
    if (at < kept->page_count && place->number == page->number) {
        free((void *)(uintptr_t)place->bytes);
        behind -= sizeof *place;
        if (page->size == 0) {
            memmove(place, place + 1, behind);
            kept->page_count--;
            return;
        }
    } else if (page->size == 0) {
        return;
    } else if (kept->page_count == PAGES_MAX) {
        world_fail("%s: more pages than a bounded call can have", kept->call.interaction_id);
        return;
    } else {
        memmove(place + 1, place, behind);
        kept->page_count++;
    }
    *place = *page;
    place->bytes = duplicate(page->bytes, page->size);
}

static void write_change(const struct store_change *change)
{
    struct kept *kept = find_or_add(change->call.interaction_id);
    kept->call = change->call;
    if (change->call.closed) {
        forget_state(kept);
    }
    if (!change->call.closed && change->head) {
        free(kept->head);
        kept->head = duplicate(change->head, change->head_bytes);
        kept->head_bytes = change->head_bytes;
    }
    for (size_t i = 0; !change->call.closed && i < change->page_count; i++) {
        write_page(kept, &change->pages[i]);
    }
    if (change->suggestion) {
        kept->suggestion = change->suggestion->state;
    }
}

static void write_batch(const struct store_batch *batch)
{
    if (batch->number <= disk.last_number) {
        return;
    }
    for (size_t i = 0; i < batch->count; i++) {
        write_change(&batch->items[i]->change);
    }
    disk.last_number = batch->number;
    disk.commits++;
}

size_t disk_live_calls(void)
{
    size_t live = 0;
    for (size_t i = 0; i < disk.count; i++) {
        live += !disk.calls[i]->call.closed;
    }
    return live;
}

size_t disk_bytes(void)
{
    size_t bytes = 0;
    for (size_t i = 0; i < disk.count; i++) {
        bytes += disk.calls[i]->head_bytes;
        for (uint32_t n = 0; n < disk.calls[i]->page_count; n++) {
            bytes += disk.calls[i]->pages[n].size;
        }
    }
    return bytes;
}

/* --- the store ------------------------------------------------------------------------------- */

static void on_decided(void *user)
{
    struct store *store = user;
    store->event = NULL;
    store->fate = (struct error){.code = ERROR_NONE};
    if (plan_strike(the_vendor->plan, FAULT_DISK_FULL, OPERATION_TRANSCRIPTS)) {
        error_set_retriable(&store->fate, ERROR_IO, "simulated: the disk is full");
    } else {
        write_batch(store->batch);
    }
    store->decided = true;
    if (store->wake) {
        store->wake(store->user);
    }
}

void store_submit(struct store *store, struct store_batch *batch, struct wall now)
{
    if (store->batch) {
        world_fail("a batch is submitted while another is under way");
    }
    if (batch->number == 0) {
        batch->number = ++store->last_number;
    }
    batch->now = now;
    store->batch = batch;
    if (!store->durable) {
        store->fate = (struct error){.code = ERROR_NONE};
        write_batch(batch);
        store->decided = true;
        return;
    }
    if (world_act()) {
        const struct fault *slow = plan_in_force(the_vendor->plan, FAULT_DISK_SLOW);
        int64_t takes_us = world_between(300, 6000);
        takes_us += slow ? world_between(0, slow->value) * 1000 : 0;
        store->event = world_after_us(takes_us, on_decided, store);
    }
}

struct store_batch *store_collect(struct store *store, struct error *err)
{
    struct store_batch *batch = store->decided ? store->batch : NULL;
    if (batch) {
        *err = store->fate;
        store->batch = NULL;
        store->decided = false;
    }
    return batch;
}

void store_wait(struct store *store)
{
    (void)store;
}

/* A batch that was under way may have been kept though nobody was told. */
void store_close(struct store *store)
{
    if (!store) {
        return;
    }
    if (store->event) {
        world_cancel(store->event);
        if (!world_is_dead() || world_chance(0.5)) {
            write_batch(store->batch);
        }
    }
    store_batch_destroy(store->batch);
    free(store);
}

static int open_store(struct store **store, bool durable, struct error *err)
{
    *store = calloc(1, sizeof **store);
    if (!*store) {
        return error_set(err, ERROR_MEMORY, "no memory for a store");
    }
    (*store)->durable = durable;
    (*store)->last_number = disk.last_number;
    for (size_t i = 0; i < disk.count; i++) {
        if (disk.calls[i]->suggestion == STORE_SUGGESTION_INTENDED) {
            disk.calls[i]->suggestion = STORE_SUGGESTION_UNKNOWN;
            (*store)->unknown_at_open++;
        }
    }
    return 0;
}

int store_open_memory(struct store **store, size_t calls_max, struct error *err)
{
    (void)calls_max;
    disk_erase();
    return open_store(store, false, err);
}

int store_open_file(struct store **store, const struct store_file_options *options,
                    struct error *err)
{
    int result = open_store(store, true, err);
    if (!result) {
        (*store)->wake = options->wake;
        (*store)->user = options->user;
    }
    return result;
}

bool store_is_durable(const struct store *store)
{
    return store->durable;
}

int store_load(struct store *store, const char *interaction_id, struct store_call *call,
               bool *found, struct error *err)
{
    (void)store;
    (void)err;
    const struct kept *kept = find(interaction_id);
    *found = kept != NULL;
    if (kept) {
        *call = kept->call;
    }
    return 0;
}

int store_load_live(struct store *store, store_visit_fn *visit, void *user, struct error *err)
{
    (void)store;
    (void)err;
    for (size_t i = 0; i < disk.count; i++) {
        const struct kept *kept = disk.calls[i];
        struct store_page pages[PAGES_MAX];
        struct store_saved saved = {
            .call = kept->call, .head = kept->head, .head_bytes = kept->head_bytes, .pages = pages};
        for (uint32_t n = 0; n < kept->page_count; n++) {
            if (kept->pages[n].bytes) {
                pages[saved.page_count++] = kept->pages[n];
            }
        }
        if (!kept->call.closed && !visit(user, &saved)) {
            break;
        }
    }
    return 0;
}

int store_forget(struct store *store, const char *interaction_id, bool *found, struct error *err)
{
    (void)store;
    (void)interaction_id;
    (void)err;
    *found = false;
    return 0;
}

void store_tend(struct store *store, struct wall now)
{
    (void)store;
    (void)now;
}

void store_count(struct store *store, struct store_counts *counts)
{
    *counts = (struct store_counts){.live = disk_live_calls(),
                                    .bytes = disk_bytes(),
                                    .unknown_at_open = store->unknown_at_open};
    counts->closed = disk.count - counts->live;
}

int store_key_read(const char *path, bool make, struct keyhash *key, struct error *err)
{
    (void)path;
    (void)make;
    (void)err;
    memset(key->key, 7, sizeof key->key);
    return 0;
}
