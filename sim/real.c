/* real.c - see real.h. What a signal carries is turned into the body that the tutorial's endpoint
 * would have got, so that the ledger counts both alike: p1 says which, "sentiment" with p2 the
 * score, p3 the trend and perhaps p4 the count, or "alert" with p2 the text. */
#include "sim/real.h"

#include "base/json_write.h"
#include "base/keyhash.h"
#include "sim/endpoints.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES_MAX = 16 * 1024, BASE_BYTES = 300 };

/* ---- the issuer ---- */

/* This server's own address, as the client spelt it. */
static const char *base_of(const struct api *api, const struct answer *answer, char out[BASE_BYTES])
{
    const char *host = http_exchange_header(answer->exchange, "Host");
    snprintf(out, BASE_BYTES, "%s://%.256s", api->options->tls != NULL ? "https" : "http",
             host == NULL ? "localhost" : host);
    return out;
}

void real_serve_openid(struct api *api, struct answer *answer)
{
    char base[BASE_BYTES];
    char endpoint[BASE_BYTES + 16];
    snprintf(endpoint, sizeof endpoint, "%s/auth/token", base_of(api, answer, base));
    struct json_writer w = answer_begin(answer);
    json_write_object_begin(&w);
    json_write_member_text(&w, "issuer", base);
    json_write_member_text(&w, "token_endpoint", endpoint);
    json_write_key(&w, "token_endpoint_auth_methods_supported");
    json_write_array_begin(&w);
    json_write_cstring(&w, "client_secret_basic");
    json_write_array_end(&w);
    json_write_object_end(&w);
    answer_send(answer, 200);
}

void real_serve_tenant(struct api *api, struct answer *answer)
{
    char base[BASE_BYTES];
    const char *tenant = http_exchange_query(answer->exchange, "tenantId");
    if (tenant == NULL || strcmp(tenant, OAUTH_TENANT) != 0) {
        answer_reject(answer, &(struct answer_rejection){
                                  404, "tenant", "tenantId", "there is no such tenant", {0}});
        return;
    }
    struct json_writer w = answer_begin(answer);
    json_write_object_begin(&w);
    json_write_member_text(&w, "tenantId", tenant);
    json_write_member_text(&w, "area", "na1");
    json_write_member_text(&w, "api_endpoint", base_of(api, answer, base));
    json_write_member_text(&w, "auth_endpoint", base);
    json_write_object_end(&w);
    answer_send(answer, 200);
}

/* {"tenantId":"demo-tenant"}, between a header and a signature that nobody looks at. */
static const char id_token[] = "eyJhbGciOiJub25lIn0.eyJ0ZW5hbnRJZCI6ImRlbW8tdGVuYW50In0.c2ln";

void real_serve_token(struct api *api, struct answer *answer)
{
    size_t bytes;
    const char *body = http_exchange_body(answer->exchange, &bytes);
    struct oauth_client client = {api->options->client_id, api->options->client_secret};
    struct oauth_verdict verdict = oauth_judge_key(
        &client, &api->tokens, http_exchange_header(answer->exchange, "Authorization"),
        http_exchange_header(answer->exchange, "Content-Type"), body, bytes);
    if (verdict.status == 200) {
        int64_t life_ms = endpoints_token_life_ms(api, answer);
        struct json_writer w = answer_begin(answer);
        json_write_object_begin(&w);
        json_write_member_text(
            &w, "access_token",
            oauth_issue(&api->tokens, verdict.scopes, answer->now.mono, life_ms));
        json_write_member_text(&w, "token_type", "bearer");
        json_write_member_text(&w, "refresh_token", oauth_issue_refresh(&api->tokens));
        json_write_member_text(&w, "id_token", id_token);
        json_write_member_integer(&w, "expires_in", api->options->expires_in_s);
        json_write_object_end(&w);
    }
    endpoints_send_token(api, answer, &verdict);
}

/* ---- contacts ---- */

/* A whole number where the id is one, as real contact ids are. */
static void write_id(struct json_writer *w, const char *key, const char *id)
{
    char *end;
    json_write_key(w, key);
    int64_t number = strtoll(id, &end, 10);
    if (id[0] >= '1' && id[0] <= '9' && *end == '\0' && strlen(id) < 18) {
        json_write_integer(w, number);
    } else {
        json_write_cstring(w, id);
    }
}

static void write_time(struct json_writer *w, const char *key, int64_t ms)
{
    char text[WALL_TEXT_BYTES];
    json_write_member_text(w, key, wall_format((struct wall){ms}, text));
}

static void write_contact(const struct call *call, struct calls_now now, struct json_writer *w)
{
    int64_t since_ms;
    enum lifecycle_state state = calls_state(call, now, &since_ms);
    json_write_object_begin(w);
    write_id(w, "contactId", call->id);
    write_id(w, "masterContactId", call->master);
    json_write_member_text(w, "mediaTypeName", "Chat");
    if (call->queue[0] != '\0') {
        write_id(w, "skillId", call->queue);
    }
    json_write_member_text(w, "stateName", lifecycle_state_name(state));
    write_time(w, "lastUpdateTime", since_ms);
    json_write_object_end(w);
}

/* The query's skip, or 0. */
static size_t read_skip(const struct answer *answer)
{
    const char *text = http_exchange_query(answer->exchange, "skip");
    long long skip = text == NULL ? 0 : strtoll(text, NULL, 10);
    return skip > 0 ? (size_t)skip : 0;
}

static void write_links(struct json_writer *w, size_t next, size_t count)
{
    char link[128];
    json_write_key(w, "_links");
    json_write_object_begin(w);
    if (next < count) {
        snprintf(link, sizeof link, "/incontactapi/services/v30.0/contacts/active?skip=%zu", next);
        json_write_member_text(w, "next", link);
    }
    json_write_object_end(w);
}

void real_serve_contacts(struct api *api, struct answer *answer)
{
    if (!answer_check_accept(answer)) {
        return;
    }
    calls_advance(api->calls, answer->now);
    size_t skip = read_skip(answer);
    size_t count = api->calls->count;
    size_t end = count - skip < REAL_CONTACTS_A_PAGE ? count : skip + REAL_CONTACTS_A_PAGE;
    struct json_writer w = answer_begin(answer);
    json_write_object_begin(&w);
    write_time(&w, "lastPollTime", answer->now.vendor_ms);
    json_write_member_integer(&w, "totalRecords", (int64_t)count);
    write_links(&w, end, count);
    json_write_key(&w, "activeContacts");
    json_write_array_begin(&w);
    for (size_t i = skip; i < count && i < end; i++) {
        write_contact(api->calls->list[i], answer->now, &w);
    }
    json_write_array_end(&w);
    json_write_object_end(&w);
    if (!answer_record_spoiled(answer)) {
        endpoints_record_active(api, answer);
    }
    answer_send(answer, 200);
}

/* ---- chat ---- */

static void write_messages(const struct timeline *timeline, const struct timeline_reply *reply,
                           struct json_writer *w)
{
    json_write_object_begin(w);
    json_write_key(w, "messages");
    json_write_array_begin(w);
    for (size_t i = 0; i < reply->count; i++) {
        const struct timeline_item *item = &reply->items[i];
        const struct timeline_utterance *utterance = &timeline->utterances[item->n];
        bool customer = utterance->speaker == CONVERSATION_SPEAKER_CUSTOMER;
        json_write_object_begin(w);
        json_write_key(w, "Text");
        json_write_string(w, utterance->text, item->bytes);
        write_time(w, "TimeStamp", item->end_ms);
        json_write_member_text(w, "PartyType", customer ? "Contact" : "Agent");
        json_write_member_text(w, "Label", customer ? "Customer" : "Agent");
        json_write_object_end(w);
    }
    json_write_array_end(w);
    json_write_object_end(w);
}

/* Always the whole chat: this call has no "since". */
void real_serve_chat(struct api *api, struct answer *answer)
{
    if (!endpoints_check_call(api, answer) || !answer_check_accept(answer)) {
        return;
    }
    const struct request_transcripts asked = {.customer = true, .agent = true, .finals = true};
    const struct timeline_query query = {
        .now_ms = answer->now.vendor_ms, .customer = true, .agent = true, .finals = true};
    bool ok = timeline_poll(&answer->call->timeline, &query, &api->reply);
    if (ok) {
        struct json_writer w = answer_begin(answer);
        write_messages(&answer->call->timeline, &api->reply, &w);
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

/* ---- signals ---- */

static const struct answer_rejection unknown_signal = {
    .status = 400,
    .why = "parameter",
    .parameter = "p1",
    .message = "must be sentiment or alert, and p2 must be there",
};

static void write_attributes(const struct answer *answer, struct buf *body)
{
    static const char *const names[][2] = {{"p2", "realtime_sentiment_score"},
                                           {"p3", "sentiment_trend"},
                                           {"p4", "sentiment_utterances"}};
    struct json_writer w;
    json_writer_init(&w, body);
    json_write_object_begin(&w);
    json_write_key(&w, "attributes");
    json_write_object_begin(&w);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = http_exchange_query(answer->exchange, names[i][0]);
        if (value != NULL) {
            json_write_member_text(&w, names[i][1], value);
        }
    }
    json_write_object_end(&w);
    json_write_object_end(&w);
}

static void write_suggestion(const struct answer *answer, const char *text, struct buf *body)
{
    struct json_writer w;
    json_writer_init(&w, body);
    json_write_object_begin(&w);
    json_write_key(&w, "interactionId");
    json_write_string(&w, buf_string(&answer->id), answer->id.size);
    json_write_key(&w, "suggestions");
    json_write_array_begin(&w);
    json_write_object_begin(&w);
    json_write_member_text(&w, "type", "text");
    json_write_member_text(&w, "content", text);
    json_write_object_end(&w);
    json_write_array_end(&w);
    json_write_object_end(&w);
}

void real_serve_signal(struct api *api, struct answer *answer)
{
    struct buf body;
    const char *kind = http_exchange_query(answer->exchange, "p1");
    const char *value = http_exchange_query(answer->exchange, "p2");
    buf_init(&body, BODY_BYTES_MAX);
    if (kind == NULL || value == NULL) {
        answer_reject(answer, &unknown_signal);
    } else if (strcmp(kind, "alert") == 0) {
        write_suggestion(answer, value, &body);
        endpoints_take_suggestion(api, answer, buf_string(&body), body.size);
    } else if (strcmp(kind, "sentiment") != 0) {
        answer_reject(answer, &unknown_signal);
    } else if (endpoints_check_call(api, answer)) {
        write_attributes(answer, &body);
        endpoints_take_attributes(api, answer, buf_string(&body), body.size);
    }
    buf_done(&body);
}
