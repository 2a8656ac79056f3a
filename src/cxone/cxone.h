/* cxone/cxone.h - the vendor's API: polls, attributes, suggestions, discovery. Loop thread only.
 *
 * One object holds the token, the client-side quota, the breakers and the queue; every request is
 * answered exactly once by its callback with a typed outcome, never before the call returns (but
 * for a call that finds no memory to remember it by).
 * Priority: suggestions, then the token, polls, attributes, discovery last but never starved. One
 * attempt is made per request, but for a 401, which drops that generation of the token, refreshes
 * it once for all waiting requests, and replays; whoever asked decides about any further attempt,
 * and not before retry_after_ms: a vendor that fails most of the time is asked again later.
 */
#ifndef CXONE_CXONE_H
#define CXONE_CXONE_H

#include "base/clock.h"
#include "base/error.h"
#include "cxone/profile.h"
#include "mood/segment.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cxone;

enum cxone_operation {
    CXONE_TRANSCRIPTS,
    CXONE_ATTRIBUTES,
    CXONE_SUGGESTIONS,
    CXONE_DISCOVERY,
    CXONE_TOKEN,
    CXONE_OPERATIONS, /* their number */
};

enum cxone_outcome {
    CXONE_OK,        /* done; transcripts: the array held at least one segment */
    CXONE_EMPTY,     /* transcripts: a valid array with nothing in it */
    CXONE_THROTTLED, /* 429, or 503 with Retry-After: see retry_after_ms */
    CXONE_FAILED,    /* 5xx, transport, no token, breaker open: surely not, or harmlessly, done */
    CXONE_UNKNOWN,   /* suggestion only: it may have been shown; never resend */
    CXONE_ENDED,     /* 404, 410: the interaction is gone */
    CXONE_DENIED,    /* 403, or the capability is suspended because of one */
    CXONE_REFUSED,   /* other 4xx: sending the same again is pointless */
    CXONE_MALFORMED, /* the reply is not what the contract says */
    CXONE_CANCELLED, /* the connection object is being destroyed, or the interaction was dropped */
};

struct cxone_result {
    enum cxone_outcome outcome;
    int status;             /* HTTP status, 0 without a response */
    int64_t retry_after_ms; /* lower bound for the next attempt, or -1 */
    bool blameless;         /* it never left, or only to see whether an open breaker may close:
                             * with retry_after_ms, nobody's fault but the times' */
    int64_t queued_ms;      /* waited here for quota, token or breaker */
    int64_t total_ms;       /* of the exchange itself */
    const char *reason;     /* for logs: no text, no secret; "" on success */
    /* TRANSCRIPTS: segments in reply order, borrowed until the callback returns. Elements without
     * usable text or times are left out and counted. */
    const struct segment *segments;
    size_t segment_count;
    size_t quarantined;
    size_t missing_final; /* elements without isFinal */
    size_t body_bytes;
    const char *language; /* of the customer's last segment that says one, or NULL */
    /* DISCOVERY: borrowed likewise. */
    const struct cxone_active *active;
    size_t active_count;
    size_t unknown_states; /* elements whose state has a name we do not know */
    /* SUGGESTIONS: the vendor's tracking id, or NULL. */
    const char *tracking_id;
};

enum cxone_call_state {
    CXONE_CALL_UNSAID, /* no state, or none we know: the call lives, and is as it was */
    CXONE_CALL_ACTIVE,
    CXONE_CALL_HELD,
    CXONE_CALL_MUTED,
    CXONE_CALL_MASKED, /* what is said is not to be looked at: payment data */
    CXONE_CALL_ENDED,
};

struct cxone_active {
    const char *interaction_id;
    enum cxone_call_state state;
    int64_t state_since_ms; /* vendor clock, or -1 when not said */
    const char *master_id;  /* shared by the calls of one transferred contact, or NULL */
    const char *queue;      /* whose call it is, or NULL */
    const char *language;   /* as the vendor writes it, or NULL */
};

typedef void cxone_done_fn(void *user, const struct cxone_result *result);

/* Things worth a log line or a metric that no single request owns. */
enum cxone_event_kind {
    CXONE_EVENT_TOKEN_REFRESHED,
    CXONE_EVENT_TOKEN_FAILED,
    CXONE_EVENT_TOKEN_INVALIDATED,    /* by a 401 */
    CXONE_EVENT_CREDENTIALS_REJECTED, /* the token endpoint says the client is wrong: slow probing
                                       */
    CXONE_EVENT_SCOPE_MISSING,        /* granted scope lacks one we asked for */
    CXONE_EVENT_CAPABILITY_SUSPENDED, /* 403: endpoint, missing scope and console step in text */
    CXONE_EVENT_CAPABILITY_RESTORED,
    CXONE_EVENT_BREAKER,        /* changed state */
    CXONE_EVENT_ADDRESS_KNOWN,  /* the issuer named the token endpoint or the tenant's API */
    CXONE_EVENT_ADDRESS_FAILED, /* it did not */
    CXONE_EVENT_PAGES_CUT,      /* a reply has more pages than are read, or they go in circles */
    CXONE_EVENT_SOCKET,         /* the transcript socket: value 1 is open, 0 is not */
    CXONE_EVENT_ROUTE_FAILED,   /* of several ways for an alert one failed; value: how many */
    CXONE_EVENT_QUOTA_CUT,      /* by refusals: value is what is sent now, a second */
    CXONE_EVENT_QUOTA_RESTORED, /* the configured rate is back */
    CXONE_EVENT_CALL_QUOTA_CUT, /* for each call; value is ms from one request to the next */
    CXONE_EVENT_CALL_QUOTA_RESTORED,
    CXONE_EVENT_RETRY_AFTER_CUT, /* a Retry-After too long to be heeded; value: in seconds */
};

struct cxone_event {
    enum cxone_event_kind kind;
    enum cxone_operation operation;
    int status;
    int64_t value;    /* token: lifetime in s; breaker: enum breaker_state; quota: requests/s */
    const char *text; /* for people: what happened and what to do */
};

typedef void cxone_event_fn(void *user, const struct cxone_event *event);

struct cxone_timeouts {
    int64_t connect_ms;
    int64_t total_ms[CXONE_OPERATIONS];
};

/* The vendor's transcript socket: experimental. Strings are borrowed. */
struct cxone_socket {
    const char *url; /* "wss://..."; "" or NULL: none */
    bool fallback;   /* poll while it is not open, and for what was said before it was */
    const char *ca_file;
    const char *proxy;
};

struct cxone_options {
    struct cxone_profile profile; /* strings borrowed: they outlive the object */
    struct cxone_timeouts timeouts;
    struct cxone_socket socket;
    enum http_version token_version; /* of requests for tokens; the client's if unsaid */
    double client_rps;               /* quota for everything but the token */
    double interaction_rps;          /* for one call, which whoever asks keeps to; 0: none known */
    double burst;                    /* most requests in one instant; at least 1 */
    double reserve;                  /* share of the burst kept for suggestions, 0..1 */
    unsigned breaker_failures;
    int64_t breaker_open_ms;
    int64_t breaker_probe_ms;
    int64_t retry_after_max_ms; /* a longer one is cut to this; one of over a day is no time */
    int64_t issuer_max_age_ms;  /* how long what the issuer said is used before it is asked again */
    int64_t denied_probe_ms;    /* how long a 403 suspends a capability before one new try */
    unsigned in_flight_max;
    unsigned queue_max;            /* queued requests; more are answered CXONE_FAILED */
    uint64_t seed;                 /* jitter */
    struct wall (*wall_now)(void); /* for the vendor clock's offset; clock_wall by default */
    cxone_event_fn *on_event;
    void *user;
};

void cxone_options_default(struct cxone_options *options);

/* Borrows loop and client, which must outlive it. Checks addresses and credentials; connects to
 * nothing yet. */
int cxone_create(struct cxone **cxone, struct loop *loop, struct http_client *client,
                 const struct cxone_options *options, struct error *err);

/* Answers everything outstanding with CXONE_CANCELLED (a suggestion in flight with CXONE_UNKNOWN:
 * it may have got through), then frees. Not from inside one of its callbacks; a callback that asks
 * again here is cancelled again. Accepts NULL. */
void cxone_destroy(struct cxone *cxone);

void cxone_poll(struct cxone *cxone, const char *interaction_id, int64_t start_ms,
                cxone_done_fn *done, void *user);

struct cxone_attribute {
    const char *key;
    const char *value; /* sent as a JSON string */
};

void cxone_put_attributes(struct cxone *cxone, const char *interaction_id,
                          const struct cxone_attribute *attributes, size_t count,
                          cxone_done_fn *done, void *user);

/* idempotency_key is stable for one alert, over all attempts. */
void cxone_suggest(struct cxone *cxone, const char *interaction_id, const char *idempotency_key,
                   const char *message, cxone_done_fn *done, void *user);

/* options.interaction_rps changed, perhaps: then what was learnt of the calls' quota is forgotten.
 */
void cxone_bound_call(struct cxone *cxone, double interaction_rps);

/* While stopped, these are answered CXONE_DENIED without a request, and so are those that wait for
 * quota or a token. What has been sent cannot be called back. */
void cxone_stop_writes(struct cxone *cxone, bool attributes, bool suggestions);

void cxone_discover(struct cxone *cxone, cxone_done_fn *done, void *user);

/* What the wallboard, /readyz and /metrics want to know. */
struct cxone_status {
    bool token_held;
    bool credentials_rejected;
    unsigned queued;
    unsigned in_flight;
    bool suspended[CXONE_OPERATIONS];
    int breaker[CXONE_OPERATIONS]; /* enum breaker_state */
    uint64_t requests[CXONE_OPERATIONS];
    uint64_t throttled[CXONE_OPERATIONS];
    double retry_tokens[CXONE_OPERATIONS]; /* of 10; no retries at once from 5 down */
    double rate_rps;                       /* requests a second, as the vendor's refusals allow */
    double call_rps;                       /* likewise for one call; 0: no limit */
    int64_t vendor_offset_ms; /* vendor clock minus ours, running median over Date headers */
    bool vendor_offset_known;
};

void cxone_status(const struct cxone *cxone, struct cxone_status *status);

const char *cxone_operation_name(enum cxone_operation operation); /* "transcripts", ... */
const char *cxone_outcome_name(enum cxone_outcome outcome);       /* "throttled", ... */
const char *cxone_call_state_name(enum cxone_call_state state);   /* "unsaid", "active", ... */

/* Score text as the tutorial's Python prints it: rounded to 3 decimals, shortest form, at least one
 * decimal ("0.28", "0.0", "0.333"), C locale always. score is fixed point, 1 000 000 is 1.0. */
enum { CXONE_SCORE_BYTES = 16 };
const char *cxone_format_score(int64_t score, char out[CXONE_SCORE_BYTES]);

#endif
