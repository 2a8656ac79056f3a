/* The real platform's ways, against a server that answers by path: discovery, grants, pages,
 * signals, webhooks. */
#include "base/keyhash.h"
#include "cxone/cxone.h"
#include "net/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEN_MAX = 64, EVENTS_MAX = 32, ANSWERS_MAX = 32, RULES_MAX = 32 };

/* The first rule with this path that has not been used up answers; the last of a path stays. */
struct rule {
    const char *path;
    int status;
    const char *body; /* "%s": the server's address */
    unsigned times;   /* 0: always */
};

struct seen {
    char line[160]; /* method and path */
    char authorization[128];
    char query[160]; /* of p1, p2, page, cursor, tenantId */
    char body[512];
    char type[64];
    char timestamp[32];
    char signature[80];
    char key[64];
};

struct answer {
    enum cxone_outcome outcome;
    size_t segments;
    size_t active;
    char text[64];
    char reason[256];
};

struct platform {
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    struct loop_timer *guard;
    struct cxone *cxone;
    struct cxone_options options;
    char base[64];
    struct rule rules[RULES_MAX];
    size_t rule_count;
    struct seen seen[SEEN_MAX];
    size_t seen_count;
    struct {
        enum cxone_event_kind kind;
        char text[512];
    } events[EVENTS_MAX];
    size_t event_count;
    struct answer answers[ANSWERS_MAX];
    size_t answer_count;
    size_t waiting_for;
    bool hung;
};

static void copy(char *out, size_t bytes, const char *text)
{
    snprintf(out, bytes, "%s", text ? text : "");
}

static void note(struct platform *p, const struct http_exchange *exchange)
{
    static const char *const names[] = {"p1", "p2", "page", "cursor", "tenantId"};
    assert_true(p->seen_count < SEEN_MAX);
    struct seen *seen = &p->seen[p->seen_count++];
    size_t bytes;
    const char *body = http_exchange_body(exchange, &bytes);
    snprintf(seen->line, sizeof seen->line, "%s %s", http_exchange_method(exchange),
             http_exchange_raw_path(exchange));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = http_exchange_query(exchange, names[i]);
        size_t used = strlen(seen->query);
        if (value) {
            snprintf(seen->query + used, sizeof seen->query - used, "%s%s=%s", used > 0 ? "&" : "",
                     names[i], value);
        }
    }
    snprintf(seen->body, sizeof seen->body, "%.*s", (int)bytes, bytes > 0 ? body : "");
    copy(seen->authorization, sizeof seen->authorization,
         http_exchange_header(exchange, "Authorization"));
    copy(seen->type, sizeof seen->type, http_exchange_header(exchange, "Content-Type"));
    copy(seen->timestamp, sizeof seen->timestamp,
         http_exchange_header(exchange, "X-Undertone-Timestamp"));
    copy(seen->signature, sizeof seen->signature,
         http_exchange_header(exchange, "X-Undertone-Signature"));
    copy(seen->key, sizeof seen->key, http_exchange_header(exchange, "Idempotency-Key"));
}

static void handle(void *user, struct http_exchange *exchange)
{
    struct platform *p = user;
    const struct http_header header = {"Content-Type", "application/json"};
    note(p, exchange);
    for (size_t i = 0; i < p->rule_count; i++) {
        struct rule *rule = &p->rules[i];
        if (!rule->path || strcmp(rule->path, http_exchange_raw_path(exchange)) != 0) {
            continue;
        }
        if (rule->times > 0 && --rule->times == 0) {
            rule->path = NULL;
        }
        struct buf body;
        buf_init(&body, 4096);
        const char *slot = strstr(rule->body, "%s");
        if (slot) {
            buf_append(&body, rule->body, (size_t)(slot - rule->body));
            buf_append_string(&body, p->base);
            buf_append_string(&body, slot + 2);
        } else {
            buf_append_string(&body, rule->body);
        }
        http_exchange_reply(exchange, rule->status, &header, 1, buf_string(&body), body.size);
        buf_done(&body);
        return;
    }
    fail_msg("nothing answers %s", p->seen[p->seen_count - 1].line);
}

static void add_rule(struct platform *p, const char *path, int status, const char *body,
                     unsigned times)
{
    assert_true(p->rule_count < RULES_MAX);
    p->rules[p->rule_count++] = (struct rule){path, status, body, times};
}

static void on_event(void *user, const struct cxone_event *event)
{
    struct platform *p = user;
    assert_true(p->event_count < EVENTS_MAX);
    assert_null(strstr(event->text, "s3cret"));
    p->events[p->event_count].kind = event->kind;
    copy(p->events[p->event_count++].text, 512, event->text);
}

static size_t events(const struct platform *p, enum cxone_event_kind kind, const char *fragment)
{
    size_t count = 0;
    for (size_t i = 0; i < p->event_count; i++) {
        count += p->events[i].kind == kind && strstr(p->events[i].text, fragment);
    }
    return count;
}

static void on_done(void *user, const struct cxone_result *result)
{
    struct platform *p = user;
    assert_true(p->answer_count < ANSWERS_MAX);
    struct answer *answer = &p->answers[p->answer_count++];
    answer->outcome = result->outcome;
    answer->segments = result->segment_count;
    answer->active = result->active_count;
    copy(answer->reason, sizeof answer->reason, result->reason);
    if (result->segment_count > 0) {
        copy(answer->text, sizeof answer->text, result->segments[0].text);
    } else if (result->active_count > 0) {
        copy(answer->text, sizeof answer->text, result->active[0].interaction_id);
    }
    if (p->answer_count == p->waiting_for) {
        loop_stop(p->loop);
    }
}

static void on_guard(void *user)
{
    struct platform *p = user;
    p->hung = true;
    loop_stop(p->loop);
}

static struct wall fixed_time(void)
{
    return (struct wall){1795505584123};
}

static struct platform *platform_open(void)
{
    struct platform *p = calloc(1, sizeof *p);
    struct error err = {0};
    assert_non_null(p);
    assert_int_equal(loop_create(&p->loop, &err), 0);
    const struct http_server_options server = {.address = "127.0.0.1",
                                               .body_bytes_max = 1 << 16,
                                               .connections_max = 20,
                                               .idle_timeout_s = 30,
                                               .handler = handle,
                                               .user = p};
    assert_int_equal(http_server_create(&p->server, p->loop, &server, &err), 0);
    const struct http_client_options client = {.body_bytes_max = 1 << 20,
                                               .header_bytes_max = 1 << 16,
                                               .connections_per_host_max = 8,
                                               .calls_max = 16,
                                               .user_agent = "test"};
    assert_int_equal(http_client_create(&p->client, p->loop, &client, &err), 0);
    assert_int_equal(loop_timer_create(p->loop, on_guard, p, &p->guard, &err), 0);
    snprintf(p->base, sizeof p->base, "http://127.0.0.1:%u", (unsigned)http_server_port(p->server));
    cxone_options_default(&p->options);
    p->options.profile.api_base = p->base;
    p->options.profile.client_id = "id";
    p->options.profile.client_secret = "s3cret";
    p->options.client_rps = 1000;
    p->options.burst = 100;
    p->options.wall_now = fixed_time;
    p->options.on_event = on_event;
    p->options.user = p;
    return p;
}

static void platform_connect(struct platform *p)
{
    struct error err = {0};
    if (cxone_create(&p->cxone, p->loop, p->client, &p->options, &err)) {
        fail_msg("%s", err.message);
    }
}

/* Runs until so many answers in all have come. */
static const struct answer *platform_wait(struct platform *p, size_t count)
{
    p->waiting_for = count;
    if (p->answer_count < count) {
        loop_timer_start(p->guard, 20000, 0);
        loop_run(p->loop);
        loop_timer_stop(p->guard);
    }
    assert_false(p->hung);
    return &p->answers[count - 1];
}

static void platform_close(struct platform *p)
{
    cxone_destroy(p->cxone);
    http_client_destroy(p->client);
    http_server_destroy(p->server);
    loop_timer_destroy(p->guard);
    loop_destroy(p->loop);
    free(p);
}

static void poll(struct platform *p)
{
    cxone_poll(p->cxone, "7", 1000, on_done, p);
}

static void suggest(struct platform *p)
{
    cxone_suggest(p->cxone, "call 7", "alert-1", "Be kind.", on_done, p);
}

#define OPENID      "/.well-known/openid-configuration"
#define TENANT      "/.well-known/cxone-configuration"
#define TRANSCRIPTS "/api/v2/interactions/7/transcripts"
#define SEGMENT(text, at)                                                              \
    "{\"text\":\"" text "\",\"startTime\":" at ",\"endTime\":" at ",\"isFinal\":true," \
    "\"direction\":\"customer\"}"
#define TOKEN "{\"access_token\":\"t1\",\"expires_in\":3600}"

/* {"tenantId":"t-1"} between two parts that nobody reads */
#define ID_TOKEN "x.eyJ0ZW5hbnRJZCI6InQtMSJ9.y"

static void use_issuer(struct platform *p)
{
    p->options.profile.issuer = p->base;
    p->options.profile.grant = CXONE_GRANT_ACCESS_KEY_PASSWORD;
    p->options.profile.client_auth = CXONE_CLIENT_AUTH_BASIC;
    p->options.profile.access_key_id = "key";
    p->options.profile.access_key_secret = "key-s3cret";
    add_rule(p, OPENID, 200, "{\"token_endpoint\":\"%s/auth/token\"}", 0);
    add_rule(p, "/auth/token", 200, "{\"access_token\":\"t1\",\"id_token\":\"" ID_TOKEN "\"}", 0);
    add_rule(p, "/t1" TRANSCRIPTS, 200, "[" SEGMENT("hello", "5") "]", 0);
}

static void issuer_names_token_endpoint_and_tenants_api(void **state)
{
    (void)state;
    static const char *const lines[] = {"GET " OPENID, "POST /auth/token", "GET " TENANT,
                                        "GET /t1" TRANSCRIPTS, "GET /t1" TRANSCRIPTS};
    struct platform *p = platform_open();
    use_issuer(p);
    add_rule(p, TENANT, 200, "{\"api_endpoint\":\"%s/t1\",\"tenantId\":\"t-1\"}", 0);
    platform_connect(p);
    poll(p);
    poll(p);
    assert_int_equal(platform_wait(p, 2)->outcome, CXONE_OK);
    assert_int_equal(p->seen_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(p->seen[i].line, lines[i]);
    }
    assert_string_equal(p->seen[1].authorization, "Basic aWQ6czNjcmV0");
    assert_string_equal(p->seen[1].body,
                        "grant_type=password&username=key&password=key-s3cret"
                        "&scope=interactions%3Aview%20interactions%3Awrite%20agentassist%3Awrite");
    assert_string_equal(p->seen[2].query, "tenantId=t-1");
    assert_string_equal(p->seen[2].authorization, "");
    assert_string_equal(p->seen[3].authorization, "Bearer t1");
    assert_int_equal(events(p, CXONE_EVENT_ADDRESS_KNOWN, ""), 2);
    platform_close(p);
}

static void unknown_tenant_is_said_and_asked_again_slowly(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        const char *said;
    } rows[] = {
        {404, "{}", "check discovery.tenant_id"},
        {302, "{}", "check discovery.issuer"},
        {200, "{\"tenantId\":\"t-1\"}", "no api_endpoint"},
        {200, "{\"api_endpoint\":\"%s/t1\",\"tenantId\":\"t-2\"}", "about another tenant"},
        {200, "{\"api_endpoint\":\"http://example.com\",\"tenantId\":\"t-1\"}", "http"},
        {200, "<html>", "HTML"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct platform *p = platform_open();
        use_issuer(p);
        add_rule(p, TENANT, rows[i].status, rows[i].body, 0);
        platform_connect(p);
        poll(p);
        assert_int_equal(platform_wait(p, 1)->outcome, CXONE_FAILED);
        if (events(p, CXONE_EVENT_ADDRESS_FAILED, rows[i].said) != 1) {
            fail_msg("row %zu: %s", i, p->events[p->event_count - 1].text);
        }
        size_t before = p->seen_count;
        poll(p);
        platform_wait(p, 2);
        assert_int_equal(p->seen_count, before);
        platform_close(p);
    }
}

static void tenant_that_nobody_names_is_asked_of_the_user(void **state)
{
    (void)state;
    struct platform *p = platform_open();
    use_issuer(p);
    p->rule_count = 1;
    add_rule(p, "/auth/token", 200, TOKEN, 0);
    platform_connect(p);
    poll(p);
    assert_int_equal(platform_wait(p, 1)->outcome, CXONE_FAILED);
    assert_int_equal(events(p, CXONE_EVENT_ADDRESS_FAILED, "set discovery.tenant_id"), 1);
    platform_close(p);
}

static void known_addresses_outlive_an_issuer_that_is_down(void **state)
{
    (void)state;
    struct platform *p = platform_open();
    use_issuer(p);
    p->options.issuer_max_age_ms = 0;
    add_rule(p, TENANT, 200, "{\"api_endpoint\":\"%s/t1\"}", 1);
    add_rule(p, TENANT, 500, "{}", 0);
    platform_connect(p);
    poll(p);
    platform_wait(p, 1);
    poll(p);
    assert_int_equal(platform_wait(p, 2)->outcome, CXONE_OK);
    poll(p);
    assert_int_equal(platform_wait(p, 3)->outcome, CXONE_OK);
    platform_close(p);
}

static void refresh_token_is_used_and_if_refused_forgotten(void **state)
{
    (void)state;
    struct platform *p = platform_open();
    add_rule(p, "/oauth/token", 200,
             "{\"access_token\":\"t1\",\"expires_in\":0,\"refresh_token\":\"r-s3cret\"}", 1);
    add_rule(p, "/oauth/token", 400, "{\"error\":\"invalid_grant\"}", 1);
    add_rule(p, "/oauth/token", 200, TOKEN, 0);
    add_rule(p, TRANSCRIPTS, 200, "[]", 0);
    platform_connect(p);
    poll(p);
    platform_wait(p, 1);
    poll(p);
    assert_int_equal(platform_wait(p, 2)->outcome, CXONE_EMPTY);
    assert_int_equal(p->seen_count, 5);
    assert_non_null(strstr(p->seen[2].body, "grant_type=refresh_token&refresh_token=r-s3cret"));
    assert_non_null(strstr(p->seen[3].body, "grant_type=client_credentials"));
    assert_int_equal(events(p, CXONE_EVENT_CREDENTIALS_REJECTED, ""), 0);
    platform_close(p);
}

static void static_token_is_taken_as_it_is(void **state)
{
    (void)state;
    struct platform *p = platform_open();
    p->options.profile.grant = CXONE_GRANT_STATIC_TOKEN;
    p->options.profile.static_token = "given";
    add_rule(p, TRANSCRIPTS, 200, "[]", 1);
    add_rule(p, TRANSCRIPTS, 401, "{}", 0);
    platform_connect(p);
    poll(p);
    assert_int_equal(platform_wait(p, 1)->outcome, CXONE_EMPTY);
    assert_string_equal(p->seen[0].authorization, "Bearer given");
    for (size_t i = 2; i < 5; i++) {
        poll(p);
        assert_int_equal(platform_wait(p, i)->outcome, CXONE_FAILED);
    }
    assert_int_equal(events(p, CXONE_EVENT_CREDENTIALS_REJECTED, "auth.static_token"), 1);
    platform_close(p);
}

static void forbidden_may_be_the_tokens_fault_once(void **state)
{
    (void)state;
    struct platform *p = platform_open();
    p->options.profile.retry_on_403 = true;
    add_rule(p, "/oauth/token", 200, TOKEN, 1);
    add_rule(p, "/oauth/token", 200, "{\"access_token\":\"t2\"}", 0);
    add_rule(p, TRANSCRIPTS, 403, "{}", 1);
    add_rule(p, TRANSCRIPTS, 200, "[]", 1);
    add_rule(p, TRANSCRIPTS, 403, "{}", 0);
    platform_connect(p);
    poll(p);
    assert_int_equal(platform_wait(p, 1)->outcome, CXONE_EMPTY);
    assert_string_equal(p->seen[3].authorization, "Bearer t2");
    assert_int_equal(events(p, CXONE_EVENT_CAPABILITY_SUSPENDED, ""), 0);
    poll(p);
    assert_int_equal(platform_wait(p, 2)->outcome, CXONE_DENIED);
    assert_int_equal(events(p, CXONE_EVENT_CAPABILITY_SUSPENDED, ""), 1);
    platform_close(p);
}

/* ---- pages ---- */

static void use_pages(struct platform *p)
{
    p->options.profile.transcripts_url = "{base}/list/{id}";
    p->options.profile.map.segments.at[0] = "/items";
    p->options.profile.transcript_pages = (struct cxone_paging){
        .style = CXONE_PAGES_CURSOR, .parameter = "cursor", .next = {{"/next"}}, .pages_max = 3};
    add_rule(p, "/oauth/token", 200, TOKEN, 0);
}

static void pages_are_one_answer(void **state)
{
    (void)state;
    struct platform *p = platform_open();
    use_pages(p);
    add_rule(p, "/list/7", 200, "{\"items\":[" SEGMENT("one", "1") "],\"next\":\"c 2\"}", 1);
    add_rule(p, "/list/7", 200, "{\"items\":[],\"next\":\"c3\"}", 1);
    add_rule(p, "/list/7", 200, "{\"items\":[" SEGMENT("two", "2") "," SEGMENT("x", "3") "]}", 1);
    platform_connect(p);
    poll(p);
    assert_int_equal(platform_wait(p, 1)->outcome, CXONE_OK);
    assert_int_equal(p->answers[0].segments, 3);
    assert_string_equal(p->answers[0].text, "one");
    assert_string_equal(p->seen[1].query, "");
    assert_string_equal(p->seen[2].query, "cursor=c 2");
    assert_string_equal(p->seen[3].query, "cursor=c3");
    assert_int_equal(events(p, CXONE_EVENT_PAGES_CUT, ""), 0);
    platform_close(p);
}

static void broken_second_page_spoils_the_answer(void **state)
{
    (void)state;
    struct platform *p = platform_open();
    use_pages(p);
    for (int i = 0; i < 2; i++) {
        add_rule(p, "/list/7", 200, "{\"items\":[" SEGMENT("one", "1") "],\"next\":\"c2\"}", 1);
        add_rule(p, "/list/7", i == 0 ? 500 : 200, i == 0 ? "{}" : "{\"items\":7}", 1);
    }
    platform_connect(p);
    poll(p);
    assert_int_equal(platform_wait(p, 1)->outcome, CXONE_FAILED);
    poll(p);
    assert_int_equal(platform_wait(p, 2)->outcome, CXONE_MALFORMED);
    platform_close(p);
}

static void too_many_pages_are_told_once(void **state)
{
    (void)state;
    struct platform *p = platform_open();
    use_pages(p);
    for (int i = 0; i < 2; i++) {
        add_rule(p, "/list/7", 200, "{\"items\":[" SEGMENT("one", "1") "],\"next\":\"c2\"}", 1);
        add_rule(p, "/list/7", 200, "{\"items\":[" SEGMENT("two", "2") "],\"next\":\"c2\"}", 1);
    }
    platform_connect(p);
    poll(p);
    assert_int_equal(platform_wait(p, 1)->segments, 2);
    poll(p);
    assert_int_equal(platform_wait(p, 2)->outcome, CXONE_OK);
    assert_int_equal(events(p, CXONE_EVENT_PAGES_CUT, "page.max"), 1);
    platform_close(p);
}

static void contact_list_is_mapped_and_paged(void **state)
{
    (void)state;
    struct platform *p = platform_open();
    p->options.profile.active_url = "{base}/contacts/active";
    p->options.profile.map.contacts.at[0] = "/activeContacts";
    p->options.profile.map.contact_id.at[0] = "/contactId";
    p->options.profile.contact_pages = (struct cxone_paging){
        .style = CXONE_PAGES_LINK, .next = {{"/_links/next"}}, .pages_max = 20};
    add_rule(p, "/oauth/token", 200, TOKEN, 0);
    add_rule(p, "/contacts/active", 200,
             "{\"activeContacts\":[{\"contactId\":42}],\"_links\":{\"next\":\"%s/more\"}}", 1);
    add_rule(p, "/more", 200, "{\"activeContacts\":[{\"contactId\":\"43\"}],\"_links\":{}}", 1);
    platform_connect(p);
    cxone_discover(p->cxone, on_done, p);
    assert_int_equal(platform_wait(p, 1)->outcome, CXONE_OK);
    assert_int_equal(p->answers[0].active, 2);
    assert_string_equal(p->answers[0].text, "42");
    platform_close(p);
}

/* ---- ways out ---- */

static void alert_travels_as_a_signal(void **state)
{
    (void)state;
    struct platform *p = platform_open();
    p->options.profile.deliveries = CXONE_DELIVERY_SIGNAL;
    p->options.profile.signal_url = "{base}/s/{id}/signal?p1={message}&p2={key}";
    add_rule(p, "/oauth/token", 200, TOKEN, 0);
    add_rule(p, "/s/call%207/signal", 202, "", 0);
    platform_connect(p);
    suggest(p);
    assert_int_equal(platform_wait(p, 1)->outcome, CXONE_OK);
    assert_string_equal(p->seen[1].line, "POST /s/call%207/signal");
    assert_string_equal(p->seen[1].query, "p1=Be kind.&p2=alert-1");
    assert_string_equal(p->seen[1].body, "");
    assert_string_equal(p->seen[1].key, "alert-1");
    platform_close(p);
}

static void attributes_have_three_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint;
        enum cxone_attribute_body form;
        const char *line;
        const char *body;
        const char *query;
    } rows[] = {
        {"{base}/a/{id}", CXONE_ATTRIBUTE_BODY_OBJECT, "PATCH /a/7",
         "{\"attributes\":{\"score\":\"0.3\",\"trend\":\"stable\"}}", ""},
        {"PUT {base}/a/{id}", CXONE_ATTRIBUTE_BODY_CUSTOM_FIELDS, "PUT /a/7",
         "[{\"ident\":\"score\",\"value\":\"0.3\"},{\"ident\":\"trend\",\"value\":\"stable\"}]",
         ""},
        {"POST {base}/a/{id}?p1={1}&p2={2}", CXONE_ATTRIBUTE_BODY_NONE, "POST /a/7", "",
         "p1=0.3&p2=stable"},
    };
    const struct cxone_attribute attributes[] = {{"score", "0.3"}, {"trend", "stable"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct platform *p = platform_open();
        p->options.profile.attributes_url = rows[i].endpoint;
        p->options.profile.attribute_body = rows[i].form;
        add_rule(p, "/oauth/token", 200, TOKEN, 0);
        add_rule(p, "/a/7", 204, "", 0);
        platform_connect(p);
        cxone_put_attributes(p->cxone, "7", attributes, 2, on_done, p);
        assert_int_equal(platform_wait(p, 1)->outcome, CXONE_OK);
        assert_string_equal(p->seen[1].line, rows[i].line);
        assert_string_equal(p->seen[1].body, rows[i].body);
        assert_string_equal(p->seen[1].query, rows[i].query);
        platform_close(p);
    }
}

static void use_webhook(struct platform *p, char url[80])
{
    snprintf(url, 80, "%s/hook", p->base);
    p->options.profile.deliveries = CXONE_DELIVERY_WEBHOOK;
    p->options.profile.webhook_url = url;
    p->options.profile.webhook_secret = "0123456789abcdef";
}

/* The signature by Python's hmac over "1795505584." and the body. */
static void webhook_is_signed_and_gets_no_token(void **state)
{
    (void)state;
    char url[80];
    struct platform *p = platform_open();
    use_webhook(p, url);
    add_rule(p, "/hook", 200, "{\"id\":\"w1\"}", 0);
    platform_connect(p);
    suggest(p);
    assert_int_equal(platform_wait(p, 1)->outcome, CXONE_OK);
    assert_int_equal(p->seen_count, 1); /* and no token was asked for */
    assert_string_equal(p->seen[0].line, "POST /hook");
    assert_string_equal(p->seen[0].authorization, "");
    assert_string_equal(p->seen[0].type, "application/json");
    assert_string_equal(p->seen[0].key, "alert-1");
    assert_string_equal(p->seen[0].timestamp, "1795505584");
    assert_string_equal(p->seen[0].body,
                        "{\"version\":1,\"kind\":\"alert\",\"id\":\"alert-1\",\"interactionId\":"
                        "\"call 7\",\"type\":\"text\",\"content\":\"Be kind.\"}");
    assert_string_equal(p->seen[0].signature,
                        "v1=e6102891a591e13a39ef510a5452c2b708dc7d8c5dbaffcf7c4eafefbb0aaa8a");
    platform_close(p);
}

static void webhook_that_may_have_been_heard_is_unknown(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum cxone_outcome outcome;
    } rows[] = {{500, CXONE_UNKNOWN},
                {429, CXONE_THROTTLED},
                {403, CXONE_DENIED},
                {401, CXONE_FAILED},
                {404, CXONE_REFUSED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char url[80];
        struct platform *p = platform_open();
        struct cxone_status status;
        use_webhook(p, url);
        add_rule(p, "/hook", rows[i].status, "{}", 0);
        platform_connect(p);
        suggest(p);
        assert_int_equal(platform_wait(p, 1)->outcome, rows[i].outcome);
        assert_int_equal(p->seen_count, 1);
        cxone_status(p->cxone, &status);
        assert_false(status.vendor_offset_known); /* its clock is not the vendor's */
        platform_close(p);
    }
}

static void several_ways_are_one_alert(void **state)
{
    (void)state;
    static const struct {
        int suggestion;
        int hook;
        enum cxone_outcome outcome;
        size_t told;
    } rows[] = {{200, 200, CXONE_OK, 0},
                {200, 404, CXONE_OK, 1},
                {404, 500, CXONE_UNKNOWN, 1},
                {429, 404, CXONE_THROTTLED, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char url[80];
        struct platform *p = platform_open();
        use_webhook(p, url);
        p->options.profile.deliveries |= CXONE_DELIVERY_SUGGESTIONS;
        add_rule(p, "/oauth/token", 200, TOKEN, 0);
        add_rule(p, "/hook", rows[i].hook, "{}", 0);
        add_rule(p, "/api/v2/agentassist/suggestions", rows[i].suggestion, "{}", 0);
        platform_connect(p);
        suggest(p);
        assert_int_equal(platform_wait(p, 1)->outcome, rows[i].outcome);
        assert_int_equal(p->answer_count, 1);
        assert_int_equal(p->seen_count, 3);
        assert_int_equal(events(p, CXONE_EVENT_ROUTE_FAILED, ""), rows[i].told);
        platform_close(p);
    }
}

static size_t requests_to(const struct platform *p, const char *line)
{
    size_t count = 0;
    for (size_t i = 0; i < p->seen_count; i++) {
        count += strcmp(p->seen[i].line, line) == 0;
    }
    return count;
}

static void webhook_and_vendor_do_not_stop_each_other(void **state)
{
    (void)state;
    char url[80];
    struct platform *p = platform_open();
    use_webhook(p, url);
    p->options.profile.deliveries |= CXONE_DELIVERY_SUGGESTIONS;
    add_rule(p, "/hook", 403, "{}", 0);
    add_rule(p, "/oauth/token", 500, "{}", 1);
    add_rule(p, "/oauth/token", 200, TOKEN, 0);
    add_rule(p, "/api/v2/agentassist/suggestions", 200, "{}", 0);
    platform_connect(p);
    suggest(p);
    suggest(p);
    platform_wait(p, 2);
    assert_int_equal(p->answers[0].outcome, CXONE_OK);
    assert_int_equal(p->answers[1].outcome, CXONE_OK);
    /* both left by the webhook before there was a token, and its 403 suspended nothing */
    assert_int_equal(requests_to(p, "POST /hook"), 2);
    assert_int_equal(requests_to(p, "POST /api/v2/agentassist/suggestions"), 2);
    assert_string_equal(p->seen[p->seen_count - 1].line, "POST /api/v2/agentassist/suggestions");
    assert_string_equal(p->seen[p->seen_count - 2].line, "POST /api/v2/agentassist/suggestions");
    assert_int_equal(events(p, CXONE_EVENT_CAPABILITY_SUSPENDED, ""), 0);
    platform_close(p);
}

/* One connection at a time, so that all but one wait. */
static void webhooks_leave_in_the_order_of_their_alerts(void **state)
{
    (void)state;
    char url[80];
    struct platform *p = platform_open();
    use_webhook(p, url);
    p->options.in_flight_max = 1;
    add_rule(p, "/hook", 200, "{}", 0);
    platform_connect(p);
    cxone_suggest(p->cxone, "call 7", "alert-1", "Be kind.", on_done, p);
    cxone_suggest(p->cxone, "call 7", "alert-2", "Be kind.", on_done, p);
    cxone_suggest(p->cxone, "call 7", "alert-3", "Be kind.", on_done, p);
    platform_wait(p, 3);
    assert_int_equal(p->seen_count, 3);
    assert_string_equal(p->seen[0].key, "alert-1");
    assert_string_equal(p->seen[1].key, "alert-2");
    assert_string_equal(p->seen[2].key, "alert-3");
    platform_close(p);
}

static int start_library(void **state)
{
    (void)state;
    return keyhash_library_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issuer_names_token_endpoint_and_tenants_api),
        cmocka_unit_test(unknown_tenant_is_said_and_asked_again_slowly),
        cmocka_unit_test(tenant_that_nobody_names_is_asked_of_the_user),
        cmocka_unit_test(known_addresses_outlive_an_issuer_that_is_down),
        cmocka_unit_test(refresh_token_is_used_and_if_refused_forgotten),
        cmocka_unit_test(static_token_is_taken_as_it_is),
        cmocka_unit_test(forbidden_may_be_the_tokens_fault_once),
        cmocka_unit_test(pages_are_one_answer),
        cmocka_unit_test(broken_second_page_spoils_the_answer),
        cmocka_unit_test(too_many_pages_are_told_once),
        cmocka_unit_test(contact_list_is_mapped_and_paged),
        cmocka_unit_test(alert_travels_as_a_signal),
        cmocka_unit_test(attributes_have_three_bodies),
        cmocka_unit_test(webhook_is_signed_and_gets_no_token),
        cmocka_unit_test(webhook_that_may_have_been_heard_is_unknown),
        cmocka_unit_test(several_ways_are_one_alert),
        cmocka_unit_test(webhook_and_vendor_do_not_stop_each_other),
        cmocka_unit_test(webhooks_leave_in_the_order_of_their_alerts),
    };
    return cmocka_run_group_tests(tests, start_library, NULL);
}
