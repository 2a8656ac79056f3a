/* map.c - open addressing with linear probing and backward-shift deletion (no tombstones). */
#include "base/map.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct map_slot {
    void *key; /* owned copy; NULL marks a free slot */
    size_t key_bytes;
    uint64_t hash;
    void *value;
};

static uint64_t map_hash(const struct map *map, const void *key, size_t key_bytes)
{
    unsigned char out[crypto_shorthash_BYTES];
    _Static_assert(sizeof out == sizeof(uint64_t), "SipHash-2-4 gives 64 bits");
    crypto_shorthash(out, key, key_bytes, map->seed);
    uint64_t hash;
    memcpy(&hash, out, sizeof hash);
    return hash;
}

void map_init(struct map *map, size_t count_max)
{
    *map = (struct map){.count_max = count_max};
    randombytes_buf(map->seed, sizeof map->seed);
}

void map_done(struct map *map)
{
    for (size_t i = 0; i < map->capacity; i++) {
        free(map->slots[i].key);
    }
    free(map->slots);
    map->slots = NULL;
    map->capacity = 0;
    map->count = 0;
}

/* The slot holding the key, or the free slot where it belongs. The table is never full. */
static size_t map_find(const struct map *map, const void *key, size_t key_bytes, uint64_t hash)
{
    size_t mask = map->capacity - 1;
    size_t at = (size_t)hash & mask;
    for (;; at = (at + 1) & mask) {
        const struct map_slot *slot = &map->slots[at];
        if (!slot->key) {
            return at;
        }
        if (slot->hash == hash && slot->key_bytes == key_bytes &&
            memcmp(slot->key, key, key_bytes) == 0) {
            return at;
        }
    }
}

void *map_get(const struct map *map, const void *key, size_t key_bytes)
{
    if (map->count == 0) {
        return NULL;
    }
    size_t at = map_find(map, key, key_bytes, map_hash(map, key, key_bytes));
    return map->slots[at].key ? map->slots[at].value : NULL;
}

static bool map_grow(struct map *map)
{
    size_t capacity = map->capacity ? map->capacity * 2 : 16;
    if (capacity < map->capacity || capacity > SIZE_MAX / sizeof(struct map_slot)) {
        return false;
    }
    struct map_slot *slots = calloc(capacity, sizeof *slots);
    if (!slots) {
        return false;
    }
    size_t mask = capacity - 1;
    for (size_t i = 0; i < map->capacity; i++) {
        if (!map->slots[i].key) {
            continue;
        }
        size_t at = (size_t)map->slots[i].hash & mask;
        while (slots[at].key) {
            at = (at + 1) & mask;
        }
        slots[at] = map->slots[i];
    }
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return true;
}

bool map_put(struct map *map, const void *key, size_t key_bytes, void *value)
{
    if (!value || (map->count * 4 >= map->capacity * 3 && !map_grow(map))) {
        return false;
    }
    uint64_t hash = map_hash(map, key, key_bytes);
    struct map_slot *slot = &map->slots[map_find(map, key, key_bytes, hash)];
    if (slot->key) {
        slot->value = value;
        return true;
    }
    if (map->count >= map->count_max) {
        return false;
    }
    void *copy = malloc(key_bytes ? key_bytes : 1);
    if (!copy) {
        return false;
    }
    memcpy(copy, key, key_bytes);
    *slot = (struct map_slot){.key = copy, .key_bytes = key_bytes, .hash = hash, .value = value};
    map->count++;
    return true;
}

void *map_remove(struct map *map, const void *key, size_t key_bytes)
{
    if (map->count == 0) {
        return NULL;
    }
    size_t mask = map->capacity - 1;
    size_t hole = map_find(map, key, key_bytes, map_hash(map, key, key_bytes));
    if (!map->slots[hole].key) {
        return NULL;
    }
    void *value = map->slots[hole].value;
    free(map->slots[hole].key);
    /* Close the gap: move back every follower that may not stand before its home slot. */
    for (size_t at = (hole + 1) & mask; map->slots[at].key; at = (at + 1) & mask) {
        size_t home = (size_t)map->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (struct map_slot){0};
    map->count--;
    return value;
}

void *map_next(const struct map *map, size_t *position)
{
    while (*position < map->capacity) {
        const struct map_slot *slot = &map->slots[(*position)++];
        if (slot->key) {
            return slot->value;
        }
    }
    return NULL;
}
