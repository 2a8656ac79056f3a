/* result_cache.c - see result_cache.h. Set-associative, as in a processor: a key may lie in one of
 * eight places side by side, so that finding, placing and putting out are one short scan and
 * nothing is ever moved or allocated. Within a set a clock hand passes over what was used since it
 * last came by. Sets are spread over shards with a mutex each, held for one scan, so that workers
 * meet at one only by chance.
 *
 * It does not wait for an answer that another worker is just making: both make it, and the second
 * overwrites the first with the same bytes. */
#include "nlp/result_cache.h"

#include "base/keyhash.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>

enum { WAYS = 8, SHARDS = 16, CACHE_LINE_BYTES = 64 };

struct entry {
    struct result_cache_key key;
    struct scorer_result result;
    bool filled;
    bool used; /* since the hand last passed */
};

struct set {
    struct entry entries[WAYS];
    unsigned hand;
};

struct shard {
    alignas(CACHE_LINE_BYTES) pthread_mutex_t mutex;
    struct result_cache_counts counts;
};

struct result_cache {
    struct shard shards[SHARDS];
    unsigned char keys[2][KEYHASH_SHORT_KEY_BYTES];
    struct set *sets;
    size_t set_mask;
};

int result_cache_create(struct result_cache **cache, size_t entries, struct error *err)
{
    *cache = NULL;
    if (entries == 0 || entries > RESULT_CACHE_ENTRIES_MAX) {
        return error_set(err, ERROR_LIMIT, "a cache of answers holds 1 to %d, not %zu",
                         (int)RESULT_CACHE_ENTRIES_MAX, entries);
    }
    size_t sets = SHARDS;
    while (sets * WAYS < entries) {
        sets *= 2;
    }
    struct result_cache *made = aligned_alloc(CACHE_LINE_BYTES, sizeof *made);
    if (made) {
        *made = (struct result_cache){.set_mask = sets - 1};
        made->sets = calloc(sets, sizeof *made->sets);
    }
    if (!made || !made->sets) {
        free(made);
        return error_set(err, ERROR_MEMORY, "no memory to keep %zu answers; lower the number",
                         entries);
    }
    keyhash_random_bytes(made->keys, sizeof made->keys);
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&made->shards[i].mutex, NULL);
    }
    *cache = made;
    return 0;
}

void result_cache_destroy(struct result_cache *cache)
{
    if (!cache) {
        return;
    }
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&cache->shards[i].mutex);
    }
    keyhash_wipe(cache->keys, sizeof cache->keys); /* with them, texts could be guessed */
    free(cache->sets);
    free(cache);
}

struct result_cache_key result_cache_key(const struct result_cache *cache, const void *bytes,
                                         size_t size)
{
    return (struct result_cache_key){
        .high = keyhash_short(cache->keys[0], bytes, size),
        .low = keyhash_short(cache->keys[1], bytes, size),
    };
}

static struct set *set_of(const struct result_cache *cache, struct result_cache_key key)
{
    return &cache->sets[key.low & cache->set_mask];
}

static struct shard *shard_of(struct result_cache *cache, struct result_cache_key key)
{
    return &cache->shards[key.low % SHARDS];
}

static struct entry *find_entry(struct set *set, struct result_cache_key key)
{
    for (int i = 0; i < WAYS; i++) {
        struct entry *entry = &set->entries[i];
        if (entry->filled && entry->key.low == key.low && entry->key.high == key.high) {
            return entry;
        }
    }
    return NULL;
}

/* An empty place, or the first that was not used since the hand passed it; two rounds suffice. */
static struct entry *choose_place(struct set *set)
{
    for (;;) {
        struct entry *entry = &set->entries[set->hand];
        set->hand = (set->hand + 1) % WAYS;
        if (!entry->filled || !entry->used) {
            return entry;
        }
        entry->used = false;
    }
}

bool result_cache_find(struct result_cache *cache, struct result_cache_key key,
                       struct scorer_result *result)
{
    struct shard *shard = shard_of(cache, key);
    pthread_mutex_lock(&shard->mutex);
    struct entry *entry = find_entry(set_of(cache, key), key);
    if (entry) {
        entry->used = true;
        *result = entry->result;
        shard->counts.hits++;
    } else {
        shard->counts.misses++;
    }
    pthread_mutex_unlock(&shard->mutex);
    return entry != NULL;
}

void result_cache_put(struct result_cache *cache, struct result_cache_key key,
                      const struct scorer_result *result)
{
    struct shard *shard = shard_of(cache, key);
    struct set *set = set_of(cache, key);
    pthread_mutex_lock(&shard->mutex);
    struct entry *entry = find_entry(set, key);
    if (!entry) {
        entry = choose_place(set);
        shard->counts.evictions += entry->filled;
    }
    /* Not marked used: what is never asked for again goes before what is. */
    *entry = (struct entry){.key = key, .result = *result, .filled = true};
    pthread_mutex_unlock(&shard->mutex);
}

struct result_cache_counts result_cache_counts(struct result_cache *cache)
{
    struct result_cache_counts sum = {0};
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->mutex);
        sum.hits += shard->counts.hits;
        sum.misses += shard->counts.misses;
        sum.evictions += shard->counts.evictions;
        pthread_mutex_unlock(&shard->mutex);
    }
    return sum;
}
