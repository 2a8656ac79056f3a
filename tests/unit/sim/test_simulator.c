/* The whole simulator over loopback: a client thread with plain sockets talks to it, so that the
 * bytes on the wire are judged by nothing of ours. */
#include "sim/simulator.h"

#include "base/json.h"
#include "base/lines.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { REPLY_BYTES = 1 << 18, STEPS_MAX = 24 };

struct client {
    uint16_t port;
    struct loop_wakeup *finished;
    void (*script)(struct client *client);
    char *replies[STEPS_MAX];
    size_t count;
    char token[128];
};

static char *talk(uint16_t port, const char *request)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval patience = {.tv_sec = 10};
    char *reply = calloc(1, REPLY_BYTES);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (reply == NULL || fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request)) {
        return reply;
    }
    size_t at = 0;
    ssize_t got;
    while (at < REPLY_BYTES - 1 && (got = recv(fd, reply + at, REPLY_BYTES - 1 - at, 0)) > 0) {
        at += (size_t)got;
    }
    close(fd);
    return reply;
}

/* Sends one request with the token and keeps the reply. */
static const char *ask(struct client *client, const char *method, const char *path,
                       const char *headers, const char *body)
{
    char request[4096];
    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Authorization: Bearer %s\r\n%sContent-Length: %zu\r\n\r\n%s",
             method, path, client->token, headers, strlen(body), body);
    char *reply = talk(client->port, request);
    client->replies[client->count++] = reply;
    return reply;
}

#define JSON_TYPE "Content-Type: application/json\r\n"

static void take_token(struct client *client)
{
    const char *reply =
        ask(client, "POST", "/oauth/token", "Content-Type: application/x-www-form-urlencoded\r\n",
            "grant_type=client_credentials&client_id=demo-client&"
            "client_secret=demo-secret&scope=interactions%3Aview+"
            "interactions%3Awrite+agentassist%3Awrite");
    const char *token = strstr(reply, "\"access_token\":\"");
    if (token != NULL) {
        snprintf(client->token, sizeof client->token, "%.64s", token + 16);
    }
}

static void *run_client(void *user)
{
    struct client *client = user;
    client->script(client);
    loop_wakeup_signal(client->finished);
    return NULL;
}

static void stop_loop(void *user)
{
    loop_stop(user);
}

static char ledger_path[64];

static struct options make_options(void)
{
    struct options options;
    char *argv[] = {(char *)(uintptr_t) "undertone-sim", NULL};
    assert_int_equal(options_parse(&options, 1, argv, NULL), 0);
    options.port = 0;
    options.ids = "call one,two";
    options.calls = 3;
    options.data = UNDERTONE_SOURCE_DIR "/sim/data";
    options.ledger = ledger_path;
    return options;
}

/* Runs a script against a simulator with these options. */
static void run(struct client *client, const struct options *options,
                void (*script)(struct client *client))
{
    struct loop *loop;
    struct simulator *simulator;
    struct error err = {0};
    pthread_t thread;
    *client = (struct client){.script = script, .token = "none"};
    assert_int_equal(loop_create(&loop, &err), 0);
    assert_int_equal(simulator_create(&simulator, loop, options, &err), 0);
    assert_int_equal(loop_wakeup_create(loop, stop_loop, loop, &client->finished, &err), 0);
    client->port = simulator_port(simulator);
    assert_int_equal(pthread_create(&thread, NULL, run_client, client), 0);
    loop_run(loop);
    pthread_join(thread, NULL);
    assert_int_equal(simulator_destroy(simulator, &err), 0);
    loop_wakeup_destroy(client->finished);
    loop_destroy(loop);
}

static void forget(struct client *client)
{
    for (size_t i = 0; i < client->count; i++) {
        free(client->replies[i]);
    }
}

static void assert_status(const struct client *client, size_t step, int status)
{
    int got = 0;
    assert_true(step < client->count);
    sscanf(client->replies[step], "HTTP/1.1 %d", &got);
    if (got != status) {
        print_message("step %zu: %s\n", step, client->replies[step]);
    }
    assert_int_equal(got, status);
}

static void assert_has(const struct client *client, size_t step, const char *text)
{
    if (strstr(client->replies[step], text) == NULL) {
        print_message("step %zu lacks %s: %s\n", step, text, client->replies[step]);
        fail();
    }
}

static size_t occurrences(const char *text, const char *what)
{
    size_t count = 0;
    while ((text = strstr(text, what)) != NULL) {
        count++;
        text += strlen(what);
    }
    return count;
}

#define TRANSCRIPTS "/api/v2/interactions/call%20one/transcripts"

static void script_contract(struct client *client)
{
    static const char hint[] =
        "{\"interactionId\":\"two\",\"suggestions\":[{\"type\":\"text\",\"content\":\"hi\"}]}";
    static const char other[] =
        "{\"interactionId\":\"two\",\"suggestions\":[{\"type\":\"text\",\"content\":\"ho\"}]}";
    static const char keyed[] = JSON_TYPE "Idempotency-Key: k1\r\n";
    take_token(client);                                                             /* 0 */
    ask(client, "GET", TRANSCRIPTS "?direction=both&includeFinal=true&startTime=0", /* 1 */
        "Accept: application/json\r\n", "");
    ask(client, "GET", TRANSCRIPTS "?direction=both&includeFinal=true", "", ""); /* 2 */
    ask(client, "PATCH", "/api/v2/interactions/two/attributes", JSON_TYPE,       /* 3 */
        "{\"attributes\":{\"sentiment_trend\":\"stable\"}}");
    ask(client, "PATCH", "/api/v2/interactions/two/attributes", JSON_TYPE, /* 4 */
        "{\"attributes\":{\"score\":0.5}}");
    ask(client, "PATCH", "/api/v2/interactions/two/attributes", "", /* 5 */
        "{\"attributes\":{\"score\":\"0.5\"}}");
    ask(client, "POST", "/api/v2/agentassist/suggestions", keyed, hint);  /* 6 */
    ask(client, "POST", "/api/v2/agentassist/suggestions", keyed, hint);  /* 7 */
    ask(client, "POST", "/api/v2/agentassist/suggestions", keyed, other); /* 8 */
    ask(client, "GET", "/api/v2/interactions/active", "", "");            /* 9 */
    ask(client, "GET",
        "/api/v2/interactions/nobody/transcripts?direction=both" /* 10 */
        "&includeFinal=true&startTime=0",
        "", "");
    ask(client, "DELETE", TRANSCRIPTS, "", "");                                     /* 11 */
    ask(client, "GET", "/api/v2/elsewhere", "", "");                                /* 12 */
    ask(client, "GET", "/api/v2/interactions/active", "Accept: text/html\r\n", ""); /* 13 */
    snprintf(client->token, sizeof client->token, "stale");
    ask(client, "GET", "/api/v2/interactions/active", "", ""); /* 14 */
}

static void the_contract_holds_on_the_wire(void **unused)
{
    (void)unused;
    struct client client;
    struct options options = make_options();
    run(&client, &options, script_contract);
    static const int statuses[] = {200, 200, 400, 204, 400, 415, 200, 200,
                                   422, 200, 404, 405, 404, 406, 401};
    assert_int_equal(client.count, sizeof statuses / sizeof statuses[0]);
    for (size_t i = 0; i < client.count; i++) {
        assert_status(&client, i, statuses[i]);
        assert_int_equal(occurrences(client.replies[i], "\r\nDate: "), 1);
    }
    assert_has(&client, 0, "\"token_type\":\"Bearer\",\"expires_in\":3600");
    const char *body = strstr(client.replies[1], "\r\n\r\n") + 4;
    struct json_document *document;
    assert_int_equal(json_parse(body, strlen(body), &document, NULL), 0);
    assert_int_equal(json_kind(json_root(document)), JSON_KIND_ARRAY);
    assert_true(json_size(json_root(document)) > 0);
    assert_int_equal(json_size(json_at(json_root(document), 0)), 5);
    json_free(document);
    assert_has(&client, 2, "\"parameter\":\"startTime\"");
    assert_string_equal(strstr(client.replies[3], "\r\n\r\n"), "\r\n\r\n");
    assert_string_equal(strstr(client.replies[6], "suggestionId"),
                        strstr(client.replies[7], "suggestionId"));
    assert_has(&client, 9, "{\"interactionId\":\"call one\",\"state\":\"active\",\"stateSince\":");
    assert_has(&client, 11, "\r\nAllow: GET\r\n");
    assert_has(&client, 14, "error=\"invalid_token\"");
    forget(&client);
}

static void the_ledger_has_a_line_for_each_request(void **unused)
{
    (void)unused;
    char *text;
    size_t bytes;
    assert_int_equal(lines_read_file(ledger_path, 1 << 24, &text, &bytes, NULL), 0);
    assert_int_equal(occurrences(text, "\"kind\":\"served\""), 1);
    assert_int_equal(occurrences(text, "\"kind\":\"rejected\""), 9);
    assert_int_equal(occurrences(text, "\"kind\":\"suggestion\""), 2);
    assert_int_equal(occurrences(text, "\"repeat\":true"), 1);
    assert_int_equal(occurrences(text, "\"kind\":\"attributes\""), 1);
    assert_int_equal(occurrences(text, "\"kind\":\"token\""), 1);
    assert_int_equal(occurrences(text, "\"kind\":\"active\""), 1);
    assert_int_equal(occurrences(text, "\"kind\":\"exit\""), 1);
    assert_non_null(strstr(text, "\"attributes\":{\"sentiment_trend\":\"stable\"}}\n"));
    assert_null(strstr(text, "demo-secret"));
    /* Every final that was served has its utterance line above. */
    const char *served = strstr(text, "\"kind\":\"served\"");
    const char *finals = strstr(served, "\"finals\":[");
    long n, version;
    for (const char *at = finals + 10; sscanf(at, "[%ld,%ld]", &n, &version) == 2;) {
        char line[128];
        snprintf(line, sizeof line,
                 "\"kind\":\"utterance\",\"call\":\"call one\",\"n\":%ld,\"speaker\"", n);
        const char *found = strstr(text, line);
        assert_true(found != NULL && found < served);
        at = strchr(at, ']') + 1;
        at += *at == ',';
    }
    free(text);
}

static void script_quota(struct client *client)
{
    take_token(client);
    for (int i = 0; i < 6; i++) {
        ask(client, "GET", "/api/v2/interactions/active", "", "");
    }
    take_token(client);
}

static void quotas_answer_429_with_retry_after(void **unused)
{
    (void)unused;
    struct client client;
    struct options options = make_options();
    /* At most max(1, R/4) = 1 at once, then one each 10 s: the rest of the script must wait. */
    options.quota_per_s = 0.1;
    run(&client, &options, script_quota);
    assert_status(&client, 1, 200);
    for (size_t i = 2; i <= 6; i++) {
        assert_status(&client, i, 429);
        assert_has(&client, i, "\r\nRetry-After: ");
        long wait_s = strtol(strstr(client.replies[i], "Retry-After: ") + 13, NULL, 10);
        assert_in_range(wait_s, 5, 10);
    }
    assert_status(&client, 7, 200);
    forget(&client);
}

static void script_call_quota(struct client *client)
{
    take_token(client);
    for (int i = 0; i < 3; i++) {
        ask(client, "GET", TRANSCRIPTS "?direction=both&includeFinal=true&startTime=0", "", "");
    }
    ask(client, "GET",
        "/api/v2/interactions/two/transcripts?direction=both"
        "&includeFinal=true&startTime=0",
        "", "");
}

static void a_call_quota_spares_other_calls(void **unused)
{
    (void)unused;
    struct client client;
    struct options options = make_options();
    options.call_quota_per_s = 0.1;
    run(&client, &options, script_call_quota);
    static const int statuses[] = {200, 200, 429, 429, 200};
    for (size_t i = 0; i < 5; i++) {
        assert_status(&client, i, statuses[i]);
    }
    forget(&client);
}

static void script_faults(struct client *client)
{
    take_token(client);
    ask(client, "GET", "/api/v2/interactions/active", "", "");
}

static void scripted_faults_spare_the_token(void **unused)
{
    (void)unused;
    struct client client;
    struct options options = make_options();
    options.fault_503 = 1;
    run(&client, &options, script_faults);
    assert_status(&client, 0, 200);
    assert_status(&client, 1, 503);
    assert_has(&client, 1, "\r\nRetry-After: ");
    forget(&client);
    options.fault_503 = 0;
    options.deny = OPTIONS_DENY_TRANSCRIPTS;
    run(&client, &options, script_call_quota);
    assert_status(&client, 1, 403);
    assert_has(&client, 1, "error=\"insufficient_scope\", scope=\"interactions:view\"");
    forget(&client);
}

static void write_script(char script_path[64], const char *text)
{
    snprintf(script_path, 64, "/tmp/undertone-test-script-XXXXXX");
    int fd = mkstemp(script_path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
}

#define SUGGESTION \
    "{\"interactionId\":\"two\",\"suggestions\":[{\"type\":\"text\",\"content\":\"x\"}]}"

static void script_of_trouble(struct client *client)
{
    take_token(client);
    ask(client, "GET", TRANSCRIPTS "?direction=both&includeFinal=true&startTime=0", "", "");
    ask(client, "PATCH", "/api/v2/interactions/two/attributes", JSON_TYPE,
        "{\"attributes\":{\"a\":\"b\"}}");
    ask(client, "GET", "/api/v2/interactions/active", "", "");
    ask(client, "POST", "/api/v2/agentassist/suggestions", JSON_TYPE "Idempotency-Key: k\r\n",
        SUGGESTION);
    ask(client, "POST", "/api/v2/agentassist/suggestions", JSON_TYPE "Idempotency-Key: k\r\n",
        SUGGESTION);
}

static void trouble_is_done_and_written_down(void **unused)
{
    (void)unused;
    struct client client;
    struct options options = make_options();
    char script_path[64];
    options.script = script_path;
    write_script(script_path, "- {do: half_json, endpoint: transcripts}\n"
                              "- {do: empty_body, endpoint: attributes}\n"
                              "- {do: slow, ms: [200, 200], endpoint: active}\n"
                              "- {do: html, endpoint: active}\n"
                              "- {do: drop, when: after, endpoint: suggestions}\n");
    run(&client, &options, script_of_trouble);
    assert_int_equal(unlink(script_path), 0);
    assert_status(&client, 1, 200);
    const char *half = strstr(client.replies[1], "\r\n\r\n") + 4;
    assert_true(half[0] == '[' && half[strlen(half) - 1] != ']');
    assert_status(&client, 2, 200);
    assert_string_equal(strstr(client.replies[2], "\r\n\r\n"), "\r\n\r\n");
    assert_status(&client, 3, 200);
    assert_has(&client, 3, "Content-Type: text/html");
    assert_string_equal(client.replies[4], "");
    assert_string_equal(client.replies[5], "");
    forget(&client);

    char *text;
    size_t bytes;
    assert_int_equal(lines_read_file(ledger_path, 1 << 24, &text, &bytes, NULL), 0);
    assert_int_equal(occurrences(text, "\"kind\":\"served\""), 0);
    assert_int_equal(occurrences(text, "\"status\":200,\"why\":\"html\""), 1);
    assert_int_equal(occurrences(text, "\"status\":200,\"why\":\"half_json\""), 1);
    assert_int_equal(occurrences(text, "\"kind\":\"active\""), 0);
    assert_int_equal(occurrences(text, "{\"a\":\"b\"},\"answer\":\"empty_body\""), 1);
    /* Accepted, although nobody was told; and known the second time. */
    assert_int_equal(occurrences(text, "\"repeat\":false,\"answer\":\"drop\""), 1);
    assert_int_equal(occurrences(text, "\"repeat\":true,\"answer\":\"drop\""), 1);
    free(text);
}

static void script_of_refusals(struct client *client)
{
    take_token(client);
    ask(client, "GET", "/api/v2/interactions/active", "", "");
    ask(client, "GET", TRANSCRIPTS "?direction=both&includeFinal=true&startTime=0", "", "");
    ask(client, "PATCH", "/api/v2/interactions/two/attributes", JSON_TYPE, "{}");
    ask(client, "POST", "/api/v2/agentassist/suggestions", JSON_TYPE, SUGGESTION);
}

static void refusals_say_when_to_come_back_in_every_way(void **unused)
{
    (void)unused;
    struct client client;
    struct options options = make_options();
    char script_path[64];
    options.script = script_path;
    write_script(script_path,
                 "- {do: status, status: 503, endpoint: active, retry_after: date}\n"
                 "- {do: status, status: 429, endpoint: transcripts, retry_after: negative}\n"
                 "- {do: status, status: 500, endpoint: attributes, retry_after: none}\n"
                 "- {do: deny, endpoint: suggestions}\n");
    run(&client, &options, script_of_refusals);
    assert_int_equal(unlink(script_path), 0);
    assert_status(&client, 1, 503);
    assert_has(&client, 1, " GMT\r\nCache-Control");
    assert_has(&client, 1, "\r\nRetry-After: ");
    assert_non_null(strstr(strstr(client.replies[1], "Retry-After: "), " GMT\r\n"));
    assert_status(&client, 2, 429);
    assert_has(&client, 2, "\r\nRetry-After: -5\r\n");
    assert_status(&client, 3, 500);
    assert_null(strstr(client.replies[3], "Retry-After"));
    assert_status(&client, 4, 403);
    forget(&client);
}

static void script_of_waiting(struct client *client)
{
    take_token(client);
    for (int i = 0; i < 10; i++) { /* slow answers: this takes a second */
        ask(client, "GET", "/api/v2/interactions/active", "", "");
    }
}

static void tokens_die_when_the_script_says_so(void **unused)
{
    (void)unused;
    static const char *const deaths[] = {
        "- {do: slow, ms: [100, 100], endpoint: active}\n- {at: 500ms, do: revoke_tokens}\n",
        "- {do: slow, ms: [100, 100], endpoint: active}\n"
        "- {at: 300ms, do: expire_tokens_early, life: 200ms}\n",
    };
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        struct client client;
        struct options options = make_options();
        char script_path[64];
        options.script = script_path;
        write_script(script_path, deaths[i]);
        run(&client, &options, script_of_waiting);
        assert_int_equal(unlink(script_path), 0);
        assert_has(&client, 0, "\"expires_in\":3600");
        assert_status(&client, 10, 401);
        forget(&client);
    }
}

static void a_wrong_script_starts_nothing(void **unused)
{
    (void)unused;
    struct loop *loop;
    struct simulator *simulator;
    struct error err = {0};
    struct options options = make_options();
    char script_path[64];
    options.script = script_path;
    options.linger_s = 10;
    write_script(script_path, "- {do: late, share: 0.5}\n");
    assert_int_equal(loop_create(&loop, &err), 0);
    assert_int_equal(simulator_create(&simulator, loop, &options, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "--linger 10"));
    assert_null(simulator);
    assert_int_equal(unlink(script_path), 0);
    loop_destroy(loop);
}

static int set_up(void **unused)
{
    (void)unused;
    snprintf(ledger_path, sizeof ledger_path, "/tmp/undertone-test-sim-XXXXXX");
    int fd = mkstemp(ledger_path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **unused)
{
    (void)unused;
    return unlink(ledger_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_holds_on_the_wire),
        cmocka_unit_test(the_ledger_has_a_line_for_each_request),
        cmocka_unit_test(quotas_answer_429_with_retry_after),
        cmocka_unit_test(a_call_quota_spares_other_calls),
        cmocka_unit_test(scripted_faults_spare_the_token),
        cmocka_unit_test(trouble_is_done_and_written_down),
        cmocka_unit_test(refusals_say_when_to_come_back_in_every_way),
        cmocka_unit_test(tokens_die_when_the_script_says_so),
        cmocka_unit_test(a_wrong_script_starts_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
