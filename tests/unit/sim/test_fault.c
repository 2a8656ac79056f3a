/* Which requests go wrong, by chance and by the clock. */
#include "sim/fault.h"

#include "sim/delay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SCRIPT(...)                                                                           \
    {                                                                                         \
        .actions = (struct script_action[]){__VA_ARGS__},                                     \
        .count = sizeof((struct script_action[]){__VA_ARGS__}) / sizeof(struct script_action) \
    }

static void an_action_keeps_to_its_time_and_endpoint(void **unused)
{
    (void)unused;
    const struct script script = SCRIPT(
        {.verb = SCRIPT_STATUS,
         .at_ms = 1000,
         .for_ms = 1000,
         .share = 1,
         .endpoints = SCRIPT_ENDPOINT_ATTRIBUTES,
         .status = 418,
         .retry_after = SCRIPT_RETRY_NONE},
        {.verb = SCRIPT_DENY, .share = 1, .at_ms = 5000, .endpoints = SCRIPT_ENDPOINT_ATTRIBUTES});
    struct fault_plan plan;
    fault_init(&plan, 0, 0, &script, 1);
    assert_int_equal(fault_decide(&plan, SCRIPT_ENDPOINT_ATTRIBUTES, 999).status, 0);
    struct fault_decision hit = fault_decide(&plan, SCRIPT_ENDPOINT_ATTRIBUTES, 1000);
    assert_int_equal(hit.status, 418);
    assert_true(hit.scripted);
    assert_int_equal(hit.retry_after, SCRIPT_RETRY_NONE);
    assert_int_equal(fault_decide(&plan, SCRIPT_ENDPOINT_TRANSCRIPTS, 1000).status, 0);
    assert_int_equal(fault_decide(&plan, SCRIPT_ENDPOINT_ATTRIBUTES, 2000).status, 0);
    assert_false(fault_decide(&plan, SCRIPT_ENDPOINT_ATTRIBUTES, 4999).denied);
    assert_true(fault_decide(&plan, SCRIPT_ENDPOINT_ATTRIBUTES, 5000).denied);
    assert_false(fault_decide(&plan, SCRIPT_ENDPOINT_ACTIVE, 5000).denied);
}

static void shares_are_met_and_mixes_are_mixed(void **unused)
{
    (void)unused;
    const struct script script = SCRIPT({.verb = SCRIPT_STATUS,
                                         .share = 0.3,
                                         .endpoints = SCRIPT_ENDPOINTS_ALL,
                                         .status = 429,
                                         .retry_after = SCRIPT_RETRY_MIX},
                                        {.verb = SCRIPT_DROP,
                                         .share = 0.4,
                                         .endpoints = SCRIPT_ENDPOINTS_ALL,
                                         .when = SCRIPT_WHEN_MIX},
                                        {.verb = SCRIPT_SLOW,
                                         .share = 0.5,
                                         .endpoints = SCRIPT_ENDPOINTS_ALL,
                                         .slow_ms = {10, 20}});
    struct fault_plan plan;
    fault_init(&plan, 0, 0, &script, 2);
    enum { DRAWS = 10000 };
    int statuses = 0, dropped = 0, lost = 0, slow = 0;
    int forms[SCRIPT_RETRY_MIX + 1] = {0};
    for (int i = 0; i < DRAWS; i++) {
        struct fault_decision d = fault_decide(&plan, SCRIPT_ENDPOINT_ACTIVE, 0);
        statuses += d.status == 429;
        forms[d.retry_after] += d.status == 429;
        dropped += d.spoil == FAULT_SPOIL_DROPPED;
        lost += d.spoil == FAULT_SPOIL_LOST;
        slow += d.slow_ms > 0;
        assert_true(d.slow_ms == 0 || (d.slow_ms >= 10 && d.slow_ms <= 20));
        assert_in_range(d.retry_after_s, 1, 3);
    }
    /* Five standard deviations are below 250 of 10 000. */
    assert_in_range(statuses, 2750, 3250);
    assert_in_range(dropped, 1750, 2250);
    assert_in_range(lost, 1750, 2250);
    assert_in_range(slow, 4750, 5250);
    for (int form = SCRIPT_RETRY_SECONDS; form < SCRIPT_RETRY_HUGE; form++) {
        assert_in_range(forms[form], 350, 650);
    }
    assert_int_equal(forms[SCRIPT_RETRY_HUGE] + forms[SCRIPT_RETRY_MIX], 0);
}

static void the_first_of_two_counts(void **unused)
{
    (void)unused;
    const struct script script =
        SCRIPT({.verb = SCRIPT_STATUS, .share = 1, .endpoints = 16, .status = 500},
               {.verb = SCRIPT_STATUS, .share = 1, .endpoints = 16, .status = 404},
               {.verb = SCRIPT_HTML, .share = 1, .endpoints = 16},
               {.verb = SCRIPT_HALF_JSON, .share = 1, .endpoints = 16});
    struct fault_plan plan;
    fault_init(&plan, 0, 0, &script, 1);
    struct fault_decision d = fault_decide(&plan, SCRIPT_ENDPOINT_ACTIVE, 0);
    assert_int_equal(d.status, 500);
    assert_int_equal(d.spoil, FAULT_SPOIL_HTML);
    assert_string_equal(fault_spoil_name(d.spoil), "html");
    assert_null(fault_spoil_name(FAULT_SPOIL_NONE));
}

static void the_options_shares_spare_the_token(void **unused)
{
    (void)unused;
    struct fault_plan plan;
    fault_init(&plan, 0, 1, NULL, 3);
    assert_int_equal(fault_decide(&plan, SCRIPT_ENDPOINT_TOKEN, 0).status, 0);
    assert_int_equal(fault_decide(&plan, SCRIPT_ENDPOINT_ACTIVE, 0).status, 503);
    assert_false(fault_decide(&plan, SCRIPT_ENDPOINT_ACTIVE, 0).scripted);
}

static void quotas_and_lives_change_with_time(void **unused)
{
    (void)unused;
    const struct script script =
        SCRIPT({.verb = SCRIPT_QUOTA, .at_ms = 10, .for_ms = 10, .client_rps = 5, .call_rps = -1},
               {.verb = SCRIPT_EXPIRE_TOKENS_EARLY, .at_ms = 10, .for_ms = 10, .length_ms = 700},
               {.verb = SCRIPT_REVOKE_TOKENS, .at_ms = 5, .every_ms = 10});
    struct fault_plan plan;
    fault_init(&plan, 0, 0, &script, 4);
    double client_rps = 100, call_rps = 1;
    fault_quota(&plan, 9, &client_rps, &call_rps);
    assert_true(client_rps > 99 && call_rps > 0.99);
    fault_quota(&plan, 10, &client_rps, &call_rps);
    assert_true(client_rps < 5.01 && call_rps > 0.99);
    assert_int_equal(fault_token_life_ms(&plan, 9), -1);
    assert_int_equal(fault_token_life_ms(&plan, 19), 700);
    assert_int_equal(fault_token_life_ms(&plan, 20), -1);
    assert_int_equal(fault_beginnings(&plan, SCRIPT_REVOKE_TOKENS, 4), 0);
    assert_int_equal(fault_beginnings(&plan, SCRIPT_REVOKE_TOKENS, 25), 3);
    assert_int_equal(fault_beginnings(&plan, SCRIPT_EXPIRE_TOKENS_EARLY, 25), 1);
}

static void slow_answers_come_in_the_order_of_their_time(void **unused)
{
    (void)unused;
    static struct delay delay;
    static int things[DELAY_MAX];
    for (int64_t i = 0; i < DELAY_MAX; i++) {
        assert_true(delay_add(&delay, (struct mono){i * 7919 % DELAY_MAX}, &things[i]));
    }
    assert_false(delay_add(&delay, (struct mono){0}, &things[0]));
    assert_null(delay_take(&delay, (struct mono){-1}));
    for (int64_t us = 0; us < DELAY_MAX; us++) {
        int *taken = delay_take(&delay, (struct mono){us});
        assert_non_null(taken);
        assert_int_equal((taken - things) * 7919 % DELAY_MAX, us);
        assert_null(delay_take(&delay, (struct mono){us}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_keeps_to_its_time_and_endpoint),
        cmocka_unit_test(shares_are_met_and_mixes_are_mixed),
        cmocka_unit_test(the_first_of_two_counts),
        cmocka_unit_test(the_options_shares_spare_the_token),
        cmocka_unit_test(quotas_and_lives_change_with_time),
        cmocka_unit_test(slow_answers_come_in_the_order_of_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
