/* fault.h - whether a request gets an answer or a fault, and the service's moods over time. Pure:
 * options, script and seed decide; time is handed in, in real milliseconds since the start.
 *
 * Every request asks once, before anything else about it is looked at.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "base/rand.h"
#include "sim/script.h"

#include <stdbool.h>
#include <stdint.h>

struct fault_plan {
    double share_429;
    double share_503;
    const struct script *script; /* borrowed */
    struct rand rand;
    struct rand script_rand;
};

/* What becomes of an answer that is not a refusal. */
enum fault_spoil {
    FAULT_SPOIL_NONE,
    FAULT_SPOIL_DROPPED, /* the connection closes, nothing was done */
    FAULT_SPOIL_HTML,    /* a page of the gateway with status 200, nothing was done */
    FAULT_SPOIL_LOST,    /* all was done, then the connection closes */
    FAULT_SPOIL_HALF,    /* all was done, half of the body arrives */
    FAULT_SPOIL_EMPTY,   /* all was done, the body is empty */
};

/* The ledger's word: "drop", "html", "drop", "half_json", "empty_body"; NULL for none. */
const char *fault_spoil_name(enum fault_spoil spoil);

struct fault_decision {
    int status; /* 0: answer normally */
    bool scripted;
    enum script_retry_after retry_after; /* never MIX */
    int64_t retry_after_s;
    enum fault_spoil spoil;
    int64_t slow_ms;
    bool denied;
};

/* The script may be NULL. */
void fault_init(struct fault_plan *plan, double share_429, double share_503,
                const struct script *script, uint64_t seed);

/* `endpoint` is one SCRIPT_ENDPOINT_*. The shares of the options spare the token. */
struct fault_decision fault_decide(struct fault_plan *plan, unsigned endpoint, int64_t elapsed_ms);

/* The quotas in force, given those of the options. */
void fault_quota(const struct fault_plan *plan, int64_t elapsed_ms, double *client_rps,
                 double *call_rps);

/* How long tokens really live now, in milliseconds; -1: as long as was promised. */
int64_t fault_token_life_ms(const struct fault_plan *plan, int64_t elapsed_ms);

/* How often actions of this verb have begun up to now. */
int64_t fault_beginnings(const struct fault_plan *plan, enum script_verb verb, int64_t elapsed_ms);

#endif
