/* auth_request.c - see auth_request.h. Sources: RFC 6749 sections 2.3.1, 4.3, 4.4 and 6; the JSON
 * form is the vendor's older access-key log-in. Buffers are reserved whole before a secret is put
 * in, so that growing leaves no copy behind. */
#include "cxone/auth_request.h"

#include "base/base64.h"
#include "base/json_write.h"
#include "base/keyhash.h"
#include "net/url.h"

#include <string.h>

enum { BODY_BYTES_MAX = 64 * 1024, AUTHORIZATION_BYTES_MAX = 32 * 1024 };

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static void write_field(struct buf *form, const char *name, const char *value)
{
    if (form->size > 0) {
        buf_append_char(form, '&');
    }
    buf_append_string(form, name);
    buf_append_char(form, '=');
    url_encode(form, value, strlen(value));
}

static void write_grant(const struct cxone_profile *profile, const char *refresh_token,
                        struct buf *form)
{
    if (refresh_token) {
        write_field(form, "grant_type", "refresh_token");
        write_field(form, "refresh_token", refresh_token);
    } else if (profile->grant == CXONE_GRANT_ACCESS_KEY_PASSWORD) {
        write_field(form, "grant_type", "password");
        write_field(form, "username", text_of(profile->access_key_id));
        write_field(form, "password", text_of(profile->access_key_secret));
    } else {
        write_field(form, "grant_type", "client_credentials");
    }
}

static void write_form(const struct cxone_profile *profile, const char *refresh_token,
                       struct buf *form)
{
    bool names_client = profile->client_auth == CXONE_CLIENT_AUTH_POST;
    write_grant(profile, refresh_token, form);
    if (names_client && text_of(profile->client_id)[0]) {
        write_field(form, "client_id", profile->client_id);
    }
    if (names_client && text_of(profile->client_secret)[0]) {
        write_field(form, "client_secret", profile->client_secret);
    }
    if (text_of(profile->scope)[0]) {
        write_field(form, "scope", profile->scope);
    }
}

static void write_json(const struct cxone_profile *profile, struct buf *body)
{
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "accessKeyId", text_of(profile->access_key_id));
    json_write_member_text(&writer, "accessKeySecret", text_of(profile->access_key_secret));
    json_write_object_end(&writer);
}

/* Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1): a colon in the id
 * would otherwise be taken for the one between them. */
static void write_basic(const struct cxone_profile *profile, struct buf *authorization)
{
    struct buf pair;
    buf_init(&pair, authorization->limit / 2);
    if (buf_reserve(&pair, pair.limit - 1)) {
        url_encode(&pair, text_of(profile->client_id), strlen(text_of(profile->client_id)));
        buf_append_char(&pair, ':');
        url_encode(&pair, text_of(profile->client_secret), strlen(text_of(profile->client_secret)));
        buf_append_string(authorization, "Basic ");
        base64_encode(authorization, pair.bytes, pair.size);
    }
    authorization->failed = authorization->failed || pair.failed;
    if (pair.bytes) {
        keyhash_wipe(pair.bytes, pair.capacity);
    }
    buf_done(&pair);
}

int auth_request_write(const struct cxone_profile *profile, const char *refresh_token,
                       struct auth_request *request, struct error *err)
{
    bool is_json = !refresh_token && profile->grant == CXONE_GRANT_ACCESS_KEY_JSON;
    *request = (struct auth_request){.content_type = is_json ? "application/json"
                                                             : "application/x-www-form-urlencoded"};
    buf_init(&request->body, BODY_BYTES_MAX);
    buf_init(&request->authorization, AUTHORIZATION_BYTES_MAX);
    bool ready = buf_reserve(&request->body, BODY_BYTES_MAX - 1) &&
                 buf_reserve(&request->authorization, AUTHORIZATION_BYTES_MAX - 1);
    if (ready && is_json) {
        write_json(profile, &request->body);
    } else if (ready) {
        write_form(profile, refresh_token, &request->body);
    }
    if (ready && profile->client_auth == CXONE_CLIENT_AUTH_BASIC) {
        write_basic(profile, &request->authorization);
    }
    if (request->body.failed || request->authorization.failed) {
        auth_request_done(request);
        return error_set(err, ERROR_MEMORY, "no memory for the token request");
    }
    return 0;
}

void auth_request_done(struct auth_request *request)
{
    struct buf *secrets[] = {&request->body, &request->authorization};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        if (secrets[i]->bytes) {
            keyhash_wipe(secrets[i]->bytes, secrets[i]->capacity);
        }
        buf_done(secrets[i]);
    }
}
