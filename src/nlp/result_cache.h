/* nlp/result_cache.h - answers already given, found again by the text's bytes: speech repeats
 * itself ("okay", "thank you"), and a hit costs well under a microsecond where the model takes
 * milliseconds.
 *
 * Exact: a hit is the very result that scorer_run gave for the same bytes, which is the one it
 * would give again, since an answer does not depend on batch-mates, order or thread. A cache
 * therefore belongs to one scorer and one way with long text; what is in it dies with it.
 *
 * Holds no text. An entry is known by 128 bits of SipHash-2-4 under two random keys made with the
 * cache. Nobody can look for collisions without the keys, and by chance a look-up among 2^20
 * entries meets a wrong one with probability 2^-108: at a thousand a second, five centuries pass
 * before the odds of a single wrong answer reach 2^-64.
 */
#ifndef NLP_RESULT_CACHE_H
#define NLP_RESULT_CACHE_H

#include "base/error.h"
#include "nlp/scorer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESULT_CACHE_ENTRIES_MAX = 1 << 20 };

struct result_cache;

struct result_cache_counts {
    uint64_t hits;
    uint64_t misses;
    uint64_t evictions;
};

/* Room for `entries` results, 1 to RESULT_CACHE_ENTRIES_MAX, rounded up to a power of two of at
 * least 128: about 112 bytes each, allocated here once. Call keyhash_library_init first. */
int result_cache_create(struct result_cache **cache, size_t entries, struct error *err);
void result_cache_destroy(struct result_cache *cache); /* accepts NULL */

/* What a text is known by: made once, used for the look-up and for the entry. */
struct result_cache_key {
    uint64_t high;
    uint64_t low;
};

struct result_cache_key result_cache_key(const struct result_cache *cache, const void *bytes,
                                         size_t size);

/* From any thread. False, and a miss counted, when the answer is not known. */
bool result_cache_find(struct result_cache *cache, struct result_cache_key key,
                       struct scorer_result *result);

/* From any thread. Puts out an entry not used lately where there is no room. */
void result_cache_put(struct result_cache *cache, struct result_cache_key key,
                      const struct scorer_result *result);

/* From any thread: what happened since the start. */
struct result_cache_counts result_cache_counts(struct result_cache *cache);

#endif
