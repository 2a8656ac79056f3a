/* gateway.c - the connection object: what goes out, and when.
 *
 * One function, gateway_pump, decides about everything that waits. It runs from a timer only, so no
 * answer ever comes before the asking call returned. For each operation in turn there is one gate;
 * what cannot pass either waits (quota, a free slot, a token under way) or is answered at once
 * (suspended, breaker open, no token in sight), because whoever asked can plan better than a queue
 * can. A suggestion is worth waiting for: it waits up to 15 s if that can help. The pump retries
 * nothing; the one replay after a 401 is queued by gateway_reply.c. */
#include "base/keyhash.h"
#include "cxone/gateway_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SUGGESTION_PATIENCE_MS = 15000,
    TOKEN_PROBE_MS = 60000,
    TOKEN_PROBE_CAP_MS = 600000,
    HEADERS_MAX = 5,
};

/* Why an operation's requests cannot go out now. */
enum block {
    BLOCK_NOTHING,
    BLOCK_CAPACITY, /* quota, slot or token on its way: worth waiting for */
    BLOCK_BREAKER,
    BLOCK_TOKEN,
    BLOCK_DENIED,
};

struct gate {
    enum block block;
    int64_t wait_ms; /* until it may open; -1: something else will say so */
    const char *reason;
};

void gateway_emit(const struct cxone *cxone, enum cxone_event_kind kind,
                  enum cxone_operation operation, int status, int64_t value, const char *text)
{
    struct cxone_event event = {kind, operation, status, value, text};
    if (cxone->options.on_event) {
        cxone->options.on_event(cxone->options.user, &event);
    }
}

void gateway_emit_breaker(const struct cxone *cxone, enum cxone_operation operation, int status)
{
    char text[192];
    const struct breaker *breaker = &cxone->breakers[operation];
    const char *name = cxone_operation_name(operation);
    switch (breaker->state) {
    case BREAKER_OPEN:
        snprintf(text, sizeof text,
                 "%s: %u failures in a row, nothing is sent for %lld s; is CXone down?", name,
                 breaker->limits.failures_to_open, (long long)breaker->limits.open_ms / 1000);
        break;
    case BREAKER_HALF_OPEN:
        snprintf(text, sizeof text, "%s: one request is tried to see whether CXone is back", name);
        break;
    case BREAKER_CLOSED:
        snprintf(text, sizeof text, "%s: CXone answers again", name);
        break;
    }
    gateway_emit(cxone, CXONE_EVENT_BREAKER, operation, status, (int64_t)breaker->state, text);
}

/* ---- Answers ---- */

void gateway_deliver(struct request *request, const struct cxone_result *result)
{
    request->done(request->user, result);
    requests_free(request);
}

void gateway_answer_waiting(struct cxone *cxone, struct request *request,
                            enum cxone_outcome outcome, int64_t retry_after_ms, const char *reason)
{
    requests_unlink(&cxone->requests.waiting[request->operation], request);
    request->answer.outcome = outcome;
    request->answer.retry_after_ms = retry_after_ms;
    request->answer.reason = reason;
    request->answer.queued_ms = mono_ms_between(request->asked, loop_now(cxone->loop));
    requests_append(&cxone->requests.answers, request);
}

/* Only those decided by now: what the callbacks ask for is answered in a later turn. */
static void deliver_answers(struct cxone *cxone)
{
    struct request_list *answers = &cxone->requests.answers;
    for (unsigned left = answers->count; left > 0; left--) {
        struct request *request = answers->first;
        requests_unlink(answers, request);
        gateway_deliver(request, &request->answer);
    }
}

/* ---- The gate ---- */

/* What other operations may not take: kept for suggestions. */
static double reserved_tokens(const struct cxone *cxone, enum cxone_operation operation)
{
    double reserve = cxone->options.reserve * cxone->limiter.burst;
    double most = (double)(uint32_t)cxone->limiter.burst - 1; /* or others could never send */
    if (operation == CXONE_SUGGESTIONS) {
        return 0;
    }
    return reserve < most ? reserve : most;
}

static bool has_free_slot(const struct cxone *cxone, enum cxone_operation operation)
{
    unsigned slots = cxone->options.in_flight_max;
    unsigned kept = operation != CXONE_SUGGESTIONS && slots > 1 ? 1 : 0;
    return cxone->requests.in_flight.count < slots - kept;
}

/* Asks for a token, so call it only for an operation that has something to send. */
static struct gate look_at_gate(struct cxone *cxone, enum cxone_operation operation)
{
    struct mono now = loop_now(cxone->loop);
    const struct capability *capability = &cxone->capabilities[operation];
    if (!capability_allows(capability, now)) {
        return (struct gate){BLOCK_DENIED, capability_wait_ms(capability, now),
                             "suspended since CXone answered 403"};
    }
    int64_t wait_ms = breaker_wait_ms(&cxone->breakers[operation], now);
    if (wait_ms > 0) {
        return (struct gate){BLOCK_BREAKER, wait_ms, "the circuit breaker is open"};
    }
    switch (auth_prepare(cxone->auth)) {
    case AUTH_READY:
        break;
    case AUTH_PENDING:
        return (struct gate){BLOCK_CAPACITY, -1, "waited too long for a token"};
    case AUTH_WAITING:
        return (struct gate){BLOCK_TOKEN, auth_wait_ms(cxone->auth), "there is no token"};
    }
    if (!has_free_slot(cxone, operation)) {
        return (struct gate){BLOCK_CAPACITY, -1, "waited too long for a free connection"};
    }
    wait_ms = limiter_wait_ms(&cxone->limiter, reserved_tokens(cxone, operation), now);
    if (wait_ms > 0) {
        return (struct gate){BLOCK_CAPACITY, wait_ms, "waited too long for quota"};
    }
    return (struct gate){BLOCK_NOTHING, 0, ""};
}

/* How long this request may stay behind this gate; negative: not at all. */
static int64_t patience_ms(const struct cxone *cxone, const struct request *request,
                           const struct gate *gate)
{
    if (gate->block == BLOCK_DENIED) {
        return -1;
    }
    if (request->operation != CXONE_SUGGESTIONS) {
        return gate->block == BLOCK_CAPACITY ? INT64_MAX : -1;
    }
    int64_t waited_ms = mono_ms_between(request->asked, loop_now(cxone->loop));
    int64_t left_ms = SUGGESTION_PATIENCE_MS - waited_ms;
    return left_ms <= 0 || left_ms < gate->wait_ms ? -1 : left_ms;
}

/* Answers whoever should not wait behind a closed gate; shortens *wake_ms for those who do. */
static void settle_waiting(struct cxone *cxone, enum cxone_operation operation,
                           const struct gate *gate, int64_t *wake_ms)
{
    struct request *next;
    for (struct request *request = cxone->requests.waiting[operation].first; request;
         request = next) {
        next = request->next;
        int64_t left_ms = patience_ms(cxone, request, gate);
        if (left_ms < 0) {
            gateway_answer_waiting(cxone, request,
                                   gate->block == BLOCK_DENIED ? CXONE_DENIED : CXONE_FAILED,
                                   gate->wait_ms, gate->reason);
            continue;
        }
        int64_t look_again_ms =
            gate->wait_ms >= 0 && gate->wait_ms < left_ms ? gate->wait_ms : left_ms;
        *wake_ms = look_again_ms < *wake_ms ? look_again_ms : *wake_ms;
        if (operation != CXONE_SUGGESTIONS) {
            break; /* they all wait for the same thing, however long */
        }
    }
}

/* ---- Sending ---- */

struct wire {
    const char *method;
    struct http_header headers[HEADERS_MAX];
    size_t header_count;
};

static void add_header(struct wire *wire, const char *name, const char *value)
{
    wire->headers[wire->header_count++] = (struct http_header){name, value};
}

static void build_wire(const struct cxone *cxone, const struct request *request,
                       const char *authorization, struct wire *wire)
{
    static const char *const methods[REQUESTS_OPERATIONS] = {
        [CXONE_TRANSCRIPTS] = "GET",
        [CXONE_ATTRIBUTES] = "PATCH",
        [CXONE_SUGGESTIONS] = "POST",
        [CXONE_DISCOVERY] = "GET",
    };
    *wire = (struct wire){.method = methods[request->operation]};
    add_header(wire, "Authorization", authorization);
    add_header(wire, "Accept", "application/json");
    add_header(wire, "X-Correlation-Id", request->correlation);
    if (request->body.size > 0) {
        add_header(wire, "Content-Type", "application/json");
    }
    if (request->idempotency_key.size > 0) {
        add_header(wire, cxone->options.profile.idempotency_header,
                   buf_string(&request->idempotency_key));
    }
}

static int send_request(struct cxone *cxone, struct request *request, const char *authorization,
                        struct error *err)
{
    struct wire wire;
    build_wire(cxone, request, authorization, &wire);
    struct http_request http = {
        .method = wire.method,
        .url = buf_string(&request->url),
        .headers = wire.headers,
        .header_count = wire.header_count,
        .body = request->body.size > 0 ? request->body.bytes : NULL,
        .body_bytes = request->body.size,
        .connect_timeout_ms = cxone->options.timeouts.connect_ms,
        .timeout_ms = cxone->options.timeouts.total_ms[request->operation],
    };
    return http_client_send(cxone->client, &http, gateway_reply_done, request, &request->call, err);
}

/* Takes quota, the breaker's leave and a token, and sends; the gate was open a moment ago. */
static void launch(struct cxone *cxone, enum cxone_operation operation)
{
    struct mono now = loop_now(cxone->loop);
    struct breaker *breaker = &cxone->breakers[operation];
    enum breaker_state before = breaker->state;
    struct request *request = cxone->requests.waiting[operation].first;
    struct buf authorization;
    buf_init(&authorization, 2 * 16 * 1024);
    bool ready = limiter_take(&cxone->limiter, reserved_tokens(cxone, operation), now) &&
                 breaker_allow(breaker, now, &cxone->rand) &&
                 buf_reserve(&authorization, authorization.limit / 2 + 16) &&
                 buf_append_string(&authorization, "Bearer ") &&
                 buf_append_string(&authorization, auth_use(cxone->auth, &request->generation));
    if (ready && breaker->state != before) {
        gateway_emit_breaker(cxone, operation, 0);
    }
    if (!ready || send_request(cxone, request, buf_string(&authorization), NULL)) {
        gateway_answer_waiting(cxone, request, CXONE_FAILED, -1,
                               "the request could not be started (too many calls, no memory, or "
                               "an address that does not parse)");
    } else {
        requests_unlink(&cxone->requests.waiting[operation], request);
        requests_append(&cxone->requests.in_flight, request);
        requests_advance(&cxone->requests, operation);
        capability_claim(&cxone->capabilities[operation]);
        request->sent = now;
        cxone->sent[operation]++;
        adaptive_rate_count(&cxone->rate, now);
    }
    if (authorization.bytes) {
        keyhash_wipe(authorization.bytes, authorization.capacity);
    }
    buf_done(&authorization);
}

/* Sends the one request whose turn it is; false when nothing can go now. */
static bool launch_next(struct cxone *cxone, int64_t *wake_ms)
{
    enum cxone_operation order[REQUESTS_OPERATIONS];
    requests_order(&cxone->requests, order);
    *wake_ms = INT64_MAX;
    for (size_t i = 0; i < REQUESTS_OPERATIONS; i++) {
        if (!cxone->requests.waiting[order[i]].first) {
            continue;
        }
        struct gate gate = look_at_gate(cxone, order[i]);
        if (gate.block == BLOCK_NOTHING) {
            launch(cxone, order[i]);
            return true;
        }
        settle_waiting(cxone, order[i], &gate, wake_ms);
    }
    return false;
}

static void gateway_pump(void *user)
{
    struct cxone *cxone = user;
    int64_t wake_ms;
    loop_timer_stop(cxone->pump);
    while (launch_next(cxone, &wake_ms)) {
    }
    if (wake_ms != INT64_MAX) {
        loop_timer_start(cxone->pump, wake_ms > 0 ? wake_ms : 1, 0);
    }
    /* Last, because callbacks ask for more, which arms the timer anew. */
    deliver_answers(cxone);
}

void gateway_pump_soon(struct cxone *cxone)
{
    loop_timer_start(cxone->pump, 0, 0);
}

static void on_token_change(void *user)
{
    gateway_pump_soon(user);
}

/* ---- Life ---- */

static int check_template(const struct cxone *cxone, const char *name, const char *url_template,
                          struct error *err)
{
    struct buf url;
    buf_init(&url, 8192);
    int result = cxone_profile_url(url_template, buf_string(&cxone->base), "id", 0, &url, err);
    /* The token goes wherever this points. */
    if (!result && strncmp(buf_string(&url), buf_string(&cxone->base), cxone->base.size) != 0 &&
        strncmp(buf_string(&url), "https://", 8) != 0) {
        result = error_set(err, ERROR_CONFIG,
                           "the address must begin with {base} or https://, or the token would "
                           "travel unprotected");
    }
    if (result) {
        error_wrap(err, "endpoint %s", name);
    }
    buf_done(&url);
    return result;
}

static int check_templates(const struct cxone *cxone, struct error *err)
{
    const struct cxone_profile *profile = &cxone->options.profile;
    const struct {
        const char *name;
        const char *url_template;
    } endpoints[] = {
        {"transcripts", profile->transcripts_url},
        {"attributes", profile->attributes_url},
        {"suggestions", profile->suggestions_url},
        {"active", profile->active_url},
    };
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        const char *url_template = endpoints[i].url_template;
        bool optional = endpoints[i].url_template == profile->active_url;
        if (optional && (!url_template || !url_template[0])) {
            continue;
        }
        if (!url_template || !url_template[0]) {
            return error_set(err, ERROR_CONFIG, "endpoint %s has no address", endpoints[i].name);
        }
        int result = check_template(cxone, endpoints[i].name, url_template, err);
        if (result) {
            return result;
        }
    }
    return 0;
}

static int check_options(const struct cxone_options *options, struct error *err)
{
    const struct cxone_profile *profile = &options->profile;
    const char *header = profile->idempotency_header;
    if (!profile->client_id || !profile->client_id[0]) {
        return error_set(err, ERROR_CONFIG, "no client id: set client_id or CXONE_CLIENT_ID");
    }
    if (!profile->client_secret || !profile->client_secret[0]) {
        return error_set(err, ERROR_CONFIG,
                         "no client secret: set client_secret or CXONE_CLIENT_SECRET");
    }
    if (header && header[0] && (!headers_value_is_safe(header) || strchr(header, ':'))) {
        return error_set(err, ERROR_CONFIG, "idempotency_header is not a header name");
    }
    if (!(options->client_rps > 0) || !(options->burst >= 1) || options->burst > UINT32_MAX) {
        return error_set(err, ERROR_CONFIG,
                         "client_rps must be above 0 and the burst at least 1 request");
    }
    if (!(options->reserve >= 0 && options->reserve <= 1)) {
        return error_set(err, ERROR_CONFIG, "the reserve for suggestions must be from 0 to 1");
    }
    if (options->in_flight_max == 0 || options->queue_max == 0) {
        return error_set(err, ERROR_CONFIG,
                         "in_flight_max and queue_max must be at least 1 request");
    }
    return 0;
}

static int build(struct cxone *cxone, struct error *err)
{
    const struct cxone_options *options = &cxone->options;
    const struct breaker_limits limits = {
        .failures_to_open = options->breaker_failures,
        .open_ms = options->breaker_open_ms,
        .probe_ms = options->breaker_probe_ms,
    };
    const struct auth_options auth = {
        .profile = &options->profile,
        .connect_ms = options->timeouts.connect_ms,
        .total_ms = options->timeouts.total_ms[CXONE_TOKEN],
        .retry_after_max_ms = options->retry_after_max_ms,
        .probe_ms = TOKEN_PROBE_MS,
        .probe_cap_ms = TOKEN_PROBE_CAP_MS,
        .seed = rand_mix(options->seed),
        .wall_now = options->wall_now,
        .on_event = options->on_event,
        .event_user = options->user,
        .on_change = on_token_change,
        .user = cxone,
    };
    int result = cxone_profile_base(&options->profile, &cxone->base, err);
    if (!result) {
        result = check_templates(cxone, err);
    }
    if (!result) {
        result = auth_create(&cxone->auth, cxone->loop, cxone->client, &auth, err);
    }
    if (!result) {
        result = loop_timer_create(cxone->loop, gateway_pump, cxone, &cxone->pump, err);
    }
    for (size_t i = 0; i < REQUESTS_OPERATIONS; i++) {
        breaker_init(&cxone->breakers[i], &limits);
        retry_budget_init(&cxone->budgets[i]);
    }
    rand_seed(&cxone->rand, options->seed);
    limiter_init(&cxone->limiter, options->client_rps, options->burst, loop_now(cxone->loop));
    adaptive_rate_init(&cxone->rate, options->client_rps, loop_now(cxone->loop));
    return result;
}

int cxone_create(struct cxone **cxone, struct loop *loop, struct http_client *client,
                 const struct cxone_options *options, struct error *err)
{
    *cxone = NULL;
    int result = check_options(options, err);
    if (result) {
        return result;
    }
    struct cxone *created = calloc(1, sizeof *created);
    if (!created) {
        return error_set(err, ERROR_MEMORY, "no memory for the connection to CXone");
    }
    created->loop = loop;
    created->client = client;
    created->options = *options;
    if (!created->options.wall_now) {
        created->options.wall_now = clock_wall;
    }
    buf_init(&created->base, 2048);
    result = build(created, err);
    if (result) {
        cxone_destroy(created);
        return result;
    }
    *cxone = created;
    return 0;
}

/* The HTTP call lets go of the request later; its owner hears now. Whether a suggestion got through
 * can no longer be learnt, and one shown twice is worse than one not shown. */
static void abandon_in_flight(struct cxone *cxone)
{
    struct request_list *in_flight = &cxone->requests.in_flight;
    while (in_flight->first) {
        struct request *request = in_flight->first;
        bool is_suggestion = request->operation == CXONE_SUGGESTIONS;
        requests_unlink(in_flight, request);
        request->cxone = NULL;
        http_client_cancel(cxone->client, request->call);
        request->answer.outcome = is_suggestion ? CXONE_UNKNOWN : CXONE_CANCELLED;
        request->answer.reason = "the connection to CXone was closed";
        request->done(request->user, &request->answer);
    }
}

static void cancel_waiting(struct cxone *cxone)
{
    for (size_t i = 0; i < REQUESTS_OPERATIONS; i++) {
        while (cxone->requests.waiting[i].first) {
            gateway_answer_waiting(cxone, cxone->requests.waiting[i].first, CXONE_CANCELLED, -1,
                                   "the connection to CXone was closed");
        }
    }
}

void cxone_destroy(struct cxone *cxone)
{
    if (!cxone) {
        return;
    }
    do {
        abandon_in_flight(cxone);
        cancel_waiting(cxone);
        deliver_answers(cxone);
    } while (requests_waiting(&cxone->requests) > 0 || cxone->requests.answers.first);
    loop_timer_destroy(cxone->pump);
    auth_destroy(cxone->auth);
    buf_done(&cxone->base);
    free(cxone);
}

void cxone_status(const struct cxone *cxone, struct cxone_status *status)
{
    *status = (struct cxone_status){
        .token_held = auth_is_held(cxone->auth),
        .credentials_rejected = auth_is_rejected(cxone->auth),
        .queued = requests_waiting(&cxone->requests),
        .in_flight = cxone->requests.in_flight.count,
        .rate_rps = cxone->rate.rate_rps,
    };
    for (size_t i = 0; i < REQUESTS_OPERATIONS; i++) {
        status->suspended[i] = cxone->capabilities[i].suspended;
        status->breaker[i] = (int)cxone->breakers[i].state;
        status->requests[i] = cxone->sent[i];
        status->throttled[i] = cxone->throttled[i];
        status->retry_tokens[i] = retry_budget_tokens(&cxone->budgets[i]);
    }
    status->requests[CXONE_TOKEN] = auth_requests(cxone->auth);
    status->throttled[CXONE_TOKEN] = auth_throttled(cxone->auth);
    status->vendor_offset_known = skew_offset_ms(&cxone->skew, &status->vendor_offset_ms);
}
