/* gateway_quota.c - what refusals and answers say of the vendor's quotas: how much is sent from now
 * on, by all calls together and by each. Whose quota it is: cxone/call_pace.h; how sure that is:
 * cxone/throttle.h; how much less then: net/adaptive_rate.h. */
#include "cxone/gateway_internal.h"

#include <stdio.h>

enum { PAUSE_MS_MIN = 500 };

/* The bucket shrinks with the rate, or its burst alone would be refused. */
static void follow_rate(struct cxone *cxone, struct mono now)
{
    double burst = cxone->options.burst * cxone->rate.rate_rps / cxone->options.client_rps;
    limiter_set_rate(&cxone->limiter, cxone->rate.rate_rps, burst > 1 ? burst : 1, now);
}

static void tell_rate(const struct cxone *cxone, enum cxone_event_kind kind,
                      enum cxone_operation operation, int status, const char *text)
{
    gateway_emit(cxone, kind, operation, status, (int64_t)cxone->rate.rate_rps, text);
}

static void tell_pace(const struct cxone *cxone, enum cxone_event_kind kind,
                      enum cxone_operation operation, int status, const char *what)
{
    char text[160];
    double interval_s = 1 / cxone->pace.rate_rps;
    (void)snprintf(text, sizeof text, "%s: one request for a call every %.1f s at most", what,
                   interval_s);
    gateway_emit(cxone, kind, operation, status, (int64_t)(interval_s * 1e3), text);
}

/* An answer at the edge slows all down a little; only many refusals make all wait. */
static void slow_down(struct cxone *cxone, const struct request *request, int64_t retry_after_ms,
                      struct mono now)
{
    double share;
    enum throttle_verdict verdict =
        throttle_refused(&cxone->throttle, request->interaction, &share, now);
    bool was_curbed = cxone->rate.curbed;
    if (verdict == THROTTLE_MANY) {
        struct mono resume =
            mono_after_ms(now, retry_after_ms > PAUSE_MS_MIN ? retry_after_ms : PAUSE_MS_MIN);
        adaptive_rate_cut(&cxone->rate, share, resume, now);
        follow_rate(cxone, now);
        limiter_pause(&cxone->limiter, resume);
        throttle_reset(&cxone->throttle, now);
    } else if (verdict == THROTTLE_SOME) {
        adaptive_rate_ease(&cxone->rate, true, now);
        follow_rate(cxone, now);
        throttle_reset(&cxone->throttle, now);
    } else if (adaptive_rate_is_at_edge(&cxone->rate)) {
        adaptive_rate_ease(&cxone->rate, false, now);
        follow_rate(cxone, now);
        throttle_eased(&cxone->throttle, now);
    } else {
        return;
    }
    if (!was_curbed) {
        tell_rate(cxone, CXONE_EVENT_QUOTA_CUT, request->operation, 429,
                  "CXone refuses for its quota: fewer requests a second are sent for now");
    }
}

void gateway_quota_refused(struct cxone *cxone, const struct request *request,
                           int64_t retry_after_ms)
{
    struct mono now = loop_now(cxone->loop);
    bool was_curbed = cxone->pace.curbed;
    enum call_pace_verdict verdict =
        request->interaction
            ? call_pace_answered(&cxone->pace, request->interaction, request->sent, true, now)
            : CALL_PACE_OTHER;
    if (verdict == CALL_PACE_CUT && !was_curbed) {
        tell_pace(cxone, CXONE_EVENT_CALL_QUOTA_CUT, request->operation, 429,
                  "CXone refuses for its quota of each call");
    }
    if (verdict == CALL_PACE_OTHER && !adaptive_rate_is_stale(&cxone->rate, request->sent)) {
        slow_down(cxone, request, retry_after_ms, now);
    }
}

void cxone_bound_call(struct cxone *cxone, double interaction_rps)
{
    double before_rps = cxone->pace.configured_rps;
    if (interaction_rps < before_rps || interaction_rps > before_rps) {
        call_pace_init(&cxone->pace, interaction_rps, loop_now(cxone->loop));
    }
}

void gateway_quota_accepted(struct cxone *cxone, const struct request *request, int status)
{
    struct mono now = loop_now(cxone->loop);
    if (request->interaction) {
        (void)call_pace_answered(&cxone->pace, request->interaction, request->sent, false, now);
    }
    if (call_pace_grow(&cxone->pace, now)) {
        tell_pace(cxone, CXONE_EVENT_CALL_QUOTA_RESTORED, request->operation, status,
                  "CXone takes as many requests for a call as configured again");
    }
    throttle_accepted(&cxone->throttle, now);
    if (cxone->rate.curbed) {
        bool restored = adaptive_rate_accepted(&cxone->rate, now);
        follow_rate(cxone, now);
        if (restored) {
            tell_rate(cxone, CXONE_EVENT_QUOTA_RESTORED, request->operation, status,
                      "CXone takes as many requests a second as configured again");
        }
    }
}
