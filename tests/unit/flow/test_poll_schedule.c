/* The schedule alone, and then against round-robin at the same quota.
 *
 * The comparison pretends N calls, a fifth of them silent, a tenth at risk, the others calm, with
 * Poisson utterances of known rate, a token bucket as the gateway's, and a fixed round trip; its
 * expected values come from the utterances themselves. It runs a short time here; for the figures
 * in bench/README.md give the simulated seconds: test_app_poll_schedule 1800 */
#include "flow/poll_schedule.h"

#include "flow/due_heap.h"
#include "net/limiter.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct poll_schedule_limits usual = {
    .floor_ms = 1000, .pace_ms = {1000, 2000, 5000}, .max_ms = 10000};

static int measured_s = 300;

static struct mono at_ms(int64_t ms)
{
    return mono_after_ms((struct mono){0}, ms);
}

/* --- the pretended fleet --------------------------------------------------------------------- */

enum { WARM_UP_MS = 90000, ROUND_TRIP_MS = 40 };

enum kind { SILENT, CALM, AT_RISK, KINDS };

struct poller {
    enum kind kind;
    enum poll_schedule_risk risk;
    struct poll_schedule_call call;
    struct due_item due;
    double next_utterance_ms;
    int64_t sent_ms;
    unsigned found;
};

struct fleet_options {
    size_t calls;
    double quota_rps;
    bool round_robin;
    double alert_share; /* of those at risk: an alert is open */
    uint64_t seed;
};

struct fleet_result {
    double delay_s[KINDS]; /* mean, from utterance to the poll that fetched it */
    int64_t longest_ms;    /* between two polls of one call */
    int64_t promised_ms;
    double sent_rps;
    size_t peak; /* most requests in any second */
    double theta;
    bool degraded;
};

struct fleet {
    const struct fleet_options *options;
    struct poller *pollers;
    struct poll_schedule schedule;
    struct due_heap heap;
    struct limiter limiter;
    struct rand rand;
    size_t *queue; /* rings of indexes: waiting for quota, and waiting for a reply */
    size_t queue_first;
    size_t queue_count;
    size_t *flying;
    size_t flying_first;
    size_t flying_count;
    size_t turn; /* round-robin: whose it is */
    double delay_sum_ms[KINDS];
    uint64_t delays[KINDS];
    int64_t *sent_at; /* ring of the last second's requests */
    size_t sent_first;
    size_t sent_count;
    uint64_t sent;
    struct fleet_result result;
};

static double exponential_ms(struct rand *rand, double rate)
{
    return -log(1 - rand_uniform(rand)) / rate * 1e3;
}

static size_t sent_ring(const struct fleet_options *options)
{
    return (size_t)(options->quota_rps * 4) + 64;
}

static void fleet_init(struct fleet *fleet, const struct fleet_options *options)
{
    *fleet = (struct fleet){.options = options};
    size_t calls = options->calls;
    rand_seed(&fleet->rand, options->seed);
    fleet->pollers = calloc(calls, sizeof *fleet->pollers);
    fleet->queue = calloc(calls, sizeof *fleet->queue);
    fleet->flying = calloc(calls, sizeof *fleet->flying);
    fleet->sent_at = calloc(sent_ring(options), sizeof *fleet->sent_at);
    assert_true(due_heap_init(&fleet->heap, calls));
    assert_true(fleet->pollers && fleet->queue && fleet->flying && fleet->sent_at);
    limiter_init(&fleet->limiter, options->quota_rps, options->quota_rps / 8, at_ms(0));
    poll_schedule_init(&fleet->schedule, &usual, options->quota_rps, at_ms(0));
    for (size_t i = 0; i < calls; i++) {
        struct poller *poller = &fleet->pollers[i];
        poller->kind = i % 10 < 2 ? SILENT : (i % 10 == 2 ? AT_RISK : CALM);
        if (poller->kind == AT_RISK) {
            bool alert = rand_uniform(&fleet->rand) < options->alert_share;
            poller->risk = alert ? POLL_SCHEDULE_ALERT : POLL_SCHEDULE_LOW;
        }
        poller->next_utterance_ms =
            poller->kind == SILENT ? INFINITY : exponential_ms(&fleet->rand, 0.25);
        due_item_init(&poller->due, poller);
        due_heap_set(
            &fleet->heap, &poller->due,
            poll_schedule_join(&fleet->schedule, &poller->call, false, &fleet->rand, at_ms(0)));
    }
}

static void fleet_done(struct fleet *fleet)
{
    free(fleet->pollers);
    free(fleet->queue);
    free(fleet->flying);
    free(fleet->sent_at);
    due_heap_done(&fleet->heap);
}

static void count_request(struct fleet *fleet, int64_t now_ms)
{
    size_t room = sent_ring(fleet->options);
    while (fleet->sent_count > 0 && fleet->sent_at[fleet->sent_first] <= now_ms - 1000) {
        fleet->sent_first = (fleet->sent_first + 1) % room;
        fleet->sent_count--;
    }
    assert_true(fleet->sent_count < room);
    fleet->sent_at[(fleet->sent_first + fleet->sent_count++) % room] = now_ms;
    if (fleet->sent_count > fleet->result.peak) {
        fleet->result.peak = fleet->sent_count;
    }
}

/* The poll fetches whatever was said before it is sent. */
static void send_poll(struct fleet *fleet, struct poller *poller, int64_t now_ms)
{
    bool measured = now_ms >= WARM_UP_MS;
    poller->found = 0;
    while (poller->next_utterance_ms <= (double)now_ms) {
        if (measured) {
            fleet->delay_sum_ms[poller->kind] += (double)now_ms - poller->next_utterance_ms;
            fleet->delays[poller->kind]++;
        }
        poller->found++;
        poller->next_utterance_ms += exponential_ms(&fleet->rand, 0.25);
    }
    count_request(fleet, now_ms);
    if (measured) {
        int64_t gap_ms = now_ms - poller->sent_ms;
        fleet->sent++;
        if (gap_ms > fleet->result.longest_ms) {
            fleet->result.longest_ms = gap_ms;
        }
    }
    poller->sent_ms = now_ms;
}

static void take_replies(struct fleet *fleet, int64_t now_ms)
{
    while (fleet->flying_count > 0) {
        struct poller *poller = &fleet->pollers[fleet->flying[fleet->flying_first]];
        if (poller->sent_ms + ROUND_TRIP_MS > now_ms) {
            return;
        }
        fleet->flying_first = (fleet->flying_first + 1) % fleet->options->calls;
        fleet->flying_count--;
        const struct poll_schedule_need need = {
            .risk = poller->risk,
            .state = poller->kind == SILENT ? POLL_SCHEDULE_QUIET : POLL_SCHEDULE_ACTIVE,
        };
        poll_schedule_learn(&poller->call, poller->found, at_ms(now_ms));
        int64_t wait_ms =
            poll_schedule_interval_ms(&fleet->schedule, &poller->call, &need, &fleet->rand);
        due_heap_set(&fleet->heap, &poller->due, at_ms(poller->sent_ms + wait_ms));
    }
}

static void step_rule(struct fleet *fleet, int64_t now_ms)
{
    size_t calls = fleet->options->calls;
    take_replies(fleet, now_ms);
    poll_schedule_steer(&fleet->schedule, fleet->options->quota_rps, (unsigned)fleet->queue_count,
                        at_ms(now_ms));
    struct due_item *item = due_heap_first(&fleet->heap);
    for (; item && mono_reached(at_ms(now_ms), item->due); item = due_heap_first(&fleet->heap)) {
        struct poller *poller = item->owner;
        due_heap_remove(&fleet->heap, item);
        fleet->queue[(fleet->queue_first + fleet->queue_count++) % calls] =
            (size_t)(poller - fleet->pollers);
    }
    while (fleet->queue_count > 0 && limiter_take(&fleet->limiter, 0, at_ms(now_ms))) {
        size_t next = fleet->queue[fleet->queue_first];
        fleet->queue_first = (fleet->queue_first + 1) % calls;
        fleet->queue_count--;
        send_poll(fleet, &fleet->pollers[next], now_ms);
        fleet->flying[(fleet->flying_first + fleet->flying_count++) % calls] = next;
    }
}

static void step_round_robin(struct fleet *fleet, int64_t now_ms)
{
    while (limiter_take(&fleet->limiter, 0, at_ms(now_ms))) {
        send_poll(fleet, &fleet->pollers[fleet->turn], now_ms);
        fleet->turn = (fleet->turn + 1) % fleet->options->calls;
    }
}

static struct fleet_result run_fleet(const struct fleet_options *options)
{
    struct fleet fleet;
    fleet_init(&fleet, options);
    int64_t end_ms = WARM_UP_MS + measured_s * 1000;
    for (int64_t now_ms = 0; now_ms < end_ms; now_ms++) {
        if (options->round_robin) {
            step_round_robin(&fleet, now_ms);
        } else {
            step_rule(&fleet, now_ms);
        }
    }
    for (size_t i = 0; i < options->calls; i++) { /* nobody is forgotten at the end either */
        int64_t gap_ms = end_ms - fleet.pollers[i].sent_ms;
        fleet.result.longest_ms =
            gap_ms > fleet.result.longest_ms ? gap_ms : fleet.result.longest_ms;
    }
    for (int kind = 0; kind < KINDS; kind++) {
        fleet.result.delay_s[kind] =
            fleet.delays[kind] ? fleet.delay_sum_ms[kind] / (double)fleet.delays[kind] / 1e3 : 0;
    }
    fleet.result.sent_rps = (double)fleet.sent / measured_s;
    fleet.result.promised_ms = poll_schedule_longest_ms(&fleet.schedule);
    fleet.result.theta = fleet.schedule.theta;
    fleet.result.degraded = fleet.schedule.degraded;
    fleet_done(&fleet);
    return fleet.result;
}

/* --- against round-robin --------------------------------------------------------------------- */

static void print_row(const char *policy, const struct fleet_options *options,
                      const struct fleet_result *result)
{
    printf("| %5zu | %3.0f | %-28s | %6.1f | %4zu | %5.2f | %5.2f | %5.2f |\n", options->calls,
           options->quota_rps, policy, result->sent_rps, result->peak, result->delay_s[AT_RISK],
           result->delay_s[CALM], (double)result->longest_ms / 1e3);
}

static void compare(size_t calls, double quota_rps)
{
    struct fleet_options options = {.calls = calls, .quota_rps = quota_rps, .seed = 1};
    struct fleet_result rule = run_fleet(&options);
    print_row("rule, weight 4 at risk", &options, &rule);
    options.alert_share = 0.5;
    struct fleet_result alerts = run_fleet(&options);
    print_row("rule, half of these in alert", &options, &alerts);
    options.round_robin = true;
    struct fleet_result turns = run_fleet(&options);
    print_row("round-robin", &options, &turns);

    /* A turn every N/R, an utterance anywhere in it: what the yardstick itself must show. */
    double turn_s = (double)calls / quota_rps;
    assert_true(fabs(turns.delay_s[CALM] - turn_s / 2) < turn_s * 0.02);
    assert_true(turns.delay_s[AT_RISK] >= 1.8 * rule.delay_s[AT_RISK]);
    assert_true(turns.delay_s[AT_RISK] >= 1.8 * alerts.delay_s[AT_RISK]);
    const struct fleet_result *results[] = {&rule, &alerts, &turns};
    for (size_t i = 0; i < 3; i++) {
        assert_true((double)results[i]->peak <= quota_rps + quota_rps / 8);
    }
    /* Kept but for the time a due poll waits for its token. */
    assert_true(rule.longest_ms <= rule.promised_ms + 500);
    assert_true(rule.promised_ms <= (int64_t)fmax((double)usual.max_ms, turn_s * 2e3));
    assert_true(rule.sent_rps > 0.93 * quota_rps && rule.sent_rps < 0.96 * quota_rps);
}

static void calls_at_risk_are_found_sooner_than_by_taking_turns(void **state)
{
    (void)state;
    printf("| calls | R/s | policy                       | sent/s | peak | risk  | calm  | longest "
           "|\n|---|---|---|---|---|---|---|---|\n");
    compare(2000, 400);
    compare(5000, 600);
}

static void a_fleet_far_beyond_the_quota_starves_nobody(void **state)
{
    (void)state;
    struct fleet_options options = {.calls = 10000, .quota_rps = 600, .seed = 2};
    struct fleet_result result = run_fleet(&options);
    print_row("rule, weight 4 at risk", &options, &result);
    assert_true(result.degraded);
    assert_true(result.promised_ms < 2 * 10000 * 1000 / 600);
    assert_true((double)result.longest_ms <= (double)result.promised_ms * 1.1);
    assert_true(result.peak <= 675);
}

/* --- the parts ------------------------------------------------------------------------------- */

static const struct poll_schedule_need calm = {.state = POLL_SCHEDULE_ACTIVE};
static const struct poll_schedule_need low = {.risk = POLL_SCHEDULE_LOW};
static const struct poll_schedule_need alert = {.risk = POLL_SCHEDULE_ALERT};

enum { CALLS = 1000 };

struct some_calls {
    struct poll_schedule schedule;
    struct poll_schedule_call calls[CALLS];
    struct rand rand;
};

/* That many calls of which nothing is known but the prior. */
static void make_calls(struct some_calls *some, size_t count, double quota_rps)
{
    rand_seed(&some->rand, 7);
    poll_schedule_init(&some->schedule, &usual, quota_rps, at_ms(0));
    for (size_t i = 0; i < count; i++) {
        (void)poll_schedule_join(&some->schedule, &some->calls[i], false, &some->rand, at_ms(0));
        (void)poll_schedule_interval_ms(&some->schedule, &some->calls[i], &calm, &some->rand);
    }
    poll_schedule_steer(&some->schedule, quota_rps, 0, at_ms(1000));
}

static double mean_interval_ms(struct some_calls *some, const struct poll_schedule_need *need)
{
    double sum = 0;
    for (int i = 0; i < 1000; i++) {
        sum +=
            (double)poll_schedule_interval_ms(&some->schedule, &some->calls[0], need, &some->rand);
    }
    return sum / 1000;
}

static void assert_near(double value, double expected, double share)
{
    if (fabs(value - expected) > expected * share) {
        fail_msg("%g is not within %g %% of %g", value, share * 100, expected);
    }
}

static void a_plentiful_quota_keeps_the_pace_of_each_state(void **state)
{
    (void)state;
    struct some_calls some;
    make_calls(&some, 200, 400);
    assert_near(mean_interval_ms(&some, &calm), 1000, 0.06);
    for (int s = 0; s < POLL_SCHEDULE_STATES; s++) {
        struct poll_schedule_need need = {.state = (enum poll_schedule_state)s};
        some.calls[0].heard = 0;
        some.calls[0].watched_s = 1e6; /* as silent as can be */
        double pace_ms = (double)usual.pace_ms[s];
        for (int i = 0; i < 1000; i++) {
            int64_t wait_ms =
                poll_schedule_interval_ms(&some.schedule, &some.calls[0], &need, &some.rand);
            assert_true((double)wait_ms <= pace_ms * 1.1 && wait_ms >= usual.floor_ms);
        }
    }
    assert_false(some.schedule.degraded);
    struct poll_schedule_need held = {.state = POLL_SCHEDULE_QUIET, .held = true};
    assert_near(mean_interval_ms(&some, &held), 5000, 0.02);
}

static void a_scarce_quota_is_shared_by_the_square_root(void **state)
{
    (void)state;
    struct some_calls some;
    make_calls(&some, CALLS, 211); /* (211 - 1) * 0.95 = 199.5 polls a second for 1000 calls */
    double calm_ms = mean_interval_ms(&some, &calm);
    assert_near(calm_ms, 1000 * 1000 / 199.5, 0.03);
    assert_near(mean_interval_ms(&some, &low), calm_ms / 2, 0.02);
    assert_near(mean_interval_ms(&some, &alert), calm_ms / sqrt(8), 0.02);
    struct poll_schedule_need young = {.young = true};
    assert_near(mean_interval_ms(&some, &young), calm_ms / sqrt(2), 0.02);
    some.calls[0].empty = 3;
    assert_near(mean_interval_ms(&some, &calm), calm_ms * sqrt(2), 0.02);
    assert_near(mean_interval_ms(&some, &low), calm_ms / 2, 0.02);
    some.calls[0].heard = 6; /* (2 + 6) / 8 s: four times as talkative */
    assert_near(mean_interval_ms(&some, &low), calm_ms / 4, 0.02);
    struct poll_schedule_need held = {.risk = POLL_SCHEDULE_LOW, .held = true};
    assert_near(mean_interval_ms(&some, &held), 10000, 0.03);
}

static void a_turn_is_left_to_end_unless_the_call_is_at_risk(void **state)
{
    (void)state;
    struct some_calls some;
    make_calls(&some, CALLS, 830); /* about 1.27 s each */
    some.calls[0].empty = 1;
    assert_true(mean_interval_ms(&some, &calm) < 1400);
    poll_schedule_learn(&some.calls[0], 1, at_ms(1000));
    some.calls[0].heard = 0; /* only the gap is in question */
    assert_near(mean_interval_ms(&some, &calm), 1500, 0.02);
    assert_true(mean_interval_ms(&some, &low) < 1200);
}

static void a_rate_is_learnt_and_forgotten(void **state)
{
    (void)state;
    struct poll_schedule_call call = {.learnt = at_ms(0)};
    assert_near(poll_schedule_rate(&call), 0.25, 1e-9);
    int64_t now_ms = 0;
    for (int i = 0; i < 300; i++) { /* one utterance every 8 s, seen at once */
        now_ms += 1000;
        poll_schedule_learn(&call, i % 8 == 0, at_ms(now_ms));
    }
    assert_near(poll_schedule_rate(&call), 0.125, 0.25);
    double talking = poll_schedule_rate(&call);
    now_ms += 30000;
    poll_schedule_learn(&call, 0, at_ms(now_ms));
    double hushed = poll_schedule_rate(&call);
    assert_true(hushed < talking * 0.75);
    for (int i = 0; i < 100; i++) {
        now_ms += 10000;
        poll_schedule_learn(&call, 0, at_ms(now_ms));
    }
    /* The prior's 2 in 8 s, and half a minute's half-life of silence: 30 / ln 2. */
    assert_near(poll_schedule_rate(&call), 2 / (8 + 30 / log(2)), 0.01);
    assert_int_equal(call.empty, 101 + 3);
}

static void calls_that_come_together_are_spread(void **state)
{
    (void)state;
    struct some_calls some;
    unsigned in_second[8] = {0};
    rand_seed(&some.rand, 3);
    poll_schedule_init(&some.schedule, &usual, 251, at_ms(0)); /* 250 left */
    for (int i = 0; i < CALLS; i++) {
        struct mono first =
            poll_schedule_join(&some.schedule, &some.calls[i], false, &some.rand, at_ms(0));
        assert_true(first.us >= 0 && first.us < 8000000);
        in_second[first.us / 1000000]++;
    }
    for (int second = 1; second < 4; second++) { /* 1000 calls, 250/s: ramp of 4 s */
        assert_true(in_second[second] > 200 && in_second[second] < 300);
    }
    assert_int_equal(in_second[6] + in_second[7], 0);
    struct poll_schedule_call urgent;
    assert_true(poll_schedule_join(&some.schedule, &urgent, true, &some.rand, at_ms(0)).us <=
                usual.floor_ms * 1000);
}

static void writes_come_out_of_the_polls_part(void **state)
{
    (void)state;
    struct some_calls some;
    make_calls(&some, CALLS, 400);
    assert_near(some.schedule.left_rps, 399, 1e-9);
    for (int second = 2; second < 62; second++) {
        for (int i = 0; i < 100; i++) {
            poll_schedule_count_other(&some.schedule);
        }
        poll_schedule_steer(&some.schedule, 400, 0, at_ms(second * 1000));
    }
    assert_near(some.schedule.left_rps, 299, 0.01);
    assert_near(some.schedule.demand_rps, 0.95 * 299, 0.01);
    for (int second = 62; second < 122; second++) { /* even too many leave polls a fifth */
        for (int i = 0; i < 500; i++) {
            poll_schedule_count_other(&some.schedule);
        }
        poll_schedule_steer(&some.schedule, 400, 0, at_ms(second * 1000));
    }
    assert_near(some.schedule.left_rps, 80, 1e-9);
}

static void what_waits_is_sent_first(void **state)
{
    (void)state;
    struct some_calls some;
    make_calls(&some, CALLS, 400);
    poll_schedule_steer(&some.schedule, 400, 200, at_ms(2000)); /* in 5 s, 40 a second */
    assert_near(some.schedule.demand_rps, 0.95 * 359, 0.01);
    poll_schedule_steer(&some.schedule, 400, 5000, at_ms(3000));
    assert_near(some.schedule.demand_rps, 0.95 * 0.85 * 399, 0.01);
    assert_int_equal(poll_schedule_longest_ms(&some.schedule), 10000);
    poll_schedule_steer(&some.schedule, 400, 0, at_ms(4000));
    assert_near(some.schedule.demand_rps, 0.95 * 399, 0.01);
}

static void a_broken_promise_is_said_and_taken_back(void **state)
{
    (void)state;
    struct some_calls some;
    make_calls(&some, CALLS, 401); /* 1000 calls each 10 s: 100 of 400 */
    assert_false(some.schedule.degraded);
    assert_int_equal(poll_schedule_longest_ms(&some.schedule), 10000);
    poll_schedule_steer(&some.schedule, 41, 0,
                        at_ms(2000)); /* 100 of 40: more than twice too many */
    assert_true(some.schedule.degraded);
    int64_t longest_ms = poll_schedule_longest_ms(&some.schedule);
    assert_true(longest_ms > 25000 && longest_ms < 50000); /* 1 to 2 turns of 25 s */
    struct poll_schedule_need quiet = {.state = POLL_SCHEDULE_QUIET};
    some.calls[0].watched_s = 1e6;
    for (int i = 0; i < 1000; i++) {
        int64_t wait_ms =
            poll_schedule_interval_ms(&some.schedule, &some.calls[0], &quiet, &some.rand);
        assert_true(wait_ms <= longest_ms && wait_ms >= 25000);
    }
    poll_schedule_steer(&some.schedule, 401, 0, at_ms(3000));
    assert_true(some.schedule.degraded); /* not on and off with every sway of the quota */
    assert_int_equal(poll_schedule_longest_ms(&some.schedule), 10000);
    poll_schedule_steer(&some.schedule, 401, 0, at_ms(13000));
    assert_false(some.schedule.degraded);
}

static void calls_that_leave_want_nothing(void **state)
{
    (void)state;
    struct some_calls some;
    make_calls(&some, CALLS, 100);
    double crowded = mean_interval_ms(&some, &calm);
    for (int i = 1; i < CALLS; i++) {
        poll_schedule_leave(&some.schedule, &some.calls[i]);
        poll_schedule_leave(&some.schedule, &some.calls[i]); /* once is enough */
    }
    poll_schedule_steer(&some.schedule, 100, 0, at_ms(2000));
    assert_int_equal(some.schedule.calls, 1);
    assert_true(some.schedule.demand_rps <= 1.01);
    assert_near(mean_interval_ms(&some, &calm), 1000, 0.06);
    assert_true(crowded > 5000);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        measured_s = (int)strtol(argv[1], NULL, 10);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plentiful_quota_keeps_the_pace_of_each_state),
        cmocka_unit_test(a_scarce_quota_is_shared_by_the_square_root),
        cmocka_unit_test(a_turn_is_left_to_end_unless_the_call_is_at_risk),
        cmocka_unit_test(a_rate_is_learnt_and_forgotten),
        cmocka_unit_test(calls_that_come_together_are_spread),
        cmocka_unit_test(writes_come_out_of_the_polls_part),
        cmocka_unit_test(what_waits_is_sent_first),
        cmocka_unit_test(a_broken_promise_is_said_and_taken_back),
        cmocka_unit_test(calls_that_leave_want_nothing),
        cmocka_unit_test(calls_at_risk_are_found_sooner_than_by_taking_turns),
        cmocka_unit_test(a_fleet_far_beyond_the_quota_starves_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
