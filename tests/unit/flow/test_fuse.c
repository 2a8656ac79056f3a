/* The fuse: when it blows, when it is whole again; and in a pretended world (world.h) that nothing
 * is suggested past it. */
#include "flow/fuse.h"
#include "world.h"

static struct mono at_ms(int64_t ms)
{
    return (struct mono){(1000000 + ms) * 1000};
}

static void so_many_a_minute_and_no_more(void **state)
{
    (void)state;
    struct fuse fuse;
    fuse_init(&fuse, &(struct fuse_limits){.per_minute = 5});
    for (int i = 0; i < 5; i++) {
        assert_true(fuse_allow(&fuse, at_ms(i * 10000)));
    }
    assert_int_equal(fuse.reason, FUSE_WHOLE);
    assert_false(fuse_allow(&fuse, at_ms(59000)));
    assert_int_equal(fuse.reason, FUSE_TOO_MANY);
    assert_false(fuse_allow(&fuse, at_ms(3600000))); /* only by hand */
    fuse_reset(&fuse);
    assert_true(fuse_allow(&fuse, at_ms(3600000)));
}

static void what_left_over_a_minute_ago_no_longer_counts(void **state)
{
    (void)state;
    struct fuse fuse;
    fuse_init(&fuse, &(struct fuse_limits){.per_minute = 5});
    for (int i = 0; i < 1000; i++) { /* one every 12.5 s and later: never six in a minute */
        assert_true(fuse_allow(&fuse, at_ms(i * 12500 + i * i)));
    }
}

static void a_share_blows_it_where_it_says_something(void **state)
{
    (void)state;
    struct fuse fuse;
    fuse_init(&fuse, &(struct fuse_limits){.share = 0.5, .calls_min = 10});
    fuse_watch(&fuse, 9, 9, at_ms(0));
    assert_int_equal(fuse.reason, FUSE_WHOLE);
    fuse_watch(&fuse, 10, 4, at_ms(0));
    assert_int_equal(fuse.reason, FUSE_WHOLE);
    fuse_watch(&fuse, 10, 5, at_ms(0));
    assert_int_equal(fuse.reason, FUSE_TOO_LARGE_A_SHARE);
    assert_false(fuse_allow(&fuse, at_ms(1)));
}

static void its_time_ends(void **state)
{
    (void)state;
    struct fuse fuse;
    fuse_init(&fuse, &(struct fuse_limits){.per_minute = 1, .reset_after_ms = 5000});
    assert_true(fuse_allow(&fuse, at_ms(0)));
    assert_false(fuse_allow(&fuse, at_ms(1000)));
    assert_false(fuse_allow(&fuse, at_ms(5999)));
    fuse_watch(&fuse, 0, 0, at_ms(6000));
    assert_int_equal(fuse.reason, FUSE_WHOLE);
    assert_true(fuse_allow(&fuse, at_ms(6000)));
}

static void without_limits_it_never_blows(void **state)
{
    (void)state;
    struct fuse fuse;
    fuse_init(&fuse, &(struct fuse_limits){0});
    for (int i = 0; i < 100000; i++) {
        assert_true(fuse_allow(&fuse, at_ms(0)));
        fuse_watch(&fuse, 100, 100, at_ms(0));
    }
}

static struct world *run_with(const struct fuse_limits *limits, void (*each)(struct world *))
{
    struct world *world = malloc(sizeof *world);
    assert_non_null(world);
    make_world(world, 11, 0);
    pipeline_destroy(world->pipeline);
    struct pipeline_options options = test_options();
    options.fuse = *limits;
    world->pipeline = pipeline_create(&options);
    run_world(world, each);
    return world;
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

static void nothing_is_suggested_past_it_and_all_else_goes_on(void **state)
{
    (void)state;
    struct world *plain = run_with(&(struct fuse_limits){0}, NULL);
    struct world *fused = run_with(&(struct fuse_limits){.per_minute = 1}, NULL);
    assert_true(count_suggestions(plain) > 2);
    assert_int_equal(count_suggestions(fused), 1);
    assert_int_equal(pipeline_fuse(fused->pipeline)->reason, FUSE_TOO_MANY);
    assert_true(fused->alerts > 2);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(fused->calls[i].last_written.score, plain->calls[i].last_written.score);
        assert_true(fused->calls[i].closed);
    }
    assert_int_equal(pipeline_alerting(fused->pipeline), 0); /* all counted out again */
    destroy_world(plain);
    destroy_world(fused);
    free(plain);
    free(fused);
}

/* Three of the six calls are angry. */
static void a_share_of_the_calls_holds_the_last_suggestion_back(void **state)
{
    (void)state;
    struct world *world = run_with(&(struct fuse_limits){.share = 0.5, .calls_min = 6}, NULL);
    assert_int_equal(pipeline_fuse(world->pipeline)->reason, FUSE_TOO_LARGE_A_SHARE);
    assert_true(count_suggestions(world) < world->alerts);
    destroy_world(world);
    free(world);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_a_minute_and_no_more),
        cmocka_unit_test(what_left_over_a_minute_ago_no_longer_counts),
        cmocka_unit_test(a_share_blows_it_where_it_says_something),
        cmocka_unit_test(its_time_ends),
        cmocka_unit_test(without_limits_it_never_blows),
        cmocka_unit_test(nothing_is_suggested_past_it_and_all_else_goes_on),
        cmocka_unit_test(a_share_of_the_calls_holds_the_last_suggestion_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
