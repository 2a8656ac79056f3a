/* answer.h - one request on its way to its answer.
 *
 * Every function here that answers leaves the ledger its line where the request was refused; what
 * was granted, the endpoint records itself.
 */
#ifndef SIM_ANSWER_H
#define SIM_ANSWER_H

#include "base/buf.h"
#include "base/json_write.h"
#include "net/http_server.h"
#include "net/limiter.h"
#include "sim/calls.h"
#include "sim/fault.h"
#include "sim/ledger.h"
#include "sim/request.h"

#include <stdbool.h>
#include <stdint.h>

struct answer {
    struct http_exchange *exchange;
    struct ledger *ledger; /* borrowed, as body */
    struct buf *body;      /* reused from answer to answer */
    struct calls_now now;
    struct buf id;          /* the interaction asked about; empty while unknown */
    struct call *call;      /* NULL while unknown */
    enum fault_spoil spoil; /* what becomes of the answer; a refusal is always sent as it is */
};

/* Why a request is refused: `why` is the ledger's word, `message` is for people. */
struct answer_rejection {
    int status;
    const char *why;
    const char *parameter; /* or NULL */
    const char *message;
    struct http_header header; /* or a NULL name */
};

/* A quota in force; it may differ from the one before. */
struct answer_quota {
    double rate_per_s; /* 0: none */
    double burst;      /* at least 1 is held */
    const char *why;
};

/* Empties the body and begins to write it. */
struct json_writer answer_begin(struct answer *answer);

/* Sends what was written, or nothing for 204; or spoils it. */
void answer_send(struct answer *answer, int status);

/* Closes the connection, or shows a page, instead of an answer, where `spoil` says so. Returns
 * whether it did. */
bool answer_spoil_early(struct answer *answer);

/* The ledger's line in place of what a reader could not use: false if it can. */
bool answer_record_spoiled(struct answer *answer);

/* Adds to a line what became of the answer, unless it was simply sent. */
void answer_write_spoil(const struct answer *answer, struct json_writer *w);

/* Forgets the exchange without an answer. */
void answer_drop(struct answer *answer, const char *why);

void answer_reject(struct answer *answer, const struct answer_rejection *rejection);
/* With this Retry-After, or NULL for none. */
void answer_reject_for_now(struct answer *answer, int status, const char *why,
                           const char *retry_after);
void answer_reject_parameter(struct answer *answer, const char *why,
                             const struct request_refusal *refusal);
void answer_reject_memory(struct answer *answer);

/* Each of these has answered when it returns false. */
bool answer_check_quota(struct answer *answer, struct limiter *limiter,
                        const struct answer_quota *quota);
bool answer_check_accept(struct answer *answer);
bool answer_check_json(struct answer *answer);

#endif
