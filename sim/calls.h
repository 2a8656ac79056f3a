/* calls.h - the calls that exist: started, live, ended but readable, expired.
 *
 * Time is handed in, on two clocks: conversations run on the vendor clock, lingering on the
 * monotonic one. Whatever happens to a call goes to the ledger here.
 */
#ifndef SIM_CALLS_H
#define SIM_CALLS_H

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "net/limiter.h"
#include "sim/attributes.h"
#include "sim/corpus.h"
#include "sim/ledger.h"
#include "sim/options.h"
#include "sim/timeline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A moment on both clocks. */
struct calls_now {
    struct mono mono;
    int64_t vendor_ms;
};

struct call {
    char id[OPTIONS_ID_BYTES_MAX + 1];
    struct timeline timeline;
    size_t next_event; /* the first of timeline.events that the ledger does not have */
    bool ended;
    struct mono expires; /* once ended */
    struct limiter limiter;
    struct attributes attributes;
};

struct calls {
    const struct options *options; /* borrowed, as the next two */
    const struct corpus *corpus;
    struct ledger *ledger;
    struct map by_id;
    struct call **list;
    size_t count;
    size_t capacity;
    size_t live;
    uint64_t started;
};

void calls_init(struct calls *calls, const struct options *options, const struct corpus *corpus,
                struct ledger *ledger);

/* Frees all calls. The ledger gets their last lines (call_expired). */
void calls_done(struct calls *calls);

/* Starts calls until options->calls are live. Only the first ones begin in the middle. */
int calls_fill(struct calls *calls, struct calls_now now, struct error *err);

/* Brings every call up to `now`: what became visible, who ended, who expired. */
void calls_advance(struct calls *calls, struct calls_now now);

/* The call of this id, brought up to `now`; NULL for none. Valid until calls_advance. */
struct call *calls_find(struct calls *calls, const char *id, size_t id_bytes, struct calls_now now);

enum { CALLS_UUID_BYTES = 37 };

/* A version 4 UUID (RFC 9562) made of the seed and an ordinal instead of chance. */
const char *calls_uuid(uint64_t seed, uint64_t ordinal, char out[CALLS_UUID_BYTES]);

#endif
