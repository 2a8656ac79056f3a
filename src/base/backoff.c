/* backoff.c - see backoff.h. */
#include "base/backoff.h"

int64_t backoff_wait_ms(const struct backoff_limits *limits, unsigned attempt, struct rand *rand)
{
    int64_t ceiling = limits->base_ms;
    for (unsigned i = 0; i < attempt && ceiling > 0 && ceiling < limits->cap_ms; i++) {
        ceiling = ceiling > limits->cap_ms / 2 ? limits->cap_ms : ceiling * 2;
    }
    if (ceiling > limits->cap_ms) {
        ceiling = limits->cap_ms;
    }
    return ceiling <= 0 ? 0 : (int64_t)rand_below(rand, (uint64_t)ceiling + 1);
}
