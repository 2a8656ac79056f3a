/* wire.c - see wire.h. The only place where configuration keys meet the rooms' options. */
#include "app/wire.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t fixed(double value)
{
    return (int64_t)llround(value * MOOD_ONE);
}

void wire_scorer(const struct config *config, struct scorer_options *options)
{
    bool any = strcmp(config->model_kernels, "auto") == 0;
    *options = (struct scorer_options){.kernels = any ? NULL : config->model_kernels};
    (void)scorer_precision_parse(config->model_precision, &options->precision); /* a choice */
}

void wire_mood(const struct config *config, struct mood_policy *policy)
{
    mood_policy_default(policy);
    policy->window_ms = (int64_t)llround(config->window_seconds * 1000);
    policy->window_widest_ms = config->window_max_seconds * 1000;
    policy->window_utterances = (uint32_t)config->window_min_utterances;
    policy->samples_min = (uint32_t)config->alert_min_samples;
    policy->trend_enter = fixed(config->trend_delta);
    policy->trend_leave = fixed(config->trend_leave);
    policy->alert_below = fixed(config->alert_threshold);
    policy->recover_above = fixed(config->alert_recover);
    policy->recover_hold_ms = config->alert_recover_hold_ms;
    policy->cooldown_ms = config->alert_cooldown_ms;
    policy->sustained_reference = fixed(config->alert_sustained_reference);
    policy->sustained_limit = fixed(config->alert_sustained_limit);
    policy->lateness_ms = config->poll_lateness_ms;
}

void wire_pipeline(const struct config *config, uint64_t seed, struct pipeline_options *options)
{
    const struct backoff_limits backoff = {config->retry_base_ms, config->retry_cap_ms};
    *options = (struct pipeline_options){
        .session =
            {
                .cursor =
                    {
                        .overlap_min_ms = config->poll_overlap_ms,
                        .overlap_max_ms = config->poll_overlap_max_ms,
                        .deep_interval_ms = config->poll_deep_interval_ms,
                    },
                .attributes =
                    {
                        .min_interval_ms = config->attr_min_interval_ms,
                        .min_delta = fixed(config->attr_min_delta),
                        .counts_matter = config->attr_count_key[0] != '\0',
                        .denied_wait_ms = 30000,
                        .final_tries_max = (unsigned)config->retry_max * 8,
                        .backoff = backoff,
                    },
                .suggestions =
                    {
                        .tries_max = (unsigned)config->retry_max * 3,
                        .denied_wait_ms = 30000,
                        .backoff = backoff,
                    },
                .poll_backoff = backoff,
                .poll_active_ms = config->poll_active_ms,
                .poll_idle_ms = config->poll_idle_ms,
                .poll_quiet_ms = config->poll_quiet_ms,
                .poll_floor_ms = config->poll_floor_ms,
                .poll_max_ms = config->poll_max_ms,
                .active_for_ms = 10000,
                .quiet_after_ms = 60000,
                .lookback_ms = config->poll_lookback_ms,
                .idle_timeout_ms = config->end_idle_timeout_ms,
                .appear_grace_ms = 30000,
                .not_found_max = (unsigned)config->end_on_404_count,
                .sweep_after_ms = {5000, 60000},
                .sweep_reach_ms = 600000,
                .mask_hold_ms = config->mask_hold_ms,
                .interaction_rps = config->rate_interaction_rps,
                .write_attributes = config->mode == CONFIG_MODE_LIVE,
                .send_suggestions = config->mode == CONFIG_MODE_LIVE &&
                                    config->assist_delivery == CONFIG_ASSIST_SUGGESTIONS_API,
            },
        .calls_max = (size_t)config->discover_max,
        .quota_rps = config->rate_client_rps,
        .seed = seed,
    };
    wire_mood(config, &options->session.mood);
}

static void copy_names(const struct config_list *list, const char **names)
{
    size_t count = list->count < CXONE_NAMES_MAX - 1 ? list->count : CXONE_NAMES_MAX - 1;
    for (size_t i = 0; i < count; i++) {
        names[i] = list->items[i];
    }
    names[count] = NULL;
}

static const char *or_null(const char *text)
{
    return text && text[0] ? text : NULL;
}

static void wire_profile(const struct config *config, struct cxone_profile *profile)
{
    *profile = (struct cxone_profile){
        .env = config->env,
        .env_template = config->env_template,
        .api_base = or_null(config->api_base),
        .auth_url = or_null(config->auth_url),
        .token_path = config->auth_token_path,
        .allow_plain_http = config->allow_plain_http,
        .client_id = config->auth_client_id,
        .client_secret = config->auth_client_secret,
        .scope = config->auth_scope,
        .transcripts_url = config->ep_transcripts,
        .attributes_url = config->ep_attributes,
        .suggestions_url = config->ep_suggestions,
        .active_url = config->ep_active_contacts,
        .assume_final = config->map_missing_final,
        .suggestion_type = config->assist_type,
        .idempotency_header = config->assist_idempotency_header,
    };
    copy_names(&config->map_direction_customer, profile->customer_names);
    copy_names(&config->map_direction_agent, profile->agent_names);
}

void wire_cxone(const struct config *config, uint64_t seed, struct cxone_options *options)
{
    cxone_options_default(options);
    wire_profile(config, &options->profile);
    options->timeouts.connect_ms = config->timeout_connect_ms;
    options->timeouts.total_ms[CXONE_TRANSCRIPTS] = config->timeout_poll_ms;
    options->timeouts.total_ms[CXONE_ATTRIBUTES] = config->timeout_attributes_ms;
    options->timeouts.total_ms[CXONE_SUGGESTIONS] = config->timeout_suggestion_ms;
    options->timeouts.total_ms[CXONE_DISCOVERY] = config->timeout_poll_ms;
    options->timeouts.total_ms[CXONE_TOKEN] = config->timeout_token_ms;
    options->client_rps = config->rate_client_rps;
    options->burst = config->rate_client_rps < 8 ? 1 : config->rate_client_rps / 8;
    options->reserve = config->rate_reserve_for_alerts;
    options->breaker_failures = (unsigned)config->breaker_failures;
    options->breaker_open_ms = config->breaker_open_ms;
    options->breaker_probe_ms = config->breaker_probe_ms;
    options->retry_after_max_ms = config->retry_after_max_ms;
    options->queue_max = (unsigned)config->discover_max * 3 + 64;
    options->seed = seed;
}

void wire_http_client(const struct config *config, struct http_client_options *options)
{
    *options = (struct http_client_options){
        .body_bytes_max = (size_t)config->http_max_body_bytes,
        .header_bytes_max = 64 * 1024,
        .connections_per_host_max = 32,
        .calls_max = 256,
        .user_agent = "undertone/" UNDERTONE_VERSION,
        .ca_file = or_null(config->tls_ca_file),
        .proxy = or_null(config->http_proxy),
    };
}

int wire_listen(const char *listen, char *address, uint16_t *port, struct error *err)
{
    const char *colon = strrchr(listen, ':');
    size_t host_bytes = colon ? (size_t)(colon - listen) : 0;
    const char *host = listen;
    char *end = NULL;
    unsigned long number = colon ? strtoul(colon + 1, &end, 10) : 0;
    bool good_port = colon && colon[1] >= '0' && colon[1] <= '9' && *end == '\0' && number < 65536;
    if (host_bytes > 2 && host[0] == '[' && host[host_bytes - 1] == ']') {
        host++;
        host_bytes -= 2;
    }
    if (!good_port || host_bytes == 0 || host_bytes >= WIRE_ADDRESS_BYTES) {
        return error_set(err, ERROR_CONFIG,
                         "http.listen: '%s' is not an address and port such as 127.0.0.1:8090",
                         listen);
    }
    memcpy(address, host, host_bytes);
    address[host_bytes] = '\0';
    *port = (uint16_t)number;
    return 0;
}

bool wire_is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}
