/* The retry budget against the rule it quotes: gRPC proposal A6, maxTokens 10, tokenRatio 0.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/retry_budget.h"

static void half_the_tokens_are_for_retries(void **state)
{
    (void)state;
    struct retry_budget budget;
    retry_budget_init(&budget);
    for (int failures = 1; failures <= 4; failures++) {
        retry_budget_failure(&budget);
        assert_true(retry_budget_allows(&budget));
    }
    retry_budget_failure(&budget);
    assert_false(retry_budget_allows(&budget)); /* 5 of 10 left: half is not enough */
    retry_budget_success(&budget);
    assert_true(retry_budget_allows(&budget)); /* 5.1 */
}

static void it_stays_between_none_and_ten(void **state)
{
    (void)state;
    struct retry_budget budget;
    retry_budget_init(&budget);
    retry_budget_success(&budget);
    assert_true(retry_budget_tokens(&budget) == 10);
    for (int i = 0; i < 100; i++) {
        retry_budget_failure(&budget);
    }
    assert_true(retry_budget_tokens(&budget) == 0);
    for (int i = 0; i < 50; i++) {
        assert_false(retry_budget_allows(&budget));
        retry_budget_success(&budget);
    }
    assert_false(retry_budget_allows(&budget));
    retry_budget_success(&budget);
    assert_true(retry_budget_allows(&budget));
}

static void one_failure_in_ten_is_forgiven_for_ever_and_one_in_five_is_not(void **state)
{
    (void)state;
    struct retry_budget seldom;
    struct retry_budget often;
    retry_budget_init(&seldom);
    retry_budget_init(&often);
    for (int i = 0; i < 10000; i++) {
        (i % 11 == 10 ? retry_budget_failure : retry_budget_success)(&seldom);
        (i % 5 == 4 ? retry_budget_failure : retry_budget_success)(&often);
        assert_true(retry_budget_allows(&seldom));
    }
    assert_false(retry_budget_allows(&often));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_the_tokens_are_for_retries),
        cmocka_unit_test(it_stays_between_none_and_ten),
        cmocka_unit_test(one_failure_in_ten_is_forgiven_for_ever_and_one_in_five_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
