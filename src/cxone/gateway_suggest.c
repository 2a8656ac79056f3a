/* gateway_suggest.c - an alert on its ways out: the vendor's suggestions, a signal to a Studio
 * script, a signed webhook, or several of these.
 *
 * With several, each is one request, and the asker hears one answer when all are there: good if
 * any was shown, else unknown if any may have been. So what follows for one way holds for all
 * together: an alert is tried again only if it surely left nowhere, and reaches no way twice. */
#include "cxone/gateway_internal.h"
#include "cxone/suggestions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An alert under way in several ways. */
struct fan {
    struct cxone *cxone;
    cxone_done_fn *done;
    void *user;
    unsigned left;
    unsigned failed;            /* ways that surely did not show it */
    struct cxone_result result; /* the best so far; its texts are the next two */
    char reason[256];
    char tracking_id[SUGGESTIONS_TRACKING_BYTES];
};

static int rank(enum cxone_outcome outcome)
{
    switch (outcome) {
    case CXONE_OK:
        return 4;
    case CXONE_UNKNOWN:
        return 3;
    case CXONE_FAILED:
    case CXONE_THROTTLED:
        return 2;
    case CXONE_CANCELLED:
        return 0;
    default:
        return 1;
    }
}

static void keep_best(struct fan *fan, const struct cxone_result *result)
{
    if (rank(result->outcome) < rank(fan->result.outcome)) {
        return;
    }
    fan->result = *result;
    snprintf(fan->reason, sizeof fan->reason, "%s", result->reason);
    fan->result.reason = fan->reason;
    if (result->tracking_id) {
        snprintf(fan->tracking_id, sizeof fan->tracking_id, "%s", result->tracking_id);
        fan->result.tracking_id = fan->tracking_id;
    }
}

static void on_part(void *user, const struct cxone_result *result)
{
    struct fan *fan = user;
    bool shown = result->outcome == CXONE_OK || result->outcome == CXONE_UNKNOWN;
    fan->failed += !shown;
    keep_best(fan, result);
    if (--fan->left > 0) {
        return;
    }
    if (fan->failed > 0 && rank(fan->result.outcome) > 2) {
        gateway_emit(fan->cxone, CXONE_EVENT_ROUTE_FAILED, CXONE_SUGGESTIONS, 0, fan->failed,
                     "an alert was delivered in one way and not in another, where it is not tried "
                     "again");
    }
    fan->done(fan->user, &fan->result);
    free(fan);
}

static int build(struct request *request, const struct cxone_profile *profile,
                 enum cxone_delivery way, const struct cxone_slots *slots)
{
    int built;
    switch (way) {
    case CXONE_DELIVERY_WEBHOOK:
        request->method = "POST";
        request->is_webhook = true;
        if (!buf_append_string(&request->url, profile->webhook_url)) {
            return ERROR_MEMORY;
        }
        return suggestions_write_webhook(slots->id, slots->key, profile->suggestion_type,
                                         slots->message, &request->body, NULL);
    case CXONE_DELIVERY_SIGNAL:
        return gateway_fill(request, profile->signal_url, "POST", slots);
    default:
        built = gateway_fill(request, profile->suggestions_url, "POST", slots);
        return built ? built
                     : suggestions_write(slots->id, profile->suggestion_type, slots->message,
                                         &request->body, NULL);
    }
}

/* The key goes into a header, and is what a webhook's receiver tells repetitions by. */
static int check_key(const struct cxone_profile *profile, struct request *request, const char *key)
{
    bool wants_header = profile->idempotency_header && profile->idempotency_header[0];
    bool usable = key && headers_value_is_safe(key);
    if (wants_header && (!usable || !buf_append_string(&request->idempotency_key, key))) {
        return ERROR_USAGE;
    }
    return 0;
}

static void ask(struct cxone *cxone, enum cxone_delivery way, const struct cxone_slots *slots,
                cxone_done_fn *done, void *user)
{
    const struct cxone_profile *profile = &cxone->options.profile;
    struct request *request = gateway_begin(cxone, CXONE_SUGGESTIONS, slots->id, done, user);
    if (!request) {
        return;
    }
    int built = cxone_profile_id_is_usable(slots->id) ? 0 : ERROR_USAGE;
    built = built ? built : check_key(profile, request, slots->key);
    built = built ? built : build(request, profile, way, slots);
    gateway_submit(cxone, request, built);
}

void cxone_suggest(struct cxone *cxone, const char *interaction_id, const char *idempotency_key,
                   const char *message, cxone_done_fn *done, void *user)
{
    static const enum cxone_delivery ways[] = {CXONE_DELIVERY_SUGGESTIONS, CXONE_DELIVERY_SIGNAL,
                                               CXONE_DELIVERY_WEBHOOK};
    unsigned all = cxone->options.profile.deliveries;
    unsigned wanted = all ? all : CXONE_DELIVERY_SUGGESTIONS; /* whose answer says what lacks */
    const struct cxone_slots slots = {
        .id = interaction_id, .key = idempotency_key, .message = message};
    unsigned count = 0;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        count += (wanted & ways[i]) != 0;
    }
    struct fan *fan = count > 1 ? calloc(1, sizeof *fan) : NULL;
    if (fan) {
        *fan = (struct fan){.cxone = cxone, .done = done, .user = user, .left = count};
        fan->result.outcome = CXONE_CANCELLED;
        fan->result.reason = "";
    }
    for (size_t i = 0; i < sizeof ways / sizeof ways[0] && count > 0; i++) {
        if (wanted & ways[i]) {
            ask(cxone, ways[i], &slots, fan ? on_part : done, fan ? (void *)fan : user);
            count = fan ? count : 0; /* without memory for all ways, the first alone */
        }
    }
}
