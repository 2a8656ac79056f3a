/* gateway_life.c - the connection object's life: what is checked before it exists, what it is made
 * of, and how everything outstanding is answered when it goes. */
#include "cxone/gateway_internal.h"
#include "net/url.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_PROBE_MS = 60000, TOKEN_PROBE_CAP_MS = 600000 };

static void on_token_change(void *user)
{
    gateway_pump_soon(user);
}

static int check_template(const struct cxone *cxone, const char *name, const char *endpoint,
                          struct error *err)
{
    static const char *const values[9] = {"1", "1", "1", "1", "1", "1", "1", "1", "1"};
    const struct cxone_slots slots = {
        .base = "", .id = "id", .message = "m", .key = "k", .values = values, .value_count = 9};
    struct buf url;
    const char *url_template;
    const char *base = buf_string(&cxone->base);
    const char *method = cxone_profile_method(endpoint, "GET", &url_template);
    bool below_base = strncmp(url_template, "{base}", 6) == 0;
    buf_init(&url, 2 * CXONE_URL_BYTES_MAX);
    int result = cxone_profile_fill(url_template, &slots, &url, err);
    bool is_base = cxone->base.size > 0 && strncmp(buf_string(&url), base, cxone->base.size) == 0;
    /* The token goes wherever this points. */
    if (!result && !below_base && !is_base && strncmp(buf_string(&url), "https://", 8) != 0) {
        result = error_set(err, ERROR_CONFIG,
                           "the address must begin with {base} or https://, or the token would "
                           "travel unprotected");
    }
    if (!result && strstr(url_template + 1, "{base}")) {
        result = error_set(err, ERROR_CONFIG, "{base} may only begin the address");
    }
    if (!result && !method) {
        result = error_set(err, ERROR_CONFIG,
                           "the method before the address is not GET, POST, PUT or PATCH");
    }
    if (result) {
        error_wrap(err, "endpoint %s", name);
    }
    buf_done(&url);
    return result;
}

static bool delivers(const struct cxone *cxone, enum cxone_delivery delivery)
{
    return (cxone->options.profile.deliveries & delivery) != 0;
}

static int check_templates(const struct cxone *cxone, struct error *err)
{
    const struct cxone_profile *profile = &cxone->options.profile;
    const struct {
        const char *name;
        const char *endpoint;
        bool needed;
    } endpoints[] = {
        {"transcripts", profile->transcripts_url, true},
        {"attributes", profile->attributes_url, true},
        {"suggestions", profile->suggestions_url, delivers(cxone, CXONE_DELIVERY_SUGGESTIONS)},
        {"signal", profile->signal_url, delivers(cxone, CXONE_DELIVERY_SIGNAL)},
        {"active", profile->active_url, false},
    };
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        bool given = endpoints[i].endpoint && endpoints[i].endpoint[0];
        if (!given && endpoints[i].needed) {
            return error_set(err, ERROR_CONFIG, "endpoint %s has no address", endpoints[i].name);
        }
        int result =
            given ? check_template(cxone, endpoints[i].name, endpoints[i].endpoint, err) : 0;
        if (result) {
            return result;
        }
    }
    return 0;
}

static int check_webhook(const struct cxone *cxone, struct error *err)
{
    const struct cxone_profile *profile = &cxone->options.profile;
    struct buf url;
    if (!delivers(cxone, CXONE_DELIVERY_WEBHOOK)) {
        return 0;
    }
    if (!profile->webhook_url || !profile->webhook_secret || !profile->webhook_secret[0]) {
        return error_set(err, ERROR_CONFIG,
                         "webhook: an address and a secret to sign with are needed");
    }
    buf_init(&url, CXONE_URL_BYTES_MAX);
    int result = url_check_base(profile->webhook_url, profile->allow_plain_http, &url, err);
    buf_done(&url);
    return result ? error_wrap(err, "webhook") : 0;
}

static int check_options(const struct cxone_options *options, struct error *err)
{
    const struct cxone_profile *profile = &options->profile;
    const char *header = profile->idempotency_header;
    int result = cxone_profile_check_credentials(profile, err);
    if (result) {
        return result;
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

static int build_issuer(struct cxone *cxone, struct error *err)
{
    const struct cxone_options *options = &cxone->options;
    const struct issuer_options issuer = {
        .profile = &options->profile,
        .connect_ms = options->timeouts.connect_ms,
        .total_ms = options->timeouts.total_ms[CXONE_TOKEN],
        .version = options->token_version,
        .max_age_ms = options->issuer_max_age_ms,
        .probe_ms = TOKEN_PROBE_MS,
        .seed = rand_mix(options->seed + 1),
        .on_event = options->on_event,
        .event_user = options->user,
        .on_change = on_token_change,
        .user = cxone,
    };
    return issuer_create(&cxone->issuer, cxone->loop, cxone->client, &issuer, err);
}

static int build_auth(struct cxone *cxone, struct error *err)
{
    const struct cxone_options *options = &cxone->options;
    const struct auth_options auth = {
        .profile = &options->profile,
        .issuer = cxone->issuer,
        .connect_ms = options->timeouts.connect_ms,
        .total_ms = options->timeouts.total_ms[CXONE_TOKEN],
        .version = options->token_version,
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
    return auth_create(&cxone->auth, cxone->loop, cxone->client, &auth, err);
}

/* The token in force, for the socket's log-in. */
static const char *token_for_feed(void *user)
{
    struct cxone *cxone = user;
    uint64_t generation;
    return auth_prepare(cxone->auth) == AUTH_READY ? auth_use(cxone->auth, &generation) : NULL;
}

static int build_feed(struct cxone *cxone, struct error *err)
{
    const struct cxone_options *options = &cxone->options;
    const struct feed_options feed = {
        .socket = &options->socket,
        .connect_ms = options->timeouts.total_ms[CXONE_TOKEN],
        .seed = rand_mix(options->seed + 2),
        .token = token_for_feed,
        .on_event = options->on_event,
        .event_user = options->user,
        .user = cxone,
    };
    bool wanted = options->socket.url && options->socket.url[0];
    return wanted ? feed_create(&cxone->feed, cxone->loop, &feed, err) : 0;
}

static void build_limits(struct cxone *cxone)
{
    const struct cxone_options *options = &cxone->options;
    const struct breaker_limits limits = {
        .failures_to_open = options->breaker_failures,
        .open_ms = options->breaker_open_ms,
        .probe_ms = options->breaker_probe_ms,
    };
    for (size_t i = 0; i < REQUESTS_OPERATIONS; i++) {
        breaker_init(&cxone->breakers[i], &limits);
        retry_budget_init(&cxone->budgets[i]);
    }
    rand_seed(&cxone->rand, options->seed);
    limiter_init(&cxone->limiter, options->client_rps, options->burst, loop_now(cxone->loop));
    adaptive_rate_init(&cxone->rate, options->client_rps, loop_now(cxone->loop));
    throttle_reset(&cxone->throttle, loop_now(cxone->loop));
    call_pace_init(&cxone->pace, options->interaction_rps, loop_now(cxone->loop));
}

static int build(struct cxone *cxone, struct error *err)
{
    const struct cxone_profile *profile = &cxone->options.profile;
    bool asks_issuer = profile->issuer && profile->issuer[0];
    build_limits(cxone);
    int result =
        asks_issuer ? build_issuer(cxone, err) : cxone_profile_base(profile, &cxone->base, err);
    if (!result) {
        result = check_templates(cxone, err);
    }
    if (!result) {
        result = check_webhook(cxone, err);
    }
    if (!result) {
        result = build_auth(cxone, err);
    }
    if (!result) {
        result = build_feed(cxone, err);
    }
    return result ? result : loop_timer_create(cxone->loop, gateway_pump, cxone, &cxone->pump, err);
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
        gateway_deliver_answers(cxone);
    } while (requests_waiting(&cxone->requests) > 0 || cxone->requests.answers.first);
    loop_timer_destroy(cxone->pump);
    feed_destroy(cxone->feed);
    auth_destroy(cxone->auth);
    issuer_destroy(cxone->issuer);
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
        .call_rps = cxone->pace.rate_rps,
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
