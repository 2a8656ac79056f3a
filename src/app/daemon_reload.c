/* daemon_reload.c - see daemon_reload.h. Everything that can fail is done on the side: the files
 * are read, the rules checked, the connection made. What follows cannot fail. */
#include "app/daemon_reload.h"

#include "app/daemon_api.h"
#include "app/daemon_calls.h"
#include "app/daemon_decisions.h"
#include "app/daemon_notify.h"
#include "app/daemon_rules.h"
#include "app/daemon_switch.h"
#include "base/sha256.h"
#include "cues/cues.h"

#include <stdlib.h>
#include <string.h>

enum { DRAIN_LOOK_MS = 20, DRAIN_PATIENCE_MS = 5000 };

struct daemon_reload {
    struct daemon *daemon;
    struct loop_timer *timer;
    struct config next; /* zeroed while there is none */
    struct config_changes changes;
    struct http_client *client; /* made for `next`; NULL: the one in force goes on */
    struct cxone *cxone;
    char trust[SHA256_TEXT_BYTES]; /* of the file of trusted authorities in force, or "" */
    char next_trust[SHA256_TEXT_BYTES];
    struct mono begun;
    bool under_way;
    bool again;
};

/* The same name may stand for a new certificate. An unreadable file is told by whoever needs it. */
static void read_trust(const struct config *config, char out[SHA256_TEXT_BYTES])
{
    out[0] = '\0';
    if (config->tls_ca_file[0] && sha256_file(config->tls_ca_file, out, NULL)) {
        out[0] = '\0';
    }
}

/* The file is read again when it is taken over; one that changes in between is told by then. */
static int check_rules_file(const char *path, struct error *err)
{
    struct cues_rules *rules = NULL;
    int result = path[0] ? cues_load(path, &rules, err) : 0;
    cues_release(rules);
    return result;
}

static int prepare(struct daemon_reload *reload, struct error *err)
{
    struct daemon *daemon = reload->daemon;
    config_changes_done(&reload->changes);
    config_changes_init(&reload->changes);
    int result = daemon->load(daemon->load_user, &reload->next, err);
    result = result ? result : config_check_run(&reload->next, err);
    result = result ? result
                    : config_reload_compare(&reload->next, daemon->config, &reload->changes, err);
    result = result ? result : check_rules_file(reload->next.rules_path, err);
    if (result) {
        return result;
    }
    read_trust(&reload->next, reload->next_trust);
    if (strcmp(reload->trust, reload->next_trust) != 0) {
        reload->changes.connection = true;
    }
    return reload->changes.connection
               ? daemon_connect(daemon, &reload->next, &reload->client, &reload->cxone, err)
               : 0;
}

static void give_up(struct daemon_reload *reload, const struct error *err)
{
    struct daemon *daemon = reload->daemon;
    cxone_destroy(reload->cxone);
    http_client_destroy(reload->client);
    reload->cxone = NULL;
    reload->client = NULL;
    config_free(&reload->next);
    daemon_notify_ready(daemon);
    metrics_add(&daemon->metrics, METRIC_RELOADS_FAILED, 1);
    log_write(daemon->log, LOG_ERROR, "reload_failed",
              "the new configuration cannot be used; the one in force stays",
              LOG_TEXT("err", err->message));
}

static void report(const struct daemon_reload *reload)
{
    struct daemon *daemon = reload->daemon;
    const struct config_changes *changes = &reload->changes;
    metrics_add(&daemon->metrics, METRIC_RELOADS_DONE, 1);
    log_write(daemon->log, LOG_INFO, "reloaded", "the configuration was read again",
              LOG_TEXT("changed", buf_string(&changes->applied)),
              LOG_INT("reconnected", changes->connection),
              LOG_NUMBER("dur_s", (double)mono_ms_between(reload->begun, clock_mono()) / 1e3));
    if (changes->deferred.size > 0) {
        log_write(daemon->log, LOG_WARN, "restart_needed",
                  "these keys have another value now, which needs a restart",
                  LOG_TEXT("keys", buf_string(&changes->deferred)));
    }
}

/* The moment of change. What the old connection had under way is answered as cancelled, and asked
 * of the new one. */
static void take_over(struct daemon_reload *reload)
{
    struct daemon *daemon = reload->daemon;
    struct cxone *old = NULL;
    struct http_client *old_client = NULL;
    loop_timer_stop(reload->timer);
    reload->under_way = false;
    if (reload->cxone) {
        daemon->vendor_offset_ms = daemon_now(daemon).vendor_ms - clock_steady().ms;
        old = daemon->cxone;
        old_client = daemon->client;
        daemon->cxone = reload->cxone;
        daemon->client = reload->client;
        reload->cxone = NULL;
        reload->client = NULL;
        memcpy(reload->trust, reload->next_trust, sizeof reload->trust);
    }
    config_reload_take_over(&daemon->own_config, &reload->next, &reload->changes);
    daemon->own_log.level = (enum log_level)daemon->config->log_level;
    cxone_destroy(old);
    http_client_destroy(old_client);
    config_free(&reload->next);
    daemon_api_refresh(daemon);
    daemon_rules_refresh(daemon);
    daemon_switch_apply(daemon);
    if (!daemon->stopping) {
        daemon_calls_refresh(daemon);
        daemon_start_discovery(daemon);
    }
    report(reload);
    daemon_decisions_configured(daemon, buf_string(&reload->changes.applied));
    if (!daemon->stopping) {
        daemon_notify_ready(daemon);
    }
    if (reload->again && !daemon->stopping) {
        reload->again = false;
        (void)daemon_reload(daemon, NULL);
    }
}

static void on_timer(void *user)
{
    struct daemon_reload *reload = user;
    struct cxone_status status;
    cxone_status(reload->daemon->cxone, &status);
    if (status.queued + status.in_flight == 0 ||
        mono_ms_between(reload->begun, clock_mono()) >= DRAIN_PATIENCE_MS) {
        take_over(reload);
    }
}

int daemon_reload(struct daemon *daemon, struct error *err)
{
    struct daemon_reload *reload = daemon->reload;
    struct error own;
    err = err ? err : &own;
    if (reload->under_way) {
        reload->again = true;
        return 0;
    }
    reload->begun = clock_mono();
    daemon_notify_reloading(daemon);
    int result = prepare(reload, err);
    if (result) {
        give_up(reload, err);
        return result;
    }
    reload->under_way = true;
    if (reload->cxone) {
        pipeline_hold_polls(daemon->pipeline, true);
        loop_timer_start(reload->timer, DRAIN_LOOK_MS, DRAIN_LOOK_MS);
    } else {
        take_over(reload);
    }
    return 0;
}

bool daemon_reload_is_draining(const struct daemon *daemon)
{
    return daemon->reload && daemon->reload->under_way && daemon->reload->cxone;
}

const struct config_changes *daemon_reload_changes(const struct daemon *daemon)
{
    return &daemon->reload->changes;
}

int daemon_reload_create(struct daemon *daemon, struct error *err)
{
    struct daemon_reload *reload = calloc(1, sizeof *reload);
    daemon->reload = reload;
    if (!reload) {
        return error_set(err, ERROR_MEMORY, "no memory for the daemon");
    }
    reload->daemon = daemon;
    config_changes_init(&reload->changes);
    read_trust(daemon->config, reload->trust);
    return loop_timer_create(daemon->loop, on_timer, reload, &reload->timer, err);
}

void daemon_reload_destroy(struct daemon_reload *reload)
{
    if (!reload) {
        return;
    }
    reload->under_way = false;
    cxone_destroy(reload->cxone);
    http_client_destroy(reload->client);
    loop_timer_destroy(reload->timer);
    config_free(&reload->next);
    config_changes_done(&reload->changes);
    free(reload);
}
