/* daemon_keep.c - what must wait until it is kept.
 *
 * A step's polls and scorings leave at once: after a crash they are simply asked again. What must
 * not be done or said twice (writes, suggestions, log lines that count) is held until a batch saved
 * after the step is durable; so is the first poll of a call, for what it brings would be lost with
 * the process if no later one knew the call. One batch is under way at a time and the next gathers
 * meanwhile, so commits grow with the time that a disk takes; they begin at least COMMIT_SPACING_MS
 * apart.
 *
 * While the store fails the same batch is tried again, judgement and polling go on, and what waits
 * is bounded: at HELD_MAX polls pause, until half is gone. In memory nothing waits. */
#include "app/daemon_internal.h"

#include "config/store_config.h"

#include <stdlib.h>
#include <string.h>

enum { COMMIT_SPACING_MS = 50, RETRY_MS = 1000, TEND_MS = 60000, HELD_MAX = 8192 };

enum held_kind { HELD_EFFECT, HELD_ANSWER };

struct held {
    struct held *next;
    uint64_t batch; /* leaves when this one is durable */
    enum held_kind kind;
    struct effect effect;
    struct score_answer answer;
    char texts[]; /* the strings of either */
};

struct daemon_keep {
    struct daemon *daemon;
    struct loop_timer *timer;
    struct loop_timer *tend_timer;
    struct loop_wakeup *wakeup;
    struct store_batch *gathering; /* closed calls so far */
    struct store_batch *under_way; /* lent to the store, or waiting for another try */
    uint64_t number;               /* of the batch being gathered, counted from 1 */
    struct mono begun;             /* when the one under way was submitted */
    bool is_lent;                  /* the one under way is at the store */
    bool timer_runs;
    bool failing;
    struct held *first;
    struct held **end;
    size_t held;
};

/* --- holding --------------------------------------------------------------------------------- */

static size_t text_bytes(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static const char *copy_text(char **at, const char *text)
{
    size_t size = text_bytes(text);
    if (size == 0) {
        return NULL;
    }
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

static void fail_for_memory(struct daemon *daemon)
{
    struct error err;
    error_set(&err, ERROR_MEMORY, "no memory for what waits for the store");
    daemon_fail(daemon, &err);
}

/* NULL without memory: the daemon then ends. */
static struct held *hold(struct daemon_keep *keep, enum held_kind kind, size_t bytes)
{
    struct held *held = calloc(1, sizeof *held + bytes);
    if (!held) {
        fail_for_memory(keep->daemon);
        return NULL;
    }
    held->kind = kind;
    held->batch = keep->number;
    *keep->end = held;
    keep->end = &held->next;
    keep->held++;
    return held;
}

static bool must_wait(const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_ATTRIBUTES:
    case EFFECT_SUGGEST:
        return true;
    case EFFECT_NOTE:
        return effect->note != NOTE_POLL_FAILED && effect->note != NOTE_ATTRIBUTES_FAILED &&
               effect->note != NOTE_WORDS_DROPPED;
    case EFFECT_POLL:
        return effect->opening;
    case EFFECT_SCORE:
    case EFFECT_CLOSED:
        break;
    }
    return false;
}

bool daemon_keep_effect(struct daemon *daemon, const struct effect *effect)
{
    struct daemon_keep *keep = daemon->keep;
    if (effect->kind == EFFECT_CLOSED) {
        struct store_change change = {.call = effect->kept};
        if (effect->kept_suggestion.episode > 0) {
            change.suggestion = &effect->kept_suggestion;
        }
        if (!store_batch_add(keep->gathering, &change)) {
            fail_for_memory(daemon);
        }
    }
    if (!store_is_durable(daemon->store) || !must_wait(effect)) {
        return false;
    }
    size_t bytes = text_bytes(effect->interaction_id) + text_bytes(effect->reason) +
                   text_bytes(effect->transferred_from) + text_bytes(effect->rule) +
                   text_bytes(effect->message) + text_bytes(effect->queue) +
                   text_bytes(effect->language);
    struct held *held = hold(keep, HELD_EFFECT, bytes);
    if (held) {
        char *at = held->texts;
        held->effect = *effect;
        held->effect.interaction_id = copy_text(&at, effect->interaction_id);
        held->effect.reason = copy_text(&at, effect->reason);
        held->effect.transferred_from = copy_text(&at, effect->transferred_from);
        held->effect.rule = copy_text(&at, effect->rule);
        held->effect.message = copy_text(&at, effect->message);
        held->effect.queue = copy_text(&at, effect->queue);
        held->effect.language = copy_text(&at, effect->language);
        held->effect.segment.text = NULL; /* no note needs it */
        held->effect.segment.text_bytes = 0;
        held->effect.segment.id = NULL;
        held->effect.segment.id_bytes = 0;
    }
    return true;
}

bool daemon_keep_answer(struct daemon *daemon, const struct score_answer *answer)
{
    if (!store_is_durable(daemon->store)) {
        return false;
    }
    size_t bytes = text_bytes(answer->ticket.interaction_id) + text_bytes(answer->failure);
    struct held *held = hold(daemon->keep, HELD_ANSWER, bytes);
    if (held) {
        char *at = held->texts;
        held->answer = *answer;
        held->answer.ticket.interaction_id = copy_text(&at, answer->ticket.interaction_id);
        held->answer.failure = copy_text(&at, answer->failure);
    }
    return true;
}

/* Lets go, in order, of what waited for this batch or an earlier one. */
static void release(struct daemon_keep *keep, uint64_t number)
{
    struct daemon *daemon = keep->daemon;
    while (keep->first && keep->first->batch <= number) {
        struct held *held = keep->first;
        keep->first = held->next;
        if (!keep->first) {
            keep->end = &keep->first;
        }
        keep->held--;
        if (held->kind == HELD_EFFECT) {
            daemon_carry_out(daemon, &held->effect);
        } else {
            daemon_report_answer(daemon, &held->answer);
        }
        free(held);
    }
}

/* --- committing ------------------------------------------------------------------------------ */

static void report_failure(struct daemon *daemon, const struct error *err)
{
    metrics_add(&daemon->metrics, METRIC_STORE_FAILURES, 1);
    if (!daemon->keep->failing) {
        log_write(daemon->log, LOG_ERROR, "store_failed",
                  "nothing can be kept; judging goes on, writes and suggestions wait",
                  LOG_TEXT("err", err->message), LOG_NUMBER("retry_s", RETRY_MS / 1e3));
    }
    daemon->keep->failing = true;
}

static void report_success(struct daemon *daemon)
{
    struct daemon_keep *keep = daemon->keep;
    double dur_s = (double)mono_ms_between(keep->begun, clock_mono()) / 1e3;
    metrics_add(&daemon->metrics, METRIC_STORE_COMMITS, 1);
    metrics_observe(&daemon->metrics, METRIC_HISTOGRAM_COMMIT, dur_s);
    if (keep->failing) {
        log_write(daemon->log, LOG_INFO, "store_recovered", "what waited is kept now",
                  LOG_INT("waiting", keep->held));
    }
    keep->failing = false;
}

static bool has_more(const struct daemon_keep *keep)
{
    return store_batch_count(keep->gathering) > 0 || keep->first ||
           pipeline_has_unsaved(keep->daemon->pipeline);
}

static void arm(struct daemon_keep *keep, int64_t wait_ms)
{
    if (!keep->timer_runs) {
        keep->timer_runs = true;
        loop_timer_start(keep->timer, wait_ms, 0);
    }
}

/* Takes the batch back, if its fate is known, and does what follows from it. */
static void collect(struct daemon_keep *keep)
{
    struct daemon *daemon = keep->daemon;
    struct error err;
    struct store_batch *batch = store_collect(daemon->store, &err);
    if (!batch) {
        return;
    }
    keep->is_lent = false;
    if (err.code && !err.retriable) {
        daemon_fail(daemon, &err);
        return;
    }
    if (err.code) {
        report_failure(daemon, &err);
        arm(keep, RETRY_MS);
        return;
    }
    report_success(daemon);
    keep->under_way = NULL;
    store_batch_destroy(batch);
    release(keep, keep->number - 1);
    daemon_keep_flush(daemon);
    daemon_check_stopped(daemon);
}

static void on_wakeup(void *user)
{
    collect(user);
}

static void lend(struct daemon_keep *keep)
{
    keep->is_lent = true;
    store_submit(keep->daemon->store, keep->under_way, clock_wall());
    collect(keep);
}

/* The batch takes all that has changed; what is held from now on waits for the next one. */
static void submit(struct daemon_keep *keep)
{
    struct daemon *daemon = keep->daemon;
    struct store_batch *next = store_batch_create();
    if (!next || !pipeline_save(daemon->pipeline, daemon_now(daemon), keep->gathering)) {
        store_batch_destroy(next);
        fail_for_memory(daemon);
        return;
    }
    keep->under_way = keep->gathering;
    keep->gathering = next;
    keep->number++;
    keep->begun = clock_mono();
    lend(keep);
}

static void on_timer(void *user)
{
    struct daemon_keep *keep = user;
    keep->timer_runs = false;
    if (keep->under_way && !keep->is_lent) {
        lend(keep);
    } else if (!keep->under_way && has_more(keep)) {
        submit(keep);
    }
}

void daemon_keep_flush(struct daemon *daemon)
{
    struct daemon_keep *keep = daemon->keep;
    if (keep->under_way || !has_more(keep)) {
        return;
    }
    struct mono due = mono_after_ms(keep->begun, COMMIT_SPACING_MS);
    arm(keep, store_is_durable(daemon->store) ? mono_left_ms(clock_mono(), due) : 0);
}

bool daemon_keep_is_behind(const struct daemon *daemon, bool was_behind)
{
    return daemon->keep->held >= (was_behind ? HELD_MAX / 2 : HELD_MAX);
}

bool daemon_keep_is_failing(const struct daemon *daemon)
{
    return daemon->keep->failing;
}

bool daemon_keep_settled(const struct daemon *daemon)
{
    return !daemon->keep->under_way && !has_more(daemon->keep);
}

bool daemon_keep_awaits(const struct daemon *daemon, const char *interaction_id)
{
    const struct daemon_keep *keep = daemon->keep;
    return store_batch_names(keep->gathering, interaction_id) ||
           (keep->under_way && store_batch_names(keep->under_way, interaction_id));
}

/* --- life ------------------------------------------------------------------------------------ */

static void on_tend(void *user)
{
    struct daemon_keep *keep = user;
    store_tend(keep->daemon->store, clock_wall());
}

void daemon_keep_count(struct daemon *daemon)
{
    struct store_counts counts;
    store_count(daemon->store, &counts);
    metrics_set(&daemon->metrics, METRIC_STORE_LIVE, (double)counts.live);
    metrics_set(&daemon->metrics, METRIC_STORE_CLOSED, (double)counts.closed);
    metrics_set(&daemon->metrics, METRIC_STORE_BYTES, (double)counts.bytes);
    metrics_set(&daemon->metrics, METRIC_STORE_HELD, (double)daemon->keep->held);
}

/* On the store's thread. */
static void wake(void *user)
{
    struct daemon_keep *keep = user;
    loop_wakeup_signal(keep->wakeup);
}

static int open_store(struct daemon_keep *keep, size_t calls_max, struct error *err)
{
    struct daemon *daemon = keep->daemon;
    const struct config *config = daemon->config;
    if (!config->store_path[0]) {
        return store_open_memory(&daemon->store, calls_max * 4, err);
    }
    struct store_file_options options;
    store_config_options(config, &daemon->store_key, &options);
    options.wake = wake;
    options.user = keep;
    return store_open_file(&daemon->store, &options, err);
}

int daemon_keep_create(struct daemon *daemon, size_t calls_max, struct error *err)
{
    struct daemon_keep *keep = calloc(1, sizeof *keep);
    daemon->keep = keep;
    if (!keep) {
        return error_set(err, ERROR_MEMORY, "no memory for the daemon");
    }
    keep->daemon = daemon;
    keep->end = &keep->first;
    keep->number = 1;
    keep->gathering = store_batch_create();
    if (!keep->gathering) {
        return error_set(err, ERROR_MEMORY, "no memory for the daemon");
    }
    int result = loop_timer_create(daemon->loop, on_timer, keep, &keep->timer, err);
    if (!result) {
        result = loop_timer_create(daemon->loop, on_tend, keep, &keep->tend_timer, err);
    }
    if (!result) {
        result = loop_wakeup_create(daemon->loop, on_wakeup, keep, &keep->wakeup, err);
    }
    if (!result) {
        result = open_store(keep, calls_max, err);
    }
    return result;
}

/* One step for each call a process before was following. */
static bool restore_call(void *user, const struct store_saved *saved)
{
    struct daemon *daemon = user;
    struct pipeline_event event = {.kind = PIPELINE_CALL_RESTORED, .saved = saved};
    daemon_step(daemon, &event);
    return !daemon->fatal.code;
}

/* The list names the calls it named before, or they are over. */
static void restore_roster(struct daemon *daemon)
{
    struct session_view view;
    for (size_t position = 0; pipeline_next(daemon->pipeline, &position, &view);) {
        if (view.listed) {
            (void)roster_seen(&daemon->roster, view.interaction_id);
        }
    }
}

int daemon_keep_restore(struct daemon *daemon, struct error *err)
{
    struct mono begun = clock_mono();
    loop_timer_start(daemon->keep->tend_timer, TEND_MS, TEND_MS);
    if (!store_is_durable(daemon->store)) {
        return 0;
    }
    int result = store_load_live(daemon->store, restore_call, daemon, err);
    if (result) {
        return result;
    }
    restore_roster(daemon);
    struct store_counts counts;
    store_count(daemon->store, &counts);
    log_write(daemon->log, LOG_INFO, "store_opened", "what an earlier run has kept is followed on",
              LOG_INT("calls", pipeline_calls(daemon->pipeline)),
              LOG_INT("suggestions_unknown", counts.unknown_at_open),
              LOG_INT("bytes", counts.bytes),
              LOG_NUMBER("dur_s", (double)mono_ms_between(begun, clock_mono()) / 1e3));
    return 0;
}

void daemon_keep_destroy(struct daemon *daemon)
{
    struct daemon_keep *keep = daemon->keep;
    if (!keep) {
        return;
    }
    store_close(daemon->store); /* first: it may still wake us, and has the batch under way */
    loop_wakeup_destroy(keep->wakeup);
    loop_timer_destroy(keep->timer);
    loop_timer_destroy(keep->tend_timer);
    while (keep->first) {
        struct held *held = keep->first;
        keep->first = held->next;
        free(held);
    }
    store_batch_destroy(keep->gathering);
    if (!keep->is_lent) {
        store_batch_destroy(keep->under_way);
    }
    free(keep);
}
