/* map.h - a bounded hash map from byte-string keys to pointers.
 *
 * Keys are copied; values are the caller's. The hash is seeded per map (SipHash through
 * libsodium), so a hostile peer cannot choose colliding keys. Iteration order is unspecified.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot;

struct map {
    struct map_slot *slots;
    size_t capacity; /* power of two, or 0 */
    size_t count;
    size_t count_max;
    unsigned char seed[16];
};

/* A map for at most count_max entries; allocates nothing yet. */
void map_init(struct map *map, size_t count_max);

/* Frees keys and table, not the values. Accepts a zeroed map. */
void map_done(struct map *map);

/* NULL when absent. */
void *map_get(const struct map *map, const void *key, size_t key_bytes);

/* Inserts or replaces; value must not be NULL. False at count_max or without memory: unchanged. */
bool map_put(struct map *map, const void *key, size_t key_bytes, void *value);

/* Removes the entry and returns its value, or NULL. */
void *map_remove(struct map *map, const void *key, size_t key_bytes);

/* Walks all entries: start with *position = 0; returns values until NULL. The map must not change
 * during the walk. */
void *map_next(const struct map *map, size_t *position);

#endif
