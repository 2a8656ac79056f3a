/* requests.c - see requests.h. */
#include "cxone/requests.h"

#include <stdlib.h>

enum {
    URL_BYTES_MAX = CXONE_URL_BYTES_MAX,
    BODY_BYTES_MAX = 64 * 1024,
    KEY_BYTES_MAX = 256,
    DISCOVERY_TURN = 16,
    POLLS_TURN = 3,
};

struct request *requests_new(enum cxone_operation operation, cxone_done_fn *done, void *user)
{
    struct request *request = calloc(1, sizeof *request);
    if (request) {
        request->operation = operation;
        request->done = done;
        request->user = user;
        request->answer.retry_after_ms = -1;
        request->answer.reason = "";
        buf_init(&request->url, URL_BYTES_MAX);
        buf_init(&request->body, BODY_BYTES_MAX);
        buf_init(&request->idempotency_key, KEY_BYTES_MAX);
        buf_init(&request->feed_id, CXONE_ID_BYTES_MAX);
        headers_new_correlation(request->correlation);
    }
    return request;
}

static void free_pages(struct request_pages *pages)
{
    if (pages) {
        buf_done(&pages->first_url);
        transcripts_done(&pages->transcripts);
        discover_done(&pages->discover);
        free(pages);
    }
}

void requests_free(struct request *request)
{
    if (request) {
        free_pages(request->pages);
        buf_done(&request->url);
        buf_done(&request->body);
        buf_done(&request->idempotency_key);
        buf_done(&request->feed_id);
        free(request);
    }
}

void requests_append(struct request_list *list, struct request *request)
{
    request->previous = list->last;
    request->next = NULL;
    if (list->last) {
        list->last->next = request;
    } else {
        list->first = request;
    }
    list->last = request;
    list->count++;
}

void requests_prepend(struct request_list *list, struct request *request)
{
    request->previous = NULL;
    request->next = list->first;
    if (list->first) {
        list->first->previous = request;
    } else {
        list->last = request;
    }
    list->first = request;
    list->count++;
}

static bool goes_before(const struct request *request, const struct request *other)
{
    return request->is_webhook == other->is_webhook ? request->asked.us < other->asked.us
                                                    : request->is_webhook;
}

void requests_enqueue(struct request_list *list, struct request *request)
{
    struct request *previous = list->last;
    while (previous && goes_before(request, previous)) {
        previous = previous->previous;
    }
    if (!previous) {
        requests_prepend(list, request);
        return;
    }
    request->previous = previous;
    request->next = previous->next;
    *(previous->next ? &previous->next->previous : &list->last) = request;
    previous->next = request;
    list->count++;
}

void requests_unlink(struct request_list *list, struct request *request)
{
    if (request->previous) {
        request->previous->next = request->next;
    } else {
        list->first = request->next;
    }
    if (request->next) {
        request->next->previous = request->previous;
    } else {
        list->last = request->previous;
    }
    request->previous = NULL;
    request->next = NULL;
    list->count--;
}

unsigned requests_waiting(const struct requests *requests)
{
    unsigned count = 0;
    for (size_t i = 0; i < REQUESTS_OPERATIONS; i++) {
        count += requests->waiting[i].count;
    }
    return count;
}

/* Whether the oldest write may leave before all polls: what arrives at one call keeps its order. */
static bool may_overtake(const struct requests *requests, struct request *write)
{
    if (write->overtakes) {
        return true;
    }
    const struct request *poll = requests->waiting[CXONE_TRANSCRIPTS].first;
    for (; poll && poll->asked.us <= write->asked.us; poll = poll->next) {
        if (poll->interaction == write->interaction) {
            return false;
        }
    }
    write->overtakes = true; /* and for good: polls still to come are younger */
    return true;
}

static enum cxone_operation favour(const struct requests *requests)
{
    struct request *write = requests->waiting[CXONE_ATTRIBUTES].first;
    if (requests->turn % DISCOVERY_TURN == DISCOVERY_TURN - 1) {
        return CXONE_DISCOVERY;
    }
    bool is_polls_turn = requests->turn % POLLS_TURN == POLLS_TURN - 1;
    return write && !is_polls_turn && may_overtake(requests, write) ? CXONE_ATTRIBUTES
                                                                    : CXONE_TRANSCRIPTS;
}

void requests_order(const struct requests *requests,
                    enum cxone_operation order[REQUESTS_OPERATIONS])
{
    enum cxone_operation favourite = favour(requests);
    const enum cxone_operation usual[] = {CXONE_TRANSCRIPTS, CXONE_ATTRIBUTES, CXONE_DISCOVERY};
    size_t count = 0;
    order[count++] = CXONE_SUGGESTIONS;
    order[count++] = favourite;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (usual[i] != favourite) {
            order[count++] = usual[i];
        }
    }
}

void requests_advance(struct requests *requests, enum cxone_operation operation)
{
    if (operation != CXONE_SUGGESTIONS) {
        requests->turn++;
    }
}
