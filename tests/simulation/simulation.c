/* simulation.c - see simulation.h. Gives the daemon as many lives as the plan asks for, watches its
 * bounds once a second, and balances the books when every call is over. */
#include "simulation.h"

#include "app/daemon_internal.h"
#include "base/keyhash.h"
#include "config/config.h"
#include "disk.h"
#include "ledger.h"
#include "vendor.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTINGS_MAX = 40, SENT_MAX = 16384, OVER_MS = 70000 };

/* The marks in src/app/daemon_effects.c and daemon_keep.c, and what may come on top: replies in
 * flight, and what one step adds. */
enum { SCORING_MAX = 4096 + 32 * 4096, HELD_MAX = 8192 + 8192 };

static struct {
    const struct plan *plan;
    struct figures *figures;
    struct vendor *vendor;
    struct daemon *daemon;
    struct world_event *watch;
    uint16_t *per_second;
    size_t seconds;
    int64_t sent_us[SENT_MAX]; /* a ring: the last requests of this life */
    uint64_t sent;
    int64_t down_ms; /* how long it stays down after this life */
    bool stop_was_asked;
    unsigned loads; /* of the configuration */
    bool over;
} run;

/* --- requests in time ------------------------------------------------------------------------ */

static void check_quota(void)
{
    int64_t now_us = world_now_us();
    double burst = run.plan->client_rps < 8 ? 1 : run.plan->client_rps / 8;
    unsigned within = 0;
    for (uint64_t i = run.sent; i > 0 && run.sent - i < SENT_MAX; i--) {
        if (run.sent_us[(i - 1) % SENT_MAX] <= now_us - 1000000) {
            break;
        }
        within++;
    }
    if (within > run.figures->rps_max) {
        run.figures->rps_max = within;
    }
    if (within > run.plan->client_rps + burst + 1) {
        world_fail("%u requests within a second, the quota is %.0f and %.0f at once", within,
                   run.plan->client_rps, burst);
    }
}

void simulation_note_sent(enum operation operation)
{
    size_t second = (size_t)(world_now_ms() / SECOND_MS);
    run.figures->requests[operation]++;
    if (operation == OPERATION_TRANSCRIPTS && run.plan->mark_ms > 0 &&
        world_now_ms() >= run.plan->mark_ms && !run.figures->probed_ms) {
        run.figures->probed_ms = world_now_ms() - run.plan->mark_ms;
    }
    if (operation == OPERATION_TOKEN) {
        return;
    }
    if (second < run.seconds) {
        run.per_second[second]++;
    }
    run.sent_us[run.sent++ % SENT_MAX] = world_now_us();
    check_quota();
}

uint64_t simulation_sent(int64_t from_ms, int64_t until_ms)
{
    uint64_t sum = 0;
    for (int64_t i = from_ms / SECOND_MS; i < until_ms / SECOND_MS; i++) {
        sum += run.per_second[i];
    }
    return sum;
}

unsigned simulation_sent_peak(int64_t from_ms, int64_t until_ms)
{
    unsigned peak = 0;
    for (int64_t i = from_ms / SECOND_MS; i < until_ms / SECOND_MS; i++) {
        peak = run.per_second[i] > peak ? run.per_second[i] : peak;
    }
    return peak;
}

/* --- once a second --------------------------------------------------------------------------- */

static bool all_over(void)
{
    int64_t now_ms = world_vendor_ms();
    for (uint32_t i = 0; i < run.vendor->count; i++) {
        if (now_ms < run.vendor->calls[i].ends_ms + OVER_MS) {
            return false;
        }
    }
    return world_now_ms() >= run.plan->calm_ms && pipeline_calls(run.daemon->pipeline) == 0 &&
           pipeline_settled(run.daemon->pipeline) && daemon_keep_settled(run.daemon);
}

static unsigned most(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static void check_bounds(void)
{
    struct figures *figures = run.figures;
    struct cxone_status status;
    cxone_status(run.daemon->cxone, &status);
    daemon_keep_count(run.daemon);
    unsigned scoring = (unsigned)score_pool_queued(run.daemon->pool);
    unsigned held = (unsigned)run.daemon->metrics.values[METRIC_STORE_HELD];
    figures->waiting_max = most(figures->waiting_max, status.queued);
    figures->scoring_max = most(figures->scoring_max, scoring);
    figures->held_max = most(figures->held_max, held);
    if (status.queued > run.plan->calls_max * 4 + 64 || scoring > SCORING_MAX || held > HELD_MAX ||
        pipeline_calls(run.daemon->pipeline) > run.plan->calls_max) {
        world_fail("out of bounds: %u requests wait, %u scorings, %u for the store, %zu calls",
                   status.queued, scoring, held, pipeline_calls(run.daemon->pipeline));
    }
}

static void measure_spell(void)
{
    int64_t length_ms = run.plan->calm_ms / SPELLS;
    int64_t index = length_ms > 0 ? world_now_ms() / length_ms : SPELLS;
    if (index >= SPELLS || world_now_ms() / SECOND_MS % 60 != 0) {
        return;
    }
    struct spell *spell = &run.figures->spells[index];
    size_t heap_bytes = ledger_daemon_bytes();
    size_t on_disk_bytes = disk_bytes();
    spell->until_ms = (index + 1) * length_ms;
    spell->heap_bytes = heap_bytes > spell->heap_bytes ? heap_bytes : spell->heap_bytes;
    spell->disk_bytes = on_disk_bytes > spell->disk_bytes ? on_disk_bytes : spell->disk_bytes;
}

static void on_watch(void *user)
{
    (void)user;
    run.watch = world_after_ms(SECOND_MS, on_watch, NULL);
    check_bounds();
    measure_spell();
    if (!run.over && all_over()) {
        run.over = true;
        simulation_signal(SIGTERM);
    }
}

/* --- strokes of fate ------------------------------------------------------------------------- */

static void strike(const struct fault *fault)
{
    world_trace("fault: %s %lld", fault_name(fault->kind), (long long)fault->value);
    switch (fault->kind) {
    case FAULT_REVOKE:
        run.vendor->void_before = run.vendor->tokens;
        break;
    case FAULT_CLOCK_STEP:
        world_step_local_clock(fault->value);
        break;
    case FAULT_RELOAD:
        simulation_signal(SIGHUP);
        break;
    case FAULT_KILL:
        if (run.daemon && !world_is_dead()) {
            run.down_ms = fault->value;
            if (world_chance(0.5)) {
                world_kill();
            } else {
                world_kill_at_act(1 + world_below(30));
            }
        }
        break;
    case FAULT_STOP:
        if (run.daemon && !run.stop_was_asked && !run.over) {
            run.down_ms = fault->value;
            run.stop_was_asked = true;
            simulation_signal(SIGTERM);
        }
        break;
    default:
        break;
    }
}

static void on_fault(void *user)
{
    strike(user);
}

static void schedule_strokes(const struct plan *plan)
{
    for (size_t i = 0; i < plan->fault_count; i++) {
        const struct fault *fault = &plan->faults[i];
        if (fault->kind == FAULT_REVOKE || fault->kind == FAULT_CLOCK_STEP ||
            fault->kind == FAULT_RELOAD || fault->kind == FAULT_KILL || fault->kind == FAULT_STOP) {
            (void)world_after_ms(fault->from_ms, on_fault, (void *)(uintptr_t)fault);
        }
    }
}

/* --- lives ----------------------------------------------------------------------------------- */

/* daemon_load_fn. Each time it is read, another deadline stands in it: a reload then has to connect
 * anew. */
static int load_config(void *user, struct config *config, struct error *err)
{
    static const char *const environment[] = {"CXONE_CLIENT_ID=simulated",
                                              "CXONE_CLIENT_SECRET=simulated", NULL};
    const struct plan *plan = user;
    char client_rps[48];
    char interaction_rps[48];
    char calls_max[48];
    const char *settings[SETTINGS_MAX] = {
        "profile=simulator",
        "api_base=https://vendor.test",
        "http.listen=",
        "attr.count_key=judged",
        "attr.as_of_key=as_of",
        "log.level=debug",
        client_rps,
        interaction_rps,
        calls_max,
        plan->durable ? "store.path=/simulated/state.db" : "store.path=",
        run.loads++ % 2 ? "timeouts.suggestion=14s" : "timeouts.suggestion=15s",
    };
    size_t count = 11;
    for (size_t i = 0; plan->settings && plan->settings[i] && count < SETTINGS_MAX - 1; i++) {
        settings[count++] = plan->settings[i];
    }
    (void)snprintf(client_rps, sizeof client_rps, "rate.client_rps=%g", plan->client_rps);
    (void)snprintf(interaction_rps, sizeof interaction_rps, "rate.interaction_rps=%g",
                   plan->interaction_rps);
    (void)snprintf(calls_max, sizeof calls_max, "discover.max=%u", plan->calls_max);
    const struct config_sources sources = {.environment = environment, .overrides = settings};
    return config_load(config, &sources, err);
}

static void live_once(void)
{
    struct config config;
    struct error err;
    const struct daemon_options options = {
        .config = &config, .log_fd = -1, .load = load_config, .user = (void *)(uintptr_t)run.plan};
    if (load_config(options.user, &config, &err)) {
        (void)fprintf(stderr, "undertone-simulate: %s\n", err.message);
        exit(2);
    }
    world_revive();
    world_trace("life %u", run.vendor->life + 1);
    run.vendor->life++;
    run.figures->lives++;
    run.sent = 0;
    run.down_ms = SECOND_MS;
    run.stop_was_asked = false;
    if (daemon_create(&run.daemon, &options, &err)) {
        world_fail("the daemon does not start: %s", err.message);
        run.over = true;
        return;
    }
    ledger_use_key(&run.daemon->keyhash);
    run.watch = world_after_ms(SECOND_MS, on_watch, NULL);
    if (daemon_run(run.daemon, &err) && !world_is_dead()) {
        world_fail("the daemon ended by itself: %s", err.message);
    }
    world_cancel(run.watch);
    if (run.stop_was_asked && !world_is_dead()) {
        run.figures->stale_at_stop += ledger_count_stale(run.vendor);
    }
    vendor_note_death(run.vendor);
    daemon_destroy(run.daemon);
    run.daemon = NULL;
}

static void live(const struct plan *plan)
{
    simulation_run_until(plan->end_ms);
    while (!run.over) {
        live_once();
        int64_t until_ms = world_now_ms() + run.down_ms;
        while (!run.over && world_step(until_ms)) {
        }
        if (world_now_ms() >= plan->end_ms) {
            world_fail("not all is over at the end of the world");
            run.over = true;
        }
    }
}

static void measure_recovery(struct figures *figures)
{
    int64_t mark_ms = run.plan->mark_ms;
    for (uint32_t i = 0; mark_ms > 0 && i < run.vendor->count; i++) {
        const struct vendor_call *call = &run.vendor->calls[i];
        bool was_live = call->begins_ms < WORLD_EPOCH_MS + mark_ms &&
                        call->ends_ms > WORLD_EPOCH_MS + mark_ms + 2 * MINUTE_MS;
        if (was_live && call->resumed_ms - mark_ms > figures->recovered_ms) {
            figures->recovered_ms = call->resumed_ms - mark_ms;
        }
    }
}

void simulation_run(const struct plan *plan, struct figures *figures)
{
    *figures = (struct figures){.calls = plan->calls};
    memset(&run, 0, sizeof run);
    world_begin(plan->seed);
    disk_erase();
    run.plan = plan;
    run.figures = figures;
    run.seconds = (size_t)(plan->end_ms / SECOND_MS) + HOUR_MS / SECOND_MS;
    run.per_second = calloc(run.seconds, sizeof *run.per_second);
    run.vendor = vendor_create(plan);
    if (!run.per_second) {
        abort();
    }
    ledger_begin(run.vendor);
    schedule_strokes(plan);
    live(plan);
    ledger_check(run.vendor, figures);
    measure_recovery(figures);
    figures->throttled = run.vendor->throttled;
    figures->failures = world_failures();
    figures->fingerprint = world_fingerprint();
    figures->events = world_events();
    figures->simulated_ms = world_now_ms();
}

void simulation_end(void)
{
    world_end();
    ledger_end();
    disk_erase();
    vendor_destroy(run.vendor);
    free(run.per_second);
}
