/* The token keeper against a scripted token endpoint: lifetimes, failures and their paces. */
#include "cxone/auth.h"
#include "fake_vendor.h"

/* A keeper of its own beside the vendor's, so that the slow pace can be made short. */
static struct auth *open_auth(struct vendor *v)
{
    struct auth *auth;
    struct error err = {0};
    const struct auth_options options = {
        .profile = &v->options.profile,
        .connect_ms = 1000,
        .total_ms = 1000,
        .retry_after_max_ms = 300000,
        .probe_ms = 100,
        .probe_cap_ms = 400,
        .seed = 7,
        .wall_now = clock_wall,
        .on_event = vendor_on_event,
        .event_user = v,
        .on_change = vendor_stop,
        .user = v,
    };
    assert_int_equal(auth_create(&auth, v->loop, v->client, &options, &err), 0);
    return auth;
}

/* Asks, and runs the loop until the try it starts has ended. */
static enum auth_state prepare(struct vendor *v, struct auth *auth)
{
    if (auth_prepare(auth) == AUTH_PENDING) {
        loop_timer_start(v->guard, 20000, 0);
        loop_run(v->loop);
        loop_timer_stop(v->guard);
        assert_false(v->hung);
    }
    return auth_prepare(auth);
}

static void close_auth(struct vendor *v, struct auth *auth)
{
    auth_destroy(auth);
    vendor_close(v);
}

static void token_is_kept_and_handed_out(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct auth *auth = open_auth(v);
    uint64_t generation;
    v->token_members = ",\"expires_in\":3600";
    assert_int_equal(prepare(v, auth), AUTH_READY);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(auth_prepare(auth), AUTH_READY);
        assert_string_equal(auth_use(auth, &generation), "t1");
        assert_int_equal(generation, 1);
    }
    assert_int_equal(v->tokens, 1);
    assert_int_equal(vendor_event(v, CXONE_EVENT_TOKEN_REFRESHED)->event.value, 3600);
    close_auth(v, auth);
}

static void token_is_renewed_before_it_ends(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct auth *auth = open_auth(v);
    uint64_t generation;
    v->token_members = ",\"expires_in\":2"; /* renewed from 1500 to 1600 ms on */
    assert_int_equal(prepare(v, auth), AUTH_READY);
    vendor_run(v, 1000);
    assert_int_equal(prepare(v, auth), AUTH_READY);
    assert_int_equal(v->tokens, 1);
    vendor_run(v, 620);
    /* Due, and under way; meanwhile the old one is still handed out. */
    assert_int_equal(auth_prepare(auth), AUTH_READY);
    assert_string_equal(auth_use(auth, &generation), "t1");
    assert_int_equal(auth_requests(auth), 2);
    vendor_run(v, 100);
    assert_int_equal(auth_prepare(auth), AUTH_READY);
    assert_string_equal(auth_use(auth, &generation), "t2");
    assert_int_equal(generation, 2);
    close_auth(v, auth);
}

static void token_without_lifetime_is_used_once(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct auth *auth = open_auth(v);
    uint64_t generation;
    v->token_members = ",\"expires_in\":0";
    assert_int_equal(prepare(v, auth), AUTH_READY);
    assert_string_equal(auth_use(auth, &generation), "t1");
    assert_false(auth_is_held(auth));
    assert_int_equal(prepare(v, auth), AUTH_READY);
    assert_string_equal(auth_use(auth, &generation), "t2");
    close_auth(v, auth);
}

static void old_generation_does_not_drop_the_new_token(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct auth *auth = open_auth(v);
    uint64_t generation;
    assert_int_equal(prepare(v, auth), AUTH_READY);
    (void)auth_use(auth, &generation);
    assert_true(auth_unauthorized(auth, generation, false));
    assert_false(auth_is_held(auth));
    assert_int_equal(prepare(v, auth), AUTH_READY);
    assert_true(auth_unauthorized(auth, generation, false));
    assert_true(auth_is_held(auth));
    assert_false(auth_unauthorized(auth, generation, true));
    assert_true(auth_is_held(auth));
    assert_int_equal(vendor_events(v, CXONE_EVENT_TOKEN_INVALIDATED), 1);
    close_auth(v, auth);
}

static void late_refusal_of_a_replaced_token_is_nothing_new(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct auth *auth = open_auth(v);
    uint64_t generation;
    v->token_members = ",\"expires_in\":0";
    assert_int_equal(prepare(v, auth), AUTH_READY);
    (void)auth_use(auth, &generation);
    assert_int_equal(prepare(v, auth), AUTH_READY);
    assert_true(auth_unauthorized(auth, generation, false));
    assert_true(auth_is_held(auth));
    assert_int_equal(vendor_events(v, CXONE_EVENT_TOKEN_INVALIDATED), 0);
    close_auth(v, auth);
}

static void trouble_is_retried_soon(void **state)
{
    (void)state;
    static const struct script troubles[] = {
        {.status = 500},
        {.status = 503, .header = "Retry-After", .value = "0"},
        {.status = 408},
        {.status = 429},
        {.status = -1},
        {.status = 200, .body = "<html>", .content_type = "text/html"},
        {.status = 200, .body = "{}"},
    };
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        struct vendor *v = vendor_open();
        struct auth *auth = open_auth(v);
        vendor_script(v, CXONE_TOKEN, troubles[i]);
        assert_int_equal(auth_prepare(auth), AUTH_PENDING);
        vendor_run(v, 5000); /* until the try has ended */
        assert_int_equal(vendor_events(v, CXONE_EVENT_TOKEN_FAILED), 1);
        assert_false(auth_is_rejected(auth));
        assert_in_range(auth_wait_ms(auth), 0, 250);
        vendor_run(v, auth_wait_ms(auth) + 1);
        assert_int_equal(prepare(v, auth), AUTH_READY);
        assert_int_equal(v->tokens, 1);
        close_auth(v, auth);
    }
}

static void old_token_serves_while_renewal_fails(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct auth *auth = open_auth(v);
    uint64_t generation;
    v->token_members = ",\"expires_in\":2"; /* renewed from 1500 to 1600 ms on */
    assert_int_equal(prepare(v, auth), AUTH_READY);
    vendor_script(v, CXONE_TOKEN, (struct script){.status = 500});
    vendor_run(v, 1610);
    assert_int_equal(auth_prepare(auth), AUTH_READY);
    vendor_run(v, 200); /* until the try has ended */
    assert_int_equal(vendor_events(v, CXONE_EVENT_TOKEN_FAILED), 1);
    assert_int_equal(auth_wait_ms(auth), 0);
    assert_string_equal(auth_use(auth, &generation), "t1");
    vendor_run(v, 450);
    assert_false(auth_is_held(auth));
    close_auth(v, auth);
}

static void retry_after_is_a_lower_bound(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct auth *auth = open_auth(v);
    vendor_script(v, CXONE_TOKEN,
                  (struct script){.status = 429, .header = "Retry-After", .value = "3"});
    assert_int_equal(prepare(v, auth), AUTH_WAITING);
    assert_in_range(auth_wait_ms(auth), 2900, 3000);
    assert_int_equal(auth_throttled(auth), 1);
    assert_int_equal(auth_prepare(auth), AUTH_WAITING);
    assert_int_equal(auth_requests(auth), 1);
    close_auth(v, auth);
}

static void rejected_credentials_are_probed_slowly(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        const char *word;
    } rows[] = {
        {400, "{\"error\":\"invalid_client\"}", "invalid_client"},
        {401, "{\"error\":\"invalid_client\"}", "invalid_client"},
        {400, "{\"error\":\"invalid_scope\"}", "invalid_scope"},
        {400, "{\"error\":\"unsupported_grant_type\"}", "unsupported_grant_type"},
        {401, "", "401"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vendor *v = vendor_open();
        struct auth *auth = open_auth(v);
        const struct script refusal = {.status = rows[i].status, .body = rows[i].body};
        vendor_script(v, CXONE_TOKEN, refusal);
        vendor_script(v, CXONE_TOKEN, refusal);
        assert_int_equal(prepare(v, auth), AUTH_WAITING);
        assert_true(auth_is_rejected(auth));
        assert_in_range(auth_wait_ms(auth), 1, 110);
        const struct vendor_event *event = vendor_event(v, CXONE_EVENT_CREDENTIALS_REJECTED);
        assert_non_null(strstr(event->text, rows[i].word));
        vendor_run(v, 115);
        assert_int_equal(prepare(v, auth), AUTH_WAITING);
        assert_in_range(auth_wait_ms(auth), 111, 220);
        vendor_run(v, 225);
        assert_int_equal(prepare(v, auth), AUTH_READY);
        assert_false(auth_is_rejected(auth));
        close_auth(v, auth);
    }
}

static void wrong_address_is_probed_slowly_but_is_no_rejection(void **state)
{
    (void)state;
    static const int statuses[] = {302, 404, 405};
    for (size_t i = 0; i < 3; i++) {
        struct vendor *v = vendor_open();
        struct auth *auth = open_auth(v);
        vendor_script(v, CXONE_TOKEN, (struct script){.status = statuses[i]});
        assert_int_equal(prepare(v, auth), AUTH_WAITING);
        assert_false(auth_is_rejected(auth));
        assert_in_range(auth_wait_ms(auth), 1, 110);
        assert_non_null(strstr(vendor_event(v, CXONE_EVENT_TOKEN_FAILED)->text, "auth_url"));
        close_auth(v, auth);
    }
}

static void fresh_tokens_refused_thrice_mean_bad_credentials(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct auth *auth = open_auth(v);
    uint64_t generation;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(prepare(v, auth), AUTH_READY);
        (void)auth_use(auth, &generation);
        assert_int_equal(auth_unauthorized(auth, generation, false), i < 2);
    }
    assert_true(auth_is_rejected(auth));
    assert_int_equal(auth_prepare(auth), AUTH_WAITING);
    vendor_run(v, 115);
    /* A token alone proves nothing: only an accepted request does. */
    assert_int_equal(prepare(v, auth), AUTH_READY);
    assert_true(auth_is_rejected(auth));
    (void)auth_use(auth, &generation);
    auth_accepted(auth, generation - 1);
    assert_true(auth_is_rejected(auth));
    auth_accepted(auth, generation);
    assert_false(auth_is_rejected(auth));
    close_auth(v, auth);
}

static void accepted_requests_forgive_earlier_refusals(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct auth *auth = open_auth(v);
    uint64_t generation;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(prepare(v, auth), AUTH_READY);
        (void)auth_use(auth, &generation);
        auth_accepted(auth, generation);
        assert_true(auth_unauthorized(auth, generation, false));
    }
    assert_false(auth_is_rejected(auth));
    /* The fourth forced renewal within seconds is not granted: the token stays. */
    assert_int_equal(prepare(v, auth), AUTH_READY);
    (void)auth_use(auth, &generation);
    assert_false(auth_unauthorized(auth, generation, false));
    assert_true(auth_is_held(auth));
    close_auth(v, auth);
}

static void missing_scope_is_reported_once(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct auth *auth = open_auth(v);
    v->token_members = ",\"expires_in\":0,\"scope\":\"interactions:view agentassist:write\"";
    for (int i = 0; i < 3; i++) {
        uint64_t generation;
        assert_int_equal(prepare(v, auth), AUTH_READY);
        (void)auth_use(auth, &generation);
    }
    assert_int_equal(vendor_events(v, CXONE_EVENT_SCOPE_MISSING), 1);
    assert_non_null(
        strstr(vendor_event(v, CXONE_EVENT_SCOPE_MISSING)->text, "scope interactions:write:"));
    close_auth(v, auth);
}

static int start_library(void **state)
{
    (void)state;
    return keyhash_library_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_is_kept_and_handed_out),
        cmocka_unit_test(token_is_renewed_before_it_ends),
        cmocka_unit_test(token_without_lifetime_is_used_once),
        cmocka_unit_test(old_generation_does_not_drop_the_new_token),
        cmocka_unit_test(late_refusal_of_a_replaced_token_is_nothing_new),
        cmocka_unit_test(trouble_is_retried_soon),
        cmocka_unit_test(old_token_serves_while_renewal_fails),
        cmocka_unit_test(retry_after_is_a_lower_bound),
        cmocka_unit_test(rejected_credentials_are_probed_slowly),
        cmocka_unit_test(wrong_address_is_probed_slowly_but_is_no_rejection),
        cmocka_unit_test(fresh_tokens_refused_thrice_mean_bad_credentials),
        cmocka_unit_test(accepted_requests_forgive_earlier_refusals),
        cmocka_unit_test(missing_scope_is_reported_once),
    };
    return cmocka_run_group_tests(tests, start_library, NULL);
}
