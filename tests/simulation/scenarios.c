/* scenarios.c - see scenarios.h. */
#include "scenarios.h"

#include "simulation.h"
#include "vendor.h"
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct plan scenarios_plain_plan(uint32_t calls, int64_t talk_ms)
{
    return (struct plan){
        .seed = 1,
        .calls = calls,
        .talk_least_ms = talk_ms,
        .talk_most_ms = talk_ms,
        .pause_most_ms = 6 * SECOND_MS,
        .late_share = 0.05,
        .late_most_ms = 60 * SECOND_MS,
        .revised_share = 0.05,
        .angry_share = 0.3,
        .duplicate_share = 0.02,
        .shuffle_share = 0.02,
        .token_s = 3600,
        .client_rps = 400,
        .quota_rps = 400,
        .interaction_rps = 1,
        .calls_max = calls + 8,
        .durable = true,
        .calm_ms = talk_ms,
        .end_ms = talk_ms + 40 * MINUTE_MS,
    };
}

void scenarios_expect(bool holds, const char *what)
{
    if (!holds) {
        world_fail("not as promised: %s", what);
    }
}

/* --- outages --------------------------------------------------------------------------------- */

static const int64_t outage_from_ms = 5 * MINUTE_MS;

static void add_outage(struct plan *plan, int64_t lasts_ms, enum fault_kind kind,
                       unsigned operations, int64_t value)
{
    plan->mark_ms = outage_from_ms + lasts_ms;
    plan_add_fault(plan, &(struct fault){.kind = kind,
                                         .from_ms = outage_from_ms,
                                         .until_ms = plan->mark_ms,
                                         .share = 1,
                                         .operations = operations,
                                         .value = value});
}

static void make_outage(struct plan *plan)
{
    *plan = scenarios_plain_plan(50, 20 * MINUTE_MS);
    add_outage(plan, 10 * MINUTE_MS, FAULT_STATUS, EVERYTHING, 503);
}

static void make_silence(struct plan *plan)
{
    *plan = scenarios_plain_plan(50, 20 * MINUTE_MS);
    add_outage(plan, 10 * MINUTE_MS, FAULT_SILENCE, EVERYTHING, 0);
}

/* So few calls that what they said in an hour fits the scorer's queue (4,096): with 20, polling
 * rests for seconds until it is scored, as it should. */
static void make_token_outage(struct plan *plan)
{
    *plan = scenarios_plain_plan(8, 75 * MINUTE_MS);
    plan->token_s = 300;
    add_outage(plan, HOUR_MS, FAULT_STATUS, 1u << OPERATION_TOKEN, 503);
}

/* Calls that are over before the outage is: their words are asked for all the same. */
static void make_ended_in_outage(struct plan *plan)
{
    *plan = scenarios_plain_plan(40, 20 * MINUTE_MS);
    plan->token_s = 300;
    add_outage(plan, HOUR_MS, FAULT_STATUS, 1u << OPERATION_TOKEN, 503);
    plan->calm_ms = plan->mark_ms + MINUTE_MS;
    plan->end_ms = plan->calm_ms + 40 * MINUTE_MS;
}

static void tell_outage(const struct plan *plan, const struct figures *figures)
{
    /* A token lives on for a while, and the breakers take five failures each. */
    int64_t settled_ms = outage_from_ms + 30 * SECOND_MS;
    settled_ms += plan->token_s < 3600 ? plan->token_s * SECOND_MS : 0;
    double storm = (double)simulation_sent(settled_ms, plan->mark_ms) /
                   ((double)(plan->mark_ms - settled_ms) / 1e3);
    unsigned peak = simulation_sent_peak(settled_ms, plan->mark_ms);
    unsigned after = simulation_sent_peak(plan->mark_ms, plan->mark_ms + MINUTE_MS);
    (void)printf("  requests a second: %.1f before, %.2f in the outage (at most %u), at most %u in "
                 "the minute after\n"
                 "  next probe %.1f s after its end, every live call polled again after %.1f s\n",
                 (double)simulation_sent(MINUTE_MS, outage_from_ms) /
                     ((double)(outage_from_ms - MINUTE_MS) / 1e3),
                 storm, peak, after, (double)figures->probed_ms / 1e3,
                 (double)figures->recovered_ms / 1e3);
    scenarios_expect(storm < 2, "fewer than two requests a second in an outage");
    scenarios_expect(figures->recovered_ms <= figures->probed_ms + 5 * SECOND_MS,
                     "recovered at most 5 s after the next probe");
}

/* --- length and number ----------------------------------------------------------------------- */

/* 4,096 utterances of 46 bytes, and room for the head. */
enum { DAY_DISK_BYTES_MAX = 4096 * 46 + 4096 };

static void make_day(struct plan *plan)
{
    *plan = scenarios_plain_plan(1, 24 * HOUR_MS);
}

static void tell_day(const struct plan *plan, const struct figures *figures)
{
    (void)plan;
    for (size_t i = 0; i < SPELLS; i++) {
        const struct spell *spell = &figures->spells[i];
        (void)printf("  up to %4.1f h: at most %zu bytes on the heap, %zu on "
                     "disk\n",
                     (double)spell->until_ms / 3.6e6, spell->heap_bytes, spell->disk_bytes);
    }
    const struct spell *early = &figures->spells[SPELLS / 2 - 1];
    const struct spell *late = &figures->spells[SPELLS - 1];
    scenarios_expect(late->heap_bytes <= early->heap_bytes + early->heap_bytes / 50,
                     "memory is flat from the hours before noon to the last ones");
    scenarios_expect(late->disk_bytes <= early->disk_bytes + early->disk_bytes / 50,
                     "the disk's share is flat from the hours before noon to the last ones");
    for (size_t i = 0; i < SPELLS; i++) {
        scenarios_expect(figures->spells[i].disk_bytes <= DAY_DISK_BYTES_MAX,
                         "a call takes no more of the disk than what it remembers");
    }
}

static void make_many(struct plan *plan)
{
    *plan = scenarios_plain_plan(3000, 4 * MINUTE_MS);
    plan->client_rps = 600;
    plan->quota_rps = 720;
    for (int64_t i = 0; i < 3; i++) {
        plan_add_fault(plan, &(struct fault){.kind = FAULT_KILL,
                                             .from_ms = MINUTE_MS + i * 45 * SECOND_MS,
                                             .until_ms = 4 * MINUTE_MS,
                                             .share = 1,
                                             .operations = EVERYTHING,
                                             .value = SECOND_MS});
    }
}

static void tell_many(const struct plan *plan, const struct figures *figures)
{
    (void)plan;
    (void)figures;
}

/* --- all ------------------------------------------------------------------------------------- */

static const struct scenario scenarios[] = {
    {"outage", "10 minutes in which everything answers 503", make_outage, tell_outage},
    {"silence", "10 minutes in which nothing answers", make_silence, tell_outage},
    {"token", "an hour in which no token is granted", make_token_outage, tell_outage},
    {"ended", "calls that end within an hour without tokens", make_ended_in_outage, NULL},
    {"day", "one call of 24 hours", make_day, tell_day},
    {"many", "3,000 calls and three kill -9", make_many, tell_many},
};

static bool run_scenario(const struct scenario *scenario)
{
    struct plan plan;
    struct figures figures;
    struct timespec begun;
    struct timespec now;
    plan.name = scenario->name;
    scenario->make(&plan);
    plan.name = scenario->name;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    (void)printf("%s: %s\n", scenario->name, scenario->shows);
    simulation_run(&plan, &figures);
    if (scenario->tell) {
        scenario->tell(&plan, &figures);
    }
    unsigned failures = world_failures();
    clock_gettime(CLOCK_MONOTONIC, &now);
    (void)printf("  %u calls, %llu utterances judged, %llu scored, %llu alerts, %llu suggestions, "
                 "%u lives, attributes foretold for %u\n"
                 "  %.1f h simulated in %.1f s: %s\n",
                 figures.calls, (unsigned long long)figures.utterances,
                 (unsigned long long)figures.scored, (unsigned long long)figures.alerts,
                 (unsigned long long)figures.suggestions, figures.lives, figures.calls_checked,
                 (double)figures.simulated_ms / 3.6e6,
                 (double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec) / 1e9,
                 failures ? "FAILED" : "all promises held");
    (void)fflush(stdout);
    simulation_end();
    return failures == 0;
}

static const struct scenario *scenario_at(size_t i)
{
    size_t count = sizeof scenarios / sizeof scenarios[0];
    if (i < count) {
        return &scenarios[i];
    }
    return i - count < scenarios_quota_count ? &scenarios_quota[i - count] : NULL;
}

int scenarios_run(const char *name)
{
    bool known = false;
    bool good = true;
    const struct scenario *scenario;
    for (size_t i = 0; (scenario = scenario_at(i)) != NULL; i++) {
        if (strcmp(name, "list") == 0) {
            (void)printf("%-16s %s\n", scenario->name, scenario->shows);
            known = true;
        } else if (strcmp(name, "all") == 0 || strcmp(name, scenario->name) == 0) {
            known = true;
            good = run_scenario(scenario) && good;
        }
    }
    if (!known) {
        (void)fprintf(stderr, "undertone-simulate: no scenario %s; `--scenario list` names them\n",
                      name);
        return 64;
    }
    return good ? 0 : 1;
}
