/* The connection object against a scripted vendor: tokens, denial, throttling, breaker, priority.
 */
#include "fake_vendor.h"

static void requests_are_the_tutorials(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    vendor_connect(v);
    ask_poll(v, "a b/\xC3\xA9");
    vendor_wait(v, 1);
    ask_attributes(v, "call-1");
    vendor_wait(v, 2);
    ask_suggestion(v, "call-1");
    vendor_wait(v, 3);
    ask_discovery(v);
    vendor_wait(v, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(v->taken[i].result.outcome, CXONE_OK);
        assert_string_equal(v->taken[i].reason, "");
    }
    assert_string_equal(v->taken[0].text, "hello");
    assert_string_equal(v->taken[2].tracking_id, "s-1");
    assert_string_equal(v->taken[3].text, "call-1");
    assert_int_equal(v->seen_count, 5);
    assert_int_equal(v->seen[0].operation, CXONE_TOKEN);
    assert_string_equal(v->seen[0].content_type, "application/x-www-form-urlencoded");
    assert_string_equal(v->seen[1].raw_path, "/api/v2/interactions/a%20b%2F%C3%A9/transcripts");
    assert_string_equal(v->seen[1].token, "t1");
    assert_string_equal(v->seen[2].raw_path, "/api/v2/interactions/call-1/attributes");
    assert_string_equal(v->seen[2].content_type, "application/json");
    assert_string_equal(v->seen[2].body, "{\"attributes\":{\"sentiment_trend\":\"stable\"}}");
    assert_string_equal(v->seen[3].raw_path, "/api/v2/agentassist/suggestions");
    assert_string_equal(v->seen[3].idempotency, "alert-1");
    assert_int_equal(strlen(v->seen[1].correlation), 32);
    assert_string_not_equal(v->seen[1].correlation, v->seen[2].correlation);
    vendor_close(v);
}

static void secret_arrives_intact(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct buf secret;
    buf_init(&secret, 256);
    vendor_connect(v);
    ask_poll(v, "1");
    vendor_wait(v, 1);
    const char *field = strstr(v->seen[0].body, "client_secret=");
    assert_non_null(field);
    field += strlen("client_secret=");
    assert_true(url_decode(&secret, field, strcspn(field, "&"), true));
    assert_string_equal(buf_string(&secret), "s3cret=&+%\xC3\xA9");
    buf_done(&secret);
    vendor_close(v);
}

static void first_requests_share_one_token_request(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    vendor_connect(v);
    for (int i = 0; i < 10; i++) {
        ask_poll(v, "1");
    }
    assert_int_equal(v->taken_count, 0);
    assert_int_equal(vendor_status(v).queued, 10);
    vendor_wait(v, 10);
    assert_int_equal(vendor_requests(v, CXONE_TOKEN), 1);
    assert_int_equal(vendor_requests(v, CXONE_TRANSCRIPTS), 10);
    assert_true(vendor_status(v).token_held);
    vendor_close(v);
}

static void parallel_401_cause_one_refresh_and_one_replay_each(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    for (int i = 0; i < 10; i++) {
        vendor_script(v, CXONE_TRANSCRIPTS, (struct script){.status = 0});
    }
    v->hold_until = 10;
    vendor_connect(v);
    for (int i = 0; i < 10; i++) {
        ask_poll(v, "1");
    }
    vendor_wait(v, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(v->taken[i].result.outcome, CXONE_OK);
    }
    assert_int_equal(vendor_requests(v, CXONE_TOKEN), 2);
    assert_int_equal(vendor_requests(v, CXONE_TRANSCRIPTS), 20);
    assert_int_equal(vendor_events(v, CXONE_EVENT_TOKEN_INVALIDATED), 1);
    /* A replay is the same request: same correlation id, other token. */
    size_t same = 0;
    for (size_t i = 0; i < v->seen_count; i++) {
        same += strcmp(v->seen[i].correlation, v->seen[1].correlation) == 0;
    }
    assert_int_equal(same, 2);
    vendor_close(v);
}

static void replay_goes_before_what_was_asked_later(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    static const enum cxone_operation order[] = {CXONE_TOKEN, CXONE_TRANSCRIPTS, CXONE_TOKEN,
                                                 CXONE_TRANSCRIPTS, CXONE_TRANSCRIPTS};
    vendor_script(v, CXONE_TRANSCRIPTS, (struct script){.status = 401});
    v->options.in_flight_max = 1;
    vendor_connect(v);
    ask_poll(v, "1");
    ask_poll(v, "2");
    vendor_wait(v, 2);
    assert_int_equal(v->seen_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(v->seen[i].operation, order[i]);
    }
    assert_string_equal(v->seen[3].correlation, v->seen[1].correlation);
    vendor_close(v);
}

static void suggestion_is_replayed_after_401(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    v->token_valid_from = 2;
    vendor_connect(v);
    ask_suggestion(v, "1");
    vendor_wait(v, 1);
    assert_int_equal(v->taken[0].result.outcome, CXONE_OK);
    assert_int_equal(vendor_requests(v, CXONE_SUGGESTIONS), 2);
    assert_string_equal(v->seen[v->seen_count - 1].idempotency, "alert-1");
    vendor_close(v);
}

static void tokens_refused_again_and_again_mean_bad_credentials(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    v->token_valid_from = 1000;
    vendor_connect(v);
    ask_poll(v, "1");
    vendor_wait(v, 1);
    assert_int_equal(v->taken[0].result.outcome, CXONE_FAILED);
    assert_int_equal(v->taken[0].result.status, 401);
    assert_int_equal(vendor_requests(v, CXONE_TRANSCRIPTS), 2);
    assert_false(vendor_status(v).credentials_rejected);
    ask_poll(v, "1");
    vendor_wait(v, 2);
    assert_int_equal(v->taken[1].result.outcome, CXONE_FAILED);
    assert_true(vendor_status(v).credentials_rejected);
    assert_int_equal(vendor_events(v, CXONE_EVENT_CREDENTIALS_REJECTED), 1);
    /* From now on nobody hammers the log-in: the next try is at least a minute away. */
    size_t tokens = vendor_requests(v, CXONE_TOKEN);
    assert_int_equal(tokens, 3);
    ask_poll(v, "1");
    ask_suggestion(v, "1");
    vendor_wait(v, 4);
    for (size_t i = 2; i < 4; i++) {
        assert_int_equal(v->taken[i].result.outcome, CXONE_FAILED);
        assert_int_equal(v->taken[i].result.status, 0);
        assert_in_range(v->taken[i].result.retry_after_ms, 59000, 66000);
    }
    assert_int_equal(vendor_requests(v, CXONE_TOKEN), tokens);
    vendor_close(v);
}

/* One endpoint that always answers 401 must neither take the token from the others nor cause a
 * token request each time. */
static void one_broken_endpoint_does_not_hammer_the_log_in(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    for (int i = 0; i < 40; i++) {
        vendor_script(v, CXONE_ATTRIBUTES, (struct script){.status = 401});
    }
    vendor_connect(v);
    for (size_t i = 0; i < 12; i++) {
        ask_attributes(v, "1");
        vendor_wait(v, 2 * i + 1);
        assert_int_equal(vendor_last(v)->result.outcome, CXONE_FAILED);
        ask_poll(v, "1");
        vendor_wait(v, 2 * i + 2);
        assert_int_equal(vendor_last(v)->result.outcome, CXONE_OK);
    }
    assert_in_range(vendor_requests(v, CXONE_TOKEN), 2, 5);
    assert_false(vendor_status(v).credentials_rejected);
    vendor_close(v);
}

static void denial_suspends_one_operation_and_names_the_scope(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    vendor_script(v, CXONE_ATTRIBUTES,
                  (struct script){.status = 403,
                                  .header = "WWW-Authenticate",
                                  .value = "Bearer error=\"insufficient_scope\", "
                                           "scope=\"interactions:write\""});
    v->options.denied_probe_ms = 400;
    vendor_connect(v);
    ask_attributes(v, "1");
    vendor_wait(v, 1);
    assert_int_equal(v->taken[0].result.outcome, CXONE_DENIED);
    assert_int_equal(v->taken[0].result.status, 403);
    assert_true(vendor_status(v).suspended[CXONE_ATTRIBUTES]);
    const struct vendor_event *event = vendor_event(v, CXONE_EVENT_CAPABILITY_SUSPENDED);
    assert_int_equal(event->event.operation, CXONE_ATTRIBUTES);
    assert_non_null(strstr(event->text, "attributes"));
    assert_non_null(strstr(event->text, "interactions:write"));
    assert_non_null(strstr(event->text, "admin console"));

    ask_attributes(v, "1");
    assert_int_equal(v->taken_count, 1);
    ask_poll(v, "1");
    ask_suggestion(v, "1");
    vendor_wait(v, 4);
    assert_int_equal(vendor_requests(v, CXONE_ATTRIBUTES), 1);
    for (size_t i = 1; i < 4; i++) {
        bool is_denied = v->taken[i].operation == CXONE_ATTRIBUTES;
        assert_int_equal(v->taken[i].result.outcome, is_denied ? CXONE_DENIED : CXONE_OK);
    }

    vendor_run(v, 450);
    ask_attributes(v, "1"); /* the probe */
    ask_attributes(v, "1"); /* goes not with it */
    vendor_wait(v, 6);
    assert_int_equal(vendor_requests(v, CXONE_ATTRIBUTES), 2);
    assert_int_equal(v->taken[4].result.outcome, CXONE_DENIED);
    assert_int_equal(v->taken[5].result.outcome, CXONE_OK);
    assert_false(vendor_status(v).suspended[CXONE_ATTRIBUTES]);
    assert_int_equal(vendor_events(v, CXONE_EVENT_CAPABILITY_SUSPENDED), 1);
    assert_int_equal(vendor_events(v, CXONE_EVENT_CAPABILITY_RESTORED), 1);
    vendor_close(v);
}

static void denial_without_a_hint_names_the_scope_the_endpoint_needs(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    vendor_script(v, CXONE_SUGGESTIONS, (struct script){.status = 403});
    vendor_connect(v);
    ask_suggestion(v, "1");
    vendor_wait(v, 1);
    assert_int_equal(v->taken[0].result.outcome, CXONE_DENIED);
    assert_non_null(
        strstr(vendor_event(v, CXONE_EVENT_CAPABILITY_SUSPENDED)->text, "agentassist:write"));
    vendor_close(v);
}

static void throttling_reports_both_forms_of_retry_after(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *value;
        int64_t at_least_ms;
        int64_t at_most_ms;
    } rows[] = {
        {429, "2", 2000, 2000},
        {503, "7", 7000, 7000},
        {429, "36000", 300000, 300000},
        {429, "Sun, 06 Nov 1994 08:49:37 GMT", 0, 0},
        {429, "86400", 300000, 300000},
        {429, "86401", -1, -1}, /* longer than a day: a mistake */
        {429, "Wed, 01 Jan 2120 00:00:00 GMT", -1, -1},
        {429, "946080000", -1, -1},
        {429, "99999999999999999999999", -1, -1},
        {429, "soon", -1, -1},
        {429, "-3", -1, -1},
        {429, NULL, -1, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vendor *v = vendor_open();
        vendor_script(v, CXONE_TRANSCRIPTS,
                      (struct script){.status = rows[i].status,
                                      .header = rows[i].value ? "Retry-After" : NULL,
                                      .value = rows[i].value});
        vendor_connect(v);
        ask_poll(v, "1");
        vendor_wait(v, 1);
        assert_int_equal(v->taken[0].result.outcome, CXONE_THROTTLED);
        assert_true(v->taken[0].result.retry_after_ms >= rows[i].at_least_ms);
        assert_true(v->taken[0].result.retry_after_ms <= rows[i].at_most_ms);
        /* One interaction's throttling holds nobody else up. */
        ask_poll(v, "2");
        vendor_wait(v, 2);
        assert_int_equal(vendor_last(v)->result.outcome, CXONE_OK);
        assert_int_equal(vendor_status(v).throttled[CXONE_TRANSCRIPTS], 1);
        vendor_close(v);
    }
}

static void a_retry_after_too_long_is_told_of_once(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *said;
    } rows[] = {{"36000", "wait 36000 s, more than retry_after.max: the next try is in 300 s"},
                {"946080000", "wait 946080000 s, which is taken for a mistake"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vendor *v = vendor_open();
        for (int n = 0; n < 2; n++) {
            vendor_script(
                v, CXONE_ATTRIBUTES,
                (struct script){.status = 429, .header = "Retry-After", .value = rows[i].value});
        }
        vendor_connect(v);
        ask_attributes(v, "1");
        ask_attributes(v, "2");
        vendor_wait(v, 2);
        assert_int_equal(vendor_events(v, CXONE_EVENT_RETRY_AFTER_CUT), 1);
        const char *text = vendor_event(v, CXONE_EVENT_RETRY_AFTER_CUT)->text;
        assert_non_null(strstr(text, rows[i].said));
        assert_non_null(strstr(text, "attributes"));
        vendor_close(v);
    }
}

static void throttling_of_several_interactions_pauses_all(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    for (int i = 0; i < 3; i++) {
        vendor_script(v, CXONE_TRANSCRIPTS, (struct script){.status = 429});
    }
    vendor_connect(v);
    ask_poll(v, "1");
    ask_poll(v, "2");
    ask_poll(v, "3");
    vendor_wait(v, 3);
    struct mono throttled_at = loop_now(v->loop);
    ask_poll(v, "4");
    vendor_wait(v, 4);
    assert_int_equal(vendor_last(v)->result.outcome, CXONE_OK);
    assert_true(mono_ms_between(throttled_at, loop_now(v->loop)) >= 490);
    assert_true(vendor_last(v)->result.queued_ms >= 490);
    vendor_close(v);
}

static void throttling_of_several_interactions_slows_all_for_a_while(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    for (int i = 0; i < 3; i++) {
        vendor_script(v, CXONE_TRANSCRIPTS, (struct script){.status = 429});
    }
    v->options.client_rps = 20;
    v->options.burst = 10;
    vendor_connect(v);
    assert_true(vendor_status(v).rate_rps == 20);
    ask_poll(v, "1");
    ask_poll(v, "2");
    ask_poll(v, "3");
    vendor_wait(v, 3);
    double cut_rps = vendor_status(v).rate_rps;
    assert_true(cut_rps < 5); /* three of three were refused: a quarter, and less than that */
    assert_int_equal(vendor_events(v, CXONE_EVENT_QUOTA_CUT), 1);
    for (size_t answers = 3; answers < 9; answers++) {
        ask_poll(v, "1");
        vendor_wait(v, answers + 1);
        assert_int_equal(vendor_last(v)->result.outcome, CXONE_OK);
    }
    assert_true(vendor_status(v).rate_rps > cut_rps && vendor_status(v).rate_rps < 20);
    assert_int_equal(vendor_events(v, CXONE_EVENT_QUOTA_CUT), 1);
    vendor_close(v);
}

static void a_vendor_that_mostly_fails_is_asked_again_later(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    for (int i = 0; i < 6; i++) {
        vendor_script(v, CXONE_TRANSCRIPTS, (struct script){.status = 500});
        vendor_script(v, CXONE_SUGGESTIONS,
                      (struct script){.status = 429, .header = "Retry-After", .value = "1"});
    }
    v->options.breaker_failures = 100;
    vendor_connect(v);
    for (size_t i = 1; i <= 6; i++) {
        ask_poll(v, "1");
        vendor_wait(v, i);
        assert_int_equal(vendor_last(v)->result.outcome, CXONE_FAILED);
        assert_true(vendor_status(v).retry_tokens[CXONE_TRANSCRIPTS] == 10 - (double)i);
        if (i < 5) {
            assert_int_equal(vendor_last(v)->result.retry_after_ms, -1);
        } else {
            assert_in_range(vendor_last(v)->result.retry_after_ms, 2500, 5000);
        }
    }
    for (size_t i = 7; i <= 12; i++) { /* a suggestion is not held up */
        ask_suggestion(v, "1");
        vendor_wait(v, i);
        assert_int_equal(vendor_last(v)->result.outcome, CXONE_THROTTLED);
        assert_int_equal(vendor_last(v)->result.retry_after_ms, 1000);
    }
    ask_poll(v, "1");
    vendor_wait(v, 13);
    assert_int_equal(vendor_last(v)->result.outcome, CXONE_OK);
    assert_int_equal((int)(vendor_status(v).retry_tokens[CXONE_TRANSCRIPTS] * 10 + 0.5), 41);
    assert_true(vendor_status(v).retry_tokens[CXONE_ATTRIBUTES] == 10);
    vendor_close(v);
}

static void breaker_opens_and_one_probe_closes_it(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    for (int i = 0; i < 5; i++) {
        vendor_script(
            v, CXONE_TRANSCRIPTS,
            (struct script){.status = 502, .body = "<html>", .content_type = "text/html"});
    }
    vendor_script(v, CXONE_TRANSCRIPTS, (struct script){.status = 500});
    v->options.breaker_open_ms = 400;
    v->options.breaker_probe_ms = 240;
    vendor_connect(v);
    for (size_t i = 1; i <= 5; i++) {
        assert_int_equal(vendor_events(v, CXONE_EVENT_BREAKER), 0);
        ask_poll(v, "1");
        vendor_wait(v, i);
        assert_int_equal(vendor_last(v)->result.outcome, CXONE_FAILED);
        assert_int_equal(vendor_last(v)->result.status, 502);
        assert_int_equal(vendor_last(v)->result.blameless, i == 5); /* which opens it */
    }
    assert_in_range(vendor_last(v)->result.retry_after_ms, 1, 400);
    assert_int_equal(vendor_status(v).breaker[CXONE_TRANSCRIPTS], BREAKER_OPEN);
    assert_int_equal(vendor_event(v, CXONE_EVENT_BREAKER)->event.value, BREAKER_OPEN);
    ask_poll(v, "1");
    vendor_wait(v, 6);
    assert_int_equal(vendor_last(v)->result.outcome, CXONE_FAILED);
    assert_int_equal(vendor_last(v)->result.status, 0);
    assert_in_range(vendor_last(v)->result.retry_after_ms, 1, 400);
    assert_int_equal(vendor_requests(v, CXONE_TRANSCRIPTS), 5);
    ask_attributes(v, "1"); /* another class is not concerned */
    vendor_wait(v, 7);
    assert_int_equal(vendor_last(v)->result.outcome, CXONE_OK);

    vendor_run(v, 450);
    ask_poll(v, "1"); /* the probe fails */
    ask_poll(v, "2"); /* and nobody else goes with it */
    vendor_wait(v, 9);
    assert_int_equal(vendor_requests(v, CXONE_TRANSCRIPTS), 6);
    assert_int_equal(vendor_status(v).breaker[CXONE_TRANSCRIPTS], BREAKER_HALF_OPEN);
    assert_true(vendor_last(v)->result.blameless); /* the probe's as well as the other's */
    assert_true(v->taken[v->taken_count - 2].result.blameless);
    vendor_run(v, 350);
    ask_poll(v, "1");
    vendor_wait(v, 10);
    assert_int_equal(vendor_last(v)->result.outcome, CXONE_OK);
    assert_int_equal(vendor_status(v).breaker[CXONE_TRANSCRIPTS], BREAKER_CLOSED);
    assert_int_equal(vendor_events(v, CXONE_EVENT_BREAKER), 3);
    vendor_close(v);
}

static void client_errors_never_open_the_breaker(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    static const struct {
        int status;
        enum cxone_outcome outcome;
    } rows[] = {{404, CXONE_ENDED},   {410, CXONE_ENDED},    {409, CXONE_REFUSED},
                {412, CXONE_REFUSED}, {422, CXONE_REFUSED},  {400, CXONE_REFUSED},
                {302, CXONE_REFUSED}, {429, CXONE_THROTTLED}};
    vendor_connect(v);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        vendor_script(v, CXONE_ATTRIBUTES, (struct script){.status = rows[i].status});
        ask_attributes(v, "1");
        vendor_wait(v, i + 1);
        assert_int_equal(vendor_last(v)->result.outcome, rows[i].outcome);
        assert_int_equal(vendor_last(v)->result.status, rows[i].status);
    }
    assert_int_equal(vendor_status(v).breaker[CXONE_ATTRIBUTES], BREAKER_CLOSED);
    vendor_close(v);
}

static void suggestion_waits_for_the_breaker(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    vendor_script(v, CXONE_SUGGESTIONS, (struct script){.status = 500});
    v->options.breaker_failures = 1;
    v->options.breaker_open_ms = 150;
    vendor_connect(v);
    ask_suggestion(v, "1");
    vendor_wait(v, 1);
    assert_int_equal(v->taken[0].result.outcome, CXONE_UNKNOWN);
    ask_suggestion(v, "2");
    vendor_wait(v, 2);
    assert_int_equal(v->taken[1].result.outcome, CXONE_OK);
    assert_true(v->taken[1].result.queued_ms >= 140);
    vendor_close(v);
}

static void suggestion_does_not_wait_in_vain(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    vendor_script(v, CXONE_SUGGESTIONS, (struct script){.status = 500});
    v->options.breaker_failures = 1;
    v->options.breaker_open_ms = 30000;
    vendor_connect(v);
    ask_suggestion(v, "1");
    vendor_wait(v, 1);
    ask_suggestion(v, "2");
    vendor_wait(v, 2);
    assert_int_equal(v->taken[1].result.outcome, CXONE_FAILED);
    assert_in_range(v->taken[1].result.retry_after_ms, 29000, 30000);
    vendor_close(v);
}

static void unanswered_suggestion_is_unknown_and_not_resent(void **state)
{
    (void)state;
    static const int silences[] = {0, -1}; /* no answer, connection closed */
    for (size_t i = 0; i < 2; i++) {
        struct vendor *v = vendor_open();
        vendor_script(v, CXONE_SUGGESTIONS, (struct script){.status = silences[i]});
        v->options.timeouts.total_ms[CXONE_SUGGESTIONS] = 300;
        vendor_connect(v);
        ask_suggestion(v, "1");
        vendor_wait(v, 1);
        assert_int_equal(v->taken[0].result.outcome, CXONE_UNKNOWN);
        assert_int_equal(v->taken[0].result.status, 0);
        vendor_run(v, 200);
        assert_int_equal(vendor_requests(v, CXONE_SUGGESTIONS), 1);
        vendor_close(v);
    }
}

static void unreachable_vendor_has_surely_not_shown_anything(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    /* The token comes from the vendor, the suggestion goes to a port nobody listens on. */
    v->options.profile.suggestions_url = "http://127.0.0.1:1/suggestions";
    v->options.profile.allow_plain_http = true;
    struct error err = {0};
    assert_int_equal(cxone_create(&v->cxone, v->loop, v->client, &v->options, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "suggestions"));
    v->options.profile.suggestions_url = "https://127.0.0.1:1/suggestions";
    vendor_connect(v);
    ask_suggestion(v, "1");
    vendor_wait(v, 1);
    assert_int_equal(v->taken[0].result.outcome, CXONE_FAILED);
    vendor_close(v);
}

static void order_is_by_urgency(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    v->options.in_flight_max = 1; /* so that the vendor sees them one by one */
    vendor_connect(v);
    for (int i = 0; i < 20; i++) {
        ask_discovery(v);
        ask_attributes(v, "1");
        ask_poll(v, "1");
    }
    ask_suggestion(v, "1");
    vendor_wait(v, 61);
    assert_int_equal(v->seen[0].operation, CXONE_TOKEN);
    assert_int_equal(v->seen[1].operation, CXONE_SUGGESTIONS);
    size_t early[CXONE_OPERATIONS] = {0};
    for (size_t i = 2; i < 18; i++) {
        early[v->seen[i].operation]++;
    }
    assert_int_equal(early[CXONE_TRANSCRIPTS] + early[CXONE_ATTRIBUTES], 15);
    assert_int_equal(early[CXONE_DISCOVERY], 1);
    vendor_close(v);
}

static void queue_is_bounded(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    v->options.queue_max = 3;
    v->options.in_flight_max = 1;
    vendor_connect(v);
    for (int i = 0; i < 5; i++) {
        ask_poll(v, "1");
    }
    ask_suggestion(v, "1"); /* kept out by no number of polls, and first to go */
    vendor_wait(v, 6);
    assert_int_equal(v->taken[0].result.outcome, CXONE_FAILED);
    assert_int_equal(v->taken[1].result.outcome, CXONE_FAILED);
    assert_int_equal(vendor_requests(v, CXONE_TRANSCRIPTS), 3);
    assert_int_equal(vendor_requests(v, CXONE_SUGGESTIONS), 1);
    assert_int_equal(v->seen[1].operation, CXONE_SUGGESTIONS);
    vendor_close(v);
}

static void quota_is_never_exceeded(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    const double rate = 100, burst = 10;
    v->options.client_rps = rate;
    v->options.burst = burst;
    struct mono start = loop_now(v->loop);
    vendor_connect(v);
    for (int i = 0; i < 90; i++) {
        ask_poll(v, "1");
    }
    vendor_wait(v, 90);
    /* Arrivals only ever lag behind sending, so a bucket that starts full bounds their number. */
    size_t arrived = 0;
    for (size_t i = 0; i < v->seen_count; i++) {
        if (v->seen[i].operation == CXONE_TRANSCRIPTS) {
            arrived++;
            double seconds = (double)(v->seen[i].at.us - start.us) / 1e6;
            assert_true((double)arrived <= burst + rate * seconds + 0.01);
        }
    }
    assert_int_equal(arrived, 90);
    vendor_close(v);
}

static void reserve_lets_a_suggestion_pass_spent_quota(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    v->options.client_rps = 0.5;
    v->options.burst = 4;
    v->options.reserve = 0.25;
    vendor_connect(v);
    for (int i = 0; i < 6; i++) {
        ask_poll(v, "1");
    }
    vendor_wait(v, 3);
    ask_suggestion(v, "1");
    vendor_wait(v, 4);
    assert_int_equal(vendor_last(v)->operation, CXONE_SUGGESTIONS);
    assert_int_equal(vendor_last(v)->result.outcome, CXONE_OK);
    assert_int_equal(vendor_requests(v, CXONE_TRANSCRIPTS), 3);
    vendor_close(v);
}

static void reserve_never_shuts_all_others_out(void **state)
{
    (void)state;
    static const double bursts[] = {1, 1.3, 2.7};
    for (size_t i = 0; i < 3; i++) {
        struct vendor *v = vendor_open();
        v->options.burst = bursts[i];
        v->options.reserve = 1;
        vendor_connect(v);
        ask_poll(v, "1");
        ask_poll(v, "2");
        vendor_wait(v, 2);
        assert_int_equal(vendor_last(v)->result.outcome, CXONE_OK);
        vendor_close(v);
    }
}

static void replies_that_break_the_contract_are_malformed(void **state)
{
    (void)state;
    static const struct script scripts[] = {
        {.status = 200, .body = "<html>", .content_type = "text/html"},
        {.status = 200, .body = ""},
        {.status = 200, .body = "[{\"text\":"},
        {.status = 200, .body = "{}"},
    };
    struct vendor *v = vendor_open();
    vendor_connect(v);
    for (size_t i = 0; i < 4; i++) {
        vendor_script(v, CXONE_TRANSCRIPTS, scripts[i]);
        ask_poll(v, "1");
        vendor_wait(v, i + 1);
        assert_int_equal(vendor_last(v)->result.outcome, CXONE_MALFORMED);
        assert_true(vendor_last(v)->reason[0] != '\0');
    }
    vendor_script(v, CXONE_TRANSCRIPTS, (struct script){.status = 204});
    ask_poll(v, "1");
    vendor_wait(v, 5);
    assert_int_equal(vendor_last(v)->result.outcome, CXONE_EMPTY);
    vendor_script(v, CXONE_TRANSCRIPTS, (struct script){.status = 200, .body = "[]"});
    ask_poll(v, "1");
    vendor_wait(v, 6);
    assert_int_equal(vendor_last(v)->result.outcome, CXONE_EMPTY);
    vendor_script(v, CXONE_ATTRIBUTES, scripts[0]);
    ask_attributes(v, "1");
    vendor_wait(v, 7);
    assert_int_equal(vendor_last(v)->result.outcome, CXONE_MALFORMED);
    vendor_close(v);
}

static void what_cannot_be_sent_is_refused_later(void **state)
{
    (void)state;
    char long_id[CXONE_ID_BYTES_MAX + 2];
    struct vendor *v = vendor_open();
    memset(long_id, 'x', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    v->options.profile.active_url = "";
    vendor_connect(v);
    ask_poll(v, "");
    ask_poll(v, long_id);
    ask_suggestion(v, "..");
    ask_discovery(v);
    cxone_suggest(v->cxone, "1", "two\r\nlines", "x", vendor_take,
                  vendor_ask(v, CXONE_SUGGESTIONS));
    assert_int_equal(v->taken_count, 0);
    vendor_wait(v, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(v->taken[i].result.outcome, CXONE_REFUSED);
    }
    assert_int_equal(v->seen_count, 0);
    vendor_close(v);
}

static void destroying_answers_everything(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    for (int i = 0; i < 4; i++) {
        vendor_script(v, CXONE_TRANSCRIPTS, (struct script){.status = 0});
    }
    vendor_script(v, CXONE_SUGGESTIONS, (struct script){.status = 0});
    v->options.in_flight_max = 5;
    vendor_connect(v);
    for (int i = 0; i < 8; i++) {
        ask_poll(v, "1");
    }
    ask_suggestion(v, "1");
    ask_poll(v, "");
    vendor_run(v, 100);
    assert_int_equal(v->taken_count, 1);             /* the refused one */
    assert_int_equal(vendor_status(v).in_flight, 4); /* one place is kept for suggestions */
    assert_int_equal(vendor_status(v).queued, 5);
    cxone_destroy(v->cxone);
    v->cxone = NULL;
    assert_int_equal(v->taken_count, 10);
    for (size_t i = 1; i < 10; i++) {
        bool is_suggestion = v->taken[i].operation == CXONE_SUGGESTIONS;
        assert_int_equal(v->taken[i].result.outcome,
                         is_suggestion ? CXONE_UNKNOWN : CXONE_CANCELLED);
    }
    vendor_run(v, 50); /* the cancelled calls come back and find nobody */
    vendor_close(v);
}

static void destroying_while_the_token_is_awaited(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    vendor_script(v, CXONE_TOKEN, (struct script){.status = 0});
    vendor_connect(v);
    ask_poll(v, "1");
    vendor_run(v, 50);
    assert_int_equal(vendor_requests(v, CXONE_TOKEN), 1);
    cxone_destroy(v->cxone);
    v->cxone = NULL;
    assert_int_equal(v->taken[0].result.outcome, CXONE_CANCELLED);
    vendor_close(v);
    cxone_destroy(NULL);
}

static struct wall an_hour_behind(void)
{
    return (struct wall){clock_wall().ms - 3600000};
}

static void vendor_clock_is_learnt(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    v->options.wall_now = an_hour_behind;
    vendor_connect(v);
    assert_false(vendor_status(v).vendor_offset_known);
    for (size_t i = 1; i <= 15; i++) {
        ask_poll(v, "1");
        vendor_wait(v, i);
    }
    assert_true(vendor_status(v).vendor_offset_known);
    assert_in_range(vendor_status(v).vendor_offset_ms, 3600000 - 700, 3600000 + 700);
    vendor_close(v);
}

static void unusable_options_are_refused(void **state)
{
    (void)state;
    struct vendor *v = vendor_open();
    struct cxone_options good = v->options;
    struct error err = {0};
    for (int i = 0; i < 9; i++) {
        v->options = good;
        switch (i) {
        case 0:
            v->options.profile.client_id = "";
            break;
        case 1:
            v->options.profile.client_secret = NULL;
            break;
        case 2:
            v->options.client_rps = 0;
            break;
        case 3:
            v->options.burst = 0.5;
            break;
        case 4:
            v->options.reserve = 1.5;
            break;
        case 5:
            v->options.in_flight_max = 0;
            break;
        case 6:
            v->options.profile.transcripts_url = "{base}/{what}";
            break;
        case 7:
            v->options.profile.idempotency_header = "Two: words";
            break;
        default:
            v->options.profile.attributes_url = "";
            break;
        }
        assert_int_equal(cxone_create(&v->cxone, v->loop, v->client, &v->options, &err),
                         ERROR_CONFIG);
        assert_null(v->cxone);
        assert_null(strstr(err.message, "s3cret"));
    }
    vendor_close(v);
}

static int start_library(void **state)
{
    (void)state;
    return keyhash_library_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_the_tutorials),
        cmocka_unit_test(secret_arrives_intact),
        cmocka_unit_test(first_requests_share_one_token_request),
        cmocka_unit_test(parallel_401_cause_one_refresh_and_one_replay_each),
        cmocka_unit_test(replay_goes_before_what_was_asked_later),
        cmocka_unit_test(suggestion_is_replayed_after_401),
        cmocka_unit_test(tokens_refused_again_and_again_mean_bad_credentials),
        cmocka_unit_test(one_broken_endpoint_does_not_hammer_the_log_in),
        cmocka_unit_test(denial_suspends_one_operation_and_names_the_scope),
        cmocka_unit_test(denial_without_a_hint_names_the_scope_the_endpoint_needs),
        cmocka_unit_test(throttling_reports_both_forms_of_retry_after),
        cmocka_unit_test(a_retry_after_too_long_is_told_of_once),
        cmocka_unit_test(throttling_of_several_interactions_pauses_all),
        cmocka_unit_test(throttling_of_several_interactions_slows_all_for_a_while),
        cmocka_unit_test(a_vendor_that_mostly_fails_is_asked_again_later),
        cmocka_unit_test(breaker_opens_and_one_probe_closes_it),
        cmocka_unit_test(client_errors_never_open_the_breaker),
        cmocka_unit_test(suggestion_waits_for_the_breaker),
        cmocka_unit_test(suggestion_does_not_wait_in_vain),
        cmocka_unit_test(unanswered_suggestion_is_unknown_and_not_resent),
        cmocka_unit_test(unreachable_vendor_has_surely_not_shown_anything),
        cmocka_unit_test(order_is_by_urgency),
        cmocka_unit_test(queue_is_bounded),
        cmocka_unit_test(quota_is_never_exceeded),
        cmocka_unit_test(reserve_lets_a_suggestion_pass_spent_quota),
        cmocka_unit_test(reserve_never_shuts_all_others_out),
        cmocka_unit_test(replies_that_break_the_contract_are_malformed),
        cmocka_unit_test(what_cannot_be_sent_is_refused_later),
        cmocka_unit_test(destroying_answers_everything),
        cmocka_unit_test(destroying_while_the_token_is_awaited),
        cmocka_unit_test(vendor_clock_is_learnt),
        cmocka_unit_test(unusable_options_are_refused),
    };
    return cmocka_run_group_tests(tests, start_library, NULL);
}
