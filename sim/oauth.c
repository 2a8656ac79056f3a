/* oauth.c - see oauth.h.
 *
 * Strict where a real server may be: a repeated parameter is refused (RFC 6749 section 3.2), and
 * so is everything but a form. Secrets and tokens are compared in constant time. Each shape offers
 * only its own grants and its own way to name the client, as a real server may.
 */
#include "sim/oauth.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/keyhash.h"
#include "net/url.h"
#include "sim/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIELD_BYTES_MAX = 4096 };

static const struct {
    const char *name;
    unsigned bit;
} scopes_known[] = {
    {"interactions:view", OAUTH_SCOPE_VIEW},
    {"interactions:write", OAUTH_SCOPE_WRITE},
    {"agentassist:write", OAUTH_SCOPE_ASSIST},
};

#define SCOPE_COUNT (sizeof scopes_known / sizeof scopes_known[0])

enum field {
    FIELD_GRANT_TYPE,
    FIELD_CLIENT_ID,
    FIELD_CLIENT_SECRET,
    FIELD_SCOPE,
    FIELD_USERNAME,
    FIELD_PASSWORD,
    FIELD_REFRESH_TOKEN,
    FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
    "grant_type", "client_id", "client_secret", "scope", "username", "password", "refresh_token"};

struct form {
    struct buf values[FIELD_COUNT];
    bool present[FIELD_COUNT];
};

static void form_done(struct form *form)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (form->values[i].bytes != NULL) {
            keyhash_wipe(form->values[i].bytes, form->values[i].size);
        }
        buf_done(&form->values[i]);
    }
}

/* One "name=value". Unknown names are skipped, as RFC 6749 section 3.2 asks. */
static bool form_add(struct form *form, const char *pair, size_t bytes)
{
    const char *equals = memchr(pair, '=', bytes);
    if (equals == NULL) {
        return false;
    }
    struct buf name;
    buf_init(&name, FIELD_BYTES_MAX);
    bool ok = url_decode(&name, pair, (size_t)(equals - pair), true);
    for (int i = 0; ok && i < FIELD_COUNT; i++) {
        if (strcmp(buf_string(&name), field_names[i]) == 0) {
            ok = !form->present[i] && url_decode(&form->values[i], equals + 1,
                                                 bytes - (size_t)(equals + 1 - pair), true);
            form->present[i] = true;
        }
    }
    buf_done(&name);
    return ok;
}

static bool form_parse(struct form *form, const char *body, size_t bytes)
{
    memset(form, 0, sizeof *form);
    for (int i = 0; i < FIELD_COUNT; i++) {
        buf_init(&form->values[i], FIELD_BYTES_MAX);
    }
    size_t at = 0;
    while (at < bytes) {
        const char *end = memchr(body + at, '&', bytes - at);
        size_t length = end == NULL ? bytes - at : (size_t)(end - body) - at;
        if (!form_add(form, body + at, length)) {
            return false;
        }
        at += length + 1;
    }
    return true;
}

/* The time taken depends on the lengths only. */
static bool same_bytes(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    unsigned char difference = a_bytes != b_bytes;
    for (size_t i = 0; i < a_bytes && b_bytes > 0; i++) {
        difference |= (unsigned char)(a[i] ^ b[i % b_bytes]);
    }
    return difference == 0;
}

static bool same_text(const struct buf *given, const char *expected)
{
    return same_bytes(buf_string(given), given->size, expected, strlen(expected));
}

/* Scopes are words with one space between them (RFC 6749 section 3.3). */
static bool parse_scopes(const struct buf *text, unsigned *scopes)
{
    const char *at = buf_string(text);
    if (strlen(at) != text->size) {
        return false;
    }
    for (;;) {
        size_t bytes = strcspn(at, " ");
        unsigned bit = 0;
        for (size_t i = 0; i < SCOPE_COUNT; i++) {
            if (strlen(scopes_known[i].name) == bytes &&
                memcmp(at, scopes_known[i].name, bytes) == 0) {
                bit = scopes_known[i].bit;
            }
        }
        if (bit == 0) {
            return false;
        }
        *scopes |= bit;
        if (at[bytes] == '\0') {
            return true;
        }
        at += bytes + 1;
    }
}

static struct oauth_verdict refuse(int status, const char *error, const char *description)
{
    return (struct oauth_verdict){status, error, description, 0};
}

static struct oauth_verdict judge_form(const struct oauth_client *client, const struct form *form)
{
    const struct buf *grant = &form->values[FIELD_GRANT_TYPE];
    if (!form->present[FIELD_GRANT_TYPE]) {
        return refuse(400, "invalid_request", "grant_type is missing");
    }
    if (!same_text(grant, "client_credentials")) {
        return refuse(400, "unsupported_grant_type", "grant_type must be client_credentials");
    }
    if (!form->present[FIELD_CLIENT_ID] || !form->present[FIELD_CLIENT_SECRET]) {
        return refuse(400, "invalid_request", "client_id and client_secret are required");
    }
    bool id_is_right = same_text(&form->values[FIELD_CLIENT_ID], client->id);
    bool secret_is_right = same_text(&form->values[FIELD_CLIENT_SECRET], client->secret);
    if (!id_is_right || !secret_is_right) {
        return refuse(401, "invalid_client", NULL);
    }
    struct oauth_verdict verdict = {200, NULL, NULL, 0};
    if (!form->present[FIELD_SCOPE]) {
        verdict.scopes = OAUTH_SCOPE_ALL;
    } else if (!parse_scopes(&form->values[FIELD_SCOPE], &verdict.scopes)) {
        return refuse(400, "invalid_scope",
                      "known are interactions:view, interactions:write and "
                      "agentassist:write, a space between them");
    }
    return verdict;
}

/* "Basic " and the base64 of both halves, each form-encoded (RFC 6749 section 2.3.1). */
static bool basic_is_right(const struct oauth_client *client, const char *authorization)
{
    unsigned char *pair = NULL;
    size_t bytes = 0;
    struct buf id;
    struct buf secret;
    bool is_basic = authorization != NULL && strncasecmp(authorization, "Basic ", 6) == 0;
    if (!is_basic || !base64_decode(authorization + 6, strlen(authorization + 6), &pair, &bytes)) {
        return false;
    }
    buf_init(&id, FIELD_BYTES_MAX);
    buf_init(&secret, FIELD_BYTES_MAX);
    const char *begin = (const char *)pair;
    const char *colon = memchr(pair, ':', bytes);
    size_t before = colon == NULL ? 0 : (size_t)(colon - begin);
    bool right = colon != NULL && url_decode(&id, begin, before, true) &&
                 url_decode(&secret, colon + 1, bytes - before - 1, true) &&
                 same_text(&id, client->id) && same_text(&secret, client->secret);
    keyhash_wipe(pair, bytes);
    free(pair);
    buf_done(&id);
    buf_done(&secret);
    return right;
}

static struct oauth_verdict judge_key_form(const struct oauth_tokens *tokens,
                                           const struct form *form)
{
    const struct buf *grant = &form->values[FIELD_GRANT_TYPE];
    bool names_client = form->present[FIELD_CLIENT_ID] || form->present[FIELD_CLIENT_SECRET];
    if (names_client) {
        return refuse(400, "invalid_request", "the client belongs into the Authorization header");
    }
    if (same_text(grant, "password")) {
        bool id_is_right = same_text(&form->values[FIELD_USERNAME], OAUTH_KEY_ID);
        bool secret_is_right = same_text(&form->values[FIELD_PASSWORD], OAUTH_KEY_SECRET);
        return id_is_right && secret_is_right
                   ? (struct oauth_verdict){200, NULL, NULL, OAUTH_SCOPE_ALL}
                   : refuse(400, "invalid_grant", NULL);
    }
    if (same_text(grant, "refresh_token")) {
        bool right = tokens->refresh[0] != '\0' &&
                     same_text(&form->values[FIELD_REFRESH_TOKEN], tokens->refresh);
        return right ? (struct oauth_verdict){200, NULL, NULL, OAUTH_SCOPE_ALL}
                     : refuse(400, "invalid_grant", "the refresh token is unknown or spent");
    }
    return refuse(400, "unsupported_grant_type", "grant_type must be password or refresh_token");
}

/* Reads a body that must be a form. */
static bool open_form(struct form *form, const char *content_type, const char *body,
                      size_t body_bytes, struct oauth_verdict *refusal)
{
    if (!request_has_content_type(content_type, "application/x-www-form-urlencoded")) {
        *refusal = refuse(400, "invalid_request",
                          "Content-Type must be application/x-www-form-urlencoded");
        return false;
    }
    if (!form_parse(form, body, body_bytes)) {
        *refusal = refuse(400, "invalid_request", "the form is malformed or repeats a parameter");
        form_done(form);
        return false;
    }
    return true;
}

struct oauth_verdict oauth_judge_key(const struct oauth_client *client,
                                     const struct oauth_tokens *tokens, const char *authorization,
                                     const char *content_type, const char *body, size_t body_bytes)
{
    struct form form;
    struct oauth_verdict verdict;
    if (!basic_is_right(client, authorization)) {
        return refuse(401, "invalid_client", NULL);
    }
    if (open_form(&form, content_type, body, body_bytes, &verdict)) {
        verdict = judge_key_form(tokens, &form);
        form_done(&form);
    }
    return verdict;
}

struct oauth_verdict oauth_judge(const struct oauth_client *client, const char *content_type,
                                 const char *body, size_t body_bytes)
{
    struct form form;
    struct oauth_verdict verdict;
    if (open_form(&form, content_type, body, body_bytes, &verdict)) {
        verdict = judge_form(client, &form);
        form_done(&form);
    }
    return verdict;
}

const char *oauth_scopes_text(unsigned scopes, char out[OAUTH_SCOPES_BYTES])
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        size_t bytes = strlen(scopes_known[i].name);
        if ((scopes & scopes_known[i].bit) != 0 && at + bytes + 2 <= OAUTH_SCOPES_BYTES) {
            if (at > 0) {
                out[at++] = ' ';
            }
            memcpy(out + at, scopes_known[i].name, bytes + 1);
            at += bytes;
        }
    }
    return out;
}

static void write_random(char out[OAUTH_TOKEN_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char random[(OAUTH_TOKEN_BYTES - 1) / 2];
    keyhash_random_bytes(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        out[2 * i] = digits[random[i] >> 4];
        out[2 * i + 1] = digits[random[i] & 15];
    }
    out[2 * sizeof random] = '\0';
}

const char *oauth_issue(struct oauth_tokens *tokens, unsigned scopes, struct mono now,
                        int64_t life_ms)
{
    struct oauth_token *token = &tokens->slots[tokens->next];
    tokens->next = (tokens->next + 1) % OAUTH_TOKENS_MAX;
    write_random(token->text);
    token->scopes = scopes;
    token->expires = mono_after_ms(now, life_ms);
    return token->text;
}

const char *oauth_issue_refresh(struct oauth_tokens *tokens)
{
    write_random(tokens->refresh);
    return tokens->refresh;
}

unsigned oauth_find(const struct oauth_tokens *tokens, const char *text, struct mono now)
{
    size_t bytes = strlen(text);
    unsigned scopes = 0;
    for (size_t i = 0; i < OAUTH_TOKENS_MAX; i++) {
        const struct oauth_token *token = &tokens->slots[i];
        if (token->scopes != 0 && !mono_reached(now, token->expires) &&
            same_bytes(text, bytes, token->text, OAUTH_TOKEN_BYTES - 1)) {
            scopes = token->scopes;
        }
    }
    return scopes;
}

void oauth_revoke_all(struct oauth_tokens *tokens)
{
    memset(tokens, 0, sizeof *tokens);
}

void oauth_shorten_all(struct oauth_tokens *tokens, struct mono deadline)
{
    for (size_t i = 0; i < OAUTH_TOKENS_MAX; i++) {
        struct oauth_token *token = &tokens->slots[i];
        if (!mono_reached(deadline, token->expires)) {
            token->expires = deadline;
        }
    }
}

const char *oauth_bearer(const char *authorization)
{
    static const char scheme[] = "Bearer ";
    if (authorization == NULL || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0) {
        return NULL;
    }
    const char *token = authorization + sizeof scheme - 1;
    return token + strspn(token, " ");
}
