/* fault.c - see fault.h. Each request takes the same number of draws, so that one share does not
 * move the other's victims. */
#include "sim/fault.h"

#include <stddef.h>

enum { RETRY_AFTER_S_MAX = 3 };

static const uint64_t SCRIPT_SALT = 0x736372697074;

const char *fault_spoil_name(enum fault_spoil spoil)
{
    switch (spoil) {
    case FAULT_SPOIL_DROPPED:
    case FAULT_SPOIL_LOST:
        return "drop";
    case FAULT_SPOIL_HTML:
        return "html";
    case FAULT_SPOIL_HALF:
        return "half_json";
    case FAULT_SPOIL_EMPTY:
        return "empty_body";
    case FAULT_SPOIL_NONE:
        break;
    }
    return NULL;
}

void fault_init(struct fault_plan *plan, double share_429, double share_503,
                const struct script *script, uint64_t seed)
{
    static const struct script nothing = {0};
    plan->share_429 = share_429;
    plan->share_503 = share_503;
    plan->script = script != NULL ? script : &nothing;
    rand_seed(&plan->rand, seed);
    rand_seed(&plan->script_rand, rand_mix(seed ^ SCRIPT_SALT));
}

static void decide_status(const struct script_action *action, uint64_t draw,
                          struct fault_decision *decision)
{
    if (decision->status != 0) {
        return; /* an earlier line has it */
    }
    decision->status = (int)action->status;
    decision->scripted = true;
    decision->retry_after = action->retry_after;
    if (action->retry_after == SCRIPT_RETRY_MIX) {
        decision->retry_after = (enum script_retry_after)(draw % SCRIPT_RETRY_HUGE);
    }
}

static void decide_spoil(enum fault_spoil spoil, struct fault_decision *decision)
{
    if (decision->spoil == FAULT_SPOIL_NONE) {
        decision->spoil = spoil;
    }
}

static void decide_one(const struct script_action *action, uint64_t draw,
                       struct fault_decision *decision)
{
    uint64_t span_ms = (uint64_t)(action->slow_ms[1] - action->slow_ms[0]) + 1;
    bool after = action->when == SCRIPT_WHEN_AFTER || (action->when == SCRIPT_WHEN_MIX && draw % 2);
    switch (action->verb) {
    case SCRIPT_STATUS:
        decide_status(action, draw, decision);
        break;
    case SCRIPT_DENY:
        decision->denied = true;
        break;
    case SCRIPT_SLOW:
        decision->slow_ms = action->slow_ms[0] + (int64_t)(draw % span_ms);
        break;
    case SCRIPT_DROP:
        decide_spoil(after ? FAULT_SPOIL_LOST : FAULT_SPOIL_DROPPED, decision);
        break;
    case SCRIPT_HTML:
        decide_spoil(FAULT_SPOIL_HTML, decision);
        break;
    case SCRIPT_HALF_JSON:
        decide_spoil(FAULT_SPOIL_HALF, decision);
        break;
    case SCRIPT_EMPTY_BODY:
        decide_spoil(FAULT_SPOIL_EMPTY, decision);
        break;
    default:
        break; /* about time, transcripts or calls */
    }
}

struct fault_decision fault_decide(struct fault_plan *plan, unsigned endpoint, int64_t elapsed_ms)
{
    struct fault_decision decision = {0};
    if (endpoint != SCRIPT_ENDPOINT_TOKEN) {
        double draw_429 = rand_uniform(&plan->rand);
        double draw_503 = rand_uniform(&plan->rand);
        uint64_t wait_s = rand_below(&plan->rand, RETRY_AFTER_S_MAX);
        decision.retry_after_s = 1 + (int64_t)wait_s;
        if (draw_429 < plan->share_429) {
            decision.status = 429;
        } else if (draw_503 < plan->share_503) {
            decision.status = 503;
        }
    }
    for (size_t i = 0; i < plan->script->count; i++) {
        const struct script_action *action = &plan->script->actions[i];
        double hit = rand_uniform(&plan->script_rand);
        uint64_t draw = rand_u64(&plan->script_rand);
        if (hit < action->share && (action->endpoints & endpoint) != 0 &&
            script_is_on(action, elapsed_ms)) {
            decide_one(action, draw, &decision);
        }
    }
    if (decision.retry_after_s == 0) {
        decision.retry_after_s = 1;
    }
    return decision;
}

void fault_quota(const struct fault_plan *plan, int64_t elapsed_ms, double *client_rps,
                 double *call_rps)
{
    for (size_t i = 0; i < plan->script->count; i++) {
        const struct script_action *action = &plan->script->actions[i];
        if (action->verb != SCRIPT_QUOTA || !script_is_on(action, elapsed_ms)) {
            continue;
        }
        *client_rps = action->client_rps >= 0 ? action->client_rps : *client_rps;
        *call_rps = action->call_rps >= 0 ? action->call_rps : *call_rps;
    }
}

int64_t fault_token_life_ms(const struct fault_plan *plan, int64_t elapsed_ms)
{
    int64_t life_ms = -1;
    for (size_t i = 0; i < plan->script->count; i++) {
        const struct script_action *action = &plan->script->actions[i];
        if (action->verb == SCRIPT_EXPIRE_TOKENS_EARLY && script_is_on(action, elapsed_ms)) {
            life_ms = action->length_ms;
        }
    }
    return life_ms;
}

int64_t fault_beginnings(const struct fault_plan *plan, enum script_verb verb, int64_t elapsed_ms)
{
    int64_t count = 0;
    for (size_t i = 0; i < plan->script->count; i++) {
        const struct script_action *action = &plan->script->actions[i];
        count += action->verb == verb ? script_beginnings(action, elapsed_ms) : 0;
    }
    return count;
}
