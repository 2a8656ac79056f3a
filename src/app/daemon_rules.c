/* daemon_rules.c - see daemon_rules.h. A new set is compiled on the side and takes the old one's
 * place in one step of the pipeline; calls let go of the old set one by one, as each is next looked
 * at. */
#include "app/daemon_rules.h"

#include "app/daemon_decisions.h"
#include "app/daemon_switch.h"
#include "config/calls_file.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 2000 };

struct daemon_rules {
    struct daemon *daemon;
    struct loop_timer *timer;
    struct cues_rules *rules;      /* in force; or NULL */
    struct calls_file_stamp stamp; /* of the file as last read, good or bad */
};

struct cues_rules *daemon_rules_in_force(const struct daemon *daemon)
{
    return daemon->rules ? daemon->rules->rules : NULL;
}

static void take_over(struct daemon_rules *self, struct cues_rules *rules)
{
    struct daemon *daemon = self->daemon;
    struct cues_rules *before = self->rules;
    self->rules = rules;
    metrics_set(&daemon->metrics, METRIC_RULES, rules ? (double)cues_rule_count(rules) : 0);
    if (daemon->pipeline) {
        daemon_switch_apply(daemon);
    }
    cues_release(before);
}

/* Reads the file if it has changed; an error has changed nothing. */
static int look(struct daemon_rules *self, struct error *err)
{
    struct daemon *daemon = self->daemon;
    const char *path = daemon->config->rules_path;
    struct calls_file_stamp stamp;
    struct cues_rules *rules = NULL;
    struct cues_summary summary;
    if (!path[0]) {
        if (self->rules) {
            take_over(self, NULL);
        }
        return 0;
    }
    if (!calls_file_look(path, &stamp)) {
        stamp = (struct calls_file_stamp){0};
        stamp.size = -1; /* there is none: told once */
    }
    if (memcmp(&stamp, &self->stamp, sizeof stamp) == 0) {
        return 0;
    }
    self->stamp = stamp;
    int result = cues_load(path, &rules, err);
    if (result) {
        return result;
    }
    cues_summarize(rules, &summary);
    take_over(self, rules);
    log_write(daemon->log, LOG_INFO, "rules_read", "the rules file was taken over",
              LOG_INT("rules", summary.rules), LOG_INT("phrases", summary.phrases),
              LOG_INT("patterns", summary.patterns),
              LOG_INT("interpreted", summary.patterns_interpreted));
    return 0;
}

static void look_and_tell(struct daemon_rules *self)
{
    struct daemon *daemon = self->daemon;
    struct error err;
    if (look(self, &err)) {
        metrics_add(&daemon->metrics, METRIC_RULES_FAILED, 1);
        log_write(daemon->log, LOG_ERROR, "rules_failed",
                  "the rules file cannot be used; the rules in force stay",
                  LOG_TEXT("err", err.message));
    }
}

static void on_timer(void *user)
{
    struct daemon_rules *self = user;
    const struct cues_rules *before = self->rules;
    if (self->daemon->stopping) {
        return;
    }
    look_and_tell(self);
    if (self->rules != before) {
        daemon_decisions_configured(self->daemon, "the rules file");
    }
}

void daemon_rules_refresh(struct daemon *daemon)
{
    struct daemon_rules *self = daemon->rules;
    self->stamp = (struct calls_file_stamp){0};
    look_and_tell(self);
}

int daemon_rules_create(struct daemon *daemon, struct error *err)
{
    struct daemon_rules *self = calloc(1, sizeof *self);
    daemon->rules = self;
    if (!self) {
        return error_set(err, ERROR_MEMORY, "no memory for the daemon");
    }
    self->daemon = daemon;
    int result = loop_timer_create(daemon->loop, on_timer, self, &self->timer, err);
    result = result ? result : look(self, err);
    if (!result) {
        loop_timer_start(self->timer, LOOK_MS, LOOK_MS);
    }
    return result;
}

void daemon_rules_destroy(struct daemon_rules *self)
{
    if (self) {
        loop_timer_destroy(self->timer);
        cues_release(self->rules);
        free(self);
    }
}
