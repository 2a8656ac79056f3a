/* How many refusals are the client's quota: a few by chance, some, or many. */
#include "cxone/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct mono at_ms(int64_t ms)
{
    return (struct mono){5000000 + ms * 1000};
}

static enum throttle_verdict refuse(struct throttle *throttle, uint64_t interaction, int64_t ms)
{
    double share;
    return throttle_refused(throttle, interaction, &share, at_ms(ms));
}

static void one_interaction_is_its_own_affair(void **state)
{
    (void)state;
    struct throttle throttle;
    throttle_reset(&throttle, at_ms(0));
    for (int i = 0; i < 50; i++) {
        assert_int_equal(refuse(&throttle, 1, i), THROTTLE_CHANCE);
    }
}

static void three_among_few_are_many(void **state)
{
    (void)state;
    struct throttle throttle;
    double share;
    throttle_reset(&throttle, at_ms(0));
    throttle_accepted(&throttle, at_ms(0));
    assert_int_equal(refuse(&throttle, 1, 0), THROTTLE_CHANCE);
    assert_int_equal(refuse(&throttle, 2, 500), THROTTLE_CHANCE);
    assert_int_equal(throttle_refused(&throttle, 3, &share, at_ms(999)), THROTTLE_MANY);
    assert_true(share > 0.74 && share < 0.76); /* three of four */
    throttle_reset(&throttle, at_ms(1000));
    assert_int_equal(refuse(&throttle, 4, 1000), THROTTLE_CHANCE); /* counted anew */
}

/* 3 refusals among 33 good answers are one in twelve, among 34 fewer. */
static enum throttle_verdict refused_thrice_after(int accepted)
{
    struct throttle throttle;
    throttle_reset(&throttle, at_ms(0));
    for (int i = 0; i < accepted; i++) {
        throttle_accepted(&throttle, at_ms(i));
    }
    refuse(&throttle, 1, accepted);
    refuse(&throttle, 2, accepted);
    return refuse(&throttle, 3, accepted);
}

static void refusals_strewn_among_good_answers_are_chance(void **state)
{
    (void)state;
    assert_int_equal(refused_thrice_after(33), THROTTLE_MANY);
    assert_int_equal(refused_thrice_after(34), THROTTLE_CHANCE);
    assert_int_equal(refused_thrice_after(500), THROTTLE_CHANCE);
}

static void good_answers_of_long_ago_do_not_excuse(void **state)
{
    (void)state;
    struct throttle throttle;
    throttle_reset(&throttle, at_ms(0));
    for (int i = 0; i < 500; i++) {
        throttle_accepted(&throttle, at_ms(i));
    }
    for (int i = 0; i < 30; i++) {
        throttle_accepted(&throttle, at_ms(2000 + i));
    }
    refuse(&throttle, 1, 3500);
    refuse(&throttle, 2, 3500);
    assert_int_equal(refuse(&throttle, 3, 3500), THROTTLE_MANY);
}

/* At two requests a second, too: the shares are of answers, not of seconds. */
static void a_slow_rate_is_judged_like_a_fast_one(void **state)
{
    (void)state;
    struct throttle throttle;
    throttle_reset(&throttle, at_ms(0));
    enum throttle_verdict verdict = THROTTLE_CHANCE;
    int64_t ms = 0;
    for (uint64_t i = 1; verdict == THROTTLE_CHANCE && i < 100; i++, ms += 500) {
        if (i % 10 == 0) {
            verdict = refuse(&throttle, i, ms);
        } else {
            throttle_accepted(&throttle, at_ms(ms));
        }
    }
    assert_int_equal(verdict, THROTTLE_MANY); /* one in ten */
    assert_true(ms <= 15000);
}

/* Of 100 answers a second for 30 s, every so many are refused; what they come to in the end. */
static enum throttle_verdict refused_for_long(int one_in)
{
    struct throttle throttle;
    enum throttle_verdict worst = THROTTLE_CHANCE;
    throttle_reset(&throttle, at_ms(0));
    for (int i = 1; i <= 3000; i++) {
        if (i % one_in == 0) {
            enum throttle_verdict verdict = refuse(&throttle, (uint64_t)i, i * 10);
            worst = verdict > worst ? verdict : worst;
        } else {
            throttle_accepted(&throttle, at_ms(i * 10));
        }
    }
    return worst;
}

static void a_small_share_that_lasts_is_some(void **state)
{
    (void)state;
    assert_int_equal(refused_for_long(40), THROTTLE_SOME);
    assert_int_equal(refused_for_long(100), THROTTLE_CHANCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_interaction_is_its_own_affair),
        cmocka_unit_test(three_among_few_are_many),
        cmocka_unit_test(refusals_strewn_among_good_answers_are_chance),
        cmocka_unit_test(good_answers_of_long_ago_do_not_excuse),
        cmocka_unit_test(a_slow_rate_is_judged_like_a_fast_one),
        cmocka_unit_test(a_small_share_that_lasts_is_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
