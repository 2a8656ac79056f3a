/* Whose quota a 429 speaks of: one interaction's, or the client's. */
#include "cxone/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct mono at_ms(int64_t ms)
{
    return (struct mono){5000000 + ms * 1000};
}

static void one_interaction_is_its_own_affair(void **state)
{
    (void)state;
    struct throttle throttle = {0};
    for (int i = 0; i < 50; i++) {
        assert_false(throttle_record(&throttle, 1, at_ms(i)));
    }
}

static void three_within_a_second_are_the_clients(void **state)
{
    (void)state;
    struct throttle throttle = {0};
    assert_false(throttle_record(&throttle, 1, at_ms(0)));
    assert_false(throttle_record(&throttle, 2, at_ms(500)));
    assert_true(throttle_record(&throttle, 3, at_ms(999)));
    assert_false(throttle_record(&throttle, 4, at_ms(999))); /* counted anew */
}

static void three_in_more_than_a_second_are_not(void **state)
{
    (void)state;
    struct throttle throttle = {0};
    assert_false(throttle_record(&throttle, 1, at_ms(0)));
    assert_false(throttle_record(&throttle, 2, at_ms(500)));
    assert_false(throttle_record(&throttle, 3, at_ms(1000)));
}

/* The share decides: 3 refusals among 57 good answers are one in twenty, among 58 fewer. */
static bool refused_thrice_after(int accepted)
{
    struct throttle throttle = {0};
    for (int i = 0; i < accepted; i++) {
        throttle_accepted(&throttle, at_ms(i));
    }
    throttle_record(&throttle, 1, at_ms(accepted));
    throttle_record(&throttle, 2, at_ms(accepted));
    return throttle_record(&throttle, 3, at_ms(accepted));
}

static void refusals_strewn_among_good_answers_are_not(void **state)
{
    (void)state;
    assert_true(refused_thrice_after(57));
    assert_false(refused_thrice_after(58));
    assert_false(refused_thrice_after(500));
}

static void good_answers_of_long_ago_do_not_excuse(void **state)
{
    (void)state;
    struct throttle throttle = {0};
    for (int i = 0; i < 500; i++) {
        throttle_accepted(&throttle, at_ms(i));
    }
    throttle_record(&throttle, 1, at_ms(3000));
    throttle_record(&throttle, 2, at_ms(3000));
    assert_true(throttle_record(&throttle, 3, at_ms(3000)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_interaction_is_its_own_affair),
        cmocka_unit_test(three_within_a_second_are_the_clients),
        cmocka_unit_test(three_in_more_than_a_second_are_not),
        cmocka_unit_test(refusals_strewn_among_good_answers_are_not),
        cmocka_unit_test(good_answers_of_long_ago_do_not_excuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
