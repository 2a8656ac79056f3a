/* Whose quota a refusal is for, and how often a call may be asked: single cases, and a hundred
 * calls against a vendor who gives each of them less than was configured. */
#include "cxone/call_pace.h"
#include "net/limiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct call_pace pace;

static struct mono at_ms(int64_t ms)
{
    return (struct mono){9000000 + ms * 1000};
}

static int start(void **state)
{
    (void)state;
    call_pace_init(&pace, 1, at_ms(0));
    return 0;
}

static enum call_pace_verdict answered(uint64_t call, int64_t sent_ms, bool refused)
{
    return call_pace_answered(&pace, call, at_ms(sent_ms), refused, at_ms(sent_ms + 20));
}

static void a_call_unheard_of_or_long_unasked_was_not_refused_for_its_pace(void **state)
{
    (void)state;
    assert_int_equal(answered(1, 0, true), CALL_PACE_OTHER);
    assert_int_equal(answered(2, 0, false), CALL_PACE_FINE);
    assert_int_equal(answered(2, 1600, true), CALL_PACE_OTHER);
    assert_false(pace.curbed);
}

/* Calls that are asked once a second: the fifth refusal, of at least three calls, is enough. */
static void refusals_at_the_pace_slow_all_calls_down(void **state)
{
    (void)state;
    for (uint64_t call = 1; call <= 5; call++) {
        assert_int_equal(answered(call, 0, false), CALL_PACE_FINE);
    }
    for (uint64_t call = 1; call <= 4; call++) {
        assert_int_equal(answered(call, 1080, true), CALL_PACE_SUSPECT);
    }
    assert_int_equal(answered(5, 1080, true), CALL_PACE_CUT);
    assert_true(pace.rate_rps > 0.62 && pace.rate_rps < 0.64); /* 0.9 of 0.7 */
    /* What was sent before the calls could have slowed down says no more. */
    assert_int_equal(answered(4, 1500, true), CALL_PACE_SUSPECT);
    assert_true(pace.rate_rps > 0.62);
}

static void one_calls_refusals_are_its_own_affair(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(answered(1, 2000 * i, false), CALL_PACE_FINE);
        assert_int_equal(answered(1, 2000 * i + 1000, true), CALL_PACE_SUSPECT);
    }
    assert_false(pace.curbed);
}

/* Eleven requests in ten seconds: 0.8/s without what a bucket may have given. */
static void what_one_call_has_kept_up_no_other_is_refused_for(void **state)
{
    (void)state;
    for (int i = 0; i <= 10; i++) {
        assert_int_equal(answered(1, 1000 * i, false), CALL_PACE_FINE);
    }
    assert_int_equal(answered(2, 10000, false), CALL_PACE_FINE);
    assert_int_equal(answered(2, 11300, true), CALL_PACE_OTHER);
    assert_int_equal(answered(3, 10000, false), CALL_PACE_FINE);
    assert_int_equal(answered(3, 11100, true), CALL_PACE_SUSPECT); /* closer than that */
    assert_int_equal(answered(4, 75000, false), CALL_PACE_FINE);
    assert_int_equal(answered(4, 76300, true), CALL_PACE_SUSPECT); /* that was a minute ago */
}

/* The client's quota refuses those far from their pace as well. */
static void refusals_of_all_sorts_of_calls_are_not_the_calls_quota(void **state)
{
    (void)state;
    for (uint64_t call = 1; call <= 20; call++) {
        assert_int_equal(answered(call, call % 2 == 0 ? 2000 : 0, false), CALL_PACE_FINE);
    }
    for (uint64_t call = 1; call <= 20; call++) {
        assert_int_equal(answered(call, 3080, true),
                         call % 2 == 0 ? CALL_PACE_SUSPECT : CALL_PACE_OTHER);
    }
    assert_false(pace.curbed);
}

static void without_a_configured_quota_nothing_is_learnt(void **state)
{
    (void)state;
    call_pace_init(&pace, 0, at_ms(0));
    for (uint64_t call = 1; call <= 9; call++) {
        assert_int_equal(answered(call, 0, false), CALL_PACE_FINE);
        assert_int_equal(answered(call, 10, true), CALL_PACE_OTHER);
    }
    assert_false(call_pace_grow(&pace, at_ms(1000)));
}

static void a_cut_of_long_ago_is_forgotten(void **state)
{
    (void)state;
    refusals_at_the_pace_slow_all_calls_down(state);
    assert_false(call_pace_grow(&pace, at_ms(1100 + 599000)));
    assert_true(pace.curbed);
    assert_true(call_pace_grow(&pace, at_ms(1100 + 600000)));
    assert_true(pace.rate_rps >= 1);
}

enum { CALLS = 100, BEGIN_MS = 120000, END_MS = 600000 };

struct tally {
    unsigned taken;
    unsigned refused;
};

/* Each call is asked as often as the pace allows, for ten minutes, of a vendor whose buckets hold
 * one request: harder than any real one. */
static struct tally run(double vendor_rps)
{
    static struct limiter vendor[CALLS];
    static int64_t next_ms[CALLS];
    struct tally tally = {0};
    for (int i = 0; i < CALLS; i++) {
        limiter_init(&vendor[i], vendor_rps, 1, at_ms(0));
        next_ms[i] = i * 10;
    }
    for (int64_t ms = 0; ms < END_MS; ms += 10) {
        for (int i = 0; i < CALLS; i++) {
            if (ms < next_ms[i]) {
                continue;
            }
            bool refused = !limiter_take(&vendor[i], 0, at_ms(ms));
            assert_int_not_equal(answered((uint64_t)i + 1, ms, refused),
                                 ms >= BEGIN_MS ? CALL_PACE_OTHER : -1);
            (void)call_pace_grow(&pace, at_ms(ms));
            next_ms[i] = ms + (int64_t)(1000 / (pace.rate_rps * 0.93)) + (refused ? 1000 : 0);
            tally.taken += ms >= BEGIN_MS && !refused;
            tally.refused += ms >= BEGIN_MS && refused;
        }
    }
    return tally;
}

static void a_vendors_quota_for_each_call_is_found(void **state)
{
    (void)state;
    static const double quotas[] = {0.75, 0.5, 0.25};
    for (size_t i = 0; i < sizeof quotas / sizeof quotas[0]; i++) {
        call_pace_init(&pace, 1, at_ms(0));
        struct tally tally = run(quotas[i]);
        double given = quotas[i] * CALLS * (END_MS - BEGIN_MS) / 1e3;
        assert_true(tally.taken >= 0.82 * given);
        assert_true(tally.refused <= 0.03 * (tally.taken + tally.refused));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_call_unheard_of_or_long_unasked_was_not_refused_for_its_pace,
                               start),
        cmocka_unit_test_setup(refusals_at_the_pace_slow_all_calls_down, start),
        cmocka_unit_test_setup(one_calls_refusals_are_its_own_affair, start),
        cmocka_unit_test_setup(what_one_call_has_kept_up_no_other_is_refused_for, start),
        cmocka_unit_test_setup(refusals_of_all_sorts_of_calls_are_not_the_calls_quota, start),
        cmocka_unit_test_setup(without_a_configured_quota_nothing_is_learnt, start),
        cmocka_unit_test_setup(a_cut_of_long_ago_is_forgotten, start),
        cmocka_unit_test(a_vendors_quota_for_each_call_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
