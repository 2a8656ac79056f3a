/* config_check_vendor.c - rules about the vendor's API: addresses, endpoint templates, pointers,
 * pages, ways of delivery. Nothing here touches the network. */
#include "config/config_internal.h"

#include "base/json.h"
#include "config/config_table.h"
#include "config/wire.h"
#include "cxone/profile.h"
#include "net/url.h"

#include <stdio.h>
#include <string.h>

/* A signal's text travels in its address, which servers bound at some 8 KiB. */
enum { SIGNAL_BYTES_MAX = 4096, URL_ROOM = 2 * CXONE_URL_BYTES_MAX };

/* --- endpoints --- */

struct endpoint {
    const char *key;
    const char *text;
    const char *usual;  /* method */
    const char *needed; /* a placeholder, or NULL */
    bool optional;
    bool takes_values; /* {1}, {2} ... */
    bool takes_alert;  /* {message}, {key} */
};

static int check_method(const struct config *config, const struct endpoint *endpoint,
                        const char *method, struct error *err)
{
    bool reads = strcmp(endpoint->usual, "GET") == 0;
    if (!method || reads != (strcmp(method, "GET") == 0)) {
        return config_blame(config, endpoint->key,
                            reads ? "only GET may stand before the address"
                                  : "the method before the address must be POST, PUT or PATCH",
                            err);
    }
    return 0;
}

/* Fills a template as the daemon will. */
static int check_endpoint(const struct config *config, const struct endpoint *endpoint,
                          struct error *err)
{
    static const char *const values[CXONE_ATTRIBUTES_MAX] = {"1", "1", "1", "1", "1",
                                                             "1", "1", "1", "1"};
    const struct cxone_slots slots = {
        .base = "https://example.com",
        .id = "id",
        .message = endpoint->takes_alert ? config->assist_template : NULL,
        .key = endpoint->takes_alert ? "0123456789abcdef0123456789abcdef" : NULL,
        .values = values,
        .value_count = endpoint->takes_values ? 5 : 0,
    };
    const char *address;
    struct buf url;
    struct error detail = {0};
    const char *method = cxone_profile_method(endpoint->text, endpoint->usual, &address);
    int result = check_method(config, endpoint, method, err);
    buf_init(&url, URL_ROOM);
    if (!result && cxone_profile_fill(address, &slots, &url, &detail)) {
        result = config_blame(config, endpoint->key, detail.message, err);
    } else if (!result && strncmp(buf_string(&url), "https://", 8) != 0 &&
               strncmp(buf_string(&url), "http://", 7) != 0) {
        result =
            config_blame(config, endpoint->key, "must begin with {base}, https:// or http://", err);
    }
    if (!result && strstr(address + 1, "{base}")) {
        result = config_blame(config, endpoint->key, "{base} may only begin the address", err);
    }
    if (!result && endpoint->needed && !strstr(address, endpoint->needed)) {
        result = config_blame(config, endpoint->key, "lacks the placeholder {id}", err);
    }
    if (!result && endpoint->takes_alert && url.size > SIGNAL_BYTES_MAX) {
        result = config_blame(config, "assist.template",
                              "too long for a signal, whose text is part of its address", err);
    }
    buf_done(&url);
    return result;
}

static int check_endpoints(const struct config *config, struct error *err)
{
    const struct endpoint endpoints[] = {
        {.key = "ep.transcripts", .text = config->ep_transcripts, .usual = "GET", .needed = "{id}"},
        {.key = "ep.attributes",
         .text = config->ep_attributes,
         .usual = "PATCH",
         .needed = "{id}",
         .takes_values = true},
        {.key = "ep.suggestions", .text = config->ep_suggestions, .usual = "POST"},
        {.key = "ep.signal",
         .text = config->ep_signal,
         .usual = "POST",
         .needed = "{id}",
         .optional = true,
         .takes_alert = true},
        {.key = "ep.active_contacts",
         .text = config->ep_active_contacts,
         .usual = "GET",
         .optional = true},
    };
    int result = 0;
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0] && !result; i++) {
        bool skip = endpoints[i].optional && !*endpoints[i].text;
        result = skip ? 0 : check_endpoint(config, &endpoints[i], err);
    }
    return result;
}

/* With an issuer, `env` and `auth_url` are not used. */
static int check_addresses(const struct config *config, struct error *err)
{
    struct cxone_options options;
    struct buf url;
    struct error detail = {0};
    wire_cxone(config, 0, &options);
    const struct cxone_profile *profile = &options.profile;
    buf_init(&url, 4096);
    int result = 0;
    if (config->discovery_enabled) {
        if (url_check_base(profile->issuer, profile->allow_plain_http, &url, &detail)) {
            result = config_blame(config, "discovery.issuer", detail.message, err);
        }
    } else {
        result = cxone_profile_base(profile, &url, err);
        buf_clear(&url);
        result = result ? result : cxone_profile_auth_url(profile, &url, err);
    }
    buf_done(&url);
    if (!result && config->discovery_enabled && !*config->discovery_tenant_id &&
        profile->grant == CXONE_GRANT_STATIC_TOKEN) {
        result = config_blame(config, "discovery.tenant_id",
                              "is needed with auth.grant: static_token, which brings no ID token "
                              "to name the tenant",
                              err);
    }
    return result;
}

/* --- pointers, times and pages --- */

static int check_pointer(const struct config *config, const char *key, const char *pointer,
                         struct error *err)
{
    char what[256];
    if (json_pointer_is_valid(pointer)) {
        return 0;
    }
    (void)snprintf(what, sizeof what,
                   "'%.80s' is no JSON pointer: write /name/0/name, with ~1 for / and ~0 for ~ "
                   "inside a name",
                   pointer);
    return config_blame(config, key, what, err);
}

static int check_pointers(const struct config *config, struct error *err)
{
    const struct {
        const char *key;
        const struct config_list *list;
    } lists[] = {
        {"map.text", &config->map_text},
        {"map.start", &config->map_start},
        {"map.end", &config->map_end},
        {"map.direction", &config->map_direction},
        {"map.final", &config->map_final},
        {"map.id", &config->map_id},
        {"map.language", &config->map_language},
        {"map.call_start", &config->map_call_start},
        {"map.contact_id", &config->map_contact_id},
        {"map.contact_state", &config->map_contact_state},
        {"map.contact_since", &config->map_contact_since},
        {"map.contact_master", &config->map_contact_master},
        {"map.event", &config->map_event},
        {"map.event_id", &config->map_event_id},
        {"map.contact_queue", &config->map_contact_queue},
        {"map.contact_language", &config->map_contact_language},
        {"map.token", &config->map_token},
        {"map.token_lifetime", &config->map_token_lifetime},
        {"map.token_refresh", &config->map_token_refresh},
        {"map.next_page", &config->map_next_page},
        {"map.contacts_next_page", &config->map_contacts_next_page},
        {"assist.tracking_pointers", &config->assist_tracking_pointers},
    };
    int result = check_pointer(config, "map.array", config->map_array, err);
    result = result ? result : check_pointer(config, "map.contacts", config->map_contacts, err);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (size_t j = 0; j < lists[i].list->count && !result; j++) {
            result = check_pointer(config, lists[i].key, lists[i].list->items[j], err);
        }
    }
    return result;
}

/* Without these nothing could be read at all. */
static int check_needed(const struct config *config, struct error *err)
{
    const struct {
        const char *key;
        const struct config_list *list;
    } needed[] = {
        {"map.text", &config->map_text},
        {"map.start", &config->map_start},
        {"map.end", &config->map_end},
        {"map.direction", &config->map_direction},
        {"map.contact_id", &config->map_contact_id},
        {"map.token", &config->map_token},
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (needed[i].list->count == 0) {
            return config_blame(config, needed[i].key, "is empty, so nothing could be read", err);
        }
    }
    if (vendor_time_is_relative((enum cxone_time_format)config->time_format) &&
        config->map_call_start.count == 0) {
        return config_blame(config, "map.call_start",
                            "is needed where time.format is relative to the start of the call",
                            err);
    }
    return 0;
}

static bool is_parameter(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~$";
    return name[0] && name[strspn(name, allowed)] == '\0';
}

static int check_pages(const struct config *config, struct error *err)
{
    const struct {
        int style;
        const char *parameter;
        const char *parameter_key;
        const struct config_list *next;
        const char *next_key;
    } kinds[] = {
        {config->page_transcripts, config->page_transcripts_parameter, "page.transcripts_parameter",
         &config->map_next_page, "map.next_page"},
        {config->page_contacts, config->page_contacts_parameter, "page.contacts_parameter",
         &config->map_contacts_next_page, "map.contacts_next_page"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool is_named = kinds[i].style == CXONE_PAGES_LINK || kinds[i].style == CXONE_PAGES_CURSOR;
        if (is_named && kinds[i].next->count == 0) {
            return config_blame(config, kinds[i].next_key,
                                "is needed where pages go on by link or cursor", err);
        }
        if (!is_parameter(kinds[i].parameter)) {
            return config_blame(config, kinds[i].parameter_key,
                                "is not the name of a query parameter", err);
        }
    }
    return 0;
}

/* --- delivery --- */

static int check_webhook(const struct config *config, struct error *err)
{
    struct buf url;
    struct error detail = {0};
    int result = 0;
    buf_init(&url, 4096);
    if (!*config->assist_webhook_url) {
        result = config_blame(config, "assist.webhook_url",
                              "is needed where assist.delivery holds webhook", err);
    } else if (url_check_base(config->assist_webhook_url, config->allow_plain_http, &url,
                              &detail)) {
        result = config_blame(config, "assist.webhook_url", detail.message, err);
    } else if (strlen(config->assist_webhook_secret) < 16) {
        result = config_blame(config, "assist.webhook_secret",
                              "must have 16 characters at least: webhooks are signed with it (make "
                              "one with: openssl rand -hex 32)",
                              err);
    }
    buf_done(&url);
    return result;
}

static int check_delivery(const struct config *config, struct error *err)
{
    unsigned ways;
    const char *unknown = wire_deliveries(config, &ways);
    if (unknown) {
        return config_blame(config, "assist.delivery",
                            "holds a word that is none of: suggestions_api, signal, webhook, "
                            "panel, none",
                            err);
    }
    if ((ways & CXONE_DELIVERY_SIGNAL) && !*config->ep_signal) {
        return config_blame(config, "ep.signal", "is needed where assist.delivery holds signal",
                            err);
    }
    return ways & CXONE_DELIVERY_WEBHOOK ? check_webhook(config, err) : 0;
}

/* The token travels over it. */
static int check_socket(const struct config *config, struct error *err)
{
    struct buf url;
    struct error detail = {0};
    const char *text = config->socket_url;
    bool is_secure = strncmp(text, "wss://", 6) == 0;
    int result = 0;
    buf_init(&url, 4096);
    if (!*text) {
        return 0;
    }
    if (!is_secure && strncmp(text, "ws://", 5) != 0) {
        result = config_blame(config, "socket.url", "must begin with wss://", err);
    } else {
        buf_printf(&url, "http%s", text + 2);
        struct buf base;
        buf_init(&base, 4096);
        if (url_check_base(buf_string(&url), config->allow_plain_http, &base, &detail)) {
            result = config_blame(config, "socket.url", detail.message, err);
        }
        buf_done(&base);
    }
    buf_done(&url);
    return result;
}

int config_check_vendor(const struct config *config, struct error *err)
{
    int result = check_addresses(config, err);
    result = result ? result : check_endpoints(config, err);
    result = result ? result : check_pointers(config, err);
    result = result ? result : check_needed(config, err);
    result = result ? result : check_pages(config, err);
    result = result ? result : check_socket(config, err);
    return result ? result : check_delivery(config, err);
}
