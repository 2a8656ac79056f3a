/* daemon_switch.c - see daemon_switch.h. */
#include "app/daemon_switch.h"

#include "app/daemon_decisions.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct daemon_switch {
    struct daemon *daemon;
    struct switch_state state;
    char path[PATH_MAX]; /* "" without a store */
    struct loop_timer *timer;
    enum fuse_reason told; /* of the fuse */
};

/* --- the switch ------------------------------------------------------------------------------ */

struct switch_state daemon_switch_state(const struct daemon *daemon)
{
    return daemon->writes->state;
}

struct switch_state daemon_switch_effective(const struct daemon *daemon)
{
    const struct config *config = daemon->config;
    struct switch_state state = daemon->writes->state;
    bool live = config->mode == CONFIG_MODE_LIVE;
    state.attributes = state.attributes && live && config->writes_attributes;
    state.suggestions = state.suggestions && live && config->writes_suggestions;
    return state;
}

void daemon_switch_apply(struct daemon *daemon)
{
    struct pipeline_options options;
    struct switch_state state = daemon_switch_effective(daemon);
    daemon_pipeline_options(daemon, 0, &options);
    cxone_stop_writes(daemon->cxone, !state.attributes, !state.suggestions);
    cxone_bound_call(daemon->cxone, daemon->config->rate_interaction_rps);
    struct pipeline_event event = {.kind = PIPELINE_OPTIONS, .options = &options};
    daemon_step(daemon, &event);
    metrics_set(&daemon->metrics, METRIC_WRITES_ATTRIBUTES, state.attributes);
    metrics_set(&daemon->metrics, METRIC_WRITES_SUGGESTIONS, state.suggestions);
}

int daemon_switch_set(struct daemon *daemon, const struct switch_state *state, const char *by,
                      struct error *err)
{
    struct daemon_switch *self = daemon->writes;
    self->state = *state;
    log_write(daemon->log, LOG_WARN, "writes_switched", "writes are switched on or off",
              LOG_TEXT("attributes", state->attributes ? "on" : "off"),
              LOG_TEXT("suggestions", state->suggestions ? "on" : "off"), LOG_TEXT("by", by));
    daemon_switch_apply(daemon);
    daemon_decisions_switched(daemon, by);
    int result = self->path[0] ? switch_file_write(self->path, state, err) : 0;
    if (result) {
        log_write(daemon->log, LOG_ERROR, "switch_not_kept",
                  "the switch is in force, but the next start will not know of it",
                  LOG_TEXT("err", err->message));
    }
    return result;
}

static void on_signal(void *user, int signal_number)
{
    struct error err;
    bool on = signal_number == SIGUSR2;
    const struct switch_state state = {on, on};
    (void)daemon_switch_set(user, &state, on ? "SIGUSR2" : "SIGUSR1", &err);
}

/* --- the fuse -------------------------------------------------------------------------------- */

void daemon_switch_watch_fuse(struct daemon *daemon)
{
    struct daemon_switch *self = daemon->writes;
    const struct fuse *fuse = pipeline_fuse(daemon->pipeline);
    if (fuse->reason == self->told) {
        return;
    }
    self->told = fuse->reason;
    daemon_decisions_switched(daemon, "fuse");
    metrics_set(&daemon->metrics, METRIC_FUSE_BLOWN, fuse->reason != FUSE_WHOLE);
    if (fuse->reason == FUSE_WHOLE) {
        log_write_fields(daemon->log, LOG_WARN, "fuse_reset", "suggestions are sent again", NULL,
                         0);
        return;
    }
    metrics_add(&daemon->metrics, METRIC_FUSE_TIMES, 1);
    log_write(daemon->log, LOG_ERROR, "fuse_blown",
              "far too many suggestions: none is sent until the fuse is reset",
              LOG_TEXT("reason", fuse_reason_name(fuse->reason)),
              LOG_INT("calls", pipeline_calls(daemon->pipeline)),
              LOG_INT("alerting", pipeline_alerting(daemon->pipeline)),
              LOG_NUMBER("reset_after_s", (double)fuse->limits.reset_after_ms / 1e3));
    loop_timer_start(self->timer, 1000, 1000);
}

void daemon_switch_reset_fuse(struct daemon *daemon)
{
    pipeline_reset_fuse(daemon->pipeline, loop_now(daemon->loop));
    daemon_switch_watch_fuse(daemon);
}

/* Runs while the fuse is blown: it may be whole again with nobody asking. */
static void on_timer(void *user)
{
    struct daemon *daemon = user;
    pipeline_watch_fuse(daemon->pipeline, loop_now(daemon->loop));
    daemon_switch_watch_fuse(daemon);
    if (daemon->writes->told == FUSE_WHOLE) {
        loop_timer_stop(daemon->writes->timer);
    }
}

/* --- life ------------------------------------------------------------------------------------ */

/* One that cannot be understood keeps all writes off, which is no reason not to judge. */
static int read_file(struct daemon_switch *self, struct error *err)
{
    struct daemon *daemon = self->daemon;
    const char *store = daemon->config->store_path;
    struct error reason;
    if (!store[0]) {
        return 0;
    }
    if (snprintf(self->path, sizeof self->path, "%s.writes", store) >= (int)sizeof self->path) {
        return error_set(err, ERROR_CONFIG, "store.path: the name is too long");
    }
    if (switch_file_read(self->path, &self->state, &reason)) {
        log_write(daemon->log, LOG_ERROR, "switch_unreadable",
                  "whether writes were switched off cannot be told: they are off until switched on",
                  LOG_TEXT("err", reason.message));
    }
    return 0;
}

int daemon_switch_create(struct daemon *daemon, struct error *err)
{
    struct daemon_switch *self = calloc(1, sizeof *self);
    daemon->writes = self;
    if (!self) {
        return error_set(err, ERROR_MEMORY, "no memory for the daemon");
    }
    self->daemon = daemon;
    self->state = (struct switch_state){true, true};
    int result = loop_timer_create(daemon->loop, on_timer, daemon, &self->timer, err);
    return result ? result : read_file(self, err);
}

int daemon_switch_listen(struct daemon *daemon, struct error *err)
{
    int result = loop_on_signal(daemon->loop, SIGUSR1, on_signal, daemon, err);
    return result ? result : loop_on_signal(daemon->loop, SIGUSR2, on_signal, daemon, err);
}

void daemon_switch_destroy(struct daemon_switch *self)
{
    if (self) {
        loop_timer_destroy(self->timer);
        free(self);
    }
}
