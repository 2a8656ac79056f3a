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

static void a_cut_leaves_less_than_was_taken_and_growth_is_cubic(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 1000, at_ms(0));
    send_steadily(&rate, 200, 0, 5000);
    adaptive_rate_cut(&rate, 0.5, at_ms(5000), at_ms(5000));
    assert_true(rate.curbed);
    assert_near(rate.rate_rps, 85, 0.02); /* 0.85 of 200 (1 - 0.5) */
    /* 100 + 15 (t/6 s - 1)^3, beyond the edge four times as steep */
    static const struct {
        int64_t ms;
        double rps;
    } points[] = {{3000, 98.1}, {6000, 100}, {9000, 107.5}};
    int64_t now_ms = 5000;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        send_steadily(&rate, 98, now_ms, 5000 + points[i].ms);
        now_ms = 5000 + points[i].ms;
        assert_false(adaptive_rate_accepted(&rate, at_ms(now_ms)));
        assert_near(rate.rate_rps, points[i].rps, 0.01);
    }
}

static void what_was_sent_before_a_cut_is_stale(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 100, at_ms(0));
    assert_false(adaptive_rate_is_stale(&rate, at_ms(1900)));
    send_steadily(&rate, 100, 0, 2000);
    adaptive_rate_cut(&rate, 0.1, at_ms(3000), at_ms(2000)); /* a pause of 1 s */
    assert_true(adaptive_rate_is_stale(&rate, at_ms(1950)));
    assert_true(adaptive_rate_is_stale(&rate, at_ms(3000)));
    assert_false(adaptive_rate_is_stale(&rate, at_ms(3001)));
}

/* Sends what the rate allows, all accepted, until a time or a change of its ways. */
static int64_t go_on(struct adaptive_rate *rate, int64_t from_ms, int64_t to_ms)
{
    struct limiter client;
    struct adaptive_rate before = *rate;
    int64_t ms = from_ms;
    limiter_init(&client, rate->rate_rps, 1, at_ms(from_ms));
    for (; ms < to_ms && rate->doubles == before.doubles && rate->curbed == before.curbed; ms++) {
        if (limiter_take(&client, 0, at_ms(ms))) {
            adaptive_rate_count(rate, at_ms(ms));
            (void)adaptive_rate_accepted(rate, at_ms(ms));
            limiter_set_rate(&client, rate->rate_rps, 1, at_ms(ms));
        }
    }
    return ms;
}

static void a_rare_refusal_below_the_edge_does_not_move_it_frequent_ones_do(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 1000, at_ms(0));
    send_steadily(&rate, 100, 0, 5000);
    adaptive_rate_cut(&rate, 0, at_ms(5000), at_ms(5000));
    int64_t now_ms = go_on(&rate, 5000, 5500);
    assert_false(adaptive_rate_is_at_edge(&rate));
    now_ms = go_on(&rate, now_ms, 8000);
    assert_true(adaptive_rate_is_at_edge(&rate));
    adaptive_rate_ease(&rate, false, at_ms(now_ms));
    assert_near(rate.edge_rps, 100, 0.01);
    assert_near(rate.rate_rps, 85, 0.01);
    now_ms = go_on(&rate, now_ms, now_ms + 3000);
    adaptive_rate_ease(&rate, true, at_ms(now_ms));
    assert_near(rate.edge_rps, 98, 0.01);
}

static void growth_stops_at_twice_what_is_sent_but_not_below_the_cut(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 1e9, at_ms(0));
    send_steadily(&rate, 100, 0, 2000);
    adaptive_rate_cut(&rate, 0, at_ms(2000), at_ms(2000));
    send_steadily(&rate, 60, 2000, 62000);
    assert_false(adaptive_rate_accepted(&rate, at_ms(62000)));
    assert_near(rate.rate_rps, 120, 0.05);
    send_steadily(&rate, 10, 62000, 122000);
    assert_false(adaptive_rate_accepted(&rate, at_ms(122000)));
    assert_near(rate.rate_rps, 85, 0.02);
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
        adaptive_rate_cut(&rate, 1, at_ms(now_ms), at_ms(now_ms));
    }
    assert_near(rate.rate_rps, 0.5, 1e-9);
}

static void once_the_edge_is_passed_the_rate_doubles_each_second(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 1000, at_ms(0));
    send_steadily(&rate, 100, 0, 5000);
    adaptive_rate_cut(&rate, 0.9, at_ms(6000), at_ms(5000)); /* to a quarter: 25, and a pause */
    assert_false(adaptive_rate_accepted(&rate, at_ms(5500)));
    /* To the edge in 6 s, and past it by what a bucket may hold: 0.5 s of it, and 2. The integral
     * of 15 (t/6 s)^3 from there is 14.5 after 6.7 s. */
    int64_t doubles_ms = go_on(&rate, 6000, 60000);
    assert_true(rate.doubles);
    assert_in_range(doubles_ms, 6000 + 11500, 6000 + 14000);
    int64_t restored_ms = go_on(&rate, doubles_ms, 60000);
    /* From 45 to 1,000, 4.5 doublings; what is really sent is measured a little later. */
    assert_in_range(restored_ms - doubles_ms, 4500, 9000);
    assert_near(rate.rate_rps, 1000, 0);
}

static void a_cut_of_long_ago_is_forgotten(void **state)
{
    (void)state;
    struct adaptive_rate rate;
    adaptive_rate_init(&rate, 1000, at_ms(0));
    send_steadily(&rate, 100, 0, 1000);
    adaptive_rate_cut(&rate, 0.9, at_ms(1000), at_ms(1000));
    assert_false(adaptive_rate_accepted(&rate, at_ms(299000)));
    assert_true(adaptive_rate_accepted(&rate, at_ms(302000)));
    assert_near(rate.rate_rps, 1000, 0);
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
            taken_soon_after += ms >= 150000 && ms < 160000;
        } else {
            refused[phase]++;
            if (adaptive_rate_is_at_edge(&rate)) {
                adaptive_rate_ease(&rate, false, at_ms(ms));
            } else {
                adaptive_rate_cut(&rate, 0.5, at_ms(ms), at_ms(ms));
            }
        }
        limiter_set_rate(&client, rate.rate_rps, 1, at_ms(ms));
    }
    assert_true(taken[0] > 5900 && taken[2] > 3500);
    assert_true(taken[1] > 480 && taken[1] <= 605);
    assert_true(refused[0] < 10 && refused[2] < 20);
    assert_true(refused[1] < 20); /* hammering at 100/s it would be 5400 */
    assert_true(taken_soon_after > 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_while_nothing_is_refused),
        cmocka_unit_test(a_cut_leaves_less_than_was_taken_and_growth_is_cubic),
        cmocka_unit_test(what_was_sent_before_a_cut_is_stale),
        cmocka_unit_test(a_rare_refusal_below_the_edge_does_not_move_it_frequent_ones_do),
        cmocka_unit_test(growth_stops_at_twice_what_is_sent_but_not_below_the_cut),
        cmocka_unit_test(refused_for_ever_it_is_still_not_nothing),
        cmocka_unit_test(once_the_edge_is_passed_the_rate_doubles_each_second),
        cmocka_unit_test(a_cut_of_long_ago_is_forgotten),
        cmocka_unit_test(a_step_of_the_quota_is_followed_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
