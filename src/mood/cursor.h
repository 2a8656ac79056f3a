/* mood/cursor.h - from which start time to ask for a call's transcript again.
 *
 * The vendor filters by start time (probably), finals come late and two people overlap, so a cursor
 * at "the newest end seen" loses utterances. We ask from max(0, F - O): F = newest end of a final
 * seen in this call; O = overlap = max(overlap_min, p99.9 of (first sight of a final - its start)
 * learnt over all calls), capped at overlap_max. While a non-final segment is open its start holds
 * the cursor back, for at most overlap_max. Every deep_interval one poll reaches back overlap_max,
 * so that a late final without a partial is found, and the estimator learns from it.
 */
#ifndef MOOD_CURSOR_H
#define MOOD_CURSOR_H

#include "base/clock.h"
#include "mood/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor_limits {
    int64_t overlap_min_ms;   /* 30 000 */
    int64_t overlap_max_ms;   /* 180 000 */
    int64_t deep_interval_ms; /* 20 000 */
};

enum { CURSOR_BUCKETS = 64 };

/* Shared by all calls: a decaying histogram of sight delays. */
struct cursor_delays {
    double weight[CURSOR_BUCKETS];
    double total;
};

struct cursor {
    int64_t newest_end_ms; /* F, or -1 before the first final */
    int64_t open_start_ms; /* start of the oldest open non-final in the last reply, or -1 */
    struct mono last_deep;
    bool deep_asked;
};

void cursor_delays_init(struct cursor_delays *delays);
/* One final was first seen `delay_ms` after its start. Backlog is not to be recorded. */
void cursor_delays_record(struct cursor_delays *delays, int64_t delay_ms);
int64_t cursor_delays_p999_ms(const struct cursor_delays *delays); /* 0 without data */

void cursor_init(struct cursor *cursor);

/* The startTime for the next poll, never before first_ms: where the call begins for us. */
int64_t cursor_next_start_ms(struct cursor *cursor, const struct cursor_limits *limits,
                             const struct cursor_delays *delays, int64_t first_ms, struct mono now);

/* Learns from a reply. */
void cursor_observe(struct cursor *cursor, const struct segment *segments, size_t count);

/* Nothing said can have ended after the vendor's now: a single wrong end far ahead would otherwise
 * move the cursor past all that follows. Call it after cursor_observe. */
void cursor_bound_newest(struct cursor *cursor, int64_t vendor_ms);

#endif
