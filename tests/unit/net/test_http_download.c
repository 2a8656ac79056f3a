/* Bodies that are handed on as they arrive, and HEAD. */
#include "http_fixture.h"

enum { LARGE_BYTES = 300000 }; /* far beyond the client's limit for kept bodies */

struct download {
    struct fixture *f;
    size_t bytes;
    size_t stop_at;
    int status;
    bool content_is_right;
    bool kept_body;
    enum http_failure failure;
    int final_status;
    char body[64];
};

static char large[LARGE_BYTES];

static void reply_large(void *user, struct http_exchange *exchange)
{
    (void)user;
    const char *encodings = http_exchange_header(exchange, "Accept-Encoding");
    const struct http_header headers[] = {{"X-Test", encodings ? encodings : "none"}};
    http_exchange_reply(exchange, 206, headers, 1, large, sizeof large);
}

static void reply_missing(void *user, struct http_exchange *exchange)
{
    (void)user;
    http_exchange_reply(exchange, 404, NULL, 0, "no such file", 12);
}

static bool take(void *user, int status, const char *bytes, size_t size)
{
    struct download *d = user;
    d->status = status;
    d->content_is_right = d->content_is_right && d->bytes + size <= sizeof large &&
                          memcmp(large + d->bytes, bytes, size) == 0;
    d->bytes += size;
    return d->stop_at == 0 || d->bytes < d->stop_at;
}

static void done(void *user, const struct http_response *response)
{
    struct download *d = user;
    d->failure = response->failure;
    d->final_status = response->status;
    d->kept_body = response->body_bytes > 0;
    (void)snprintf(d->body, sizeof d->body, "%s", response->body);
    loop_stop(d->f->loop);
}

static void run(struct download *d, const char *method, http_body_fn *on_body)
{
    struct error err = {0};
    const struct http_request request = {.method = method,
                                         .url = d->f->base,
                                         .connect_timeout_ms = 15000,
                                         .timeout_ms = 15000,
                                         .on_body = on_body};
    d->content_is_right = true;
    assert_int_equal(http_client_send(d->f->client, &request, done, d, NULL, &err), 0);
    loop_timer_start(d->f->guard, FIXTURE_GUARD_MS, 0);
    loop_run(d->f->loop);
    loop_timer_stop(d->f->guard);
    assert_false(d->f->guard_fired);
}

static void a_body_is_handed_on_as_it_arrives(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, reply_large, NULL, NULL);
    struct download d = {.f = f};
    run(&d, "GET", take);
    assert_int_equal(d.failure, HTTP_FAILURE_NONE);
    assert_int_equal(d.bytes, LARGE_BYTES);
    assert_int_equal(d.status, 206);
    assert_true(d.content_is_right);
    assert_false(d.kept_body);
    /* the same handle keeps bodies again, and bounds them */
    d = (struct download){.f = f};
    run(&d, "GET", NULL);
    assert_int_equal(d.failure, HTTP_FAILURE_TOO_LARGE);
    assert_int_equal(d.bytes, 0);
    fixture_destroy(f);
}

static void a_taker_may_have_enough(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, reply_large, NULL, NULL);
    struct download d = {.f = f, .stop_at = 1000};
    run(&d, "GET", take);
    assert_int_equal(d.failure, HTTP_FAILURE_CANCELLED);
    assert_true(d.bytes >= 1000 && d.bytes < LARGE_BYTES);
    fixture_destroy(f);
}

static void the_body_of_an_error_is_kept(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, reply_missing, NULL, NULL);
    struct download d = {.f = f};
    run(&d, "GET", take);
    assert_int_equal(d.final_status, 404);
    assert_int_equal(d.bytes, 0);
    assert_string_equal(d.body, "no such file");
    fixture_destroy(f);
}

static void head_has_no_body_and_get_after_it_has(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, reply_large, NULL, NULL);
    struct download d = {.f = f};
    run(&d, "HEAD", NULL);
    assert_int_equal(d.failure, HTTP_FAILURE_NONE);
    assert_int_equal(d.final_status, 206);
    assert_false(d.kept_body);
    run(&d, "GET", take);
    assert_int_equal(d.bytes, LARGE_BYTES);
    fixture_destroy(f);
}

static void ranges_are_asked_for_uncompressed(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    fixture_serve(f, reply_large, NULL, NULL);
    const struct fixture_reply *reply =
        fixture_exchange(f, &(struct http_request){.method = "HEAD"}, "/");
    assert_non_null(strstr(reply->x_test, "gzip"));
    reply = fixture_exchange(f, &(struct http_request){.method = "HEAD", .on_body = take}, "/");
    assert_string_equal(reply->x_test, "none");
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_handed_on_as_it_arrives),
        cmocka_unit_test(a_taker_may_have_enough),
        cmocka_unit_test(the_body_of_an_error_is_kept),
        cmocka_unit_test(head_has_no_body_and_get_after_it_has),
        cmocka_unit_test(ranges_are_asked_for_uncompressed),
    };
    for (size_t i = 0; i < sizeof large; i++) {
        large[i] = (char)(i * 31 + i / 251);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
