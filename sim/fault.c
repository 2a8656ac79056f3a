/* fault.c - see fault.h. Each request takes the same number of draws, so that one share does not
 * move the other's victims. */
#include "sim/fault.h"

enum { RETRY_AFTER_S_MAX = 3 };

void fault_init(struct fault_plan *plan, double share_429, double share_503, uint64_t seed)
{
    plan->share_429 = share_429;
    plan->share_503 = share_503;
    rand_seed(&plan->rand, seed);
}

struct fault_decision fault_decide(struct fault_plan *plan)
{
    double draw_429 = rand_uniform(&plan->rand);
    double draw_503 = rand_uniform(&plan->rand);
    struct fault_decision decision = {.retry_after_s =
                                          1 + (int64_t)rand_below(&plan->rand, RETRY_AFTER_S_MAX)};
    if (draw_429 < plan->share_429) {
        decision.status = 429;
    } else if (draw_503 < plan->share_503) {
        decision.status = 503;
    }
    return decision;
}
