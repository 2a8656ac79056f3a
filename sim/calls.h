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
#include "sim/lifecycle.h"
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
    char master[OPTIONS_ID_BYTES_MAX + 1];   /* the first call's of a chain of transfers */
    char queue[OPTIONS_ID_BYTES_MAX + 1];    /* or "" */
    char language[OPTIONS_ID_BYTES_MAX + 1]; /* or "" */
    enum corpus_source source;
    struct timeline timeline;
    struct lifecycle lifecycle;
    int64_t origin_ms;        /* vendor time of the conversation's beginning */
    int64_t state_known_ms;   /* up to here the ledger has the changes of state, and */
    size_t next_event;        /* up to this one of timeline.events the utterances */
    struct conversation rest; /* for the call that takes over; or zeroed */
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

/* Brings every call up to `now`: what became visible, who ended, who expired, which transferred
 * call goes on under another id. */
void calls_advance(struct calls *calls, struct calls_now now);

/* How the list of live calls shows it, and since when (vendor time). */
enum lifecycle_state calls_state(const struct call *call, struct calls_now now, int64_t *since_ms);

/* The call of this id, brought up to `now`; NULL for none. Valid until calls_advance. */
struct call *calls_find(struct calls *calls, const char *id, size_t id_bytes, struct calls_now now);

enum { CALLS_UUID_BYTES = 37 };

/* An id of 1 to OPTIONS_ID_BYTES_MAX bytes that only careful readers can put into an address. */
void calls_odd_id(uint64_t seed, uint64_t ordinal, char out[OPTIONS_ID_BYTES_MAX + 1]);

/* A version 4 UUID (RFC 9562) made of the seed and an ordinal instead of chance. */
const char *calls_uuid(uint64_t seed, uint64_t ordinal, char out[CALLS_UUID_BYTES]);

#endif
