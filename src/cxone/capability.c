/* capability.c - see capability.h. */
#include "cxone/capability.h"

bool capability_allows(const struct capability *capability, struct mono now)
{
    return !capability->suspended ||
           (!capability->probing && mono_reached(now, capability->probe_at));
}

int64_t capability_wait_ms(const struct capability *capability, struct mono now)
{
    bool scheduled = capability->suspended && !capability->probing;
    return scheduled ? mono_left_ms(now, capability->probe_at) : -1;
}

void capability_claim(struct capability *capability)
{
    capability->probing = capability->suspended;
}

bool capability_deny(struct capability *capability, struct mono now, int64_t pause_ms)
{
    bool changed = !capability->suspended;
    *capability = (struct capability){.suspended = true, .probe_at = mono_after_ms(now, pause_ms)};
    return changed;
}

bool capability_grant(struct capability *capability)
{
    bool changed = capability->suspended;
    *capability = (struct capability){0};
    return changed;
}

void capability_undecided(struct capability *capability)
{
    capability->probing = false;
}
