/* daemon_report.c - every log line and metric of the running daemon. A call or an utterance is
 * named by its keyed hash only; no text, no token passes through here. Repeated warnings are
 * limited per class and say how many were left out. */
#include "app/daemon_internal.h"

#include <stdio.h>
#include <string.h>

enum report_class {
    REPORT_POLL_FAILED,
    REPORT_ATTRIBUTES_FAILED,
    REPORT_SCORE_FAILED,
    REPORT_SCORE_LATE,
    REPORT_DISCOVERY_FAILED,
};
_Static_assert(REPORT_DISCOVERY_FAILED + 1 == REPORT_CLASSES, "one limiter per class");

const char *daemon_call_hash(const struct daemon *daemon, const char *interaction_id,
                             char out[KEYHASH_TEXT_BYTES])
{
    return keyhash_text(&daemon->keyhash, interaction_id, strlen(interaction_id), out);
}

/* Whether a line of this class may be written now; *suppressed is how many were not, before it. */
static bool may_report(struct daemon *daemon, enum report_class class, uint64_t *suppressed)
{
    if (!limiter_take(&daemon->report_limits[class], 0, loop_now(daemon->loop))) {
        daemon->report_suppressed[class]++;
        return false;
    }
    *suppressed = daemon->report_suppressed[class];
    daemon->report_suppressed[class] = 0;
    return true;
}

/* The identity of an utterance in logs: call, speaker, start and ordinal under the key. */
static const char *utterance_hash(const struct daemon *daemon, const char *interaction_id,
                                  int64_t start_ms, uint32_t ordinal, char out[KEYHASH_TEXT_BYTES])
{
    char identity[STORE_ID_BYTES + 64];
    int size = snprintf(identity, sizeof identity, "%s\ncustomer\n%lld\n%u", interaction_id,
                        (long long)start_ms, (unsigned)ordinal);
    return keyhash_text(&daemon->keyhash, identity, (size_t)size, out);
}

static double decimal(int64_t fixed)
{
    return (double)fixed / MOOD_ONE;
}

/* --- notes ----------------------------------------------------------------------------------- */

/* "-12.3s 0.021 moved -0.110; ...": the utterances that weigh most, by time before the reading. */
static void format_evidence(const struct effect *note, char *out, size_t out_bytes)
{
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < note->evidence_count && used < out_bytes; i++) {
        const struct call_evidence *item = &note->evidence[i];
        int written = snprintf(out + used, out_bytes - used, "%s%.1fs %s %.3f moved %+.3f",
                               i ? "; " : "", (double)(item->end_ms - note->reading.as_of_ms) / 1e3,
                               speaker_name(item->speaker), decimal(item->score),
                               decimal(item->contribution));
        used += written > 0 ? (size_t)written : 0;
    }
}

static void report_alert(struct daemon *daemon, const struct effect *note, const char *call)
{
    const struct config *config = daemon->config;
    char evidence[CALL_EVIDENCE_MAX * 64];
    format_evidence(note, evidence, sizeof evidence);
    static const enum metric paths[] = {
        [CALL_ALERT_DECLINING] = METRIC_ALERTS_DECLINING,
        [CALL_ALERT_SUSTAINED_LOW] = METRIC_ALERTS_SUSTAINED_LOW,
        [CALL_ALERT_RULE] = METRIC_ALERTS_RULE,
    };
    metrics_add(&daemon->metrics, paths[note->alert.path], 1);
    const char *text =
        note->rule ? "a rule about the call fired" : "the customer's mood needs attention";
    log_write(daemon->log, LOG_INFO, "alert_opened", text, LOG_TEXT("interaction", call),
              LOG_INT("episode", note->episode),
              LOG_TEXT("path", call_alert_path_name(note->alert.path)),
              LOG_TEXT("rule", note->rule), LOG_TEXT("queue", note->queue),
              LOG_TEXT("tier", call_tier_name(note->alert.tier)),
              LOG_NUMBER("confidence", decimal(note->alert.confidence)),
              LOG_NUMBER("slope", decimal(note->alert.slope)),
              LOG_NUMBER("score", decimal(note->reading.score)),
              LOG_NUMBER("score_below", config->alert_threshold),
              LOG_TEXT("trend", call_trend_name(note->reading.trend)),
              LOG_NUMBER("difference", decimal(note->reading.difference)),
              LOG_NUMBER("decline_over", config->trend_delta),
              LOG_NUMBER("sustained", decimal(note->reading.sustained)),
              LOG_NUMBER("sustained_over", config->alert_sustained_limit),
              LOG_INT("samples", note->reading.samples), LOG_TEXT("evidence", evidence));
}

static void report_open_alert(struct daemon *daemon, const struct effect *note, const char *call)
{
    const char *event = "alert_reminded";
    const char *text = "an alert has stayed open for long";
    if (note->note == NOTE_ALERT_RAISED) {
        event = "alert_raised";
        text = "an open alert concerns a supervisor now";
        metrics_add(&daemon->metrics, METRIC_ALERTS_RAISED, 1);
    }
    log_write(daemon->log, LOG_INFO, event, text, LOG_TEXT("interaction", call),
              LOG_INT("episode", note->episode), LOG_TEXT("tier", call_tier_name(note->alert.tier)),
              LOG_NUMBER("confidence", decimal(note->alert.confidence)),
              LOG_NUMBER("slope", decimal(note->alert.slope)),
              LOG_NUMBER("score", decimal(note->reading.score)),
              LOG_NUMBER("sustained", decimal(note->reading.sustained)),
              LOG_NUMBER("supervisor_over", daemon->config->alert_supervisor_limit));
}

static void report_suggestion(struct daemon *daemon, const struct effect *note, const char *call)
{
    const char *event = "suggestion_retried";
    const char *text = "the suggestion did not reach the vendor; it is tried again";
    enum log_level level = LOG_WARN;
    switch (note->suggestion_state) {
    case SUGGESTION_SENT:
        event = "suggestion_sent";
        text = "the vendor accepted the suggestion";
        level = LOG_INFO;
        metrics_add(&daemon->metrics, METRIC_SUGGESTIONS_SENT, 1);
        break;
    case SUGGESTION_UNKNOWN:
        event = "suggestion_unknown";
        text = "the suggestion may have been shown; it is not sent again";
        metrics_add(&daemon->metrics, METRIC_SUGGESTIONS_UNKNOWN, 1);
        break;
    case SUGGESTION_DROPPED:
        event = "suggestion_dropped";
        text = "the suggestion was given up";
        metrics_add(&daemon->metrics, METRIC_SUGGESTIONS_DROPPED, 1);
        break;
    case SUGGESTION_NONE:
    case SUGGESTION_WAITING:
    case SUGGESTION_IN_FLIGHT:
        break;
    }
    log_write(daemon->log, level, event, text, LOG_TEXT("interaction", call),
              LOG_INT("episode", note->episode), LOG_INT("status", note->status),
              LOG_TEXT("err", note->reason));
}

static void report_poll_failed(struct daemon *daemon, const struct effect *note, const char *call)
{
    uint64_t suppressed;
    if (may_report(daemon, REPORT_POLL_FAILED, &suppressed)) {
        log_write(
            daemon->log, LOG_WARN, "poll_failed", "the transcript could not be fetched",
            LOG_TEXT("interaction", call), LOG_TEXT("outcome", cxone_outcome_name(note->outcome)),
            LOG_INT("status", note->status), LOG_TEXT("err", note->reason),
            LOG_NUMBER("retry_s", (double)note->wait_ms / 1e3), LOG_INT("suppressed", suppressed));
    }
}

static void report_attributes_failed(struct daemon *daemon, const struct effect *note,
                                     const char *call)
{
    bool lost = note->note == NOTE_ATTRIBUTES_LOST;
    uint64_t suppressed = 0;
    metrics_add(&daemon->metrics, lost ? METRIC_ATTRIBUTES_LOST : METRIC_ATTRIBUTES_FAILED, 1);
    if (lost || may_report(daemon, REPORT_ATTRIBUTES_FAILED, &suppressed)) {
        log_write(daemon->log, LOG_WARN, lost ? "attributes_lost" : "attributes_failed",
                  lost ? "the last score and trend could not be written to the call"
                       : "score and trend could not be written; the latest value is tried again",
                  LOG_TEXT("interaction", call),
                  LOG_TEXT("outcome", cxone_outcome_name(note->outcome)),
                  LOG_INT("status", note->status), LOG_TEXT("err", note->reason),
                  LOG_INT("suppressed", suppressed));
    }
}

static void report_opened(struct daemon *daemon, const struct effect *note, const char *call)
{
    char from[KEYHASH_TEXT_BYTES];
    metrics_add(&daemon->metrics, METRIC_CALLS_OPENED, 1);
    if (!note->transferred_from) {
        log_write(daemon->log, LOG_INFO, "call_opened", "following a call",
                  LOG_TEXT("interaction", call));
        return;
    }
    metrics_add(&daemon->metrics, METRIC_CALLS_TRANSFERRED, 1);
    log_write(daemon->log, LOG_INFO, "call_opened", "following a transferred call",
              LOG_TEXT("interaction", call),
              LOG_TEXT("transferred_from", daemon_call_hash(daemon, note->transferred_from, from)));
}

static void report_masked(struct daemon *daemon, const struct effect *note, const char *call)
{
    char utterance[KEYHASH_TEXT_BYTES];
    utterance_hash(daemon, note->interaction_id, note->segment.start_ms, note->ordinal, utterance);
    log_write(daemon->log, LOG_DEBUG, "utterance_masked",
              note->withdrawn ? "said while masked: its score no longer counts"
                              : "said while masked: it is not scored",
              LOG_TEXT("interaction", call), LOG_TEXT("utterance", utterance),
              LOG_INT("revision", note->revision), LOG_INT("withdrawn", note->withdrawn));
}

static void report_unjudged(struct daemon *daemon, const struct effect *note, const char *call)
{
    char utterance[KEYHASH_TEXT_BYTES];
    metrics_add(&daemon->metrics, METRIC_NOT_JUDGED, 1);
    utterance_hash(daemon, note->interaction_id, note->segment.start_ms, note->ordinal, utterance);
    log_write(daemon->log, LOG_DEBUG, "utterance_not_judged",
              "said in a language that the model does not know", LOG_TEXT("interaction", call),
              LOG_TEXT("utterance", utterance), LOG_INT("revision", note->revision));
}

static void report_state(struct daemon *daemon, const struct effect *note, const char *call)
{
    log_write(daemon->log, LOG_INFO, "call_state", "the call is listed in another state",
              LOG_TEXT("interaction", call), LOG_TEXT("state", cxone_call_state_name(note->state)));
}

static void report_described(struct daemon *daemon, const struct effect *note, const char *call)
{
    log_write(daemon->log, note->judged ? LOG_INFO : LOG_WARN, "call_described",
              note->judged ? "the queue or language of a call is known, or is another now"
                           : "a call is not judged: model.language does not name its language",
              LOG_TEXT("interaction", call), LOG_TEXT("queue", note->queue),
              LOG_TEXT("language", note->language), LOG_INT("judged", note->judged));
}

void daemon_report_note(struct daemon *daemon, const struct effect *note)
{
    char call[KEYHASH_TEXT_BYTES];
    daemon_call_hash(daemon, note->interaction_id, call);
    switch (note->note) {
    case NOTE_CALL_OPENED:
        report_opened(daemon, note, call);
        break;
    case NOTE_CALL_RETURNED:
        log_write(daemon->log, LOG_INFO, "call_returned", "the call is listed as live again",
                  LOG_TEXT("interaction", call));
        break;
    case NOTE_CALL_STATE:
        report_state(daemon, note, call);
        break;
    case NOTE_CALL_DESCRIBED:
        report_described(daemon, note, call);
        break;
    case NOTE_UTTERANCE_UNJUDGED:
        report_unjudged(daemon, note, call);
        break;
    case NOTE_UTTERANCE_MASKED:
        report_masked(daemon, note, call);
        break;
    case NOTE_CALL_ENDING:
        log_write(daemon->log, LOG_INFO, "call_ending",
                  "the call is over; its last words are swept", LOG_TEXT("interaction", call),
                  LOG_TEXT("reason", effects_end_reason_name(note->end_reason)));
        break;
    case NOTE_CALL_CLOSED:
        metrics_add(&daemon->metrics, METRIC_CALLS_CLOSED, 1);
        log_write(daemon->log, LOG_INFO, "call_closed", "done with a call",
                  LOG_TEXT("interaction", call),
                  LOG_TEXT("reason", effects_end_reason_name(note->end_reason)),
                  LOG_INT("utterances", note->reading.utterances),
                  LOG_NUMBER("score", decimal(note->reading.score)),
                  LOG_TEXT("trend", call_trend_name(note->reading.trend)),
                  LOG_INT("unscored", note->unasked));
        break;
    case NOTE_STATE_LOST:
        log_write(daemon->log, LOG_WARN, "state_lost",
                  "what was kept of a call cannot be used; its history begins anew",
                  LOG_TEXT("interaction", call), LOG_TEXT("err", note->reason));
        break;
    case NOTE_ALERT_OPENED:
        report_alert(daemon, note, call);
        break;
    case NOTE_ALERT_RAISED:
    case NOTE_ALERT_REMINDED:
        report_open_alert(daemon, note, call);
        break;
    case NOTE_ALERT_RECOVERED:
        metrics_add(&daemon->metrics, METRIC_RECOVERED, 1);
        log_write(daemon->log, LOG_INFO, "alert_recovered", "the customer's mood has recovered",
                  LOG_TEXT("interaction", call), LOG_INT("episode", note->episode),
                  LOG_NUMBER("score", decimal(note->reading.score)));
        break;
    case NOTE_POLL_FAILED:
        report_poll_failed(daemon, note, call);
        break;
    case NOTE_SUGGESTION:
        report_suggestion(daemon, note, call);
        break;
    case NOTE_ATTRIBUTES_FAILED:
    case NOTE_ATTRIBUTES_LOST:
        report_attributes_failed(daemon, note, call);
        break;
    case NOTE_WORDS_DROPPED:
        break;
    }
}

/* --- answers --------------------------------------------------------------------------------- */

static void report_late(struct daemon *daemon, const struct score_answer *answer)
{
    uint64_t suppressed;
    metrics_add(&daemon->metrics, METRIC_SCORE_LATE, 1);
    if (may_report(daemon, REPORT_SCORE_LATE, &suppressed)) {
        log_write(
            daemon->log, LOG_WARN, "score_late",
            "the model cannot keep up: an utterance waited past model.deadline and was judged "
            "by a list of words",
            LOG_NUMBER("waited_s", (double)answer->waited_us / 1e6),
            LOG_INT("suppressed", suppressed));
    }
}

void daemon_report_answer(struct daemon *daemon, const struct score_answer *answer)
{
    char utterance[KEYHASH_TEXT_BYTES];
    struct metrics *metrics = &daemon->metrics;
    const struct score_ticket *ticket = &answer->ticket;
    utterance_hash(daemon, ticket->interaction_id, ticket->start_ms, ticket->ordinal, utterance);
    metrics_observe(metrics, METRIC_HISTOGRAM_SCORE_WAIT, (double)answer->waited_us / 1e6);
    if (answer->late) {
        report_late(daemon, answer);
    }
    if (answer->scorable) {
        int64_t delay_ms = daemon_now(daemon).vendor_ms - answer->ticket.end_ms;
        metrics_add(metrics, METRIC_SCORED, 1);
        metrics_add(metrics, METRIC_SCORE_DEGRADED, answer->degraded);
        metrics_observe(metrics, METRIC_HISTOGRAM_SCORE, (double)answer->scored_us / 1e6);
        metrics_observe(metrics, METRIC_HISTOGRAM_POLL_DELAY, (double)delay_ms / 1e3);
        log_write(daemon->log, LOG_DEBUG, "utterance_scored", "one utterance was judged",
                  LOG_TEXT("utterance", utterance), LOG_INT("revision", answer->ticket.revision),
                  LOG_NUMBER("score", decimal(answer->score)),
                  LOG_INT("tokens", answer->token_count), LOG_INT("degraded", answer->degraded),
                  LOG_NUMBER("waited_s", (double)answer->waited_us / 1e6),
                  LOG_NUMBER("delay_s", (double)delay_ms / 1e3));
        return;
    }
    if (!answer->failure) {
        metrics_add(metrics, METRIC_UNSCORABLE, 1);
        log_write(daemon->log, LOG_DEBUG, "utterance_unscorable", "nothing in it to judge",
                  LOG_TEXT("utterance", utterance), LOG_INT("revision", answer->ticket.revision));
        return;
    }
    uint64_t suppressed;
    metrics_add(metrics, METRIC_SCORE_FAILURES, 1);
    if (may_report(daemon, REPORT_SCORE_FAILED, &suppressed)) {
        log_write(daemon->log, LOG_ERROR, "score_failed", "the model could not judge an utterance",
                  LOG_TEXT("utterance", utterance), LOG_INT("revision", answer->ticket.revision),
                  LOG_TEXT("err", answer->failure), LOG_INT("suppressed", suppressed));
    }
}

void daemon_report_result(struct daemon *daemon, enum cxone_operation operation,
                          const struct cxone_result *result)
{
    struct metrics *metrics = &daemon->metrics;
    bool good = result->outcome == CXONE_OK || result->outcome == CXONE_EMPTY;
    uint64_t suppressed;
    if (result->status > 0) {
        metrics_observe(metrics, METRIC_HISTOGRAM_REQUEST, (double)result->total_ms / 1e3);
    }
    if (operation == CXONE_TRANSCRIPTS) {
        metrics_add(metrics, metrics_poll(result->outcome), 1);
        metrics_add(metrics, METRIC_SEGMENTS_MISSING_FINAL, (double)result->missing_final);
        metrics_add(metrics, METRIC_SEGMENTS_QUARANTINED, (double)result->quarantined);
    } else if (operation == CXONE_ATTRIBUTES && good) {
        metrics_add(metrics, METRIC_ATTRIBUTES_SENT, 1);
    } else if (operation == CXONE_DISCOVERY && good) {
        metrics_add(metrics, METRIC_UNKNOWN_STATES, (double)result->unknown_states);
    } else if (operation == CXONE_DISCOVERY &&
               may_report(daemon, REPORT_DISCOVERY_FAILED, &suppressed)) {
        log_write(daemon->log, LOG_WARN, "discovery_failed",
                  "the list of live calls could not be fetched",
                  LOG_TEXT("outcome", cxone_outcome_name(result->outcome)),
                  LOG_INT("status", result->status), LOG_TEXT("err", result->reason),
                  LOG_INT("suppressed", suppressed));
    }
}

void daemon_report_schedule(struct daemon *daemon, const struct poll_schedule *schedule)
{
    double longest_s = (double)poll_schedule_longest_ms(schedule) / 1e3;
    if (schedule->degraded) {
        log_write(daemon->log, LOG_WARN, "schedule_degraded",
                  "the quota does not let every call be polled each poll.max; all wait longer",
                  LOG_INT("calls", schedule->calls), LOG_NUMBER("polls_per_s", schedule->left_rps),
                  LOG_NUMBER("longest_s", longest_s));
    } else {
        log_write(daemon->log, LOG_INFO, "schedule_restored",
                  "every call is polled within poll.max again", LOG_INT("calls", schedule->calls),
                  LOG_NUMBER("polls_per_s", schedule->left_rps),
                  LOG_NUMBER("longest_s", longest_s));
    }
}

/* --- events of the vendor connection --------------------------------------------------------- */

void daemon_report_vendor_event(void *user, const struct cxone_event *event)
{
    static const struct {
        enum log_level level;
        const char *name;
        const char *text;
    } lines[] = {
        [CXONE_EVENT_TOKEN_REFRESHED] = {LOG_INFO, "token_refreshed", "a new access token is held"},
        [CXONE_EVENT_TOKEN_FAILED] = {LOG_WARN, "token_failed", "no access token was given"},
        [CXONE_EVENT_TOKEN_INVALIDATED] = {LOG_WARN, "token_invalidated",
                                           "the vendor no longer accepts the access token"},
        [CXONE_EVENT_CREDENTIALS_REJECTED] = {LOG_ERROR, "credentials_rejected",
                                              "the vendor rejects our client credentials"},
        [CXONE_EVENT_SCOPE_MISSING] = {LOG_WARN, "scope_missing",
                                       "the granted scope lacks something we need"},
        [CXONE_EVENT_CAPABILITY_SUSPENDED] = {LOG_ERROR, "capability_suspended",
                                              "the vendor forbids this; everything else goes on"},
        [CXONE_EVENT_CAPABILITY_RESTORED] = {LOG_INFO, "capability_restored",
                                             "the vendor allows this again"},
        [CXONE_EVENT_BREAKER] = {LOG_WARN, "breaker_changed", "a circuit breaker changed state"},
        [CXONE_EVENT_ADDRESS_KNOWN] = {LOG_INFO, "address_known",
                                       "the issuer told where something is"},
        [CXONE_EVENT_ADDRESS_FAILED] = {LOG_WARN, "address_failed",
                                        "the issuer did not tell where something is"},
        [CXONE_EVENT_PAGES_CUT] = {LOG_WARN, "pages_cut", "not all pages of a reply were read"},
        [CXONE_EVENT_SOCKET] = {LOG_INFO, "socket_changed",
                                "the transcript socket was opened or lost"},
        [CXONE_EVENT_ROUTE_FAILED] = {LOG_WARN, "route_failed",
                                      "an alert went out, but not in every way asked for"},
        [CXONE_EVENT_QUOTA_CUT] = {LOG_WARN, "quota_cut", "the vendor's quota is below ours"},
        [CXONE_EVENT_QUOTA_RESTORED] = {LOG_INFO, "quota_restored",
                                        "the configured quota is used again"},
        [CXONE_EVENT_CALL_QUOTA_CUT] = {LOG_WARN, "call_quota_cut",
                                        "the vendor's quota for each call is below ours"},
        [CXONE_EVENT_CALL_QUOTA_RESTORED] = {LOG_INFO, "call_quota_restored",
                                             "calls are asked as often as configured again"},
        [CXONE_EVENT_RETRY_AFTER_CUT] = {LOG_WARN, "retry_after_cut",
                                         "the vendor asks for a pause too long to be meant"},
    };
    struct daemon *daemon = user;
    if (event->kind == CXONE_EVENT_TOKEN_REFRESHED) {
        metrics_add(&daemon->metrics, METRIC_TOKEN_REFRESHED, 1);
    } else if (event->kind == CXONE_EVENT_TOKEN_FAILED) {
        metrics_add(&daemon->metrics, METRIC_TOKEN_FAILED, 1);
    }
    log_write(daemon->log, lines[event->kind].level, lines[event->kind].name,
              lines[event->kind].text,
              LOG_TEXT("operation", cxone_operation_name(event->operation)),
              LOG_INT("status", event->status), LOG_INT("value", event->value),
              LOG_TEXT("detail", event->text));
}
