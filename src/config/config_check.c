/* config_check.c - rules that no single row of the table can state: order between keys, the form of
 * addresses, templates and names, and what the daemon needs besides. Nothing here touches the
 * network: whether the vendor accepts the credentials is the daemon's to find out. */
#include "config/config_internal.h"

#include "config/calls_file.h"
#include "config/config_table.h"
#include "config/config_value.h"
#include "config/wire.h"
#include "cxone/profile.h"
#include "model/model_choice.h"

#include <string.h>

enum { SECRET_BYTES_MIN = 16 };

/* --- order between keys --- */

struct order {
    const char *low;
    const char *high;
    bool strict;
};

static const struct order orders[] = {
    {"poll.floor", "poll.active", false},
    {"poll.active", "poll.idle", false},
    {"poll.idle", "poll.quiet", false},
    {"poll.overlap", "poll.overlap_max", false},
    {"window.seconds", "window.max_seconds", false},
    {"trend.leave", "trend.delta", false},
    {"alert.threshold", "alert.recover", true},
    {"alert.confirm_count", "alert.confirm_of", false},
    {"rate.interaction_rps", "rate.client_rps", false},
    {"retry.base", "retry.cap", false},
    {"timeouts.connect", "timeouts.poll", false},
    {"timeouts.connect", "timeouts.attributes", false},
    {"timeouts.connect", "timeouts.suggestion", false},
    {"timeouts.connect", "timeouts.token", false},
};

static int check_order(const struct config *config, const struct order *order, struct error *err)
{
    const struct config_row *rows[2] = {config_table_find(order->low),
                                        config_table_find(order->high)};
    double low = config_value_number(config, rows[0]);
    double high = config_value_number(config, rows[1]);
    if (low < high || (low == high && !order->strict)) {
        return 0;
    }
    struct buf values[2];
    for (int i = 0; i < 2; i++) {
        buf_init(&values[i], 64);
        config_value_write(config, rows[i], &values[i]);
    }
    int result = error_set(err, ERROR_CONFIG, "%s (%s, %s) must be %s %s (%s, %s)", order->low,
                           buf_string(&values[0]), config_table_origin(config, rows[0])->where,
                           order->strict ? "less than" : "at most", order->high,
                           buf_string(&values[1]), config_table_origin(config, rows[1])->where);
    buf_done(&values[0]);
    buf_done(&values[1]);
    return result;
}

/* --- words and addresses --- */

/* Says where the offending key was set. */
int config_blame(const struct config *config, const char *key, const char *what, struct error *err)
{
    const struct config_origin *origin = config_table_origin(config, config_table_find(key));
    error_set(err, ERROR_CONFIG, "%s (%s): %s", key, origin->where, what);
    return ERROR_CONFIG;
}

static int check_listen(const struct config *config, struct error *err)
{
    char address[WIRE_ADDRESS_BYTES];
    uint16_t port;
    if (*config->http_listen == '\0' || !wire_listen(config->http_listen, address, &port, err)) {
        return 0;
    }
    return error_wrap(err, "%s",
                      config_table_origin(config, config_table_find("http.listen"))->where);
}

/* --- the API --- */

/* Whether what is sent to our own server may be read on its way. */
static bool is_in_the_clear(const struct config *config)
{
    char address[WIRE_ADDRESS_BYTES];
    uint16_t port;
    return !*config->http_tls_certificate && !config->api_allow_plain &&
           !wire_listen(config->http_listen, address, &port, NULL) && !wire_is_loopback(address);
}

/* What whoever is on the network could do without the token, they could do with one that they read
 * on its way. */
static int check_api(const struct config *config, struct error *err)
{
    bool tls = *config->http_tls_certificate != '\0';
    if (tls != (*config->http_tls_key != '\0')) {
        return config_blame(config, tls ? "http.tls_certificate" : "http.tls_key",
                            "http.tls_certificate and http.tls_key go together", err);
    }
    if (!*config->api_token) {
        return 0;
    }
    if (strlen(config->api_token) < SECRET_BYTES_MIN) {
        return config_blame(config, "api.token",
                            "a token this short can be guessed: make one with openssl rand -hex 32",
                            err);
    }
    if (!*config->http_listen) {
        return config_blame(config, "api.token", "http.listen is empty, so there is nothing to ask",
                            err);
    }
    if (!is_in_the_clear(config)) {
        return 0;
    }
    return config_blame(config, "http.listen",
                        "is open to the network and the API's token would travel in the clear: set "
                        "http.tls_certificate and http.tls_key, listen on 127.0.0.1, or say "
                        "api.allow_plain: true",
                        err);
}

static int check_contact_webhook(const struct config *config, struct error *err)
{
    if (config->discover_mode != CONFIG_DISCOVER_WEBHOOK) {
        return 0;
    }
    if (!*config->http_listen) {
        return config_blame(config, "discover.mode",
                            "is webhook but http.listen is empty, so nobody can post", err);
    }
    if (strlen(config->discover_webhook_secret) < SECRET_BYTES_MIN) {
        return config_blame(config, "discover.webhook_secret",
                            "must have 16 characters at least: posts are proved with it (make one "
                            "with: openssl rand -hex 32)",
                            err);
    }
    if (config->discover_webhook_check == CONFIG_WEBHOOK_SECRET && is_in_the_clear(config)) {
        return config_blame(config, "discover.webhook_check",
                            "the secret would travel in the clear: set http.tls_certificate and "
                            "http.tls_key, listen on 127.0.0.1, have posts signed, or say "
                            "api.allow_plain: true",
                            err);
    }
    return 0;
}

static bool is_known_slot(const char *at, size_t bytes)
{
    static const char *const known[] = {"score", "trend", "samples", "words"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i]) == bytes && memcmp(at, known[i], bytes) == 0) {
            return true;
        }
    }
    return false;
}

static int check_template(const struct config *config, struct error *err)
{
    for (const char *at = strchr(config->assist_template, '{'); at; at = strchr(at + 1, '{')) {
        const char *close = strchr(at, '}');
        if (!close || !is_known_slot(at + 1, (size_t)(close - at - 1))) {
            return config_blame(config, "assist.template",
                                "unknown placeholder; known are {score}, {trend}, {samples} and "
                                "{words}",
                                err);
        }
    }
    if (config->evidence_text == CONFIG_EVIDENCE_NONE &&
        strstr(config->assist_template, "{words}")) {
        return config_blame(config, "assist.template",
                            "{words} needs evidence.text: redacted; without it no words are held",
                            err);
    }
    return 0;
}

/* A header's name is an RFC 9110 token. */
static int check_header(const struct config *config, struct error *err)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-.^_`|~";
    const char *name = config->assist_idempotency_header;
    if (name[strspn(name, token)] != '\0') {
        return config_blame(config, "assist.idempotency_header", "not a header's name", err);
    }
    return 0;
}

static int check_speakers(const struct config *config, struct error *err)
{
    const struct config_row *agent = config_table_find("map.direction_agent");
    if (config->map_direction_customer.count == 0) {
        return config_blame(config, "map.direction_customer",
                            "names nobody, so nothing would be judged", err);
    }
    for (size_t i = 0; i < config->map_direction_customer.count; i++) {
        if (config_value_has(config, agent, config->map_direction_customer.items[i])) {
            return config_blame(config, "map.direction_agent",
                                "holds a name that map.direction_customer has too", err);
        }
    }
    return 0;
}

static int check_attribute_keys(const struct config *config, struct error *err)
{
    static const char *const names[] = {"attr.score_key",          "attr.trend_key",
                                        "attr.count_key",          "attr.as_of_key",
                                        "attr.degraded_key",       "attr.summary_mean_key",
                                        "attr.summary_lowest_key", "attr.summary_low_seconds_key",
                                        "attr.summary_alerts_key"};
    const char *keys[] = {config->attr_score_key,        config->attr_trend_key,
                          config->attr_count_key,        config->attr_as_of_key,
                          config->attr_degraded_key,     config->attr_summary_mean_key,
                          config->attr_summary_low_key,  config->attr_summary_time_key,
                          config->attr_summary_count_key};
    for (size_t i = 1; i < sizeof keys / sizeof keys[0]; i++) {
        for (size_t j = 0; j < i; j++) {
            if (*keys[i] && strcmp(keys[i], keys[j]) == 0) {
                return config_blame(config, names[i], "the same attribute as another attr.*_key",
                                    err);
            }
        }
    }
    return 0;
}

/* What stands after the lexicon would never be reached. */
static int check_fallback(const struct config *config, struct error *err)
{
    const struct config_list *list = &config->model_fallback;
    for (size_t i = 0; i + 1 < list->count; i++) {
        if (strcmp(list->items[i], MODEL_CHOICE_LEXICON) == 0) {
            return config_blame(config, "model.fallback",
                                "'lexicon' may only be the last of the list", err);
        }
    }
    return 0;
}

static int check_languages(const struct config *config, struct error *err)
{
    struct language_set set = {0};
    for (size_t i = 0; i < config->model_language.count; i++) {
        if (!language_set_add(&set, config->model_language.items[i])) {
            return config_blame(config, "model.language",
                                "holds what is neither a language tag, such as en or pt-BR, nor "
                                "multi",
                                err);
        }
    }
    return 0;
}

static int check_interactions(const struct config *config, struct error *err)
{
    struct error detail = {0};
    int result = 0;
    for (size_t i = 0; i < config->interactions.count && !result; i++) {
        if (calls_file_check_id(config->interactions.items[i], &detail)) {
            result = config_blame(config, "interactions", detail.message, err);
        }
    }
    return result;
}

/* Whoever asks for a GPU must not get a CPU without a word. */
static int check_device(const struct config *config, struct error *err)
{
    if (strcmp(config->model_device, "cuda") != 0) {
        return 0;
    }
    return config_blame(
        config, "model.device",
        "this build has no CUDA: write auto or cpu; on a CPU model.precision int8 is the "
        "fastest",
        err);
}

int config_check_rules(const struct config *config, struct error *err)
{
    int result = 0;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0] && !result; i++) {
        result = check_order(config, &orders[i], err);
    }
    result = result ? result : config_check_vendor(config, err);
    result = result ? result : check_listen(config, err);
    result = result ? result : check_api(config, err);
    result = result ? result : check_contact_webhook(config, err);
    result = result ? result : check_template(config, err);
    result = result ? result : check_header(config, err);
    result = result ? result : check_speakers(config, err);
    result = result ? result : check_attribute_keys(config, err);
    result = result ? result : check_fallback(config, err);
    result = result ? result : check_device(config, err);
    result = result ? result : check_languages(config, err);
    return result ? result : check_interactions(config, err);
}

/* --- what run needs --- */

int config_check_run(const struct config *config, struct error *err)
{
    struct cxone_options options;
    wire_cxone(config, 0, &options);
    if (cxone_profile_check_credentials(&options.profile, err)) {
        return ERROR_CONFIG;
    }
    if (config->discover_mode == CONFIG_DISCOVER_FIXED && config->interactions.count == 0 &&
        !*config->discover_file && !*config->api_token) {
        return error_set(err, ERROR_CONFIG,
                         "no call to follow: set CXONE_INTERACTION_ID or interactions, "
                         "discover.mode: active_contacts with ep.active_contacts, discover.file, "
                         "or api.token_file, with which calls are named by request");
    }
    if (config->discover_mode == CONFIG_DISCOVER_ACTIVE_CONTACTS && !*config->ep_active_contacts) {
        return error_set(err, ERROR_CONFIG,
                         "discover.mode is active_contacts but ep.active_contacts is empty: set "
                         "it, or use discover.mode: fixed with interactions");
    }
    return 0;
}
