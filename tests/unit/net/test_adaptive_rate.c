/* The adaptive rate: CUBIC's shape at chosen times, its bounds, and against a server's quota. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/adaptive_rate.h"
#include "net/limiter.h"

static struct mono at_ms(int64_t ms)
{
    return mono_after_ms((struct mono){0}, ms);
}

static void assert_near(double value, double expected, double share)
{
    if (fabs(value - expected) > expected * share) {
        fail_msg("%g is not within %g %% of %g", value, share * 100, expected);
    }
}

/* Sends that many a second from one time to another. */
static void send_steadily(struct adaptive_rate *rate, int rps, int64_t from_ms, int64_t to_ms)
{
    for (int64_t us = from_ms * 1000; us < to_ms * 1000; us += 1000000 / rps) {
        adaptive_rate_count(rate, (struct mono){us});
    }
}

static void nothing_changes_while_nothing_is_refused(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 100, at_ms(0));
    send_steadily(&rate, 5, 0, 10000);
    assert_false(adaptive_rate_accepted(&rate, at_ms(10000)));
    assert_false(rate.curbed);
    assert_near(rate.rate_rps, 100, 0);
}

static void a_refusal_cuts_and_growth_is_cubic(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 1000, at_ms(0));
    send_steadily(&rate, 100, 0, 5000);
    assert_true(adaptive_rate_refused(&rate, at_ms(4900), at_ms(5000), at_ms(5000)));
    assert_true(rate.curbed);
    assert_near(rate.rate_rps, 70, 0.02);
    /* K = cbrt(100 * 0.3 / 0.4) = 4.217 s; 0.4 (t - K)^3 + 100 at t = 1, 4.217, 8 */
    static const struct {
        int64_t ms;
        double rps;
    } points[] = {{1000, 86.68}, {4217, 100}, {8000, 121.65}};
    int64_t now_ms = 5000;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        send_steadily(&rate, 100, now_ms, 5000 + points[i].ms);
        now_ms = 5000 + points[i].ms;
        assert_false(adaptive_rate_accepted(&rate, at_ms(now_ms)));
        assert_near(rate.rate_rps, points[i].rps, 0.02);
    }
}

static void one_burst_of_refusals_cuts_once(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 100, at_ms(0));
    send_steadily(&rate, 100, 0, 2000);
    assert_true(adaptive_rate_refused(&rate, at_ms(1900), at_ms(2000), at_ms(2000)));
    double once = rate.rate_rps;
    assert_false(adaptive_rate_refused(&rate, at_ms(1950), at_ms(2010), at_ms(2010)));
    assert_near(rate.rate_rps, once, 0);
    assert_true(adaptive_rate_refused(&rate, at_ms(2100), at_ms(2150), at_ms(2150)));
    assert_true(rate.rate_rps < once);
}

static void growth_stops_at_twice_what_is_sent_but_not_below_the_cut(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 1e9, at_ms(0));
    send_steadily(&rate, 100, 0, 2000);
    adaptive_rate_refused(&rate, at_ms(1900), at_ms(2000), at_ms(2000));
    send_steadily(&rate, 60, 2000, 62000);
    assert_false(adaptive_rate_accepted(&rate, at_ms(62000)));
    assert_near(rate.rate_rps, 120, 0.05);
    send_steadily(&rate, 10, 62000, 122000);
    assert_false(adaptive_rate_accepted(&rate, at_ms(122000)));
    assert_near(rate.rate_rps, 70, 0.02);
}

static void refused_for_ever_it_is_still_not_nothing(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 1e9, at_ms(0));
    send_steadily(&rate, 100, 0, 2000);
    int64_t now_ms = 2000;
    for (int i = 0; i < 50; i++) {
        now_ms += 1000;
        adaptive_rate_count(&rate, at_ms(now_ms));
        adaptive_rate_refused(&rate, at_ms(now_ms), at_ms(now_ms), at_ms(now_ms + 1));
    }
    assert_near(rate.rate_rps, 0.5, 1e-9);
}

static void the_configured_rate_comes_back(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 100, at_ms(0));
    send_steadily(&rate, 100, 0, 5000);
    adaptive_rate_refused(&rate, at_ms(4900), at_ms(9000), at_ms(5000)); /* a pause of 4 s */
    assert_false(adaptive_rate_accepted(&rate, at_ms(8000))); /* a late one changes nothing */
    bool restored = false;
    int64_t now_ms = 9000;
    for (; now_ms < 20000 && !restored; now_ms += 100) {
        send_steadily(&rate, 80, now_ms, now_ms + 100);
        restored = adaptive_rate_accepted(&rate, at_ms(now_ms + 100));
    }
    assert_true(restored);
    assert_true(now_ms > 9000 + 3900 && now_ms < 9000 + 5000); /* K = 4.2 s, counted from 9 s */
    assert_near(rate.rate_rps, 100, 0);
    assert_false(rate.curbed);
}

/* A server with a token bucket of its own; quota 100, 10, then 100 again, a minute each. */
static void a_step_of_the_quota_is_followed_both_ways(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    struct limiter client;
    struct limiter server;
    adaptive_rate_init(&rate, 100, at_ms(0));
    limiter_init(&client, 100, 1, at_ms(0));
    limiter_init(&server, 100, 5, at_ms(0));
    unsigned taken[3] = {0};
    unsigned refused[3] = {0};
    unsigned taken_soon_after = 0;
    for (int64_t ms = 0; ms < 180000; ms++) {
        int phase = (int)(ms / 60000);
        if (ms == 60000 || ms == 120000) {
            limiter_set_rate(&server, phase == 1 ? 10 : 100, 5, at_ms(ms));
        }
        if (!limiter_take(&client, 0, at_ms(ms))) {
            continue;
        }
        adaptive_rate_count(&rate, at_ms(ms));
        if (limiter_take(&server, 0, at_ms(ms))) {
            adaptive_rate_accepted(&rate, at_ms(ms));
            taken[phase]++;
            taken_soon_after += ms >= 130000 && ms < 140000;
        } else {
            adaptive_rate_refused(&rate, at_ms(ms), at_ms(ms), at_ms(ms));
            refused[phase]++;
        }
        limiter_set_rate(&client, rate.rate_rps, 1, at_ms(ms));
    }
    assert_true(taken[0] > 5900 && taken[2] > 5000);
    assert_true(taken[1] > 400 && taken[1] <= 605);
    assert_true(refused[0] < 10 && refused[2] < 10);
    assert_true(refused[1] < 60); /* hammering at 100/s it would be 5400 */
    assert_true(taken_soon_after > 950);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_while_nothing_is_refused),
        cmocka_unit_test(a_refusal_cuts_and_growth_is_cubic),
        cmocka_unit_test(one_burst_of_refusals_cuts_once),
        cmocka_unit_test(growth_stops_at_twice_what_is_sent_but_not_below_the_cut),
        cmocka_unit_test(refused_for_ever_it_is_still_not_nothing),
        cmocka_unit_test(the_configured_rate_comes_back),
        cmocka_unit_test(a_step_of_the_quota_is_followed_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
