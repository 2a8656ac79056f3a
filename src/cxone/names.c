/* names.c - words for operations and outcomes, as logs and metrics spell them, and the defaults of
 * the tutorial's contract. No logic lives here. */
#include "cxone/cxone.h"

const char *cxone_operation_name(enum cxone_operation operation)
{
    switch (operation) {
    case CXONE_TRANSCRIPTS:
        return "transcripts";
    case CXONE_ATTRIBUTES:
        return "attributes";
    case CXONE_SUGGESTIONS:
        return "suggestions";
    case CXONE_DISCOVERY:
        return "discovery";
    case CXONE_TOKEN:
        return "token";
    case CXONE_OPERATIONS:
        break;
    }
    return "unknown";
}

const char *cxone_call_state_name(enum cxone_call_state state)
{
    switch (state) {
    case CXONE_CALL_UNSAID:
        break;
    case CXONE_CALL_ACTIVE:
        return "active";
    case CXONE_CALL_HELD:
        return "held";
    case CXONE_CALL_MUTED:
        return "muted";
    case CXONE_CALL_MASKED:
        return "masked";
    case CXONE_CALL_ENDED:
        return "ended";
    }
    return "unsaid";
}

const char *cxone_outcome_name(enum cxone_outcome outcome)
{
    switch (outcome) {
    case CXONE_OK:
        return "ok";
    case CXONE_EMPTY:
        return "empty";
    case CXONE_THROTTLED:
        return "throttled";
    case CXONE_FAILED:
        return "failed";
    case CXONE_UNKNOWN:
        return "unknown";
    case CXONE_ENDED:
        return "ended";
    case CXONE_DENIED:
        return "denied";
    case CXONE_REFUSED:
        return "refused";
    case CXONE_MALFORMED:
        return "malformed";
    case CXONE_CANCELLED:
        return "cancelled";
    }
    return "invalid";
}

void cxone_options_default(struct cxone_options *options)
{
    *options = (struct cxone_options){
        .profile =
            {
                .env = "us-1.api.cxone.com",
                .env_template = "https://{env}.api.cxone.com",
                .token_path = "/oauth/token",
                .scope = "interactions:view interactions:write agentassist:write",
                .transcripts_url = "{base}/api/v2/interactions/{id}/transcripts"
                                   "?direction=both&includeFinal=true&startTime={start_ms}",
                .attributes_url = "{base}/api/v2/interactions/{id}/attributes",
                .suggestions_url = "{base}/api/v2/agentassist/suggestions",
                .active_url = "",
                .customer_names = {"customer", "inbound", "patron", "contact", "end_user",
                                   "caller"},
                .agent_names = {"agent", "outbound", "internal"},
                .deliveries = CXONE_DELIVERY_SUGGESTIONS,
                .lifetime_s = 3600,
                .renew_margin_ms = 60000,
                .suggestion_type = "text",
                .idempotency_header = "Idempotency-Key",
            },
        .timeouts =
            {
                .connect_ms = 2000,
                .total_ms =
                    {
                        [CXONE_TRANSCRIPTS] = 5000,
                        [CXONE_ATTRIBUTES] = 3000,
                        [CXONE_SUGGESTIONS] = 15000,
                        [CXONE_DISCOVERY] = 5000,
                        [CXONE_TOKEN] = 10000,
                    },
            },
        .client_rps = 10,
        .burst = 10,
        .reserve = 0.1,
        .breaker_failures = 5,
        .breaker_open_ms = 30000,
        .breaker_probe_ms = 5000,
        .retry_after_max_ms = 300000,
        .issuer_max_age_ms = 3600000,
        .denied_probe_ms = 30000,
        .in_flight_max = 32,
        .queue_max = 4096,
        .seed = 1,
        .wall_now = clock_wall,
    };
    cxone_mapping_default(&options->profile.map);
}
