/* The loop: timers, wake-ups from other threads, signals, watched descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/loop.h"
#include "net/loop_internal.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct scene {
    struct loop *loop;
    char trace[64];
    struct loop_timer *timer;
    struct loop_wakeup *wakeup;
    struct loop_poll *poll;
    int runs;
};

static void scene_init(struct scene *scene)
{
    struct error err = {0};
    *scene = (struct scene){0};
    assert_int_equal(loop_create(&scene->loop, &err), 0);
}

static void note(struct scene *scene, char c)
{
    size_t size = strlen(scene->trace);
    assert_true(size + 1 < sizeof scene->trace);
    scene->trace[size] = c;
}

static void note_a(void *user)
{
    note(user, 'a');
}

static void note_b(void *user)
{
    note(user, 'b');
}

static void note_c(void *user)
{
    note(user, 'c');
}

static struct loop_timer *timer(struct scene *scene, loop_fn *fn)
{
    struct loop_timer *made = NULL;
    struct error err = {0};
    assert_int_equal(loop_timer_create(scene->loop, fn, scene, &made, &err), 0);
    return made;
}

static void test_empty_loop_returns(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    loop_run(scene.loop);
    struct loop_timer *idle = timer(&scene, note_a);
    loop_run(scene.loop); /* a timer that was not started produces nothing */
    loop_timer_destroy(idle);
    loop_destroy(scene.loop);
    loop_destroy(NULL);
}

static void test_timers_fire_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct loop_timer *a = timer(&scene, note_a), *b = timer(&scene, note_b);
    struct loop_timer *c = timer(&scene, note_c);
    loop_timer_start(a, 20, 0);
    loop_timer_start(b, 10, 0);
    loop_timer_start(c, 0, 0);
    assert_string_equal(scene.trace, "");
    loop_run(scene.loop);
    assert_string_equal(scene.trace, "cba");
    loop_timer_start(a, 5, 0);
    loop_timer_start(a, 1, 0); /* replaces */
    loop_timer_start(b, 3, 0);
    loop_timer_stop(b);
    loop_run(scene.loop);
    assert_string_equal(scene.trace, "cbaa");
    loop_destroy(scene.loop); /* closes the timers that are left */
}

static void test_timers_are_never_early(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct loop_timer *a = timer(&scene, note_a);
    for (int i = 0; i < 30; i++) {
        struct mono start = loop_now(scene.loop);
        loop_timer_start(a, 1 + i % 3, 0);
        loop_run(scene.loop);
        assert_true(mono_reached(loop_now(scene.loop), mono_after_ms(start, 1 + i % 3)));
    }
    loop_destroy(scene.loop);
}

static void repeat_thrice(void *user)
{
    struct scene *scene = user;
    if (++scene->runs == 3) {
        loop_timer_destroy(scene->timer);
    }
}

static void test_timer_repeats_until_destroyed_even_by_itself(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    scene.timer = timer(&scene, repeat_thrice);
    loop_timer_start(scene.timer, 1, 1);
    loop_run(scene.loop);
    assert_int_equal(scene.runs, 3);
    loop_timer_destroy(NULL);
    loop_destroy(scene.loop);
}

static void *signal_from_thread(void *user)
{
    loop_wakeup_signal(user);
    loop_wakeup_signal(user);
    return NULL;
}

static void woken(void *user)
{
    struct scene *scene = user;
    scene->runs++;
    loop_stop(scene->loop);
}

static void test_wakeup_comes_from_another_thread(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct error err = {0};
    pthread_t thread;
    assert_int_equal(loop_wakeup_create(scene.loop, woken, &scene, &scene.wakeup, &err), 0);
    assert_int_equal(pthread_create(&thread, NULL, signal_from_thread, scene.wakeup), 0);
    loop_run(scene.loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_in_range(scene.runs, 1, 2);
    loop_wakeup_destroy(scene.wakeup);
    loop_wakeup_destroy(NULL);
    int runs = scene.runs;
    loop_run(scene.loop); /* nothing is left, and a signal under way is forgotten */
    assert_int_equal(scene.runs, runs);
    loop_destroy(scene.loop);
}

static void signalled(void *user, int signal_number)
{
    struct scene *scene = user;
    assert_int_equal(signal_number, SIGUSR1);
    if (++scene->runs == 1) {
        assert_int_equal(raise(SIGUSR1), 0);
    } else {
        loop_stop(scene->loop);
    }
}

static void test_signals_reach_the_loop_each_time(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct error err = {0};
    assert_int_equal(loop_on_signal(scene.loop, SIGUSR1, signalled, &scene, &err), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(scene.runs, 0);
    loop_run(scene.loop);
    assert_int_equal(scene.runs, 2);
    assert_int_equal(loop_on_signal(scene.loop, SIGKILL, signalled, &scene, &err), ERROR_IO);
    loop_destroy(scene.loop);
}

static void test_broken_pipe_is_an_error_not_the_end(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    (void)close(fds[0]);
    assert_int_equal(write(fds[1], "x", 1), -1);
    (void)close(fds[1]);
    loop_destroy(scene.loop);
}

static void poll_ready(void *user, int fd, struct loop_ready ready)
{
    struct scene *scene = user;
    char c = 0;
    assert_true(ready.readable);
    assert_false(ready.writable);
    assert_int_equal(read(fd, &c, 1), 1);
    note(scene, c);
    if (c == '2') {
        loop_poll_destroy(scene->poll);
    }
}

static void test_descriptor_is_watched_level_triggered_until_destroyed(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct error err = {0};
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "123", 3), 3);
    assert_int_equal(loop_poll_create(scene.loop, fds[0], poll_ready, &scene, &scene.poll, &err),
                     0);
    loop_poll_set(scene.poll, true, false);
    loop_run(scene.loop);
    assert_string_equal(scene.trace, "12");
    /* The number may be watched again at once, although the first watch is still being closed. */
    assert_int_equal(loop_poll_create(scene.loop, fds[0], poll_ready, &scene, &scene.poll, &err),
                     0);
    loop_poll_destroy(scene.poll);
    (void)close(fds[0]);
    (void)close(fds[1]);
    loop_poll_destroy(NULL);
    loop_destroy(scene.loop);
}

static void start_again(void *user)
{
    struct scene *scene = user;
    if (++scene->runs > 100000) {
        loop_timer_stop(scene->timer);
        loop_stop(scene->loop);
        return;
    }
    loop_timer_start(scene->timer, 0, 0);
}

static void poll_stops(void *user, int fd, struct loop_ready ready)
{
    struct scene *scene = user;
    (void)fd;
    assert_true(ready.readable);
    note(scene, 'p');
    loop_timer_stop(scene->timer);
    loop_stop(scene->loop);
}

/* A pipe of which there is something to read all the time. */
static void watch_full_pipe(struct scene *scene, int fds[2],
                            void (*on_ready)(void *user, int fd, struct loop_ready ready))
{
    struct error err = {0};
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(loop_poll_create(scene->loop, fds[0], on_ready, scene, &scene->poll, &err), 0);
    loop_poll_set(scene->poll, true, false);
}

static void test_timers_that_start_themselves_at_once_leave_room_for_the_rest(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    int fds[2];
    watch_full_pipe(&scene, fds, poll_stops);
    scene.timer = timer(&scene, start_again);
    loop_timer_start(scene.timer, 0, 0);
    loop_run(scene.loop);
    assert_string_equal(scene.trace, "p");
    assert_in_range(scene.runs, 0, 8); /* some rounds before the wait, and some after it */
    loop_destroy(scene.loop);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void stop_here(void *user)
{
    struct scene *scene = user;
    note(scene, 'z');
    scene->runs++;
    loop_stop(scene->loop);
}

static void start_next_at_once(void *user)
{
    struct scene *scene = user;
    note(scene, 'a');
    loop_timer_start(scene->timer, 0, 0);
}

static void poll_notes(void *user, int fd, struct loop_ready ready)
{
    struct scene *scene = user;
    (void)fd;
    (void)ready;
    if (scene->runs == 0) {
        scene->trace[0] = '\0'; /* only what comes after the last wait counts */
    }
}

/* No wait lies between a timer and what it arranges at once: the descriptor is ready all the time,
 * so that each wait would be seen. */
static void test_what_is_at_once_waits_for_no_turn(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    int fds[2];
    watch_full_pipe(&scene, fds, poll_notes);
    scene.timer = timer(&scene, stop_here);
    loop_timer_start(timer(&scene, start_next_at_once), 5, 0);
    loop_run(scene.loop);
    assert_string_equal(scene.trace, "az");
    loop_destroy(scene.loop);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* Also by one that stands before it in the queue. */
static void stop_the_other(void *user)
{
    struct scene *scene = user;
    note(scene, 's');
    loop_timer_stop(scene->timer);
}

static void test_stopped_at_once_does_not_fire(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    scene.timer = timer(&scene, note_b);
    struct loop_timer *first = timer(&scene, stop_the_other);
    struct loop_timer *gone = timer(&scene, note_c);
    loop_timer_start(first, 0, 0);
    loop_timer_start(scene.timer, 0, 0);
    loop_timer_start(gone, 0, 0);
    loop_timer_destroy(gone);
    loop_run(scene.loop);
    assert_string_equal(scene.trace, "s");
    loop_destroy(scene.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_at_once_waits_for_no_turn),
        cmocka_unit_test(test_stopped_at_once_does_not_fire),
        cmocka_unit_test(test_empty_loop_returns),
        cmocka_unit_test(test_timers_fire_in_the_order_of_their_times),
        cmocka_unit_test(test_timers_are_never_early),
        cmocka_unit_test(test_timer_repeats_until_destroyed_even_by_itself),
        cmocka_unit_test(test_timers_that_start_themselves_at_once_leave_room_for_the_rest),
        cmocka_unit_test(test_wakeup_comes_from_another_thread),
        cmocka_unit_test(test_signals_reach_the_loop_each_time),
        cmocka_unit_test(test_broken_pipe_is_an_error_not_the_end),
        cmocka_unit_test(test_descriptor_is_watched_level_triggered_until_destroyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
