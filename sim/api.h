/* api.h - the vendor's HTTP contract over the calls: routing, checks, answers, ledger.
 *
 * sim/README.md lists the endpoints and the order of the checks.
 */
#ifndef SIM_API_H
#define SIM_API_H

#include "base/buf.h"
#include "base/clock.h"
#include "net/http_server.h"
#include "net/limiter.h"
#include "sim/calls.h"
#include "sim/delay.h"
#include "sim/fault.h"
#include "sim/ledger.h"
#include "sim/oauth.h"
#include "sim/options.h"
#include "sim/remembered.h"

#include <stdint.h>

/* The vendor's clock: begins at real time and runs at its own speed. */
struct api_clock {
    struct mono start;
    int64_t start_ms;
    double speed;
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
    struct remembered remembered;
    struct delay delay;
    int64_t revocations; /* carried out, of those the script asks for; as the next */
    int64_t expiries;
    uint64_t suggestions;
    uint64_t repeats;
};

/* `script` may be NULL. */
void api_init(struct api *api, const struct options *options, const struct script *script,
              struct calls *calls, struct ledger *ledger, struct api_clock clock);
void api_done(struct api *api);

/* Does what the script says is due, and gives the slow answers whose time has come. */
void api_tick(struct api *api);

/* Closes the connections that still wait for a slow answer. To be called before the server ends. */
void api_drop_delayed(struct api *api);

/* The two clocks, read together. */
struct calls_now api_now(const struct api *api);

/* Real milliseconds since the start. */
int64_t api_elapsed_ms(const struct api *api, struct calls_now now);

/* An http_handler_fn: `user` is the api. Answers before it returns, or later in api_tick. */
void api_handle(void *user, struct http_exchange *exchange);

#endif
