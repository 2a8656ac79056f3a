/* vendor.h - the simulated vendor: scripted calls, what it answers, and its ledger of all that it
 * served and received. It knows nothing of the daemon's judgement and shares no code with it. */
#ifndef TESTS_SIMULATION_VENDOR_H
#define TESTS_SIMULATION_VENDOR_H

#include "base/buf.h"
#include "plan.h"

enum { FORMS_MAX = 2, STATES_MAX = 4, ATTRIBUTE_BYTES = 16, KEYS_MAX = 64, BLANK = -1 };

/* One form of an utterance: the first that is served, or its revision. */
struct form {
    int64_t visible_ms; /* all times: vendor's clock */
    int64_t end_ms;
    int32_t score;     /* millionths, or BLANK */
    bool served;       /* to a daemon that lived to read it */
    int64_t served_ms; /* when, for the first time */
    uint8_t asked;     /* scorings begun, in this life of the daemon */
    uint32_t life;     /* in which it was last asked for */
    uint8_t logged;
};

struct utterance {
    int64_t start_ms;
    bool customer;
    bool partial; /* shown as non-final for a while first */
    uint8_t form_count;
    struct form forms[FORMS_MAX];
};

enum call_state { STATE_ACTIVE, STATE_HELD, STATE_MASKED };

struct call_span {
    enum call_state state;
    int64_t from_ms;
    bool listed;       /* in a list that a living daemon read */
    int64_t listed_ms; /* when, for the first time */
    uint32_t listed_life;
};

struct shown {
    char key[40];
    int64_t at_ms;
};

struct vendor_call {
    char id[24];
    char master_id[24]; /* or "" */
    int64_t begins_ms;
    int64_t ends_ms;
    struct utterance *utterances; /* by start */
    uint32_t count;
    struct call_span spans[STATES_MAX];
    uint32_t span_count;
    int64_t left_out_ms; /* of the newest lists read, the first without it as live; 0: none */

    double quota; /* of its own */
    int64_t quota_us;

    /* the ledger */
    char score[ATTRIBUTE_BYTES];
    char trend[ATTRIBUTE_BYTES];
    int64_t judged;   /* the attribute that counts utterances; -1: never written */
    int64_t as_of_ms; /* the attribute that says when the newest of them ended */
    int64_t written_ms;
    uint32_t writes;
    uint32_t regressions;
    struct shown shown[KEYS_MAX];
    uint32_t shown_count;
    uint32_t repeats;
    int64_t polled_ms;  /* last answered poll */
    int64_t resumed_ms; /* first answered poll from plan->mark_ms on; 0: none */

    /* what the daemon's log says */
    uint32_t opened;
    uint32_t closed;
    int64_t opened_ms; /* the last time */
    uint32_t alerts;
    uint32_t lost_writes;
};

/* How old the news in an attribute was when the vendor took it: since it had been served. */
struct age {
    int64_t at_ms; /* of the world */
    int64_t age_ms;
};

/* What became of the requests that arrived within one second, tokens apart. */
struct tally {
    uint32_t taken;
    uint32_t refused;      /* 429 */
    uint32_t call_refused; /* of those, for a call's own quota */
};

enum { DEATHS_MAX = 256 };

struct vendor {
    const struct plan *plan;
    struct vendor_call *calls;
    uint32_t count;
    uint64_t requests[OPERATIONS];
    uint64_t throttled;
    uint64_t call_throttled; /* of those, for a call's own quota */
    struct tally *tallies;   /* by second of the world */
    size_t tally_count;
    uint64_t tokens; /* granted; also the newest one's number */
    uint64_t void_before;
    double quota;
    int64_t quota_us;
    int64_t arrival_us; /* of the last request to arrive */
    uint32_t life;      /* of the daemon */
    int64_t deaths_ms[DEATHS_MAX];
    uint32_t death_count;
    struct age *ages;
    size_t age_count;
    size_t age_capacity;
    int64_t answered_ms[OPERATIONS]; /* last 2xx */
};

struct vendor_request {
    enum operation operation;
    const char *method;
    const char *url;
    const char *authorization;   /* or NULL */
    const char *idempotency_key; /* or NULL */
    const char *body;
};

struct vendor_reply {
    int status;
    int64_t retry_after_s; /* -1: not said */
    const char *content_type;
    struct buf body;
};

struct vendor *vendor_create(const struct plan *plan);
void vendor_destroy(struct vendor *vendor);

/* What a request is about, by method and address. */
enum operation vendor_operation(const char *method, const char *url);

/* Does what is asked and fills a zeroed reply, whose body the caller frees. */
void vendor_serve(struct vendor *vendor, const struct vendor_request *request,
                  struct vendor_reply *reply);

/* The reply has reached a living daemon. */
void vendor_note_read(struct vendor *vendor, const struct vendor_request *request,
                      const struct vendor_reply *reply);

/* The daemon died or was stopped. */
void vendor_note_death(struct vendor *vendor);
bool vendor_died_between(const struct vendor *vendor, int64_t from_ms, int64_t until_ms);

/* Of the attributes taken from one time to another: the age that this share of them did not pass.
 */
int64_t vendor_age_ms(const struct vendor *vendor, int64_t from_ms, int64_t until_ms, double share);

/* From one time to another, in whole seconds. */
struct tally vendor_tally(const struct vendor *vendor, int64_t from_ms, int64_t until_ms);

struct vendor_call *vendor_call_named(struct vendor *vendor, const char *id);

bool vendor_is_live(const struct vendor_call *call);

/* The state the call is in at a time of the vendor's clock. */
const struct call_span *vendor_span_at(const struct vendor_call *call, int64_t at_ms);

/* The texts say what they are: "u CALL NUMBER FORM SCORE". False for any other text. */
bool vendor_parse_text(const char *text, uint32_t *call, uint32_t *number, uint32_t *form,
                       int32_t *score);

/* The form that is final and visible at a time, or NULL. */
struct form *vendor_form_at(struct utterance *utterance, int64_t at_ms);

extern struct vendor *the_vendor;

#endif
