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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_are_decoded),
        cmocka_unit_test(malformed_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
