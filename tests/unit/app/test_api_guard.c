/* Who passes the guard of the API, and how often. */
#include "app/api_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct mono start = {1000000};

static struct api_guard make_guard(const char *token)
{
    struct api_guard guard;
    api_guard_init(&guard, start);
    api_guard_set_token(&guard, token);
    return guard;
}

static void only_the_whole_token_passes(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum api_guard_verdict verdict;
    } cases[] = {
        {"Bearer abcdefghijklmnop", API_GUARD_PASS},
        {"bearer abcdefghijklmnop", API_GUARD_PASS}, /* RFC 9110: the scheme's case is ignored */
        {"Bearer   abcdefghijklmnop", API_GUARD_PASS},
        {"Bearer abcdefghijklmno", API_GUARD_DENIED},
        {"Bearer abcdefghijklmnopq", API_GUARD_DENIED},
        {"Bearer ABCDEFGHIJKLMNOP", API_GUARD_DENIED},
        {"Bearer ", API_GUARD_DENIED},
        {"Bearer", API_GUARD_DENIED},
        {"Basic abcdefghijklmnop", API_GUARD_DENIED},
        {"abcdefghijklmnop", API_GUARD_DENIED},
        {"", API_GUARD_DENIED},
        {NULL, API_GUARD_DENIED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct api_guard guard = make_guard("abcdefghijklmnop");
        assert_int_equal(api_guard_check(&guard, cases[i].header, start), cases[i].verdict);
    }
}

static void without_a_token_nobody_passes(void **state)
{
    (void)state;
    struct api_guard guard = make_guard("");
    assert_int_equal(api_guard_check(&guard, "Bearer ", start), API_GUARD_OFF);
    assert_int_equal(api_guard_check(&guard, NULL, start), API_GUARD_OFF);
}

static void another_token_takes_the_place_of_the_first(void **state)
{
    (void)state;
    struct api_guard guard = make_guard("first-first-first");
    api_guard_set_token(&guard, "other-other-other");
    assert_int_equal(api_guard_check(&guard, "Bearer first-first-first", start), API_GUARD_DENIED);
    assert_int_equal(api_guard_check(&guard, "Bearer other-other-other", start), API_GUARD_PASS);
}

static void guesses_are_slowed_and_the_right_token_is_not(void **state)
{
    (void)state;
    struct api_guard guard = make_guard("abcdefghijklmnop");
    for (int i = 0; i < 30; i++) {
        enum api_guard_verdict wanted = i < 10 ? API_GUARD_DENIED : API_GUARD_SLOW;
        assert_int_equal(api_guard_check(&guard, "Bearer x", start), wanted);
    }
    assert_int_equal(api_guard_check(&guard, "Bearer abcdefghijklmnop", start), API_GUARD_PASS);
    assert_int_equal(api_guard_check(&guard, "Bearer x", mono_after_ms(start, 1000)),
                     API_GUARD_DENIED);
}

static void requests_are_bounded_too(void **state)
{
    (void)state;
    struct api_guard guard = make_guard("abcdefghijklmnop");
    int passed = 0;
    for (int i = 0; i < 300; i++) {
        passed += api_guard_check(&guard, "Bearer abcdefghijklmnop", start) == API_GUARD_PASS;
    }
    assert_int_equal(passed, 100);
    assert_int_equal(api_guard_check(&guard, "Bearer abcdefghijklmnop", mono_after_ms(start, 1000)),
                     API_GUARD_PASS);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_whole_token_passes),
        cmocka_unit_test(without_a_token_nobody_passes),
        cmocka_unit_test(another_token_takes_the_place_of_the_first),
        cmocka_unit_test(guesses_are_slowed_and_the_right_token_is_not),
        cmocka_unit_test(requests_are_bounded_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
