/* What each grant sends. Expected escapes by Python's urllib.parse.quote(value, safe=""), base64 by
 * its base64.b64encode. */
#include "cxone/auth_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char form_type[] = "application/x-www-form-urlencoded";

static void expect(const struct cxone_profile *profile, const char *refresh, const char *type,
                   const char *body, const char *authorization)
{
    struct auth_request request;
    assert_int_equal(auth_request_write(profile, refresh, &request, NULL), 0);
    assert_string_equal(request.content_type, type);
    assert_string_equal(buf_string(&request.body), body);
    assert_string_equal(buf_string(&request.authorization), authorization);
    auth_request_done(&request);
}

static void form_is_encoded_outside_the_unreserved_set(void **state)
{
    (void)state;
    struct cxone_profile profile = {
        .client_id = "id with blank", .client_secret = "=&+%\xC3\xA9", .scope = "a:b c:d"};
    expect(&profile, NULL, form_type,
           "grant_type=client_credentials&client_id=id%20with%20blank"
           "&client_secret=%3D%26%2B%25%C3%A9&scope=a%3Ab%20c%3Ad",
           "");
    profile.scope = "";
    expect(&profile, NULL, form_type,
           "grant_type=client_credentials&client_id=id%20with%20blank"
           "&client_secret=%3D%26%2B%25%C3%A9",
           "");
}

static void access_key_goes_as_user_and_password(void **state)
{
    (void)state;
    struct cxone_profile profile = {.grant = CXONE_GRANT_ACCESS_KEY_PASSWORD,
                                    .access_key_id = "KEY==",
                                    .access_key_secret = "s&=",
                                    .client_id = "app@tenant",
                                    .client_secret = "top:secret",
                                    .client_auth = CXONE_CLIENT_AUTH_BASIC};
    expect(&profile, NULL, form_type, "grant_type=password&username=KEY%3D%3D&password=s%26%3D",
           "Basic YXBwJTQwdGVuYW50OnRvcCUzQXNlY3JldA==");
    profile.client_auth = CXONE_CLIENT_AUTH_POST;
    expect(&profile, NULL, form_type,
           "grant_type=password&username=KEY%3D%3D&password=s%26%3D&client_id=app%40tenant"
           "&client_secret=top%3Asecret",
           "");
    profile.client_id = "";
    profile.client_secret = NULL;
    expect(&profile, NULL, form_type, "grant_type=password&username=KEY%3D%3D&password=s%26%3D",
           "");
}

static void older_log_in_is_json(void **state)
{
    (void)state;
    const struct cxone_profile profile = {
        .grant = CXONE_GRANT_ACCESS_KEY_JSON, .access_key_id = "K\"", .access_key_secret = "s\\"};
    expect(&profile, NULL, "application/json",
           "{\"accessKeyId\":\"K\\\"\",\"accessKeySecret\":\"s\\\\\"}", "");
}

static void refresh_token_replaces_the_grant(void **state)
{
    (void)state;
    const struct cxone_profile profile = {.grant = CXONE_GRANT_ACCESS_KEY_JSON,
                                          .access_key_id = "K",
                                          .access_key_secret = "s",
                                          .client_id = "c"};
    expect(&profile, "r/1", form_type, "grant_type=refresh_token&refresh_token=r%2F1&client_id=c",
           "");
}

static void too_long_a_secret_is_told(void **state)
{
    (void)state;
    static char secret[70 * 1024];
    struct auth_request request;
    memset(secret, 'x', sizeof secret - 1);
    struct cxone_profile profile = {.client_id = "c", .client_secret = secret};
    assert_int_equal(auth_request_write(&profile, NULL, &request, NULL), ERROR_MEMORY);
    profile.client_auth = CXONE_CLIENT_AUTH_BASIC;
    assert_int_equal(auth_request_write(&profile, NULL, &request, NULL), ERROR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form_is_encoded_outside_the_unreserved_set),
        cmocka_unit_test(access_key_goes_as_user_and_password),
        cmocka_unit_test(older_log_in_is_json),
        cmocka_unit_test(refresh_token_replaces_the_grant),
        cmocka_unit_test(too_long_a_secret_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
