/* net/loop.h - the event loop: timers, wake-ups from other threads, signals (libuv inside).
 *
 * One loop belongs to one thread, the loop thread. Everything here is called on that thread unless
 * marked "any thread". Callbacks never run before the function that arranged them has returned.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/clock.h"
#include "base/error.h"

#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_wakeup;

typedef void loop_fn(void *user);
typedef void loop_signal_fn(void *user, int signal_number);

int loop_create(struct loop **loop, struct error *err);

/* Runs until loop_stop, or until nothing is left that could produce a callback. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Closes what is still open (timers, wake-ups, signals) and frees. Accepts NULL. */
void loop_destroy(struct loop *loop);

/* The monotonic time; read once per loop turn is enough for all pacing. */
struct mono loop_now(const struct loop *loop);

/* Timers. start replaces a running schedule; repeat_ms 0 fires once. */
int loop_timer_create(struct loop *loop, loop_fn *fn, void *user, struct loop_timer **timer,
                      struct error *err);
void loop_timer_start(struct loop_timer *timer, int64_t delay_ms, int64_t repeat_ms);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_destroy(struct loop_timer *timer); /* accepts NULL; fn does not run afterwards */

/* Wake-ups: loop_wakeup_signal (any thread) makes fn run on the loop thread soon; several signals
 * may be answered by one run. */
int loop_wakeup_create(struct loop *loop, loop_fn *fn, void *user, struct loop_wakeup **wakeup,
                       struct error *err);
void loop_wakeup_signal(struct loop_wakeup *wakeup);
void loop_wakeup_destroy(struct loop_wakeup *wakeup); /* accepts NULL */

/* Calls fn on the loop thread for each delivery of the signal, until loop_destroy. */
int loop_on_signal(struct loop *loop, int signal_number, loop_signal_fn *fn, void *user,
                   struct error *err);

#endif
