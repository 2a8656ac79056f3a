/* session_options.c - a session whose options change under way: a reload, or the switch that stops
 * writes. See session.h. */
#include "flow/session_internal.h"
#include "mood/call_policy.h"

void session_on_options(struct session *session, struct session_context *context)
{
    const struct session_options *options = context->options;
    call_policy_set(session->call, &options->mood);
    session_weigh_language(session, context);
    if (session->quota.configured_rps != options->interaction_rps) {
        call_quota_init(&session->quota, options->interaction_rps, context->now.mono);
    }
    if (session->phase == PHASE_LIVE) {
        session->next_cues = context->now.mono; /* rules may be new, or wait for other times */
    }
    if (!options->send_suggestions) {
        session_withdraw_suggestion(session, context, "suggestions are switched off");
    }
}
