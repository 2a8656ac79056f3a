/* daemon_decisions.c - see daemon_decisions.h. A line that cannot be kept is told once and counted;
 * judging goes on. */
#include "app/daemon_decisions.h"

#include "app/daemon_switch.h"
#include "decisions/decision_log.h"
#include "decisions/decision_recall.h"
#include "model/model_hash.h"

#include <stdlib.h>
#include <string.h>

struct daemon_decisions {
    struct daemon *daemon;
    struct decision_log *log; /* NULL: switched off */
    char model[SHA256_TEXT_BYTES];
    char configuration[SHA256_TEXT_BYTES];
    uint64_t configured; /* number of the line that tells it */
    bool goes_on;        /* the log had lines before this start */
    bool failing;
};

static struct json_writer *begin(struct daemon_decisions *self, const char *kind)
{
    return decision_log_begin(self->log, kind, clock_wall());
}

static bool end(struct daemon_decisions *self)
{
    struct daemon *daemon = self->daemon;
    struct error err;
    bool kept = decision_log_end(self->log, &err) == 0;
    metrics_add(&daemon->metrics, kept ? METRIC_DECISIONS_KEPT : METRIC_DECISIONS_LOST, 1);
    if (!kept && !self->failing) {
        log_write(daemon->log, LOG_ERROR, "decision_lost",
                  "a decision could not be kept, nor may the next ones be; judging goes on",
                  LOG_TEXT("err", err.message));
    }
    self->failing = !kept;
    return kept;
}

static void write_fixed(struct json_writer *writer, const char *key, int64_t value)
{
    json_write_member_number(writer, key, (double)value / MOOD_ONE, 9);
}

static void write_call(const struct daemon *daemon, struct json_writer *writer, const char *id,
                       uint32_t alert)
{
    char call[KEYHASH_TEXT_BYTES];
    json_write_member_text(writer, "call", daemon_call_hash(daemon, id, call));
    json_write_member_integer(writer, "alert", alert);
}

/* --- what is in force ------------------------------------------------------------------------ */

/* The keys that decide what is an alert, with their values as text. */
static void write_judgement(struct json_writer *writer, const char *shown)
{
    static const char *const groups[] = {"window.",         "trend.",   "alert.",
                                         "model.",          "rules.",   "poll.lateness",
                                         "assist.delivery", "evidence."};
    json_write_key(writer, "judgement");
    json_write_object_begin(writer);
    while (*shown) {
        size_t bytes = strcspn(shown, "\n");
        const char *colon = memchr(shown, ':', bytes);
        char key[64];
        size_t key_bytes = colon ? (size_t)(colon - shown) : sizeof key;
        for (size_t i = 0; key_bytes < sizeof key && i < sizeof groups / sizeof *groups; i++) {
            if (strncmp(shown, groups[i], strlen(groups[i])) == 0) {
                memcpy(key, shown, key_bytes);
                key[key_bytes] = '\0';
                json_write_key(writer, key);
                json_write_string(writer, colon + 2, bytes - key_bytes - 2);
                break;
            }
        }
        shown += bytes + (shown[bytes] == '\n');
    }
    json_write_object_end(writer);
}

static void write_model(const struct daemon_decisions *self, struct json_writer *writer)
{
    const struct model_choice *model = &self->daemon->model;
    const char *directory = buf_string(&model->directory);
    const char *name = strrchr(directory, '/');
    json_write_key(writer, "model");
    json_write_object_begin(writer);
    json_write_member_text(writer, "name",
                           !model->scorer ? MODEL_CHOICE_LEXICON
                                          : (name && name[1] ? name + 1 : directory));
    if (model->scorer) {
        json_write_member_text(writer, "sha256", self->model);
        json_write_member_text(writer, "precision", scorer_precision_name(model->scorer));
        json_write_member_text(writer, "kernels", scorer_kernels_name(model->scorer));
    }
    json_write_member_boolean(writer, "degraded", model->degraded);
    json_write_object_end(writer);
}

void daemon_decisions_configured(struct daemon *daemon, const char *changed)
{
    struct daemon_decisions *self = daemon->decisions;
    char rules[SHA256_TEXT_BYTES];
    struct buf shown;
    if (!self || !self->log) {
        return;
    }
    buf_init(&shown, 1 << 20);
    if (config_show(daemon->config, false, &shown, NULL) == 0) {
        sha256_bytes(shown.bytes, shown.size, self->configuration);
        struct json_writer *writer = begin(self, "configuration");
        json_write_member_text(writer, "version", UNDERTONE_VERSION);
        json_write_member_text(writer, "changed", changed);
        json_write_member_text(writer, "sha256", self->configuration);
        if (daemon->config->rules_path[0] &&
            sha256_file(daemon->config->rules_path, rules, NULL) == 0) {
            json_write_member_text(writer, "rules", rules);
        }
        write_model(self, writer);
        write_judgement(writer, buf_string(&shown));
        if (end(self)) {
            self->configured = decision_log_head(self->log)->seq;
        }
    }
    buf_done(&shown);
}

void daemon_decisions_switched(struct daemon *daemon, const char *by)
{
    struct daemon_decisions *self = daemon->decisions;
    if (!self || !self->log) {
        return;
    }
    struct switch_state writes = daemon_switch_effective(daemon);
    struct json_writer *writer = begin(self, "writes");
    json_write_member_text(writer, "by", by);
    json_write_member_text(writer, "attributes", writes.attributes ? "on" : "off");
    json_write_member_text(writer, "suggestions", writes.suggestions ? "on" : "off");
    json_write_member_text(writer, "fuse",
                           fuse_reason_name(pipeline_fuse(daemon->pipeline)->reason));
    (void)end(self);
}

/* --- alerts ---------------------------------------------------------------------------------- */

static void write_reading(struct json_writer *writer, const struct call_reading *reading)
{
    write_fixed(writer, "score", reading->score);
    json_write_member_text(writer, "trend", call_trend_name(reading->trend));
    write_fixed(writer, "difference", reading->difference);
    write_fixed(writer, "sustained", reading->sustained);
    json_write_member_integer(writer, "samples", reading->samples);
    write_fixed(writer, "scoreBefore", reading->score_before);
    json_write_member_integer(writer, "samplesBefore", reading->samples_before);
    json_write_member_integer(writer, "utterances", reading->utterances);
    json_write_member_integer(writer, "asOfMs", reading->as_of_ms);
}

static void write_thresholds(struct json_writer *writer, const struct config *config)
{
    json_write_key(writer, "thresholds");
    json_write_object_begin(writer);
    json_write_member_number(writer, "scoreBelow", config->alert_threshold, 9);
    json_write_member_number(writer, "declineOver", config->trend_delta, 9);
    json_write_member_number(writer, "sustainedOver", config->alert_sustained_limit, 9);
    json_write_member_integer(writer, "samplesMin", config->alert_min_samples);
    json_write_object_end(writer);
}

/* Null where policy wants words but none are held. */
static void write_words(const struct daemon *daemon, struct json_writer *writer,
                        const struct effect *note, const struct segment *said)
{
    if (daemon->config->evidence_text == CONFIG_EVIDENCE_REDACTED) {
        json_write_member_text(writer, "words", pipeline_words(daemon->pipeline, note->call, said));
    }
}

/* What made a rule fire, if it was something that was said. */
static void write_said(const struct daemon *daemon, struct json_writer *writer,
                       const struct effect *note)
{
    if (note->rule && note->said.end_ms > 0) {
        json_write_key(writer, "said");
        json_write_object_begin(writer);
        json_write_member_integer(writer, "startMs", note->said.start_ms);
        json_write_member_integer(writer, "endMs", note->said.end_ms);
        json_write_member_text(writer, "speaker", speaker_name(note->said.speaker));
        write_words(daemon, writer, note, &note->said);
        json_write_object_end(writer);
    }
}

/* By time before the reading; the speaker, the score, and how far it moved the mean. */
static void write_evidence(const struct daemon *daemon, struct json_writer *writer,
                           const struct effect *note)
{
    json_write_key(writer, "evidence");
    json_write_array_begin(writer);
    for (uint32_t i = 0; i < note->evidence_count; i++) {
        const struct call_evidence *item = &note->evidence[i];
        json_write_object_begin(writer);
        json_write_member_integer(writer, "startMs", item->start_ms);
        json_write_member_integer(writer, "endMs", item->end_ms);
        json_write_member_text(writer, "speaker", speaker_name(item->speaker));
        write_fixed(writer, "score", item->score);
        write_fixed(writer, "moved", item->contribution);
        write_words(daemon, writer, note,
                    &(struct segment){.start_ms = item->start_ms,
                                      .end_ms = item->end_ms,
                                      .speaker = item->speaker});
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

static void note_alert(struct daemon_decisions *self, const struct effect *note)
{
    struct daemon *daemon = self->daemon;
    struct json_writer *writer = begin(self, "alert");
    write_call(daemon, writer, note->interaction_id, note->episode);
    json_write_member_text(writer, "path", call_alert_path_name(note->alert.path));
    if (note->rule) {
        json_write_member_text(writer, "rule", note->rule);
    }
    if (note->queue && note->queue[0]) {
        json_write_member_text(writer, "queue", note->queue);
    }
    json_write_member_text(writer, "tier", call_tier_name(note->alert.tier));
    write_fixed(writer, "confidence", note->alert.confidence);
    write_fixed(writer, "slopeAMinute", note->alert.slope);
    write_reading(writer, &note->reading);
    write_thresholds(writer, daemon->config);
    write_evidence(daemon, writer, note);
    write_said(daemon, writer, note);
    json_write_member_boolean(writer, "degraded", daemon_is_degraded(daemon, note->interaction_id));
    json_write_member_text(writer, "model", self->model);
    json_write_member_text(writer, "configuration", self->configuration);
    json_write_member_integer(writer, "configured", (int64_t)self->configured);
    (void)end(self);
}

static void note_suggestion(struct daemon_decisions *self, const struct effect *note)
{
    if (note->suggestion_state == SUGGESTION_WAITING) {
        return; /* it is tried again: nothing is decided */
    }
    struct json_writer *writer = begin(self, "suggestion");
    write_call(self->daemon, writer, note->interaction_id, note->episode);
    json_write_member_text(writer, "state", suggestion_state_name(note->suggestion_state));
    json_write_member_integer(writer, "status", note->status);
    json_write_member_text(writer, "reason", note->reason);
    (void)end(self);
}

static void note_course(struct daemon_decisions *self, const struct effect *note, const char *kind)
{
    struct json_writer *writer = begin(self, kind);
    write_call(self->daemon, writer, note->interaction_id, note->episode);
    json_write_member_text(writer, "tier", call_tier_name(note->alert.tier));
    write_reading(writer, &note->reading);
    (void)end(self);
}

void daemon_decisions_note(struct daemon *daemon, const struct effect *note)
{
    struct daemon_decisions *self = daemon->decisions;
    if (!self->log) {
        return;
    }
    if (note->note == NOTE_ALERT_OPENED) {
        note_alert(self, note);
    } else if (note->note == NOTE_ALERT_RAISED) {
        note_course(self, note, "raised");
    } else if (note->note == NOTE_ALERT_REMINDED) {
        note_course(self, note, "reminded");
    } else if (note->note == NOTE_ALERT_RECOVERED) {
        note_course(self, note, "recovered");
    } else if (note->note == NOTE_SUGGESTION) {
        note_suggestion(self, note);
    }
}

/* --- what an earlier run did not come to write ----------------------------------------------- */

static void restore_alerts(struct daemon_decisions *self, const struct session_view *view,
                           uint32_t told)
{
    for (uint32_t alert = told + 1; alert <= view->episodes; alert++) {
        struct json_writer *writer = begin(self, "alert");
        write_call(self->daemon, writer, view->interaction_id, alert);
        json_write_member_text(writer, "path", "unknown");
        json_write_member_boolean(writer, "reconstructed", true);
        json_write_member_boolean(writer, "open", alert == view->episode_open);
        if (view->has_reading) {
            write_reading(writer, &view->reading);
        }
        json_write_member_integer(writer, "configured", (int64_t)self->configured);
        (void)end(self);
    }
}

/* One whose fate was not known is noted by the pipeline itself. */
static void restore_suggestion(struct daemon_decisions *self, const struct session_view *view,
                               uint32_t told)
{
    if (view->suggestion_episode <= told || (view->suggestion_state != SUGGESTION_SENT &&
                                             view->suggestion_state != SUGGESTION_DROPPED)) {
        return;
    }
    struct json_writer *writer = begin(self, "suggestion");
    write_call(self->daemon, writer, view->interaction_id, view->suggestion_episode);
    json_write_member_text(writer, "state", suggestion_state_name(view->suggestion_state));
    json_write_member_boolean(writer, "reconstructed", true);
    (void)end(self);
}

static bool want_all(struct daemon *daemon, struct decision_recall *recall)
{
    struct session_view view;
    char call[KEYHASH_TEXT_BYTES];
    bool good = true;
    for (size_t at = 0; good && pipeline_next(daemon->pipeline, &at, &view);) {
        good = view.episodes == 0 ||
               decision_recall_want(recall, daemon_call_hash(daemon, view.interaction_id, call),
                                    view.episodes);
    }
    return good;
}

void daemon_decisions_restore(struct daemon *daemon)
{
    struct daemon_decisions *self = daemon->decisions;
    struct decision_recall recall;
    struct session_view view;
    char call[KEYHASH_TEXT_BYTES];
    struct error err;
    if (!self->log || !self->goes_on) {
        return; /* no line can be missing */
    }
    decision_recall_init(&recall, pipeline_calls(daemon->pipeline) + 1);
    int result = want_all(daemon, &recall)
                     ? decision_recall_read(&recall, daemon->config->decisions_path, &err)
                     : error_set(&err, ERROR_MEMORY, "no memory for the alerts before");
    if (result) {
        log_write(daemon->log, LOG_WARN, "decisions_unread",
                  "whether a decision before the start lacks its line is not known",
                  LOG_TEXT("err", err.message));
    }
    for (size_t at = 0; !result && pipeline_next(daemon->pipeline, &at, &view);) {
        const struct decision_told *told =
            decision_recall_find(&recall, daemon_call_hash(daemon, view.interaction_id, call));
        if (told) {
            restore_alerts(self, &view, told->alert);
            restore_suggestion(self, &view, told->suggestion);
        }
    }
    decision_recall_done(&recall);
}

bool daemon_decisions_feedback(struct daemon *daemon, const char *interaction_id, uint32_t alert,
                               const char *feedback, const char *by)
{
    struct daemon_decisions *self = daemon->decisions;
    char hash[KEYHASH_TEXT_BYTES];
    struct json_writer *writer = begin(self, "feedback");
    write_call(daemon, writer, interaction_id, alert);
    json_write_member_text(writer, "feedback", feedback);
    if (by) {
        json_write_member_text(writer, "by", daemon_call_hash(daemon, by, hash));
    }
    return end(self);
}

/* --- life ------------------------------------------------------------------------------------ */

bool daemon_decisions_is_on(const struct daemon *daemon)
{
    return daemon->decisions->log != NULL;
}

static void report_head(const struct daemon_decisions *self, const char *text, uint64_t cut_bytes)
{
    const struct chain *head = decision_log_head(self->log);
    log_write(self->daemon->log, LOG_INFO, "decisions_head", text, LOG_INT("seq", head->seq),
              LOG_TEXT("hash", head->hash), LOG_INT("cut_bytes", cut_bytes));
}

int daemon_decisions_create(struct daemon *daemon, struct error *err)
{
    const struct config *config = daemon->config;
    struct daemon_decisions *self = calloc(1, sizeof *self);
    uint64_t cut_bytes;
    daemon->decisions = self;
    if (!self) {
        return error_set(err, ERROR_MEMORY, "no memory for the log of decisions");
    }
    self->daemon = daemon;
    if (!config->decisions_path[0]) {
        return 0;
    }
    const struct decision_log_options options = {.path = config->decisions_path,
                                                 .bytes_max = (uint64_t)config->decisions_max_bytes,
                                                 .files_max = (unsigned)config->decisions_keep};
    int result = daemon->model.scorer
                     ? model_hash_folder(buf_string(&daemon->model.directory), self->model, err)
                     : 0;
    result = result ? result : decision_log_open(&self->log, &options, &cut_bytes, err);
    if (result) {
        return error_wrap(err, "decisions.path");
    }
    report_head(self, "the log of decisions goes on after this line", cut_bytes);
    self->goes_on = decision_log_head(self->log)->seq > 0;
    daemon_decisions_configured(daemon, "start");
    return 0;
}

void daemon_decisions_destroy(struct daemon_decisions *self)
{
    if (self) {
        if (self->log) {
            report_head(self, "the last line of the log of decisions", 0);
        }
        decision_log_close(self->log);
        free(self);
    }
}
