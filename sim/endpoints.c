/* endpoints.c - see endpoints.h. Replies are built in one reused buffer. Every request leaves
 * exactly one line in the ledger: here if it was granted. */
#include "sim/endpoints.h"

#include "base/json.h"
#include "base/json_write.h"
#include "base/keyhash.h"
#include "sim/elements.h"
#include "sim/request.h"

#include <stdio.h>
#include <string.h>

static const uint64_t SUGGESTION_SALT = 0x73756767;

static const struct answer_rejection unknown_call = {
    .status = 404,
    .why = "unknown_call",
    .message = "there is no such interaction",
};

static const struct answer_rejection reused_key = {
    .status = 422,
    .why = "idempotency_key",
    .parameter = "Idempotency-Key",
    .message = "the key was used with another body",
};

bool endpoints_check_call(struct api *api, struct answer *answer)
{
    answer->call = calls_find(api->calls, buf_string(&answer->id), answer->id.size, answer->now);
    if (answer->call == NULL) {
        answer_reject(answer, &unknown_call);
        return false;
    }
    double client_rps = api->options->quota_per_s;
    double call_rps = api->options->call_quota_per_s;
    fault_quota(&api->faults, api_elapsed_ms(api, answer->now), &client_rps, &call_rps);
    struct answer_quota quota = {call_rps, call_rps, "call_quota"};
    return answer_check_quota(answer, &answer->call->limiter, &quota);
}

/* ---- POST /oauth/token ---- */

int64_t endpoints_token_life_ms(struct api *api, const struct answer *answer)
{
    int64_t life_ms = fault_token_life_ms(&api->faults, api_elapsed_ms(api, answer->now));
    return life_ms < 0 ? api->options->expires_in_s * 1000 : life_ms;
}

static void write_token(struct api *api, struct answer *answer, unsigned scopes)
{
    char names[OAUTH_SCOPES_BYTES];
    int64_t life_ms = endpoints_token_life_ms(api, answer);
    struct json_writer w = answer_begin(answer);
    json_write_object_begin(&w);
    json_write_member_text(&w, "access_token",
                           oauth_issue(&api->tokens, scopes, answer->now.mono, life_ms));
    json_write_member_text(&w, "token_type", "Bearer");
    json_write_member_integer(&w, "expires_in", api->options->expires_in_s);
    json_write_member_text(&w, "scope", oauth_scopes_text(scopes, names));
    json_write_object_end(&w);
}

static void write_token_error(struct answer *answer, const struct oauth_verdict *verdict)
{
    struct json_writer w = answer_begin(answer);
    json_write_object_begin(&w);
    json_write_member_text(&w, "error", verdict->error);
    if (verdict->description != NULL) {
        json_write_member_text(&w, "error_description", verdict->description);
    }
    json_write_object_end(&w);
}

void endpoints_serve_token(struct api *api, struct answer *answer)
{
    size_t bytes;
    const char *body = http_exchange_body(answer->exchange, &bytes);
    struct oauth_client client = {api->options->client_id, api->options->client_secret};
    struct oauth_verdict verdict =
        oauth_judge(&client, http_exchange_header(answer->exchange, "Content-Type"), body, bytes);
    if (verdict.status == 200) {
        write_token(api, answer, verdict.scopes);
    }
    endpoints_send_token(api, answer, &verdict);
}

void endpoints_send_token(struct api *api, struct answer *answer,
                          const struct oauth_verdict *verdict)
{
    if (verdict->status != 200) {
        write_token_error(answer, verdict);
    }
    struct json_writer *w = ledger_begin(api->ledger, LEDGER_KIND_TOKEN);
    if (w != NULL) {
        json_write_member_integer(w, "status", verdict->status);
        if (verdict->error != NULL) {
            json_write_member_text(w, "why", verdict->error);
        }
        answer_write_spoil(answer, w);
        ledger_end(api->ledger);
    }
    answer_send(answer, verdict->status);
    keyhash_wipe(api->body.bytes, api->body.size);
}

/* ---- GET /api/v2/interactions/{id}/transcripts ---- */

void endpoints_record_served(struct api *api, const struct answer *answer,
                             const struct request_transcripts *asked)
{
    struct json_writer *w = ledger_begin(api->ledger, LEDGER_KIND_SERVED);
    if (w == NULL) {
        return;
    }
    json_write_member_text(w, "call", answer->call->id);
    json_write_member_integer(w, "startTime", asked->start_ms);
    json_write_member_text(w, "direction",
                           !asked->agent      ? "customer"
                           : !asked->customer ? "agent"
                                              : "both");
    json_write_member_boolean(w, "includeFinal", asked->finals);
    json_write_member_integer(w, "status", 200);
    json_write_member_integer(w, "now", answer->now.vendor_ms);
    elements_record(&api->reply, w);
    ledger_end(api->ledger);
}

void endpoints_serve_transcripts(struct api *api, struct answer *answer)
{
    struct request_transcripts asked;
    struct request_refusal refusal;
    if (!endpoints_check_call(api, answer) || !answer_check_accept(answer)) {
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
        struct json_writer w = answer_begin(answer);
        elements_write(&answer->call->timeline, &api->reply, answer->call->language, &w);
    }
    if (!ok || api->body.failed) {
        answer_reject_memory(answer);
        return;
    }
    if (!answer_record_spoiled(answer)) {
        endpoints_record_served(api, answer, &asked);
    }
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
    json_write_member_text(w, "call", answer->call->id);
    json_write_member_integer(w, "status", 204);
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
    answer_write_spoil(answer, w);
    ledger_end(api->ledger);
}

void endpoints_serve_attributes(struct api *api, struct answer *answer)
{
    size_t bytes;
    const char *body = http_exchange_body(answer->exchange, &bytes);
    if (endpoints_check_call(api, answer) && answer_check_json(answer)) {
        endpoints_take_attributes(api, answer, body, bytes);
    }
}

void endpoints_take_attributes(struct api *api, struct answer *answer, const char *body,
                               size_t bytes)
{
    struct json_document *document;
    const struct json *attributes;
    struct request_refusal refusal;
    if (!request_parse_attributes(body, bytes, &document, &attributes, &refusal)) {
        answer_reject_parameter(answer, "body", &refusal);
        return;
    }
    if (answer->spoil == FAULT_SPOIL_HALF) {
        answer->spoil = FAULT_SPOIL_NONE; /* there is no body to cut */
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
    json_write_member_text(w, "call", answer->call->id);
    json_write_member_integer(w, "status", 200);
    json_write_member_text(w, "content",
                           json_as_string(json_pointer(suggestions, "/0/content"), NULL));
    json_write_key(w, "contents");
    json_write_array_begin(w);
    for (size_t i = 0; i < json_size(suggestions); i++) {
        json_write_cstring(w, json_as_string(json_get(json_at(suggestions, i), "content"), NULL));
    }
    json_write_array_end(w);
    json_write_member_text(w, "idempotency_key", key);
    json_write_member_text(w, "id", id);
    json_write_member_boolean(w, "repeat", repeat);
    answer_write_spoil(answer, w);
    ledger_end(api->ledger);
}

static void accept_suggestion(struct api *api, struct answer *answer,
                              const struct json *suggestions, const char *key,
                              unsigned long long body_hash)
{
    const struct remembered_entry *known = remembered_find(&api->remembered, key);
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
        remembered_add(&api->remembered, key, body_hash, id);
    }
    record_suggestion(api, answer, suggestions, key, id, known != NULL);
    struct json_writer w = answer_begin(answer);
    json_write_object_begin(&w);
    json_write_member_text(&w, "suggestionId", id);
    json_write_object_end(&w);
    answer_send(answer, 200);
}

void endpoints_serve_suggestions(struct api *api, struct answer *answer)
{
    size_t bytes;
    const char *body = http_exchange_body(answer->exchange, &bytes);
    if (answer_check_accept(answer) && answer_check_json(answer)) {
        endpoints_take_suggestion(api, answer, body, bytes);
    }
}

void endpoints_take_suggestion(struct api *api, struct answer *answer, const char *body,
                               size_t bytes)
{
    const char *key = http_exchange_header(answer->exchange, "Idempotency-Key");
    if (key != NULL && !request_is_idempotency_key(key)) {
        struct request_refusal refusal = {"Idempotency-Key",
                                          "must be 1 to 255 printable characters"};
        answer_reject_parameter(answer, "idempotency_key", &refusal);
        return;
    }
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
    buf_clear(&answer->id);
    buf_append(&answer->id, id, id_bytes);
    if (endpoints_check_call(api, answer)) {
        accept_suggestion(api, answer, suggestions, key, keyhash_fnv1a(body, bytes));
    }
    json_free(document);
}

/* ---- GET /api/v2/interactions/active ---- */

/* States that mean more than listed and gone are told one by one: what a reader can know. */
void endpoints_record_active(struct api *api, const struct answer *answer)
{
    struct json_writer *w = ledger_begin(api->ledger, LEDGER_KIND_ACTIVE);
    if (w == NULL) {
        return;
    }
    int64_t ended = 0;
    json_write_member_integer(w, "count", (int64_t)api->calls->count);
    json_write_key(w, "states");
    json_write_array_begin(w);
    for (size_t i = 0; i < api->calls->count; i++) {
        int64_t since_ms;
        const struct call *call = api->calls->list[i];
        enum lifecycle_state state = calls_state(call, answer->now, &since_ms);
        ended += state == LIFECYCLE_ENDED;
        if (state != LIFECYCLE_ACTIVE && state != LIFECYCLE_ENDED) {
            json_write_array_begin(w);
            json_write_cstring(w, call->id);
            json_write_cstring(w, lifecycle_state_name(state));
            json_write_integer(w, since_ms);
            json_write_array_end(w);
        }
    }
    json_write_array_end(w);
    json_write_member_integer(w, "ended", ended);
    ledger_end(api->ledger);
}

static void write_given(struct json_writer *w, const char *key, const char *text)
{
    if (text[0] != '\0') {
        json_write_member_text(w, key, text);
    }
}

void endpoints_serve_active(struct api *api, struct answer *answer)
{
    if (!answer_check_accept(answer)) {
        return;
    }
    calls_advance(api->calls, answer->now);
    struct json_writer w = answer_begin(answer);
    json_write_array_begin(&w);
    for (size_t i = 0; i < api->calls->count; i++) {
        int64_t since_ms;
        const struct call *call = api->calls->list[i];
        enum lifecycle_state state = calls_state(call, answer->now, &since_ms);
        json_write_object_begin(&w);
        json_write_member_text(&w, "interactionId", call->id);
        json_write_member_text(&w, "state", lifecycle_state_name(state));
        json_write_member_integer(&w, "stateSince", since_ms);
        json_write_member_text(&w, "masterInteractionId", call->master);
        write_given(&w, "queue", call->queue);
        write_given(&w, "language", call->language);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    if (api->body.failed) {
        answer_reject_memory(answer);
        return;
    }
    if (!answer_record_spoiled(answer)) {
        endpoints_record_active(api, answer);
    }
    answer_send(answer, 200);
}
