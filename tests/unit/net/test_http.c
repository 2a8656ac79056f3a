/* The client against the server over loopback: both are held to what their headers promise. */
#include "http_fixture.h"

/* ---- plain exchanges ---- */

static void handler_echo(void *user, struct http_exchange *exchange)
{
    (void)user;
    char text[FIXTURE_TEXT_BYTES];
    size_t body_bytes = 0;
    const char *body = http_exchange_body(exchange, &body_bytes);
    const char *query = http_exchange_query(exchange, "q");
    const char *header = http_exchange_header(exchange, "x-asked");
    int size = snprintf(text, sizeof text, "%s|%s|%s|%s|%s|%zu:%s", http_exchange_method(exchange),
                        http_exchange_path(exchange), http_exchange_raw_path(exchange),
                        query ? query : "(none)", header ? header : "(none)", body_bytes, body);
    const struct http_header headers[] = {
        {"X-Test", "first"},
        {"X-Test", "last"},
        {"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
    };
    http_exchange_reply(exchange, 201, headers, 3, text, (size_t)size);
}

static void test_request_arrives_whole_and_so_does_the_response(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_echo, NULL, NULL);
    const struct http_header headers[] = {{"X-Asked", "yes: \"really\""}};
    const struct http_request request = {
        .method = "PATCH",
        .headers = headers,
        .header_count = 1,
        .body = "{\"a\":1}",
        .body_bytes = 7,
    };
    const struct fixture_reply *reply = fixture_exchange(f, &request, "/p/q?q=a%20b%26c+d&r=1");
    assert_int_equal(reply->failure, HTTP_FAILURE_NONE);
    assert_string_equal(reply->reason, "");
    assert_int_equal(reply->status, 201);
    assert_string_equal(reply->body, "PATCH|/p/q|/p/q|a b&c d|yes: \"really\"|7:{\"a\":1}");
    assert_int_equal(reply->body_bytes, strlen(reply->body));
    assert_string_equal(reply->x_test, "last");
    assert_int_equal(reply->date_ms, INT64_C(784111777000));
    assert_true(reply->request_sent);
    assert_int_equal(http_client_calls(f->client), 0);
    fixture_destroy(f);
}

static void test_handle_is_reused_for_every_method(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_echo, NULL, NULL);
    static const char *const METHODS[] = {"GET", "POST", "GET", "PUT", "PATCH", "GET"};
    for (size_t i = 0; i < 6; i++) {
        bool get = METHODS[i][0] == 'G';
        const struct http_request request = {
            .method = METHODS[i],
            .body = get ? NULL : "xyz",
            .body_bytes = get ? 0 : 3,
        };
        const struct fixture_reply *reply = fixture_exchange(f, &request, "/m");
        char expected[64];
        (void)snprintf(expected, sizeof expected, "%s|/m|/m|(none)|(none)|%s", METHODS[i],
                       get ? "0:" : "3:xyz");
        assert_string_equal(reply->body, expected);
    }
    const struct http_request empty = {.method = "POST"};
    assert_string_equal(fixture_exchange(f, &empty, "/m")->body, "POST|/m|/m|(none)|(none)|0:");
    fixture_destroy(f);
}

static void handler_not_found(void *user, struct http_exchange *exchange)
{
    (void)user;
    char text[512];
    int size = snprintf(text, sizeof text, "%s %s", http_exchange_path(exchange),
                        http_exchange_raw_path(exchange));
    http_exchange_reply(exchange, 404, NULL, 0, text, (size_t)size);
}

static void test_error_statuses_are_answers_with_readable_bodies(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_not_found, NULL, NULL);
    const struct fixture_reply *reply = fixture_get(f, "/a%2Fb%20%c3%A9/%2e%2E/x+y?z=%31");
    assert_int_equal(reply->failure, HTTP_FAILURE_NONE);
    assert_int_equal(reply->status, 404);
    assert_string_equal(reply->body, "/a/b \xc3\xa9/../x+y /a%2Fb%20%c3%A9/%2e%2E/x+y");
    assert_string_equal(reply->x_test, "(absent)");
    fixture_destroy(f);
}

static void test_malformed_escapes_are_refused_without_the_handler(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_not_found, NULL, NULL);
    assert_int_equal(fixture_get(f, "/a%zz")->status, 400);
    assert_int_equal(fixture_get(f, "/a%2")->status, 400);
    assert_int_equal(fixture_get(f, "/a%00b")->status, 400);
    assert_int_equal(f->requests, 0);
    fixture_destroy(f);
}

static void handler_redirect(void *user, struct http_exchange *exchange)
{
    (void)user;
    const struct http_header headers[] = {{"Location", "/elsewhere"}};
    http_exchange_reply(exchange, 302, headers, 1, "", 0);
}

static void test_redirects_are_not_followed(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_redirect, NULL, NULL);
    assert_int_equal(fixture_get(f, "/")->status, 302);
    assert_int_equal(f->requests, 1);
    fixture_destroy(f);
}

/* ---- late, dropped and forgotten exchanges ---- */

static void test_exchanges_can_be_answered_late_and_in_any_order(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_hold, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        char path[8];
        (void)snprintf(path, sizeof path, "/%d", i);
        (void)fixture_send(f, &(struct http_request){0}, path);
    }
    fixture_run_until_held(f, 3);
    assert_int_equal(f->reply_count, 0);
    for (size_t i = 3; i-- > 0;) {
        char expected[8];
        (void)snprintf(expected, sizeof expected, "%s", http_exchange_path(f->held[i]));
        http_exchange_reply(f->held[i], 200, NULL, 0, expected, strlen(expected));
        fixture_run(f, 3 - i);
        assert_string_equal(f->replies[2 - i].body, expected);
    }
    fixture_destroy(f);
}

static void test_dropped_exchange_is_a_broken_connection(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_drop, NULL, NULL);
    const struct fixture_reply *reply = fixture_get(f, "/");
    assert_int_equal(reply->failure, HTTP_FAILURE_BROKEN);
    assert_int_equal(reply->status, 0);
    assert_int_equal(reply->body_bytes, 0);
    assert_true(reply->request_sent);
    f->handler = handler_hold;
    (void)fixture_send(f, &(struct http_request){0}, "/");
    fixture_run_until_held(f, 1);
    http_exchange_drop(f->held[0]);
    fixture_run(f, 2);
    assert_int_equal(f->replies[1].failure, HTTP_FAILURE_BROKEN);
    fixture_destroy(f);
}

static void test_exchange_may_be_answered_after_its_client_left(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_hold, NULL, NULL);
    http_client_cancel(f->client, fixture_send(f, &(struct http_request){0}, "/never-sent"));
    fixture_run(f, 1);
    struct http_call *call = fixture_send(f, &(struct http_request){0}, "/left");
    fixture_run_until_held(f, 1);
    http_client_cancel(f->client, call);
    fixture_run(f, 2);
    assert_int_equal(f->replies[1].failure, HTTP_FAILURE_CANCELLED);
    assert_string_equal(http_exchange_path(f->held[0]), "/left");
    http_exchange_reply(f->held[0], 200, NULL, 0, "too late", 8);
    f->handler = handler_reply_text;
    assert_string_equal(fixture_get(f, "/next")->body, "hello");
    fixture_destroy(f);
}

static void test_server_can_go_while_exchanges_are_unanswered(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_hold, NULL, NULL);
    (void)fixture_send(f, &(struct http_request){0}, "/a");
    (void)fixture_send(f, &(struct http_request){0}, "/b");
    fixture_run_until_held(f, 2);
    http_exchange_reply(f->held[0], 200, NULL, 0, "just in time", 12);
    http_server_destroy(f->server);
    f->server = NULL;
    fixture_run(f, 2);
    bool first = f->replies[0].failure == HTTP_FAILURE_NONE;
    assert_string_equal(f->replies[first ? 0 : 1].body, "just in time");
    assert_int_equal(f->replies[first ? 1 : 0].failure, HTTP_FAILURE_BROKEN);
    fixture_destroy(f);
}

/* ---- limits ---- */

static void handler_large(void *user, struct http_exchange *exchange)
{
    (void)user;
    static char text[FIXTURE_BODY_BYTES_MAX + 1];
    memset(text, 'x', sizeof text);
    bool over = strcmp(http_exchange_path(exchange), "/over") == 0;
    http_exchange_reply(exchange, 200, NULL, 0, text, sizeof text - (over ? 0 : 1));
}

static void test_response_body_is_capped(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_large, NULL, NULL);
    const struct fixture_reply *reply = fixture_get(f, "/just-fits");
    assert_int_equal(reply->failure, HTTP_FAILURE_NONE);
    assert_int_equal(reply->body_bytes, FIXTURE_BODY_BYTES_MAX);
    reply = fixture_get(f, "/over");
    assert_int_equal(reply->failure, HTTP_FAILURE_TOO_LARGE);
    assert_string_equal(reply->reason, "body over the limit");
    assert_int_equal(reply->status, 0);
    assert_true(reply->request_sent);
    fixture_destroy(f);
}

static void test_request_body_over_the_cap_is_answered_413(void **state)
{
    (void)state;
    enum { HUGE_BYTES = 8 * 1024 * 1024 };
    char *body = calloc(1, HUGE_BYTES);
    assert_non_null(body);
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_reply_text, NULL, NULL);
    struct http_request request = {.method = "PUT", .body = body};
    request.body_bytes = FIXTURE_BODY_BYTES_MAX;
    assert_int_equal(fixture_exchange(f, &request, "/fits")->status, 200);
    request.body_bytes = FIXTURE_BODY_BYTES_MAX + 1;
    assert_int_equal(fixture_exchange(f, &request, "/over")->status, 413);
    assert_int_equal(f->requests, 1);
    request.body_bytes = HUGE_BYTES; /* not read to its end: the answer may be lost, not wrong */
    const struct fixture_reply *reply = fixture_exchange(f, &request, "/huge");
    assert_true(reply->status == 413 || reply->failure == HTTP_FAILURE_BROKEN);
    assert_int_equal(f->requests, 1);
    assert_int_equal(fixture_get(f, "/after")->status, 200);
    fixture_destroy(f);
    free(body);
}

static void test_no_more_calls_than_the_limit_are_accepted(void **state)
{
    (void)state;
    struct http_client_options options = fixture_client_options();
    options.calls_max = 2;
    struct fixture *f = fixture_create(&options);
    fixture_serve(f, handler_reply_text, NULL, NULL);
    struct error err = {0};
    (void)fixture_send(f, &(struct http_request){0}, "/1");
    (void)fixture_send(f, &(struct http_request){0}, "/2");
    assert_int_equal(http_client_calls(f->client), 2);
    assert_int_equal(fixture_try_send(f, &(struct http_request){0}, "/3", NULL, &err), ERROR_LIMIT);
    assert_true(err.retriable);
    fixture_run(f, 2);
    assert_int_equal(fixture_get(f, "/3")->status, 200);
    fixture_destroy(f);
}

static void test_calls_beyond_the_connection_cap_wait_and_all_complete(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_reply_text, NULL, NULL);
    for (int i = 0; i < 400; i++) {
        (void)fixture_send(f, &(struct http_request){0}, "/");
    }
    fixture_run(f, 400);
    for (int i = 0; i < 400; i++) {
        assert_int_equal(f->replies[i].status, 200);
    }
    assert_int_equal(f->requests, 400);
    fixture_destroy(f);
}

static void test_bad_requests_are_refused_at_once(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    static const char *const URLS[] = {"",
                                       "nonsense",
                                       "ftp://127.0.0.1/",
                                       "file:///etc/passwd",
                                       "http://user:pw@127.0.0.1/",
                                       "http://127.0.0.1:99999/",
                                       "http://127.0.0.1/a b"};
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++) {
        struct error err = {0};
        const struct http_request request = {
            .method = "GET", .url = URLS[i], .timeout_ms = 1000, .connect_timeout_ms = 1000};
        assert_int_not_equal(http_client_send(f->client, &request, fixture_done, f, NULL, &err), 0);
        assert_null(strstr(err.message, "pw"));
    }
    static const struct http_header BAD[] = {
        {"X-A", "1\r\nX-B: 2"}, {"X A", "1"}, {"X-A:", "1"}, {"", "1"}, {"X-\n", "1"}};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct error err = {0};
        const struct http_request request = {.method = "GET",
                                             .url = "http://127.0.0.1/",
                                             .headers = &BAD[i],
                                             .header_count = 1,
                                             .timeout_ms = 1000,
                                             .connect_timeout_ms = 1000};
        assert_int_equal(http_client_send(f->client, &request, fixture_done, f, NULL, &err),
                         ERROR_FORMAT);
    }
    assert_int_equal(http_client_calls(f->client), 0);
    assert_int_equal(f->reply_count, 0);
    fixture_destroy(f);
}

/* ---- options ---- */

static void test_server_says_why_it_does_not_start(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, handler_reply_text, NULL, NULL);
    struct http_server *second = NULL;
    struct error err = {0};
    struct http_server_options options = {
        .address = "127.0.0.1",
        .port = http_server_port(f->server),
        .body_bytes_max = 1,
        .connections_max = 10,
        .handler = fixture_handle,
        .user = f,
    };
    assert_int_equal(http_server_create(&second, f->loop, &options, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "in use"));
    options.address = "localhost";
    assert_int_equal(http_server_create(&second, f->loop, &options, &err), ERROR_CONFIG);
    options.address = "127.0.0.1";
    options.port = 0;
    options.tls_certificate_pem = "no certificate";
    options.tls_key_pem = "no key";
    assert_int_equal(http_server_create(&second, f->loop, &options, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "certificate"));
    assert_null(second);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_arrives_whole_and_so_does_the_response),
        cmocka_unit_test(test_handle_is_reused_for_every_method),
        cmocka_unit_test(test_error_statuses_are_answers_with_readable_bodies),
        cmocka_unit_test(test_malformed_escapes_are_refused_without_the_handler),
        cmocka_unit_test(test_redirects_are_not_followed),
        cmocka_unit_test(test_exchanges_can_be_answered_late_and_in_any_order),
        cmocka_unit_test(test_dropped_exchange_is_a_broken_connection),
        cmocka_unit_test(test_exchange_may_be_answered_after_its_client_left),
        cmocka_unit_test(test_server_can_go_while_exchanges_are_unanswered),
        cmocka_unit_test(test_response_body_is_capped),
        cmocka_unit_test(test_request_body_over_the_cap_is_answered_413),
        cmocka_unit_test(test_no_more_calls_than_the_limit_are_accepted),
        cmocka_unit_test(test_calls_beyond_the_connection_cap_wait_and_all_complete),
        cmocka_unit_test(test_bad_requests_are_refused_at_once),
        cmocka_unit_test(test_server_says_why_it_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
