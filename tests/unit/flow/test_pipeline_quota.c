/* What the pipeline asks for when the quota is less than its calls want: no sockets, no clock. */
#include "options.h"

#include "base/keyhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CALLS = 16, TICK_MS = 10 };

static const int64_t epoch_ms = 1700000000000;

struct world {
    struct pipeline *pipeline;
    int64_t now_ms;
    unsigned polls;
    int64_t polled_ms[CALLS];
    int64_t longest_ms; /* between two polls of one call */
};

static struct pipeline *make_pipeline(double quota_rps)
{
    struct pipeline_options options = plain_options(CALLS);
    options.quota_rps = quota_rps;
    struct pipeline *pipeline = pipeline_create(&options);
    assert_non_null(pipeline);
    return pipeline;
}

static struct call_now now_of(const struct world *world)
{
    return (struct call_now){.mono = {world->now_ms * 1000}, .vendor_ms = epoch_ms + world->now_ms};
}

static void list_calls(struct world *world)
{
    for (int i = 0; i < CALLS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "call-%d", i);
        struct pipeline_event event = {.kind = PIPELINE_CALL_LISTED, .interaction_id = id};
        pipeline_step(world->pipeline, now_of(world), &event);
        world->polled_ms[i] = world->now_ms;
    }
}

static void note_poll(struct world *world, const struct effect *effect)
{
    int call = -1;
    assert_int_equal(sscanf(effect->interaction_id, "call-%d", &call), 1);
    int64_t gap_ms = world->now_ms - world->polled_ms[call];
    world->longest_ms = gap_ms > world->longest_ms ? gap_ms : world->longest_ms;
    world->polled_ms[call] = world->now_ms;
    world->polls++;
}

/* Every poll is answered at once with nothing. Returns polls a second. */
static double run_for(struct world *world, int64_t ms)
{
    const struct cxone_result empty = {
        .outcome = CXONE_EMPTY, .status = 200, .retry_after_ms = -1, .reason = ""};
    const struct pipeline_event tick = {.kind = PIPELINE_TICK};
    int64_t until_ms = world->now_ms + ms;
    world->polls = 0;
    world->longest_ms = 0;
    for (; world->now_ms < until_ms; world->now_ms += TICK_MS) {
        struct effects *effects = pipeline_step(world->pipeline, now_of(world), &tick);
        uint64_t polled[CALLS];
        size_t count = 0;
        for (size_t i = 0; i < effects->count; i++) {
            if (effects->items[i].kind == EFFECT_POLL) {
                assert_true(count < CALLS);
                note_poll(world, &effects->items[i]);
                polled[count++] = effects->items[i].call;
            }
        }
        for (size_t i = 0; i < count; i++) {
            struct pipeline_event event = {
                .kind = PIPELINE_POLLED, .call = polled[i], .result = &empty};
            pipeline_step(world->pipeline, now_of(world), &event);
        }
    }
    return world->polls / ((double)ms / 1e3);
}

static void polls_stay_within_a_scarce_quota(void **state)
{
    (void)state;
    struct world world = {.pipeline = make_pipeline(5)};
    list_calls(&world);
    (void)run_for(&world, 10000);
    double rps = run_for(&world, 60000); /* 0.95 of the 4.5 that are left for polls */
    assert_true(rps > 4.275 * 0.9 && rps < 4.275 * 1.05);
    assert_true(world.longest_ms <= 10000 + TICK_MS);
    assert_false(pipeline_schedule(world.pipeline)->degraded);
    pipeline_destroy(world.pipeline);
}

static void a_quota_that_grows_is_used_and_one_that_falls_is_heeded(void **state)
{
    (void)state;
    struct world world = {.pipeline = make_pipeline(1)};
    list_calls(&world);
    (void)run_for(&world, 10000);
    const struct poll_schedule *schedule = pipeline_schedule(world.pipeline);
    assert_true(schedule->degraded); /* 16 calls each 10 s are more than 0.9 polls a second */
    (void)run_for(&world, 120000);   /* until the silence of all is known */
    double scarce = run_for(&world, 120000);
    assert_true(scarce > 0.8 && scarce < 0.9);
    assert_true(world.longest_ms <= poll_schedule_longest_ms(schedule) + TICK_MS);
    assert_true(world.longest_ms < 2 * CALLS * 1000 / 0.9);

    pipeline_set_quota(world.pipeline, 400, 0, 0);
    (void)run_for(&world, 40000); /* who waited long still does, once */
    double plentiful = run_for(&world, 20000);
    assert_true(plentiful > CALLS / 5.0 && plentiful <= CALLS);
    assert_true(world.longest_ms <= 5500 + TICK_MS);
    assert_false(schedule->degraded);

    pipeline_set_quota(world.pipeline, 1, 0, 0);
    (void)run_for(&world, 20000); /* those polled just before have their next soon */
    scarce = run_for(&world, 120000);
    assert_true(scarce > 0.8 && scarce < 0.9);
    assert_true(schedule->degraded);
    pipeline_destroy(world.pipeline);
}

static void without_a_limit_each_call_has_its_pace(void **state)
{
    (void)state;
    struct world world = {.pipeline = make_pipeline(0)};
    list_calls(&world);
    double rps = run_for(&world, 9000);
    assert_true(rps > CALLS * 0.8 && rps <= CALLS * 1.12);
    pipeline_destroy(world.pipeline);
}

static void a_call_that_is_over_leaves_its_part_to_the_others(void **state)
{
    (void)state;
    struct world world = {.pipeline = make_pipeline(5)};
    list_calls(&world);
    (void)run_for(&world, 10000);
    assert_int_equal(pipeline_schedule(world.pipeline)->calls, CALLS);
    for (int i = 1; i < CALLS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "call-%d", i);
        struct pipeline_event gone = {
            .kind = PIPELINE_CALL_GONE, .interaction_id = id, .end_reason = END_REASON_DISCOVERY};
        pipeline_step(world.pipeline, now_of(&world), &gone);
    }
    assert_int_equal(pipeline_schedule(world.pipeline)->calls, 1);
    (void)run_for(&world, 90000); /* the sweeps are over too */
    assert_int_equal(pipeline_calls(world.pipeline), 1);
    assert_true(run_for(&world, 20000) > 1 / 5.5);
    assert_true(world.longest_ms <= 5500 + TICK_MS);
    struct pipeline_event stop = {.kind = PIPELINE_STOP};
    pipeline_step(world.pipeline, now_of(&world), &stop);
    assert_int_equal(pipeline_schedule(world.pipeline)->calls, 0);
    pipeline_destroy(world.pipeline);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_stay_within_a_scarce_quota),
        cmocka_unit_test(a_quota_that_grows_is_used_and_one_that_falls_is_heeded),
        cmocka_unit_test(without_a_limit_each_call_has_its_pace),
        cmocka_unit_test(a_call_that_is_over_leaves_its_part_to_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
