/* gateway_reply.c - what comes back: the verdict of each reply for the breaker, the quota, the
 * token and the capability, and then its answer to whoever asked.
 *
 * Every reply passes learn_from_reply once, so that no path can forget one of them, but for a 403
 * that may be the token's fault (replay_forbidden). A 401 may end here without an answer: the
 * request is put back in its place in the queue, once. */
#include "cxone/discover.h"
#include "cxone/gateway_internal.h"
#include "cxone/reply.h"
#include "cxone/suggestions.h"
#include "cxone/transcripts.h"
#include "net/http_date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_BYTES = 256 };

/* Without a retry budget the next attempt is left to the ordinary pace of things. */
enum { RETRY_PAUSE_MS_MIN = 2500, RETRY_PAUSE_MS_MAX = 5000 };

/* One reply on its way to its answer. */
struct reply {
    struct cxone *cxone;
    struct request *request;
    const struct http_response *response;
    enum cxone_operation operation;
    struct cxone_result result;
    char reason[REASON_BYTES];
};

/* ---- What the gateway learns ---- */

static void learn_breaker(const struct reply *reply)
{
    struct breaker *breaker = &reply->cxone->breakers[reply->operation];
    struct mono now = loop_now(reply->cxone->loop);
    bool changed = false;
    if (reply_is_server_fault(reply->response)) {
        changed = breaker_failure(breaker, now);
    } else if (reply->response->failure == HTTP_FAILURE_NONE) {
        changed = breaker_success(breaker);
    }
    if (changed) {
        gateway_emit_breaker(reply->cxone, reply->operation, reply->response->status);
    }
}

static void suspend(const struct reply *reply)
{
    static const struct {
        const char *scope;
        const char *permission;
    } needs[REQUESTS_OPERATIONS] = {
        [CXONE_TRANSCRIPTS] = {"interactions:view", "to read interactions"},
        [CXONE_ATTRIBUTES] = {"interactions:write", "to write attributes"},
        [CXONE_SUGGESTIONS] = {"agentassist:write", "to send agent-assist suggestions"},
        [CXONE_DISCOVERY] = {"interactions:view", "to list interactions"},
    };
    struct cxone *cxone = reply->cxone;
    const struct http_response *response = reply->response;
    char scope[REPLY_SCOPE_BYTES];
    char text[512];
    int64_t pause_ms = cxone->options.denied_probe_ms;
    bool changed =
        capability_deny(&cxone->capabilities[reply->operation], loop_now(cxone->loop), pause_ms);
    if (!changed) {
        return;
    }
    if (!reply_missing_scope(http_client_header(response, "WWW-Authenticate"), response->body,
                             response->body_bytes, scope)) {
        snprintf(scope, sizeof scope, "%s", needs[reply->operation].scope);
    }
    snprintf(text, sizeof text,
             "%s: CXone answers 403, scope %s is missing or not effective: in the CXone admin "
             "console give the service account permission %s, or re-issue the client with scope "
             "%s; all else goes on, next try in %lld s",
             cxone_operation_name(reply->operation), scope, needs[reply->operation].permission,
             scope, (long long)pause_ms / 1000);
    gateway_emit(cxone, CXONE_EVENT_CAPABILITY_SUSPENDED, reply->operation, response->status,
                 pause_ms, text);
}

static void restore(const struct reply *reply)
{
    char text[96];
    if (capability_grant(&reply->cxone->capabilities[reply->operation])) {
        snprintf(text, sizeof text, "%s: CXone allows it again",
                 cxone_operation_name(reply->operation));
        gateway_emit(reply->cxone, CXONE_EVENT_CAPABILITY_RESTORED, reply->operation,
                     reply->response->status, 0, text);
    }
}

static void learn_throttle(const struct reply *reply)
{
    struct cxone *cxone = reply->cxone;
    cxone->throttled[reply->operation]++;
    if (reply->response->status == 429) {
        gateway_quota_refused(cxone, reply->request, reply->result.retry_after_ms);
    }
}

/* The vendor is out for everybody, and a call whose request was a probe must not be the last to
 * come back for it: the breaker sets the pace. False if the failure may be the call's own. */
static bool blame_outage(struct reply *reply)
{
    const struct cxone *cxone = reply->cxone;
    const struct breaker *breaker = &cxone->breakers[reply->operation];
    bool is_out = breaker->state != BREAKER_CLOSED || reply->request->is_probe;
    if (!is_out || !reply_is_server_fault(reply->response)) {
        return false;
    }
    int64_t wait_ms = breaker_wait_ms(breaker, loop_now(cxone->loop));
    if (reply->result.retry_after_ms < wait_ms) {
        reply->result.retry_after_ms = wait_ms;
    }
    reply->result.blameless = true;
    return true;
}

/* The budget is about load: a 401 is not. A suggestion is too dear to wait. */
static void learn_retries(struct reply *reply)
{
    struct cxone *cxone = reply->cxone;
    struct retry_budget *budget = &cxone->budgets[reply->operation];
    enum cxone_outcome outcome = reply->result.outcome;
    if (outcome == CXONE_OK) {
        retry_budget_success(budget);
    }
    if ((outcome != CXONE_FAILED && outcome != CXONE_THROTTLED) || reply->response->status == 401) {
        return;
    }
    retry_budget_failure(budget);
    if (reply->operation == CXONE_SUGGESTIONS || blame_outage(reply)) {
        return;
    }
    if (!retry_budget_allows(budget)) {
        int64_t pause_ms =
            RETRY_PAUSE_MS_MIN +
            (int64_t)rand_below(&cxone->rand, RETRY_PAUSE_MS_MAX - RETRY_PAUSE_MS_MIN + 1);
        if (reply->result.retry_after_ms < pause_ms) {
            reply->result.retry_after_ms = pause_ms;
        }
    }
}

static void learn_from_reply(struct reply *reply)
{
    struct cxone *cxone = reply->cxone;
    const struct http_response *response = reply->response;
    struct capability *capability = &cxone->capabilities[reply->operation];
    if (reply->request->is_webhook) {
        return; /* it says nothing about the vendor */
    }
    learn_breaker(reply);
    learn_retries(reply);
    if (response->failure == HTTP_FAILURE_NONE) {
        skew_record(&cxone->skew, response->date_ms, cxone->options.wall_now().ms,
                    response->total_ms);
    }
    switch (reply->result.outcome) {
    case CXONE_OK:
    case CXONE_ENDED:
    case CXONE_REFUSED:
        auth_accepted(cxone->auth, reply->request->generation);
        restore(reply);
        gateway_quota_accepted(cxone, reply->request, response->status);
        break;
    case CXONE_DENIED:
        auth_accepted(cxone->auth, reply->request->generation);
        suspend(reply);
        break;
    case CXONE_THROTTLED:
        learn_throttle(reply);
        capability_undecided(capability);
        break;
    default:
        capability_undecided(capability);
        break;
    }
}

/* ---- Answers ---- */

static void explain(struct reply *reply, const char *text)
{
    snprintf(reply->reason, sizeof reply->reason, "%s", text);
}

static void refuse_body(struct reply *reply, int code, const struct error *err)
{
    reply->result.outcome = code == ERROR_MEMORY ? CXONE_FAILED : CXONE_MALFORMED;
    explain(reply, err->message);
}

static void answer(struct reply *reply)
{
    gateway_deliver(reply->request, &reply->result);
}

static void tell_pages(struct reply *reply, bool cut)
{
    bool *told = &reply->cxone->pages_cut[reply->operation];
    if (cut && !*told) {
        gateway_emit(reply->cxone, CXONE_EVENT_PAGES_CUT, reply->operation, reply->response->status,
                     reply->request->pages->pages.count,
                     "a reply has more pages than page.max, or they go in circles: what stands in "
                     "the others is not seen");
    }
    *told = cut;
}

static struct request_pages *make_pages(struct reply *reply)
{
    struct request *request = reply->request;
    struct request_pages *pages = calloc(1, sizeof *pages);
    request->pages = pages;
    if (pages) {
        buf_init(&pages->first_url, 2 * CXONE_URL_BYTES_MAX);
        (void)gateway_write_url(reply->cxone, request, &pages->first_url);
    }
    return pages;
}

/* Where the pages of a reply are gathered; NULL where replies have only one. *code is set where
 * there should be such a place and is no memory for it. */
static struct request_pages *pages_of(struct reply *reply, const struct cxone_paging *paging,
                                      int *code)
{
    struct request_pages *pages = reply->request->pages;
    if (paging->style == CXONE_PAGES_NONE || pages) {
        return pages;
    }
    pages = make_pages(reply);
    *code = pages && !pages->first_url.failed ? 0 : ERROR_MEMORY;
    return pages;
}

/* After a page was read: true if the request was put back to ask for the next one. All pages are
 * one answer, so that a reader of the first half does not move on past the second. */
static bool ask_next_page(struct reply *reply, const struct cxone_paging *paging,
                          const struct json *root, size_t elements, int *code, struct error *err)
{
    struct request *request = reply->request;
    struct request_pages *pages = request->pages;
    enum pages_verdict verdict;
    struct buf url;
    const struct pages_reply page = {
        .first_url = buf_string(&pages->first_url),
        .body = reply->response->body,
        .body_bytes = reply->response->body_bytes,
        .root = root,
        .elements = elements,
    };
    buf_init(&url, CXONE_URL_BYTES_MAX);
    *code = pages_next(&pages->pages, paging, &page, &verdict, &url, err);
    bool more = *code == 0 && verdict == PAGES_MORE;
    if (more) {
        buf_done(&request->url);
        request->url = url;
        request->below_base = false;
        requests_prepend(&reply->cxone->requests.waiting[reply->operation], request);
        return true;
    }
    if (*code == 0) {
        tell_pages(reply, verdict == PAGES_CUT);
    }
    buf_done(&url);
    return false;
}

static void answer_transcripts(struct reply *reply)
{
    const struct cxone_profile *profile = &reply->cxone->options.profile;
    const struct http_response *response = reply->response;
    struct transcripts alone = {0};
    struct error err = {.message = "no memory for a transcript in pages"};
    int code = 0;
    struct request_pages *pages = pages_of(reply, &profile->transcript_pages, &code);
    struct transcripts *transcripts = pages ? &pages->transcripts : &alone;
    if (!code && response->status != 204) {
        code = transcripts_add(profile, http_client_header(response, "Content-Type"),
                               response->body, response->body_bytes, transcripts, &err);
        size_t elements;
        const struct json *root = transcripts_last_root(transcripts, &elements);
        if (!code && pages &&
            ask_next_page(reply, &profile->transcript_pages, root, elements, &code, &err)) {
            return;
        }
    }
    if (code) {
        refuse_body(reply, code, &err);
    } else {
        bool is_empty = transcripts->count == 0 && transcripts->quarantined == 0;
        reply->result.outcome = is_empty ? CXONE_EMPTY : CXONE_OK;
        reply->result.segments = transcripts->segments;
        reply->result.segment_count = transcripts->count;
        reply->result.language = transcripts->language;
        reply->result.quarantined = transcripts->quarantined;
        reply->result.missing_final = transcripts->missing_final;
        if (reply->cxone->feed) {
            feed_polled(reply->cxone->feed, buf_string(&reply->request->feed_id),
                        reply->request->sent);
        }
    }
    answer(reply);
    transcripts_done(&alone);
}

static void answer_discovery(struct reply *reply)
{
    const struct cxone_profile *profile = &reply->cxone->options.profile;
    const struct http_response *response = reply->response;
    struct discover alone = {0};
    struct error err = {.message = "no memory for a list in pages"};
    int code = 0;
    struct request_pages *pages = pages_of(reply, &profile->contact_pages, &code);
    struct discover *discover = pages ? &pages->discover : &alone;
    if (!code && response->status != 204) {
        code = discover_add(&profile->map, http_client_header(response, "Content-Type"),
                            response->body, response->body_bytes, discover, &err);
        size_t elements;
        const struct json *root = discover_last_root(discover, &elements);
        if (!code && pages &&
            ask_next_page(reply, &profile->contact_pages, root, elements, &code, &err)) {
            return;
        }
    }
    if (code) {
        refuse_body(reply, code, &err);
    } else {
        reply->result.active = discover->active;
        reply->result.active_count = discover->count;
        reply->result.unknown_states = discover->unknown_states;
        reply->result.quarantined = discover->quarantined;
    }
    answer(reply);
    discover_done(&alone);
}

/* 200 with a page instead of the usual nothing: a gateway answered, the update went nowhere. */
static void answer_attributes(struct reply *reply)
{
    const struct http_response *response = reply->response;
    struct error err = {0};
    int code = 0;
    if (response->body_bytes > 0) {
        code = reply_check_json(http_client_header(response, "Content-Type"), response->body,
                                response->body_bytes, &err);
    }
    if (code) {
        refuse_body(reply, code, &err);
    }
    answer(reply);
}

static void answer_suggestion(struct reply *reply)
{
    char tracking_id[SUGGESTIONS_TRACKING_BYTES];
    reply->result.tracking_id =
        suggestions_tracking_id(&reply->cxone->options.profile.map.tracking, reply->response->body,
                                reply->response->body_bytes, tracking_id);
    answer(reply);
}

static void answer_success(struct reply *reply)
{
    switch (reply->operation) {
    case CXONE_TRANSCRIPTS:
        answer_transcripts(reply);
        break;
    case CXONE_ATTRIBUTES:
        answer_attributes(reply);
        break;
    case CXONE_SUGGESTIONS:
        answer_suggestion(reply);
        break;
    default:
        answer_discovery(reply);
        break;
    }
}

static void answer_failure(struct reply *reply)
{
    int status = reply->response->status;
    if (reply->response->failure != HTTP_FAILURE_NONE) {
        explain(reply, reply->response->failure_text);
    } else if (status == 401) {
        int64_t wait_ms = auth_wait_ms(reply->cxone->auth);
        reply->result.retry_after_ms = wait_ms > 0 ? wait_ms : -1;
        explain(reply, "status 401: the token is refused, though it was renewed");
    } else if (status >= 300 && status < 400) {
        snprintf(reply->reason, sizeof reply->reason,
                 "status %d: redirects are not followed, check the configured address", status);
    } else {
        snprintf(reply->reason, sizeof reply->reason, "status %d", status);
    }
    if (reply->result.outcome == CXONE_DENIED) {
        reply->result.retry_after_ms = reply->cxone->options.denied_probe_ms;
    }
    answer(reply);
}

/* True if the request was put back to be sent once more with the next token. */
static bool replay_unauthorized(struct reply *reply)
{
    struct cxone *cxone = reply->cxone;
    struct request *request = reply->request;
    if (reply->response->failure != HTTP_FAILURE_NONE || reply->response->status != 401 ||
        request->is_webhook ||
        !auth_unauthorized(cxone->auth, request->generation, request->replayed)) {
        return false;
    }
    request->replayed = true;
    requests_enqueue(&cxone->requests.waiting[reply->operation], request);
    return true;
}

/* True if a 403 was taken for the token's fault and the request was put back, once; then nothing
 * is concluded from it but that the server is there. */
static bool replay_forbidden(struct reply *reply)
{
    struct cxone *cxone = reply->cxone;
    struct request *request = reply->request;
    if (reply->result.outcome != CXONE_DENIED || !cxone->options.profile.retry_on_403 ||
        request->replayed || request->is_webhook || !auth_doubt(cxone->auth, request->generation)) {
        return false;
    }
    learn_breaker(reply);
    request->replayed = true;
    capability_undecided(&cxone->capabilities[reply->operation]);
    requests_enqueue(&cxone->requests.waiting[reply->operation], request);
    return true;
}

/* Nobody means years: such a time is no better than garbage. */
enum { BELIEVED_MS_MAX = 24 * 3600 * 1000, TOLD_AGAIN_MS = 60000 };

static void tell_retry_after(struct cxone *cxone, enum cxone_operation operation, int status,
                             int64_t said_ms, int64_t used_ms)
{
    char text[160];
    struct mono now = loop_now(cxone->loop);
    if (cxone->retry_after_told && mono_ms_between(cxone->told_at, now) < TOLD_AGAIN_MS) {
        return;
    }
    if (used_ms < 0) {
        snprintf(text, sizeof text,
                 "%s: CXone asks to wait %lld s, which is taken for a mistake: the usual backoff "
                 "applies",
                 cxone_operation_name(operation), (long long)(said_ms / 1000));
    } else {
        snprintf(text, sizeof text,
                 "%s: CXone asks to wait %lld s, more than retry_after.max: the next try is in "
                 "%lld s",
                 cxone_operation_name(operation), (long long)(said_ms / 1000),
                 (long long)(used_ms / 1000));
    }
    cxone->retry_after_told = true;
    cxone->told_at = now;
    gateway_emit(cxone, CXONE_EVENT_RETRY_AFTER_CUT, operation, status, said_ms / 1000, text);
}

static int64_t read_retry_after(struct cxone *cxone, enum cxone_operation operation,
                                const struct http_response *response)
{
    int64_t max_ms = cxone->options.retry_after_max_ms;
    if (response->failure != HTTP_FAILURE_NONE) {
        return -1;
    }
    int64_t said_ms =
        http_retry_after_ms(http_client_header(response, "Retry-After"), response->date_ms,
                            cxone->options.wall_now().ms, INT64_MAX);
    if (said_ms <= max_ms) {
        return said_ms;
    }
    int64_t used_ms = said_ms <= BELIEVED_MS_MAX ? max_ms : -1;
    tell_retry_after(cxone, operation, response->status, said_ms, used_ms);
    return used_ms;
}

void gateway_reply_done(void *user, const struct http_response *response)
{
    struct request *request = user;
    struct cxone *cxone = request->cxone;
    if (!cxone) {
        requests_free(request); /* its owner was told when the connection object went away */
        return;
    }
    requests_unlink(&cxone->requests.in_flight, request);
    struct reply reply = {
        .cxone = cxone,
        .request = request,
        .response = response,
        .operation = request->operation,
    };
    int64_t retry_after_ms = read_retry_after(cxone, request->operation, response);
    reply.result = (struct cxone_result){
        .outcome = reply_outcome(request->operation, response, retry_after_ms),
        .status = response->status,
        .retry_after_ms = retry_after_ms,
        .queued_ms = mono_ms_between(request->asked, request->sent),
        .total_ms = response->total_ms,
        .reason = reply.reason,
        .body_bytes = response->body_bytes,
    };
    gateway_pump_soon(cxone); /* a slot is free, whatever else */
    if (replay_forbidden(&reply)) {
        return;
    }
    learn_from_reply(&reply);
    if (replay_unauthorized(&reply)) {
        return;
    }
    if (reply.result.outcome == CXONE_OK) {
        answer_success(&reply);
    } else {
        answer_failure(&reply);
    }
}
