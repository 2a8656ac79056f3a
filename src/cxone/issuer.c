/* issuer.c - see issuer.h. */
#include "cxone/issuer.h"

#include "base/backoff.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/rand.h"
#include "cxone/headers.h"
#include "cxone/reply.h"
#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES_MAX = 4096, ADDRESS_BYTES_MAX = 2048, TENANT_BYTES_MAX = 128 };

static const struct backoff_limits RETRY = {.base_ms = 250, .cap_ms = 30000};

enum document_kind { DOCUMENT_OPENID, DOCUMENT_CXONE, DOCUMENTS };

static const struct {
    const char *path;
    const char *member; /* the address wanted */
    const char *what;
} kinds[DOCUMENTS] = {
    [DOCUMENT_OPENID] = {"/.well-known/openid-configuration", "/token_endpoint",
                         "the token endpoint"},
    [DOCUMENT_CXONE] = {"/.well-known/cxone-configuration", "/api_endpoint", "the tenant's API"},
};

/* Outlives the issuer if that is destroyed while the request is under way. */
struct issuer_flight {
    struct issuer *issuer; /* NULL once nobody waits */
    enum document_kind kind;
    struct http_call *call;
};

struct document {
    struct buf address; /* empty until known */
    struct mono renew_at;
    struct mono next_try;
    unsigned failures;
    struct issuer_flight *flight; /* NULL when no request is under way */
};

struct issuer {
    struct loop *loop;
    struct http_client *client;
    struct issuer_options options;
    struct buf base; /* the issuer's own address, checked */
    struct rand rand;
    char tenant[TENANT_BYTES_MAX + 1]; /* asked about */
    struct document documents[DOCUMENTS];
};

int issuer_create(struct issuer **issuer, struct loop *loop, struct http_client *client,
                  const struct issuer_options *options, struct error *err)
{
    *issuer = NULL;
    struct issuer *created = calloc(1, sizeof *created);
    if (!created) {
        return error_set(err, ERROR_MEMORY, "no memory for the issuer");
    }
    created->loop = loop;
    created->client = client;
    created->options = *options;
    rand_seed(&created->rand, options->seed);
    buf_init(&created->base, ADDRESS_BYTES_MAX);
    for (int i = 0; i < DOCUMENTS; i++) {
        buf_init(&created->documents[i].address, ADDRESS_BYTES_MAX);
        created->documents[i].next_try = loop_now(loop);
    }
    const struct cxone_profile *profile = options->profile;
    int result = url_check_base(profile->issuer, profile->allow_plain_http, &created->base, err);
    if (result) {
        error_wrap(err, "discovery.issuer");
        issuer_destroy(created);
        return result;
    }
    *issuer = created;
    return 0;
}

void issuer_destroy(struct issuer *issuer)
{
    if (!issuer) {
        return;
    }
    for (int i = 0; i < DOCUMENTS; i++) {
        struct document *document = &issuer->documents[i];
        if (document->flight) {
            document->flight->issuer = NULL;
            http_client_cancel(issuer->client, document->flight->call);
        }
        buf_done(&document->address);
    }
    buf_done(&issuer->base);
    free(issuer);
}

/* ---- what came back ---- */

static void emit(const struct issuer *issuer, enum cxone_event_kind kind, int status, int64_t value,
                 const char *text)
{
    const struct cxone_event event = {kind, CXONE_TOKEN, status, value, text};
    if (issuer->options.on_event) {
        issuer->options.on_event(issuer->options.event_user, &event);
    }
}

/* retry_ms: -1 for the quick pace, which doubles and jitters. */
static void fail(struct issuer *issuer, enum document_kind kind, int status, int64_t retry_ms,
                 const char *why)
{
    char text[512];
    struct document *document = &issuer->documents[kind];
    int64_t wait_ms =
        retry_ms >= 0 ? retry_ms : backoff_wait_ms(&RETRY, document->failures, &issuer->rand);
    document->failures++;
    document->next_try = mono_after_ms(loop_now(issuer->loop), wait_ms);
    snprintf(text, sizeof text, "the issuer does not tell %s: %s; next try in %lld ms%s",
             kinds[kind].what, why, (long long)wait_ms,
             document->address.size > 0 ? ", the address known is still used" : "");
    emit(issuer, CXONE_EVENT_ADDRESS_FAILED, status, wait_ms, text);
}

static void learn(struct issuer *issuer, enum document_kind kind, struct buf *address)
{
    char text[256];
    struct document *document = &issuer->documents[kind];
    bool changed = strcmp(buf_string(&document->address), buf_string(address)) != 0;
    document->failures = 0;
    document->renew_at = mono_after_ms(loop_now(issuer->loop), issuer->options.max_age_ms);
    if (changed) {
        buf_clear(&document->address);
        (void)buf_append(&document->address, address->bytes, address->size);
        snprintf(text, sizeof text, "the issuer says that %s is at %.160s", kinds[kind].what,
                 buf_string(&document->address));
        emit(issuer, CXONE_EVENT_ADDRESS_KNOWN, 200, 0, text);
    }
}

static int check_tenant(const struct issuer *issuer, const struct json *root, struct error *err)
{
    const char *tenant = json_as_string(json_get(root, "tenantId"), NULL);
    if (tenant && strcmp(tenant, issuer->tenant) != 0) {
        return error_set(err, ERROR_FORMAT, "the document is about another tenant");
    }
    return 0;
}

static int read_document(const struct issuer *issuer, enum document_kind kind,
                         const struct http_response *response, struct buf *address,
                         struct error *err)
{
    struct json_document *document = NULL;
    int result = reply_check_json(http_client_header(response, "Content-Type"), response->body,
                                  response->body_bytes, err);
    if (!result) {
        result = json_parse(response->body, response->body_bytes, &document, err);
    }
    const struct json *root = json_root(document);
    const char *text = json_as_string(json_pointer(root, kinds[kind].member), NULL);
    if (!result && !text) {
        result = error_set(err, ERROR_FORMAT, "its document has no %s", kinds[kind].member + 1);
    }
    if (!result && kind == DOCUMENT_CXONE) {
        result = check_tenant(issuer, root, err);
    }
    if (!result) {
        result = url_check_base(text, issuer->options.profile->allow_plain_http, address, err);
    }
    json_free(document);
    return result;
}

/* A status that a quick retry will hardly change. */
static void refuse(struct issuer *issuer, enum document_kind kind, int status)
{
    char why[128];
    bool is_tenant = kind == DOCUMENT_CXONE && (status == 400 || status == 404);
    snprintf(why, sizeof why, "status %d%s", status,
             is_tenant           ? ", as for a tenant it does not know: check discovery.tenant_id"
             : status / 100 == 3 ? ", and redirects are not followed: check discovery.issuer"
                                 : ": check discovery.issuer");
    fail(issuer, kind, status, issuer->options.probe_ms, why);
}

static void on_reply(void *user, const struct http_response *response)
{
    struct issuer_flight *flight = user;
    struct issuer *issuer = flight->issuer;
    enum document_kind kind = flight->kind;
    free(flight);
    if (!issuer) {
        return;
    }
    struct error err = {0};
    struct buf address;
    int status = response->status;
    issuer->documents[kind].flight = NULL;
    buf_init(&address, ADDRESS_BYTES_MAX);
    if (response->failure != HTTP_FAILURE_NONE) {
        fail(issuer, kind, 0, -1, response->failure_text);
    } else if (status >= 500 || status == 408 || status == 425 || status == 429) {
        char why[32];
        snprintf(why, sizeof why, "status %d", status);
        fail(issuer, kind, status, -1, why);
    } else if (status != 200) {
        refuse(issuer, kind, status);
    } else if (read_document(issuer, kind, response, &address, &err)) {
        fail(issuer, kind, status, issuer->options.probe_ms, err.message);
    } else {
        learn(issuer, kind, &address);
    }
    buf_done(&address);
    issuer->options.on_change(issuer->options.user);
}

/* ---- asking ---- */

static int send_request(struct issuer *issuer, enum document_kind kind,
                        struct issuer_flight *flight, struct error *err)
{
    struct buf url;
    char correlation[HEADERS_CORRELATION_BYTES];
    buf_init(&url, URL_BYTES_MAX);
    buf_append_string(&url, buf_string(&issuer->base));
    buf_append_string(&url, kinds[kind].path);
    if (kind == DOCUMENT_CXONE) {
        buf_append_string(&url, "?tenantId=");
        url_encode(&url, issuer->tenant, strlen(issuer->tenant));
    }
    const struct http_header headers[] = {
        {"Accept", "application/json"},
        {"X-Correlation-Id", headers_new_correlation(correlation)},
    };
    struct http_request request = {
        .method = "GET",
        .url = buf_string(&url),
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
        .connect_timeout_ms = issuer->options.connect_ms,
        .timeout_ms = issuer->options.total_ms,
        .version = issuer->options.version,
    };
    int result = url.failed ? error_set(err, ERROR_MEMORY, "no memory for an address")
                            : http_client_send(issuer->client, &request, on_reply, flight,
                                               &flight->call, err);
    buf_done(&url);
    return result;
}

static void start_request(struct issuer *issuer, enum document_kind kind)
{
    struct error err = {0};
    struct issuer_flight *flight = calloc(1, sizeof *flight);
    int result = flight ? 0 : error_set(&err, ERROR_MEMORY, "no memory for a request");
    if (!result) {
        flight->issuer = issuer;
        flight->kind = kind;
        result = send_request(issuer, kind, flight, &err);
    }
    if (result) {
        free(flight);
        fail(issuer, kind, 0, -1, err.message);
        return;
    }
    issuer->documents[kind].flight = flight;
}

static enum issuer_state prepare(struct issuer *issuer, enum document_kind kind)
{
    struct mono now = loop_now(issuer->loop);
    struct document *document = &issuer->documents[kind];
    bool is_fresh = document->address.size > 0 && !mono_reached(now, document->renew_at);
    if (!is_fresh && !document->flight && mono_reached(now, document->next_try)) {
        start_request(issuer, kind);
    }
    if (document->address.size > 0) {
        return ISSUER_KNOWN;
    }
    return document->flight ? ISSUER_PENDING : ISSUER_WAITING;
}

enum issuer_state issuer_prepare_token(struct issuer *issuer)
{
    return prepare(issuer, DOCUMENT_OPENID);
}

/* What is known of another tenant is forgotten at once. */
static void turn_to_tenant(struct issuer *issuer, const char *tenant)
{
    struct document *document = &issuer->documents[DOCUMENT_CXONE];
    if (!document->flight && strcmp(tenant, issuer->tenant) != 0) {
        memcpy(issuer->tenant, tenant, strlen(tenant) + 1);
        buf_clear(&document->address);
        document->failures = 0;
        document->next_try = loop_now(issuer->loop);
    }
}

enum issuer_state issuer_prepare_base(struct issuer *issuer, const char *tenant)
{
    const char *configured = issuer->options.profile->tenant_id;
    const struct document *document = &issuer->documents[DOCUMENT_CXONE];
    const char *asked = configured && configured[0] ? configured : tenant;
    if (asked && asked[0] && strlen(asked) <= TENANT_BYTES_MAX) {
        turn_to_tenant(issuer, asked);
        if (strcmp(asked, issuer->tenant) != 0) {
            return ISSUER_PENDING; /* the answer about the last one is still to come */
        }
        return prepare(issuer, DOCUMENT_CXONE);
    }
    if (mono_reached(loop_now(issuer->loop), document->next_try)) {
        fail(issuer, DOCUMENT_CXONE, 0, issuer->options.probe_ms,
             "no tenant is known: the token came without an ID token that names it; set "
             "discovery.tenant_id");
    }
    return document->address.size > 0 ? ISSUER_KNOWN : ISSUER_WAITING;
}

const char *issuer_token_url(const struct issuer *issuer)
{
    return buf_string(&issuer->documents[DOCUMENT_OPENID].address);
}

const char *issuer_base(const struct issuer *issuer)
{
    return buf_string(&issuer->documents[DOCUMENT_CXONE].address);
}

int64_t issuer_wait_ms(const struct issuer *issuer)
{
    int64_t wait_ms = 0;
    for (int i = 0; i < DOCUMENTS; i++) {
        const struct document *document = &issuer->documents[i];
        if (document->address.size == 0 && !document->flight) {
            int64_t left_ms = mono_left_ms(loop_now(issuer->loop), document->next_try);
            wait_ms = left_ms > wait_ms ? left_ms : wait_ms;
        }
    }
    return wait_ms;
}
