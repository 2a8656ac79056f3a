/* api.c - see api.h.
 *
 * A table names method, path, scope and handler of each endpoint; api_handle runs the checks that
 * all share and hands on. Every request leaves exactly one line in the ledger. Replies are built
 * in one reused buffer. It keeps no sessions and knows only one client.
 */
#include "sim/api.h"

#include "base/json.h"
#include "base/json_write.h"
#include "base/keyhash.h"
#include "net/url.h"
#include "sim/answer.h"
#include "sim/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY_BYTES_MAX = 32 << 20, ID_BYTES_MAX = 1024 };

static const uint64_t FAULT_SALT = 0x6661756c74;
static const uint64_t SUGGESTION_SALT = 0x73756767;

#define REALM "Bearer realm=\"undertone-sim\""

typedef void endpoint_fn(struct api *api, struct answer *answer);

struct endpoint {
    const char *method;
    const char *before_id; /* the whole path where after_id is NULL */
    const char *after_id;
    unsigned scope; /* 0: open to all, and exempt from faults and quotas */
    const char *scope_name;
    unsigned deny;
    endpoint_fn *serve;
};

/* ---- checks; each has answered when it returns false ---- */

static const struct answer_rejection no_token = {
    .status = 401,
    .why = "no_token",
    .message = "a Bearer token is required",
    .header = {"WWW-Authenticate", REALM},
};

static const struct answer_rejection invalid_token = {
    .status = 401,
    .why = "invalid_token",
    .message = "the token is unknown or has expired",
    .header = {"WWW-Authenticate", REALM ", error=\"invalid_token\""},
};

static const struct answer_rejection unknown_call = {
    .status = 404,
    .why = "unknown_call",
    .message = "there is no such interaction",
};

static const struct answer_rejection unknown_path = {
    .status = 404,
    .why = "unknown_path",
    .message = "there is nothing at this path",
};

static const struct answer_rejection reused_key = {
    .status = 422,
    .why = "idempotency_key",
    .parameter = "Idempotency-Key",
    .message = "the key was used with another body",
};

static bool check_scope(struct api *api, const struct endpoint *endpoint, unsigned scopes,
                        struct answer *answer)
{
    bool granted = (scopes & endpoint->scope) != 0;
    if (granted && (api->options->deny & endpoint->deny) == 0) {
        return true;
    }
    char challenge[128];
    snprintf(challenge, sizeof challenge, REALM ", error=\"insufficient_scope\", scope=\"%s\"",
             endpoint->scope_name);
    struct answer_rejection rejection = {
        .status = 403,
        .why = granted ? "denied" : "scope",
        .message = "the token does not have the scope that this needs",
        .header = {"WWW-Authenticate", challenge},
    };
    answer_reject(answer, &rejection);
    return false;
}

static bool check_token(struct api *api, const struct endpoint *endpoint, struct answer *answer)
{
    const char *token = oauth_bearer(http_exchange_header(answer->exchange, "Authorization"));
    unsigned scopes = token == NULL ? 0 : oauth_find(&api->tokens, token, answer->now.mono);
    if (scopes == 0) {
        answer_reject(answer, token == NULL ? &no_token : &invalid_token);
        return false;
    }
    return answer_check_quota(answer, &api->limiter, "client_quota") &&
           check_scope(api, endpoint, scopes, answer);
}

static bool check_call(struct api *api, struct answer *answer)
{
    answer->call = calls_find(api->calls, buf_string(&answer->id), answer->id.size, answer->now);
    if (answer->call == NULL) {
        answer_reject(answer, &unknown_call);
        return false;
    }
    return answer_check_quota(answer, &answer->call->limiter, "call_quota");
}

/* ---- POST /oauth/token ---- */

static void write_token(struct api *api, struct answer *answer, unsigned scopes)
{
    char names[OAUTH_SCOPES_BYTES];
    struct json_writer w = answer_begin(answer);
    json_write_object_begin(&w);
    json_write_key(&w, "access_token");
    json_write_cstring(
        &w, oauth_issue(&api->tokens, scopes, answer->now.mono, api->options->expires_in_s));
    json_write_key(&w, "token_type");
    json_write_cstring(&w, "Bearer");
    json_write_key(&w, "expires_in");
    json_write_integer(&w, api->options->expires_in_s);
    json_write_key(&w, "scope");
    json_write_cstring(&w, oauth_scopes_text(scopes, names));
    json_write_object_end(&w);
}

static void write_token_error(struct answer *answer, const struct oauth_verdict *verdict)
{
    struct json_writer w = answer_begin(answer);
    json_write_object_begin(&w);
    json_write_key(&w, "error");
    json_write_cstring(&w, verdict->error);
    if (verdict->description != NULL) {
        json_write_key(&w, "error_description");
        json_write_cstring(&w, verdict->description);
    }
    json_write_object_end(&w);
}

static void serve_token(struct api *api, struct answer *answer)
{
    size_t bytes;
    const char *body = http_exchange_body(answer->exchange, &bytes);
    struct oauth_client client = {api->options->client_id, api->options->client_secret};
    struct oauth_verdict verdict =
        oauth_judge(&client, http_exchange_header(answer->exchange, "Content-Type"), body, bytes);
    if (verdict.status == 200) {
        write_token(api, answer, verdict.scopes);
    } else {
        write_token_error(answer, &verdict);
    }
    struct json_writer *w = ledger_begin(api->ledger, LEDGER_KIND_TOKEN);
    if (w != NULL) {
        json_write_key(w, "status");
        json_write_integer(w, verdict.status);
        if (verdict.error != NULL) {
            json_write_key(w, "why");
            json_write_cstring(w, verdict.error);
        }
        ledger_end(api->ledger);
    }
    answer_send(answer, verdict.status);
    keyhash_wipe(api->body.bytes, api->body.size);
}

/* ---- GET /api/v2/interactions/{id}/transcripts ---- */

static void write_elements(struct api *api, struct answer *answer, const struct timeline *timeline)
{
    struct json_writer w = answer_begin(answer);
    json_write_array_begin(&w);
    for (size_t i = 0; i < api->reply.count; i++) {
        const struct timeline_item *item = &api->reply.items[i];
        const struct timeline_utterance *utterance = &timeline->utterances[item->n];
        json_write_object_begin(&w);
        json_write_key(&w, "text");
        json_write_string(&w, utterance->text, item->bytes);
        json_write_key(&w, "startTime");
        json_write_integer(&w, utterance->start_ms);
        json_write_key(&w, "endTime");
        json_write_integer(&w, item->end_ms);
        json_write_key(&w, "direction");
        json_write_cstring(&w, conversation_speaker_name(utterance->speaker));
        json_write_key(&w, "isFinal");
        json_write_boolean(&w, item->version > 0);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
}

static void record_served(struct api *api, const struct answer *answer,
                          const struct request_transcripts *asked)
{
    struct json_writer *w = ledger_begin(api->ledger, LEDGER_KIND_SERVED);
    if (w == NULL) {
        return;
    }
    int64_t partials = 0;
    json_write_key(w, "call");
    json_write_cstring(w, answer->call->id);
    json_write_key(w, "startTime");
    json_write_integer(w, asked->start_ms);
    json_write_key(w, "direction");
    json_write_cstring(w, !asked->agent ? "customer" : !asked->customer ? "agent" : "both");
    json_write_key(w, "includeFinal");
    json_write_boolean(w, asked->finals);
    json_write_key(w, "status");
    json_write_integer(w, 200);
    json_write_key(w, "now");
    json_write_integer(w, answer->now.vendor_ms);
    json_write_key(w, "finals");
    json_write_array_begin(w);
    for (size_t i = 0; i < api->reply.count; i++) {
        const struct timeline_item *item = &api->reply.items[i];
        partials += item->version == 0;
        if (item->version > 0 && !item->repeated) {
            json_write_array_begin(w);
            json_write_integer(w, item->n);
            json_write_integer(w, item->version);
            json_write_array_end(w);
        }
    }
    json_write_array_end(w);
    json_write_key(w, "partials");
    json_write_integer(w, partials);
    ledger_end(api->ledger);
}

static void serve_transcripts(struct api *api, struct answer *answer)
{
    struct request_transcripts asked;
    struct request_refusal refusal;
    if (!check_call(api, answer) || !answer_check_accept(answer)) {
        return;
    }
    if (!request_parse_transcripts(http_exchange_query(answer->exchange, "direction"),
                                   http_exchange_query(answer->exchange, "includeFinal"),
                                   http_exchange_query(answer->exchange, "startTime"), &asked,
                                   &refusal)) {
        answer_reject_parameter(answer, "parameter", &refusal);
        return;
    }
    struct timeline_query query = {
        .now_ms = answer->now.vendor_ms,
        .since_ms = asked.start_ms,
        .filter = api->options->filter,
        .customer = asked.customer,
        .agent = asked.agent,
        .finals = asked.finals,
    };
    bool ok = timeline_poll(&answer->call->timeline, &query, &api->reply);
    if (ok) {
        write_elements(api, answer, &answer->call->timeline);
    }
    if (!ok || api->body.failed) {
        answer_reject_memory(answer);
        return;
    }
    record_served(api, answer, &asked);
    answer_send(answer, 200);
}

/* ---- PATCH /api/v2/interactions/{id}/attributes ---- */

static void record_attributes(struct api *api, const struct answer *answer,
                              const struct json *attributes)
{
    struct json_writer *w = ledger_begin(api->ledger, LEDGER_KIND_ATTRIBUTES);
    if (w == NULL) {
        return;
    }
    json_write_key(w, "call");
    json_write_cstring(w, answer->call->id);
    json_write_key(w, "status");
    json_write_integer(w, 204);
    json_write_key(w, "attributes");
    json_write_object_begin(w);
    void *iterator = NULL;
    const char *key;
    const struct json *value;
    while (json_next(attributes, &iterator, &key, &value)) {
        size_t bytes;
        const char *text = json_as_string(value, &bytes);
        json_write_key(w, key);
        json_write_string(w, text, bytes);
    }
    json_write_object_end(w);
    ledger_end(api->ledger);
}

static void serve_attributes(struct api *api, struct answer *answer)
{
    if (!check_call(api, answer) || !answer_check_json(answer)) {
        return;
    }
    size_t bytes;
    const char *body = http_exchange_body(answer->exchange, &bytes);
    struct json_document *document;
    const struct json *attributes;
    struct request_refusal refusal;
    if (!request_parse_attributes(body, bytes, &document, &attributes, &refusal)) {
        answer_reject_parameter(answer, "body", &refusal);
        return;
    }
    if (attributes_merge(&answer->call->attributes, attributes)) {
        record_attributes(api, answer, attributes);
        answer_send(answer, 204);
    } else {
        refusal = (struct request_refusal){"attributes", "the interaction has too many attributes"};
        answer_reject_parameter(answer, "body", &refusal);
    }
    json_free(document);
}

/* ---- POST /api/v2/agentassist/suggestions ---- */

static void record_suggestion(struct api *api, const struct answer *answer,
                              const struct json *suggestions, const char *key, const char *id,
                              bool repeat)
{
    struct json_writer *w = ledger_begin(api->ledger, LEDGER_KIND_SUGGESTION);
    if (w == NULL) {
        return;
    }
    json_write_key(w, "call");
    json_write_cstring(w, answer->call->id);
    json_write_key(w, "status");
    json_write_integer(w, 200);
    json_write_key(w, "content");
    json_write_cstring(w, json_as_string(json_pointer(suggestions, "/0/content"), NULL));
    json_write_key(w, "contents");
    json_write_array_begin(w);
    for (size_t i = 0; i < json_size(suggestions); i++) {
        json_write_cstring(w, json_as_string(json_get(json_at(suggestions, i), "content"), NULL));
    }
    json_write_array_end(w);
    json_write_key(w, "idempotency_key");
    json_write_cstring(w, key);
    json_write_key(w, "id");
    json_write_cstring(w, id);
    json_write_key(w, "repeat");
    json_write_boolean(w, repeat);
    ledger_end(api->ledger);
}

/* Remembers what was answered under a key. Without memory the key is simply not remembered. */
static void remember(struct api *api, const char *key, unsigned long long body_hash, const char *id)
{
    struct api_remembered *slot = &api->remembered[api->remembered_next];
    if (slot->key != NULL) {
        map_remove(&api->remembered_by_key, slot->key, strlen(slot->key));
        free(slot->key);
    }
    slot->key = strdup(key);
    if (slot->key == NULL || !map_put(&api->remembered_by_key, key, strlen(key), slot)) {
        free(slot->key);
        slot->key = NULL;
        return;
    }
    slot->body_hash = body_hash;
    snprintf(slot->suggestion_id, sizeof slot->suggestion_id, "%s", id);
    api->remembered_next = (api->remembered_next + 1) % API_REMEMBERED_MAX;
}

static void accept_suggestion(struct api *api, struct answer *answer,
                              const struct json *suggestions, const char *key,
                              unsigned long long body_hash)
{
    const struct api_remembered *known =
        key == NULL ? NULL : map_get(&api->remembered_by_key, key, strlen(key));
    if (known != NULL && known->body_hash != body_hash) {
        answer_reject(answer, &reused_key);
        return;
    }
    char id[CALLS_UUID_BYTES];
    if (known != NULL) {
        memcpy(id, known->suggestion_id, sizeof id);
        api->repeats++;
    } else {
        calls_uuid((uint64_t)api->options->seed ^ SUGGESTION_SALT, api->suggestions++, id);
    }
    if (known == NULL && key != NULL) {
        remember(api, key, body_hash, id);
    }
    record_suggestion(api, answer, suggestions, key, id, known != NULL);
    struct json_writer w = answer_begin(answer);
    json_write_object_begin(&w);
    json_write_key(&w, "suggestionId");
    json_write_cstring(&w, id);
    json_write_object_end(&w);
    answer_send(answer, 200);
}

static void serve_suggestions(struct api *api, struct answer *answer)
{
    if (!answer_check_accept(answer) || !answer_check_json(answer)) {
        return;
    }
    const char *key = http_exchange_header(answer->exchange, "Idempotency-Key");
    if (key != NULL && !request_is_idempotency_key(key)) {
        struct request_refusal refusal = {"Idempotency-Key",
                                          "must be 1 to 255 printable characters"};
        answer_reject_parameter(answer, "idempotency_key", &refusal);
        return;
    }
    size_t bytes;
    const char *body = http_exchange_body(answer->exchange, &bytes);
    struct json_document *document;
    const char *id;
    size_t id_bytes;
    const struct json *suggestions;
    struct request_refusal refusal;
    if (!request_parse_suggestions(body, bytes, &document, &id, &id_bytes, &suggestions,
                                   &refusal)) {
        answer_reject_parameter(answer, "body", &refusal);
        return;
    }
    buf_append(&answer->id, id, id_bytes);
    if (check_call(api, answer)) {
        accept_suggestion(api, answer, suggestions, key, keyhash_fnv1a(body, bytes));
    }
    json_free(document);
}

/* ---- GET /api/v2/interactions/active ---- */

static void record_active(struct api *api, int64_t ended)
{
    struct json_writer *w = ledger_begin(api->ledger, LEDGER_KIND_ACTIVE);
    if (w != NULL) {
        json_write_key(w, "count");
        json_write_integer(w, (int64_t)api->calls->count);
        json_write_key(w, "ended");
        json_write_integer(w, ended);
        ledger_end(api->ledger);
    }
}

static void serve_active(struct api *api, struct answer *answer)
{
    if (!answer_check_accept(answer)) {
        return;
    }
    calls_advance(api->calls, answer->now);
    int64_t ended = 0;
    struct json_writer w = answer_begin(answer);
    json_write_array_begin(&w);
    for (size_t i = 0; i < api->calls->count; i++) {
        const struct call *call = api->calls->list[i];
        ended += call->ended;
        json_write_object_begin(&w);
        json_write_key(&w, "interactionId");
        json_write_cstring(&w, call->id);
        json_write_key(&w, "state");
        json_write_cstring(&w, call->ended ? "ended" : "active");
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    if (api->body.failed) {
        answer_reject_memory(answer);
        return;
    }
    record_active(api, ended);
    answer_send(answer, 200);
}

/* ---- routing ---- */

static const struct endpoint endpoints[] = {
    {"POST", "/oauth/token", NULL, 0, NULL, 0, serve_token},
    {"GET", "/api/v2/interactions/active", NULL, OAUTH_SCOPE_VIEW, "interactions:view", 0,
     serve_active},
    {"POST", "/api/v2/agentassist/suggestions", NULL, OAUTH_SCOPE_ASSIST, "agentassist:write",
     OPTIONS_DENY_SUGGESTIONS, serve_suggestions},
    {"GET", "/api/v2/interactions/", "/transcripts", OAUTH_SCOPE_VIEW, "interactions:view",
     OPTIONS_DENY_TRANSCRIPTS, serve_transcripts},
    {"PATCH", "/api/v2/interactions/", "/attributes", OAUTH_SCOPE_WRITE, "interactions:write",
     OPTIONS_DENY_ATTRIBUTES, serve_attributes},
};

/* Whether the path, as sent, is this endpoint's; decodes the id, which must be one segment. */
static bool path_matches(const struct endpoint *endpoint, const char *path, struct buf *id)
{
    if (endpoint->after_id == NULL) {
        return strcmp(path, endpoint->before_id) == 0;
    }
    size_t before = strlen(endpoint->before_id);
    if (strncmp(path, endpoint->before_id, before) != 0) {
        return false;
    }
    size_t bytes = strcspn(path + before, "/");
    buf_clear(id);
    return bytes > 0 && strcmp(path + before + bytes, endpoint->after_id) == 0 &&
           url_decode(id, path + before, bytes, false);
}

/* The endpoint of the request, or NULL when it was refused. */
static const struct endpoint *find_endpoint(struct answer *answer)
{
    const char *path = http_exchange_raw_path(answer->exchange);
    const struct endpoint *found = NULL;
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0] && found == NULL; i++) {
        if (path_matches(&endpoints[i], path, &answer->id)) {
            found = &endpoints[i];
        }
    }
    if (found == NULL) {
        buf_clear(&answer->id);
        answer_reject(answer, &unknown_path);
        return NULL;
    }
    if (strcmp(http_exchange_method(answer->exchange), found->method) != 0) {
        struct answer_rejection rejection = {
            .status = 405,
            .why = "method",
            .message = "the method is not allowed here",
            .header = {"Allow", found->method},
        };
        answer_reject(answer, &rejection);
        return NULL;
    }
    return found;
}

static bool check_faults(struct api *api, struct answer *answer)
{
    struct fault_decision fault = fault_decide(&api->faults);
    if (fault.status == 0) {
        return true;
    }
    answer_reject_for_now(answer, fault.status, fault.status == 429 ? "fault_429" : "fault_503",
                          fault.retry_after_s);
    return false;
}

void api_handle(void *user, struct http_exchange *exchange)
{
    struct api *api = user;
    struct answer answer = {
        .exchange = exchange,
        .ledger = api->ledger,
        .body = &api->body,
        .now = api_now(api),
    };
    buf_init(&answer.id, ID_BYTES_MAX);
    const struct endpoint *endpoint = find_endpoint(&answer);
    if (endpoint != NULL && (endpoint->scope == 0 ||
                             (check_faults(api, &answer) && check_token(api, endpoint, &answer)))) {
        endpoint->serve(api, &answer);
    }
    buf_done(&answer.id);
}

struct calls_now api_now(const struct api *api)
{
    struct mono now = clock_mono();
    double elapsed_ms = (double)(now.us - api->clock.start.us) / 1000 * api->clock.speed;
    return (struct calls_now){now, api->clock.start_ms + (int64_t)elapsed_ms};
}

void api_init(struct api *api, const struct options *options, struct calls *calls,
              struct ledger *ledger, struct api_clock clock)
{
    *api = (struct api){.options = options, .calls = calls, .ledger = ledger, .clock = clock};
    double burst = options->quota_per_s / 4;
    limiter_init(&api->limiter, options->quota_per_s, burst > 1 ? burst : 1, clock.start);
    fault_init(&api->faults, options->fault_429, options->fault_503,
               rand_mix((uint64_t)options->seed ^ FAULT_SALT));
    buf_init(&api->body, REPLY_BYTES_MAX);
    map_init(&api->remembered_by_key, API_REMEMBERED_MAX);
}

void api_done(struct api *api)
{
    for (size_t i = 0; i < API_REMEMBERED_MAX; i++) {
        free(api->remembered[i].key);
        api->remembered[i].key = NULL;
    }
    map_done(&api->remembered_by_key);
    timeline_reply_done(&api->reply);
    buf_done(&api->body);
}
