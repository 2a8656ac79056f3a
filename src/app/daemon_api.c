/* daemon_api.c - see daemon_api.h: which path does what. Every request is judged by api_guard
 * first; bodies are bounded by the server. */
#include "app/daemon_api.h"

#include "app/api_guard.h"
#include "app/api_request.h"
#include "app/daemon_calls.h"
#include "app/daemon_decisions.h"
#include "app/daemon_reload.h"
#include "app/daemon_switch.h"
#include "app/daemon_wallboard.h"
#include "config/calls_file.h"

#include <stdlib.h>
#include <string.h>

static const char prefix[] = "/api/v1/";

struct daemon_api {
    struct daemon *daemon;
    struct api_guard guard;
};

/* --- POST reload ----------------------------------------------------------------------------- */

static void write_keys(struct json_writer *writer, const char *name, const struct buf *keys)
{
    json_write_key(writer, name);
    json_write_array_begin(writer);
    const char *at = buf_string(keys);
    while (*at) {
        size_t bytes = strcspn(at, ",");
        json_write_string(writer, at, bytes);
        at += bytes + strspn(at + bytes, ", ");
    }
    json_write_array_end(writer);
}

static void serve_reload(struct daemon *daemon, struct api_request *request)
{
    struct error err;
    if (!api_request_is(request, "POST")) {
        api_request_refuse_method(request, "POST");
    } else if (daemon_reload_is_draining(daemon)) {
        api_request_fail(request, 409, "reloading", "a reload is under way; ask again then");
    } else if (daemon_reload(daemon, &err)) {
        api_request_fail(request, 422, "configuration_invalid", err.message);
    } else {
        const struct config_changes *changes = daemon_reload_changes(daemon);
        write_keys(&request->writer, "changed", &changes->applied);
        write_keys(&request->writer, "needsRestart", &changes->deferred);
        json_write_member_boolean(&request->writer, "reconnects", changes->connection);
        /* With a new connection the change comes a moment later. */
        api_request_answer(request, changes->connection ? 202 : 200);
    }
}

/* --- POST calls, DELETE calls/{id} ----------------------------------------------------------- */

static void answer_call(struct api_request *request, enum daemon_calls_answer answer,
                        const char *interaction_id, bool added)
{
    switch (answer) {
    case DAEMON_CALLS_DONE:
    case DAEMON_CALLS_ALREADY:
        json_write_member_text(&request->writer, "interactionId", interaction_id);
        json_write_member_text(&request->writer, "state", added ? "followed" : "ending");
        api_request_answer(request, !added ? 202 : (answer == DAEMON_CALLS_DONE ? 201 : 200));
        break;
    case DAEMON_CALLS_FULL:
        api_request_fail(request, 503, "no_room",
                         "as many calls are followed as discover.max lets");
        break;
    case DAEMON_CALLS_BUSY:
        api_request_fail(request, 409, "closing", "the call is being closed; ask again then");
        break;
    case DAEMON_CALLS_UNKNOWN:
        api_request_fail(request, 404, "unknown_call", "this call is not followed");
        break;
    case DAEMON_CALLS_LISTED:
        api_request_fail(request, 409, "named_elsewhere",
                         "the vendor's list, the configuration or discover.file names this call, "
                         "and would name it again");
        break;
    }
}

/* What of the body is no good, or NULL. */
static const char *check_call(const char *id, const char *master,
                              const struct session_traits *traits)
{
    if (!id || calls_file_check_id(id, NULL) || (master && calls_file_check_id(master, NULL))) {
        return "malformed_id";
    }
    if (traits->queue && calls_file_check_queue(traits->queue, NULL)) {
        return "malformed_queue";
    }
    return traits->language && calls_file_check_language(traits->language, NULL)
               ? "malformed_language"
               : NULL;
}

static void add_call(struct daemon *daemon, struct api_request *request)
{
    bool good[4];
    const char *id = api_request_text(request, "interactionId", STORE_ID_BYTES - 1, &good[0]);
    const char *master = api_request_text(request, "masterId", STORE_ID_BYTES - 1, &good[1]);
    const struct session_traits traits = {
        .queue = api_request_text(request, "queue", SESSION_QUEUE_BYTES - 1, &good[2]),
        .language = api_request_text(request, "language", LANGUAGE_BYTES - 1, &good[3]),
    };
    const char *wrong = check_call(id, master, &traits);
    wrong = !good[3] ? "malformed_language" : wrong;
    wrong = !good[2] ? "malformed_queue" : wrong;
    wrong = !good[1] ? "malformed_id" : wrong;
    if (wrong) {
        api_request_fail(request, 400, wrong,
                         "interactionId, and masterId if there is one, are texts of 1 to 128 "
                         "bytes without control characters, queue one of 1 to 64, language a tag "
                         "such as en or de-AT");
    } else if (daemon->stopping) {
        api_request_fail(request, 503, "stopping", "undertone is being stopped");
    } else {
        answer_call(request, daemon_calls_add(daemon, id, master, &traits), id, true);
    }
}

static void serve_calls(struct daemon *daemon, struct api_request *request)
{
    static const char *const members[] = {"interactionId", "masterId", "queue", "language", NULL};
    if (!api_request_is(request, "POST")) {
        api_request_refuse_method(request, "POST");
    } else if (api_request_read(request, members)) {
        add_call(daemon, request);
    }
}

static void serve_call(struct daemon *daemon, struct api_request *request)
{
    const char *id = request->segments[1];
    if (api_request_is(request, "DELETE")) {
        answer_call(request, daemon_calls_remove(daemon, id), id, false);
    } else {
        api_request_refuse_method(request, "DELETE");
    }
}

/* --- GET and POST writes, POST fuse ---------------------------------------------------------- */

static const char *on_or_off(bool on)
{
    return on ? "on" : "off";
}

static void answer_writes(struct daemon *daemon, struct api_request *request)
{
    struct switch_state set = daemon_switch_state(daemon);
    struct switch_state effective = daemon_switch_effective(daemon);
    const struct fuse *fuse = pipeline_fuse(daemon->pipeline);
    json_write_member_text(&request->writer, "attributes", on_or_off(set.attributes));
    json_write_member_text(&request->writer, "suggestions", on_or_off(set.suggestions));
    json_write_key(&request->writer, "inForce");
    json_write_object_begin(&request->writer);
    json_write_member_text(&request->writer, "attributes", on_or_off(effective.attributes));
    json_write_member_text(&request->writer, "suggestions",
                           on_or_off(effective.suggestions && fuse->reason == FUSE_WHOLE));
    json_write_object_end(&request->writer);
    json_write_member_text(&request->writer, "fuse", fuse_reason_name(fuse->reason));
    api_request_answer(request, 200);
}

/* Absent: as it is. */
static bool read_switch(struct api_request *request, const char *member, bool *on)
{
    bool good;
    const char *text = api_request_text(request, member, 3, &good);
    if (text) {
        *on = strcmp(text, "on") == 0;
        good = *on || strcmp(text, "off") == 0;
    }
    return good;
}

static void serve_writes(struct daemon *daemon, struct api_request *request)
{
    static const char *const members[] = {"attributes", "suggestions", NULL};
    struct switch_state state = daemon_switch_state(daemon);
    struct error err;
    if (api_request_is(request, "GET")) {
        answer_writes(daemon, request);
    } else if (!api_request_is(request, "POST")) {
        api_request_refuse_method(request, "GET, POST");
    } else if (!api_request_read(request, members)) {
        return;
    } else if (!read_switch(request, "attributes", &state.attributes) ||
               !read_switch(request, "suggestions", &state.suggestions)) {
        api_request_fail(request, 400, "malformed_switch",
                         "attributes and suggestions are \"on\" or \"off\"");
    } else if (daemon_switch_set(daemon, &state, "request", &err)) {
        api_request_fail(request, 500, "not_kept", err.message);
    } else {
        answer_writes(daemon, request);
    }
}

static void serve_fuse(struct daemon *daemon, struct api_request *request)
{
    static const char *const members[] = {"state", NULL};
    bool good;
    if (!api_request_is(request, "POST")) {
        api_request_refuse_method(request, "POST");
        return;
    }
    if (!api_request_read(request, members)) {
        return;
    }
    const char *state = api_request_text(request, "state", 16, &good);
    if (!state || strcmp(state, "whole") != 0) {
        api_request_fail(request, 400, "malformed_switch", "a fuse is reset with state \"whole\"");
        return;
    }
    daemon_switch_reset_fuse(daemon);
    answer_writes(daemon, request);
}

/* --- POST calls/{id}/alerts/{n}/feedback ------------------------------------------------------ */

static const struct {
    const char *word;
    enum metric metric;
} feedbacks[] = {
    {"accepted", METRIC_FEEDBACK_ACCEPTED},
    {"dismissed", METRIC_FEEDBACK_DISMISSED},
    {"useful", METRIC_FEEDBACK_USEFUL},
};

/* Whether the call, live or remembered, ever had this alert. */
static bool has_alert(struct daemon *daemon, const char *id, uint32_t alert)
{
    struct session_view view;
    struct store_call known;
    bool found;
    if (pipeline_look(daemon->pipeline, id, &view)) {
        return alert <= view.episodes;
    }
    return strlen(id) < STORE_ID_BYTES &&
           store_load(daemon->store, id, &known, &found, NULL) == 0 && found &&
           alert <= known.episodes;
}

static uint32_t read_alert(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits < 10 && text[digits] == '\0' ? (uint32_t)strtoul(text, NULL, 10)
                                                             : 0;
}

static void take_feedback(struct daemon *daemon, struct api_request *request, uint32_t alert)
{
    bool good;
    bool good_by;
    size_t at = 0;
    const char *word = api_request_text(request, "feedback", 16, &good);
    const char *by = api_request_text(request, "by", 128, &good_by);
    while (word && at < sizeof feedbacks / sizeof *feedbacks &&
           strcmp(feedbacks[at].word, word) != 0) {
        at++;
    }
    if (!word || at == sizeof feedbacks / sizeof *feedbacks || !good_by) {
        api_request_fail(request, 400, "malformed_feedback",
                         "feedback is \"accepted\", \"dismissed\" or \"useful\"; by, if there is "
                         "one, a text of at most 128 bytes");
    } else if (!daemon_decisions_is_on(daemon)) {
        api_request_fail(request, 409, "no_decisions", "decisions.path names no log to keep it in");
    } else if (!daemon_decisions_feedback(daemon, request->segments[1], alert, word, by)) {
        api_request_fail(request, 500, "not_kept", "it could not be written down: see the log");
    } else {
        metrics_add(&daemon->metrics, feedbacks[at].metric, 1);
        daemon_wallboard_feedback(daemon->wallboard, request->segments[1], alert,
                                  feedbacks[at].word);
        json_write_member_text(&request->writer, "feedback", word);
        api_request_answer(request, 201);
    }
}

static void serve_feedback(struct daemon *daemon, struct api_request *request)
{
    static const char *const members[] = {"feedback", "by", NULL};
    uint32_t alert = read_alert(request->segments[3]);
    if (!api_request_is(request, "POST")) {
        api_request_refuse_method(request, "POST");
    } else if (alert == 0 || !has_alert(daemon, request->segments[1], alert)) {
        api_request_fail(request, 404, "unknown_alert", "this call has had no such alert");
    } else if (api_request_read(request, members)) {
        take_feedback(daemon, request, alert);
    }
}

/* --- routes ---------------------------------------------------------------------------------- */

static void route(struct daemon *daemon, struct api_request *request)
{
    const char *first = request->segment_count > 0 ? request->segments[0] : "";
    size_t count = request->segment_count;
    if (count == 1 && strcmp(first, "reload") == 0) {
        serve_reload(daemon, request);
    } else if (count == 1 && strcmp(first, "calls") == 0) {
        serve_calls(daemon, request);
    } else if (count == 1 && strcmp(first, "writes") == 0) {
        serve_writes(daemon, request);
    } else if (count == 1 && strcmp(first, "fuse") == 0) {
        serve_fuse(daemon, request);
    } else if (count == 2 && strcmp(first, "calls") == 0) {
        serve_call(daemon, request);
    } else if (count == 5 && strcmp(first, "calls") == 0 &&
               strcmp(request->segments[2], "alerts") == 0 &&
               strcmp(request->segments[4], "feedback") == 0) {
        serve_feedback(daemon, request);
    } else {
        api_request_fail(request, 404, "unknown_path", "there is nothing here: see docs/API.md");
    }
}

static void judge(struct daemon *daemon, struct api_request *request)
{
    const char *authorization = http_exchange_header(request->exchange, "Authorization");
    struct daemon_api *api = daemon->api;
    switch (api_guard_check(&api->guard, authorization, loop_now(daemon->loop))) {
    case API_GUARD_PASS:
        metrics_add(&daemon->metrics, METRIC_API_PASSED, 1);
        route(daemon, request);
        break;
    case API_GUARD_OFF:
        api_request_fail(request, 404, "api_off",
                         "the API is switched off: api.token_file switches it on");
        break;
    case API_GUARD_DENIED:
        metrics_add(&daemon->metrics, METRIC_API_DENIED, 1);
        api_request_fail(request, 401, "unauthorized",
                         "send 'Authorization: Bearer' and the token of api.token_file");
        break;
    case API_GUARD_SLOW:
        metrics_add(&daemon->metrics, METRIC_API_SLOWED, 1);
        api_request_fail(request, 429, "too_many_requests", "ask again in a second");
        break;
    }
}

bool daemon_api_serve(struct daemon *daemon, struct http_exchange *exchange)
{
    struct api_request request;
    if (strncmp(http_exchange_raw_path(exchange), prefix, sizeof prefix - 1) != 0) {
        return false;
    }
    if (api_request_begin(&request, exchange, prefix)) {
        judge(daemon, &request);
    } else {
        api_request_fail(&request, 404, "unknown_path", "there is nothing here: see docs/API.md");
    }
    api_request_done(&request);
    return true;
}

/* --- life ------------------------------------------------------------------------------------ */

void daemon_api_refresh(struct daemon *daemon)
{
    api_guard_set_token(&daemon->api->guard, daemon->config->api_token);
}

int daemon_api_create(struct daemon *daemon, struct error *err)
{
    struct daemon_api *api = calloc(1, sizeof *api);
    daemon->api = api;
    if (!api) {
        return error_set(err, ERROR_MEMORY, "no memory for the API");
    }
    api_guard_init(&api->guard, clock_mono());
    daemon_api_refresh(daemon);
    return 0;
}

void daemon_api_destroy(struct daemon_api *api)
{
    free(api);
}
