/* A scripted CXone on loopback, in the test's own loop, and a cxone object that talks to it.
 *
 * Each operation answers from its script, then 200 with a default body. Nothing sleeps: the loop
 * runs until the number of answers waited for is there, and a guard timer ends a test that hangs.
 */
#ifndef TESTS_CXONE_FAKE_VENDOR_H
#define TESTS_CXONE_FAKE_VENDOR_H

#include "base/keyhash.h"
#include "cxone/cxone.h"
#include "net/breaker.h"
#include "net/http_server.h"
#include "net/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VENDOR_SCRIPT = 64, VENDOR_SEEN = 512, VENDOR_TAKEN = 512, VENDOR_EVENTS = 64 };

struct script {
    int status; /* 0: hold the request unanswered; -1: close the connection */
    const char *header;
    const char *value;
    const char *body;
    const char *content_type;
};

struct seen {
    enum cxone_operation operation;
    char raw_path[256];
    char token[32];
    char correlation[64];
    char idempotency[64];
    char content_type[64];
    char body[512];
    struct mono at;
};

struct taken {
    enum cxone_operation operation;
    struct cxone_result result; /* pointers are dead, but for reason, which is copied */
    char reason[256];
    char tracking_id[64];
    char text[64]; /* of the first segment, or the first active id */
};

struct vendor_event {
    struct cxone_event event;
    char text[512];
};

struct vendor {
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    struct loop_timer *guard;
    struct loop_timer *stop;
    struct cxone *cxone;
    struct cxone_options options;
    char base[64];
    bool hung;

    struct script scripts[CXONE_OPERATIONS][VENDOR_SCRIPT];
    size_t scripted[CXONE_OPERATIONS];
    size_t played[CXONE_OPERATIONS];
    struct http_exchange *held[VENDOR_SEEN];
    size_t held_count;
    size_t hold_until;         /* release all held with 401 once so many are held; 0: never */
    unsigned tokens;           /* granted */
    unsigned token_valid_from; /* older ones are answered 401 */
    const char *token_members; /* appended to the token reply */

    struct seen seen[VENDOR_SEEN];
    size_t seen_count;
    struct taken taken[VENDOR_TAKEN];
    size_t taken_count;
    size_t waiting_for;
    struct vendor_event events[VENDOR_EVENTS];
    size_t event_count;
};

static inline void vendor_script(struct vendor *vendor, enum cxone_operation operation,
                                 struct script script)
{
    assert_true(vendor->scripted[operation] < VENDOR_SCRIPT);
    vendor->scripts[operation][vendor->scripted[operation]++] = script;
}

static inline enum cxone_operation vendor_operation(const char *path)
{
    static const char *const ends[CXONE_OPERATIONS] = {"/transcripts", "/attributes",
                                                       "/suggestions", "/active", "/token"};
    for (int i = 0; i < CXONE_OPERATIONS; i++) {
        size_t bytes = strlen(ends[i]);
        if (strlen(path) >= bytes && strcmp(path + strlen(path) - bytes, ends[i]) == 0) {
            return (enum cxone_operation)i;
        }
    }
    fail_msg("the vendor has no %s", path);
    return CXONE_OPERATIONS;
}

static inline void vendor_copy(char *out, size_t bytes, const char *text)
{
    snprintf(out, bytes, "%s", text ? text : "");
}

static inline struct seen *vendor_note(struct vendor *vendor, struct http_exchange *exchange)
{
    assert_true(vendor->seen_count < VENDOR_SEEN);
    struct seen *seen = &vendor->seen[vendor->seen_count++];
    size_t body_bytes;
    const char *body = http_exchange_body(exchange, &body_bytes);
    const char *bearer = http_exchange_header(exchange, "Authorization");
    seen->operation = vendor_operation(http_exchange_raw_path(exchange));
    seen->at = loop_now(vendor->loop);
    vendor_copy(seen->raw_path, sizeof seen->raw_path, http_exchange_raw_path(exchange));
    vendor_copy(seen->token, sizeof seen->token,
                bearer && strncmp(bearer, "Bearer ", 7) == 0 ? bearer + 7 : "");
    vendor_copy(seen->correlation, sizeof seen->correlation,
                http_exchange_header(exchange, "X-Correlation-Id"));
    vendor_copy(seen->idempotency, sizeof seen->idempotency,
                http_exchange_header(exchange, "Idempotency-Key"));
    vendor_copy(seen->content_type, sizeof seen->content_type,
                http_exchange_header(exchange, "Content-Type"));
    snprintf(seen->body, sizeof seen->body, "%.*s", (int)body_bytes, body_bytes > 0 ? body : "");
    assert_string_equal(http_exchange_header(exchange, "Accept"), "application/json");
    return seen;
}

static inline void vendor_reply(struct http_exchange *exchange, const struct script *script)
{
    struct http_header headers[2];
    size_t count = 0;
    const char *body = script->body ? script->body : "";
    headers[count++] = (struct http_header){
        "Content-Type", script->content_type ? script->content_type : "application/json"};
    if (script->header) {
        headers[count++] = (struct http_header){script->header, script->value};
    }
    http_exchange_reply(exchange, script->status, headers, count, body, strlen(body));
}

static inline void vendor_hold(struct vendor *vendor, struct http_exchange *exchange)
{
    const struct script refusal = {.status = 401};
    vendor->held[vendor->held_count++] = exchange;
    if (vendor->held_count == vendor->hold_until) {
        for (size_t i = 0; i < vendor->held_count; i++) {
            vendor_reply(vendor->held[i], &refusal);
        }
        vendor->held_count = 0;
    }
}

static inline void vendor_grant(struct vendor *vendor, struct http_exchange *exchange)
{
    char body[256];
    snprintf(body, sizeof body, "{\"access_token\":\"t%u\",\"token_type\":\"Bearer\"%s}",
             ++vendor->tokens, vendor->token_members ? vendor->token_members : "");
    const struct script grant = {.status = 200, .body = body};
    vendor_reply(exchange, &grant);
}

static inline void vendor_handle(void *user, struct http_exchange *exchange)
{
    static const char *const bodies[CXONE_OPERATIONS] = {
        [CXONE_TRANSCRIPTS] = "[{\"text\":\"hello\",\"startTime\":1,\"endTime\":2,"
                              "\"direction\":\"customer\",\"isFinal\":true}]",
        [CXONE_ATTRIBUTES] = "",
        [CXONE_SUGGESTIONS] = "{\"suggestionId\":\"s-1\"}",
        [CXONE_DISCOVERY] = "[{\"interactionId\":\"call-1\",\"state\":\"active\"}]",
    };
    struct vendor *vendor = user;
    const struct seen *seen = vendor_note(vendor, exchange);
    enum cxone_operation operation = seen->operation;
    unsigned number = 0;
    if (operation != CXONE_TOKEN) {
        assert_int_equal(sscanf(seen->token, "t%u", &number), 1);
    }
    if (operation != CXONE_TOKEN && number < vendor->token_valid_from) {
        vendor_reply(exchange, &(struct script){.status = 401});
    } else if (vendor->played[operation] < vendor->scripted[operation]) {
        const struct script *script = &vendor->scripts[operation][vendor->played[operation]++];
        if (script->status > 0) {
            vendor_reply(exchange, script);
        } else if (script->status < 0) {
            http_exchange_drop(exchange);
        } else {
            vendor_hold(vendor, exchange);
        }
    } else if (operation == CXONE_TOKEN) {
        vendor_grant(vendor, exchange);
    } else {
        vendor_reply(exchange, &(struct script){.status = 200, .body = bodies[operation]});
    }
}

static inline void vendor_on_event(void *user, const struct cxone_event *event)
{
    struct vendor *vendor = user;
    assert_true(vendor->event_count < VENDOR_EVENTS);
    assert_null(strstr(event->text, "s3cret"));
    struct vendor_event *noted = &vendor->events[vendor->event_count++];
    noted->event = *event;
    vendor_copy(noted->text, sizeof noted->text, event->text);
}

static inline size_t vendor_events(const struct vendor *vendor, enum cxone_event_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < vendor->event_count; i++) {
        count += vendor->events[i].event.kind == kind;
    }
    return count;
}

static inline const struct vendor_event *vendor_event(const struct vendor *vendor,
                                                      enum cxone_event_kind kind)
{
    for (size_t i = 0; i < vendor->event_count; i++) {
        if (vendor->events[i].event.kind == kind) {
            return &vendor->events[i];
        }
    }
    fail_msg("no event of kind %d", (int)kind);
    return NULL;
}

static inline size_t vendor_requests(const struct vendor *vendor, enum cxone_operation operation)
{
    size_t count = 0;
    for (size_t i = 0; i < vendor->seen_count; i++) {
        count += vendor->seen[i].operation == operation;
    }
    return count;
}

/* Each asking call passes one of these, so that an answer knows its operation. */
struct ask {
    struct vendor *vendor;
    enum cxone_operation operation;
};

static inline void vendor_take(void *user, const struct cxone_result *result)
{
    struct ask *ask = user;
    struct vendor *vendor = ask->vendor;
    assert_true(vendor->taken_count < VENDOR_TAKEN);
    struct taken *taken = &vendor->taken[vendor->taken_count++];
    taken->operation = ask->operation;
    taken->result = *result;
    vendor_copy(taken->reason, sizeof taken->reason, result->reason);
    vendor_copy(taken->tracking_id, sizeof taken->tracking_id, result->tracking_id);
    if (result->segment_count > 0) {
        vendor_copy(taken->text, sizeof taken->text, result->segments[0].text);
    } else if (result->active_count > 0) {
        vendor_copy(taken->text, sizeof taken->text, result->active[0].interaction_id);
    }
    free(ask);
    if (vendor->taken_count == vendor->waiting_for) {
        loop_stop(vendor->loop);
    }
}

static inline struct ask *vendor_ask(struct vendor *vendor, enum cxone_operation operation)
{
    struct ask *ask = malloc(sizeof *ask);
    assert_non_null(ask);
    *ask = (struct ask){vendor, operation};
    return ask;
}

static inline void ask_poll(struct vendor *vendor, const char *id)
{
    cxone_poll(vendor->cxone, id, 1698765432000, vendor_take,
               vendor_ask(vendor, CXONE_TRANSCRIPTS));
}

static inline void ask_attributes(struct vendor *vendor, const char *id)
{
    const struct cxone_attribute attribute = {"sentiment_trend", "stable"};
    cxone_put_attributes(vendor->cxone, id, &attribute, 1, vendor_take,
                         vendor_ask(vendor, CXONE_ATTRIBUTES));
}

static inline void ask_suggestion(struct vendor *vendor, const char *id)
{
    cxone_suggest(vendor->cxone, id, "alert-1", "Be kind.", vendor_take,
                  vendor_ask(vendor, CXONE_SUGGESTIONS));
}

static inline void ask_discovery(struct vendor *vendor)
{
    cxone_discover(vendor->cxone, vendor_take, vendor_ask(vendor, CXONE_DISCOVERY));
}

static inline void vendor_hang(void *user)
{
    struct vendor *vendor = user;
    vendor->hung = true;
    loop_stop(vendor->loop);
}

static inline void vendor_stop(void *user)
{
    struct vendor *vendor = user;
    loop_stop(vendor->loop);
}

/* Runs the loop until `count` answers in all have come. */
static inline void vendor_wait(struct vendor *vendor, size_t count)
{
    vendor->waiting_for = count;
    if (vendor->taken_count < count) {
        loop_timer_start(vendor->guard, 20000, 0);
        loop_run(vendor->loop);
        loop_timer_stop(vendor->guard);
    }
    assert_false(vendor->hung);
    assert_int_equal(vendor->taken_count, count);
}

/* Runs the loop for a while, to see that nothing happens. */
static inline void vendor_run(struct vendor *vendor, int64_t ms)
{
    vendor->waiting_for = 0;
    loop_timer_start(vendor->stop, ms, 0);
    loop_run(vendor->loop);
    loop_timer_stop(vendor->stop);
}

static inline const struct taken *vendor_last(const struct vendor *vendor)
{
    assert_true(vendor->taken_count > 0);
    return &vendor->taken[vendor->taken_count - 1];
}

/* Everything but the cxone object, whose options the test may still change. */
static inline struct vendor *vendor_open(void)
{
    struct vendor *vendor = calloc(1, sizeof *vendor);
    struct error err = {0};
    assert_non_null(vendor);
    assert_int_equal(loop_create(&vendor->loop, &err), 0);
    const struct http_server_options server = {
        .address = "127.0.0.1",
        .body_bytes_max = 1 << 20,
        .connections_max = 200,
        .idle_timeout_s = 30,
        .handler = vendor_handle,
        .user = vendor,
    };
    assert_int_equal(http_server_create(&vendor->server, vendor->loop, &server, &err), 0);
    const struct http_client_options client = {
        .body_bytes_max = 1 << 20,
        .header_bytes_max = 1 << 16,
        .connections_per_host_max = 64,
        .calls_max = 128,
        .user_agent = "test",
    };
    assert_int_equal(http_client_create(&vendor->client, vendor->loop, &client, &err), 0);
    assert_int_equal(loop_timer_create(vendor->loop, vendor_hang, vendor, &vendor->guard, &err), 0);
    assert_int_equal(loop_timer_create(vendor->loop, vendor_stop, vendor, &vendor->stop, &err), 0);
    snprintf(vendor->base, sizeof vendor->base, "http://127.0.0.1:%u",
             (unsigned)http_server_port(vendor->server));
    cxone_options_default(&vendor->options);
    vendor->options.profile.api_base = vendor->base;
    vendor->options.profile.active_url = "{base}/api/v2/interactions/active";
    vendor->options.profile.client_id = "id";
    vendor->options.profile.client_secret = "s3cret=&+%\xC3\xA9";
    vendor->options.client_rps = 1000;
    vendor->options.burst = 200;
    vendor->options.on_event = vendor_on_event;
    vendor->options.user = vendor;
    return vendor;
}

static inline void vendor_connect(struct vendor *vendor)
{
    struct error err = {0};
    int result = cxone_create(&vendor->cxone, vendor->loop, vendor->client, &vendor->options, &err);
    if (result) {
        fail_msg("%s", err.message);
    }
}

static inline void vendor_close(struct vendor *vendor)
{
    cxone_destroy(vendor->cxone);
    http_client_destroy(vendor->client);
    http_server_destroy(vendor->server);
    loop_timer_destroy(vendor->guard);
    loop_timer_destroy(vendor->stop);
    loop_destroy(vendor->loop);
    free(vendor);
}

static inline struct cxone_status vendor_status(const struct vendor *vendor)
{
    struct cxone_status status;
    cxone_status(vendor->cxone, &status);
    return status;
}

#endif
