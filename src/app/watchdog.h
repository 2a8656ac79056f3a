/* app/watchdog.h - whether the daemon makes progress, from two looks at it; pure. That the look
 * itself happens proves the loop. */
#ifndef APP_WATCHDOG_H
#define APP_WATCHDOG_H

#include <stdint.h>

struct watchdog_look {
    uint64_t queued;    /* utterances that wait for a score, or are under way */
    uint64_t answers;   /* given by the scorer so far */
    int64_t overdue_ms; /* how late the pipeline's next step is */
};

enum watchdog_verdict {
    WATCHDOG_ALIVE,
    WATCHDOG_SCORER_STUCK,   /* texts wait, and none was answered since the look before */
    WATCHDOG_PIPELINE_STUCK, /* what was due long ago was not done */
};

enum { WATCHDOG_OVERDUE_MS = 30000 };

/* Looks should lie at least ten seconds apart, which is more than any batch takes. */
enum watchdog_verdict watchdog_judge(const struct watchdog_look *before,
                                     const struct watchdog_look *now);

const char *watchdog_verdict_name(enum watchdog_verdict verdict);

#endif
