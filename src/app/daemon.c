/* daemon.c - the daemon's life: start, run, stop. See daemon.h and ARCHITECTURE.md. */
#include "app/daemon_api.h"
#include "app/daemon_calls.h"
#include "app/daemon_decisions.h"
#include "app/daemon_notify.h"
#include "app/daemon_reload.h"
#include "app/daemon_rules.h"
#include "app/daemon_switch.h"
#include "app/daemon_wallboard.h"
#include "app/daemon_webhook.h"

#include "base/lines.h"
#include "config/store_config.h"
#include "config/wire.h"
#include "model/memory_room.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STOP_PATIENCE_MS = 5000 };

/* --- start ----------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

static int load_hash_key(struct daemon *daemon, struct error *err)
{
    const char *path = daemon->config->log_hash_key_file;
    if (!path[0]) {
        keyhash_derive(&daemon->store_key, "log", &daemon->keyhash);
        return 0;
    }
    char *text;
    size_t size;
    int result = lines_read_file(path, 4096, &text, &size, err);
    if (result) {
        return error_wrap(err, "log.hash_key_file");
    }
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r')) {
        size--;
    }
    bool good = size == KEYHASH_KEY_BYTES * 2;
    for (size_t i = 0; good && i < KEYHASH_KEY_BYTES; i++) {
        int high = hex_value(text[i * 2]);
        int low = hex_value(text[i * 2 + 1]);
        good = high >= 0 && low >= 0;
        daemon->keyhash.key[i] = (unsigned char)(high << 4 | low);
    }
    keyhash_wipe(text, size);
    free(text);
    return good ? 0
                : error_set(err, ERROR_CONFIG,
                            "log.hash_key_file %s: expected 64 lower-case hexadecimal digits "
                            "(make one with: openssl rand -hex 32)",
                            path);
}

static unsigned thread_count(const struct config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (config->model_threads > 0) {
        return (unsigned)config->model_threads;
    }
    return cores > 2 ? 2 : (cores < 1 ? 1 : (unsigned)cores);
}

static void report_model(const struct daemon *daemon, struct mono begun)
{
    const struct scorer *scorer = daemon->model.scorer;
    double took_s = (double)mono_ms_between(begun, clock_mono()) / 1e3;
    if (daemon->model.degraded) {
        log_write(daemon->log, LOG_WARN, "model_degraded",
                  "the model asked for cannot be used; a fallback judges in its place",
                  LOG_TEXT("fallback",
                           scorer ? buf_string(&daemon->model.directory) : MODEL_CHOICE_LEXICON),
                  LOG_TEXT("err", daemon->model.reason.message));
    }
    if (scorer) {
        log_write(daemon->log, LOG_INFO, "model_loaded", "the model is ready and passed its test",
                  LOG_TEXT("directory", buf_string(&daemon->model.directory)),
                  LOG_TEXT("device", "cpu"), LOG_TEXT("kernels", scorer_kernels_name(scorer)),
                  LOG_TEXT("precision", scorer_precision_name(scorer)),
                  LOG_INT("weight_bytes", scorer_weight_bytes(scorer)),
                  LOG_TEXT("from", scorer_is_packed(scorer) ? "packed" : "checkpoint"),
                  LOG_INT("threads", thread_count(daemon->config)), LOG_NUMBER("dur_s", took_s));
    }
}

static int load_model(struct daemon *daemon, struct error *err)
{
    const struct config *config = daemon->config;
    struct model_choice_options options = {
        .model = config->model_dir,
        .fallback = (const char *const *)config->model_fallback.items,
        .fallback_count = config->model_fallback.count,
        .memory_bytes = UINT64_MAX,
        .cache = config->model_cache,
    };
    struct mono begun = clock_mono();
    wire_scorer(config, &options.scorer);
    (void)memory_room_read("", &options.memory_bytes); /* unknown: left to the allocator */
    int result = model_choice_make(&daemon->model, &options, err);
    if (!result) {
        metrics_set(&daemon->metrics, METRIC_MODEL_DEGRADED, daemon->model.degraded);
        report_model(daemon, begun);
        daemon_pack_start(daemon);
    }
    return result;
}

static int make_score_pool(struct daemon *daemon, struct error *err)
{
    const struct config *config = daemon->config;
    int result = 0;
    if (daemon->model.scorer && config->model_cache_entries > 0) {
        result = result_cache_create(&daemon->cache, (size_t)config->model_cache_entries, err);
    }
    const struct score_pool_options options = {
        .scorer = daemon->model.scorer,
        .lexicon = daemon->model.lexicon,
        .cache = daemon->cache,
        .degraded = daemon->model.degraded,
        .threads = thread_count(config),
        .batch_tokens = (size_t)config->model_batch_tokens,
        .deadline_ms = config->model_deadline_ms,
    };
    return result ? result
                  : score_pool_create(&daemon->pool, daemon->loop, &options, daemon_on_answer,
                                      daemon, err);
}

int daemon_connect(struct daemon *daemon, const struct config *config, struct http_client **client,
                   struct cxone **cxone, struct error *err)
{
    struct http_client_options client_options;
    struct cxone_options options;
    uint64_t seed;
    keyhash_random_bytes(&seed, sizeof seed);
    wire_http_client(config, &client_options);
    wire_cxone(config, seed, &options);
    options.on_event = daemon_report_vendor_event;
    options.user = daemon;
    int result = http_client_create(client, daemon->loop, &client_options, err);
    return result ? result : cxone_create(cxone, daemon->loop, *client, &options, err);
}

/* Those of the configuration, or the model's own; the lexicon is English. */
static void add_own_language(const struct daemon *daemon, struct language_set *languages)
{
    const struct scorer *scorer = daemon->model.scorer;
    if (languages->count == 0 && !languages->all) {
        (void)language_set_add(languages, scorer ? scorer_language(scorer) : "en");
    }
}

void daemon_pipeline_options(const struct daemon *daemon, uint64_t seed,
                             struct pipeline_options *options)
{
    struct keyhash identity;
    struct switch_state writes = daemon_switch_effective(daemon);
    wire_pipeline(daemon->config, seed, options);
    add_own_language(daemon, &options->session.languages);
    options->session.write_attributes = options->session.write_attributes && writes.attributes;
    options->session.send_suggestions = options->session.send_suggestions && writes.suggestions;
    keyhash_derive(&daemon->store_key, "identity", &identity);
    memcpy(options->session.mood.identity_key, identity.key,
           sizeof options->session.mood.identity_key);
    keyhash_derive(&daemon->store_key, "effects", &options->session.effect_key);
    options->session.rules = daemon_rules_in_force(daemon);
    options->keep_state = daemon->config->store_path[0] != '\0';
}

static int make_pipeline(struct daemon *daemon, struct error *err)
{
    struct pipeline_options options;
    uint64_t seed;
    keyhash_random_bytes(&seed, sizeof seed);
    daemon_pipeline_options(daemon, seed, &options);
    daemon->pipeline = pipeline_create(&options);
    roster_init(&daemon->roster, options.calls_max);
    map_init(&daemon->degraded_calls, options.calls_max * 2); /* ending calls are still followed */
    if (!daemon->pipeline) {
        return error_set(err, ERROR_MEMORY, "no memory to follow %zu calls", options.calls_max);
    }
    return daemon_keep_create(daemon, options.calls_max, err);
}

static void on_stop_patience_over(void *user)
{
    struct daemon *daemon = user;
    log_write_fields(daemon->log, LOG_WARN, "stop_forced",
                     "what was still owed is given up after 5 s", NULL, 0);
    loop_stop(daemon->loop);
}

static void on_signal(void *user, int signal_number)
{
    struct daemon *daemon = user;
    log_write(daemon->log, LOG_INFO, "stopping", "a signal asks to stop",
              LOG_INT("signal", signal_number));
    if (daemon->stopping) {
        loop_stop(daemon->loop);
        return;
    }
    daemon->stopping = true;
    daemon_notify_stopping(daemon);
    loop_timer_stop(daemon->discover_timer);
    loop_timer_start(daemon->stop_timer, STOP_PATIENCE_MS, 0);
    struct pipeline_event event = {.kind = PIPELINE_STOP};
    daemon_step(daemon, &event);
}

static void on_hangup(void *user, int signal_number)
{
    (void)signal_number;
    (void)daemon_reload(user, NULL); /* the log tells */
}

static int make_timers(struct daemon *daemon, struct error *err)
{
    int result = loop_timer_create(daemon->loop, daemon_on_due, daemon, &daemon->due_timer, err);
    if (!result) {
        result = loop_timer_create(daemon->loop, daemon_on_discover, daemon,
                                   &daemon->discover_timer, err);
    }
    if (!result) {
        result = loop_timer_create(daemon->loop, on_stop_patience_over, daemon, &daemon->stop_timer,
                                   err);
    }
    if (!result) {
        result = loop_on_signal(daemon->loop, SIGTERM, on_signal, daemon, err);
    }
    if (!result) {
        result = loop_on_signal(daemon->loop, SIGHUP, on_hangup, daemon, err);
    }
    if (!result) {
        result = daemon_switch_listen(daemon, err);
    }
    return result ? result : loop_on_signal(daemon->loop, SIGINT, on_signal, daemon, err);
}

static int set_up(struct daemon *daemon, struct error *err)
{
    int result = store_config_read_key(daemon->config, true, &daemon->store_key, err);
    result = result ? result : load_hash_key(daemon, err);
    result = result ? result : loop_create(&daemon->loop, err);
    result = result ? result
                    : daemon_connect(daemon, daemon->config, &daemon->client, &daemon->cxone, err);
    result = result ? result : daemon_notify_create(daemon, err);
    result = result ? result : daemon_switch_create(daemon, err);
    result = result ? result : daemon_rules_create(daemon, err);
    result = result ? result : make_pipeline(daemon, err);
    result = result ? result : daemon_calls_create(daemon, err);
    result = result ? result : daemon_reload_create(daemon, err);
    result = result ? result : daemon_api_create(daemon, err);
    result = result ? result : daemon_webhook_create(daemon, err);
    result = result ? result : daemon_http_create(daemon, err);
    result = result ? result : load_model(daemon, err);
    result = result ? result : make_score_pool(daemon, err);
    result = result ? result : daemon_decisions_create(daemon, err);
    return result ? result : make_timers(daemon, err);
}

int daemon_create(struct daemon **daemon, const struct daemon_options *options, struct error *err)
{
    *daemon = NULL;
    struct daemon *created = calloc(1, sizeof *created);
    if (!created) {
        return error_set(err, ERROR_MEMORY, "no memory for the daemon");
    }
    created->own_config = *options->config;
    *options->config = (struct config){0};
    created->config = &created->own_config;
    created->own_log = (struct log){options->log_fd, (enum log_level)created->config->log_level};
    created->log = &created->own_log;
    created->load = options->load;
    created->load_user = options->user;
    created->started = clock_mono();
    drift_init(&created->drift, created->started);
    metrics_set(&created->metrics, METRIC_START_TIME, (double)clock_wall().ms / 1e3);
    for (int i = 0; i < REPORT_CLASSES; i++) {
        limiter_init(&created->report_limits[i], 2, 20, created->started);
    }
    int result = set_up(created, err);
    if (result) {
        daemon_destroy(created);
        return result;
    }
    *daemon = created;
    return 0;
}

/* --- run and stop ---------------------------------------------------------------------------- */

void daemon_fail(struct daemon *daemon, const struct error *err)
{
    if (!daemon->fatal.code) {
        daemon->fatal = *err;
    }
    loop_stop(daemon->loop);
}

void daemon_check_stopped(struct daemon *daemon)
{
    if (daemon->stopping && score_pool_queued(daemon->pool) == 0 &&
        pipeline_settled(daemon->pipeline) && daemon_keep_settled(daemon)) {
        loop_stop(daemon->loop);
    }
}

int64_t daemon_discovery_ms(const struct daemon *daemon)
{
    const struct config *config = daemon->config;
    switch (config->discover_mode) {
    case CONFIG_DISCOVER_ACTIVE_CONTACTS:
        return config->discover_interval_ms;
    case CONFIG_DISCOVER_WEBHOOK:
        return *config->ep_active_contacts ? config->discover_sweep_ms : 0;
    default:
        return 0;
    }
}

void daemon_start_discovery(struct daemon *daemon)
{
    int64_t pace_ms = daemon_discovery_ms(daemon);
    if (pace_ms > 0) {
        loop_timer_start(daemon->discover_timer, 0, pace_ms);
    } else {
        loop_timer_stop(daemon->discover_timer);
        daemon_forget_list(daemon);
    }
}

static void warn_of_quota(const struct daemon *daemon)
{
    const struct config *config = daemon->config;
    size_t calls = config->interactions.count;
    double seconds = (double)calls / config->rate_client_rps;
    if (calls > 0 && seconds * 1e3 > (double)config->poll_active_ms) {
        log_write(daemon->log, LOG_WARN, "quota_short",
                  "rate.client_rps lets each call be seen less often than poll.active asks",
                  LOG_INT("calls", calls), LOG_NUMBER("seconds_between_polls", seconds));
    }
}

int daemon_run(struct daemon *daemon, struct error *err)
{
    log_write(daemon->log, LOG_INFO, "started", "undertone is running",
              LOG_TEXT("version", UNDERTONE_VERSION), LOG_INT("pid", getpid()),
              LOG_TEXT("profile", daemon->config->profile),
              LOG_TEXT("mode", daemon->config->mode == CONFIG_MODE_LIVE ? "live" : "shadow"),
              LOG_INT("http_port", daemon->server ? http_server_port(daemon->server) : 0),
              LOG_NUMBER("dur_s", (double)mono_ms_between(daemon->started, clock_mono()) / 1e3));
    warn_of_quota(daemon);
    if (daemon_keep_restore(daemon, err)) {
        return (int)err->code;
    }
    daemon_decisions_restore(daemon);
    daemon_switch_apply(daemon);
    daemon_calls_refresh(daemon);
    daemon_start_discovery(daemon);
    daemon_notify_ready(daemon);
    loop_run(daemon->loop);
    if (daemon->fatal.code) {
        *err = daemon->fatal;
        return (int)err->code;
    }
    log_write(daemon->log, LOG_INFO, "stopped", "undertone has stopped in order",
              LOG_INT("calls_followed", pipeline_calls(daemon->pipeline)));
    return 0;
}

void daemon_destroy(struct daemon *daemon)
{
    if (!daemon) {
        return;
    }
    daemon->closing = true;
    score_pool_destroy(daemon->pool);
    daemon_wallboard_destroy(daemon->wallboard);
    http_server_destroy(daemon->server);
    daemon_api_destroy(daemon->api);
    daemon_webhook_destroy(daemon->webhook);
    daemon_reload_destroy(daemon->reload);
    cxone_destroy(daemon->cxone);
    http_client_destroy(daemon->client);
    daemon_calls_destroy(daemon->calls);
    daemon_decisions_destroy(daemon->decisions);
    daemon_switch_destroy(daemon->writes);
    daemon_notify_destroy(daemon->notify);
    loop_timer_destroy(daemon->due_timer);
    loop_timer_destroy(daemon->discover_timer);
    loop_timer_destroy(daemon->stop_timer);
    daemon_keep_destroy(daemon);
    pipeline_destroy(daemon->pipeline);
    daemon_rules_destroy(daemon->rules);
    roster_done(&daemon->roster);
    daemon_pack_finish(daemon);
    model_choice_free(&daemon->model);
    result_cache_destroy(daemon->cache);
    map_done(&daemon->degraded_calls);
    loop_destroy(daemon->loop);
    keyhash_wipe(&daemon->keyhash, sizeof daemon->keyhash);
    keyhash_wipe(&daemon->store_key, sizeof daemon->store_key);
    config_free(&daemon->own_config);
    free(daemon);
}
