/* Options that change while calls are followed, in a pretended world (world.h). */
#include "world.h"

static struct pipeline_options options;

static void tell_options(struct world *world)
{
    const struct pipeline_event event = {.kind = PIPELINE_OPTIONS, .options = &options};
    step(world, &event);
}

static struct world *run(struct world *world, void (*each)(struct world *world))
{
    options = test_options();
    make_world(world, 11, 0.05);
    run_world(world, each);
    return world;
}

static struct world *make_room(void)
{
    struct world *world = malloc(sizeof *world);
    assert_non_null(world);
    return world;
}

static unsigned count_writes(const struct world *world)
{
    unsigned count = 0;
    for (int i = 0; i < CALLS; i++) {
        count += world->calls[i].writes;
    }
    return count;
}

static unsigned count_suggestions(const struct world *world)
{
    unsigned count = 0;
    for (int i = 0; i < CALLS; i++) {
        for (int episode = 0; episode < 8; episode++) {
            count += world->calls[i].suggestions[episode];
        }
    }
    return count;
}

static void say_the_same_every_second(struct world *world)
{
    if (world->now_ms % 1000 == 0) {
        tell_options(world);
    }
}

/* The telling comes between other events, so chance falls out otherwise. */
static void the_same_options_again_change_nothing(void **state)
{
    (void)state;
    struct world *plain = run(make_room(), NULL);
    struct world *told = run(make_room(), say_the_same_every_second);
    assert_true(plain->alerts > 0 && told->alerts > 0);
    assert_in_range(told->polls, plain->polls * 9 / 10, plain->polls * 11 / 10);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(told->calls[i].last_written.score, plain->calls[i].last_written.score);
        assert_int_equal(told->calls[i].last_written.utterances,
                         plain->calls[i].last_written.utterances);
        for (int episode = 0; episode < 8; episode++) {
            assert_true(told->calls[i].suggestions[episode] <= 1);
        }
    }
    destroy_world(plain);
    destroy_world(told);
    free(plain);
    free(told);
}

/* Between 20 s and 60 s nothing is written; what was on its way at 20 s has 1 s to arrive. */
static void switch_off_and_on(struct world *world)
{
    static unsigned writes;
    static unsigned suggestions;
    if (world->now_ms == 20000 || world->now_ms == 60000) {
        options.session.write_attributes = options.session.send_suggestions =
            world->now_ms == 60000;
        tell_options(world);
    }
    if (world->now_ms == 21000) {
        writes = count_writes(world);
        suggestions = count_suggestions(world);
    }
    if (world->now_ms == 59980) {
        assert_int_equal(count_writes(world), writes);
        assert_int_equal(count_suggestions(world), suggestions);
    }
    if (world->now_ms == 62000) {
        assert_true(count_writes(world) >= writes + CALLS); /* each has one that waited */
    }
}

static void what_is_switched_off_writes_nothing_and_catches_up_later(void **state)
{
    (void)state;
    struct world *world = run(make_room(), switch_off_and_on);
    assert_true(world->alerts > 0);
    for (int i = 0; i < CALLS; i++) {
        uint32_t samples;
        int64_t mean = expected_mean(&world->calls[i], &samples);
        assert_int_equal(world->calls[i].last_written.score, mean);
        assert_int_equal(world->calls[i].last_written.samples, samples);
        assert_true(world->calls[i].closed);
    }
    destroy_world(world);
    free(world);
}

static void alert_from_30_s_on(struct world *world)
{
    if (world->now_ms == 0 || world->now_ms == 30000) {
        assert_int_equal(world->alerts, 0);
        options.session.mood.alert_below = world->now_ms == 0 ? 0 : 350000;
        options.session.mood.sustained_limit = world->now_ms == 0 ? INT64_MAX / 2 : 900000;
        tell_options(world);
    }
}

static void calls_under_way_are_judged_by_the_new_thresholds(void **state)
{
    (void)state;
    struct world *world = run(make_room(), alert_from_30_s_on);
    assert_true(world->alerts > 0);
    destroy_world(world);
    free(world);
}

static void name_a_summary(struct world *world)
{
    if (world->now_ms == 0) {
        options.session.attributes.summarise = true;
        tell_options(world);
    }
}

/* At the end, and again after each of the two sweeps that brings late words. */
static void a_summary_goes_out_and_is_put_right_once_a_call_is_over(void **state)
{
    (void)state;
    struct world *plain = run(make_room(), NULL);
    struct world *told = run(make_room(), name_a_summary);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(plain->calls[i].summaries, 0);
        assert_in_range(told->calls[i].summaries, 1, 3);
        assert_int_equal(told->calls[i].summary.utterances, LINES / 2);
        assert_true(told->calls[i].closed);
    }
    destroy_world(plain);
    destroy_world(told);
    free(plain);
    free(told);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_options_again_change_nothing),
        cmocka_unit_test(what_is_switched_off_writes_nothing_and_catches_up_later),
        cmocka_unit_test(a_summary_goes_out_and_is_put_right_once_a_call_is_over),
        cmocka_unit_test(calls_under_way_are_judged_by_the_new_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
