/* daemon_webhook.c - see daemon_webhook.h.
 *
 * Whoever posts waits for nothing: the answer is small, and comes when the call is taken up. A post
 * that could not be taken in is answered 503 and is not remembered, so that the sender's next try
 * counts. That no post comes at all is not seen here: the vendor's list is swept slowly beside it
 * (discover.sweep), and silent calls end by themselves. */
#include "app/daemon_webhook.h"

#include "app/api_request.h"
#include "app/daemon_calls.h"
#include "app/webhook_guard.h"
#include "config/calls_file.h"
#include "config/wire.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)CONFIG_WEBHOOK_SIGNATURE == (int)WEBHOOK_CHECK_SIGNATURE &&
                   (int)CONFIG_WEBHOOK_SECRET == (int)WEBHOOK_CHECK_SECRET,
               "the key's choices are the guard's");

static const char prefix[] = "/webhook/";

struct daemon_webhook {
    struct daemon *daemon;
    struct webhook_guard guard;
    struct limiter refusals; /* lines in the log */
    uint64_t suppressed;
};

static void count(struct daemon_webhook *webhook, enum metric metric)
{
    metrics_add(&webhook->daemon->metrics, metric, 1);
}

/* Also tells the log, now and then: a wrong secret on one side is found nowhere else. */
static void refuse(struct daemon_webhook *webhook, struct api_request *request, int status,
                   const char *code, const char *message)
{
    struct daemon *daemon = webhook->daemon;
    if (limiter_take(&webhook->refusals, 0, loop_now(daemon->loop))) {
        log_write(daemon->log, LOG_WARN, "contact_event_refused",
                  "a post to the webhook was not taken in", LOG_TEXT("code", code),
                  LOG_TEXT("err", message), LOG_INT("suppressed", webhook->suppressed));
        webhook->suppressed = 0;
    } else {
        webhook->suppressed++;
    }
    api_request_fail(request, status, code, message);
}

static void answer(struct api_request *request, const char *state)
{
    json_write_member_text(&request->writer, "state", state);
    api_request_answer(request, 200);
}

/* --- what happened --------------------------------------------------------------------------- */

/* False if there was no room: it has been answered. */
static bool start_call(struct daemon_webhook *webhook, struct api_request *request,
                       const struct contact_event *event)
{
    const char *master = event->master_id[0] ? event->master_id : NULL;
    const struct session_traits traits = {event->queue, event->language};
    switch (daemon_calls_announce(webhook->daemon, event->interaction_id, master, &traits)) {
    case DAEMON_CALLS_FULL:
        count(webhook, METRIC_CONTACT_EVENTS_REFUSED);
        refuse(webhook, request, 503, "no_room", "as many calls are followed as discover.max lets");
        return false;
    case DAEMON_CALLS_BUSY: /* it is taken up once what was known of it is closed */
        answer(request, "waiting");
        break;
    default:
        answer(request, "followed");
    }
    count(webhook, METRIC_CONTACT_EVENTS_STARTED);
    return true;
}

static bool take(struct daemon_webhook *webhook, struct api_request *request,
                 const struct contact_event *event)
{
    switch (event->kind) {
    case CONTACT_EVENT_STARTED:
        return start_call(webhook, request, event);
    case CONTACT_EVENT_ENDED:
        answer(request,
               daemon_calls_end(webhook->daemon, event->interaction_id) ? "ending" : "unknown");
        count(webhook, METRIC_CONTACT_EVENTS_ENDED);
        return true;
    case CONTACT_EVENT_OTHER:
        answer(request, "ignored");
        count(webhook, METRIC_CONTACT_EVENTS_IGNORED);
        return true;
    }
    return true;
}

/* An event is known by its own id or, without one, by its signature. A secret alone signs nothing:
 * then a repeated event is taken again, which changes nothing either. */
static void take_once(struct daemon_webhook *webhook, struct api_request *request,
                      const struct contact_event *event, const char *signature)
{
    struct mono now = loop_now(webhook->daemon->loop);
    const char *name = event->event_id[0] ? event->event_id : signature;
    if (name && webhook_guard_knows(&webhook->guard, name)) {
        count(webhook, METRIC_CONTACT_EVENTS_REPEATED);
        answer(request, "repeated");
    } else if (webhook->daemon->stopping ||
               (name && !webhook_guard_has_room(&webhook->guard, now))) {
        count(webhook, METRIC_CONTACT_EVENTS_REFUSED);
        refuse(webhook, request, 503, "busy", "too many events, or undertone is being stopped");
    } else if (take(webhook, request, event) && name) {
        (void)webhook_guard_remember(&webhook->guard, name, now);
    }
}

/* --- who says so ----------------------------------------------------------------------------- */

static bool is_proved(struct daemon_webhook *webhook, struct api_request *request,
                      const struct webhook_proof *proof)
{
    const struct config *config = webhook->daemon->config;
    switch (webhook_guard_check(&webhook->guard, (enum webhook_check)config->discover_webhook_check,
                                config->discover_webhook_secret, proof, clock_wall())) {
    case WEBHOOK_PASS:
        return true;
    case WEBHOOK_STALE:
        refuse(webhook, request, 401, "stale",
               "the timestamp is more than five minutes off: check both clocks");
        break;
    case WEBHOOK_DENIED:
        refuse(webhook, request, 401, "unauthorized",
               "no proof of discover.webhook_secret, or a wrong one: see docs/PLATFORM.md");
        break;
    }
    count(webhook, METRIC_CONTACT_EVENTS_DENIED);
    return false;
}

static void serve(struct daemon_webhook *webhook, struct api_request *request)
{
    struct contact_event_map map;
    struct contact_event event;
    struct error err;
    struct webhook_proof proof = {
        .timestamp = http_exchange_header(request->exchange, "X-Undertone-Timestamp"),
        .signature = http_exchange_header(request->exchange, "X-Undertone-Signature"),
        .secret = http_exchange_header(request->exchange, "X-CXone-Webhook-Secret"),
    };
    const struct config *config = webhook->daemon->config;
    bool is_signed = config->discover_webhook_check == WEBHOOK_CHECK_SIGNATURE;
    proof.body = http_exchange_body(request->exchange, &proof.body_bytes);
    if (!is_proved(webhook, request, &proof)) {
        return;
    }
    wire_contact_events(config, &map);
    int result = contact_event_parse(&map, proof.body, proof.body_bytes, &event, &err);
    if (!result && event.kind != CONTACT_EVENT_OTHER) {
        result = calls_file_check_id(event.interaction_id, &err);
    }
    if (result) {
        count(webhook, METRIC_CONTACT_EVENTS_REFUSED);
        refuse(webhook, request, 400, "malformed_event", err.message);
        return;
    }
    take_once(webhook, request, &event, is_signed ? proof.signature : NULL);
}

bool daemon_webhook_serve(struct daemon *daemon, struct http_exchange *exchange)
{
    struct api_request request;
    if (strncmp(http_exchange_raw_path(exchange), prefix, sizeof prefix - 1) != 0) {
        return false;
    }
    bool good = api_request_begin(&request, exchange, prefix) && request.segment_count == 1 &&
                strcmp(request.segments[0], "contacts") == 0;
    if (!good || daemon->config->discover_mode != CONFIG_DISCOVER_WEBHOOK) {
        api_request_fail(&request, 404, "unknown_path",
                         "there is nothing here: discover.mode: webhook listens at "
                         "/webhook/contacts");
    } else if (!api_request_is(&request, "POST")) {
        api_request_refuse_method(&request, "POST");
    } else {
        serve(daemon->webhook, &request);
    }
    api_request_done(&request);
    return true;
}

/* --- life ------------------------------------------------------------------------------------ */

int daemon_webhook_create(struct daemon *daemon, struct error *err)
{
    struct daemon_webhook *webhook = calloc(1, sizeof *webhook);
    daemon->webhook = webhook;
    if (!webhook) {
        return error_set(err, ERROR_MEMORY, "no memory for the webhook");
    }
    webhook->daemon = daemon;
    webhook_guard_init(&webhook->guard);
    limiter_init(&webhook->refusals, 0.1, 5, clock_mono());
    return 0;
}

void daemon_webhook_destroy(struct daemon_webhook *webhook)
{
    if (webhook) {
        webhook_guard_done(&webhook->guard);
        free(webhook);
    }
}
