/* fault.h - whether a request gets an answer or a scripted fault. Pure: the seed decides.
 *
 * Every API request but the token's asks once, before anything else about it is looked at.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "base/rand.h"

#include <stdint.h>

struct fault_plan {
    double share_429;
    double share_503;
    struct rand rand;
};

struct fault_decision {
    int status; /* 0: answer normally */
    int64_t retry_after_s;
};

void fault_init(struct fault_plan *plan, double share_429, double share_503, uint64_t seed);

struct fault_decision fault_decide(struct fault_plan *plan);

#endif
