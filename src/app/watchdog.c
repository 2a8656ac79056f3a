/* watchdog.c - see watchdog.h. */
#include "app/watchdog.h"

enum watchdog_verdict watchdog_judge(const struct watchdog_look *before,
                                     const struct watchdog_look *now)
{
    if (before->queued > 0 && now->queued > 0 && now->answers == before->answers) {
        return WATCHDOG_SCORER_STUCK;
    }
    return now->overdue_ms > WATCHDOG_OVERDUE_MS ? WATCHDOG_PIPELINE_STUCK : WATCHDOG_ALIVE;
}

const char *watchdog_verdict_name(enum watchdog_verdict verdict)
{
    static const char *const names[] = {"alive", "scorer_stuck", "pipeline_stuck"};
    return names[verdict];
}
