/* loop.c - see loop.h and loop_internal.h; the only file that knows libuv.
 *
 * Every watcher is one allocation that begins with its libuv handle. libuv lets go of a handle
 * some time after uv_close, so destroying means closing, and the close callback frees. The list of
 * live handles is libuv's own: loop_destroy walks it.
 *
 * Writing to a connection the peer has closed must be an error, not the end of the process, and
 * the TLS libraries cannot be relied on to ask for that on each write: creating a loop ignores
 * SIGPIPE, unless the program has already decided about it.
 *
 * What is to happen "at once" waits for no timer of libuv's, which would cost a turn of the loop,
 * and with it a system call and often a sleep of a millisecond: it stands in a queue of ours, run
 * right before the loop would wait and right after it has waited.
 */
#include "net/loop.h"

#include "net/loop_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <uv.h>

/* What "at once" timers may arrange among themselves before others have their turn. */
enum { SOON_ROUNDS = 4 };

struct loop {
    uv_loop_t uv; /* first: a handle's uv.loop is its struct loop */
    uv_prepare_t before_wait;
    uv_check_t after_wait;
    uv_idle_t no_wait; /* runs while the queue could not be emptied: then the loop does not sleep */
    struct loop_timer *soon_first; /* in the order in which they were started */
    struct loop_timer *soon_last;
    size_t soon_count;
};

struct loop_timer {
    uv_timer_t uv;
    loop_fn *fn;
    void *user;
    struct loop_timer *soon_next;
    struct loop_timer *soon_previous;
    bool is_soon; /* in the queue */
};

struct loop_wakeup {
    uv_async_t uv;
    loop_fn *fn;
    void *user;
};

struct loop_poll {
    uv_poll_t uv;
    loop_poll_fn *fn;
    void *user;
    int fd;
};

struct loop_signal {
    uv_signal_t uv;
    loop_signal_fn *fn;
    void *user;
};

static int loop_error(struct error *err, const char *what, int uv_code)
{
    return error_set(err, uv_code == UV_ENOMEM ? ERROR_MEMORY : ERROR_IO, "event loop: %s: %s",
                     what, uv_strerror(uv_code));
}

/* ---- at once ---- */

static void soon_add(struct loop *loop, struct loop_timer *timer)
{
    if (timer->is_soon) {
        return;
    }
    timer->is_soon = true;
    timer->soon_next = NULL;
    timer->soon_previous = loop->soon_last;
    *(loop->soon_last ? &loop->soon_last->soon_next : &loop->soon_first) = timer;
    loop->soon_last = timer;
    loop->soon_count++;
    uv_ref((uv_handle_t *)&loop->before_wait); /* the loop goes on for it */
}

static void soon_remove(struct loop *loop, struct loop_timer *timer)
{
    if (!timer->is_soon) {
        return;
    }
    timer->is_soon = false;
    *(timer->soon_previous ? &timer->soon_previous->soon_next : &loop->soon_first) =
        timer->soon_next;
    *(timer->soon_next ? &timer->soon_next->soon_previous : &loop->soon_last) =
        timer->soon_previous;
    loop->soon_count--;
    if (!loop->soon_first) {
        uv_unref((uv_handle_t *)&loop->before_wait);
    }
}

/* Those that wait now, and a few rounds of what they arrange; not all, or timers that keep starting
 * themselves would shut out everything else. */
static void soon_run(struct loop *loop)
{
    for (int round = 0; round < SOON_ROUNDS && loop->soon_first; round++) {
        for (size_t left = loop->soon_count; left > 0 && loop->soon_first; left--) {
            struct loop_timer *timer = loop->soon_first;
            soon_remove(loop, timer);
            timer->fn(timer->user); /* may destroy it, or any other */
        }
    }
}

static void nothing(uv_idle_t *handle)
{
    (void)handle;
}

static void before_wait(uv_prepare_t *handle)
{
    struct loop *loop = (struct loop *)handle->loop;
    soon_run(loop);
    if (loop->soon_first) {
        (void)uv_idle_start(&loop->no_wait, nothing);
    } else {
        (void)uv_idle_stop(&loop->no_wait);
    }
}

static void after_wait(uv_check_t *handle)
{
    soon_run((struct loop *)handle->loop);
}

static void soon_set_up(struct loop *loop)
{
    (void)uv_prepare_init(&loop->uv, &loop->before_wait);
    (void)uv_check_init(&loop->uv, &loop->after_wait);
    (void)uv_idle_init(&loop->uv, &loop->no_wait);
    (void)uv_prepare_start(&loop->before_wait, before_wait);
    (void)uv_check_start(&loop->after_wait, after_wait);
    uv_unref((uv_handle_t *)&loop->before_wait);
    uv_unref((uv_handle_t *)&loop->after_wait);
    uv_unref((uv_handle_t *)&loop->no_wait);
}

/* ---- the loop ---- */

static void ignore_broken_pipes(void)
{
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
        action.sa_handler = SIG_IGN;
        (void)sigaction(SIGPIPE, &action, NULL);
    }
}

int loop_create(struct loop **loop, struct error *err)
{
    *loop = NULL;
    struct loop *made = calloc(1, sizeof *made);
    int rc = made ? uv_loop_init(&made->uv) : UV_ENOMEM;
    if (rc) {
        free(made);
        return loop_error(err, "cannot be created", rc);
    }
    soon_set_up(made);
    ignore_broken_pipes();
    *loop = made;
    return 0;
}

void loop_run(struct loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

static void handle_free(uv_handle_t *handle)
{
    free(handle->data);
}

/* handle->data is the allocation that holds the handle; NULL for those within the loop. */
static void handle_close(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle)) {
        uv_close(handle, handle_free);
    }
}

void loop_destroy(struct loop *loop)
{
    if (!loop) {
        return;
    }
    loop->soon_first = loop->soon_last = NULL;
    uv_walk(&loop->uv, handle_close, NULL);
    while (uv_loop_close(&loop->uv) == UV_EBUSY) {
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    }
    free(loop);
}

struct mono loop_now(const struct loop *loop)
{
    /* Not libuv's cached time: that one stands still while the machine is suspended, and is not
     * comparable with clock_mono(). */
    (void)loop;
    return clock_mono();
}

/* ---- timers ---- */

int loop_timer_create(struct loop *loop, loop_fn *fn, void *user, struct loop_timer **timer,
                      struct error *err)
{
    *timer = NULL;
    struct loop_timer *made = calloc(1, sizeof *made);
    int rc = made ? uv_timer_init(&loop->uv, &made->uv) : UV_ENOMEM;
    if (rc) {
        free(made);
        return loop_error(err, "no timer", rc);
    }
    made->uv.data = made;
    made->fn = fn;
    made->user = user;
    *timer = made;
    return 0;
}

static struct loop *timer_loop(const struct loop_timer *timer)
{
    return (struct loop *)timer->uv.loop;
}

static void timer_fired(uv_timer_t *handle)
{
    const struct loop_timer *timer = handle->data;
    timer->fn(timer->user);
}

/* libuv measures a delay from its cached time, which the callback now running may have outlived;
 * and both are cut to whole milliseconds, so that a delay could end up to one short. Adding the two
 * makes sure that a deadline has passed when its timer fires. The cached time must not be refreshed
 * instead: libuv (before 1.45) fires timers for as long as one is due. */
static uint64_t timer_delay_ms(const struct loop *loop, int64_t delay_ms)
{
    uint64_t real_ms = uv_hrtime() / 1000000;
    uint64_t cached_ms = uv_now(&loop->uv);
    uint64_t lag_ms = real_ms > cached_ms ? real_ms - cached_ms : 0;
    return lag_ms + (uint64_t)delay_ms + 1;
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms, int64_t repeat_ms)
{
    struct loop *loop = timer_loop(timer);
    uint64_t repeat = repeat_ms > 0 ? (uint64_t)repeat_ms : 0;
    loop_timer_stop(timer);
    if (delay_ms <= 0) {
        soon_add(loop, timer);
        delay_ms = repeat_ms;
    }
    if (delay_ms > 0) {
        (void)uv_timer_start(&timer->uv, timer_fired, timer_delay_ms(loop, delay_ms), repeat);
    }
}

void loop_timer_stop(struct loop_timer *timer)
{
    soon_remove(timer_loop(timer), timer);
    (void)uv_timer_stop(&timer->uv);
}

void loop_timer_destroy(struct loop_timer *timer)
{
    if (timer) {
        soon_remove(timer_loop(timer), timer);
        handle_close((uv_handle_t *)&timer->uv, NULL);
    }
}

/* ---- wake-ups ---- */

static void wakeup_fired(uv_async_t *handle)
{
    const struct loop_wakeup *wakeup = handle->data;
    wakeup->fn(wakeup->user);
}

int loop_wakeup_create(struct loop *loop, loop_fn *fn, void *user, struct loop_wakeup **wakeup,
                       struct error *err)
{
    *wakeup = NULL;
    struct loop_wakeup *made = calloc(1, sizeof *made);
    int rc = made ? uv_async_init(&loop->uv, &made->uv, wakeup_fired) : UV_ENOMEM;
    if (rc) {
        free(made);
        return loop_error(err, "no wake-up", rc);
    }
    made->uv.data = made;
    made->fn = fn;
    made->user = user;
    *wakeup = made;
    return 0;
}

void loop_wakeup_signal(struct loop_wakeup *wakeup)
{
    (void)uv_async_send(&wakeup->uv);
}

void loop_wakeup_destroy(struct loop_wakeup *wakeup)
{
    if (wakeup) {
        handle_close((uv_handle_t *)&wakeup->uv, NULL);
    }
}

/* ---- signals ---- */

static void signal_fired(uv_signal_t *handle, int signal_number)
{
    const struct loop_signal *watch = handle->data;
    watch->fn(watch->user, signal_number);
}

int loop_on_signal(struct loop *loop, int signal_number, loop_signal_fn *fn, void *user,
                   struct error *err)
{
    struct loop_signal *made = calloc(1, sizeof *made);
    int rc = made ? uv_signal_init(&loop->uv, &made->uv) : UV_ENOMEM;
    if (rc) {
        free(made);
        return loop_error(err, "no signal watch", rc);
    }
    made->uv.data = made;
    made->fn = fn;
    made->user = user;
    rc = uv_signal_start(&made->uv, signal_fired, signal_number);
    if (rc) {
        handle_close((uv_handle_t *)&made->uv, NULL);
        return loop_error(err, "the signal cannot be watched", rc);
    }
    return 0;
}

/* ---- descriptors ---- */

int loop_poll_create(struct loop *loop, int fd, loop_poll_fn *fn, void *user,
                     struct loop_poll **poll, struct error *err)
{
    *poll = NULL;
    struct loop_poll *made = calloc(1, sizeof *made);
    int rc = made ? uv_poll_init(&loop->uv, &made->uv, fd) : UV_ENOMEM;
    if (rc) {
        free(made);
        return loop_error(err, "a descriptor cannot be watched", rc);
    }
    made->uv.data = made;
    made->fn = fn;
    made->user = user;
    made->fd = fd;
    *poll = made;
    return 0;
}

static void poll_fired(uv_poll_t *handle, int status, int events)
{
    const struct loop_poll *poll = handle->data;
    struct loop_ready ready = {
        .readable = (events & UV_READABLE) != 0,
        .writable = (events & UV_WRITABLE) != 0,
        .failed = status < 0,
    };
    poll->fn(poll->user, poll->fd, ready);
}

void loop_poll_set(struct loop_poll *poll, bool readable, bool writable)
{
    int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
    (void)uv_poll_start(&poll->uv, events, poll_fired);
}

void loop_poll_destroy(struct loop_poll *poll)
{
    if (poll) {
        handle_close((uv_handle_t *)&poll->uv, NULL);
    }
}
