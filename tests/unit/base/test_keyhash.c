/* Keyed hashes against Python's hashlib, and random bytes that differ. */
#include "base/keyhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static int set_up(void **state)
{
    (void)state;
    return keyhash_library_init();
}

static void hashes_are_blake2b_128(void **state)
{
    (void)state;
    /* hashlib.blake2b(message, digest_size=16, key=bytes(range(32))).hexdigest() */
    static const struct {
        const char *message;
        const char *hex;
    } cases[] = {
        {"", "3daf97bce7888fd59773c66bf647459c"},
        {"abc", "1a64be47e4729d951c302ee543f97cf3"},
        {"contact-4711", "f0de5b28b086259641bf384909fa3218"},
    };
    struct keyhash keyhash;
    char text[KEYHASH_TEXT_BYTES];
    for (unsigned i = 0; i < KEYHASH_KEY_BYTES; i++) {
        keyhash.key[i] = (unsigned char)i;
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(
            keyhash_text(&keyhash, cases[i].message, strlen(cases[i].message), text), cases[i].hex);
    }
    unsigned char all[256];
    for (unsigned i = 0; i < sizeof all; i++) {
        all[i] = (unsigned char)i;
    }
    assert_string_equal(keyhash_text(&keyhash, all, sizeof all, text),
                        "c7eca2c1ae35a1e0f627b8ebbe105c94");
}

static void key_for_a_purpose_is_blake2b_256(void **state)
{
    (void)state;
    /* hashlib.blake2b(b"identity", digest_size=32, key=bytes(range(32))).digest() */
    static const unsigned char wanted[KEYHASH_KEY_BYTES] = {
        0x9b, 0xb3, 0x56, 0xb2, 0x5b, 0x83, 0x85, 0xdd, 0xa1, 0x1f, 0xe2,
        0x28, 0x83, 0xd5, 0x0b, 0x25, 0xa0, 0xbf, 0x33, 0x0a, 0xb7, 0xd8,
        0x45, 0xc5, 0xb9, 0xe1, 0x31, 0xa6, 0xdf, 0xc5, 0xab, 0x82};
    struct keyhash from;
    struct keyhash made;
    for (unsigned i = 0; i < KEYHASH_KEY_BYTES; i++) {
        from.key[i] = (unsigned char)i;
    }
    keyhash_derive(&from, "identity", &made);
    assert_memory_equal(made.key, wanted, sizeof wanted);
}

/* The example of the paper's appendix A: key 00 01 ... 0f, message 00 01 ... 0e. */
static void short_hash_is_siphash(void **state)
{
    (void)state;
    unsigned char key[KEYHASH_SHORT_KEY_BYTES];
    for (unsigned i = 0; i < sizeof key; i++) {
        key[i] = (unsigned char)i;
    }
    assert_true(keyhash_short(key, key, 15) == 0xa129ca6149be45e5u);
}

static void another_key_gives_another_hash(void **state)
{
    (void)state;
    struct keyhash a;
    struct keyhash b;
    char of_a[KEYHASH_TEXT_BYTES];
    char of_b[KEYHASH_TEXT_BYTES];
    keyhash_random(&a);
    keyhash_random(&b);
    assert_memory_not_equal(a.key, b.key, KEYHASH_KEY_BYTES);
    assert_string_not_equal(keyhash_text(&a, "x", 1, of_a), keyhash_text(&b, "x", 1, of_b));
    assert_string_equal(keyhash_text(&a, "x", 1, of_b), of_a);
}

static void random_bytes_differ(void **state)
{
    (void)state;
    unsigned char a[32] = {0};
    unsigned char b[32] = {0};
    keyhash_random_bytes(a, sizeof a);
    keyhash_random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

static void wiping_leaves_zeros(void **state)
{
    (void)state;
    char secret[] = "hunter2";
    static const char zeros[sizeof secret] = {0};
    keyhash_wipe(secret, sizeof secret);
    assert_memory_equal(secret, zeros, sizeof secret);
}

/* Vectors of the FNV authors' test suite (draft-eastlake-fnv). */
static void fnv1a_matches_its_authors(void **state)
{
    (void)state;
    assert_true(keyhash_fnv1a("", 0) == 0xcbf29ce484222325u);
    assert_true(keyhash_fnv1a("a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(keyhash_fnv1a("foobar", 6) == 0x85944171f73967e8u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_blake2b_128),
        cmocka_unit_test(key_for_a_purpose_is_blake2b_256),
        cmocka_unit_test(short_hash_is_siphash),
        cmocka_unit_test(another_key_gives_another_hash),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(wiping_leaves_zeros),
        cmocka_unit_test(fnv1a_matches_its_authors),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
