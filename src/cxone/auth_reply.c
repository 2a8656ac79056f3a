/* auth_reply.c - see auth_reply.h. Lenient where vendors differ (spelling of the token type, form
 * of expires_in, unknown members), strict where a mistake would travel on: a token with a blank or
 * a control character would break the header it is put into. */
#include "cxone/auth_reply.h"

#include "base/json.h"
#include "base/keyhash.h"
#include "cxone/reply.h"
#include "net/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LIFETIME_S_DEFAULT = 3600 };

static void write_field(struct buf *form, const char *name, const char *value)
{
    if (form->size > 0) {
        buf_append_char(form, '&');
    }
    buf_append_string(form, name);
    buf_append_char(form, '=');
    url_encode(form, value, strlen(value));
}

int auth_reply_write_form(const struct cxone_profile *profile, struct buf *form, struct error *err)
{
    size_t values = strlen(profile->client_id) + strlen(profile->client_secret) +
                    (profile->scope ? strlen(profile->scope) : 0);
    /* Reserved at once, so that growing leaves no copy of the secret behind. */
    if (values > form->limit / 3 || !buf_reserve(form, values * 3 + 96)) {
        return error_set(err, ERROR_MEMORY, "no memory for the token request");
    }
    write_field(form, "grant_type", "client_credentials");
    write_field(form, "client_id", profile->client_id);
    write_field(form, "client_secret", profile->client_secret);
    if (profile->scope && profile->scope[0]) {
        write_field(form, "scope", profile->scope);
    }
    return form->failed ? error_set(err, ERROR_MEMORY, "no memory for the token request") : 0;
}

static int read_token(const struct json *root, struct buf *token, struct error *err)
{
    size_t bytes;
    const char *text = json_as_string(json_get(root, "access_token"), &bytes);
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

static int64_t read_lifetime(const struct json *value)
{
    double seconds = LIFETIME_S_DEFAULT;
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

int auth_reply_parse(const char *content_type, const char *body, size_t body_bytes,
                     const char *asked_scope, struct auth_reply *reply, struct error *err)
{
    struct json_document *document = NULL;
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
        result = read_token(root, &reply->token, err);
    }
    if (!result) {
        reply->lifetime_s = read_lifetime(json_get(root, "expires_in"));
        find_missing_scope(asked_scope, json_as_string(json_get(root, "scope"), NULL),
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
    if (reply->token.bytes) {
        keyhash_wipe(reply->token.bytes, reply->token.capacity);
    }
    buf_done(&reply->token);
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

int64_t auth_reply_margin_ms(int64_t lifetime_s)
{
    int64_t fifth_ms = lifetime_s * 1000 / 5;
    return fifth_ms < 60000 ? fifth_ms : 60000;
}
