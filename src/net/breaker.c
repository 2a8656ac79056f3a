/* breaker.c - see breaker.h. Results of requests that were sent before the breaker opened may
 * still come in while it is open: they say nothing about the endpoint's present health and are
 * ignored. A failed probe leaves it half-open: the pace of the probes is the only pressure.
 */
#include "net/breaker.h"

void breaker_init(struct breaker *breaker, const struct breaker_limits *limits)
{
    *breaker = (struct breaker){.limits = *limits, .state = BREAKER_CLOSED};
}

/* probe_ms give or take a quarter, so that instances which opened together do not probe together.
 */
static int64_t breaker_probe_pause_ms(const struct breaker *breaker, struct rand *rand)
{
    double factor = 0.75 + rand_uniform(rand) / 2;
    return (int64_t)((double)breaker->limits.probe_ms * factor);
}

bool breaker_allow(struct breaker *breaker, struct mono now, struct rand *rand)
{
    if (breaker->state == BREAKER_CLOSED) {
        return true;
    }
    if (!mono_reached(now, breaker->next_probe)) {
        return false;
    }
    breaker->state = BREAKER_HALF_OPEN;
    breaker->probing = true;
    breaker->next_probe = mono_after_ms(now, breaker_probe_pause_ms(breaker, rand));
    return true;
}

bool breaker_success(struct breaker *breaker)
{
    if (breaker->state == BREAKER_OPEN) {
        return false;
    }
    bool changed = breaker->state == BREAKER_HALF_OPEN;
    breaker->probing = false;
    breaker->state = BREAKER_CLOSED;
    breaker->failures = 0;
    return changed;
}

bool breaker_failure(struct breaker *breaker, struct mono now)
{
    if (breaker->state != BREAKER_CLOSED) {
        breaker->probing = false;
        return false;
    }
    breaker->failures++;
    if (breaker->failures < breaker->limits.failures_to_open) {
        return false;
    }
    breaker->state = BREAKER_OPEN;
    breaker->next_probe = mono_after_ms(now, breaker->limits.open_ms);
    return true;
}

int64_t breaker_wait_ms(const struct breaker *breaker, struct mono now)
{
    return breaker->state == BREAKER_CLOSED ? 0 : mono_left_ms(now, breaker->next_probe);
}

bool breaker_is_probing(const struct breaker *breaker, struct mono now)
{
    return breaker->probing && !mono_reached(now, breaker->next_probe);
}

const char *breaker_state_name(enum breaker_state state)
{
    switch (state) {
    case BREAKER_CLOSED:
        return "closed";
    case BREAKER_OPEN:
        return "open";
    case BREAKER_HALF_OPEN:
        return "half_open";
    }
    return "unknown";
}
