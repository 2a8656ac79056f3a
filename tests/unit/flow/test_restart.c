/* The pipeline killed at random moments, with the real store (world.h): what a later one finds is
 * enough to go on as if nothing had been.
 *
 * A crash falls before a commit, after it and before anything that waited for it was done, or
 * between two; the answers on their way are lost with it. The seed is printed when a check fails.
 */
#include "../store/files.h"
#include "world.h"

static struct files files;

static void start_pipeline(struct world *world, uint64_t seed)
{
    struct pipeline_options options = test_options();
    options.seed = seed;
    options.keep_state = true;
    memset(&options.session.effect_key, 3, sizeof options.session.effect_key);
    memset(options.session.mood.identity_key, 5, sizeof options.session.mood.identity_key);
    pipeline_destroy(world->pipeline);
    world->pipeline = pipeline_create(&options);
    assert_non_null(world->pipeline);
}

static bool restore_call(void *user, const struct store_saved *saved)
{
    struct world *world = user;
    struct pipeline_event event = {.kind = PIPELINE_CALL_RESTORED, .saved = saved};
    struct effects *effects = pipeline_step(world->pipeline, world_now(world), &event);
    for (size_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        world->unknown += effect->kind == EFFECT_NOTE && effect->note == NOTE_SUGGESTION &&
                          effect->suggestion_state == SUGGESTION_UNKNOWN;
        assert_false(effect->kind == EFFECT_NOTE && effect->note == NOTE_STATE_LOST);
        hold_or_carry_out(world, effect);
    }
    return true;
}

static void crash(struct world *world)
{
    bool committed = chance(world, 0.5);
    if (committed) {
        commit(world);
        release(world, true);
    }
    world->waiting_count = 0;
    store_batch_clear(world->batch);
    for (size_t i = 0; i < world->answer_count; i++) {
        free(world->answers[i]);
    }
    world->answer_count = 0;
    world->crashes++;
    store_close(world->store);
    world->store = files_open(&files);
    start_pipeline(world, 1000 + world->crashes);
    world->now_ms += (int64_t)rand_below(&world->rand, 3000) / 20 * 20; /* nobody runs */
    assert_int_equal(store_load_live(world->store, restore_call, world, NULL), 0);
    const struct pipeline_event tick = {.kind = PIPELINE_TICK};
    for (int i = 0; i < 4; i++) {
        step(world, &tick);
    }
    struct mono due = pipeline_next_due(world->pipeline);
    assert_false(mono_reached(world_now(world).mono, due)); /* or the loop would spin */
}

/* A commit every 60 ms, a crash about every eight seconds. */
static void commit_and_crash(struct world *world)
{
    if (world->now_ms % 60 == 0) {
        commit(world);
        release(world, false);
    }
    if (world->now_ms < 120000 && chance(world, 0.0025)) {
        crash(world);
    }
}

static void check_call(const struct vendor_call *call, uint64_t seed)
{
    for (int n = 0; n < LINES; n++) {
        const struct line *line = &call->lines[n];
        if (line->customer && (!line->served[1] || line->scored[1] != 1 || line->scored[0] > 1)) {
            fail_msg("seed %llu %s line %d: served %d, scored %u times in its first form and %u "
                     "times in its last",
                     (unsigned long long)seed, call->id, n, line->served[1], line->scored[0],
                     line->scored[1]);
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
    if (!call->closed) {
        fail_msg("seed %llu %s: never closed", (unsigned long long)seed, call->id);
    }
}

static void nothing_is_lost_or_doubled_over_restarts(void **state)
{
    (void)state;
    unsigned crashes = 0;
    unsigned alerts = 0;
    unsigned unknown = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct world *world = malloc(sizeof *world);
        assert_non_null(world);
        files_make(&files);
        make_world(world, seed, seed % 2 ? 0 : 0.05);
        start_pipeline(world, seed);
        world->store = files_open(&files);
        world->batch = make_batch();
        run_world(world, commit_and_crash);
        for (int i = 0; i < CALLS; i++) {
            check_call(&world->calls[i], seed);
        }
        crashes += world->crashes;
        alerts += world->alerts;
        unknown += world->unknown;
        store_batch_destroy(world->batch);
        store_close(world->store);
        destroy_world(world);
        free(world);
        files_remove(&files);
    }
    print_message("%u crashes, %u alerts, %u suggestions unknown\n", crashes, alerts, unknown);
    assert_true(crashes > 100);
    assert_true(alerts > 12);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_doubled_over_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
