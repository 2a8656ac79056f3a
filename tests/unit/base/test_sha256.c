/* The two examples of FIPS 180-2, appendix B, from files. */
#include "base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void expect_hash(const char *text, size_t times, const char *expected)
{
    char path[] = "/tmp/undertone-sha-XXXXXX";
    char hash[SHA256_TEXT_BYTES];
    struct error err = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < times; i++) {
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    }
    assert_int_equal(close(fd), 0);
    assert_int_equal(sha256_file(path, hash, &err), 0);
    assert_string_equal(hash, expected);
    (void)unlink(path);
    assert_int_equal(sha256_file(path, hash, &err), ERROR_IO);
    assert_non_null(strstr(err.message, path));
}

static void files_have_the_standards_hashes(void **state)
{
    (void)state;
    expect_hash("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    /* a million times "a" */
    expect_hash("aaaaaaaaaa", 100000,
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231, cases 2 and 6, and an empty message from Wikipedia's article on HMAC. */
static void keyed_hashes_are_those_of_the_rfc(void **state)
{
    (void)state;
    char key[132] = {0};
    char hash[SHA256_TEXT_BYTES];
    assert_string_equal(sha256_hmac("Jefe", "what do ya want ", "for nothing?", 12, hash),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, 131);
    const char *rest = "Larger Than Block-Size Key - Hash Key First";
    assert_string_equal(sha256_hmac(key, "Test Using ", rest, strlen(rest), hash),
                        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_string_equal(sha256_hmac("", "", "", 0, hash),
                        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_have_the_standards_hashes),
        cmocka_unit_test(keyed_hashes_are_those_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
