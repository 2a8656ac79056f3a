/* config/config.h - the effective configuration: flags > environment > file of variables > YAML
 * file > profile defaults.
 *
 * One table (config_rows_*.c) names every key: its type, bounds, default for each profile,
 * environment variable and meaning; loading, `config show`, `config check` and
 * docs/CONFIGURATION.md are all made from it. Durations are written with a unit ("250ms", "2s",
 * "10min", "1h") and kept in milliseconds; shares and scores are plain numbers.
 *
 * Secrets never come from the command line; they are printed as "***" and wiped on free.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_discover {
    CONFIG_DISCOVER_FIXED,
    CONFIG_DISCOVER_ACTIVE_CONTACTS,
    CONFIG_DISCOVER_WEBHOOK
};
enum config_http_version { CONFIG_HTTP_AUTO, CONFIG_HTTP_1_1 };
enum config_evidence { CONFIG_EVIDENCE_NONE, CONFIG_EVIDENCE_REDACTED };
enum config_webhook_check { CONFIG_WEBHOOK_SIGNATURE, CONFIG_WEBHOOK_SECRET };
/* In the order of enum mood_weighting. */
enum config_weighting { CONFIG_WEIGHTING_UTTERANCE, CONFIG_WEIGHTING_DURATION };
enum config_mode { CONFIG_MODE_LIVE, CONFIG_MODE_SHADOW };

struct config_list {
    char **items; /* owned, NULL-terminated; NULL when empty */
    size_t count;
};

struct config {
    char *profile; /* profile: tutorial | tutorial-literal | simulator | cxone-real */
    int mode;      /* mode: live | shadow (judges and logs, writes nothing) */

    char *env;             /* env, CXONE_ENV: "us-1.api.cxone.com" */
    char *env_template;    /* env_template: "https://{env}.api.cxone.com" */
    char *api_base;        /* api_base: "" means derived from env */
    char *auth_url;        /* auth_url: "" means api base + auth.token_path */
    bool allow_plain_http; /* http.allow_plain */

    bool discovery_enabled;       /* discovery.enabled */
    char *discovery_issuer;       /* discovery.issuer */
    char *discovery_tenant_id;    /* discovery.tenant_id: "" = the ID token's */
    int64_t discovery_max_age_ms; /* discovery.max_age: 1h */

    int auth_grant;                /* auth.grant: enum cxone_grant */
    int auth_client_auth;          /* auth.client_auth: enum cxone_client_auth */
    char *auth_client_id;          /* auth.client_id, CXONE_CLIENT_ID */
    char *auth_client_secret;      /* auth.client_secret, CXONE_CLIENT_SECRET: secret */
    char *auth_client_secret_file; /* auth.client_secret_file: mode checked */
    char *auth_access_key_id;
    char *auth_access_key_secret; /* secret, as the next two pairs */
    char *auth_access_key_secret_file;
    char *auth_refresh_token;
    char *auth_refresh_token_file;
    char *auth_static_token;
    char *auth_static_token_file;
    char *auth_scope;                 /* auth.scope */
    char *auth_token_path;            /* auth.token_path */
    int64_t auth_refresh_margin_ms;   /* auth.refresh_margin: 60s */
    int64_t auth_default_lifetime_ms; /* auth.default_lifetime: 1h */
    bool auth_retry_on_403_once;      /* auth.retry_on_403_once */

    char *ep_transcripts; /* ep.transcripts */
    char *ep_attributes;
    char *ep_suggestions;
    char *ep_signal;          /* "" but in profile cxone-real */
    char *ep_active_contacts; /* "" in profile tutorial */

    char *socket_url;     /* socket.url: "" = no transcript socket */
    bool socket_fallback; /* socket.fallback */

    int time_format;             /* time.format: enum cxone_time_format */
    char *map_array;             /* map.array: "" = the root */
    struct config_list map_text; /* JSON pointers, as all up to map_token_refresh */
    struct config_list map_start;
    struct config_list map_end;
    struct config_list map_direction;
    struct config_list map_final;
    struct config_list map_id;
    struct config_list map_call_start;
    char *map_contacts; /* map.contacts: "" = the root */
    struct config_list map_language;
    struct config_list map_contact_id;
    struct config_list map_contact_state;
    struct config_list map_contact_since;
    struct config_list map_contact_master;
    struct config_list map_event;
    struct config_list map_event_id;
    struct config_list map_contact_queue;
    struct config_list map_contact_language;
    struct config_list map_token;
    struct config_list map_token_lifetime;
    struct config_list map_token_refresh;

    int page_transcripts; /* page.transcripts: enum cxone_page_style */
    char *page_transcripts_parameter;
    struct config_list map_next_page;
    int page_contacts; /* page.contacts: the same */
    char *page_contacts_parameter;
    struct config_list map_contacts_next_page;
    int64_t page_max; /* page.max: 20 */

    struct config_list map_direction_customer; /* map.direction_customer */
    struct config_list map_direction_agent;
    bool map_missing_final; /* map.missing_final */

    char *attr_score_key;        /* attr.score_key: realtime_sentiment_score */
    char *attr_trend_key;        /* attr.trend_key: sentiment_trend */
    char *attr_count_key;        /* attr.count_key: "" = not sent; customer utterances judged */
    char *attr_as_of_key;        /* attr.as_of_key: "" = not sent; epoch ms of the newest of them */
    char *attr_degraded_key;     /* attr.degraded_key: "" = not sent; "true" if not by the model */
    int attr_body;               /* attr.body: enum cxone_attribute_body */
    char *attr_summary_mean_key; /* attr.summary_mean_key: "" = not sent, like those below */
    char *attr_summary_low_key;  /* attr.summary_lowest_key */
    char *attr_summary_time_key; /* attr.summary_low_seconds_key */
    char *attr_summary_count_key; /* attr.summary_alerts_key */
    int64_t attr_min_interval_ms; /* attr.min_interval: 2s */
    double attr_min_delta;        /* attr.min_delta: 0.01 */

    struct config_list assist_delivery; /* assist.delivery: suggestions_api */
    char *assist_webhook_url;
    char *assist_webhook_secret; /* secret */
    char *assist_webhook_secret_file;
    struct config_list assist_tracking_pointers;
    char *assist_template; /* assist.template: {score} {trend} {minutes} are filled in */
    char *assist_type;     /* assist.type: text */
    char *assist_idempotency_header;

    bool writes_attributes;      /* writes.attributes: true */
    bool writes_suggestions;     /* writes.suggestions: true */
    int64_t fuse_per_minute;     /* fuse.per_minute: 600; 0 = no limit */
    double fuse_share;           /* fuse.share: 0.8; 0 = no limit */
    int64_t fuse_calls_min;      /* fuse.calls_min: 20 */
    int64_t fuse_reset_after_ms; /* fuse.reset_after: 15min; 0 = by request only */

    int64_t poll_active_ms;        /* poll.active: 1s */
    int64_t poll_idle_ms;          /* poll.idle: 2s */
    int64_t poll_quiet_ms;         /* poll.quiet: 5s */
    int64_t poll_floor_ms;         /* poll.floor: 500ms */
    int64_t poll_max_ms;           /* poll.max: 10s */
    int64_t poll_overlap_ms;       /* poll.overlap: 30s, raised by what is learnt */
    int64_t poll_overlap_max_ms;   /* poll.overlap_max: 180s */
    int64_t poll_deep_interval_ms; /* poll.deep_interval: 20s */
    int64_t poll_lookback_ms;      /* poll.start_from: "now-60s" or "beginning" (-1) */
    int64_t poll_lateness_ms;      /* poll.lateness: 60s */

    double window_seconds;            /* window.seconds: 30 */
    int64_t window_max_seconds;       /* window.max_seconds: 120 */
    int64_t window_min_utterances;    /* window.min_utterances: 3 */
    double trend_delta;               /* trend.delta: 0.05 */
    double trend_leave;               /* trend.leave: 0.03 */
    int window_weighting;             /* window.weighting: utterance | duration */
    double trend_confidence;          /* trend.confidence */
    double alert_confirm_below;       /* alert.confirm_below */
    int64_t alert_confirm_count;      /* alert.confirm_count */
    int64_t alert_confirm_of;         /* alert.confirm_of */
    double alert_calm_share;          /* alert.calm_share */
    double alert_defer_above;         /* alert.defer_above */
    double alert_supervisor_limit;    /* alert.supervisor_limit */
    int64_t alert_remind_ms;          /* alert.remind_after: never */
    double alert_threshold;           /* alert.threshold: 0.28 */
    double alert_recover;             /* alert.recover: 0.45 */
    int64_t alert_recover_hold_ms;    /* alert.recover_hold: 10s */
    int64_t alert_cooldown_ms;        /* alert.cooldown: 15s */
    int64_t alert_min_samples;        /* alert.min_samples: 2 */
    double alert_sustained_reference; /* alert.sustained_reference: 0.46 */
    double alert_sustained_limit;     /* alert.sustained_limit: 0.9 */

    double rate_client_rps;         /* rate.client_rps: 10; simulator 400 */
    double rate_interaction_rps;    /* rate.interaction_rps: 1 */
    double rate_reserve_for_alerts; /* rate.reserve_for_alerts: 0.1 */

    int64_t retry_max;          /* retry.max: 3 attempts */
    int64_t retry_base_ms;      /* retry.base: 250ms */
    int64_t retry_cap_ms;       /* retry.cap: 30s */
    int64_t retry_after_max_ms; /* retry_after.max: 300s */

    int64_t breaker_failures; /* breaker.failures: 5 */
    int64_t breaker_open_ms;  /* breaker.open: 30s */
    int64_t breaker_probe_ms; /* breaker.probe: 5s */

    int64_t timeout_connect_ms;    /* timeouts.connect: 2s */
    int64_t timeout_poll_ms;       /* timeouts.poll: 5s */
    int64_t timeout_attributes_ms; /* timeouts.attributes: 3s */
    int64_t timeout_suggestion_ms; /* timeouts.suggestion: 15s */
    int64_t timeout_token_ms;      /* timeouts.token: 10s */

    int64_t http_max_body_bytes; /* http.max_body: 8MiB ("8MiB", "512KiB" or bytes) */
    char *http_proxy;            /* http.proxy */
    int http_version;            /* http.version: enum config_http_version */
    int auth_http_version;       /* auth.http_version: the same */
    int64_t http_streams;        /* http.streams: 100 */
    char *http_listen;           /* http.listen: "127.0.0.1:8090" for /metrics, /healthz, /readyz */
    char *http_tls_certificate;  /* http.tls_certificate: PEM file; "" = plain */
    char *http_tls_key;          /* http.tls_key: PEM file */
    char *tls_ca_file;           /* tls.ca_file */

    char *api_token;      /* api.token: secret; "" = no API */
    char *api_token_file; /* api.token_file: mode checked */
    bool api_allow_plain; /* api.allow_plain */

    int discover_mode;             /* discover.mode: fixed | active_contacts | webhook */
    int64_t discover_sweep_ms;     /* discover.sweep: 60s */
    int discover_webhook_check;    /* discover.webhook_check: signature | secret */
    char *discover_webhook_secret; /* secret */
    char *discover_webhook_secret_file;
    struct config_list discover_webhook_started; /* names of events */
    struct config_list discover_webhook_ended;
    int64_t discover_interval_ms;    /* discover.interval: 5s */
    int64_t discover_max;            /* discover.max: 10000 calls followed at once */
    struct config_list interactions; /* interactions: [...] ; CXONE_INTERACTION_ID adds one */
    char *discover_file;             /* discover.file: "" = none */

    int64_t mask_hold_ms; /* privacy.mask_hold: 0s */

    char *rules_path; /* rules.path: "" = none */

    int64_t end_idle_timeout_ms; /* end.idle_timeout: 10min */
    int64_t end_on_404_count;    /* end.on_404_count: 2 */

    char *model_dir;                   /* model.dir: a folder; "" finds the default model */
    char *model_device;                /* model.device: auto | cpu | cuda */
    int64_t model_threads;             /* model.threads: 0 = one per core, at most 2 by default */
    int64_t model_batch_tokens;        /* model.batch_tokens: 512 */
    int64_t model_deadline_ms;         /* model.deadline: 20s; 0 = however long it takes */
    char *model_precision;             /* model.precision: auto | fp32 | int8 | bf16 */
    char *model_cache;                 /* model.cache: auto | off | a folder */
    int64_t model_cache_entries;       /* model.cache_entries: 65536; 0 = no cache */
    struct config_list model_fallback; /* model.fallback: models, then perhaps "lexicon" */
    int evidence_text;                 /* evidence.text: enum config_evidence */
    struct config_list model_language; /* model.language: tags, or multi */
    char *model_kernels;               /* model.kernels: auto | ref | avx2 | avx512 and so on */

    char *store_path;           /* store.path: "" = in memory */
    char *store_key_file;       /* store.key_file: "" = store.path + ".key" */
    int64_t store_retention_ms; /* store.retention: 24h */
    int64_t store_max_bytes;    /* store.max_bytes: 1GiB; 0 = no limit */

    char *decisions_path;        /* decisions.path: "" = none */
    int64_t decisions_max_bytes; /* decisions.max_bytes: 64MiB */
    int64_t decisions_keep;      /* decisions.keep: 0 = all */

    int log_level;           /* log.level: debug | info | warn | error */
    char *log_hash_key_file; /* log.hash_key_file: 64 hex digits; "" = random at each start */

    struct config_origin *origins; /* one per table row; private to config*.c */
};

/* Where values come from besides the file. */
struct config_sources {
    const char *file;               /* NULL: none */
    const char *env_file;           /* of variables the environment does not set; NULL: none */
    const char *const *environment; /* like environ */
    const char *const *overrides;   /* "key=value" from flags, NULL-terminated; may be NULL */
};

/* Loads and validates. On failure the error (ERROR_USAGE for a flag, else ERROR_CONFIG) names
 * file:line:column or variable or flag, the key, what is wrong and, for an unknown key, the nearest
 * known one; the config is then zeroed. A secret: the most binding of the value itself and its file
 * wins, systemd's credential is the last resort. */
int config_load(struct config *config, const struct config_sources *sources, struct error *err);

/* What `run` needs beyond validity: credentials, something to follow. ERROR_CONFIG names what is
 * missing and the ways to give it. */
int config_check_run(const struct config *config, struct error *err);

/* "key: value" lines, secrets as ***; with origins where each comes from. */
int config_show(const struct config *config, bool with_origin, struct buf *out, struct error *err);

/* docs/CONFIGURATION.md, from the table. */
int config_document(struct buf *out, struct error *err);

/* Wipes secrets, frees; accepts a zeroed config. */
void config_free(struct config *config);

#endif
