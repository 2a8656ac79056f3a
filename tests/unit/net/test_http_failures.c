/* Requests that fail, are cancelled, or outlive their client. */
#include "http_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- failures ---- */

static void test_unanswered_request_times_out_and_was_sent(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_hold, NULL, NULL);
    const struct http_request request = {.timeout_ms = 80};
    const struct fixture_reply *reply = fixture_exchange(f, &request, "/secret?token=abc");
    assert_int_equal(reply->failure, HTTP_FAILURE_TIMEOUT);
    assert_true(reply->request_sent);
    assert_in_range(reply->total_ms, 75, 10000);
    assert_null(strstr(reply->reason, "abc"));
    fixture_destroy(f);
}

static void test_call_waiting_for_a_connection_times_out_unsent(void **state)
{
    (void)state;
    struct http_client_options options = fixture_client_options();
    options.connections_per_host_max = 1;
    struct fixture *f = fixture_create(&options);
    fixture_serve(f, handler_hold, NULL, NULL);
    (void)fixture_send(f, &(struct http_request){0}, "/holds-the-connection");
    fixture_run_until_held(f, 1);
    const struct http_request request = {.timeout_ms = 80};
    const struct fixture_reply *reply = fixture_exchange(f, &request, "/waits");
    assert_int_equal(reply->failure, HTTP_FAILURE_TIMEOUT);
    assert_false(reply->request_sent);
    assert_int_equal(f->requests, 1);
    http_exchange_reply(f->held[0], 200, NULL, 0, "ok", 2);
    fixture_run(f, 2);
    assert_int_equal(f->replies[1].status, 200);
    fixture_destroy(f);
}

static void test_waiting_for_a_connection_does_not_use_up_the_connect_timeout(void **state)
{
    (void)state;
    struct http_client_options options = fixture_client_options();
    options.connections_per_host_max = 1;
    struct fixture *f = fixture_create(&options);
    fixture_serve(f, handler_hold, NULL, NULL);
    (void)fixture_send(f, &(struct http_request){0}, "/first");
    fixture_run_until_held(f, 1);
    (void)fixture_send(f, &(struct http_request){.connect_timeout_ms = 40}, "/second");
    (void)fixture_send(f, &(struct http_request){.timeout_ms = 150}, "/clock");
    fixture_run(f, 1); /* the clock has run out: more than 40 ms have passed */
    http_exchange_reply(f->held[0], 200, NULL, 0, "1", 1);
    f->handler = handler_reply_text;
    fixture_run(f, 3);
    assert_int_equal(f->replies[0].failure, HTTP_FAILURE_TIMEOUT);
    assert_int_equal(f->replies[1].status, 200);
    assert_int_equal(f->replies[2].failure, HTTP_FAILURE_NONE);
    fixture_destroy(f);
}

/* A bound port that nobody listens on; the caller closes it. */
static int bound_port(struct fixture *f, const char *scheme, bool listening)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listening ? listen(fd, 8) : 0, 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(f->base, sizeof f->base, "%s://127.0.0.1:%u", scheme,
                   (unsigned)ntohs(address.sin_port));
    return fd;
}

static void test_refused_connection_was_not_sent(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    int fd = bound_port(f, "http", false);
    const struct http_request request = {.method = "POST", .body = "x", .body_bytes = 1};
    const struct fixture_reply *reply = fixture_exchange(f, &request, "/?token=abc");
    assert_int_equal(reply->failure, HTTP_FAILURE_CONNECT);
    assert_false(reply->request_sent);
    assert_non_null(strstr(reply->reason, "127.0.0.1"));
    assert_null(strstr(reply->reason, "abc"));
    fixture_destroy(f);
    (void)close(fd);
}

static void test_handshake_that_never_ends_is_cut_by_the_connect_timeout(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    int fd = bound_port(f, "https", true);
    const struct http_request request = {.connect_timeout_ms = 80};
    const struct fixture_reply *reply = fixture_exchange(f, &request, "/");
    assert_int_equal(reply->failure, HTTP_FAILURE_TIMEOUT);
    assert_false(reply->request_sent);
    fixture_destroy(f);
    (void)close(fd);
}

static void test_name_that_cannot_exist_is_not_resolved(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    (void)snprintf(f->base, sizeof f->base, "http://no..name.invalid");
    const struct fixture_reply *reply = fixture_get(f, "/");
    assert_int_equal(reply->failure, HTTP_FAILURE_RESOLVE);
    assert_false(reply->request_sent);
    fixture_destroy(f);
}

static void handler_refuse(void *user, struct http_exchange *exchange)
{
    (void)user;
    http_exchange_reply(exchange, 403, NULL, 0, "no", 2);
}

static void test_proxy_that_refuses_the_tunnel_is_a_proxy_failure(void **state)
{
    (void)state;
    struct fixture *proxy = fixture_create(NULL);
    fixture_serve(proxy, handler_refuse, NULL, NULL);
    struct http_client_options options = fixture_client_options();
    options.proxy = proxy->base;
    struct error err = {0};
    http_client_destroy(proxy->client);
    assert_int_equal(http_client_create(&proxy->client, proxy->loop, &options, &err), 0);
    (void)snprintf(proxy->base, sizeof proxy->base, "https://somewhere.invalid");
    const struct fixture_reply *reply = fixture_get(proxy, "/");
    assert_int_equal(reply->failure, HTTP_FAILURE_PROXY);
    assert_false(reply->request_sent);
    fixture_destroy(proxy);
}

/* ---- cancelling and destroying ---- */

static void test_cancel_reports_once_and_later(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_hold, NULL, NULL);
    struct http_call *sent = fixture_send(f, &(struct http_request){0}, "/sent");
    fixture_run_until_held(f, 1);
    struct http_call *unsent = fixture_send(f, &(struct http_request){0}, "/unsent");
    http_client_cancel(f->client, sent);
    http_client_cancel(f->client, unsent);
    http_client_cancel(f->client, unsent);
    assert_int_equal(f->reply_count, 0);
    assert_int_equal(http_client_calls(f->client), 2);
    fixture_run(f, 2);
    assert_int_equal(f->reply_count, 2);
    assert_int_equal(http_client_calls(f->client), 0);
    int sent_count = 0;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(f->replies[i].failure, HTTP_FAILURE_CANCELLED);
        sent_count += f->replies[i].request_sent ? 1 : 0;
    }
    assert_int_equal(sent_count, 1);
    fixture_destroy(f);
}

static void test_destroy_finishes_calls_in_flight(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_hold, NULL, NULL);
    for (int i = 0; i < 8; i++) {
        (void)fixture_send(f, &(struct http_request){0}, "/");
    }
    fixture_run_until_held(f, 2);
    http_client_destroy(f->client);
    f->client = NULL;
    assert_int_equal(f->reply_count, 8);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(f->replies[i].failure, HTTP_FAILURE_CANCELLED);
    }
    fixture_destroy(f);
}

struct chain {
    struct fixture *f;
    int left;
    struct http_call *victim;
    struct http_call *own;
};

static void chain_done(void *user, const struct http_response *response)
{
    struct chain *chain = user;
    struct error err = {0};
    assert_int_equal(response->status, 200);
    http_client_cancel(chain->f->client, chain->own); /* too late: changes nothing */
    if (chain->victim) {
        http_client_cancel(chain->f->client, chain->victim);
        chain->victim = NULL;
    }
    if (--chain->left > 0) {
        char url[128];
        (void)snprintf(url, sizeof url, "%s/", chain->f->base);
        const struct http_request request = {
            .method = "GET", .url = url, .timeout_ms = 9000, .connect_timeout_ms = 9000};
        assert_int_equal(
            http_client_send(chain->f->client, &request, chain_done, chain, &chain->own, &err), 0);
    } else {
        loop_stop(chain->f->loop);
    }
}

static void handler_hold_some(void *user, struct http_exchange *exchange)
{
    if (strcmp(http_exchange_path(exchange), "/hold") == 0) {
        handler_hold(user, exchange);
    } else {
        handler_reply_text(user, exchange);
    }
}

static void test_callbacks_may_send_and_cancel(void **state)
{
    (void)state;
    struct http_client_options options = fixture_client_options();
    options.calls_max = 2; /* the finished call makes room for the one its callback sends */
    struct fixture *f = fixture_create(&options);
    fixture_serve(f, handler_hold_some, NULL, NULL);
    struct chain chain = {.f = f, .left = 6};
    chain.victim = fixture_send(f, &(struct http_request){0}, "/hold");
    fixture_run_until_held(f, 1);
    char url[128];
    (void)snprintf(url, sizeof url, "%s/", f->base);
    const struct http_request request = {
        .method = "GET", .url = url, .timeout_ms = 9000, .connect_timeout_ms = 9000};
    struct error err = {0};
    assert_int_equal(http_client_send(f->client, &request, chain_done, &chain, &chain.own, &err),
                     0);
    while (chain.left > 0) {
        fixture_turn(f, SIZE_MAX);
    }
    fixture_run(f, 1);
    assert_int_equal(f->replies[0].failure, HTTP_FAILURE_CANCELLED);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unanswered_request_times_out_and_was_sent),
        cmocka_unit_test(test_call_waiting_for_a_connection_times_out_unsent),
        cmocka_unit_test(test_waiting_for_a_connection_does_not_use_up_the_connect_timeout),
        cmocka_unit_test(test_refused_connection_was_not_sent),
        cmocka_unit_test(test_handshake_that_never_ends_is_cut_by_the_connect_timeout),
        cmocka_unit_test(test_name_that_cannot_exist_is_not_resolved),
        cmocka_unit_test(test_proxy_that_refuses_the_tunnel_is_a_proxy_failure),
        cmocka_unit_test(test_cancel_reports_once_and_later),
        cmocka_unit_test(test_destroy_finishes_calls_in_flight),
        cmocka_unit_test(test_callbacks_may_send_and_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
