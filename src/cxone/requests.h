/* cxone/requests.h - the requests of one connection: where each waits, and whose turn it is.
 *
 * Suggestions always go first. Of all other requests sent, every 16th is discovery's and every
 * third is the polls' if they have one waiting; else writes go before polls, and discovery comes
 * last. A write tells what a poll has brought, so there are never many more of them, and however
 * scarce the quota is, what is known is told soon: what is shed is the asking. But a write does not
 * overtake an older poll of its own call: what arrives at one call keeps the distance in which it
 * was asked for.
 */
#ifndef CXONE_REQUESTS_H
#define CXONE_REQUESTS_H

#include "base/buf.h"
#include "base/clock.h"
#include "cxone/cxone.h"
#include "cxone/discover.h"
#include "cxone/headers.h"
#include "cxone/transcripts.h"
#include "net/http_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUESTS_OPERATIONS = 4 }; /* all but the token */

/* What came so far of a reply in several pages. */
struct request_pages {
    struct pages pages;
    struct buf first_url; /* absolute */
    struct transcripts transcripts;
    struct discover discover;
    size_t body_bytes;
};

/* One thing asked for; owned by whichever list holds it, or by the HTTP call once detached. */
struct request {
    struct request *previous;
    struct request *next;
    struct cxone *cxone; /* NULL once its connection object is gone */
    enum cxone_operation operation;
    const char *method;
    struct buf url;
    bool below_base;       /* the API's address is still to be put in front of it */
    bool is_webhook;       /* not for the vendor: without its token, quota and clock */
    struct buf feed_id;    /* of a poll where there is a transcript socket; else empty */
    int64_t feed_start_ms; /* of one that is answered from it */
    bool from_feed;
    struct request_pages *pages; /* NULL while there is none */
    struct buf body;
    struct buf idempotency_key;
    char correlation[HEADERS_CORRELATION_BYTES];
    uint64_t interaction; /* hash */
    cxone_done_fn *done;
    void *user;
    struct mono asked;
    struct mono sent;
    struct http_call *call;
    uint64_t generation; /* of the token it was sent with */
    bool is_probe;       /* it left while the breaker was not closed */
    bool replayed;
    bool overtakes;             /* a write before which no poll of its interaction is waiting */
    struct cxone_result answer; /* made without a request; reason is a constant */
};

struct request_list {
    struct request *first;
    struct request *last;
    unsigned count;
};

struct requests {
    struct request_list waiting[REQUESTS_OPERATIONS]; /* by operation */
    struct request_list in_flight;
    struct request_list answers; /* decided, to be delivered in the next turn */
    unsigned turn;
};

struct request *requests_new(enum cxone_operation operation, cxone_done_fn *done, void *user);
void requests_free(struct request *request); /* accepts NULL */

void requests_append(struct request_list *list, struct request *request);
void requests_prepend(struct request_list *list, struct request *request);
/* Among those that wait: webhooks first, as they need no token and no quota, and of either kind the
 * one that was asked for first, whether it is new or put back. */
void requests_enqueue(struct request_list *list, struct request *request);
void requests_unlink(struct request_list *list, struct request *request);

unsigned requests_waiting(const struct requests *requests);

/* The operations in the order in which they are to be tried for the next request. */
void requests_order(const struct requests *requests,
                    enum cxone_operation order[REQUESTS_OPERATIONS]);

/* One request of this operation was sent. */
void requests_advance(struct requests *requests, enum cxone_operation operation);

#endif
