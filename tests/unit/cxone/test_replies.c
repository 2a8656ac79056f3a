/* The pure parts of the gateway: meanings of statuses, scopes, throttling, suspension, turns, the
 * vendor's clock, and the token endpoint's replies. */
#include "base/keyhash.h"
#include "cxone/auth_reply.h"
#include "cxone/capability.h"
#include "cxone/reply.h"
#include "cxone/requests.h"
#include "cxone/skew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void statuses_mean_what_the_contract_says(void **state)
{
    (void)state;
    static const struct {
        int status;
        int64_t retry_after_ms;
        enum cxone_outcome poll;
        enum cxone_outcome suggestion;
    } rows[] = {
        {200, -1, CXONE_OK, CXONE_OK},
        {201, -1, CXONE_OK, CXONE_OK},
        {202, -1, CXONE_OK, CXONE_OK},
        {204, -1, CXONE_OK, CXONE_OK},
        {301, -1, CXONE_REFUSED, CXONE_REFUSED},
        {400, -1, CXONE_REFUSED, CXONE_REFUSED},
        {401, -1, CXONE_FAILED, CXONE_FAILED},
        {403, -1, CXONE_DENIED, CXONE_DENIED},
        {404, -1, CXONE_ENDED, CXONE_REFUSED},
        {408, -1, CXONE_FAILED, CXONE_FAILED},
        {409, -1, CXONE_REFUSED, CXONE_REFUSED},
        {410, -1, CXONE_ENDED, CXONE_REFUSED},
        {412, -1, CXONE_REFUSED, CXONE_REFUSED},
        {422, -1, CXONE_REFUSED, CXONE_REFUSED},
        {429, -1, CXONE_THROTTLED, CXONE_THROTTLED},
        {429, 1000, CXONE_THROTTLED, CXONE_THROTTLED},
        {500, -1, CXONE_FAILED, CXONE_UNKNOWN},
        {500, 1000, CXONE_FAILED, CXONE_UNKNOWN},
        {502, -1, CXONE_FAILED, CXONE_UNKNOWN},
        {503, -1, CXONE_FAILED, CXONE_UNKNOWN},
        {503, 0, CXONE_THROTTLED, CXONE_THROTTLED},
        {504, -1, CXONE_FAILED, CXONE_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_response response = {.status = rows[i].status, .request_sent = true};
        int64_t retry_after_ms = rows[i].retry_after_ms;
        assert_int_equal(reply_outcome(CXONE_TRANSCRIPTS, &response, retry_after_ms), rows[i].poll);
        assert_int_equal(reply_outcome(CXONE_ATTRIBUTES, &response, retry_after_ms), rows[i].poll);
        assert_int_equal(reply_outcome(CXONE_SUGGESTIONS, &response, retry_after_ms),
                         rows[i].suggestion);
        assert_int_equal(reply_is_server_fault(&response), rows[i].status >= 500);
    }
}

static void suggestion_that_may_have_arrived_is_unknown(void **state)
{
    (void)state;
    struct http_response sent = {.failure = HTTP_FAILURE_TIMEOUT, .request_sent = true};
    struct http_response unsent = {.failure = HTTP_FAILURE_CONNECT, .request_sent = false};
    assert_int_equal(reply_outcome(CXONE_SUGGESTIONS, &sent, -1), CXONE_UNKNOWN);
    assert_int_equal(reply_outcome(CXONE_SUGGESTIONS, &unsent, -1), CXONE_FAILED);
    assert_int_equal(reply_outcome(CXONE_ATTRIBUTES, &sent, -1), CXONE_FAILED);
    sent.failure = HTTP_FAILURE_TOO_LARGE;
    assert_int_equal(reply_outcome(CXONE_SUGGESTIONS, &sent, -1), CXONE_UNKNOWN);
    assert_int_equal(reply_outcome(CXONE_TRANSCRIPTS, &sent, -1), CXONE_MALFORMED);
    assert_false(reply_is_server_fault(&sent));
    assert_true(reply_is_server_fault(&unsent));
}

static void missing_scope_is_found_in_header_or_body(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        const char *body;
        const char *scope; /* NULL: none */
    } rows[] = {
        {"Bearer error=\"insufficient_scope\", scope=\"interactions:write\"", "",
         "interactions:write"},
        {"Bearer realm=\"x\",scope=\"a:b c:d\"", "", "a:b c:d"},
        {"Bearer SCOPE=a:b, error=x", "", "a:b"},
        {"Bearer error=\"insufficient_scope\"",
         "{\"error\":\"scope_not_granted\",\"scope\":\"agentassist:write\"}", "agentassist:write"},
        {NULL, "{\"error\":\"scope_not_granted\",\"required_scope\":\"a:b\"}", "a:b"},
        {NULL, "{\"error\":\"scope_not_granted\"}", NULL},
        {NULL, "", NULL},
        {NULL, "<html>", NULL},
        {"Bearer myscope=\"a\"", "", NULL},
        {"Bearer scope=\"\"", "", NULL},
        {NULL, "{\"scope\":\"evil\\nline\"}", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char scope[REPLY_SCOPE_BYTES];
        bool found = reply_missing_scope(rows[i].header, rows[i].body, strlen(rows[i].body), scope);
        assert_int_equal(found, rows[i].scope != NULL);
        assert_string_equal(scope, rows[i].scope ? rows[i].scope : "");
    }
}

static void integers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-5", true, -5},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1.0", false, 0},
        {"0x1", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 0;
        assert_int_equal(reply_parse_integer(rows[i].text, strlen(rows[i].text), &value),
                         rows[i].good);
        if (rows[i].good) {
            assert_true(value == rows[i].value);
        }
    }
}

static struct mono at_ms(int64_t ms)
{
    return (struct mono){ms * 1000};
}

static void suspended_capability_lets_one_probe_through(void **state)
{
    (void)state;
    struct capability capability = {0};
    assert_true(capability_allows(&capability, at_ms(0)));
    assert_true(capability_deny(&capability, at_ms(0), 1000));
    assert_false(capability_deny(&capability, at_ms(0), 1000));
    assert_false(capability_allows(&capability, at_ms(999)));
    assert_int_equal(capability_wait_ms(&capability, at_ms(400)), 600);
    assert_true(capability_allows(&capability, at_ms(1000)));
    capability_claim(&capability);
    assert_false(capability_allows(&capability, at_ms(1000)));
    assert_int_equal(capability_wait_ms(&capability, at_ms(1000)), -1);
    capability_undecided(&capability);
    assert_true(capability_allows(&capability, at_ms(1001)));
    capability_claim(&capability);
    assert_true(capability_grant(&capability));
    assert_false(capability_grant(&capability));
    assert_true(capability_allows(&capability, at_ms(1001)));
}

static void polls_and_writes_of_one_call_go_by_age(void **state)
{
    (void)state;
    struct requests requests = {0};
    struct request poll = {.asked = at_ms(10)};
    struct request write = {.asked = at_ms(20)};
    struct request second = {.asked = at_ms(20)};
    enum cxone_operation order[REQUESTS_OPERATIONS];
    requests.waiting[CXONE_ATTRIBUTES].first = &write;
    requests_order(&requests, order);
    assert_int_equal(order[1], CXONE_ATTRIBUTES);
    requests.waiting[CXONE_TRANSCRIPTS].first = &poll;
    requests.waiting[CXONE_ATTRIBUTES].first = &second;
    requests_order(&requests, order);
    assert_int_equal(order[1], CXONE_TRANSCRIPTS);
    assert_int_equal(order[2], CXONE_ATTRIBUTES);
    second.asked = at_ms(9);
    requests_order(&requests, order);
    assert_int_equal(order[1], CXONE_ATTRIBUTES);
    assert_int_equal(order[2], CXONE_TRANSCRIPTS);
}

static void discovery_starves_behind_nobody(void **state)
{
    (void)state;
    struct requests requests = {0};
    unsigned first[CXONE_OPERATIONS] = {0};
    for (int i = 0; i < 1600; i++) {
        enum cxone_operation order[REQUESTS_OPERATIONS];
        requests_order(&requests, order);
        assert_int_equal(order[0], CXONE_SUGGESTIONS);
        unsigned seen = 0;
        for (size_t k = 0; k < REQUESTS_OPERATIONS; k++) {
            seen |= 1u << order[k];
        }
        assert_int_equal(seen, 0xF);
        first[order[1]]++;
        requests_advance(&requests, order[1]);
    }
    assert_int_equal(first[CXONE_DISCOVERY], 100);
    assert_int_equal(first[CXONE_TRANSCRIPTS], 1500);
    requests_advance(&requests, CXONE_SUGGESTIONS);
    assert_int_equal(requests.turn, 1600);
}

static void vendor_clock_is_the_median_of_the_last_replies(void **state)
{
    (void)state;
    struct skew skew = {0};
    int64_t offset_ms = 0;
    assert_false(skew_offset_ms(&skew, &offset_ms));
    skew_record(&skew, -1, 1000, 10);
    assert_false(skew_offset_ms(&skew, &offset_ms));
    /* A true offset of +45 s, replies 70 ms apart over a second, each taking 40 ms: the Date is the
     * vendor's second at mid-exchange. */
    for (int64_t i = 0; i < SKEW_SAMPLES; i++) {
        int64_t ours_ms = 1700000000000 + i * 70;
        int64_t vendor_ms = ours_ms + 45000;
        skew_record(&skew, vendor_ms / 1000 * 1000, ours_ms + 20, 40);
    }
    assert_true(skew_offset_ms(&skew, &offset_ms));
    assert_in_range(offset_ms, 45000 - 100, 45000 + 100);
    skew_record(&skew, 1, 1700000002000, 10);
    assert_true(skew_offset_ms(&skew, &offset_ms));
    assert_in_range(offset_ms, 45000 - 200, 45000 + 200);
    /* Half a minute to answer says nothing about the clock. */
    for (int i = 0; i < 20; i++) {
        skew_record(&skew, 1, 1700000002000, 30000);
    }
    assert_true(skew_offset_ms(&skew, &offset_ms));
    assert_in_range(offset_ms, 45000 - 200, 45000 + 200);
}

static int read_token(const char *type, const char *body, struct auth_reply *reply)
{
    struct cxone_options options;
    cxone_options_default(&options);
    options.profile.scope = "a:b c:d e:f";
    return auth_reply_parse(&options.profile, type, body, strlen(body), reply, NULL);
}

static void token_lifetimes_are_read_leniently(void **state)
{
    (void)state;
    static const struct {
        const char *expires_in;
        int64_t lifetime_s;
        int64_t margin_ms;
    } rows[] = {
        {",\"expires_in\":3600", 3600, 60000},
        {",\"expires_in\":\"3600\"", 3600, 60000},
        {"", 3600, 60000},
        {",\"expires_in\":null", 3600, 60000},
        {",\"expires_in\":\"soon\"", 3600, 60000},
        {",\"expires_in\":{}", 3600, 60000},
        {",\"expires_in\":5", 5, 1000},
        {",\"expires_in\":300", 300, 60000},
        {",\"expires_in\":100", 100, 20000},
        {",\"expires_in\":5.9", 5, 1000},
        {",\"expires_in\":0.5", 1, 200},
        {",\"expires_in\":0", 0, 0},
        {",\"expires_in\":-1", 0, 0},
        {",\"expires_in\":\"-1\"", 0, 0},
        {",\"expires_in\":86401", 86400, 60000},
        {",\"expires_in\":9223372036854775807", 86400, 60000},
        {",\"expires_in\":1e300", 86400, 60000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct auth_reply reply;
        struct buf body;
        buf_init(&body, 1024);
        buf_printf(&body, "{\"access_token\":\"t\",\"token_type\":\"bearer\",\"x\":[]%s}",
                   rows[i].expires_in);
        assert_int_equal(read_token("application/json", buf_string(&body), &reply), 0);
        assert_string_equal(buf_string(&reply.token), "t");
        assert_true(reply.lifetime_s == rows[i].lifetime_s);
        assert_true(auth_reply_margin_ms(reply.lifetime_s, 60000) == rows[i].margin_ms);
        auth_reply_done(&reply);
        buf_done(&body);
    }
}

static void unusable_token_replies_are_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "<html>SECRET</html>",
        "{}",
        "[]",
        "{\"access_token\":\"\"}",
        "{\"access_token\":null}",
        "{\"access_token\":7}",
        "{\"access_token\":\"SECRET\\r\\nX-Evil: 1\"}",
        "{\"access_token\":\"SECRET with blank\"}",
        "{\"access_token\":\"SECRET\\u00e9\"}",
        "{\"access_token\":\"SECRET\",\"token_type\":\"mac\"}",
        "{\"access_token\":\"SECRET\"",
    };
    struct cxone_options options;
    cxone_options_default(&options);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct auth_reply reply;
        struct error err = {0};
        assert_int_not_equal(
            auth_reply_parse(&options.profile, NULL, bodies[i], strlen(bodies[i]), &reply, &err),
            0);
        assert_true(err.message[0] != '\0');
        assert_null(strstr(err.message, "SECRET"));
        assert_null(reply.token.bytes);
    }
    struct auth_reply reply;
    assert_int_not_equal(read_token("text/html", "{\"access_token\":\"t\"}", &reply), 0);
    assert_int_equal(read_token(NULL, "{\"access_token\":\"t\",\"token_type\":\"BEARER\"}", &reply),
                     0);
    auth_reply_done(&reply);
    assert_int_equal(read_token(NULL, "{\"access_token\":\"t\"}", &reply), 0);
    auth_reply_done(&reply);
}

static void missing_scopes_are_those_asked_for_and_not_granted(void **state)
{
    (void)state;
    static const struct {
        const char *granted;
        const char *missing;
    } rows[] = {
        {"", ""},
        {",\"scope\":\"\"", ""},
        {",\"scope\":null", ""},
        {",\"scope\":\"e:f a:b c:d x:y\"", ""},
        {",\"scope\":\"a:b  e:f\"", "c:d"},
        {",\"scope\":\"a:bc\"", "a:b c:d e:f"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct auth_reply reply;
        struct buf body;
        buf_init(&body, 1024);
        buf_printf(&body, "{\"access_token\":\"t\"%s}", rows[i].granted);
        assert_int_equal(read_token(NULL, buf_string(&body), &reply), 0);
        assert_string_equal(reply.missing_scope, rows[i].missing);
        auth_reply_done(&reply);
        buf_done(&body);
    }
}

static void only_registered_error_codes_are_repeated(void **state)
{
    (void)state;
    const char *known = "{\"error\":\"invalid_client\",\"error_description\":\"x\"}";
    const char *other = "{\"error\":\"SECRET\"}";
    assert_string_equal(auth_reply_error_code(known, strlen(known)), "invalid_client");
    assert_null(auth_reply_error_code(other, strlen(other)));
    assert_null(auth_reply_error_code("<html>", 6));
    assert_null(auth_reply_error_code(NULL, 0));
}

static void every_operation_and_outcome_has_a_word(void **state)
{
    (void)state;
    for (int i = 0; i < CXONE_OPERATIONS; i++) {
        assert_string_not_equal(cxone_operation_name((enum cxone_operation)i), "unknown");
    }
    for (int i = CXONE_OK; i <= CXONE_CANCELLED; i++) {
        assert_string_not_equal(cxone_outcome_name((enum cxone_outcome)i), "invalid");
    }
}

static int start_library(void **state)
{
    (void)state;
    return keyhash_library_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_mean_what_the_contract_says),
        cmocka_unit_test(suggestion_that_may_have_arrived_is_unknown),
        cmocka_unit_test(missing_scope_is_found_in_header_or_body),
        cmocka_unit_test(integers_are_read_whole_or_not_at_all),
        cmocka_unit_test(suspended_capability_lets_one_probe_through),
        cmocka_unit_test(polls_and_writes_of_one_call_go_by_age),
        cmocka_unit_test(discovery_starves_behind_nobody),
        cmocka_unit_test(vendor_clock_is_the_median_of_the_last_replies),
        cmocka_unit_test(token_lifetimes_are_read_leniently),
        cmocka_unit_test(unusable_token_replies_are_refused),
        cmocka_unit_test(missing_scopes_are_those_asked_for_and_not_granted),
        cmocka_unit_test(only_registered_error_codes_are_repeated),
        cmocka_unit_test(every_operation_and_outcome_has_a_word),
    };
    return cmocka_run_group_tests(tests, start_library, NULL);
}
