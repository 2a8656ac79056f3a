/* replaced_http.c - net/http_client.h over a simulated network to the simulated vendor.
 *
 * What the vendor does happens when the request arrives, a few milliseconds after it left and never
 * later than one that left after it: requests do not overtake each other. Answers do. */
#include "net/http_client.h"

#include "simulation.h"
#include "vendor.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http_client {
    struct http_call *first;
    unsigned calls;
    unsigned calls_max;
};

struct http_call {
    struct http_call *previous;
    struct http_call *next;
    struct http_client *client; /* NULL once that is gone */
    http_done_fn *done;
    void *user;
    struct vendor_request request;
    char *method;
    char *url;
    char *authorization;
    char *idempotency_key;
    char *body;
    struct vendor_reply reply;
    int64_t sent_ms;
    int64_t timeout_ms;
    struct world_event *event;   /* its arrival, and then its end */
    struct world_event *timeout; /* what it comes to if nothing else does */
    enum http_failure failure;
    bool sent;
    bool breaks; /* after the vendor has done it */
    bool quiet;  /* no answer will come */
    bool cancelled;
};

static char *copy(const char *text, size_t size)
{
    char *made = malloc(size + 1);
    if (!made) {
        abort();
    }
    memcpy(made, text, size);
    made[size] = '\0';
    return made;
}

static void free_call(struct http_call *call)
{
    world_cancel(call->event);
    world_cancel(call->timeout);
    buf_done(&call->reply.body);
    free(call->method);
    free(call->url);
    free(call->authorization);
    free(call->idempotency_key);
    free(call->body);
    free(call);
}

static void unlink_call(struct http_call *call)
{
    struct http_client *client = call->client;
    *(call->previous ? &call->previous->next : &client->first) = call->next;
    if (call->next) {
        call->next->previous = call->previous;
    }
    client->calls--;
}

/* --- the end of a request -------------------------------------------------------------------- */

static void finish(struct http_call *call, enum http_failure failure)
{
    struct http_response response = {
        .failure = failure,
        .failure_text = failure ? http_failure_name(failure) : "",
        .request_sent = call->sent,
        .status = failure ? 0 : call->reply.status,
        .body = failure ? "" : buf_string(&call->reply.body),
        .body_bytes = failure ? 0 : call->reply.body.size,
        .total_ms = world_now_ms() - call->sent_ms,
        .date_ms = failure ? -1 : world_vendor_ms() / 1000 * 1000,
        .client = call->client,
        .call = call,
    };
    world_trace("  %s %s: %s %d", call->method, call->url,
                failure ? http_failure_name(failure) : "status", response.status);
    if (!failure) {
        vendor_note_read(the_vendor, &call->request, &call->reply);
    }
    unlink_call(call);
    call->done(call->user, &response);
    free_call(call);
}

static void on_finished(void *user)
{
    struct http_call *call = user;
    call->event = NULL;
    finish(call, call->failure);
}

static void on_timeout(void *user)
{
    struct http_call *call = user;
    call->timeout = NULL;
    finish(call, HTTP_FAILURE_TIMEOUT);
}

static void on_arrival(void *user)
{
    struct http_call *call = user;
    const struct fault *slow = plan_strike(the_vendor->plan, FAULT_SLOW, call->request.operation);
    call->event = NULL;
    vendor_serve(the_vendor, &call->request, &call->reply);
    if (!call->client) {
        free_call(call); /* the daemon that asked is gone, but asked it has */
    } else if (!call->quiet) {
        int64_t back_us = world_between(1000, 40000);
        call->failure = call->breaks ? HTTP_FAILURE_BROKEN : HTTP_FAILURE_NONE;
        back_us += slow ? world_between(0, slow->value) * 1000 : 0;
        call->event = world_after_us(back_us, on_finished, call);
    }
}

/* --- the beginning --------------------------------------------------------------------------- */

/* How long until one that leaves now is there. */
static int64_t arrival_us(void)
{
    int64_t now_us = world_now_us();
    int64_t at_us = now_us + world_between(500, 15000);
    the_vendor->arrival_us = the_vendor->arrival_us > at_us ? the_vendor->arrival_us : at_us;
    return the_vendor->arrival_us - now_us;
}

static void set_out(struct http_call *call)
{
    const struct plan *plan = the_vendor->plan;
    enum operation operation = call->request.operation;
    call->timeout = world_after_ms(call->timeout_ms, on_timeout, call);
    if (plan_strike(plan, FAULT_REFUSED, operation)) {
        call->failure = HTTP_FAILURE_CONNECT;
        call->event = world_after_us(world_between(100, 3000), on_finished, call);
        return;
    }
    call->sent = true;
    if (plan_strike(plan, FAULT_SILENCE, operation)) {
        return;
    }
    call->quiet = plan_strike(plan, FAULT_LOST_ANSWER, operation) != NULL;
    call->breaks = plan_strike(plan, FAULT_RESET, operation) != NULL;
    call->event = world_after_us(arrival_us(), on_arrival, call);
}

static void copy_request(struct http_call *call, const struct http_request *request)
{
    call->method = copy(request->method, strlen(request->method));
    call->url = copy(request->url, strlen(request->url));
    call->body = request->body ? copy(request->body, request->body_bytes) : NULL;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (strcmp(header->name, "Authorization") == 0) {
            call->authorization = copy(header->value, strlen(header->value));
        } else if (strcmp(header->name, "Idempotency-Key") == 0) {
            call->idempotency_key = copy(header->value, strlen(header->value));
        }
    }
    call->request = (struct vendor_request){
        .operation = vendor_operation(call->method, call->url),
        .method = call->method,
        .url = call->url,
        .authorization = call->authorization,
        .idempotency_key = call->idempotency_key,
        .body = call->body,
    };
}

int http_client_send(struct http_client *client, const struct http_request *request,
                     http_done_fn *done, void *user, struct http_call **made, struct error *err)
{
    if (client->calls >= client->calls_max) {
        return error_set(err, ERROR_LIMIT, "too many requests in flight");
    }
    struct http_call *call = calloc(1, sizeof *call);
    if (!call) {
        return error_set(err, ERROR_MEMORY, "no memory for a request");
    }
    *call = (struct http_call){.client = client,
                               .next = client->first,
                               .done = done,
                               .user = user,
                               .sent_ms = world_now_ms(),
                               .timeout_ms = request->timeout_ms};
    if (client->first) {
        client->first->previous = call;
    }
    client->first = call;
    client->calls++;
    copy_request(call, request);
    world_trace("%s %s", call->method, call->url);
    if (world_act()) {
        simulation_note_sent(call->request.operation);
        set_out(call);
    }
    if (made) {
        *made = call;
    }
    return 0;
}

static bool is_on_its_way(const struct http_call *call)
{
    return call->event && call->sent && call->reply.status == 0 && !call->cancelled;
}

/* What is on its way to the vendor arrives all the same. */
static void let_arrive(const struct http_call *call)
{
    struct http_call *orphan = calloc(1, sizeof *orphan);
    const struct http_header headers[] = {
        {"Authorization", call->authorization ? call->authorization : ""},
        {"Idempotency-Key", call->idempotency_key ? call->idempotency_key : ""},
    };
    const struct http_request request = {
        .method = call->method,
        .url = call->url,
        .headers = headers,
        .header_count = 2,
        .body = call->body,
        .body_bytes = call->body ? strlen(call->body) : 0,
    };
    if (!orphan) {
        abort();
    }
    copy_request(orphan, &request);
    orphan->event = world_after_us(arrival_us(), on_arrival, orphan);
}

static void on_cancelled(void *user)
{
    struct http_call *call = user;
    call->event = NULL;
    finish(call, HTTP_FAILURE_CANCELLED);
}

void http_client_cancel(struct http_client *client, struct http_call *call)
{
    (void)client;
    if (is_on_its_way(call)) {
        let_arrive(call);
    }
    world_cancel(call->event);
    call->cancelled = true;
    call->event = world_after_us(0, on_cancelled, call);
}

void http_client_destroy(struct http_client *client)
{
    while (client && client->first) {
        struct http_call *call = client->first;
        if (is_on_its_way(call)) {
            let_arrive(call);
        }
        finish(call, HTTP_FAILURE_CANCELLED);
    }
    free(client);
}

/* --- the rest -------------------------------------------------------------------------------- */

int http_client_create(struct http_client **client, struct loop *loop,
                       const struct http_client_options *options, struct error *err)
{
    (void)loop;
    *client = calloc(1, sizeof **client);
    if (!*client) {
        return error_set(err, ERROR_MEMORY, "no memory for a client");
    }
    (*client)->calls_max = options->calls_max;
    return 0;
}

const char *http_client_header(const struct http_response *response, const char *name)
{
    const struct vendor_reply *reply = &response->call->reply;
    static char retry_after[24];
    if (strcmp(name, "Content-Type") == 0) {
        return reply->content_type;
    }
    if (strcmp(name, "Retry-After") == 0 && reply->retry_after_s >= 0) {
        (void)snprintf(retry_after, sizeof retry_after, "%lld", (long long)reply->retry_after_s);
        return retry_after;
    }
    return NULL;
}

unsigned http_client_calls(const struct http_client *client)
{
    return client->calls;
}

const char *http_failure_name(enum http_failure failure)
{
    static const char *const names[] = {"none",    "resolve", "connect",   "tls",      "proxy",
                                        "timeout", "broken",  "too_large", "cancelled"};
    return names[failure];
}
