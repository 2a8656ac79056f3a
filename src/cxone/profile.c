/* profile.c - turning configuration into addresses.
 *
 * The environment comes in three forms (a label, a host, an absolute URL) because the vendor's own
 * material mixes them; each has exactly one reading, so that a host is never expanded twice. Checks
 * happen here, once, at start-up; nothing here touches the network. */
#include "cxone/profile.h"

#include "base/clock.h"
#include "net/url.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ADDRESS_BYTES_MAX = 2048 };

static bool is_given(const char *text)
{
    return text && text[0];
}

static bool is_label(const char *text)
{
    for (const char *c = text; *c; c++) {
        bool alphanumeric =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (!alphanumeric && *c != '-') {
            return false;
        }
    }
    return text[0] && text[0] != '-';
}

static bool has_blank_or_control(const char *text)
{
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7F) {
            return true;
        }
    }
    return false;
}

/* "us-1" by way of the template. */
static int expand_label(const struct cxone_profile *profile, struct buf *out, struct error *err)
{
    const char *at = profile->env_template;
    const char *slot = is_given(at) ? strstr(at, "{env}") : NULL;
    if (!is_label(profile->env)) {
        return error_set(err, ERROR_CONFIG,
                         "env \"%.64s\" is neither a label of letters, digits and '-', nor a host "
                         "name, nor an absolute URL",
                         profile->env);
    }
    if (!slot) {
        return error_set(err, ERROR_CONFIG,
                         "env_template must contain {env}, as in https://{env}.api.cxone.com");
    }
    while (slot) {
        buf_append(out, at, (size_t)(slot - at));
        buf_append_string(out, profile->env);
        at = slot + strlen("{env}");
        slot = strstr(at, "{env}");
    }
    buf_append_string(out, at);
    return 0;
}

/* A host with an optional port: "us-1.api.cxone.com", "localhost:8443", "[::1]:8443". */
static int expand_host(const char *env, struct buf *out, struct error *err)
{
    size_t host_bytes = strcspn(env, "/?#");
    if (env[host_bytes + strspn(env + host_bytes, "/")] != '\0') {
        return error_set(err, ERROR_CONFIG,
                         "env \"%.64s\" has a path or query after the host: give an absolute URL "
                         "as api_base instead",
                         env);
    }
    buf_append_string(out, "https://");
    buf_append(out, env, host_bytes);
    return 0;
}

static int expand_env(const struct cxone_profile *profile, struct buf *out, struct error *err)
{
    const char *env = profile->env;
    if (!is_given(env)) {
        return error_set(err, ERROR_CONFIG,
                         "no CXone environment: set env (such as us-1) or api_base");
    }
    if (has_blank_or_control(env)) {
        return error_set(err, ERROR_CONFIG, "env holds a blank, control or non-ASCII character");
    }
    if (strstr(env, "://")) {
        buf_append_string(out, env);
        return 0;
    }
    return strpbrk(env, ".:") ? expand_host(env, out, err) : expand_label(profile, out, err);
}

int cxone_profile_base(const struct cxone_profile *profile, struct buf *base, struct error *err)
{
    bool overridden = is_given(profile->api_base);
    int result = 0;
    struct buf address;
    buf_init(&address, ADDRESS_BYTES_MAX);
    if (overridden) {
        buf_append_string(&address, profile->api_base);
    } else {
        result = expand_env(profile, &address, err);
    }
    if (!result && address.failed) {
        result = error_set(err, ERROR_CONFIG, "the CXone address is longer than %d bytes",
                           ADDRESS_BYTES_MAX);
    }
    if (!result) {
        result = url_check_base(buf_string(&address), profile->allow_plain_http, base, err);
        if (result) {
            error_wrap(err, "%s", overridden ? "api_base" : "env");
        }
    }
    buf_done(&address);
    return result;
}

int cxone_profile_auth_url(const struct cxone_profile *profile, struct buf *url, struct error *err)
{
    if (is_given(profile->auth_url)) {
        int result = url_check_base(profile->auth_url, profile->allow_plain_http, url, err);
        if (result) {
            error_wrap(err, "auth_url");
        }
        return result;
    }
    const char *path = profile->token_path;
    if (!is_given(path) || path[0] != '/' || has_blank_or_control(path) || strpbrk(path, "?#")) {
        return error_set(err, ERROR_CONFIG,
                         "token_path must begin with '/' and have no blank, query or fragment");
    }
    int result = cxone_profile_base(profile, url, err);
    if (!result && !buf_append_string(url, path)) {
        result = error_set(err, ERROR_CONFIG, "the token endpoint's address is too long");
    }
    return result;
}

/* libcurl removes dot segments, so an id of "." or ".." would name another endpoint. */
bool cxone_profile_id_is_usable(const char *id)
{
    size_t bytes = id ? strnlen(id, CXONE_ID_BYTES_MAX + 1) : 0;
    return bytes > 0 && bytes <= CXONE_ID_BYTES_MAX && strcmp(id, ".") != 0 &&
           strcmp(id, "..") != 0;
}

static int fill_id(const char *id, struct buf *url, struct error *err)
{
    if (!cxone_profile_id_is_usable(id)) {
        return error_set(err, ERROR_USAGE,
                         "an interaction id must have 1 to %d bytes and not be a dot segment",
                         CXONE_ID_BYTES_MAX);
    }
    url_encode(url, id, strlen(id));
    return 0;
}

static const char *fill_time(int64_t ms, bool as_text, char out[WALL_TEXT_BYTES])
{
    if (as_text) {
        return wall_format((struct wall){ms}, out);
    }
    (void)snprintf(out, WALL_TEXT_BYTES, "%" PRId64, ms);
    return out;
}

/* {1} is the first attribute value. */
static const char *numbered_value(const char *name, size_t bytes, const struct cxone_slots *slots)
{
    size_t number = bytes == 1 && name[0] >= '1' && name[0] <= '9' ? (size_t)(name[0] - '0') : 0;
    return number > 0 && number <= slots->value_count ? slots->values[number - 1] : NULL;
}

static bool slot_is(const char *name, size_t bytes, const char *slot)
{
    return strlen(slot) == bytes && memcmp(name, slot, bytes) == 0;
}

static int fill_slot(const char *name, size_t bytes, const struct cxone_slots *slots,
                     struct buf *url, struct error *err)
{
    char time[WALL_TEXT_BYTES];
    const char *value = numbered_value(name, bytes, slots);
    bool is_iso = slot_is(name, bytes, "start_iso");
    if (slot_is(name, bytes, "base")) {
        buf_append_string(url, slots->base);
        return 0;
    }
    if (slot_is(name, bytes, "id")) {
        return fill_id(slots->id, url, err);
    }
    if (is_iso || slot_is(name, bytes, "start_ms")) {
        value = fill_time(slots->start_ms, is_iso, time);
    } else if (slot_is(name, bytes, "message")) {
        value = slots->message;
    } else if (slot_is(name, bytes, "key")) {
        value = slots->key;
    }
    if (!value) {
        return error_set(err, ERROR_CONFIG,
                         "endpoint template: unknown placeholder {%.*s}; known are {base}, {id}, "
                         "{start_ms} and {start_iso}, for signals {message} and {key}, for "
                         "attributes {1}, {2} and so on",
                         bytes > 32 ? 32 : (int)bytes, name);
    }
    url_encode(url, value, strlen(value));
    return 0;
}

int cxone_profile_fill(const char *url_template, const struct cxone_slots *slots, struct buf *url,
                       struct error *err)
{
    const char *at = url_template;
    for (;;) {
        size_t literal = strcspn(at, "{");
        buf_append(url, at, literal);
        at += literal;
        if (*at == '\0') {
            break;
        }
        const char *close = strchr(at, '}');
        if (!close) {
            return error_set(err, ERROR_CONFIG, "endpoint template: '{' without '}'");
        }
        int result = fill_slot(at + 1, (size_t)(close - at - 1), slots, url, err);
        if (result) {
            return result;
        }
        at = close + 1;
    }
    if (url->failed || url->size > CXONE_URL_BYTES_MAX) {
        return error_set(err, ERROR_LIMIT, "endpoint address longer than %d bytes",
                         CXONE_URL_BYTES_MAX);
    }
    return 0;
}

int cxone_profile_url(const char *url_template, const char *base, const char *id, int64_t start_ms,
                      struct buf *url, struct error *err)
{
    const struct cxone_slots slots = {.base = base, .id = id, .start_ms = start_ms};
    return cxone_profile_fill(url_template, &slots, url, err);
}

const char *cxone_profile_method(const char *endpoint, const char *usual, const char **url_template)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH"};
    const char *blank = strchr(endpoint, ' ');
    *url_template = endpoint;
    if (!blank) {
        return usual;
    }
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (slot_is(endpoint, (size_t)(blank - endpoint), methods[i])) {
            *url_template = blank + strspn(blank, " ");
            return methods[i];
        }
    }
    return NULL;
}

/* ---- credentials ---- */

static int require(const char *value, const char *what, const char *how, struct error *err)
{
    if (is_given(value)) {
        return 0;
    }
    return error_set(err, ERROR_CONFIG, "no %s: set %s", what, how);
}

static int check_client(const struct cxone_profile *profile, struct error *err)
{
    int result = require(profile->client_id, "client id",
                         "CXONE_CLIENT_ID, or auth.client_id in the configuration file", err);
    return result ? result
                  : require(profile->client_secret, "client secret",
                            "CXONE_CLIENT_SECRET, or auth.client_secret_file to a file that only "
                            "you can read, or hand over the systemd credential 'client_secret'",
                            err);
}

static int check_access_key(const struct cxone_profile *profile, struct error *err)
{
    int result = require(profile->access_key_id, "access key id", "auth.access_key_id", err);
    return result ? result
                  : require(profile->access_key_secret, "access key secret",
                            "auth.access_key_secret_file to a file that only you can read, or hand "
                            "over the systemd credential 'access_key_secret'",
                            err);
}

int cxone_profile_check_credentials(const struct cxone_profile *profile, struct error *err)
{
    int result = 0;
    if (profile->client_auth == CXONE_CLIENT_AUTH_BASIC &&
        profile->grant != CXONE_GRANT_STATIC_TOKEN) {
        result = check_client(profile, err);
    }
    if (result) {
        return result;
    }
    switch (profile->grant) {
    case CXONE_GRANT_CLIENT_CREDENTIALS:
        return check_client(profile, err);
    case CXONE_GRANT_ACCESS_KEY_PASSWORD:
    case CXONE_GRANT_ACCESS_KEY_JSON:
        return check_access_key(profile, err);
    case CXONE_GRANT_REFRESH_TOKEN:
        return require(profile->refresh_token, "refresh token",
                       "auth.refresh_token_file to a file that only you can read", err);
    case CXONE_GRANT_STATIC_TOKEN:
        return require(profile->static_token, "token",
                       "auth.static_token_file to a file that only you can read", err);
    }
    return 0;
}
