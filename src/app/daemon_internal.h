/* app/daemon_internal.h - the daemon's state, shared by daemon.c (life), daemon_effects.c (doing
 * what the pipeline asks), daemon_report.c (logs and metrics), daemon_http.c (its own server) and
 * daemon_wallboard.c (the supervisors' page) and daemon_keep.c (what waits until it is kept). */
#ifndef APP_DAEMON_INTERNAL_H
#define APP_DAEMON_INTERNAL_H

#include "app/daemon.h"
#include "app/drift.h"
#include "app/metrics.h"
#include "app/score_pool.h"
#include "base/keyhash.h"
#include "base/map.h"
#include "flow/effects.h"
#include "flow/pipeline.h"
#include "flow/roster.h"
#include "model/model_choice.h"
#include "net/http_server.h"
#include "net/limiter.h"
#include "store/store.h"

enum { REPORT_CLASSES = 5 };

struct daemon {
    struct config own_config;
    struct log own_log;
    const struct config *config; /* of own_config: what is in force */
    const struct log *log;       /* of own_log */
    daemon_load_fn *load;
    void *load_user;
    struct keyhash keyhash;   /* of names in logs */
    struct keyhash store_key; /* the key file's; random without a store. Others are made from it. */
    struct metrics metrics;
    struct limiter report_limits[REPORT_CLASSES]; /* repeated warnings, by class */
    uint64_t report_suppressed[REPORT_CLASSES];

    struct loop *loop;
    struct loop_timer *due_timer;
    struct mono ticked; /* when it fired last */
    struct loop_timer *discover_timer;
    struct loop_timer *stop_timer;
    struct http_client *client;
    struct http_server *server;
    struct daemon_wallboard *wallboard; /* NULL without a server */
    struct cxone *cxone;
    struct model_choice model;
    struct daemon_packer *packer; /* NULL: nothing to pack */
    struct result_cache *cache;   /* NULL: switched off, or nothing to keep */
    struct map degraded_calls;    /* ids of those that a fallback judged some of */
    struct score_pool *pool;
    struct store *store;
    struct daemon_keep *keep;
    struct pipeline *pipeline;
    struct roster roster;
    struct daemon_calls *calls;
    struct daemon_reload *reload;
    struct daemon_api *api;
    struct daemon_webhook *webhook;
    struct daemon_switch *writes;
    struct daemon_notify *notify;
    struct daemon_rules *rules;
    struct daemon_decisions *decisions;

    struct drift drift;
    struct mono started;
    int64_t vendor_offset_ms; /* the last one known, for a connection that knows none yet */
    bool discovering;
    int64_t discover_asked_ms; /* vendor clock: when the list was last asked for */
    bool discovered;           /* one good list was read */
    struct mono discovered_at;
    uint64_t answers; /* of the scorer */
    bool polls_held;  /* the scorer is behind */
    bool store_behind;
    bool schedule_degraded; /* as last told */
    bool stopping;
    bool closing; /* being destroyed: answers are only freed */
    bool first_suggestion_told;
    struct error fatal; /* why the loop was stopped, if not by a signal */
};

/* After the model was chosen: packs it in the background, where that is wanted and not done yet. */
void daemon_pack_start(struct daemon *daemon);
void daemon_pack_finish(struct daemon *daemon); /* waits for it */

/* Local monotonic and estimated vendor time. */
struct call_now daemon_now(const struct daemon *daemon);

/* Follows a call that a list or somebody names (PIPELINE_CALL_LISTED), from where the store knows
 * it was left; false while it is still on its way to the store: name it again later. */
bool daemon_list_call(struct daemon *daemon, struct pipeline_event *event);

/* The vendor's list is read no more: what only it named is over. */
void daemon_forget_list(struct daemon *daemon);

/* One pipeline step and everything that follows from it. */
void daemon_step(struct daemon *daemon, const struct pipeline_event *event);

/* Whether a fallback judged some of this call. */
bool daemon_is_degraded(const struct daemon *daemon, const char *interaction_id);

/* Does now what an effect asks. */
void daemon_carry_out(struct daemon *daemon, const struct effect *effect);

/* A connection to the vendor as this configuration says, which must outlive it. */
int daemon_connect(struct daemon *daemon, const struct config *config, struct http_client **client,
                   struct cxone **cxone, struct error *err);

/* The pipeline's options as the configuration in force says. */
void daemon_pipeline_options(const struct daemon *daemon, uint64_t seed,
                             struct pipeline_options *options);

/* Whether, and at what pace, the vendor's list is read; 0 if it is not. */
int64_t daemon_discovery_ms(const struct daemon *daemon);

/* Asks for the vendor's list, or not, as the configuration in force says. */
void daemon_start_discovery(struct daemon *daemon);

/* Loop callbacks. */
void daemon_on_due(void *user);
void daemon_on_discover(void *user);
void daemon_on_answer(void *user, const struct score_answer *answer);

/* Stops the loop for a reason that is not a signal. */
void daemon_fail(struct daemon *daemon, const struct error *err);

/* Ends the loop once nothing is owed any more. */
void daemon_check_stopped(struct daemon *daemon);

/* daemon_report.c */
void daemon_report_note(struct daemon *daemon, const struct effect *note);
void daemon_report_answer(struct daemon *daemon, const struct score_answer *answer);
void daemon_report_result(struct daemon *daemon, enum cxone_operation operation,
                          const struct cxone_result *result);
void daemon_report_schedule(struct daemon *daemon, const struct poll_schedule *schedule);
void daemon_report_vendor_event(void *user, const struct cxone_event *event);
const char *daemon_call_hash(const struct daemon *daemon, const char *interaction_id,
                             char out[KEYHASH_TEXT_BYTES]);

/* daemon_keep.c: opens the store; follows what it has kept; holds back effects and answers until
 * they are kept (false: not held, go ahead); commits what has changed. */
int daemon_keep_create(struct daemon *daemon, size_t calls_max, struct error *err);
int daemon_keep_restore(struct daemon *daemon, struct error *err);
void daemon_keep_destroy(struct daemon *daemon);
bool daemon_keep_effect(struct daemon *daemon, const struct effect *effect);
bool daemon_keep_answer(struct daemon *daemon, const struct score_answer *answer);
void daemon_keep_flush(struct daemon *daemon);
void daemon_keep_count(struct daemon *daemon);         /* into the metrics */
bool daemon_keep_settled(const struct daemon *daemon); /* nothing waits */
bool daemon_keep_is_failing(const struct daemon *daemon);

/* More waits than may; once it is so, until half is gone. */
bool daemon_keep_is_behind(const struct daemon *daemon, bool was_behind);

/* What is known of this call is still on its way to the store. */
bool daemon_keep_awaits(const struct daemon *daemon, const char *interaction_id);

/* daemon_http.c */
int daemon_http_create(struct daemon *daemon, struct error *err);

#endif
