/* plan.h - what is to happen in one simulated world: calls, faults, the daemon's settings. A plan
 * comes from a seed (plan.c) or is one of the named scenarios (scenarios.c). */
#ifndef TESTS_SIMULATION_PLAN_H
#define TESTS_SIMULATION_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum operation {
    OPERATION_TRANSCRIPTS,
    OPERATION_ATTRIBUTES,
    OPERATION_SUGGESTIONS,
    OPERATION_LIST,
    OPERATION_TOKEN,
    OPERATIONS,
};

const char *operation_name(enum operation operation);

enum fault_kind {
    FAULT_STATUS,       /* answers with status `value` */
    FAULT_REFUSED,      /* no connection */
    FAULT_SILENCE,      /* the request gets lost: a timeout */
    FAULT_LOST_ANSWER,  /* done, but the answer gets lost: a timeout */
    FAULT_RESET,        /* done, and the connection breaks */
    FAULT_SLOW,         /* answers take up to `value` ms more */
    FAULT_GARBAGE,      /* a log-in page with status 200 */
    FAULT_SHORT_TOKENS, /* tokens live `value` seconds */
    FAULT_REVOKE,       /* every token is void, once */
    FAULT_QUOTA,        /* the vendor gives `value` requests a second */
    FAULT_CHURN,        /* the list leaves calls out */
    FAULT_DISK_SLOW,    /* a commit takes up to `value` ms more */
    FAULT_DISK_FULL,    /* commits fail */
    FAULT_SCORER_SLOW,  /* a score takes up to `value` ms more */
    FAULT_CLOCK_STEP,   /* the daemon's wall clock steps by `value` ms, once */
    FAULT_RELOAD,       /* SIGHUP, once, with another configuration */
    FAULT_KILL,         /* kill -9, once; it is started again after `value` ms */
    FAULT_STOP,         /* SIGTERM, once; started again after `value` ms */
    FAULT_KINDS,
};

const char *fault_name(enum fault_kind kind);

struct fault {
    enum fault_kind kind;
    int64_t from_ms;
    int64_t until_ms;
    double share;        /* of the requests, calls or acts it can hit */
    unsigned operations; /* bits 1 << enum operation */
    int64_t value;
};

enum { FAULTS_MAX = 64 };

struct plan {
    uint64_t seed;
    const char *name;
    /* calls */
    uint32_t calls;
    int64_t arrive_ms; /* the first ones are there at 0, the last ones come at this time */
    int64_t talk_least_ms;
    int64_t talk_most_ms;
    int64_t pause_most_ms; /* between two utterances; the mean is half of it */
    double late_share;     /* of utterances, with up to late_most_ms */
    int64_t late_most_ms;
    double revised_share;
    double partial_share;
    double blank_share;
    double angry_share; /* of calls: scores low enough for alerts */
    double mask_share;  /* of calls: masked for a while */
    double hold_share;
    double transfer_share;
    double duplicate_share; /* of segments in a reply */
    double shuffle_share;   /* of replies */
    /* the vendor */
    double quota_rps;       /* 0: none */
    double call_quota_rps;  /* for one call; 0: what the daemon believes */
    bool hides_retry_after; /* its 429 do not say when to come back */
    int64_t token_s;
    /* the daemon */
    double client_rps;
    double interaction_rps;
    uint32_t calls_max;
    bool durable;                /* it has a store on the simulated disk */
    const char *const *settings; /* further "key=value", NULL-terminated; or NULL */
    /* faults */
    struct fault faults[FAULTS_MAX];
    size_t fault_count;
    int64_t mark_ms; /* from when recovery is counted */
    int64_t calm_ms; /* from here on nothing is faulty */
    int64_t end_ms;  /* all must be over by then */
};

void plan_add_fault(struct plan *plan, const struct fault *fault);

/* Calls, disorder and faults in every mixture, by chance. */
void plan_from_seed(struct plan *plan, uint64_t seed);

/* For people: what the seed came to. */
void plan_print(const struct plan *plan);

/* --- asked while it runs --------------------------------------------------------------------- */

/* The fault of this kind that strikes now, by chance, or NULL. */
const struct fault *plan_strike(const struct plan *plan, enum fault_kind kind,
                                enum operation operation);

/* The fault of this kind that is in force now, or NULL. */
const struct fault *plan_in_force(const struct plan *plan, enum fault_kind kind);

#endif
