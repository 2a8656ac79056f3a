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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_have_the_standards_hashes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
