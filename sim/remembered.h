/* remembered.h - which suggestion was accepted under which Idempotency-Key. */
#ifndef SIM_REMEMBERED_H
#define SIM_REMEMBERED_H

#include "base/map.h"
#include "sim/calls.h"

#include <stddef.h>

enum { REMEMBERED_MAX = 4096 };

struct remembered_entry {
    char *key; /* owned; NULL for a free slot */
    unsigned long long body_hash;
    char suggestion_id[CALLS_UUID_BYTES];
};

/* A ring: the oldest is forgotten. */
struct remembered {
    struct map by_key;
    struct remembered_entry entries[REMEMBERED_MAX];
    size_t next;
};

void remembered_init(struct remembered *remembered);
void remembered_done(struct remembered *remembered);

/* NULL for an unknown key, or none. */
const struct remembered_entry *remembered_find(const struct remembered *remembered,
                                               const char *key);

/* Without memory the key is simply not remembered. */
void remembered_add(struct remembered *remembered, const char *key, unsigned long long body_hash,
                    const char *suggestion_id);

#endif
