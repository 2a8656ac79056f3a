/* Addresses: every accepted spelling of the environment has one reading, all others are refused. */
#include "cxone/cxone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct cxone_profile tutorial(void)
{
    struct cxone_options options;
    cxone_options_default(&options);
    return options.profile;
}

/* A right that was missing for moments must be found again before the calls that ended in the
 * meantime give up on their last attributes: six tries, 30 s apart (config/wire.c). */
static void a_denied_right_is_tried_again_within_a_minute(void **state)
{
    (void)state;
    struct cxone_options options;
    cxone_options_default(&options);
    assert_in_range(options.denied_probe_ms, 5000, 60000);
}

static void environment_has_one_reading(void **state)
{
    (void)state;
    static const struct {
        const char *env;
        const char *base; /* NULL: refused */
    } rows[] = {
        {"us-1", "https://us-1.api.cxone.com"},
        {"EU1", "https://eu1.api.cxone.com"},
        {"us-1.api.cxone.com", "https://us-1.api.cxone.com"},
        {"us-1.api.cxone.com/", "https://us-1.api.cxone.com"},
        {"us-1.api.cxone.com:8443", "https://us-1.api.cxone.com:8443"},
        {"localhost:8443", "https://localhost:8443"},
        {"[::1]:8443", "https://[::1]:8443"},
        {"https://api-na1.niceincontact.com", "https://api-na1.niceincontact.com"},
        {"https://host/base/path/", "https://host/base/path"},
        {"http://localhost:8080", "http://localhost:8080"},
        {"http://127.0.0.1:8080/", "http://127.0.0.1:8080"},
        {"http://us-1.api.cxone.com", NULL},
        {"https://user:pw@us-1.api.cxone.com", NULL},
        {"user@us-1.api.cxone.com", NULL},
        {"https://us-1.api.cxone.com?x=1", NULL},
        {"https://us-1.api.cxone.com#x", NULL},
        {"us-1.api.cxone.com/api", NULL},
        {"us-1.api.cxone.com?x", NULL},
        {"us_1", NULL},
        {"-us", NULL},
        {"us-1 ", NULL},
        {"us-1\n", NULL},
        {"us\xC3\xA9", NULL},
        {"ftp://us-1.api.cxone.com", NULL},
        {"https://", NULL},
        {"host.example:0", NULL},
        {"host.example:99999", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cxone_profile profile = tutorial();
        struct error err = {0};
        struct buf base;
        buf_init(&base, 1024);
        profile.env = rows[i].env;
        int result = cxone_profile_base(&profile, &base, &err);
        if (rows[i].base) {
            assert_int_equal(result, 0);
            assert_string_equal(buf_string(&base), rows[i].base);
        } else {
            assert_int_equal(result, ERROR_CONFIG);
            assert_true(err.message[0] != '\0');
        }
        buf_done(&base);
    }
}

static void template_expands_labels_only(void **state)
{
    (void)state;
    struct cxone_profile profile = tutorial();
    struct buf base;
    buf_init(&base, 1024);
    profile.env = "eu";
    profile.env_template = "https://api-{env}.{env}.example.com/v1/";
    assert_int_equal(cxone_profile_base(&profile, &base, NULL), 0);
    assert_string_equal(buf_string(&base), "https://api-eu.eu.example.com/v1");
    profile.env_template = "https://example.com";
    assert_int_equal(cxone_profile_base(&profile, &base, NULL), ERROR_CONFIG);
    profile.env_template = NULL;
    assert_int_equal(cxone_profile_base(&profile, &base, NULL), ERROR_CONFIG);
    buf_done(&base);
}

static void api_base_overrides_the_environment(void **state)
{
    (void)state;
    struct cxone_profile profile = tutorial();
    struct error err = {0};
    struct buf base;
    buf_init(&base, 1024);
    profile.api_base = "https://gateway.example.com/cx/";
    assert_int_equal(cxone_profile_base(&profile, &base, &err), 0);
    assert_string_equal(buf_string(&base), "https://gateway.example.com/cx");
    buf_clear(&base);
    profile.api_base = "gateway.example.com";
    assert_int_equal(cxone_profile_base(&profile, &base, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "api_base"));
    buf_clear(&base);
    profile.api_base = "http://gateway.example.com";
    assert_int_equal(cxone_profile_base(&profile, &base, NULL), ERROR_CONFIG);
    buf_clear(&base);
    profile.allow_plain_http = true;
    assert_int_equal(cxone_profile_base(&profile, &base, NULL), 0);
    buf_done(&base);
}

static void token_endpoint_follows_base_or_override(void **state)
{
    (void)state;
    struct cxone_profile profile = tutorial();
    struct error err = {0};
    struct buf url;
    buf_init(&url, 1024);
    assert_int_equal(cxone_profile_auth_url(&profile, &url, NULL), 0);
    assert_string_equal(buf_string(&url), "https://us-1.api.cxone.com/oauth/token");
    buf_clear(&url);
    profile.auth_url = "https://login.example.com/token";
    assert_int_equal(cxone_profile_auth_url(&profile, &url, NULL), 0);
    assert_string_equal(buf_string(&url), "https://login.example.com/token");
    buf_clear(&url);
    profile.auth_url = "http://login.example.com/token";
    assert_int_equal(cxone_profile_auth_url(&profile, &url, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "auth_url"));
    buf_clear(&url);
    profile.auth_url = NULL;
    profile.token_path = "oauth/token";
    assert_int_equal(cxone_profile_auth_url(&profile, &url, NULL), ERROR_CONFIG);
    profile.token_path = "/oauth/token?grant=x";
    assert_int_equal(cxone_profile_auth_url(&profile, &url, NULL), ERROR_CONFIG);
    buf_done(&url);
}

/* Expected escapes by Python's urllib.parse.quote(id, safe=""). */
static void ids_are_percent_encoded(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        const char *encoded; /* NULL: refused */
    } rows[] = {
        {"123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"},
        {"a/b?c#d", "a%2Fb%3Fc%23d"},
        {"a b+c%d", "a%20b%2Bc%25d"},
        {"../x", "..%2Fx"},
        {"caf\xC3\xA9&=", "caf%C3%A9%26%3D"},
        {"~a_b.c-d", "~a_b.c-d"},
        {"{id}", "%7Bid%7D"},
        {"", NULL},
        {".", NULL},
        {"..", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf url, expected;
        buf_init(&url, 4096);
        buf_init(&expected, 4096);
        int result = cxone_profile_url("{base}/i/{id}/t?startTime={start_ms}", "https://h",
                                       rows[i].id, 1698765432000, &url, NULL);
        if (rows[i].encoded) {
            assert_int_equal(result, 0);
            buf_printf(&expected, "https://h/i/%s/t?startTime=1698765432000", rows[i].encoded);
            assert_string_equal(buf_string(&url), buf_string(&expected));
        } else {
            assert_int_equal(result, ERROR_USAGE);
        }
        buf_done(&url);
        buf_done(&expected);
    }
}

static void id_length_is_bounded(void **state)
{
    (void)state;
    char id[CXONE_ID_BYTES_MAX + 2];
    struct buf url;
    buf_init(&url, 4096);
    memset(id, 'x', sizeof id);
    id[CXONE_ID_BYTES_MAX] = '\0';
    assert_int_equal(cxone_profile_url("{base}/{id}", "https://h", id, 0, &url, NULL), 0);
    buf_clear(&url);
    id[CXONE_ID_BYTES_MAX] = 'x';
    id[CXONE_ID_BYTES_MAX + 1] = '\0';
    assert_int_equal(cxone_profile_url("{base}/{id}", "https://h", id, 0, &url, NULL), ERROR_USAGE);
    buf_done(&url);
}

static void broken_templates_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct buf url;
    buf_init(&url, 4096);
    assert_int_equal(cxone_profile_url("{base}/{who}", "https://h", "1", 0, &url, &err),
                     ERROR_CONFIG);
    assert_non_null(strstr(err.message, "{who}"));
    assert_int_equal(cxone_profile_url("{base}/{id", "https://h", "1", 0, &url, NULL),
                     ERROR_CONFIG);
    buf_done(&url);
    buf_init(&url, 16);
    assert_int_equal(cxone_profile_url("{base}/0123456789", "https://h", "1", 0, &url, NULL),
                     ERROR_LIMIT);
    buf_done(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_denied_right_is_tried_again_within_a_minute),
        cmocka_unit_test(environment_has_one_reading),
        cmocka_unit_test(template_expands_labels_only),
        cmocka_unit_test(api_base_overrides_the_environment),
        cmocka_unit_test(token_endpoint_follows_base_or_override),
        cmocka_unit_test(ids_are_percent_encoded),
        cmocka_unit_test(id_length_is_bounded),
        cmocka_unit_test(broken_templates_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
