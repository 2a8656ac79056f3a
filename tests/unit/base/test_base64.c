/* Expected values: the test vectors of RFC 4648, section 10. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *text, const char *decoded)
{
    unsigned char *bytes = NULL;
    size_t size = 99;
    assert_true(base64_decode(text, strlen(text), &bytes, &size));
    assert_non_null(bytes);
    assert_int_equal(size, strlen(decoded));
    assert_memory_equal(bytes, decoded, size);
    free(bytes);
}

static void the_vectors_of_the_rfc_are_decoded(void **state)
{
    (void)state;
    expect("", "");
    expect("Zg==", "f");
    expect("Zm8=", "fo");
    expect("Zm9v", "foo");
    expect("Zm9vYg==", "foob");
    expect("Zm9vYmE=", "fooba");
    expect("Zm9vYmFy", "foobar");
}

static void malformed_text_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "Z", "Zg", "Zg=", "Zg== ", "Zm9v!", "Zm 9v", "====", "Zh=="};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char *bytes = (unsigned char *)"x";
        size_t size = 99;
        assert_false(base64_decode(cases[i], strlen(cases[i]), &bytes, &size));
        assert_null(bytes);
        assert_int_equal(size, 0);
    }
}

static void the_vectors_of_the_rfc_are_encoded(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    struct buf out;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_init(&out, 11);
        assert_true(buf_append_string(&out, "-> "));
        assert_true(base64_encode(&out, rows[i][0], strlen(rows[i][0])));
        assert_int_equal(out.size, 3 + strlen(rows[i][1]));
        assert_string_equal(buf_string(&out) + 3, rows[i][1]);
        buf_done(&out);
    }
    buf_init(&out, 7);
    assert_false(base64_encode(&out, "foob", 4));
    assert_true(out.failed);
    buf_done(&out);
}

/* RFC 7515, appendix C: these bytes need both letters in which the alphabets differ. */
static void the_other_alphabet_is_decoded(void **state)
{
    (void)state;
    static const unsigned char expected[] = {3, 236, 255, 224, 193};
    unsigned char *bytes;
    size_t size;
    assert_true(base64_decode_url("A-z_4ME", 7, &bytes, &size));
    assert_int_equal(size, sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
    free(bytes);
    assert_false(base64_decode_url("A-z/4ME", 7, &bytes, &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_are_decoded),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(the_vectors_of_the_rfc_are_encoded),
        cmocka_unit_test(the_other_alphabet_is_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
