/* app/metrics.h - counters, gauges and histograms in Prometheus' text format.
 *
 * One table (metrics.c) names every series with its help text; docs/METRICS.md is made from it.
 * No label holds an interaction: cardinality is fixed. Loop thread only.
 */
#ifndef APP_METRICS_H
#define APP_METRICS_H

#include "base/buf.h"
#include "cxone/cxone.h"

#include <stdint.h>

enum metric {
    METRIC_CALLS_LIVE,
    METRIC_CALLS_OPENED,
    METRIC_CALLS_CLOSED,
    METRIC_CALLS_TRANSFERRED,
    METRIC_UNKNOWN_STATES,
    METRIC_POLL_DATA,
    METRIC_POLL_EMPTY,
    METRIC_POLL_THROTTLED,
    METRIC_POLL_FAILED,
    METRIC_POLL_ENDED,
    METRIC_POLL_DENIED,
    METRIC_POLL_REFUSED,
    METRIC_POLL_MALFORMED,
    METRIC_UTTERANCES_CUSTOMER,
    METRIC_UTTERANCES_AGENT,
    METRIC_UTTERANCES_DUPLICATE,
    METRIC_UTTERANCES_REVISED,
    METRIC_UTTERANCES_LATE,
    METRIC_UTTERANCES_BEYOND_LATENESS,
    METRIC_UTTERANCES_FOLDED,
    METRIC_UTTERANCES_MASKED,
    METRIC_SEGMENTS_PARTIAL,
    METRIC_SEGMENTS_QUARANTINED,
    METRIC_SEGMENTS_CLAMPED,
    METRIC_SEGMENTS_UNKNOWN_SPEAKER,
    METRIC_SEGMENTS_MISSING_FINAL,
    METRIC_SCORED,
    METRIC_UNSCORABLE,
    METRIC_SCORE_FAILURES,
    METRIC_SCORE_DEGRADED,
    METRIC_SCORE_CACHE_HITS,
    METRIC_SCORE_CACHE_MISSES,
    METRIC_SCORE_CACHE_EVICTIONS,
    METRIC_MODEL_DEGRADED,
    METRIC_DRIFT,
    METRIC_DRIFT_CURRENT,
    METRIC_DRIFT_REFERENCE,
    METRIC_SCORER_QUEUE,
    METRIC_SCORER_OLDEST,
    METRIC_ALERTS_DECLINING,
    METRIC_ALERTS_SUSTAINED_LOW,
    METRIC_ALERTS_RULE,
    METRIC_RULES,
    METRIC_RULES_FAILED,
    METRIC_ALERTS_RAISED,
    METRIC_RECOVERED,
    METRIC_SUGGESTIONS_SENT,
    METRIC_SUGGESTIONS_UNKNOWN,
    METRIC_SUGGESTIONS_DROPPED,
    METRIC_ATTRIBUTES_SENT,
    METRIC_ATTRIBUTES_FAILED,
    METRIC_ATTRIBUTES_LOST,
    METRIC_TOKEN_REFRESHED,
    METRIC_TOKEN_FAILED,
    METRIC_BREAKER_TRANSCRIPTS,
    METRIC_BREAKER_ATTRIBUTES,
    METRIC_BREAKER_SUGGESTIONS,
    METRIC_BREAKER_DISCOVERY,
    METRIC_SUSPENDED_TRANSCRIPTS,
    METRIC_SUSPENDED_ATTRIBUTES,
    METRIC_SUSPENDED_SUGGESTIONS,
    METRIC_SUSPENDED_DISCOVERY,
    METRIC_REQUESTS_QUEUED,
    METRIC_REQUESTS_IN_FLIGHT,
    METRIC_POLL_THETA,
    METRIC_POLL_DEMAND,
    METRIC_POLL_LONGEST,
    METRIC_POLL_DEGRADED,
    METRIC_RATE_LIMIT,
    METRIC_RETRY_TOKENS_TRANSCRIPTS,
    METRIC_RETRY_TOKENS_ATTRIBUTES,
    METRIC_RETRY_TOKENS_SUGGESTIONS,
    METRIC_RETRY_TOKENS_DISCOVERY,
    METRIC_VENDOR_OFFSET,
    METRIC_STORE_COMMITS,
    METRIC_STORE_FAILURES,
    METRIC_STORE_LIVE,
    METRIC_STORE_CLOSED,
    METRIC_STORE_BYTES,
    METRIC_STORE_HELD,
    METRIC_WRITES_ATTRIBUTES,
    METRIC_WRITES_SUGGESTIONS,
    METRIC_FUSE_BLOWN,
    METRIC_FUSE_TIMES,
    METRIC_DECISIONS_KEPT,
    METRIC_DECISIONS_LOST,
    METRIC_FEEDBACK_ACCEPTED,
    METRIC_FEEDBACK_DISMISSED,
    METRIC_FEEDBACK_USEFUL,
    METRIC_API_PASSED,
    METRIC_API_DENIED,
    METRIC_API_SLOWED,
    METRIC_CONTACT_EVENTS_STARTED,
    METRIC_CONTACT_EVENTS_ENDED,
    METRIC_CONTACT_EVENTS_REPEATED,
    METRIC_CONTACT_EVENTS_IGNORED,
    METRIC_CONTACT_EVENTS_DENIED,
    METRIC_CONTACT_EVENTS_REFUSED,
    METRIC_RELOADS_DONE,
    METRIC_RELOADS_FAILED,
    METRIC_LOG_DROPPED,
    METRIC_START_TIME,
    METRIC_CPU,
    METRIC_RESIDENT,
    METRICS, /* their number */
};

enum metric_histogram {
    METRIC_HISTOGRAM_POLL_DELAY, /* utterance end (vendor clock) to its score */
    METRIC_HISTOGRAM_SCORE,      /* in the model */
    METRIC_HISTOGRAM_SCORE_WAIT, /* in the scorer's queue */
    METRIC_HISTOGRAM_REQUEST,    /* a vendor request, start to end */
    METRIC_HISTOGRAM_COMMIT,     /* a batch of changes, until it is durable */
    METRIC_HISTOGRAM_SUGGESTION, /* alert opened to suggestion accepted */
    METRIC_HISTOGRAMS,
};

enum { METRIC_BUCKETS = 14 };

struct metrics {
    double values[METRICS];
    struct {
        uint64_t buckets[METRIC_BUCKETS];
        uint64_t count;
        double sum;
    } histograms[METRIC_HISTOGRAMS];
};

void metrics_add(struct metrics *metrics, enum metric metric, double by);
void metrics_set(struct metrics *metrics, enum metric metric, double value);
void metrics_observe(struct metrics *metrics, enum metric_histogram histogram, double seconds);

/* The counter for a poll with this outcome. */
enum metric metrics_poll(enum cxone_outcome outcome);

/* Reads CPU time and resident memory of this process into their series. */
void metrics_read_process(struct metrics *metrics);

/* Text exposition format 0.0.4. */
void metrics_write(const struct metrics *metrics, struct buf *out);

/* docs/METRICS.md. */
void metrics_document(struct buf *out);

#endif
