/* daemon_http.c - the daemon's own server: /metrics, /healthz (the process makes progress) and
 * /readyz (it may own work: token held, discovery read). Nothing of these names a call or a
 * customer. The rest is the API (daemon_api.c), and the supervisors' page (daemon_wallboard.c),
 * where calls have their names.
 */
#include "app/daemon_api.h"
#include "app/daemon_notify.h"
#include "app/daemon_switch.h"
#include "app/daemon_wallboard.h"
#include "app/daemon_webhook.h"
#include "config/config_file.h"

#include "config/wire.h"

#include <string.h>

static void reply_text(struct http_exchange *exchange, int status, const char *text)
{
    const struct http_header type = {"Content-Type", "text/plain; charset=utf-8"};
    http_exchange_reply(exchange, status, &type, 1, text, strlen(text));
}

static void refresh_cache_counts(struct daemon *daemon)
{
    if (daemon->cache) {
        struct result_cache_counts counts = result_cache_counts(daemon->cache);
        metrics_set(&daemon->metrics, METRIC_SCORE_CACHE_HITS, (double)counts.hits);
        metrics_set(&daemon->metrics, METRIC_SCORE_CACHE_MISSES, (double)counts.misses);
        metrics_set(&daemon->metrics, METRIC_SCORE_CACHE_EVICTIONS, (double)counts.evictions);
    }
}

static void refresh_schedule(struct metrics *metrics, const struct poll_schedule *schedule)
{
    metrics_set(metrics, METRIC_POLL_THETA, schedule->theta);
    metrics_set(metrics, METRIC_POLL_DEMAND, schedule->demand_rps);
    metrics_set(metrics, METRIC_POLL_LONGEST, (double)poll_schedule_longest_ms(schedule) / 1e3);
    metrics_set(metrics, METRIC_POLL_DEGRADED, schedule->degraded);
}

static void refresh_gauges(struct daemon *daemon)
{
    struct metrics *metrics = &daemon->metrics;
    struct cxone_status status;
    struct call_counts counts;
    cxone_status(daemon->cxone, &status);
    pipeline_counts(daemon->pipeline, &counts);
    metrics_set(metrics, METRIC_CALLS_LIVE, (double)pipeline_calls_live(daemon->pipeline));
    metrics_set(metrics, METRIC_CALLS_NOT_JUDGED,
                (double)pipeline_calls_unjudged(daemon->pipeline));
    metrics_set(metrics, METRIC_WORDS_BYTES, (double)pipeline_words_bytes(daemon->pipeline));
    metrics_set(metrics, METRIC_UTTERANCES_CUSTOMER, (double)counts.finals);
    metrics_set(metrics, METRIC_UTTERANCES_AGENT, (double)counts.agent);
    metrics_set(metrics, METRIC_UTTERANCES_DUPLICATE, (double)counts.duplicates);
    metrics_set(metrics, METRIC_UTTERANCES_REVISED, (double)counts.revisions);
    metrics_set(metrics, METRIC_UTTERANCES_LATE, (double)counts.late);
    metrics_set(metrics, METRIC_UTTERANCES_BEYOND_LATENESS, (double)counts.beyond_lateness);
    metrics_set(metrics, METRIC_UTTERANCES_FOLDED, (double)counts.folded);
    metrics_set(metrics, METRIC_UTTERANCES_MASKED, (double)counts.masked);
    metrics_set(metrics, METRIC_SEGMENTS_PARTIAL, (double)counts.partials);
    metrics_set(metrics, METRIC_SEGMENTS_CLAMPED, (double)counts.clamped);
    metrics_set(metrics, METRIC_SEGMENTS_UNKNOWN_SPEAKER, (double)counts.unknown_speaker);
    metrics_set(metrics, METRIC_SCORER_QUEUE, (double)score_pool_queued(daemon->pool));
    metrics_set(metrics, METRIC_SCORER_OLDEST,
                (double)score_pool_oldest_wait_ms(daemon->pool, clock_mono()) / 1e3);
    refresh_cache_counts(daemon);
    for (int i = 0; i < 4; i++) {
        metrics_set(metrics, (enum metric)(METRIC_BREAKER_TRANSCRIPTS + i), status.breaker[i]);
        metrics_set(metrics, (enum metric)(METRIC_SUSPENDED_TRANSCRIPTS + i), status.suspended[i]);
        metrics_set(metrics, (enum metric)(METRIC_RETRY_TOKENS_TRANSCRIPTS + i),
                    status.retry_tokens[i]);
    }
    metrics_set(metrics, METRIC_RATE_LIMIT, status.rate_rps);
    metrics_set(metrics, METRIC_CALL_RATE_LIMIT, status.call_rps);
    refresh_schedule(metrics, pipeline_schedule(daemon->pipeline));
    metrics_set(metrics, METRIC_REQUESTS_QUEUED, status.queued);
    metrics_set(metrics, METRIC_REQUESTS_IN_FLIGHT, status.in_flight);
    metrics_set(metrics, METRIC_VENDOR_OFFSET, (double)status.vendor_offset_ms / 1e3);
    struct drift_reading drift = drift_read(&daemon->drift, loop_now(daemon->loop));
    metrics_set(metrics, METRIC_DRIFT, drift.index);
    metrics_set(metrics, METRIC_DRIFT_CURRENT, (double)drift.current);
    metrics_set(metrics, METRIC_DRIFT_REFERENCE, (double)drift.reference);
    daemon_keep_count(daemon);
    metrics_set(metrics, METRIC_LOG_DROPPED, (double)log_dropped());
    metrics_read_process(metrics);
}

static void serve_metrics(struct daemon *daemon, struct http_exchange *exchange)
{
    struct buf body;
    const struct http_header type = {"Content-Type", "text/plain; version=0.0.4; charset=utf-8"};
    buf_init(&body, 256 * 1024);
    refresh_gauges(daemon);
    metrics_write(&daemon->metrics, &body);
    if (body.failed) {
        reply_text(exchange, 500, "no memory for the metrics\n");
    } else {
        http_exchange_reply(exchange, 200, &type, 1, body.bytes, body.size);
    }
    buf_done(&body);
}

/* What is switched off by somebody is no reason to take it out of service, but worth saying. */
static const char *ready_text(const struct daemon *daemon)
{
    struct switch_state writes = daemon_switch_effective(daemon);
    if (pipeline_fuse(daemon->pipeline)->reason != FUSE_WHOLE) {
        return "ready; the fuse holds all suggestions back: see fuse_blown in the log\n";
    }
    if (!writes.attributes && !writes.suggestions) {
        return "ready; nothing is written: see mode, writes.* and POST /api/v1/writes\n";
    }
    if (!writes.attributes || !writes.suggestions) {
        return writes.attributes ? "ready; suggestions are switched off\n"
                                 : "ready; attributes are switched off\n";
    }
    return "ready\n";
}

static void serve_ready(struct daemon *daemon, struct http_exchange *exchange)
{
    struct cxone_status status;
    cxone_status(daemon->cxone, &status);
    if (daemon->stopping) {
        reply_text(exchange, 503, "stopping\n");
    } else if (status.credentials_rejected) {
        reply_text(exchange, 503, "the vendor rejects our client credentials\n");
    } else if (!status.token_held) {
        reply_text(exchange, 503, "no access token yet\n");
    } else if (daemon_keep_is_failing(daemon)) {
        reply_text(exchange, 503, "the store cannot keep anything: see store_failed in the log\n");
    } else if (daemon->config->discover_mode == CONFIG_DISCOVER_ACTIVE_CONTACTS &&
               !daemon->discovered) {
        reply_text(exchange, 503, "the list of live calls was not read yet\n");
    } else {
        reply_text(exchange, 200, ready_text(daemon));
    }
}

static void serve_health(const struct daemon *daemon, struct http_exchange *exchange)
{
    const char *trouble = daemon_notify_trouble(daemon);
    if (*trouble) {
        reply_text(exchange, 503, trouble);
    } else {
        reply_text(exchange, 200, "ok\n");
    }
}

static void serve(void *user, struct http_exchange *exchange)
{
    struct daemon *daemon = user;
    const char *path = http_exchange_path(exchange);
    const char *method = http_exchange_method(exchange);
    if (daemon_api_serve(daemon, exchange) || daemon_webhook_serve(daemon, exchange)) {
        return;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        reply_text(exchange, 405, "only GET is answered here\n");
    } else if (strcmp(path, "/metrics") == 0) {
        serve_metrics(daemon, exchange);
    } else if (strcmp(path, "/healthz") == 0) {
        serve_health(daemon, exchange);
    } else if (strcmp(path, "/readyz") == 0) {
        serve_ready(daemon, exchange);
    } else if (!daemon_wallboard_serve(daemon->wallboard, exchange)) {
        reply_text(exchange, 404, "here are /, /api/calls, /metrics, /healthz and /readyz\n");
    }
}

/* Both files, or none: config_check saw to that. */
static int read_certificate(const struct config *config, struct config_file *certificate,
                            struct config_file *key, struct error *err)
{
    *certificate = *key = (struct config_file){0};
    if (!config->http_tls_certificate[0]) {
        return 0;
    }
    int result = config_file_read(certificate, config->http_tls_certificate, err);
    if (result) {
        return error_wrap(err, "http.tls_certificate");
    }
    result = config_file_read_secret(key, config->http_tls_key, true, err);
    return result ? error_wrap(err, "http.tls_key") : 0;
}

static int create_server(struct daemon *daemon, struct http_server_options *options,
                         struct error *err)
{
    struct config_file certificate;
    struct config_file key;
    int result = read_certificate(daemon->config, &certificate, &key, err);
    if (!result) {
        options->tls_certificate_pem = certificate.bytes;
        options->tls_key_pem = key.bytes;
        result = http_server_create(&daemon->server, daemon->loop, options, err);
    }
    config_file_done(&certificate);
    config_file_done(&key);
    return result ? error_wrap(err, "http.listen %s", daemon->config->http_listen) : 0;
}

int daemon_http_create(struct daemon *daemon, struct error *err)
{
    char address[WIRE_ADDRESS_BYTES];
    struct http_server_options options = {
        .address = address,
        .body_bytes_max = 64 * 1024,
        .connections_max = 64,
        .idle_timeout_s = 60,
        .handler = serve,
        .user = daemon,
    };
    if (!daemon->config->http_listen[0]) {
        return 0;
    }
    int result = wire_listen(daemon->config->http_listen, address, &options.port, err);
    if (result) {
        return result;
    }
    result = daemon_wallboard_create(&daemon->wallboard, daemon, err);
    if (result) {
        return result;
    }
    return create_server(daemon, &options, err);
}
