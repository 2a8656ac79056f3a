/* auth.c - see auth.h.
 *
 * Three kinds of trouble, three paces. The endpoint is overloaded or unreachable: full jitter, at
 * least Retry-After. The credentials or the address are wrong (4xx, a redirect, TLS, or fresh
 * tokens refused three times in a row by the API): a probe after 60 s, doubling to 10 min, because
 * hammering a log-in locks accounts. The API refuses tokens others still accept: forced refreshes
 * come from a small bucket, so one broken endpoint cannot make us ask for a token per request.
 *
 * A refresh token that came with a token is used for the next renewal; refused, it is forgotten and
 * the full grant is made at once.
 *
 * It does not use the client's quota and never logs: what it has to say goes out as events, which
 * hold no secret. */
#include "cxone/auth.h"

#include "base/backoff.h"
#include "base/buf.h"
#include "base/keyhash.h"
#include "base/rand.h"
#include "cxone/auth_reply.h"
#include "cxone/auth_request.h"
#include "cxone/headers.h"
#include "net/http_date.h"
#include "net/limiter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
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
    bool by_refresh; /* with the refresh token */
    struct http_call *call;
};

struct auth {
    struct loop *loop;
    struct http_client *client;
    struct auth_options options;
    struct buf url; /* empty where the issuer names it */
    struct rand rand;
    struct limiter forced;
    struct auth_flight *flight; /* NULL when no request is under way */

    struct buf token;   /* empty when none is held */
    struct buf refresh; /* empty when there is none */
    char tenant[AUTH_TENANT_BYTES];
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

static void wipe(struct buf *secret)
{
    if (secret->bytes) {
        keyhash_wipe(secret->bytes, secret->capacity);
    }
    buf_clear(secret);
}

static void drop_token(struct auth *auth)
{
    wipe(&auth->token);
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
    buf_init(&created->refresh, AUTH_TOKEN_BYTES_MAX);
    int result = 0;
    if (options->profile->grant == CXONE_GRANT_REFRESH_TOKEN &&
        !buf_append_string(&created->refresh, options->profile->refresh_token)) {
        result = error_set(err, ERROR_CONFIG, "the refresh token is longer than %d bytes",
                           AUTH_TOKEN_BYTES_MAX);
    }
    if (!result && !options->issuer) {
        result = cxone_profile_auth_url(options->profile, &created->url, err);
    }
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
    wipe(&auth->refresh);
    buf_done(&auth->token);
    buf_done(&auth->refresh);
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
    static const char *const checks[] = {
        [CXONE_GRANT_CLIENT_CREDENTIALS] = "client_id, client_secret and the allowed grant",
        [CXONE_GRANT_ACCESS_KEY_PASSWORD] =
            "the access key, client_id, client_secret and the allowed grant",
        [CXONE_GRANT_ACCESS_KEY_JSON] = "the access key and whether it is active",
        [CXONE_GRANT_REFRESH_TOKEN] = "auth.refresh_token, which may be spent, and the client",
        [CXONE_GRANT_STATIC_TOKEN] = "auth.static_token, which may have expired,",
    };
    char text[384];
    auth->rejected = true;
    int64_t wait_ms = pace_slowly(auth);
    snprintf(text, sizeof text,
             "CXone rejects the client credentials (%s): check %s in the CXone admin console; next "
             "try in %lld s",
             why, checks[auth->options.profile->grant], (long long)((wait_ms + 999) / 1000));
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
    int64_t margin_ms =
        auth_reply_margin_ms(reply->lifetime_s, auth->options.profile->renew_margin_ms);
    int64_t spread_ms = lifetime_ms / 20 < SPREAD_MS_MAX ? lifetime_ms / 20 : SPREAD_MS_MAX;
    margin_ms += (int64_t)rand_below(&auth->rand, (uint64_t)spread_ms + 1);
    drop_token(auth);
    buf_done(&auth->token);
    auth->token = reply->token;
    reply->token = (struct buf){0};
    if (reply->refresh.size > 0) {
        wipe(&auth->refresh);
        buf_done(&auth->refresh);
        auth->refresh = reply->refresh;
        reply->refresh = (struct buf){0};
    }
    if (reply->tenant[0]) {
        memcpy(auth->tenant, reply->tenant, sizeof auth->tenant);
    }
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
    if (auth_reply_parse(auth->options.profile, http_client_header(response, "Content-Type"),
                         response->body, response->body_bytes, &reply, &err)) {
        fail_quickly(auth, response->status, -1, err.message);
        return;
    }
    accept_token(auth, &reply, sent);
    auth_reply_done(&reply);
}

static void start_request(struct auth *auth);

/* The full grant takes over at once, where there is one. */
static bool give_up_refresh(struct auth *auth, bool by_refresh)
{
    if (!by_refresh || auth->options.profile->grant == CXONE_GRANT_REFRESH_TOKEN) {
        return false;
    }
    wipe(&auth->refresh);
    start_request(auth);
    return true;
}

static void read_refusal(struct auth *auth, const struct http_response *response, bool by_refresh)
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
    } else if (give_up_refresh(auth, by_refresh)) {
        return;
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
    bool by_refresh = flight->by_refresh;
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
        read_refusal(auth, response, by_refresh);
    }
    auth->options.on_change(auth->options.user);
}

static int send_request(struct auth *auth, struct auth_flight *flight,
                        const struct auth_request *form, struct error *err)
{
    char correlation[HEADERS_CORRELATION_BYTES];
    bool by_issuer = auth->options.issuer != NULL;
    const struct http_header headers[] = {
        {"Content-Type", form->content_type},
        {"Accept", "application/json"},
        {"X-Correlation-Id", headers_new_correlation(correlation)},
        {"Authorization", buf_string(&form->authorization)},
    };
    struct http_request request = {
        .method = "POST",
        .url = by_issuer ? issuer_token_url(auth->options.issuer) : buf_string(&auth->url),
        .headers = headers,
        .header_count = form->authorization.size > 0 ? 4 : 3,
        .body = form->body.bytes,
        .body_bytes = form->body.size,
        .connect_timeout_ms = auth->options.connect_ms,
        .timeout_ms = auth->options.total_ms,
        .version = auth->options.version,
    };
    return http_client_send(auth->client, &request, on_reply, flight, &flight->call, err);
}

static void ask_for_token(struct auth *auth)
{
    struct error err = {0};
    struct auth_request form = {0};
    const char *refresh = auth->refresh.size > 0 ? buf_string(&auth->refresh) : NULL;
    struct auth_flight *flight = calloc(1, sizeof *flight);
    int result = flight ? auth_request_write(auth->options.profile, refresh, &form, &err)
                        : error_set(&err, ERROR_MEMORY, "no memory for the token request");
    if (!result) {
        *flight = (struct auth_flight){
            .auth = auth, .sent = loop_now(auth->loop), .by_refresh = refresh != NULL};
        result = send_request(auth, flight, &form, &err);
    }
    auth_request_done(&form);
    if (result) {
        free(flight);
        fail_quickly(auth, 0, -1, err.message);
        return;
    }
    auth->flight = flight;
    auth->requests++;
}

/* A token that was given is taken as it is, again after each refusal, at the pace of those. */
static void adopt_static_token(struct auth *auth)
{
    drop_token(auth);
    if (!buf_append_string(&auth->token, auth->options.profile->static_token)) {
        drop_token(auth);
        fail_slowly(auth, 0, "auth.static_token is longer than a token may be");
        return;
    }
    auth->generation++;
    auth->renew_at.us = INT64_MAX;
    auth->expires_at.us = INT64_MAX;
}

static void start_request(struct auth *auth)
{
    if (auth->options.profile->grant == CXONE_GRANT_STATIC_TOKEN) {
        adopt_static_token(auth);
    } else {
        ask_for_token(auth);
    }
}

/* ---- What the gateway asks ---- */

bool auth_is_held(const struct auth *auth)
{
    return auth->token.size > 0 &&
           (auth->single_use || !mono_reached(loop_now(auth->loop), auth->expires_at));
}

/* A static token needs no endpoint. */
static enum issuer_state find_endpoint(struct auth *auth)
{
    bool needs_none =
        !auth->options.issuer || auth->options.profile->grant == CXONE_GRANT_STATIC_TOKEN;
    return needs_none ? ISSUER_KNOWN : issuer_prepare_token(auth->options.issuer);
}

enum auth_state auth_prepare(struct auth *auth)
{
    struct mono now = loop_now(auth->loop);
    bool is_fresh = auth_is_held(auth) && (auth->single_use || !mono_reached(now, auth->renew_at));
    enum issuer_state address = ISSUER_KNOWN;
    if (!is_fresh && !auth->flight && mono_reached(now, auth->next_try)) {
        address = find_endpoint(auth);
        if (address == ISSUER_KNOWN) {
            start_request(auth);
        }
    }
    if (auth_is_held(auth)) {
        return AUTH_READY;
    }
    return auth->flight || address == ISSUER_PENDING ? AUTH_PENDING : AUTH_WAITING;
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
    int64_t wait_ms = waits ? mono_left_ms(loop_now(auth->loop), auth->next_try) : 0;
    int64_t issuer_ms = waits && auth->options.issuer ? issuer_wait_ms(auth->options.issuer) : 0;
    return wait_ms > issuer_ms ? wait_ms : issuer_ms;
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

bool auth_doubt(struct auth *auth, uint64_t generation)
{
    if (generation != auth->generation) {
        return true;
    }
    if (auth->options.profile->grant == CXONE_GRANT_STATIC_TOKEN ||
        !limiter_take(&auth->forced, 0, loop_now(auth->loop))) {
        return false;
    }
    drop_token(auth);
    emit(auth, CXONE_EVENT_TOKEN_INVALIDATED, 403, (int64_t)generation,
         "the API answered 403: the token may be older than the permission and is renewed");
    return true;
}

const char *auth_tenant(const struct auth *auth)
{
    return auth->tenant;
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
