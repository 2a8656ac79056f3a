/* api.h - the vendor's HTTP contract over the calls: routing, checks, answers, ledger.
 *
 * sim/README.md lists the endpoints and the order of the checks.
 */
#ifndef SIM_API_H
#define SIM_API_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "net/http_server.h"
#include "net/limiter.h"
#include "sim/calls.h"
#include "sim/fault.h"
#include "sim/ledger.h"
#include "sim/oauth.h"
#include "sim/options.h"

#include <stdint.h>

/* The vendor's clock: begins at real time and runs at its own speed. */
struct api_clock {
    struct mono start;
    int64_t start_ms;
    double speed;
};

enum { API_REMEMBERED_MAX = 4096 };

/* A suggestion that was accepted under an Idempotency-Key. */
struct api_remembered {
    char *key; /* owned; NULL for a free slot */
    unsigned long long body_hash;
    char suggestion_id[CALLS_UUID_BYTES];
};

struct api {
    const struct options *options; /* borrowed, as the next two */
    struct calls *calls;
    struct ledger *ledger;
    struct api_clock clock;
    struct oauth_tokens tokens;
    struct limiter limiter;
    struct fault_plan faults;
    struct timeline_reply reply;
    struct buf body;
    struct map remembered_by_key;
    struct api_remembered remembered[API_REMEMBERED_MAX]; /* a ring: the oldest is forgotten */
    size_t remembered_next;
    uint64_t suggestions;
    uint64_t repeats;
};

void api_init(struct api *api, const struct options *options, struct calls *calls,
              struct ledger *ledger, struct api_clock clock);
void api_done(struct api *api);

/* The two clocks, read together. */
struct calls_now api_now(const struct api *api);

/* An http_handler_fn: `user` is the api. Always answers before it returns. */
void api_handle(void *user, struct http_exchange *exchange);

#endif
