/* Which posts of the vendor's webhook are believed, and each of them once. The signatures are
 * OpenSSL's: printf '%s' TIMESTAMP.BODY | openssl dgst -sha256 -hmac SECRET */
#include "app/webhook_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "0123456789abcdef-webhook"
#define BODY                                              \
    "{\"event\":\"contact-started\",\"eventId\":\"e-1\"," \
    "\"interactionId\":\"call-1\"}"
#define SIGNATURE            "v1=e27cc1ab989d024338bf2b22efccf9c556e076b2474b46db4722d09223a9902c"
#define SIGNATURE_OF_NOTHING "v1=bb24b03c2ef53b1e0cd74b4805369970277e033a0aaef0ccf579b29c330aeb23"

static const struct wall then = {1700000000000};

static int set_up(void **state)
{
    static struct webhook_guard guard;
    int result = keyhash_library_init();
    webhook_guard_init(&guard);
    *state = &guard;
    return result;
}

static int tear_down(void **state)
{
    webhook_guard_done(*state);
    return 0;
}

static enum webhook_verdict check(void **state, const char *timestamp, const char *signature,
                                  const char *body, struct wall now)
{
    const struct webhook_proof proof = {.timestamp = timestamp,
                                        .signature = signature,
                                        .secret = SECRET, /* which is no proof here */
                                        .body = body,
                                        .body_bytes = strlen(body)};
    return webhook_guard_check(*state, WEBHOOK_CHECK_SIGNATURE, SECRET, &proof, now);
}

static void a_post_signed_with_the_secret_is_believed(void **state)
{
    assert_int_equal(check(state, "1700000000", SIGNATURE, BODY, then), WEBHOOK_PASS);
    assert_int_equal(check(state, "1700000000", SIGNATURE_OF_NOTHING, "", then), WEBHOOK_PASS);
}

static void any_other_is_not(void **state)
{
    static const char *const wrong[] = {
        NULL,
        "",
        "v1=",
        "v1",
        SIGNATURE_OF_NOTHING,
        SIGNATURE "0",
        SIGNATURE "\n",
        "e27cc1ab989d024338bf2b22efccf9c556e076b2474b46db4722d09223a9902c",
        "v2=e27cc1ab989d024338bf2b22efccf9c556e076b2474b46db4722d09223a9902c",
        "v1=E27CC1AB989D024338BF2B22EFCCF9C556E076B2474B46DB4722D09223A9902C",
        "v1=f27cc1ab989d024338bf2b22efccf9c556e076b2474b46db4722d09223a9902c",
        "v1=e27cc1ab989d024338bf2b22efccf9c556e076b2474b46db4722d09223a9902d",
        "v1=e27cc1ab989d024338bf2b22efccf9c556e076b2474b46db4722d09223a9902",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (check(state, "1700000000", wrong[i], BODY, then) != WEBHOOK_DENIED) {
            fail_msg("wrong[%zu] was believed", i);
        }
    }
    assert_int_equal(check(state, "1700000000", SIGNATURE, BODY " ", then), WEBHOOK_DENIED);
}

static void a_timestamp_is_digits_and_part_of_what_is_signed(void **state)
{
    static const char *const wrong[] = {NULL,
                                        "",
                                        "1700000001",
                                        "-1700000000",
                                        "+1700000000",
                                        " 1700000000",
                                        "1700000000.0",
                                        "01700000000",
                                        "99999999999999999999999999",
                                        "now"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (check(state, wrong[i], SIGNATURE, BODY, then) != WEBHOOK_DENIED) {
            fail_msg("wrong[%zu] was believed", i);
        }
    }
}

static void five_minutes_to_either_side_a_signature_holds_no_more(void **state)
{
    static const struct {
        int64_t after_ms;
        enum webhook_verdict verdict;
    } cases[] = {{300000, WEBHOOK_PASS},
                 {300001, WEBHOOK_STALE},
                 {-300000, WEBHOOK_PASS},
                 {-300001, WEBHOOK_STALE},
                 {86400 * 1000LL, WEBHOOK_STALE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct wall now = {then.ms + cases[i].after_ms};
        assert_int_equal(check(state, "1700000000", SIGNATURE, BODY, now), cases[i].verdict);
    }
}

static void a_secret_may_be_shown_instead_where_that_is_wanted(void **state)
{
    static const struct {
        const char *given;
        enum webhook_verdict verdict;
    } cases[] = {{SECRET, WEBHOOK_PASS}, {NULL, WEBHOOK_DENIED},
                 {"", WEBHOOK_DENIED},   {SECRET "x", WEBHOOK_DENIED},
                 {"0", WEBHOOK_DENIED},  {"0123456789ABCDEF-webhook", WEBHOOK_DENIED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct webhook_proof proof = {.secret = cases[i].given, .body = ""};
        assert_int_equal(webhook_guard_check(*state, WEBHOOK_CHECK_SECRET, SECRET, &proof, then),
                         cases[i].verdict);
    }
}

static void without_a_secret_nobody_is_believed(void **state)
{
    const struct webhook_proof proof = {.secret = "", .body = ""};
    assert_int_equal(webhook_guard_check(*state, WEBHOOK_CHECK_SECRET, "", &proof, then),
                     WEBHOOK_DENIED);
}

static struct mono at_s(int64_t seconds)
{
    return (struct mono){seconds * 1000000};
}

static void an_event_is_taken_once_as_long_as_its_signature_can_hold(void **state)
{
    struct webhook_guard *guard = *state;
    assert_false(webhook_guard_knows(guard, "e-1"));
    assert_true(webhook_guard_remember(guard, "e-1", at_s(1)));
    assert_true(webhook_guard_knows(guard, "e-1"));
    assert_false(webhook_guard_knows(guard, "e-2"));
    /* Signed five minutes ahead of its arrival, it holds for ten. */
    assert_true(webhook_guard_remember(guard, "e-2", at_s(601)));
    assert_true(webhook_guard_knows(guard, "e-1"));
    assert_true(webhook_guard_has_room(guard, at_s(603)));
    assert_false(webhook_guard_knows(guard, "e-1"));
    assert_true(webhook_guard_knows(guard, "e-2"));
}

static void more_than_can_be_remembered_are_refused_not_forgotten(void **state)
{
    struct webhook_guard *guard = *state;
    char name[32];
    for (int i = 0; i < WEBHOOK_GUARD_POSTS_MAX; i++) {
        snprintf(name, sizeof name, "event-%d", i);
        assert_true(webhook_guard_remember(guard, name, at_s(10)));
    }
    assert_false(webhook_guard_has_room(guard, at_s(600)));
    assert_false(webhook_guard_remember(guard, "another", at_s(600)));
    assert_true(webhook_guard_knows(guard, "event-0"));
    assert_true(webhook_guard_has_room(guard, at_s(612)));
    assert_false(webhook_guard_knows(guard, "event-0"));
    assert_true(webhook_guard_remember(guard, "another", at_s(612)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_signed_with_the_secret_is_believed),
        cmocka_unit_test(any_other_is_not),
        cmocka_unit_test(a_timestamp_is_digits_and_part_of_what_is_signed),
        cmocka_unit_test(five_minutes_to_either_side_a_signature_holds_no_more),
        cmocka_unit_test(a_secret_may_be_shown_instead_where_that_is_wanted),
        cmocka_unit_test(without_a_secret_nobody_is_believed),
        cmocka_unit_test_setup_teardown(an_event_is_taken_once_as_long_as_its_signature_can_hold,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_than_can_be_remembered_are_refused_not_forgotten,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
