/* gateway_ask.c - what can be asked of CXone (but for suggestions: gateway_suggest.c), turned into
 * requests that wait.
 *
 * Addresses and bodies are made here, at once, so that what is sent later is what was asked for.
 * What cannot be sent at all (a bad id, a full queue) is answered like everything else: later. */
#include "base/keyhash.h"
#include "cxone/attributes.h"
#include "cxone/gateway_internal.h"

#include <string.h>

/* Without memory for even the request, the answer comes at once: there is nothing to keep it in. */
struct request *gateway_begin(struct cxone *cxone, enum cxone_operation operation,
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
void gateway_submit(struct cxone *cxone, struct request *request, int built)
{
    bool is_full = waiting_before(cxone, request->operation) >= cxone->options.queue_max;
    requests_enqueue(&cxone->requests.waiting[request->operation], request);
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

int gateway_fill(struct request *request, const char *endpoint, const char *usual_method,
                 const struct cxone_slots *slots)
{
    const char *url_template;
    struct cxone_slots below = *slots;
    if (!endpoint || !endpoint[0]) {
        return ERROR_UNSUPPORTED;
    }
    below.base = "";
    request->method = cxone_profile_method(endpoint, usual_method, &url_template);
    request->below_base = strncmp(url_template, "{base}", 6) == 0;
    return request->method ? cxone_profile_fill(url_template, &below, &request->url, NULL)
                           : ERROR_CONFIG;
}

/* Whether the transcript socket answers, or nobody can: then the request is on its way to that.
 * What the socket has is read when the answer is delivered, because until then more may come. */
static bool ask_feed(struct cxone *cxone, struct request *request, const char *interaction_id,
                     int64_t start_ms)
{
    enum { SOCKET_RETRY_MS = 1000 };
    if (!cxone->feed || !cxone_profile_id_is_usable(interaction_id) ||
        !buf_append_string(&request->feed_id, interaction_id)) {
        return false;
    }
    enum feed_answer answer = feed_ask(cxone->feed, interaction_id);
    if (answer != FEED_ANSWERS && cxone->options.socket.fallback) {
        return false;
    }
    request->from_feed = answer == FEED_ANSWERS;
    request->feed_start_ms = start_ms;
    requests_append(&cxone->requests.waiting[CXONE_TRANSCRIPTS], request);
    gateway_answer_waiting(cxone, request, CXONE_FAILED, SOCKET_RETRY_MS,
                           "the transcript socket is not open");
    gateway_pump_soon(cxone);
    return true;
}

void cxone_poll(struct cxone *cxone, const char *interaction_id, int64_t start_ms,
                cxone_done_fn *done, void *user)
{
    struct request *request = gateway_begin(cxone, CXONE_TRANSCRIPTS, interaction_id, done, user);
    const struct cxone_slots slots = {.id = interaction_id, .start_ms = start_ms};
    if (request && !ask_feed(cxone, request, interaction_id, start_ms)) {
        gateway_submit(
            cxone, request,
            gateway_fill(request, cxone->options.profile.transcripts_url, "GET", &slots));
    }
}

void cxone_put_attributes(struct cxone *cxone, const char *interaction_id,
                          const struct cxone_attribute *attributes, size_t count,
                          cxone_done_fn *done, void *user)
{
    const struct cxone_profile *profile = &cxone->options.profile;
    const char *values[CXONE_ATTRIBUTES_MAX];
    struct request *request = gateway_begin(cxone, CXONE_ATTRIBUTES, interaction_id, done, user);
    if (!request) {
        return;
    }
    struct cxone_slots slots = {.id = interaction_id, .values = values};
    for (; slots.value_count < count && slots.value_count < CXONE_ATTRIBUTES_MAX;
         slots.value_count++) {
        values[slots.value_count] = attributes[slots.value_count].value;
    }
    int built = gateway_fill(request, profile->attributes_url, "PATCH", &slots);
    if (!built) {
        built = attributes_write(attributes, count, profile->attribute_body, &request->body, NULL);
    }
    gateway_submit(cxone, request, built);
}

void cxone_discover(struct cxone *cxone, cxone_done_fn *done, void *user)
{
    const char *endpoint = cxone->options.profile.active_url;
    const struct cxone_slots slots = {0};
    struct request *request = gateway_begin(cxone, CXONE_DISCOVERY, NULL, done, user);
    if (request) {
        gateway_submit(cxone, request, gateway_fill(request, endpoint, "GET", &slots));
    }
}

void cxone_stop_writes(struct cxone *cxone, bool attributes, bool suggestions)
{
    cxone->stopped[CXONE_ATTRIBUTES] = attributes;
    cxone->stopped[CXONE_SUGGESTIONS] = suggestions;
    gateway_pump_soon(cxone);
}
