/* answer.c - see answer.h: headers common to all answers, refusals as JSON, shared checks. */
#include "sim/answer.h"

#include "net/http_date.h"

#include <inttypes.h>
#include <stdio.h>

enum { HEADERS_MAX = 4, STATUS_OK = 200, STATUS_NO_CONTENT = 204 };

struct sending {
    int status;
    const char *type; /* of a body */
    const char *body;
    size_t bytes;
};

static void send_with(struct answer *answer, const struct sending *sending,
                      const struct http_header *extra)
{
    char date[HTTP_DATE_BYTES];
    struct http_header headers[HEADERS_MAX] = {
        {"Date", http_date_format(answer->now.vendor_ms, date)},
        {"Cache-Control", "no-store"},
    };
    size_t count = 2;
    if (sending->status != STATUS_NO_CONTENT) {
        headers[count++] = (struct http_header){"Content-Type", sending->type};
    }
    if (extra != NULL && extra->name != NULL) {
        headers[count++] = *extra;
    }
    http_exchange_reply(answer->exchange, sending->status, headers, count, sending->body,
                        sending->bytes);
}

static struct sending sending_of(const struct answer *answer, int status)
{
    bool empty = status == STATUS_NO_CONTENT;
    return (struct sending){status, "application/json", empty ? "" : buf_string(answer->body),
                            empty ? 0 : answer->body->size};
}

void answer_send(struct answer *answer, int status)
{
    struct sending sending = sending_of(answer, status);
    if (answer->spoil == FAULT_SPOIL_LOST) {
        http_exchange_drop(answer->exchange);
        return;
    }
    if (answer->spoil == FAULT_SPOIL_EMPTY) {
        sending.status = STATUS_OK;
        sending.bytes = 0;
    } else if (answer->spoil == FAULT_SPOIL_HALF) {
        sending.bytes /= 2;
    }
    send_with(answer, &sending, NULL);
}

struct json_writer answer_begin(struct answer *answer)
{
    struct json_writer writer;
    buf_clear(answer->body);
    json_writer_init(&writer, answer->body);
    return writer;
}

static void record_rejected(const struct answer *answer, int status, const char *why)
{
    struct json_writer *w = ledger_begin(answer->ledger, LEDGER_KIND_REJECTED);
    if (w == NULL) {
        return;
    }
    json_write_member_text(w, "method", http_exchange_method(answer->exchange));
    json_write_member_text(w, "path", http_exchange_raw_path(answer->exchange));
    json_write_key(w, "call");
    if (answer->id.size > 0) {
        json_write_string(w, buf_string(&answer->id), answer->id.size);
    } else {
        json_write_null(w);
    }
    json_write_member_integer(w, "status", status);
    json_write_member_text(w, "why", why);
    ledger_end(answer->ledger);
}

static const char *error_of(int status)
{
    switch (status) {
    case 400:
        return "invalid_request";
    case 401:
        return "invalid_token";
    case 403:
        return "insufficient_scope";
    case 404:
        return "not_found";
    case 405:
        return "method_not_allowed";
    case 406:
        return "not_acceptable";
    case 415:
        return "unsupported_media_type";
    case 422:
        return "idempotency_key_reused";
    case 429:
        return "too_many_requests";
    case 503:
        return "service_unavailable";
    default:
        return "internal_error";
    }
}

void answer_reject(struct answer *answer, const struct answer_rejection *rejection)
{
    record_rejected(answer, rejection->status, rejection->why);
    struct json_writer w = answer_begin(answer);
    json_write_object_begin(&w);
    json_write_member_text(&w, "error", error_of(rejection->status));
    if (rejection->parameter != NULL) {
        json_write_member_text(&w, "parameter", rejection->parameter);
    }
    json_write_member_text(&w, "message", rejection->message);
    json_write_object_end(&w);
    struct sending sending = sending_of(answer, rejection->status);
    send_with(answer, &sending, &rejection->header);
}

void answer_reject_for_now(struct answer *answer, int status, const char *why,
                           const char *retry_after)
{
    struct answer_rejection rejection = {
        .status = status, .why = why, .message = "try again later"};
    if (retry_after != NULL) {
        rejection.header = (struct http_header){"Retry-After", retry_after};
    }
    answer_reject(answer, &rejection);
}

bool answer_spoil_early(struct answer *answer)
{
    static const char page[] = "<!DOCTYPE html>\n<html><head><title>Maintenance</title></head>"
                               "<body><h1>We will be back soon</h1></body></html>\n";
    if (answer->spoil == FAULT_SPOIL_DROPPED) {
        answer_drop(answer, fault_spoil_name(answer->spoil));
        return true;
    }
    if (answer->spoil == FAULT_SPOIL_HTML) {
        record_rejected(answer, STATUS_OK, fault_spoil_name(answer->spoil));
        struct sending sending = {STATUS_OK, "text/html; charset=utf-8", page, sizeof page - 1};
        send_with(answer, &sending, NULL);
        return true;
    }
    return false;
}

bool answer_record_spoiled(struct answer *answer)
{
    if (answer->spoil == FAULT_SPOIL_NONE) {
        return false;
    }
    int status = answer->spoil == FAULT_SPOIL_LOST ? 0 : STATUS_OK;
    record_rejected(answer, status, fault_spoil_name(answer->spoil));
    return true;
}

void answer_write_spoil(const struct answer *answer, struct json_writer *w)
{
    if (answer->spoil != FAULT_SPOIL_NONE) {
        json_write_member_text(w, "answer", fault_spoil_name(answer->spoil));
    }
}

void answer_drop(struct answer *answer, const char *why)
{
    record_rejected(answer, 0, why);
    http_exchange_drop(answer->exchange);
}

void answer_reject_parameter(struct answer *answer, const char *why,
                             const struct request_refusal *refusal)
{
    answer_reject(answer,
                  &(struct answer_rejection){400, why, refusal->parameter, refusal->message, {0}});
}

void answer_reject_memory(struct answer *answer)
{
    answer_reject(answer, &(struct answer_rejection){500, "memory", NULL, "out of memory", {0}});
}

bool answer_check_quota(struct answer *answer, struct limiter *limiter,
                        const struct answer_quota *quota)
{
    struct mono now = answer->now.mono;
    if (quota->rate_per_s < limiter->rate_per_s || quota->rate_per_s > limiter->rate_per_s) {
        limiter_init(limiter, quota->rate_per_s, quota->burst > 1 ? quota->burst : 1, now);
    }
    if (limiter->rate_per_s <= 0 || limiter_take(limiter, 0, now)) {
        return true;
    }
    int64_t wait_ms = limiter_wait_ms(limiter, 0, now);
    int64_t wait_s = wait_ms / 1000 + (wait_ms % 1000 != 0);
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%" PRId64, wait_s < 1 ? 1 : wait_s);
    answer_reject_for_now(answer, 429, quota->why, seconds);
    return false;
}

bool answer_check_accept(struct answer *answer)
{
    if (request_accepts_json(http_exchange_header(answer->exchange, "Accept"))) {
        return true;
    }
    answer_reject(answer, &(struct answer_rejection){
                              406, "accept", "Accept", "the answer can only be JSON", {0}});
    return false;
}

bool answer_check_json(struct answer *answer)
{
    if (request_has_content_type(http_exchange_header(answer->exchange, "Content-Type"),
                                 "application/json")) {
        return true;
    }
    answer_reject(answer,
                  &(struct answer_rejection){
                      415, "content_type", "Content-Type", "must be application/json", {0}});
    return false;
}
