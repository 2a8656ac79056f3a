/* auth.c - see auth.h.
 *
 * Three kinds of trouble, three paces. The endpoint is overloaded or unreachable: full jitter, at
 * least Retry-After. The credentials or the address are wrong (4xx, a redirect, TLS, or fresh
 * tokens refused three times in a row by the API): a probe after 60 s, doubling to 10 min, because
 * hammering a log-in locks accounts. The API refuses tokens others still accept: forced refreshes
 * come from a small bucket, so one broken endpoint cannot make us ask for a token per request.
 *
 * It does not use the client's quota, keeps no refresh token and never logs: what it has to say
 * goes out as events, which hold no secret. */
#include "cxone/auth.h"

#include "base/backoff.h"
#include "base/buf.h"
#include "base/keyhash.h"
#include "base/rand.h"
#include "cxone/auth_reply.h"
#include "cxone/headers.h"
#include "net/http_date.h"
#include "net/limiter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FORM_BYTES_MAX = 64 * 1024,
    URL_BYTES_MAX = 4096,
    REFUSED_IN_A_ROW_MAX = 3,
    TLS_FAILURES_QUICK = 3, /* one broken handshake is no proof of a bad certificate */
    SPREAD_MS_MAX = 10000,
};

static const double FORCED_PER_S = 0.2;
static const double FORCED_BURST = 3;
static const struct backoff_limits RETRY = {.base_ms = 250, .cap_ms = 30000};

/* Outlives the auth object if that is destroyed while the request is under way. */
struct auth_flight {
    struct auth *auth; /* NULL once nobody waits */
    struct mono sent;
    struct http_call *call;
};

struct auth {
    struct loop *loop;
    struct http_client *client;
    struct auth_options options;
    struct buf url;
    struct rand rand;
    struct limiter forced;
    struct auth_flight *flight; /* NULL when no request is under way */

    struct buf token; /* empty when none is held */
    uint64_t generation;
    bool single_use;
    struct mono renew_at;
    struct mono expires_at;

    struct mono next_try;
    unsigned failures;           /* in a row, with the quick pace */
    unsigned slow_probes;        /* in a row, with the slow pace */
    bool rejected;               /* credentials_rejected */
    bool rejected_by_api;        /* only an accepted request clears it, not a mere token */
    unsigned refused;            /* generations answered 401 in a row */
    uint64_t refused_generation; /* the last one counted in `refused` */
    unsigned long long missing_scope_hash;
    uint64_t requests;
    uint64_t throttled;
};

static void emit(const struct auth *auth, enum cxone_event_kind kind, int status, int64_t value,
                 const char *text)
{
    struct cxone_event event = {
        .kind = kind, .operation = CXONE_TOKEN, .status = status, .value = value, .text = text};
    if (auth->options.on_event) {
        auth->options.on_event(auth->options.event_user, &event);
    }
}

static void drop_token(struct auth *auth)
{
    if (auth->token.bytes) {
        keyhash_wipe(auth->token.bytes, auth->token.capacity);
    }
    buf_clear(&auth->token);
}

int auth_create(struct auth **auth, struct loop *loop, struct http_client *client,
                const struct auth_options *options, struct error *err)
{
    struct auth *created = calloc(1, sizeof *created);
    *auth = NULL;
    if (!created) {
        return error_set(err, ERROR_MEMORY, "no memory for the token keeper");
    }
    created->loop = loop;
    created->client = client;
    created->options = *options;
    buf_init(&created->url, URL_BYTES_MAX);
    buf_init(&created->token, AUTH_TOKEN_BYTES_MAX);
    rand_seed(&created->rand, options->seed);
    limiter_init(&created->forced, FORCED_PER_S, FORCED_BURST, loop_now(loop));
    created->next_try = loop_now(loop);
    int result = cxone_profile_auth_url(options->profile, &created->url, err);
    if (result) {
        auth_destroy(created);
        return result;
    }
    *auth = created;
    return 0;
}

void auth_destroy(struct auth *auth)
{
    if (!auth) {
        return;
    }
    if (auth->flight) {
        auth->flight->auth = NULL;
        http_client_cancel(auth->client, auth->flight->call);
    }
    drop_token(auth);
    buf_done(&auth->token);
    buf_done(&auth->url);
    free(auth);
}

/* ---- Failure paces ---- */

static void pace_quickly(struct auth *auth, int64_t retry_after_ms)
{
    int64_t wait_ms = backoff_wait_ms(&RETRY, auth->failures++, &auth->rand);
    if (wait_ms < retry_after_ms) {
        wait_ms = retry_after_ms;
    }
    auth->next_try = mono_after_ms(loop_now(auth->loop), wait_ms);
}

/* At least probe_ms, doubling, plus up to a tenth so that instances drift apart. */
static int64_t pace_slowly(struct auth *auth)
{
    int64_t wait_ms = auth->options.probe_ms;
    for (unsigned i = 0; i < auth->slow_probes && wait_ms < auth->options.probe_cap_ms; i++) {
        wait_ms *= 2;
    }
    if (wait_ms > auth->options.probe_cap_ms) {
        wait_ms = auth->options.probe_cap_ms;
    }
    auth->slow_probes++;
    wait_ms += (int64_t)rand_below(&auth->rand, (uint64_t)(wait_ms / 10 + 1));
    auth->next_try = mono_after_ms(loop_now(auth->loop), wait_ms);
    return wait_ms;
}

/* ---- The request ---- */

static void reject_credentials(struct auth *auth, int status, const char *why)
{
    char text[384];
    auth->rejected = true;
    int64_t wait_ms = pace_slowly(auth);
    snprintf(text, sizeof text,
             "CXone rejects the client credentials (%s): check client_id, client_secret and the "
             "allowed grant in the CXone admin console; next try in %lld s",
             why, (long long)((wait_ms + 999) / 1000));
    emit(auth, CXONE_EVENT_CREDENTIALS_REJECTED, status, wait_ms, text);
}

/* Not the credentials, but nothing that trying again soon would cure either. */
static void fail_slowly(struct auth *auth, int status, const char *why)
{
    char text[384];
    int64_t wait_ms = pace_slowly(auth);
    snprintf(text, sizeof text,
             "no token: %s; check auth_url, token_path and the trusted certificates; next try in "
             "%lld s",
             why, (long long)((wait_ms + 999) / 1000));
    emit(auth, CXONE_EVENT_TOKEN_FAILED, status, wait_ms, text);
}

static void fail_quickly(struct auth *auth, int status, int64_t retry_after_ms, const char *why)
{
    char text[384];
    pace_quickly(auth, retry_after_ms);
    int64_t wait_ms = mono_left_ms(loop_now(auth->loop), auth->next_try);
    snprintf(text, sizeof text, "no new token: %s; next try in %lld ms%s", why, (long long)wait_ms,
             auth_is_held(auth) ? ", the old token is still used" : "");
    emit(auth, CXONE_EVENT_TOKEN_FAILED, status, wait_ms, text);
}

static void warn_about_scope(struct auth *auth, const char *missing)
{
    char text[384];
    unsigned long long hash = missing[0] ? keyhash_fnv1a(missing, strlen(missing)) : 0;
    if (hash == auth->missing_scope_hash) {
        return;
    }
    auth->missing_scope_hash = hash;
    if (missing[0]) {
        snprintf(text, sizeof text,
                 "the token lacks scope %s: re-issue the client with it in the CXone admin console",
                 missing);
        emit(auth, CXONE_EVENT_SCOPE_MISSING, 200, 0, text);
    }
}

static void accept_token(struct auth *auth, struct auth_reply *reply, struct mono sent)
{
    int64_t lifetime_ms = reply->lifetime_s * 1000;
    int64_t margin_ms = auth_reply_margin_ms(reply->lifetime_s);
    int64_t spread_ms = lifetime_ms / 20 < SPREAD_MS_MAX ? lifetime_ms / 20 : SPREAD_MS_MAX;
    margin_ms += (int64_t)rand_below(&auth->rand, (uint64_t)spread_ms + 1);
    drop_token(auth);
    buf_done(&auth->token);
    auth->token = reply->token;
    reply->token = (struct buf){0};
    auth->generation++;
    auth->single_use = reply->lifetime_s == 0;
    auth->renew_at = mono_after_ms(sent, lifetime_ms - margin_ms);
    auth->expires_at = mono_after_ms(sent, lifetime_ms);
    auth->failures = 0;
    if (!auth->rejected_by_api) {
        auth->rejected = false;
        auth->slow_probes = 0;
    }
    emit(auth, CXONE_EVENT_TOKEN_REFRESHED, 200, reply->lifetime_s, "a new token was granted");
    warn_about_scope(auth, reply->missing_scope);
}

static void read_success(struct auth *auth, const struct http_response *response, struct mono sent)
{
    struct auth_reply reply;
    struct error err = {0};
    if (auth_reply_parse(http_client_header(response, "Content-Type"), response->body,
                         response->body_bytes, auth->options.profile->scope, &reply, &err)) {
        fail_quickly(auth, response->status, -1, err.message);
        return;
    }
    accept_token(auth, &reply, sent);
    auth_reply_done(&reply);
}

static void read_refusal(struct auth *auth, const struct http_response *response)
{
    char why[96];
    int status = response->status;
    const char *code = auth_reply_error_code(response->body, response->body_bytes);
    snprintf(why, sizeof why, "status %d%s%s", status, code ? ", " : "", code ? code : "");
    int64_t retry_after_ms =
        http_retry_after_ms(http_client_header(response, "Retry-After"), response->date_ms,
                            auth->options.wall_now().ms, auth->options.retry_after_max_ms);
    if (status == 429) {
        auth->throttled++;
    }
    if (status >= 500 || status == 408 || status == 425 || status == 429) {
        fail_quickly(auth, status, retry_after_ms, why);
    } else if (status == 400 || status == 401 || status == 403) {
        reject_credentials(auth, status, why);
    } else {
        fail_slowly(auth, status, why);
    }
}

static void on_reply(void *user, const struct http_response *response)
{
    struct auth_flight *flight = user;
    struct auth *auth = flight->auth;
    struct mono sent = flight->sent;
    free(flight);
    if (!auth) {
        return;
    }
    auth->flight = NULL;
    if (response->failure == HTTP_FAILURE_TLS && auth->failures >= TLS_FAILURES_QUICK) {
        fail_slowly(auth, 0, response->failure_text);
    } else if (response->failure != HTTP_FAILURE_NONE) {
        fail_quickly(auth, 0, -1, response->failure_text);
    } else if (response->status >= 200 && response->status < 300) {
        read_success(auth, response, sent);
    } else {
        read_refusal(auth, response);
    }
    auth->options.on_change(auth->options.user);
}

static int send_form(struct auth *auth, struct auth_flight *flight, struct buf *form,
                     struct error *err)
{
    char correlation[HEADERS_CORRELATION_BYTES];
    const struct http_header headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded"},
        {"Accept", "application/json"},
        {"X-Correlation-Id", headers_new_correlation(correlation)},
    };
    struct http_request request = {
        .method = "POST",
        .url = buf_string(&auth->url),
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
        .body = form->bytes,
        .body_bytes = form->size,
        .connect_timeout_ms = auth->options.connect_ms,
        .timeout_ms = auth->options.total_ms,
    };
    return http_client_send(auth->client, &request, on_reply, flight, &flight->call, err);
}

static void start_request(struct auth *auth)
{
    struct error err = {0};
    struct buf form;
    buf_init(&form, FORM_BYTES_MAX);
    struct auth_flight *flight = calloc(1, sizeof *flight);
    int result = flight ? auth_reply_write_form(auth->options.profile, &form, &err)
                        : error_set(&err, ERROR_MEMORY, "no memory for the token request");
    if (!result) {
        flight->auth = auth;
        flight->sent = loop_now(auth->loop);
        result = send_form(auth, flight, &form, &err);
    }
    if (form.bytes) {
        keyhash_wipe(form.bytes, form.capacity);
    }
    buf_done(&form);
    if (result) {
        free(flight);
        fail_quickly(auth, 0, -1, err.message);
        return;
    }
    auth->flight = flight;
    auth->requests++;
}

/* ---- What the gateway asks ---- */

bool auth_is_held(const struct auth *auth)
{
    return auth->token.size > 0 &&
           (auth->single_use || !mono_reached(loop_now(auth->loop), auth->expires_at));
}

enum auth_state auth_prepare(struct auth *auth)
{
    struct mono now = loop_now(auth->loop);
    bool is_fresh = auth_is_held(auth) && (auth->single_use || !mono_reached(now, auth->renew_at));
    if (!is_fresh && !auth->flight && mono_reached(now, auth->next_try)) {
        start_request(auth);
    }
    if (auth_is_held(auth)) {
        return AUTH_READY;
    }
    return auth->flight ? AUTH_PENDING : AUTH_WAITING;
}

const char *auth_use(struct auth *auth, uint64_t *generation)
{
    *generation = auth->generation;
    if (auth->single_use) {
        /* Spent by being handed out, but readable until the next call here. */
        auth->token.size = 0;
    }
    return auth->token.bytes;
}

int64_t auth_wait_ms(const struct auth *auth)
{
    bool waits = !auth_is_held(auth) && !auth->flight;
    return waits ? mono_left_ms(loop_now(auth->loop), auth->next_try) : 0;
}

/* Returns whether the token was dropped or had been dropped already. */
static bool drop_refused(struct auth *auth, uint64_t generation)
{
    char text[96];
    if (generation != auth->generation || generation == auth->refused_generation) {
        return true;
    }
    if (!limiter_take(&auth->forced, 0, loop_now(auth->loop))) {
        return false;
    }
    drop_token(auth);
    auth->refused_generation = generation;
    auth->refused++;
    snprintf(text, sizeof text, "the API answered 401: token %llu is dropped and renewed",
             (unsigned long long)generation);
    emit(auth, CXONE_EVENT_TOKEN_INVALIDATED, 401, (int64_t)generation, text);
    if (auth->refused >= REFUSED_IN_A_ROW_MAX || auth->rejected_by_api) {
        auth->rejected_by_api = true;
        reject_credentials(auth, 401, "the API refuses every new token");
    }
    return true;
}

bool auth_unauthorized(struct auth *auth, uint64_t generation, bool already_replayed)
{
    bool dropped = drop_refused(auth, generation);
    return dropped && !already_replayed && !auth->rejected;
}

void auth_accepted(struct auth *auth, uint64_t generation)
{
    if (generation != auth->generation || generation == auth->refused_generation) {
        return;
    }
    auth->refused = 0;
    if (auth->rejected_by_api) {
        auth->rejected_by_api = false;
        auth->rejected = false;
        auth->slow_probes = 0;
    }
}

bool auth_is_rejected(const struct auth *auth)
{
    return auth->rejected;
}

uint64_t auth_requests(const struct auth *auth)
{
    return auth->requests;
}

uint64_t auth_throttled(const struct auth *auth)
{
    return auth->throttled;
}
