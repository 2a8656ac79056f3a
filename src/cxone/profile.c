/* profile.c - turning configuration into addresses.
 *
 * The environment comes in three forms (a label, a host, an absolute URL) because the vendor's own
 * material mixes them; each has exactly one reading, so that a host is never expanded twice. Checks
 * happen here, once, at start-up; nothing here touches the network. */
#include "cxone/profile.h"

#include "net/url.h"

#include <inttypes.h>
#include <string.h>

enum { ADDRESS_BYTES_MAX = 2048, URL_BYTES_MAX = 4096 };

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

struct filling {
    const char *base;
    const char *id;
    int64_t start_ms;
};

static int fill_slot(const char *name, size_t bytes, const struct filling *filling, struct buf *url,
                     struct error *err)
{
    if (bytes == 4 && memcmp(name, "base", 4) == 0) {
        buf_append_string(url, filling->base);
        return 0;
    }
    if (bytes == 8 && memcmp(name, "start_ms", 8) == 0) {
        buf_printf(url, "%" PRId64, filling->start_ms);
        return 0;
    }
    if (bytes == 2 && memcmp(name, "id", 2) == 0) {
        if (!cxone_profile_id_is_usable(filling->id)) {
            return error_set(err, ERROR_USAGE,
                             "an interaction id must have 1 to %d bytes and not be a dot segment",
                             CXONE_ID_BYTES_MAX);
        }
        url_encode(url, filling->id, strlen(filling->id));
        return 0;
    }
    return error_set(err, ERROR_CONFIG,
                     "endpoint template: unknown placeholder {%.*s}; known are {base}, {id} and "
                     "{start_ms}",
                     bytes > 32 ? 32 : (int)bytes, name);
}

int cxone_profile_url(const char *url_template, const char *base, const char *id, int64_t start_ms,
                      struct buf *url, struct error *err)
{
    struct filling filling = {base, id, start_ms};
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
        int result = fill_slot(at + 1, (size_t)(close - at - 1), &filling, url, err);
        if (result) {
            return result;
        }
        at = close + 1;
    }
    if (url->failed || url->size > URL_BYTES_MAX) {
        return error_set(err, ERROR_LIMIT, "endpoint address longer than %d bytes", URL_BYTES_MAX);
    }
    return 0;
}
