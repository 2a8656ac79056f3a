/* wire.c - see wire.h. The only place where configuration keys meet the rooms' options. */
#include "config/wire.h"

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
    policy->weighting = (enum mood_weighting)config->window_weighting;
    policy->trend_confidence = fixed(config->trend_confidence);
    policy->alert_below = fixed(config->alert_threshold);
    policy->confirm_below = fixed(config->alert_confirm_below);
    policy->confirm_count = (uint32_t)config->alert_confirm_count;
    policy->confirm_of = (uint32_t)config->alert_confirm_of;
    policy->calm_share = fixed(config->alert_calm_share);
    policy->defer_above = fixed(config->alert_defer_above);
    policy->recover_above = fixed(config->alert_recover);
    policy->recover_hold_ms = config->alert_recover_hold_ms;
    policy->cooldown_ms = config->alert_cooldown_ms;
    policy->sustained_reference = fixed(config->alert_sustained_reference);
    policy->sustained_limit = fixed(config->alert_sustained_limit);
    policy->supervisor_limit = fixed(config->alert_supervisor_limit);
    policy->remind_ms = config->alert_remind_ms;
    policy->lateness_ms = config->poll_lateness_ms;
}

const char *wire_deliveries(const struct config *config, unsigned *ways)
{
    static const struct {
        const char *word;
        unsigned way;
    } words[] = {
        {"suggestions_api", CXONE_DELIVERY_SUGGESTIONS},
        {"signal", CXONE_DELIVERY_SIGNAL},
        {"webhook", CXONE_DELIVERY_WEBHOOK},
        {"panel", 0},
        {"none", 0},
    };
    *ways = 0;
    for (size_t i = 0; i < config->assist_delivery.count; i++) {
        const char *unknown = config->assist_delivery.items[i];
        for (size_t j = 0; j < sizeof words / sizeof words[0] && unknown; j++) {
            if (strcmp(unknown, words[j].word) == 0) {
                *ways |= words[j].way;
                unknown = NULL;
            }
        }
        if (unknown) {
            return unknown;
        }
    }
    return NULL;
}

static bool delivers(const struct config *config)
{
    unsigned ways;
    (void)wire_deliveries(config, &ways); /* checked before */
    return ways != 0;
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
                        .summarise = config->attr_summary_mean_key[0] != '\0' ||
                                     config->attr_summary_low_key[0] != '\0' ||
                                     config->attr_summary_time_key[0] != '\0' ||
                                     config->attr_summary_count_key[0] != '\0',
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
                .keep_words = config->evidence_text == CONFIG_EVIDENCE_REDACTED,
                .mask_hold_ms = config->mask_hold_ms,
                .interaction_rps = config->rate_interaction_rps,
                .write_attributes = config->mode == CONFIG_MODE_LIVE,
                .send_suggestions = config->mode == CONFIG_MODE_LIVE && delivers(config),
            },
        .fuse =
            {
                .per_minute = (uint32_t)config->fuse_per_minute,
                .share = config->fuse_share,
                .calls_min = (size_t)config->fuse_calls_min,
                .reset_after_ms = config->fuse_reset_after_ms,
            },
        .calls_max = (size_t)config->discover_max,
        .quota_rps = config->rate_client_rps,
        .seed = seed,
    };
    for (size_t i = 0; i < config->model_language.count; i++) {
        (void)language_set_add(&options->session.languages, config->model_language.items[i]);
    }
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

static void copy_pointers(const struct config_list *list, struct cxone_pointers *pointers)
{
    size_t count = list->count < CXONE_POINTERS_MAX ? list->count : CXONE_POINTERS_MAX;
    *pointers = (struct cxone_pointers){{NULL}};
    for (size_t i = 0; i < count; i++) {
        pointers->at[i] = list->items[i];
    }
}

static void wire_mapping(const struct config *config, struct cxone_mapping *map)
{
    const struct {
        const struct config_list *from;
        struct cxone_pointers *to;
    } lists[] = {
        {&config->map_text, &map->text},
        {&config->map_start, &map->start},
        {&config->map_end, &map->end},
        {&config->map_direction, &map->direction},
        {&config->map_final, &map->final},
        {&config->map_id, &map->id},
        {&config->map_language, &map->language},
        {&config->map_call_start, &map->call_start},
        {&config->map_contact_id, &map->contact_id},
        {&config->map_contact_state, &map->contact_state},
        {&config->map_contact_since, &map->contact_since},
        {&config->map_contact_master, &map->contact_master},
        {&config->map_contact_queue, &map->contact_queue},
        {&config->map_contact_language, &map->contact_language},
        {&config->map_token, &map->token},
        {&config->map_token_lifetime, &map->token_lifetime},
        {&config->map_token_refresh, &map->token_refresh},
        {&config->assist_tracking_pointers, &map->tracking},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        copy_pointers(lists[i].from, lists[i].to);
    }
    map->segments = (struct cxone_pointers){{config->map_array}};
    map->contacts = (struct cxone_pointers){{config->map_contacts}};
    map->time_format = (enum cxone_time_format)config->time_format;
}

void wire_contact_events(const struct config *config, struct contact_event_map *map)
{
    copy_pointers(&config->map_event, &map->kind);
    copy_pointers(&config->map_event_id, &map->event_id);
    copy_pointers(&config->map_contact_id, &map->contact_id);
    copy_pointers(&config->map_contact_master, &map->contact_master);
    copy_pointers(&config->map_contact_queue, &map->contact_queue);
    copy_pointers(&config->map_contact_language, &map->contact_language);
    copy_names(&config->discover_webhook_started, map->started);
    copy_names(&config->discover_webhook_ended, map->ended);
}

static void wire_pages(const struct config *config, struct cxone_profile *profile)
{
    profile->transcript_pages = (struct cxone_paging){
        .style = (enum cxone_page_style)config->page_transcripts,
        .parameter = config->page_transcripts_parameter,
        .pages_max = (unsigned)config->page_max,
    };
    profile->contact_pages = (struct cxone_paging){
        .style = (enum cxone_page_style)config->page_contacts,
        .parameter = config->page_contacts_parameter,
        .pages_max = (unsigned)config->page_max,
    };
    copy_pointers(&config->map_next_page, &profile->transcript_pages.next);
    copy_pointers(&config->map_contacts_next_page, &profile->contact_pages.next);
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
        .issuer = config->discovery_enabled ? config->discovery_issuer : NULL,
        .tenant_id = config->discovery_tenant_id,
        .grant = (enum cxone_grant)config->auth_grant,
        .client_auth = (enum cxone_client_auth)config->auth_client_auth,
        .client_id = config->auth_client_id,
        .client_secret = config->auth_client_secret,
        .access_key_id = config->auth_access_key_id,
        .access_key_secret = config->auth_access_key_secret,
        .refresh_token = config->auth_refresh_token,
        .static_token = config->auth_static_token,
        .scope = config->auth_scope,
        .lifetime_s = config->auth_default_lifetime_ms / 1000,
        .renew_margin_ms = config->auth_refresh_margin_ms,
        .retry_on_403 = config->auth_retry_on_403_once,
        .transcripts_url = config->ep_transcripts,
        .attributes_url = config->ep_attributes,
        .suggestions_url = config->ep_suggestions,
        .active_url = config->ep_active_contacts,
        .signal_url = config->ep_signal,
        .webhook_url = config->assist_webhook_url,
        .webhook_secret = config->assist_webhook_secret,
        .attribute_body = (enum cxone_attribute_body)config->attr_body,
        .assume_final = config->map_missing_final,
        .suggestion_type = config->assist_type,
        .idempotency_header = config->assist_idempotency_header,
    };
    copy_names(&config->map_direction_customer, profile->customer_names);
    copy_names(&config->map_direction_agent, profile->agent_names);
    (void)wire_deliveries(config, &profile->deliveries); /* checked before */
    wire_mapping(config, &profile->map);
    wire_pages(config, profile);
}

static enum http_version http_version_of(int configured)
{
    return configured == CONFIG_HTTP_1_1 ? HTTP_VERSION_1_1 : HTTP_VERSION_AUTO;
}

void wire_cxone(const struct config *config, uint64_t seed, struct cxone_options *options)
{
    cxone_options_default(options);
    wire_profile(config, &options->profile);
    options->socket = (struct cxone_socket){
        .url = config->socket_url,
        .fallback = config->socket_fallback,
        .ca_file = or_null(config->tls_ca_file),
        .proxy = or_null(config->http_proxy),
    };
    options->token_version = http_version_of(config->auth_http_version);
    options->timeouts.connect_ms = config->timeout_connect_ms;
    options->timeouts.total_ms[CXONE_TRANSCRIPTS] = config->timeout_poll_ms;
    options->timeouts.total_ms[CXONE_ATTRIBUTES] = config->timeout_attributes_ms;
    options->timeouts.total_ms[CXONE_SUGGESTIONS] = config->timeout_suggestion_ms;
    options->timeouts.total_ms[CXONE_DISCOVERY] = config->timeout_poll_ms;
    options->timeouts.total_ms[CXONE_TOKEN] = config->timeout_token_ms;
    options->client_rps = config->rate_client_rps;
    options->interaction_rps = config->rate_interaction_rps;
    options->burst = config->rate_client_rps < 8 ? 1 : config->rate_client_rps / 8;
    options->reserve = config->rate_reserve_for_alerts;
    options->breaker_failures = (unsigned)config->breaker_failures;
    options->breaker_open_ms = config->breaker_open_ms;
    options->breaker_probe_ms = config->breaker_probe_ms;
    options->retry_after_max_ms = config->retry_after_max_ms;
    options->issuer_max_age_ms = config->discovery_max_age_ms;
    options->queue_max = (unsigned)config->discover_max * 3 + 64;
    options->seed = seed;
    options->wall_now = clock_steady; /* a clock that is set moves no call */
}

void wire_http_client(const struct config *config, struct http_client_options *options)
{
    *options = (struct http_client_options){
        .body_bytes_max = (size_t)config->http_max_body_bytes,
        .header_bytes_max = 64 * 1024,
        .connections_per_host_max = 32,
        .calls_max = 256,
        .version = http_version_of(config->http_version),
        .streams_max = (unsigned)config->http_streams,
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
