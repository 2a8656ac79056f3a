/* gateway_ask.c - the four things that can be asked of CXone, turned into requests that wait.
 *
 * Addresses and bodies are made here, at once, so that what is sent later is what was asked for.
 * What cannot be sent at all (a bad id, a full queue) is answered like everything else: later. */
#include "base/keyhash.h"
#include "cxone/attributes.h"
#include "cxone/gateway_internal.h"
#include "cxone/suggestions.h"

#include <string.h>

/* Without memory for even the request, the answer comes at once: there is nothing to keep it in. */
static struct request *begin(struct cxone *cxone, enum cxone_operation operation,
                             const char *interaction_id, cxone_done_fn *done, void *user)
{
    struct request *request = requests_new(operation, done, user);
    if (!request) {
        const struct cxone_result result = {
            .outcome = CXONE_FAILED, .retry_after_ms = -1, .reason = "no memory for a request"};
        done(user, &result);
        return NULL;
    }
    request->cxone = cxone;
    request->asked = loop_now(cxone->loop);
    if (interaction_id) {
        request->interaction = keyhash_fnv1a(interaction_id, strlen(interaction_id));
    }
    return request;
}

/* A queue full of polls keeps no suggestion out. */
static unsigned waiting_before(const struct cxone *cxone, enum cxone_operation operation)
{
    return operation == CXONE_SUGGESTIONS ? cxone->requests.waiting[operation].count
                                          : requests_waiting(&cxone->requests);
}

/* Lets the request wait, or answers it if building it failed or the queue is full. */
static void submit(struct cxone *cxone, struct request *request, int built)
{
    bool is_full = waiting_before(cxone, request->operation) >= cxone->options.queue_max;
    requests_append(&cxone->requests.waiting[request->operation], request);
    if (built == ERROR_MEMORY) {
        gateway_answer_waiting(cxone, request, CXONE_FAILED, -1, "no memory for a request");
    } else if (built) {
        gateway_answer_waiting(cxone, request, CXONE_REFUSED, -1,
                               "not sent: the id, the key or the content cannot be put into a "
                               "request (empty, too long, or characters that are not allowed)");
    } else if (is_full) {
        gateway_answer_waiting(cxone, request, CXONE_FAILED, -1, "the queue is full");
    }
    gateway_pump_soon(cxone);
}

static int fill_url(const struct cxone *cxone, struct request *request, const char *url_template,
                    const char *interaction_id, int64_t start_ms)
{
    return cxone_profile_url(url_template, buf_string(&cxone->base), interaction_id, start_ms,
                             &request->url, NULL);
}

void cxone_poll(struct cxone *cxone, const char *interaction_id, int64_t start_ms,
                cxone_done_fn *done, void *user)
{
    struct request *request = begin(cxone, CXONE_TRANSCRIPTS, interaction_id, done, user);
    if (request) {
        submit(cxone, request,
               fill_url(cxone, request, cxone->options.profile.transcripts_url, interaction_id,
                        start_ms));
    }
}

void cxone_put_attributes(struct cxone *cxone, const char *interaction_id,
                          const struct cxone_attribute *attributes, size_t count,
                          cxone_done_fn *done, void *user)
{
    struct request *request = begin(cxone, CXONE_ATTRIBUTES, interaction_id, done, user);
    if (!request) {
        return;
    }
    int built = fill_url(cxone, request, cxone->options.profile.attributes_url, interaction_id, 0);
    if (!built) {
        built = attributes_write(attributes, count, &request->body, NULL);
    }
    submit(cxone, request, built);
}

static int build_suggestion(const struct cxone *cxone, struct request *request,
                            const char *interaction_id, const char *idempotency_key,
                            const char *message)
{
    const struct cxone_profile *profile = &cxone->options.profile;
    bool wants_key = profile->idempotency_header && profile->idempotency_header[0];
    if (!cxone_profile_id_is_usable(interaction_id)) {
        return ERROR_USAGE;
    }
    if (wants_key && (!idempotency_key || !headers_value_is_safe(idempotency_key) ||
                      !buf_append_string(&request->idempotency_key, idempotency_key))) {
        return ERROR_USAGE;
    }
    int built = fill_url(cxone, request, profile->suggestions_url, interaction_id, 0);
    return built ? built
                 : suggestions_write(interaction_id, profile->suggestion_type, message,
                                     &request->body, NULL);
}

void cxone_suggest(struct cxone *cxone, const char *interaction_id, const char *idempotency_key,
                   const char *message, cxone_done_fn *done, void *user)
{
    struct request *request = begin(cxone, CXONE_SUGGESTIONS, interaction_id, done, user);
    if (request) {
        submit(cxone, request,
               build_suggestion(cxone, request, interaction_id, idempotency_key, message));
    }
}

void cxone_discover(struct cxone *cxone, cxone_done_fn *done, void *user)
{
    const char *url_template = cxone->options.profile.active_url;
    struct request *request = begin(cxone, CXONE_DISCOVERY, NULL, done, user);
    if (request) {
        bool is_known = url_template && url_template[0];
        submit(cxone, request,
               is_known ? fill_url(cxone, request, url_template, NULL, 0) : ERROR_UNSUPPORTED);
    }
}
