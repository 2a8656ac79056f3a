/* scenarios_quota.c - a vendor who gives less than was configured: to the client, to each call, or
 * to both, for a while or all the time. Shows how much of it is used, and how much is refused. */
#include "scenarios.h"

#include "vendor.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

/* --- a step ---------------------------------------------------------------------------------- */

static const int64_t step_from_ms = 3 * MINUTE_MS;
static const int64_t step_until_ms = 8 * MINUTE_MS;
static const int64_t steady_end_ms = 7 * MINUTE_MS; /* and perhaps a stop */
static const int64_t step_end_ms = 11 * MINUTE_MS;
enum { LOOK_MS = 5000 };

static void make_quota_step(struct plan *plan)
{
    *plan = scenarios_plain_plan(100, 11 * MINUTE_MS);
    plan->client_rps = 100;
    plan->quota_rps = 100;
    plan_add_fault(plan, &(struct fault){.kind = FAULT_QUOTA,
                                         .from_ms = step_from_ms,
                                         .until_ms = step_until_ms,
                                         .share = 1,
                                         .operations = EVERYTHING,
                                         .value = 10});
}

static void make_quota_stop(struct plan *plan)
{
    make_quota_step(plan);
    plan_add_fault(plan, &(struct fault){.kind = FAULT_STOP,
                                         .from_ms = step_until_ms - MINUTE_MS,
                                         .until_ms = step_until_ms,
                                         .share = 1,
                                         .operations = EVERYTHING,
                                         .value = 2 * SECOND_MS});
}

/* From a time on until as much is taken, over some seconds, as was from one time to another. */
static int64_t until_taken_ms(int64_t from_ms, double rps)
{
    int64_t at_ms = from_ms;
    while (at_ms < step_end_ms &&
           vendor_tally(the_vendor, at_ms, at_ms + LOOK_MS).taken < rps * LOOK_MS / 1e3) {
        at_ms += SECOND_MS;
    }
    return at_ms - from_ms;
}

static void tell_quota(const struct plan *plan, const struct figures *figures)
{
    (void)plan;
    static const struct {
        const char *name;
        int64_t from_ms;
        int64_t until_ms;
    } spells[] = {{"whole", MINUTE_MS, 3 * MINUTE_MS},
                  {"a tenth", 4 * MINUTE_MS, 7 * MINUTE_MS},
                  {"whole again", 9 * MINUTE_MS, 11 * MINUTE_MS}};
    for (size_t i = 0; i < sizeof spells / sizeof spells[0]; i++) {
        int64_t from_ms = spells[i].from_ms;
        int64_t until_ms = spells[i].until_ms;
        (void)printf("  quota %-11s %6.1f requests/s; from served to written p50 %.1f s, p95 "
                     "%.1f s, p99 %.1f s\n",
                     spells[i].name,
                     (double)simulation_sent(from_ms, until_ms) /
                         ((double)(until_ms - from_ms) / 1e3),
                     (double)vendor_age_ms(the_vendor, from_ms, until_ms, 0.5) / 1e3,
                     (double)vendor_age_ms(the_vendor, from_ms, until_ms, 0.95) / 1e3,
                     (double)vendor_age_ms(the_vendor, from_ms, until_ms, 0.99) / 1e3);
    }
    double whole_rps = (double)vendor_tally(the_vendor, MINUTE_MS, step_from_ms).taken /
                       ((double)(step_from_ms - MINUTE_MS) / 1e3);
    struct tally scarce = vendor_tally(the_vendor, step_from_ms + MINUTE_MS, steady_end_ms);
    double used = scarce.taken / ((double)(steady_end_ms - step_from_ms - MINUTE_MS) / 1e3) / 10;
    double refused = (double)scarce.refused / (scarce.taken + scarce.refused + 1);
    int64_t back_ms = until_taken_ms(step_until_ms, 0.9 * whole_rps);
    (void)printf(
        "  of the tenth %.1f %% used, %.2f %% refused; in the minute of the fall %u refused; "
        "back at 90 %% after %.0f s\n",
        100 * used, 100 * refused,
        vendor_tally(the_vendor, step_from_ms, step_from_ms + MINUTE_MS).refused,
        (double)back_ms / 1e3);
    scenarios_expect(used >= 0.85 && refused <= 0.02, "a scarce quota is used, and little refused");
    scenarios_expect(back_ms <= 30 * SECOND_MS, "back at 90 % within half a minute");
    (void)printf("  calls with stale attributes after a stop in the scarce spell: %u of %u\n",
                 figures->stale_at_stop, figures->calls);
    (void)printf("  throttled %.2f %% of requests, %llu of them for a call's own quota\n",
                 100.0 * (double)figures->throttled /
                     (double)(figures->requests[OPERATION_TRANSCRIPTS] +
                              figures->requests[OPERATION_ATTRIBUTES] + 1),
                 (unsigned long long)the_vendor->call_throttled);
}

/* --- scarce all the time --------------------------------------------------------------------- */

/* More is wanted than is given, in each. */
static const struct spec {
    const char *name;
    uint32_t calls;
    double client_rps; /* as configured */
    double quota_rps;  /* as given */
    double call_quota_rps;
    bool hides_retry_after;
    double known_rps; /* as configured for one call; 0: 1 */
} specs[] = {
    {"scarce-2", 60, 20, 2, 0, false, 0},
    {"scarce-10", 100, 100, 10, 0, false, 0},
    {"scarce-10-mute", 100, 100, 10, 0, true, 0},
    {"scarce-60", 200, 600, 60, 0, false, 0},
    {"scarce-600", 1200, 1000, 600, 0, false, 0},
    {"call-half", 200, 600, 600, 0.5, false, 0},
    {"call-known", 200, 600, 600, 0.5, false, 0.5},
    {"call-half-mute", 200, 600, 600, 0.5, true, 0},
    {"call-quarter", 200, 600, 600, 0.25, false, 0},
    {"call-and-client", 200, 600, 60, 0.5, false, 0},
};

static const int64_t steady_from_ms = 3 * MINUTE_MS;
static const int64_t steady_until_ms = 8 * MINUTE_MS;

static const struct spec *spec_named(const char *name)
{
    const struct spec *spec = specs;
    while (strcmp(spec->name, name) != 0) {
        spec++;
    }
    return spec;
}

static void make_scarce(struct plan *plan)
{
    const struct spec *spec = spec_named(plan->name);
    *plan = scenarios_plain_plan(spec->calls, 9 * MINUTE_MS);
    plan->client_rps = spec->client_rps;
    plan->quota_rps = spec->quota_rps;
    plan->call_quota_rps = spec->call_quota_rps;
    plan->hides_retry_after = spec->hides_retry_after;
    plan->interaction_rps = spec->known_rps > 0 ? spec->known_rps : plan->interaction_rps;
}

static void tell_scarce(const struct plan *plan, const struct figures *figures)
{
    double for_calls_rps = plan->call_quota_rps * plan->calls;
    double given_rps =
        for_calls_rps > 0 && for_calls_rps < plan->quota_rps ? for_calls_rps : plan->quota_rps;
    struct tally tally = vendor_tally(the_vendor, steady_from_ms, steady_until_ms);
    double taken_rps = tally.taken / ((double)(steady_until_ms - steady_from_ms) / 1e3);
    double refused = (double)tally.refused / (tally.taken + tally.refused + 1);
    (void)figures;
    (void)printf("  of %g requests a second %.1f %% used; refused %.2f %% (%u, %u of them for a "
                 "call's own quota)\n",
                 given_rps, 100 * taken_rps / given_rps, 100 * refused, tally.refused,
                 tally.call_refused);
    scenarios_expect(taken_rps >= 0.85 * given_rps, "at least 85 % of a scarce quota used");
    scenarios_expect(refused <= 0.02, "at most 2 % of the requests refused");
}

/* --- all ------------------------------------------------------------------------------------- */

const struct scenario scenarios_quota[] = {
    {"quota", "the quota falls to a tenth for 5 minutes", make_quota_step, tell_quota},
    {"quota-stop", "the same, and a SIGTERM meanwhile", make_quota_stop, tell_quota},
    {"scarce-2", "2 requests a second given, 20 configured", make_scarce, tell_scarce},
    {"scarce-10", "10 of 100", make_scarce, tell_scarce},
    {"scarce-10-mute", "10 of 100, without Retry-After", make_scarce, tell_scarce},
    {"scarce-60", "60 of 600", make_scarce, tell_scarce},
    {"scarce-600", "600 of 1,000", make_scarce, tell_scarce},
    {"call-half", "a call may be asked half as often as configured", make_scarce, tell_scarce},
    {"call-known", "the same, and configured so", make_scarce, tell_scarce},
    {"call-half-mute", "the same, without Retry-After", make_scarce, tell_scarce},
    {"call-quarter", "a quarter as often", make_scarce, tell_scarce},
    {"call-and-client", "half as often, and a tenth for all together", make_scarce, tell_scarce},
};
const size_t scenarios_quota_count = sizeof scenarios_quota / sizeof scenarios_quota[0];
