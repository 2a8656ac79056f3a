/* metrics.c - see metrics.h. Rows of one family stand together: HELP and TYPE are written once. */
#include "app/metrics.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct row {
    const char *family;
    const char *labels; /* without braces; "" for none */
    const char *type;
    const char *help; /* on the first row of a family */
};

static const struct row rows[METRICS] = {
    [METRIC_CALLS_LIVE] = {"undertone_calls_live", "", "gauge", "Calls being followed."},
    [METRIC_CALLS_NOT_JUDGED] = {"undertone_calls_not_judged", "", "gauge",
                                 "Of them, those in a language that the model does not know."},
    [METRIC_WORDS_BYTES] = {"undertone_evidence_words_bytes", "", "gauge",
                            "Redacted words held for the evidence of alerts (`evidence.text`)."},
    [METRIC_CALLS_OPENED] = {"undertone_calls_opened_total", "", "counter",
                             "Calls taken up since the start."},
    [METRIC_CALLS_CLOSED] = {"undertone_calls_closed_total", "", "counter",
                             "Calls followed to their end."},
    [METRIC_CALLS_TRANSFERRED] = {"undertone_calls_transferred_total", "", "counter",
                                  "Calls taken up that continue another under the same master."},
    [METRIC_UNKNOWN_STATES] = {"undertone_unknown_call_states_total", "", "counter",
                               "States of listed calls that have a name we do not know."},
    [METRIC_POLL_DATA] = {"undertone_poll_requests_total", "result=\"data\"", "counter",
                          "Transcript polls by outcome."},
    [METRIC_POLL_EMPTY] = {"undertone_poll_requests_total", "result=\"empty\"", "counter", ""},
    [METRIC_POLL_THROTTLED] = {"undertone_poll_requests_total", "result=\"throttled\"", "counter",
                               ""},
    [METRIC_POLL_FAILED] = {"undertone_poll_requests_total", "result=\"failed\"", "counter", ""},
    [METRIC_POLL_ENDED] = {"undertone_poll_requests_total", "result=\"ended\"", "counter", ""},
    [METRIC_POLL_DENIED] = {"undertone_poll_requests_total", "result=\"denied\"", "counter", ""},
    [METRIC_POLL_REFUSED] = {"undertone_poll_requests_total", "result=\"refused\"", "counter", ""},
    [METRIC_POLL_MALFORMED] = {"undertone_poll_requests_total", "result=\"malformed\"", "counter",
                               ""},
    [METRIC_UTTERANCES_CUSTOMER] = {"undertone_utterances_total", "direction=\"customer\"",
                                    "counter", "Final utterances taken in."},
    [METRIC_UTTERANCES_AGENT] = {"undertone_utterances_total", "direction=\"agent\"", "counter",
                                 ""},
    [METRIC_UTTERANCES_DUPLICATE] = {"undertone_duplicate_utterances_total", "", "counter",
                                     "Finals served again unchanged."},
    [METRIC_UTTERANCES_REVISED] = {"undertone_revised_utterances_total", "", "counter",
                                   "Finals served again with other text or end."},
    [METRIC_UTTERANCES_LATE] = {"undertone_late_utterances_total", "outcome=\"judged\"", "counter",
                                "Finals that arrived after a later one, by what became of them."},
    [METRIC_UTTERANCES_BEYOND_LATENESS] = {"undertone_late_utterances_total",
                                           "outcome=\"never_alerts\"", "counter", ""},
    [METRIC_UTTERANCES_FOLDED] = {"undertone_late_utterances_total", "outcome=\"not_judged\"",
                                  "counter", ""},
    [METRIC_UTTERANCES_MASKED] =
        {"undertone_masked_utterances_total", "", "counter",
         "Utterances not scored, or no longer counted, because of a mask."},
    [METRIC_SEGMENTS_PARTIAL] = {"undertone_segments_total", "kind=\"partial\"", "counter",
                                 "Segments that are not ordinary finals."},
    [METRIC_SEGMENTS_QUARANTINED] = {"undertone_segments_total", "kind=\"quarantined\"", "counter",
                                     ""},
    [METRIC_SEGMENTS_CLAMPED] = {"undertone_segments_total", "kind=\"clamped\"", "counter", ""},
    [METRIC_SEGMENTS_UNKNOWN_SPEAKER] = {"undertone_segments_total", "kind=\"unknown_speaker\"",
                                         "counter", ""},
    [METRIC_SEGMENTS_MISSING_FINAL] = {"undertone_segments_total", "kind=\"missing_final\"",
                                       "counter", ""},
    [METRIC_SCORED] = {"undertone_scored_total", "result=\"scored\"", "counter",
                       "Utterance revisions answered by the model."},
    [METRIC_UNSCORABLE] = {"undertone_scored_total", "result=\"blank\"", "counter", ""},
    [METRIC_NOT_JUDGED] = {"undertone_scored_total", "result=\"not_judged\"", "counter", ""},
    [METRIC_SCORE_FAILURES] = {"undertone_scored_total", "result=\"failed\"", "counter", ""},
    [METRIC_SCORE_DEGRADED] = {"undertone_scored_degraded_total", "", "counter",
                               "Those answered by a fallback instead of the model asked for."},
    [METRIC_SCORE_LATE] =
        {"undertone_scored_late_total", "", "counter",
         "Those that had waited past model.deadline, for opinion words to judge."},
    [METRIC_SCORE_CACHE_HITS] = {"undertone_score_cache_total", "result=\"hit\"", "counter",
                                 "Looks into the cache of answers."},
    [METRIC_SCORE_CACHE_MISSES] = {"undertone_score_cache_total", "result=\"miss\"", "counter", ""},
    [METRIC_SCORE_CACHE_EVICTIONS] = {"undertone_score_cache_evictions_total", "", "counter",
                                      "Answers put out of the cache for newer ones."},
    [METRIC_MODEL_DEGRADED] = {"undertone_model_degraded", "", "gauge",
                               "1 while a fallback stands in for the model asked for."},
    [METRIC_DRIFT] =
        {"undertone_score_drift", "", "gauge",
         "Population stability index of the scores of the last hour against the day "
         "before: below 0.1 steady, above 0.25 changed; 0 while either has under 200."},
    [METRIC_DRIFT_CURRENT] = {"undertone_score_drift_samples", "window=\"hour\"", "gauge",
                              "Scores that the index compares."},
    [METRIC_DRIFT_REFERENCE] = {"undertone_score_drift_samples", "window=\"day\"", "gauge", ""},
    [METRIC_SCORER_QUEUE] = {"undertone_scorer_queue_depth", "", "gauge",
                             "Utterances waiting for a score."},
    [METRIC_SCORER_OLDEST] = {"undertone_scorer_oldest_wait_seconds", "", "gauge",
                              "How long the oldest utterance in the queue has waited."},
    [METRIC_ALERTS_DECLINING] = {"undertone_alerts_total", "path=\"declining\"", "counter",
                                 "Episodes opened."},
    [METRIC_ALERTS_SUSTAINED_LOW] = {"undertone_alerts_total", "path=\"sustained_low\"", "counter",
                                     ""},
    [METRIC_ALERTS_RULE] = {"undertone_alerts_total", "path=\"rule\"", "counter", ""},
    [METRIC_RULES] = {"undertone_rules", "", "gauge", "Rules beside the mood in force."},
    [METRIC_RULES_FAILED] = {"undertone_rules_failed_total", "", "counter",
                             "Times that the rules file had changed and could not be used."},
    [METRIC_ALERTS_RAISED] = {"undertone_alerts_raised_total", "", "counter",
                              "Open episodes that came to concern a supervisor."},
    [METRIC_RECOVERED] = {"undertone_recovered_total", "", "counter", "Episodes that ended well."},
    [METRIC_SUGGESTIONS_SENT] = {"undertone_effects_total", "kind=\"suggestion\",state=\"sent\"",
                                 "counter", "What became of what was sent to the vendor."},
    [METRIC_SUGGESTIONS_UNKNOWN] = {"undertone_effects_total",
                                    "kind=\"suggestion\",state=\"unknown\"", "counter", ""},
    [METRIC_SUGGESTIONS_DROPPED] = {"undertone_effects_total",
                                    "kind=\"suggestion\",state=\"dropped\"", "counter", ""},
    [METRIC_ATTRIBUTES_SENT] = {"undertone_effects_total", "kind=\"attributes\",state=\"sent\"",
                                "counter", ""},
    [METRIC_ATTRIBUTES_FAILED] = {"undertone_effects_total", "kind=\"attributes\",state=\"failed\"",
                                  "counter", ""},
    [METRIC_ATTRIBUTES_LOST] = {"undertone_effects_total", "kind=\"attributes\",state=\"lost\"",
                                "counter", ""},
    [METRIC_TOKEN_REFRESHED] = {"undertone_token_requests_total", "result=\"refreshed\"", "counter",
                                "Access token requests."},
    [METRIC_TOKEN_FAILED] = {"undertone_token_requests_total", "result=\"failed\"", "counter", ""},
    [METRIC_BREAKER_TRANSCRIPTS] = {"undertone_breaker_state", "dest=\"transcripts\"", "gauge",
                                    "Circuit breaker: 0 closed, 1 open, 2 half-open."},
    [METRIC_BREAKER_ATTRIBUTES] = {"undertone_breaker_state", "dest=\"attributes\"", "gauge", ""},
    [METRIC_BREAKER_SUGGESTIONS] = {"undertone_breaker_state", "dest=\"suggestions\"", "gauge", ""},
    [METRIC_BREAKER_DISCOVERY] = {"undertone_breaker_state", "dest=\"discovery\"", "gauge", ""},
    [METRIC_SUSPENDED_TRANSCRIPTS] = {"undertone_capability_suspended", "dest=\"transcripts\"",
                                      "gauge", "1 while a 403 keeps this capability off."},
    [METRIC_SUSPENDED_ATTRIBUTES] = {"undertone_capability_suspended", "dest=\"attributes\"",
                                     "gauge", ""},
    [METRIC_SUSPENDED_SUGGESTIONS] = {"undertone_capability_suspended", "dest=\"suggestions\"",
                                      "gauge", ""},
    [METRIC_SUSPENDED_DISCOVERY] = {"undertone_capability_suspended", "dest=\"discovery\"", "gauge",
                                    ""},
    [METRIC_REQUESTS_QUEUED] = {"undertone_requests_queued", "", "gauge",
                                "Vendor requests waiting for quota, token or breaker."},
    [METRIC_REQUESTS_IN_FLIGHT] = {"undertone_requests_in_flight", "", "gauge",
                                   "Vendor requests under way."},
    [METRIC_POLL_THETA] = {"undertone_poll_theta", "", "gauge",
                           "Weighted waiting, in utterance-seconds, at which a call is polled."},
    [METRIC_POLL_DEMAND] = {"undertone_poll_demand", "", "gauge",
                            "Polls a second the followed calls are scheduled for."},
    [METRIC_POLL_LONGEST] = {"undertone_poll_longest_seconds", "", "gauge",
                             "Longest time between two polls of a call, as promised now."},
    [METRIC_POLL_DEGRADED] = {"undertone_poll_degraded", "", "gauge",
                              "1 while that is longer than `poll.max`."},
    [METRIC_RATE_LIMIT] =
        {"undertone_rate_limit_current", "", "gauge",
         "Requests a second allowed now: `rate.client_rps`, less after refusals."},
    [METRIC_CALL_RATE_LIMIT] =
        {"undertone_call_rate_limit_current", "", "gauge",
         "The same for one call: `rate.interaction_rps`, less after refusals; 0: no limit."},
    [METRIC_RETRY_TOKENS_TRANSCRIPTS] = {"undertone_retry_tokens", "dest=\"transcripts\"", "gauge",
                                         "Retry budget, of 10; from 5 down retries are put off."},
    [METRIC_RETRY_TOKENS_ATTRIBUTES] = {"undertone_retry_tokens", "dest=\"attributes\"", "gauge",
                                        ""},
    [METRIC_RETRY_TOKENS_SUGGESTIONS] = {"undertone_retry_tokens", "dest=\"suggestions\"", "gauge",
                                         ""},
    [METRIC_RETRY_TOKENS_DISCOVERY] = {"undertone_retry_tokens", "dest=\"discovery\"", "gauge", ""},
    [METRIC_VENDOR_OFFSET] = {"undertone_vendor_clock_offset_seconds", "", "gauge",
                              "Vendor clock minus ours, from Date headers."},
    [METRIC_STORE_COMMITS] = {"undertone_store_commits_total", "", "counter",
                              "Batches of changes that the store has kept."},
    [METRIC_STORE_FAILURES] = {"undertone_store_failures_total", "", "counter",
                               "Tries to keep a batch that failed."},
    [METRIC_STORE_LIVE] = {"undertone_store_calls", "state=\"live\"", "gauge",
                           "Calls in the store."},
    [METRIC_STORE_CLOSED] = {"undertone_store_calls", "state=\"closed\"", "gauge", ""},
    [METRIC_STORE_BYTES] = {"undertone_store_bytes", "", "gauge", "Size of the store's files."},
    [METRIC_STORE_HELD] = {"undertone_store_waiting", "", "gauge",
                           "Writes, suggestions and log lines that wait until they are kept."},
    [METRIC_WRITES_ATTRIBUTES] = {"undertone_writes_enabled", "kind=\"attributes\"", "gauge",
                                  "1 while mode, keys and switch let this be written."},
    [METRIC_WRITES_SUGGESTIONS] = {"undertone_writes_enabled", "kind=\"suggestions\"", "gauge", ""},
    [METRIC_FUSE_BLOWN] = {"undertone_fuse_blown", "", "gauge",
                           "1 while the fuse holds all suggestions back."},
    [METRIC_FUSE_TIMES] = {"undertone_fuse_blown_total", "", "counter",
                           "Times the fuse has blown."},
    [METRIC_DECISIONS_KEPT] = {"undertone_decisions_total", "result=\"kept\"", "counter",
                               "Lines of the log of decisions."},
    [METRIC_DECISIONS_LOST] = {"undertone_decisions_total", "result=\"lost\"", "counter", ""},
    [METRIC_FEEDBACK_ACCEPTED] = {"undertone_feedback_total", "feedback=\"accepted\"", "counter",
                                  "What was said of alerts."},
    [METRIC_FEEDBACK_DISMISSED] = {"undertone_feedback_total", "feedback=\"dismissed\"", "counter",
                                   ""},
    [METRIC_FEEDBACK_USEFUL] = {"undertone_feedback_total", "feedback=\"useful\"", "counter", ""},
    [METRIC_API_PASSED] = {"undertone_api_requests_total", "result=\"passed\"", "counter",
                           "Requests to /api/v1, by what became of their token."},
    [METRIC_API_DENIED] = {"undertone_api_requests_total", "result=\"denied\"", "counter", ""},
    [METRIC_API_SLOWED] = {"undertone_api_requests_total", "result=\"slowed\"", "counter", ""},
    [METRIC_CONTACT_EVENTS_STARTED] = {"undertone_contact_events_total", "result=\"started\"",
                                       "counter", "Posts to the webhook, by what became of them."},
    [METRIC_CONTACT_EVENTS_ENDED] = {"undertone_contact_events_total", "result=\"ended\"",
                                     "counter", ""},
    [METRIC_CONTACT_EVENTS_REPEATED] = {"undertone_contact_events_total", "result=\"repeated\"",
                                        "counter", ""},
    [METRIC_CONTACT_EVENTS_IGNORED] = {"undertone_contact_events_total", "result=\"ignored\"",
                                       "counter", ""},
    [METRIC_CONTACT_EVENTS_DENIED] = {"undertone_contact_events_total", "result=\"denied\"",
                                      "counter", ""},
    [METRIC_CONTACT_EVENTS_REFUSED] = {"undertone_contact_events_total", "result=\"refused\"",
                                       "counter", ""},
    [METRIC_RELOADS_DONE] = {"undertone_reloads_total", "result=\"done\"", "counter",
                             "Times the configuration was read again."},
    [METRIC_RELOADS_FAILED] = {"undertone_reloads_total", "result=\"failed\"", "counter", ""},
    [METRIC_LOG_DROPPED] = {"undertone_log_lines_dropped_total", "", "counter",
                            "Log lines that could not be written."},
    [METRIC_START_TIME] = {"process_start_time_seconds", "", "gauge",
                           "Start of the process, Unix time."},
    [METRIC_CPU] = {"process_cpu_seconds_total", "", "counter", "User and system CPU time."},
    [METRIC_RESIDENT] = {"process_resident_memory_bytes", "", "gauge", "Resident memory."},
};

static const struct {
    const char *family;
    const char *help;
} histogram_rows[METRIC_HISTOGRAMS] = {
    [METRIC_HISTOGRAM_POLL_DELAY] = {"undertone_poll_delay_seconds",
                                     "From the end of an utterance to its score."},
    [METRIC_HISTOGRAM_SCORE] = {"undertone_score_seconds",
                                "Time of the batch an utterance was scored in."},
    [METRIC_HISTOGRAM_SCORE_WAIT] = {"undertone_score_wait_seconds",
                                     "Time an utterance waited for a worker."},
    [METRIC_HISTOGRAM_REQUEST] = {"undertone_request_seconds", "Duration of a vendor request."},
    [METRIC_HISTOGRAM_COMMIT] = {"undertone_store_commit_seconds",
                                 "From the end of a batch of changes until it is durable."},
    [METRIC_HISTOGRAM_SUGGESTION] = {"undertone_suggestion_delay_seconds",
                                     "From an alert to its suggestion being accepted."},
};

static const double bounds[METRIC_BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25,
                                              0.5,   1,      2,     3,    6,     15,  30};

void metrics_add(struct metrics *metrics, enum metric metric, double by)
{
    metrics->values[metric] += by;
}

void metrics_set(struct metrics *metrics, enum metric metric, double value)
{
    metrics->values[metric] = value;
}

void metrics_observe(struct metrics *metrics, enum metric_histogram histogram, double seconds)
{
    for (int i = 0; i < METRIC_BUCKETS; i++) {
        metrics->histograms[histogram].buckets[i] += seconds <= bounds[i];
    }
    metrics->histograms[histogram].count++;
    metrics->histograms[histogram].sum += seconds;
}

enum metric metrics_poll(enum cxone_outcome outcome)
{
    switch (outcome) {
    case CXONE_OK:
        return METRIC_POLL_DATA;
    case CXONE_EMPTY:
        return METRIC_POLL_EMPTY;
    case CXONE_THROTTLED:
        return METRIC_POLL_THROTTLED;
    case CXONE_ENDED:
        return METRIC_POLL_ENDED;
    case CXONE_DENIED:
        return METRIC_POLL_DENIED;
    case CXONE_REFUSED:
        return METRIC_POLL_REFUSED;
    case CXONE_MALFORMED:
        return METRIC_POLL_MALFORMED;
    case CXONE_FAILED:
    case CXONE_UNKNOWN:
    case CXONE_CANCELLED:
        break;
    }
    return METRIC_POLL_FAILED;
}

void metrics_read_process(struct metrics *metrics)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        double seconds = (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec;
        double micros = (double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec;
        metrics_set(metrics, METRIC_CPU, seconds + micros / 1e6);
    }
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) {
        return;
    }
    long pages = 0;
    if (fscanf(file, "%*s %ld", &pages) == 1) {
        metrics_set(metrics, METRIC_RESIDENT, (double)pages * (double)sysconf(_SC_PAGESIZE));
    }
    fclose(file);
}

static void write_head(struct buf *out, const char *family, const char *help, const char *type)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family, help, family, type);
}

static void write_histogram(const struct metrics *metrics, int at, struct buf *out)
{
    const char *family = histogram_rows[at].family;
    write_head(out, family, histogram_rows[at].help, "histogram");
    for (int i = 0; i < METRIC_BUCKETS; i++) {
        buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", family, bounds[i],
                   (unsigned long long)metrics->histograms[at].buckets[i]);
    }
    unsigned long long count = metrics->histograms[at].count;
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", family, count,
               family, metrics->histograms[at].sum, family, count);
}

void metrics_write(const struct metrics *metrics, struct buf *out)
{
    write_head(out, "undertone_build_info", "The running version.", "gauge");
    buf_printf(out, "undertone_build_info{version=\"%s\"} 1\n", UNDERTONE_VERSION);
    for (int i = 0; i < METRICS; i++) {
        if (i == 0 || strcmp(rows[i].family, rows[i - 1].family) != 0) {
            write_head(out, rows[i].family, rows[i].help, rows[i].type);
        }
        bool labelled = rows[i].labels[0] != '\0';
        buf_printf(out, "%s%s%s%s %.15g\n", rows[i].family, labelled ? "{" : "", rows[i].labels,
                   labelled ? "}" : "", metrics->values[i]);
    }
    for (int i = 0; i < METRIC_HISTOGRAMS; i++) {
        write_histogram(metrics, i, out);
    }
}

void metrics_document(struct buf *out)
{
    buf_append_string(out, "# Metrics\n\nServed at `/metrics` in Prometheus' text format. Made by "
                           "`undertone config document --metrics`; do not edit.\n\n"
                           "| series | type | meaning |\n|---|---|---|\n");
    const char *help = "";
    for (int i = 0; i < METRICS; i++) {
        help = rows[i].help[0] ? rows[i].help : help;
        bool labelled = rows[i].labels[0] != '\0';
        buf_printf(out, "| `%s%s%s%s` | %s | %s |\n", rows[i].family, labelled ? "{" : "",
                   rows[i].labels, labelled ? "}" : "", rows[i].type, help);
    }
    for (int i = 0; i < METRIC_HISTOGRAMS; i++) {
        buf_printf(out, "| `%s` | histogram | %s |\n", histogram_rows[i].family,
                   histogram_rows[i].help);
    }
}
