/* The token endpoint's judgement, and the life of tokens. */
#include "sim/oauth.h"

#include "base/keyhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char FORM[] = "application/x-www-form-urlencoded";

static struct oauth_verdict judge(const char *body)
{
    static const struct oauth_client client = {"my id", "s=e&c+r%t"};
    return oauth_judge(&client, FORM, body, strlen(body));
}

#define GOOD "grant_type=client_credentials&client_id=my+id&client_secret=s%3De%26c%2Br%25t"

static void forms_are_decoded_as_clients_write_them(void **unused)
{
    (void)unused;
    static const struct {
        const char *body;
        unsigned scopes;
    } cases[] = {
        {GOOD, OAUTH_SCOPE_ALL},
        {GOOD "&scope=interactions:view", OAUTH_SCOPE_VIEW},
        {GOOD "&scope=interactions:view%20interactions:write%20agentassist:write", OAUTH_SCOPE_ALL},
        {GOOD "&scope=interactions%3Aview+agentassist%3awrite",
         OAUTH_SCOPE_VIEW | OAUTH_SCOPE_ASSIST},
        {"scope=interactions%3Awrite&client_secret=s%3de%26c%2br%25t&client_id=my%20id&"
         "grant_type=client%5Fcredentials&extra=1",
         OAUTH_SCOPE_WRITE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oauth_verdict verdict = judge(cases[i].body);
        assert_int_equal(verdict.status, 200);
        assert_int_equal(verdict.scopes, cases[i].scopes);
    }
}

static void bad_requests_are_told_apart(void **unused)
{
    (void)unused;
    static const struct {
        const char *body;
        int status;
        const char *error;
    } cases[] = {
        {"", 400, "invalid_request"},
        {"{\"grant_type\":\"client_credentials\"}", 400, "invalid_request"},
        {"client_id=my+id&client_secret=s%3De%26c%2Br%25t", 400, "invalid_request"},
        {"grant_type=client_credentials&client_id=my+id", 400, "invalid_request"},
        {GOOD "&client_id=my+id", 400, "invalid_request"},
        {GOOD "&scope=%zz", 400, "invalid_request"},
        {"grant_type=password&client_id=my+id&client_secret=x", 400, "unsupported_grant_type"},
        {"grant_type=client_credentials&client_id=my+id&client_secret=wrong", 401,
         "invalid_client"},
        {"grant_type=client_credentials&client_id=my+id&client_secret=s%3De%26c%2Br%25t%00", 401,
         "invalid_client"},
        {"grant_type=client_credentials&client_id=my+id&client_secret=", 401, "invalid_client"},
        {"grant_type=client_credentials&client_id=MY+ID&client_secret=s%3De%26c%2Br%25t", 401,
         "invalid_client"},
        {GOOD "&scope=", 400, "invalid_scope"},
        {GOOD "&scope=interactions:read", 400, "invalid_scope"},
        {GOOD "&scope=interactions:view,interactions:write", 400, "invalid_scope"},
        {GOOD "&scope=interactions:view++interactions:write", 400, "invalid_scope"},
        {GOOD "&scope=interactions:view%00", 400, "invalid_scope"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oauth_verdict verdict = judge(cases[i].body);
        assert_int_equal(verdict.status, cases[i].status);
        assert_string_equal(verdict.error, cases[i].error);
        assert_int_equal(verdict.scopes, 0);
    }
}

static void only_forms_are_taken(void **unused)
{
    (void)unused;
    struct oauth_client client = {"my id", "s=e&c+r%t"};
    assert_int_equal(oauth_judge(&client, NULL, GOOD, strlen(GOOD)).status, 400);
    assert_int_equal(oauth_judge(&client, "application/json", GOOD, strlen(GOOD)).status, 400);
    assert_int_equal(
        oauth_judge(&client, "application/x-www-form-urlencoded; charset=utf-8", GOOD, strlen(GOOD))
            .status,
        200);
}

static void tokens_live_side_by_side_until_they_expire(void **unused)
{
    (void)unused;
    struct oauth_tokens tokens = {0};
    struct mono now = {1000000};
    char first[OAUTH_TOKEN_BYTES];
    char second[OAUTH_TOKEN_BYTES];
    memcpy(first, oauth_issue(&tokens, OAUTH_SCOPE_VIEW, now, 10000), sizeof first);
    memcpy(second, oauth_issue(&tokens, OAUTH_SCOPE_WRITE, now, 20000), sizeof second);
    assert_string_not_equal(first, second);
    assert_int_equal(oauth_find(&tokens, first, now), OAUTH_SCOPE_VIEW);
    assert_int_equal(oauth_find(&tokens, second, now), OAUTH_SCOPE_WRITE);
    assert_int_equal(oauth_find(&tokens, first, mono_after_ms(now, 9999)), OAUTH_SCOPE_VIEW);
    assert_int_equal(oauth_find(&tokens, first, mono_after_ms(now, 10000)), 0);
    assert_int_equal(oauth_find(&tokens, second, mono_after_ms(now, 10000)), OAUTH_SCOPE_WRITE);
    assert_int_equal(oauth_find(&tokens, "", now), 0);
    oauth_shorten_all(&tokens, mono_after_ms(now, 15000)); /* lengthens none */
    assert_int_equal(oauth_find(&tokens, first, mono_after_ms(now, 10000)), 0);
    assert_int_equal(oauth_find(&tokens, second, mono_after_ms(now, 14999)), OAUTH_SCOPE_WRITE);
    assert_int_equal(oauth_find(&tokens, second, mono_after_ms(now, 15000)), 0);
    second[10] ^= 1;
    assert_int_equal(oauth_find(&tokens, second, now), 0);
    oauth_revoke_all(&tokens);
    assert_int_equal(oauth_find(&tokens, first, now), 0);
}

static void the_oldest_token_makes_room(void **unused)
{
    (void)unused;
    struct oauth_tokens tokens = {0};
    struct mono now = {1};
    char first[OAUTH_TOKEN_BYTES];
    char second[OAUTH_TOKEN_BYTES];
    memcpy(first, oauth_issue(&tokens, OAUTH_SCOPE_VIEW, now, 10000), sizeof first);
    memcpy(second, oauth_issue(&tokens, OAUTH_SCOPE_VIEW, now, 10000), sizeof second);
    for (int i = 0; i < OAUTH_TOKENS_MAX - 1; i++) {
        oauth_issue(&tokens, OAUTH_SCOPE_VIEW, now, 10000);
    }
    assert_int_equal(oauth_find(&tokens, first, now), 0);
    assert_int_equal(oauth_find(&tokens, second, now), OAUTH_SCOPE_VIEW);
}

static void bearer_headers_are_recognised(void **unused)
{
    (void)unused;
    assert_string_equal(oauth_bearer("Bearer abc"), "abc");
    assert_string_equal(oauth_bearer("bearer  abc"), "abc");
    assert_null(oauth_bearer(NULL));
    assert_null(oauth_bearer("Basic abc"));
    assert_null(oauth_bearer("Bearer"));
}

static void scopes_are_spelled_in_order(void **unused)
{
    (void)unused;
    char out[OAUTH_SCOPES_BYTES];
    assert_string_equal(oauth_scopes_text(OAUTH_SCOPE_ALL, out),
                        "interactions:view interactions:write agentassist:write");
    assert_string_equal(oauth_scopes_text(OAUTH_SCOPE_ASSIST, out), "agentassist:write");
}

/* base64 of "my%20id:s%3De%26c%2Br%25t" by Python's base64 */
#define BASIC "Basic bXklMjBpZDpzJTNEZSUyNmMlMkJyJTI1dA=="

static struct oauth_verdict judge_key(const struct oauth_tokens *tokens, const char *authorization,
                                      const char *body)
{
    static const struct oauth_client client = {"my id", "s=e&c+r%t"};
    return oauth_judge_key(&client, tokens, authorization, FORM, body, strlen(body));
}

static void access_keys_want_the_client_in_the_header(void **unused)
{
    (void)unused;
    static const struct {
        const char *authorization;
        const char *body;
        int status;
        const char *error;
    } cases[] = {
        {BASIC, "grant_type=password&username=demo-key&password=demo-key-secret", 200, NULL},
        {NULL, "grant_type=password&username=demo-key&password=demo-key-secret", 401,
         "invalid_client"},
        {"Basic bXkgaWQ6eA==", "grant_type=password&username=demo-key&password=demo-key-secret",
         401, "invalid_client"},
        {"Basic !!", "", 401, "invalid_client"},
        {"Bearer x", "", 401, "invalid_client"},
        {BASIC, "grant_type=password&username=demo-key&password=wrong", 400, "invalid_grant"},
        {BASIC, "grant_type=client_credentials", 400, "unsupported_grant_type"},
        {BASIC, "grant_type=refresh_token&refresh_token=", 400, "invalid_grant"},
        {BASIC, GOOD, 400, "invalid_request"},
    };
    const struct oauth_tokens none = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oauth_verdict verdict = judge_key(&none, cases[i].authorization, cases[i].body);
        assert_int_equal(verdict.status, cases[i].status);
        if (cases[i].error) {
            assert_string_equal(verdict.error, cases[i].error);
        }
    }
}

static void refresh_token_serves_until_the_next_one(void **unused)
{
    (void)unused;
    static struct oauth_tokens tokens;
    char body[128];
    snprintf(body, sizeof body, "grant_type=refresh_token&refresh_token=%s",
             oauth_issue_refresh(&tokens));
    assert_int_equal(judge_key(&tokens, BASIC, body).status, 200);
    (void)oauth_issue_refresh(&tokens);
    assert_int_equal(judge_key(&tokens, BASIC, body).status, 400);
}

static int set_up(void **unused)
{
    (void)unused;
    return keyhash_library_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_decoded_as_clients_write_them),
        cmocka_unit_test(bad_requests_are_told_apart),
        cmocka_unit_test(only_forms_are_taken),
        cmocka_unit_test(tokens_live_side_by_side_until_they_expire),
        cmocka_unit_test(the_oldest_token_makes_room),
        cmocka_unit_test(bearer_headers_are_recognised),
        cmocka_unit_test(scopes_are_spelled_in_order),
        cmocka_unit_test(access_keys_want_the_client_in_the_header),
        cmocka_unit_test(refresh_token_serves_until_the_next_one),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
