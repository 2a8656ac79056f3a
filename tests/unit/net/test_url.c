/* Percent-encoding and base addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/url.h"

#include <string.h>

static void test_encode_keeps_only_the_unreserved(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    assert_true(url_encode(&out, "AZaz09-._~", 10));
    assert_string_equal(buf_string(&out), "AZaz09-._~");
    buf_clear(&out);
    assert_true(url_encode(&out, "a b/c?d=e&f%g+\xc3\xa9\0!", 18));
    assert_string_equal(buf_string(&out), "a%20b%2Fc%3Fd%3De%26f%25g%2B%C3%A9%00%21");
    buf_clear(&out);
    assert_true(url_encode(&out, "", 0));
    assert_string_equal(buf_string(&out), "");
    buf_done(&out);
}

static void test_every_byte_survives_the_round_trip(void **state)
{
    (void)state;
    char bytes[256];
    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)i;
    }
    struct buf encoded, decoded;
    buf_init(&encoded, 4096);
    buf_init(&decoded, 4096);
    assert_true(url_encode(&encoded, bytes, sizeof bytes));
    for (int plus = 0; plus < 2; plus++) {
        buf_clear(&decoded);
        assert_true(url_decode(&decoded, encoded.bytes, encoded.size, plus == 1));
        assert_int_equal(decoded.size, sizeof bytes);
        assert_memory_equal(decoded.bytes, bytes, sizeof bytes);
    }
    buf_done(&encoded);
    buf_done(&decoded);
}

static void test_encode_fails_at_the_limit(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4);
    assert_false(url_encode(&out, "a/b", 3));
    buf_done(&out);
}

static void test_decode_reads_escapes_and_plus_as_asked(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    assert_true(url_decode(&out, "a%2fb%2F+%C3%a9", 15, false));
    assert_string_equal(buf_string(&out), "a/b/+\xc3\xa9");
    buf_clear(&out);
    assert_true(url_decode(&out, "a+b%2B", 6, true));
    assert_string_equal(buf_string(&out), "a b+");
    static const char *const BAD[] = {"%", "a%", "%2", "%zz", "%2g", "%g2", "%%41", "%-1"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        assert_false(url_decode(&out, BAD[i], strlen(BAD[i]), false));
    }
    buf_clear(&out);
    assert_false(url_decode(&out, "%41", 2, false)); /* the size counts, not the NUL */
    buf_done(&out);
}

static void expect_base(const char *text, bool allow_plain, const char *expected)
{
    struct buf out;
    struct error err = {0};
    buf_init(&out, 4096);
    if (url_check_base(text, allow_plain, &out, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    assert_string_equal(buf_string(&out), expected);
    buf_done(&out);
}

static void expect_refused(const char *text, bool allow_plain, const char *part)
{
    struct buf out;
    struct error err = {0};
    buf_init(&out, 4096);
    assert_int_equal(url_check_base(text, allow_plain, &out, &err), ERROR_CONFIG);
    if (!strstr(err.message, part)) {
        fail_msg("\"%s\" does not name \"%s\"", err.message, part);
    }
    assert_int_equal(out.size, 0);
    buf_done(&out);
}

static void test_base_addresses_are_normalised(void **state)
{
    (void)state;
    expect_base("https://api.example.com", false, "https://api.example.com");
    expect_base("HTTPS://API.Example.COM///", false, "https://api.example.com");
    expect_base("https://api.example.com:8443/in/Contact/", false,
                "https://api.example.com:8443/in/Contact");
    expect_base("https://h/a%20b;v=1,2/~x:@!$&'()*+", false, "https://h/a%20b;v=1,2/~x:@!$&'()*+");
    expect_base("https://[2001:DB8::1]:443/x", false, "https://[2001:db8::1]:443/x");
    expect_base("https://10.0.0.1/", false, "https://10.0.0.1");
}

static void test_plain_http_is_for_loopback_only(void **state)
{
    (void)state;
    expect_base("http://localhost:80", false, "http://localhost:80");
    expect_base("http://sim.LOCALHOST/", false, "http://sim.localhost");
    expect_base("http://127.0.0.1:9000", false, "http://127.0.0.1:9000");
    expect_base("http://127.255.1.2", false, "http://127.255.1.2");
    expect_base("http://[::1]:9000", false, "http://[::1]:9000");
    expect_base("http://api.example.com", true, "http://api.example.com");
    expect_refused("http://api.example.com", false, "https");
    expect_refused("http://127.evil.com", false, "https");
    expect_refused("http://127.0.0.1.evil.com", false, "https");
    expect_refused("http://notlocalhost", false, "https");
    expect_refused("http://[::2]", false, "https");
    expect_refused("http://0.0.0.0", false, "https");
}

static void test_refusal_names_the_part(void **state)
{
    (void)state;
    expect_refused("", false, "https://");
    expect_refused("api.example.com", false, "https://");
    expect_refused("ftp://api.example.com", false, "https://");
    expect_refused("https:/api.example.com", false, "https://");
    expect_refused("https://", false, "host");
    expect_refused("https:///path", false, "host");
    expect_refused("https://:443", false, "host");
    expect_refused("https://ex ample", false, "host");
    expect_refused("https://ex\\ample", false, "host");
    expect_refused("https://b\xc3\xbc"
                   "cher.example",
                   false, "host");
    expect_refused("https://[::1", false, "host");
    expect_refused("https://[1.2.3.4]", false, "IPv6");
    expect_refused("https://[:::]", false, "IPv6");
    expect_refused("https://h:", false, "port");
    expect_refused("https://h:0", false, "port");
    expect_refused("https://h:65536", false, "port");
    expect_refused("https://h:999999", false, "port");
    expect_refused("https://h:4x3", false, "port");
    expect_refused("https://h:-1", false, "port");
    expect_refused("https://[::1]443", false, "port");
    expect_refused("https://user:secret@h/", false, "password");
    expect_refused("https://user@h/", false, "user name");
    expect_refused("https://h/?a=b", false, "query");
    expect_refused("https://h?", false, "query");
    expect_refused("https://h/#x", false, "fragment");
    expect_refused("https://h/a b", false, "path");
    expect_refused("https://h/\xc3\xa9", false, "path");
    expect_refused("https://h/a%2", false, "path");
    expect_refused("https://h/a\nb", false, "path");
    char long_text[4096];
    memset(long_text, 'a', sizeof long_text);
    memcpy(long_text, "https://", 8);
    long_text[sizeof long_text - 1] = '\0';
    expect_refused(long_text, false, "longer");
    long_text[8 + 256] = '\0';
    expect_refused(long_text, false, "host");
}

static void test_refusal_never_repeats_a_password(void **state)
{
    (void)state;
    struct buf out;
    struct error err = {0};
    buf_init(&out, 4096);
    (void)url_check_base("https://user:secret@h/", false, &out, &err);
    assert_null(strstr(err.message, "secret"));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode_keeps_only_the_unreserved),
        cmocka_unit_test(test_every_byte_survives_the_round_trip),
        cmocka_unit_test(test_encode_fails_at_the_limit),
        cmocka_unit_test(test_decode_reads_escapes_and_plus_as_asked),
        cmocka_unit_test(test_base_addresses_are_normalised),
        cmocka_unit_test(test_plain_http_is_for_loopback_only),
        cmocka_unit_test(test_refusal_names_the_part),
        cmocka_unit_test(test_refusal_never_repeats_a_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
