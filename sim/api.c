/* api.c - see api.h.
 *
 * A table names method, path, scope and handler of each endpoint; api_handle runs the checks that
 * all share and hands on, at once or when a slow answer's time has come. It keeps no sessions and
 * knows only one client.
 */
#include "sim/api.h"

#include "net/http_date.h"
#include "net/url.h"
#include "sim/answer.h"
#include "sim/endpoints.h"
#include "sim/real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY_BYTES_MAX = 32 << 20, ID_BYTES_MAX = 1024 };

static const uint64_t FAULT_SALT = 0x6661756c74;

#define REALM "Bearer realm=\"undertone-sim\""

typedef void endpoint_fn(struct api *api, struct answer *answer);

struct endpoint {
    unsigned bit; /* SCRIPT_ENDPOINT_* */
    const char *method;
    const char *before_id; /* the whole path where after_id is NULL */
    const char *after_id;
    unsigned scope; /* 0: open to all, and exempt from faults and quotas */
    const char *scope_name;
    unsigned deny;
    endpoint_fn *serve;
};

/* ---- checks; each has answered when it returns false ---- */

static const struct answer_rejection no_token = {
    .status = 401,
    .why = "no_token",
    .message = "a Bearer token is required",
    .header = {"WWW-Authenticate", REALM},
};

static const struct answer_rejection invalid_token = {
    .status = 401,
    .why = "invalid_token",
    .message = "the token is unknown or has expired",
    .header = {"WWW-Authenticate", REALM ", error=\"invalid_token\""},
};

static const struct answer_rejection unknown_path = {
    .status = 404,
    .why = "unknown_path",
    .message = "there is nothing at this path",
};

/* One request with what the faults decided about it, which holds even if it has to wait. */
struct pending {
    struct http_exchange *exchange;
    const struct endpoint *endpoint;
    struct fault_decision fault;
};

static bool check_scope(struct api *api, const struct pending *pending, unsigned scopes,
                        struct answer *answer)
{
    const struct endpoint *endpoint = pending->endpoint;
    bool granted = (scopes & endpoint->scope) != 0;
    if (granted && (api->options->deny & endpoint->deny) == 0 && !pending->fault.denied) {
        return true;
    }
    char challenge[128];
    snprintf(challenge, sizeof challenge, REALM ", error=\"insufficient_scope\", scope=\"%s\"",
             endpoint->scope_name);
    struct answer_rejection rejection = {
        .status = 403,
        .why = granted ? "denied" : "scope",
        .message = "the token does not have the scope that this needs",
        .header = {"WWW-Authenticate", challenge},
    };
    answer_reject(answer, &rejection);
    return false;
}

static bool check_token(struct api *api, const struct pending *pending, struct answer *answer)
{
    const char *token = oauth_bearer(http_exchange_header(answer->exchange, "Authorization"));
    unsigned scopes = token == NULL ? 0 : oauth_find(&api->tokens, token, answer->now.mono);
    if (scopes == 0) {
        answer_reject(answer, token == NULL ? &no_token : &invalid_token);
        return false;
    }
    double client_rps = api->options->quota_per_s;
    double call_rps = api->options->call_quota_per_s;
    fault_quota(&api->faults, api_elapsed_ms(api, answer->now), &client_rps, &call_rps);
    struct answer_quota quota = {client_rps, client_rps / 4, "client_quota"};
    return answer_check_quota(answer, &api->limiter, &quota) &&
           check_scope(api, pending, scopes, answer);
}

/* ---- routing ---- */

static const struct endpoint endpoints[] = {
    {SCRIPT_ENDPOINT_TOKEN, "POST", "/oauth/token", NULL, 0, NULL, 0, endpoints_serve_token},
    {SCRIPT_ENDPOINT_ACTIVE, "GET", "/api/v2/interactions/active", NULL, OAUTH_SCOPE_VIEW,
     "interactions:view", 0, endpoints_serve_active},
    {SCRIPT_ENDPOINT_SUGGESTIONS, "POST", "/api/v2/agentassist/suggestions", NULL,
     OAUTH_SCOPE_ASSIST, "agentassist:write", OPTIONS_DENY_SUGGESTIONS,
     endpoints_serve_suggestions},
    {SCRIPT_ENDPOINT_TRANSCRIPTS, "GET", "/api/v2/interactions/", "/transcripts", OAUTH_SCOPE_VIEW,
     "interactions:view", OPTIONS_DENY_TRANSCRIPTS, endpoints_serve_transcripts},
    {SCRIPT_ENDPOINT_ATTRIBUTES, "PATCH", "/api/v2/interactions/", "/attributes", OAUTH_SCOPE_WRITE,
     "interactions:write", OPTIONS_DENY_ATTRIBUTES, endpoints_serve_attributes},
};

#define ACD_PATH "/incontactapi/services/v30.0/"

/* The two documents share the token's bit: what goes wrong with the API leaves the issuer alone. */
static const struct endpoint real_endpoints[] = {
    {SCRIPT_ENDPOINT_TOKEN, "GET", "/.well-known/openid-configuration", NULL, 0, NULL, 0,
     real_serve_openid},
    {SCRIPT_ENDPOINT_TOKEN, "GET", "/.well-known/cxone-configuration", NULL, 0, NULL, 0,
     real_serve_tenant},
    {SCRIPT_ENDPOINT_TOKEN, "POST", "/auth/token", NULL, 0, NULL, 0, real_serve_token},
    {SCRIPT_ENDPOINT_ACTIVE, "GET", ACD_PATH "contacts/active", NULL, OAUTH_SCOPE_VIEW,
     "RealTimeDataAPI", 0, real_serve_contacts},
    {SCRIPT_ENDPOINT_TRANSCRIPTS, "GET", ACD_PATH "contacts/", "/chat-transcript", OAUTH_SCOPE_VIEW,
     "RealTimeDataAPI", OPTIONS_DENY_TRANSCRIPTS, real_serve_chat},
    {SCRIPT_ENDPOINT_SUGGESTIONS, "POST", ACD_PATH "interactions/", "/signal", OAUTH_SCOPE_ASSIST,
     "AdminAPI", OPTIONS_DENY_SUGGESTIONS, real_serve_signal},
};

/* Whether the path, as sent, is this endpoint's; decodes the id, which must be one segment. */
static bool path_matches(const struct endpoint *endpoint, const char *path, struct buf *id)
{
    if (endpoint->after_id == NULL) {
        return strcmp(path, endpoint->before_id) == 0;
    }
    size_t before = strlen(endpoint->before_id);
    if (strncmp(path, endpoint->before_id, before) != 0) {
        return false;
    }
    size_t bytes = strcspn(path + before, "/");
    buf_clear(id);
    return bytes > 0 && strcmp(path + before + bytes, endpoint->after_id) == 0 &&
           url_decode(id, path + before, bytes, false);
}

/* The endpoint of the request, or NULL when it was refused. */
static const struct endpoint *find_endpoint(const struct api *api, struct answer *answer)
{
    const char *path = http_exchange_raw_path(answer->exchange);
    bool is_real = api->options->profile == OPTIONS_PROFILE_REAL;
    const struct endpoint *table = is_real ? real_endpoints : endpoints;
    size_t count = is_real ? sizeof real_endpoints / sizeof real_endpoints[0]
                           : sizeof endpoints / sizeof endpoints[0];
    const struct endpoint *found = NULL;
    for (size_t i = 0; i < count && found == NULL; i++) {
        if (path_matches(&table[i], path, &answer->id)) {
            found = &table[i];
        }
    }
    if (found == NULL) {
        buf_clear(&answer->id);
        answer_reject(answer, &unknown_path);
        return NULL;
    }
    if (strcmp(http_exchange_method(answer->exchange), found->method) != 0) {
        struct answer_rejection rejection = {
            .status = 405,
            .why = "method",
            .message = "the method is not allowed here",
            .header = {"Allow", found->method},
        };
        answer_reject(answer, &rejection);
        return NULL;
    }
    return found;
}

/* The Retry-After of a fault, NULL for none. `out` has HTTP_DATE_BYTES. */
static const char *retry_after(const struct fault_decision *fault, struct calls_now now, char *out)
{
    switch (fault->retry_after) {
    case SCRIPT_RETRY_SECONDS:
    case SCRIPT_RETRY_MIX:
        snprintf(out, HTTP_DATE_BYTES, "%lld", (long long)fault->retry_after_s);
        return out;
    case SCRIPT_RETRY_DATE:
        return http_date_format(now.vendor_ms + fault->retry_after_s * 1000, out);
    case SCRIPT_RETRY_PAST:
        return http_date_format(now.vendor_ms - 3600000, out);
    case SCRIPT_RETRY_GARBAGE:
        return "soon";
    case SCRIPT_RETRY_NEGATIVE:
        return "-5";
    case SCRIPT_RETRY_HUGE:
        return "1000000000";
    case SCRIPT_RETRY_NONE:
        break;
    }
    return NULL;
}

static bool check_faults(const struct fault_decision *fault, struct answer *answer)
{
    char text[HTTP_DATE_BYTES];
    if (fault->status != 0) {
        const char *why = fault->scripted        ? "scripted"
                          : fault->status == 429 ? "fault_429"
                                                 : "fault_503";
        answer_reject_for_now(answer, fault->status, why, retry_after(fault, answer->now, text));
        return false;
    }
    answer->spoil = fault->spoil;
    return !answer_spoil_early(answer);
}

static void serve(struct api *api, const struct pending *pending, struct answer *answer)
{
    const struct endpoint *endpoint = pending->endpoint;
    if (check_faults(&pending->fault, answer) &&
        (endpoint->scope == 0 || check_token(api, pending, answer))) {
        endpoint->serve(api, answer);
    }
}

static struct answer answer_to(struct api *api, struct http_exchange *exchange)
{
    struct answer answer = {
        .exchange = exchange,
        .ledger = api->ledger,
        .body = &api->body,
        .now = api_now(api),
    };
    buf_init(&answer.id, ID_BYTES_MAX);
    return answer;
}

/* Whether the request was put aside to be served later. */
static bool put_aside(struct api *api, const struct pending *pending, struct calls_now now)
{
    if (pending->fault.slow_ms <= 0) {
        return false;
    }
    struct pending *copy = malloc(sizeof *copy);
    if (copy != NULL) {
        *copy = *pending;
        if (delay_add(&api->delay, mono_after_ms(now.mono, pending->fault.slow_ms), copy)) {
            return true;
        }
        free(copy);
    }
    return false; /* then it is answered at once */
}

void api_handle(void *user, struct http_exchange *exchange)
{
    struct api *api = user;
    struct answer answer = answer_to(api, exchange);
    struct pending pending = {.exchange = exchange, .endpoint = find_endpoint(api, &answer)};
    if (pending.endpoint != NULL) {
        pending.fault =
            fault_decide(&api->faults, pending.endpoint->bit, api_elapsed_ms(api, answer.now));
        if (!put_aside(api, &pending, answer.now)) {
            serve(api, &pending, &answer);
        }
    }
    buf_done(&answer.id);
}

static void record_action(struct api *api, enum script_verb verb)
{
    struct json_writer *w = ledger_begin(api->ledger, LEDGER_KIND_ACTION);
    if (w != NULL) {
        json_write_member_text(w, "do", script_verb_name(verb));
        ledger_end(api->ledger);
    }
}

static void act_on_tokens(struct api *api, struct calls_now now)
{
    int64_t elapsed = api_elapsed_ms(api, now);
    int64_t revocations = fault_beginnings(&api->faults, SCRIPT_REVOKE_TOKENS, elapsed);
    if (revocations > api->revocations) {
        api->revocations = revocations;
        oauth_revoke_all(&api->tokens);
        record_action(api, SCRIPT_REVOKE_TOKENS);
    }
    int64_t expiries = fault_beginnings(&api->faults, SCRIPT_EXPIRE_TOKENS_EARLY, elapsed);
    int64_t life_ms = fault_token_life_ms(&api->faults, elapsed);
    if (expiries > api->expiries && life_ms >= 0) {
        api->expiries = expiries;
        oauth_shorten_all(&api->tokens, mono_after_ms(now.mono, life_ms));
        record_action(api, SCRIPT_EXPIRE_TOKENS_EARLY);
    }
}

void api_tick(struct api *api)
{
    struct calls_now now = api_now(api);
    act_on_tokens(api, now);
    struct pending *pending;
    while ((pending = delay_take(&api->delay, now.mono)) != NULL) {
        struct answer answer = answer_to(api, pending->exchange);
        (void)find_endpoint(api, &answer); /* was found before; this fills in the id */
        serve(api, pending, &answer);
        buf_done(&answer.id);
        free(pending);
    }
}

void api_drop_delayed(struct api *api)
{
    struct pending *pending;
    while ((pending = delay_take(&api->delay, (struct mono){INT64_MAX})) != NULL) {
        struct answer answer = answer_to(api, pending->exchange);
        answer_drop(&answer, "exit");
        buf_done(&answer.id);
        free(pending);
    }
}

int64_t api_elapsed_ms(const struct api *api, struct calls_now now)
{
    return mono_ms_between(api->clock.start, now.mono);
}

struct calls_now api_now(const struct api *api)
{
    struct mono now = clock_mono();
    double elapsed_ms = (double)(now.us - api->clock.start.us) / 1000 * api->clock.speed;
    return (struct calls_now){now, api->clock.start_ms + (int64_t)elapsed_ms};
}

void api_init(struct api *api, const struct options *options, const struct script *script,
              struct calls *calls, struct ledger *ledger, struct api_clock clock)
{
    *api = (struct api){.options = options, .calls = calls, .ledger = ledger, .clock = clock};
    double burst = options->quota_per_s / 4;
    limiter_init(&api->limiter, options->quota_per_s, burst > 1 ? burst : 1, clock.start);
    fault_init(&api->faults, options->fault_429, options->fault_503, script,
               rand_mix((uint64_t)options->seed ^ FAULT_SALT));
    buf_init(&api->body, REPLY_BYTES_MAX);
    remembered_init(&api->remembered);
}

void api_done(struct api *api)
{
    remembered_done(&api->remembered);
    timeline_reply_done(&api->reply);
    buf_done(&api->body);
}
