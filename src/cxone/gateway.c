/* gateway.c - the connection object: what goes out, and when.
 *
 * One function, gateway_pump, decides about everything that waits. It runs from a timer only, so no
 * answer ever comes before the asking call returned. For each operation in turn there is one gate;
 * what cannot pass either waits (quota, a free slot, a token under way) or is answered at once
 * (suspended, breaker open, no token in sight), because whoever asked can plan better than a queue
 * can. A suggestion is worth waiting for: it waits up to 15 s if that can help. The pump retries
 * nothing; the one replay after a 401 is queued by gateway_reply.c. */
#include "base/keyhash.h"
#include "base/sha256.h"
#include "cxone/gateway_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    SUGGESTION_PATIENCE_MS = 15000,
    GATHER_MS = 50,
    HEADERS_MAX = 6,
    SIGNATURE_BYTES = SHA256_TEXT_BYTES + 3,
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
    request->answer.blameless = true;
    request->answer.queued_ms = mono_ms_between(request->asked, loop_now(cxone->loop));
    requests_append(&cxone->requests.answers, request);
}

void gateway_deliver_answers(struct cxone *cxone)
{
    struct request_list *answers = &cxone->requests.answers;
    for (unsigned left = answers->count; left > 0; left--) {
        struct request *request = answers->first;
        requests_unlink(answers, request);
        if (request->from_feed) {
            feed_read(cxone->feed, buf_string(&request->feed_id), request->feed_start_ms,
                      &request->answer);
        }
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

/* A slot is all that a webhook waits for: it is not the vendor's. */
static struct gate look_at_slots(const struct cxone *cxone, enum cxone_operation operation)
{
    if (!has_free_slot(cxone, operation)) {
        return (struct gate){BLOCK_CAPACITY, -1, "waited too long for a free connection"};
    }
    return (struct gate){BLOCK_NOTHING, 0, ""};
}

/* The token, and where the tenant's API is. */
static struct gate look_at_access(struct cxone *cxone)
{
    switch (auth_prepare(cxone->auth)) {
    case AUTH_READY:
        break;
    case AUTH_PENDING:
        return (struct gate){BLOCK_CAPACITY, -1, "waited too long for a token"};
    case AUTH_WAITING:
        return (struct gate){BLOCK_TOKEN, auth_wait_ms(cxone->auth), "there is no token"};
    }
    enum issuer_state state =
        cxone->issuer ? issuer_prepare_base(cxone->issuer, auth_tenant(cxone->auth)) : ISSUER_KNOWN;
    switch (state) {
    case ISSUER_KNOWN:
        break;
    case ISSUER_PENDING:
        return (struct gate){BLOCK_CAPACITY, -1, "waited too long for the API's address"};
    case ISSUER_WAITING:
        return (struct gate){BLOCK_TOKEN, issuer_wait_ms(cxone->issuer),
                             "the issuer has not told the API's address"};
    }
    return (struct gate){BLOCK_NOTHING, 0, ""};
}

/* Once out of tokens, waits for several at a time: waking for each one costs more than sending it.
 * At most half of what the bucket can hold, so that none is lost, and no more than are wanted. */
static int64_t gather_ms(const struct cxone *cxone, double reserve, struct mono now)
{
    const struct limiter *limiter = &cxone->limiter;
    double many = limiter->rate_per_s * GATHER_MS / 1e3;
    double held = (limiter->burst - reserve) / 2;
    double waiting = 0;
    for (size_t i = 0; i < REQUESTS_OPERATIONS; i++) {
        waiting += cxone->requests.waiting[i].count;
    }
    many = many < held ? many : held;
    many = many < waiting ? many : waiting;
    return limiter_wait_ms(limiter, reserve + (many > 1 ? many - 1 : 0), now);
}

/* The client's quota; a suggestion does not wait for others to gather. */
static int64_t quota_wait_ms(struct cxone *cxone, enum cxone_operation operation, struct mono now)
{
    double reserve = reserved_tokens(cxone, operation);
    int64_t wait_ms = limiter_wait_ms(&cxone->limiter, reserve, now);
    if (operation == CXONE_SUGGESTIONS) {
        return wait_ms;
    }
    if (wait_ms > 0 && mono_reached(now, cxone->gathered)) {
        int64_t gathering_ms = gather_ms(cxone, reserve, now);
        cxone->gathered = mono_after_ms(now, gathering_ms < GATHER_MS ? gathering_ms : GATHER_MS);
    }
    int64_t left_ms = mono_left_ms(now, cxone->gathered);
    return left_ms > wait_ms ? left_ms : wait_ms;
}

/* Asks for a token, so call it only for an operation that has something to send. */
static struct gate look_at_gate(struct cxone *cxone, enum cxone_operation operation)
{
    struct mono now = loop_now(cxone->loop);
    const struct capability *capability = &cxone->capabilities[operation];
    if (cxone->stopped[operation]) {
        return (struct gate){BLOCK_DENIED, -1, "writes are switched off"};
    }
    if (cxone->requests.waiting[operation].first->is_webhook) {
        return look_at_slots(cxone, operation);
    }
    if (!capability_allows(capability, now)) {
        return (struct gate){BLOCK_DENIED, capability_wait_ms(capability, now),
                             "suspended since CXone answered 403"};
    }
    int64_t wait_ms = breaker_wait_ms(&cxone->breakers[operation], now);
    if (wait_ms > 0) {
        bool worth_it = breaker_is_probing(&cxone->breakers[operation], now);
        return (struct gate){worth_it ? BLOCK_CAPACITY : BLOCK_BREAKER, wait_ms,
                             "the circuit breaker is open"};
    }
    struct gate access = look_at_access(cxone);
    if (access.block != BLOCK_NOTHING) {
        return access;
    }
    struct gate slots = look_at_slots(cxone, operation);
    if (slots.block != BLOCK_NOTHING) {
        return slots;
    }
    wait_ms = quota_wait_ms(cxone, operation, now);
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
    struct http_header headers[HEADERS_MAX];
    size_t header_count;
    char timestamp[24];
    char signature[SIGNATURE_BYTES];
};

static void add_header(struct wire *wire, const char *name, const char *value)
{
    wire->headers[wire->header_count++] = (struct http_header){name, value};
}

/* Over the time as well, so that whoever records a request cannot play it again later; made when it
 * leaves, because it may have waited. */
static void sign(const struct cxone *cxone, const struct request *request, struct wire *wire)
{
    char signed_prefix[32];
    char hash[SHA256_TEXT_BYTES];
    long long seconds = (long long)(cxone->options.wall_now().ms / 1000);
    snprintf(wire->timestamp, sizeof wire->timestamp, "%lld", seconds);
    snprintf(signed_prefix, sizeof signed_prefix, "%lld.", seconds);
    (void)sha256_hmac(cxone->options.profile.webhook_secret, signed_prefix, request->body.bytes,
                      request->body.size, hash);
    snprintf(wire->signature, sizeof wire->signature, "v1=%s", hash);
    add_header(wire, "X-Undertone-Timestamp", wire->timestamp);
    add_header(wire, "X-Undertone-Signature", wire->signature);
}

static void build_wire(const struct cxone *cxone, const struct request *request,
                       const char *authorization, struct wire *wire)
{
    *wire = (struct wire){0};
    add_header(wire, "Accept", "application/json");
    add_header(wire, "X-Correlation-Id", request->correlation);
    if (request->is_webhook) {
        sign(cxone, request, wire);
    } else {
        add_header(wire, "Authorization", authorization);
    }
    if (request->body.size > 0) {
        add_header(wire, "Content-Type", "application/json");
    }
    if (request->idempotency_key.size > 0) {
        add_header(wire, cxone->options.profile.idempotency_header,
                   buf_string(&request->idempotency_key));
    }
}

const char *gateway_base(const struct cxone *cxone)
{
    return cxone->issuer ? issuer_base(cxone->issuer) : buf_string(&cxone->base);
}

bool gateway_write_url(const struct cxone *cxone, const struct request *request, struct buf *url)
{
    bool ok = !request->below_base || buf_append_string(url, gateway_base(cxone));
    return ok && buf_append_string(url, buf_string(&request->url));
}

static int send_request(struct cxone *cxone, struct request *request, const char *authorization,
                        struct error *err)
{
    struct wire wire;
    struct buf url;
    buf_init(&url, 2 * CXONE_URL_BYTES_MAX);
    build_wire(cxone, request, authorization, &wire);
    int result = gateway_write_url(cxone, request, &url)
                     ? 0
                     : error_set(err, ERROR_MEMORY, "no memory for an address");
    struct http_request http = {
        .method = request->method,
        .url = buf_string(&url),
        .headers = wire.headers,
        .header_count = wire.header_count,
        .body = request->body.size > 0 ? request->body.bytes : NULL,
        .body_bytes = request->body.size,
        .connect_timeout_ms = cxone->options.timeouts.connect_ms,
        .timeout_ms = cxone->options.timeouts.total_ms[request->operation],
    };
    if (!result) {
        result = http_client_send(cxone->client, &http, gateway_reply_done, request, &request->call,
                                  err);
    }
    buf_done(&url);
    return result;
}

/* What a request to the vendor takes: quota, a token and the breaker's leave. */
static bool take_access(struct cxone *cxone, struct request *request, struct buf *authorization)
{
    struct mono now = loop_now(cxone->loop);
    if (request->is_webhook) {
        return true;
    }
    return limiter_take(&cxone->limiter, reserved_tokens(cxone, request->operation), now) &&
           buf_reserve(authorization, authorization->limit / 2 + 16) &&
           buf_append_string(authorization, "Bearer ") &&
           buf_append_string(authorization, auth_use(cxone->auth, &request->generation)) &&
           breaker_allow(&cxone->breakers[request->operation], now, &cxone->rand);
}

static void note_sent(struct cxone *cxone, struct request *request)
{
    struct mono now = loop_now(cxone->loop);
    enum cxone_operation operation = request->operation;
    requests_unlink(&cxone->requests.waiting[operation], request);
    requests_append(&cxone->requests.in_flight, request);
    requests_advance(&cxone->requests, operation);
    request->sent = now;
    request->is_probe = cxone->breakers[operation].state != BREAKER_CLOSED;
    cxone->sent[operation]++;
    if (!request->is_webhook) {
        capability_claim(&cxone->capabilities[operation]);
        adaptive_rate_count(&cxone->rate, now);
    }
}

/* Sends; the gate was open a moment ago. */
static void launch(struct cxone *cxone, enum cxone_operation operation)
{
    const struct breaker *breaker = &cxone->breakers[operation];
    enum breaker_state before = breaker->state;
    struct request *request = cxone->requests.waiting[operation].first;
    struct buf authorization;
    buf_init(&authorization, 2 * 16 * 1024);
    bool ready = take_access(cxone, request, &authorization);
    if (ready && breaker->state != before) {
        gateway_emit_breaker(cxone, operation, 0);
    }
    if (!ready || send_request(cxone, request, buf_string(&authorization), NULL)) {
        gateway_answer_waiting(cxone, request, CXONE_FAILED, -1,
                               "the request could not be started (too many calls, no memory, or "
                               "an address that does not parse)");
    } else {
        note_sent(cxone, request);
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

void gateway_pump(void *user)
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
    gateway_deliver_answers(cxone);
}

void gateway_pump_soon(struct cxone *cxone)
{
    loop_timer_start(cxone->pump, 0, 0);
}
