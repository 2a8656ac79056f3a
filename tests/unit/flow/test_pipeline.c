/* The whole pipeline in a pretended world (world.h): nothing is lost or doubled. The seed of a
 * history is printed when a check fails. */
#include "world.h"

static void check_call(const struct vendor_call *call, uint64_t seed)
{
    for (int n = 0; n < LINES; n++) {
        const struct line *line = &call->lines[n];
        for (int final = 0; final < 2; final++) {
            unsigned wanted = line->customer && line->served[final];
            if (line->scored[final] != wanted) {
                fail_msg("seed %llu %s line %d form %d: scored %u times, not %u",
                         (unsigned long long)seed, call->id, n, final, line->scored[final], wanted);
            }
        }
        if (line->customer && !line->served[1]) {
            fail_msg("seed %llu %s line %d: its final form was never fetched",
                     (unsigned long long)seed, call->id, n);
        }
    }
    uint32_t samples;
    int64_t mean = expected_mean(call, &samples);
    if (call->last_written.score != mean || call->last_written.samples != samples) {
        fail_msg("seed %llu %s: last attribute %lld of %u, not %lld of %u",
                 (unsigned long long)seed, call->id, (long long)call->last_written.score,
                 call->last_written.samples, (long long)mean, samples);
    }
    for (int episode = 0; episode < 8; episode++) {
        assert_true(call->suggestions[episode] <= 1);
    }
    assert_true(call->closed);
}

static void run_seeds(uint64_t first, uint64_t count, double fault_share)
{
    unsigned alerts = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct world *world = malloc(sizeof *world);
        assert_non_null(world);
        make_world(world, seed, fault_share);
        run_world(world, NULL);
        for (int i = 0; i < CALLS; i++) {
            check_call(&world->calls[i], seed);
        }
        assert_int_equal(pipeline_calls(world->pipeline), 0);
        alerts += world->alerts;
        destroy_world(world);
        free(world);
    }
    assert_true(alerts > count); /* half of the calls are angry: the check must see alerts */
}

static void nothing_is_lost_or_doubled_without_faults(void **state)
{
    (void)state;
    run_seeds(1, 10, 0);
}

static void nothing_is_lost_or_doubled_with_faults(void **state)
{
    (void)state;
    run_seeds(100, 20, 0.1);
}

static void a_call_that_answers_404_twice_is_over(void **state)
{
    (void)state;
    struct pipeline_options options = test_options();
    struct pipeline *pipeline = pipeline_create(&options);
    struct call_now now = {.mono = {0}, .vendor_ms = epoch_ms};
    struct pipeline_event listed = {.kind = PIPELINE_CALL_LISTED, .interaction_id = "x"};
    pipeline_step(pipeline, now, &listed);
    unsigned polls = 0;
    bool closed = false;
    for (int64_t ms = 0; ms < 120000 && !closed; ms += 100) {
        struct pipeline_event tick = {.kind = PIPELINE_TICK};
        now = (struct call_now){.mono = {ms * 1000}, .vendor_ms = epoch_ms + ms};
        struct effects *effects = pipeline_step(pipeline, now, &tick);
        uint64_t call = 0;
        bool polled = false;
        for (size_t i = 0; i < effects->count; i++) {
            if (effects->items[i].kind == EFFECT_POLL) {
                polled = true;
                call = effects->items[i].call;
            }
            closed |= effects->items[i].kind == EFFECT_CLOSED;
        }
        if (polled) {
            struct cxone_result result = {
                .outcome = CXONE_ENDED, .status = 404, .retry_after_ms = -1, .reason = ""};
            struct pipeline_event event = {
                .kind = PIPELINE_POLLED, .call = call, .result = &result};
            polls++;
            effects = pipeline_step(pipeline, now, &event);
            for (size_t i = 0; i < effects->count; i++) {
                closed |= effects->items[i].kind == EFFECT_CLOSED;
            }
        }
    }
    assert_true(closed);
    assert_true(polls >= 10); /* a new call may take 30 s to appear: patience first */
    pipeline_destroy(pipeline);
}

static void shadow_mode_writes_nothing(void **state)
{
    (void)state;
    struct world *world = malloc(sizeof *world);
    assert_non_null(world);
    make_world(world, 7, 0);
    pipeline_destroy(world->pipeline);
    struct pipeline_options options = test_options();
    options.session.write_attributes = false;
    options.session.send_suggestions = false;
    world->pipeline = pipeline_create(&options);
    run_world(world, NULL);
    assert_true(world->alerts > 0);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(world->calls[i].writes, 0);
        assert_true(world->calls[i].closed);
    }
    destroy_world(world);
    free(world);
}

static void an_answer_for_a_closed_call_is_ignored(void **state)
{
    (void)state;
    struct pipeline_options options = test_options();
    struct pipeline *pipeline = pipeline_create(&options);
    struct call_now now = {.mono = {0}, .vendor_ms = epoch_ms};
    struct pipeline_event event = {
        .kind = PIPELINE_SCORED, .call = UINT64_C(7) << 32 | 3, .scorable = true};
    assert_int_equal(pipeline_step(pipeline, now, &event)->count, 0);
    pipeline_destroy(pipeline);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_doubled_without_faults),
        cmocka_unit_test(nothing_is_lost_or_doubled_with_faults),
        cmocka_unit_test(a_call_that_answers_404_twice_is_over),
        cmocka_unit_test(shadow_mode_writes_nothing),
        cmocka_unit_test(an_answer_for_a_closed_call_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
