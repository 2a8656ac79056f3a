/* daemon_notify.c - see daemon_notify.h. Signs of life are sent from a timer of the loop, and only
 * while the scorer answers and the pipeline does what is due: a process that only looks alive is
 * better ended and started anew, which loses nothing. */
#include "app/daemon_notify.h"

#include "app/daemon_switch.h"
#include "app/notify.h"
#include "app/watchdog.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOK_MS = 10000, STATUS_BYTES = 160, MESSAGE_BYTES = 256 };

struct daemon_notify {
    struct daemon *daemon;
    struct notify notify;
    struct loop_timer *life; /* a third of the manager's interval, if it has one */
    struct loop_timer *look;
    int64_t life_ms;
    struct watchdog_look before;
    enum watchdog_verdict verdict;
    bool running; /* between ready and stopping */
};

static void format_status(const struct daemon *daemon, char out[STATUS_BYTES])
{
    struct switch_state writes = daemon_switch_effective(daemon);
    const char *what = "writes on";
    if (pipeline_fuse(daemon->pipeline)->reason != FUSE_WHOLE) {
        what = "the fuse holds suggestions back";
    } else if (!writes.attributes || !writes.suggestions) {
        what = writes.attributes    ? "suggestions off"
               : writes.suggestions ? "attributes off"
                                    : "writes off";
    }
    (void)snprintf(out, STATUS_BYTES, "following %zu calls, %zu under an alert; %s",
                   pipeline_calls(daemon->pipeline), pipeline_alerting(daemon->pipeline), what);
}

static void send_state(const struct daemon_notify *self, const char *state)
{
    char status[STATUS_BYTES];
    char message[MESSAGE_BYTES];
    format_status(self->daemon, status);
    (void)snprintf(message, sizeof message, "%s%sSTATUS=%s", state, *state ? "\n" : "", status);
    notify_send(&self->notify, message);
}

static void on_life(void *user)
{
    struct daemon_notify *self = user;
    if (self->verdict == WATCHDOG_ALIVE) {
        notify_send(&self->notify, "WATCHDOG=1");
    }
}

static struct watchdog_look look(const struct daemon *daemon)
{
    int64_t overdue_ms =
        mono_ms_between(pipeline_next_due(daemon->pipeline), loop_now(daemon->loop));
    return (struct watchdog_look){.queued = score_pool_queued(daemon->pool),
                                  .answers = daemon->answers,
                                  .overdue_ms = overdue_ms};
}

static void on_look(void *user)
{
    struct daemon_notify *self = user;
    struct daemon *daemon = self->daemon;
    struct watchdog_look now = look(daemon);
    enum watchdog_verdict verdict = watchdog_judge(&self->before, &now);
    self->before = now;
    if (verdict != self->verdict) {
        self->verdict = verdict;
        log_write(daemon->log, LOG_ERROR, "progress",
                  "something stands still, or goes on again; while it stands, the service manager "
                  "gets no sign of life",
                  LOG_TEXT("state", watchdog_verdict_name(verdict)), LOG_INT("queued", now.queued));
    }
    send_state(self, "");
}

void daemon_notify_ready(struct daemon *daemon)
{
    struct daemon_notify *self = daemon->notify;
    send_state(self, "READY=1");
    if (!self->running) {
        self->running = true;
        self->before = look(daemon);
        loop_timer_start(self->look, LOOK_MS, LOOK_MS);
        if (self->life_ms > 0) {
            loop_timer_start(self->life, 0, self->life_ms);
        }
    }
}

void daemon_notify_reloading(struct daemon *daemon)
{
    char message[MESSAGE_BYTES];
    (void)snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%lld",
                   (long long)notify_monotonic_us());
    notify_send(&daemon->notify->notify, message);
}

void daemon_notify_stopping(struct daemon *daemon)
{
    notify_send(&daemon->notify->notify, "STOPPING=1\nSTATUS=writing what is owed");
}

const char *daemon_notify_trouble(const struct daemon *daemon)
{
    enum watchdog_verdict verdict = daemon->notify->verdict;
    return verdict == WATCHDOG_ALIVE ? "" : watchdog_verdict_name(verdict);
}

int daemon_notify_create(struct daemon *daemon, struct error *err)
{
    struct daemon_notify *self = calloc(1, sizeof *self);
    daemon->notify = self;
    if (!self) {
        return error_set(err, ERROR_MEMORY, "no memory for the daemon");
    }
    self->daemon = daemon;
    self->life_ms =
        notify_watchdog_ms(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), getpid()) / 3;
    int result = notify_open(&self->notify, getenv("NOTIFY_SOCKET"), err);
    result = result ? result : loop_timer_create(daemon->loop, on_life, self, &self->life, err);
    return result ? result : loop_timer_create(daemon->loop, on_look, self, &self->look, err);
}

void daemon_notify_destroy(struct daemon_notify *self)
{
    if (self) {
        notify_close(&self->notify);
        loop_timer_destroy(self->life);
        loop_timer_destroy(self->look);
        free(self);
    }
}
