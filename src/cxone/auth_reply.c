/* auth_reply.c - see auth_reply.h. Lenient where vendors differ (spelling of the token type, form
 * of expires_in, unknown members), strict where a mistake would travel on: a token with a blank or
 * a control character would break the header it is put into. */
#include "cxone/auth_reply.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/keyhash.h"
#include "cxone/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int read_token(const struct json *value, struct buf *token, struct error *err)
{
    size_t bytes;
    const char *text = json_as_string(value, &bytes);
    if (!text || bytes == 0) {
        return error_set(err, ERROR_FORMAT, "the token reply has no access_token");
    }
    if (bytes > AUTH_TOKEN_BYTES_MAX) {
        return error_set(err, ERROR_LIMIT, "the access token is longer than %d bytes",
                         AUTH_TOKEN_BYTES_MAX);
    }
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return error_set(err, ERROR_FORMAT,
                             "the access token holds a character no header may carry");
        }
    }
    buf_init(token, AUTH_TOKEN_BYTES_MAX);
    if (!buf_reserve(token, bytes) || !buf_append(token, text, bytes)) {
        return error_set(err, ERROR_MEMORY, "no memory for the access token");
    }
    return 0;
}

/* Without one that can be used, the full grant serves again. */
static void read_refresh(const struct json *value, struct buf *refresh)
{
    size_t bytes;
    const char *text = json_as_string(value, &bytes);
    buf_init(refresh, AUTH_TOKEN_BYTES_MAX);
    if (text && bytes <= AUTH_TOKEN_BYTES_MAX && !memchr(text, '\0', bytes) &&
        buf_reserve(refresh, bytes)) {
        (void)buf_append(refresh, text, bytes);
    }
}

/* The middle part of a JWT (RFC 7519 section 3) holds its claims. */
static void read_tenant(const struct json *value, char out[AUTH_TENANT_BYTES])
{
    size_t bytes;
    unsigned char *claims = NULL;
    size_t claims_bytes;
    struct json_document *document = NULL;
    const char *text = json_as_string(value, &bytes);
    const char *middle = text ? strchr(text, '.') : NULL;
    const char *end = middle ? strchr(middle + 1, '.') : NULL;
    if (!end || (size_t)(end - middle) > AUTH_TOKEN_BYTES_MAX ||
        !base64_decode_url(middle + 1, (size_t)(end - middle - 1), &claims, &claims_bytes)) {
        return;
    }
    if (!json_parse((const char *)claims, claims_bytes, &document, NULL)) {
        const char *tenant = json_as_string(json_get(json_root(document), "tenantId"), &bytes);
        if (tenant && bytes < AUTH_TENANT_BYTES && strlen(tenant) == bytes) {
            memcpy(out, tenant, bytes + 1);
        }
    }
    json_free(document);
    keyhash_wipe(claims, claims_bytes);
    free(claims);
}

static int64_t read_lifetime(const struct json *value, int64_t default_s)
{
    double seconds = (double)default_s;
    size_t bytes;
    int64_t whole;
    const char *text = json_as_string(value, &bytes);
    if (text && reply_parse_integer(text, bytes, &whole)) {
        seconds = (double)whole;
    } else {
        (void)json_as_number(value, &seconds);
    }
    if (seconds <= 0) {
        return 0;
    }
    if (seconds >= AUTH_LIFETIME_S_MAX) {
        return AUTH_LIFETIME_S_MAX;
    }
    return seconds < 1 ? 1 : (int64_t)seconds;
}

static bool has_word(const char *words, const char *word, size_t bytes)
{
    while (*words) {
        words += strspn(words, " ");
        size_t length = strcspn(words, " ");
        if (length == bytes && memcmp(words, word, bytes) == 0) {
            return true;
        }
        words += length;
    }
    return false;
}

/* An absent scope means "as asked" (RFC 6749 section 5.1). Only our own words are copied. */
static void find_missing_scope(const char *asked, const char *granted, char *out, size_t out_bytes)
{
    size_t used = 0;
    out[0] = '\0';
    while (granted && granted[0] && asked && *asked) {
        asked += strspn(asked, " ");
        size_t length = strcspn(asked, " ");
        if (length > 0 && !has_word(granted, asked, length) && used + length + 2 < out_bytes) {
            int wrote = snprintf(out + used, out_bytes - used, "%s%.*s", used > 0 ? " " : "",
                                 (int)length, asked);
            used += (size_t)wrote;
        }
        asked += length;
    }
}

int auth_reply_parse(const struct cxone_profile *profile, const char *content_type,
                     const char *body, size_t body_bytes, struct auth_reply *reply,
                     struct error *err)
{
    struct json_document *document = NULL;
    const struct cxone_mapping *map = &profile->map;
    *reply = (struct auth_reply){0};
    int result = reply_check_json(content_type, body, body_bytes, err);
    if (!result) {
        result = json_parse(body, body_bytes, &document, err);
    }
    const struct json *root = json_root(document);
    const char *type = json_as_string(json_get(root, "token_type"), NULL);
    if (!result && type && strcasecmp(type, "bearer") != 0) {
        result = error_set(err, ERROR_UNSUPPORTED, "the token's type is not Bearer");
    }
    if (!result) {
        result = read_token(mapping_find(root, &map->token), &reply->token, err);
    }
    if (!result) {
        reply->lifetime_s =
            read_lifetime(mapping_find(root, &map->token_lifetime), profile->lifetime_s);
        read_refresh(mapping_find(root, &map->token_refresh), &reply->refresh);
        read_tenant(json_get(root, "id_token"), reply->tenant);
        find_missing_scope(profile->scope, json_as_string(json_get(root, "scope"), NULL),
                           reply->missing_scope, sizeof reply->missing_scope);
    }
    json_free(document);
    if (result) {
        auth_reply_done(reply);
    }
    return result;
}

void auth_reply_done(struct auth_reply *reply)
{
    struct buf *secrets[] = {&reply->token, &reply->refresh};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        if (secrets[i]->bytes) {
            keyhash_wipe(secrets[i]->bytes, secrets[i]->capacity);
        }
        buf_done(secrets[i]);
    }
    *reply = (struct auth_reply){0};
}

const char *auth_reply_error_code(const char *body, size_t body_bytes)
{
    static const char *const codes[] = {"invalid_client",         "invalid_grant",
                                        "unauthorized_client",    "invalid_scope",
                                        "unsupported_grant_type", "invalid_request"};
    struct json_document *document;
    const char *found = NULL;
    if (!body || body_bytes == 0 || json_parse(body, body_bytes, &document, NULL)) {
        return NULL;
    }
    const char *code = json_as_string(json_get(json_root(document), "error"), NULL);
    for (size_t i = 0; code && i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(code, codes[i]) == 0) {
            found = codes[i];
        }
    }
    json_free(document);
    return found;
}

int64_t auth_reply_margin_ms(int64_t lifetime_s, int64_t margin_ms)
{
    int64_t fifth_ms = lifetime_s * 1000 / 5;
    return fifth_ms < margin_ms ? fifth_ms : margin_ms;
}
