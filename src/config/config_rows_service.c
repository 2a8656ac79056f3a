/* config_rows_service.c - keys about the service: quota and patience, its own HTTP, which calls are
 * followed, model, store and logs. See config_table.h. */
#include "config/config_rows.h"

#include "base/language.h"
#include "nlp/result_cache.h"

const struct config_row config_rows_service[] = {
    {SHARE("rate.client_rps", rate_client_rps, 0.1, 100000, "10",
           "requests a second, all calls together"),
     .initial_simulator = "400"},
    {SHARE("rate.interaction_rps", rate_interaction_rps, 0.01, 1000, "1",
           "requests a second for one call")},
    {SHARE("rate.reserve_for_alerts", rate_reserve_for_alerts, 0, 0.9, "0.1",
           "share of the quota that only suggestions may use")},

    {WHOLE("retry.max", retry_max, 1, 20, "3",
           "tries of a suggestion, times three, and of a call's last attribute write, times eight; "
           "other attribute writes are tried until a newer one takes their place")},
    {SPAN("retry.base", retry_base_ms, 1, MINUTE, "250ms",
          "bound of the first wait; doubles, with full jitter")},
    {SPAN("retry.cap", retry_cap_ms, 1, HOUR, "30s", "bound of any wait")},
    {SPAN("retry_after.max", retry_after_max_ms, SECOND, HOUR, "300s",
          "a longer Retry-After is cut to this; one of over a day is taken for a mistake")},

    {WHOLE("breaker.failures", breaker_failures, 1, 1000, "5",
           "failures in a row that open the breaker of an endpoint")},
    {SPAN("breaker.open", breaker_open_ms, 100, HOUR, "30s", "pause before the first probe")},
    {SPAN("breaker.probe", breaker_probe_ms, 100, HOUR, "5s", "pause between probes")},

    {SPAN("timeouts.connect", timeout_connect_ms, 10, 10 * MINUTE, "2s", "TCP and TLS")},
    {SPAN("timeouts.poll", timeout_poll_ms, 10, 10 * MINUTE, "5s",
          "a transcript or discovery request")},
    {SPAN("timeouts.attributes", timeout_attributes_ms, 10, 10 * MINUTE, "3s",
          "an attribute write")},
    {SPAN("timeouts.suggestion", timeout_suggestion_ms, 10, 10 * MINUTE, "15s", "a suggestion")},
    {SPAN("timeouts.token", timeout_token_ms, 10, 10 * MINUTE, "10s", "a token request")},

    {.key = "http.max_body",
     .type = CONFIG_TYPE_SIZE,
     .offset = AT(http_max_body_bytes),
     .min = 1024,
     .max = 1024.0 * 1024 * 1024,
     .initial = "8MiB",
     .meaning = "a longer reply is refused"},
    {CHOICE(
         "http.version", http_version, "auto",
         "`auto`: HTTP/2 where the server takes it in the TLS handshake, else 1.1; `1.1`: never"),
     .choices = {"auto", "1.1"}},
    {CHOICE("auth.http_version", auth_http_version, "auto",
            "the same for the token endpoint and the issuer, of which some are known to fail over "
            "HTTP/2"),
     .initial_real = "1.1", .choices = {"auto", "1.1"}},
    {WHOLE("http.streams", http_streams, 1, 250, "100",
           "requests at once to a host that speaks HTTP/2; it may allow fewer on one connection")},
    {TEXT("http.proxy", http_proxy, LONG, "", "proxy for all requests: `http://host:port`")},
    {TEXT("http.listen", http_listen, NAME, "127.0.0.1:8090",
          "address of the wallboard, /metrics, /healthz and /readyz; empty: none"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("http.tls_certificate", http_tls_certificate, LONG, "",
          "PEM file with the certificate `http.listen` is served with; empty: plain HTTP"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("http.tls_key", http_tls_key, LONG, "", "PEM file with its private key"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("api.token", api_token, LONG, "",
          "bearer token of /api/v1, at least 16 characters; better given by file or systemd "
          "credential; empty: there is no such API"),
     .flags = CONFIG_FLAG_SECRET},
    {TEXT("api.token_file", api_token_file, LONG, "",
          "file with the token, readable by its owner only")},
    {.key = "api.allow_plain",
     .type = CONFIG_TYPE_BOOL,
     .offset = AT(api_allow_plain),
     .initial = "false",
     .meaning = "permit /api/v1 over plain HTTP beyond this machine"},
    {TEXT("tls.ca_file", tls_ca_file, LONG, "",
          "PEM file of trusted authorities; empty: the system's")},

    {.key = "discover.mode",
     .type = CONFIG_TYPE_ENUM,
     .offset = AT(discover_mode),
     .initial = "fixed",
     .initial_simulator = "active_contacts",
     .initial_real = "active_contacts",
     .choices = {"fixed", "active_contacts", "webhook"},
     .meaning = "follow `interactions` only, or whatever `ep.active_contacts` lists, or what the "
                "vendor posts to `/webhook/contacts` (docs/PLATFORM.md)"},
    {SPAN("discover.interval", discover_interval_ms, 100, HOUR, "5s",
          "pace of discovery; also how late a hold or a mask may be heard of")},
    {SPAN("discover.sweep", discover_sweep_ms, SECOND, HOUR, "60s",
          "with `webhook`: pace at which `ep.active_contacts`, if there is one, is read beside it, "
          "so that a lost post loses no call")},
    {CHOICE("discover.webhook_check", discover_webhook_check, "signature",
            "what proves a post: a signature with a timestamp, or, where the sender cannot sign, "
            "the secret itself in `X-CXone-Webhook-Secret`"),
     .choices = {"signature", "secret"}},
    {SECRET("discover.webhook_secret", discover_webhook_secret,
            "shared with the sender, at least 16 characters")},
    {TEXT("discover.webhook_secret_file", discover_webhook_secret_file, LONG, "",
          "file with it, readable by its owner only")},
    {LIST("discover.webhook_started", discover_webhook_started, ALIASES_MAX,
          "contact-started,started,active",
          "values of `map.event` that begin a call, case ignored")},
    {LIST("discover.webhook_ended", discover_webhook_ended, ALIASES_MAX,
          "contact-ended,ended,disconnected",
          "values of `map.event` that end it; others are passed "
          "over")},
    {WHOLE("discover.max", discover_max, 1, 1000000, "10000", "calls followed at once"),
     .flags = CONFIG_FLAG_RESTART},
    {LIST("interactions", interactions, INTERACTIONS_MAX, "", "ids of calls to follow"),
     .tutorial_variable = "CXONE_INTERACTION_ID"},
    {TEXT("discover.file", discover_file, LONG, "",
          "file of calls to follow, one id a line, after tabs `queue=` and `language=`, looked at "
          "every `discover.interval`; empty: "
          "none")},

    {SPAN("privacy.mask_hold", mask_hold_ms, 0, 30 * SECOND, "0s",
          "how long after its end an utterance waits to be judged, so that a list can say that the "
          "call is masked; longer than `discover.interval` closes that gap")},

    {CHOICE("evidence.text", evidence_text, "none",
            "words of customer and agent that an alert rests on, in the wallboard, the log of "
            "decisions and `{words}` of a message: none, or redacted (docs/REDACTION.md)"),
     .choices = {"none", "redacted"}},

    {TEXT("rules.path", rules_path, LONG, "",
          "file of rules beside the mood (docs/RULES.md), read again when it changes; empty: "
          "none")},

    {SPAN("end.idle_timeout", end_idle_timeout_ms, SECOND, 24 * HOUR, "10min",
          "a call silent for this long is over")},
    {WHOLE("end.on_404_count", end_on_404_count, 1, 100, "2",
           "404 replies in a row that mean a call is over")},

    {TEXT("model.dir", model_dir, LONG, "",
          "folder of a checkpoint, or a model's name; empty: the default model; `lexicon`: none, a "
          "list of English opinion words judges"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("model.device", model_device, NAME, "auto",
          "what the model runs on; `auto`: the best this build knows, which is the CPU; `cuda` is "
          "refused by a build without it"),
     .choices = {"auto", "cpu", "cuda"}, .flags = CONFIG_FLAG_RESTART},
    {WHOLE("model.threads", model_threads, 0, 256, "0",
           "scoring threads; 0: one per core, at most 2"),
     .flags = CONFIG_FLAG_RESTART},
    {WHOLE("model.batch_tokens", model_batch_tokens, 16, 65536, "512", "tokens scored in one go"),
     .flags = CONFIG_FLAG_RESTART},
    {SPAN("model.deadline", model_deadline_ms, 0, HOUR, "20s",
          "what was spoken just now waits this long for the model; then, if it is sure to be "
          "English, a list of opinion words judges it and the call is marked as degraded; 0: "
          "however long it takes"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT(
         "model.precision", model_precision, NAME, "auto",
         "what the model computes with: fp32 gives PyTorch's numbers, int8 nearly the same several "
         "times faster; `auto`: fp32"),
     .choices = {"auto", "fp32", "int8", "bf16"}, .flags = CONFIG_FLAG_RESTART},
    {WHOLE("model.cache_entries", model_cache_entries, 0, RESULT_CACHE_ENTRIES_MAX, "65536",
           "answers kept for texts said again, about 112 bytes each; 0: none"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("model.cache", model_cache, LONG, "auto",
          "where packed models are kept, so that a restart maps one instead of packing anew: a "
          "folder, `off`, or `auto`, the first of `$CACHE_DIRECTORY` (of a systemd unit), "
          "`$XDG_CACHE_HOME/undertone` and `~/.cache/undertone`"),
     .flags = CONFIG_FLAG_REQUIRED | CONFIG_FLAG_RESTART},
    {LIST("model.fallback", model_fallback, FALLBACKS_MAX, "",
          "models tried in turn when there is no memory for `model.dir` or it fails its self-test; "
          "the last may be `lexicon`, a list of English opinion words"),
     .flags = CONFIG_FLAG_RESTART},
    {LIST(
        "model.language", model_language, LANGUAGE_SET_MAX, "",
        "languages that the model knows, as tags such as `en` or `pt-BR`, or `multi`: calls known "
        "to be in another are followed, but not judged; empty: what model.yaml says, or `en`")},
    {TEXT("model.kernels", model_kernels, NAME, "auto",
          "arithmetic kernels; `auto`: the best this CPU runs"),
     .choices = {"auto", "ref", "avx2", "avx512", "avx512vnni", "avx512bf16", "neon"},
     .flags = CONFIG_FLAG_RESTART},

    {TEXT("store.path", store_path, LONG, "",
          "database of what outlives the daemon, made if it is not there; empty: "
          "`undertone.db` in systemd's `$STATE_DIRECTORY`, without one nothing outlives it"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("store.key_file", store_key_file, LONG, "",
          "file of 64 hex digits that keys the hashes in the database, made if it is not there; "
          "empty: `store.path` and `.key`"),
     .flags = CONFIG_FLAG_RESTART},
    {SPAN("store.retention", store_retention_ms, MINUTE, 366.0 * 24 * HOUR, "24h",
          "how long a call that is over is remembered, in case it comes back"),
     .flags = CONFIG_FLAG_RESTART},
    {.key = "store.max_bytes",
     .type = CONFIG_TYPE_SIZE,
     .offset = AT(store_max_bytes),
     .max = 1024.0 * 1024 * 1024 * 1024,
     .initial = "1GiB",
     .meaning = "the database never grows past it; 0: no limit",
     .flags = CONFIG_FLAG_RESTART},

    {TEXT("decisions.path", decisions_path, LONG, "",
          "log of decisions: each alert with what led to it, in a chain of hashes; made if it is "
          "not there; empty: none"),
     .flags = CONFIG_FLAG_RESTART},
    {.key = "decisions.max_bytes",
     .type = CONFIG_TYPE_SIZE,
     .offset = AT(decisions_max_bytes),
     .min = 65536,
     .max = 1024.0 * 1024 * 1024 * 1024,
     .initial = "64MiB",
     .meaning = "a file of it that would grow past this is full; a new one goes on",
     .flags = CONFIG_FLAG_RESTART},
    {WHOLE("decisions.keep", decisions_keep, 0, 10000, "0", "full files kept, the newest; 0: all"),
     .flags = CONFIG_FLAG_RESTART},

    {.key = "log.level",
     .type = CONFIG_TYPE_ENUM,
     .offset = AT(log_level),
     .initial = "info",
     .choices = {"debug", "info", "warn", "error"},
     .meaning = "lines below it are dropped"},
    {TEXT("log.hash_key_file", log_hash_key_file, LONG, "",
          "file of 64 hex digits that keys the hashes of ids in logs; empty: made from the store's "
          "key, without a store new at each start"),
     .flags = CONFIG_FLAG_RESTART},
};

const size_t config_rows_service_count = sizeof config_rows_service / sizeof config_rows_service[0];
