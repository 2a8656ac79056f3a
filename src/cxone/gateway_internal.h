/* cxone/gateway_internal.h - the connection object, shared by gateway.c (what goes out, and
 * when), gateway_reply.c (what comes back), gateway_quota.c (what that says of quotas),
 * gateway_ask.c and gateway_suggest.c (what is asked for) and gateway_life.c. */
#ifndef CXONE_GATEWAY_INTERNAL_H
#define CXONE_GATEWAY_INTERNAL_H

#include "base/rand.h"
#include "cxone/auth.h"
#include "cxone/call_pace.h"
#include "cxone/capability.h"
#include "cxone/cxone.h"
#include "cxone/feed.h"
#include "cxone/requests.h"
#include "cxone/skew.h"
#include "cxone/throttle.h"
#include "net/adaptive_rate.h"
#include "net/breaker.h"
#include "net/limiter.h"
#include "net/retry_budget.h"

struct cxone {
    struct loop *loop;
    struct http_client *client;
    struct cxone_options options;
    struct buf base;       /* empty where the issuer names it */
    struct issuer *issuer; /* or NULL */
    struct auth *auth;
    struct feed *feed; /* the transcript socket, or NULL */
    struct loop_timer *pump;
    struct rand rand;
    struct requests requests;
    struct limiter limiter;
    struct mono gathered; /* tokens are left to gather until then */
    struct adaptive_rate rate; /* of the limiter */
    struct breaker breakers[REQUESTS_OPERATIONS];
    struct retry_budget budgets[REQUESTS_OPERATIONS];
    struct capability capabilities[REQUESTS_OPERATIONS];
    struct throttle throttle;
    struct call_pace pace;
    struct skew skew;
    bool pages_cut[REQUESTS_OPERATIONS]; /* as last told */
    bool retry_after_told;               /* a time too long, at `told_at` */
    struct mono told_at;
    bool stopped[REQUESTS_OPERATIONS]; /* by cxone_stop_writes */
    uint64_t sent[REQUESTS_OPERATIONS];
    uint64_t throttled[REQUESTS_OPERATIONS];
};

/* The API's address; "" while the issuer has not named it. */
const char *gateway_base(const struct cxone *cxone);

/* The absolute address of a request. */
bool gateway_write_url(const struct cxone *cxone, const struct request *request, struct buf *url);

/* gateway_ask.c: a request for an operation, and its way into the queue (`built`: 0, or why it
 * cannot be sent). NULL without memory: then it was answered. */
struct request *gateway_begin(struct cxone *cxone, enum cxone_operation operation,
                              const char *interaction_id, cxone_done_fn *done, void *user);
void gateway_submit(struct cxone *cxone, struct request *request, int built);
int gateway_fill(struct request *request, const char *endpoint, const char *usual_method,
                 const struct cxone_slots *slots);

/* Sends what can go now; a loop_fn. */
void gateway_pump(void *user);

/* Answers those decided by now: what the callbacks ask for is answered in a later turn. */
void gateway_deliver_answers(struct cxone *cxone);

/* Has the queue looked at in the next loop turn. */
void gateway_pump_soon(struct cxone *cxone);

/* Removes a request that waits and has it answered, without a request, in this or the next turn. */
void gateway_answer_waiting(struct cxone *cxone, struct request *request,
                            enum cxone_outcome outcome, int64_t retry_after_ms, const char *reason);

/* Answers and frees a request that is in no list. */
void gateway_deliver(struct request *request, const struct cxone_result *result);

void gateway_emit(const struct cxone *cxone, enum cxone_event_kind kind,
                  enum cxone_operation operation, int status, int64_t value, const char *text);

/* For people: the breaker's new state and what it means. */
void gateway_emit_breaker(const struct cxone *cxone, enum cxone_operation operation, int status);

/* gateway_quota.c: a 429 (retry_after_ms: -1 if it does not say), or any answer that shows the
 * vendor took it. */
void gateway_quota_refused(struct cxone *cxone, const struct request *request,
                           int64_t retry_after_ms);
void gateway_quota_accepted(struct cxone *cxone, const struct request *request, int status);

/* http_done_fn; user is the request. */
void gateway_reply_done(void *user, const struct http_response *response);

#endif
