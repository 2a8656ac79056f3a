/* replaced_loop.c - net/loop.h and the clocks on simulated time. Signals come from whoever calls
 * simulation_signal; descriptors do not exist. */
#include "net/loop_internal.h"

#include "simulation.h"
#include "world.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SIGNALS_MAX = 8 };

struct loop {
    bool stopped;
    struct {
        int number;
        loop_signal_fn *fn;
        void *user;
    } signals[SIGNALS_MAX];
    size_t signal_count;
};

struct loop_timer {
    loop_fn *fn;
    void *user;
    int64_t repeat_ms;
    struct world_event *event; /* NULL while it does not run */
};

struct loop_wakeup {
    loop_fn *fn;
    void *user;
    struct world_event *event;
};

static struct loop *the_loop;
static int64_t run_until_ms;
static int64_t steady_ms; /* the wall clock at the daemon's birth, less the monotonic one */

struct mono clock_mono(void)
{
    return (struct mono){world_now_us()};
}

struct wall clock_wall(void)
{
    return (struct wall){world_local_ms()};
}

struct wall clock_steady(void)
{
    return (struct wall){steady_ms + world_now_ms()};
}

int loop_create(struct loop **loop, struct error *err)
{
    *loop = calloc(1, sizeof **loop);
    the_loop = *loop;
    steady_ms = world_local_ms() - world_now_ms();
    return *loop ? 0 : error_set(err, ERROR_MEMORY, "no memory for a loop");
}

void simulation_run_until(int64_t until_ms)
{
    run_until_ms = until_ms;
}

void loop_run(struct loop *loop)
{
    while (!loop->stopped && !world_is_dead() && world_step(run_until_ms)) {
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

void loop_destroy(struct loop *loop)
{
    free(loop);
    the_loop = NULL;
}

struct mono loop_now(const struct loop *loop)
{
    (void)loop;
    return clock_mono();
}

int loop_on_signal(struct loop *loop, int signal_number, loop_signal_fn *fn, void *user,
                   struct error *err)
{
    if (loop->signal_count == SIGNALS_MAX) {
        return error_set(err, ERROR_LIMIT, "more signals than the simulation expects");
    }
    loop->signals[loop->signal_count].number = signal_number;
    loop->signals[loop->signal_count].fn = fn;
    loop->signals[loop->signal_count++].user = user;
    return 0;
}

void simulation_signal(int signal_number)
{
    for (size_t i = 0; the_loop && i < the_loop->signal_count; i++) {
        if (the_loop->signals[i].number == signal_number) {
            the_loop->signals[i].fn(the_loop->signals[i].user, signal_number);
        }
    }
}

/* --- timers ---------------------------------------------------------------------------------- */

static void on_timer(void *user)
{
    struct loop_timer *timer = user;
    timer->event = timer->repeat_ms > 0 ? world_after_ms(timer->repeat_ms, on_timer, timer) : NULL;
    timer->fn(timer->user);
}

int loop_timer_create(struct loop *loop, loop_fn *fn, void *user, struct loop_timer **timer,
                      struct error *err)
{
    (void)loop;
    *timer = calloc(1, sizeof **timer);
    if (!*timer) {
        return error_set(err, ERROR_MEMORY, "no memory for a timer");
    }
    (*timer)->fn = fn;
    (*timer)->user = user;
    return 0;
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms, int64_t repeat_ms)
{
    world_cancel(timer->event);
    timer->repeat_ms = repeat_ms;
    timer->event = world_after_ms(delay_ms, on_timer, timer);
}

void loop_timer_stop(struct loop_timer *timer)
{
    world_cancel(timer->event);
    timer->event = NULL;
}

void loop_timer_destroy(struct loop_timer *timer)
{
    if (timer) {
        world_cancel(timer->event);
        free(timer);
    }
}

/* --- wake-ups -------------------------------------------------------------------------------- */

static void on_wakeup(void *user)
{
    struct loop_wakeup *wakeup = user;
    wakeup->event = NULL;
    wakeup->fn(wakeup->user);
}

int loop_wakeup_create(struct loop *loop, loop_fn *fn, void *user, struct loop_wakeup **wakeup,
                       struct error *err)
{
    (void)loop;
    *wakeup = calloc(1, sizeof **wakeup);
    if (!*wakeup) {
        return error_set(err, ERROR_MEMORY, "no memory for a wake-up");
    }
    (*wakeup)->fn = fn;
    (*wakeup)->user = user;
    return 0;
}

void loop_wakeup_signal(struct loop_wakeup *wakeup)
{
    if (!wakeup->event) {
        wakeup->event = world_after_us(0, on_wakeup, wakeup);
    }
}

void loop_wakeup_destroy(struct loop_wakeup *wakeup)
{
    if (wakeup) {
        world_cancel(wakeup->event);
        free(wakeup);
    }
}

/* --- descriptors, which there are none of ------------------------------------------------------
 */

int loop_poll_create(struct loop *loop, int fd, loop_poll_fn *fn, void *user,
                     struct loop_poll **poll, struct error *err)
{
    (void)loop;
    (void)fd;
    (void)fn;
    (void)user;
    *poll = NULL;
    return error_set(err, ERROR_UNSUPPORTED, "a simulated loop watches no descriptor");
}

void loop_poll_set(struct loop_poll *poll, bool readable, bool writable)
{
    (void)poll;
    (void)readable;
    (void)writable;
}

void loop_poll_destroy(struct loop_poll *poll)
{
    (void)poll;
}
