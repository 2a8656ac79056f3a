/* options.h - the pipeline's options as the daemon sets them by default, for the tests of this
 * room. A test names what it wants otherwise. Writes and suggestions are off. */
#ifndef TESTS_FLOW_OPTIONS_H
#define TESTS_FLOW_OPTIONS_H

#include "flow/pipeline.h"

static inline struct pipeline_options plain_options(uint32_t calls_max)
{
    struct pipeline_options options = {
        .session =
            {
                .cursor = {30000, 180000, 20000},
                .poll_backoff = {250, 30000},
                .poll_active_ms = 1000,
                .poll_idle_ms = 2000,
                .poll_quiet_ms = 5000,
                .poll_floor_ms = 500,
                .poll_max_ms = 10000,
                .active_for_ms = 10000,
                .quiet_after_ms = 60000,
                .lookback_ms = 60000,
                .idle_timeout_ms = 600000,
                .appear_grace_ms = 30000,
                .not_found_max = 2,
                .sweep_after_ms = {5000, 60000},
                .sweep_reach_ms = 600000,
                .interaction_rps = 1,
            },
        .calls_max = calls_max,
        .seed = 1,
    };
    mood_policy_default(&options.session.mood);
    return options;
}

#endif
