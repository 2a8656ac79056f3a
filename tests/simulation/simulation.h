/* simulation.h - one world from its beginning to its end, and what came of it. */
#ifndef TESTS_SIMULATION_SIMULATION_H
#define TESTS_SIMULATION_SIMULATION_H

#include "plan.h"

enum { SPELLS = 8 };

/* The most of some hours, looked at once a minute. A call's memory is a saw-tooth, as the oldest
 * quarter of what is remembered is folded away at a time: two moments would only tell at which
 * height of a tooth each fell. */
struct spell {
    int64_t until_ms;
    size_t heap_bytes; /* without what the ledger writes down */
    size_t disk_bytes;
};

struct figures {
    unsigned failures;
    uint64_t fingerprint;
    uint64_t events;
    int64_t simulated_ms;
    uint32_t calls;
    uint32_t calls_checked; /* those whose last attributes could be foretold */
    uint64_t utterances;    /* customer finals served, in their last form */
    uint64_t scored;        /* lines that say so */
    uint64_t alerts;
    uint64_t suggestions; /* shown */
    uint64_t unknown;
    uint64_t requests[6]; /* by enum operation */
    uint64_t throttled;
    uint64_t writes;
    uint32_t lives;         /* of the daemon */
    unsigned stale_at_stop; /* live calls whose attributes lagged when a SIGTERM had been heeded */
    int64_t probed_ms;      /* first poll sent from plan->mark_ms on, counted from there */
    int64_t recovered_ms;   /* until every live call was polled again, counted likewise */
    unsigned rps_max;       /* requests within one second, tokens apart */
    unsigned waiting_max;   /* in the gateway */
    unsigned scoring_max;   /* in the scorer's queue */
    unsigned held_max;      /* waiting for the store */
    struct spell spells[SPELLS]; /* of equal length, up to plan->calm_ms */
};

/* Runs the plan's world; broken promises are printed as they are found. */
void simulation_run(const struct plan *plan, struct figures *figures);

/* Forgets the world, of which figures can be asked until then. */
void simulation_end(void);

/* Requests sent, tokens apart, from one time to another; and the most in one whole second. */
uint64_t simulation_sent(int64_t from_ms, int64_t until_ms);
unsigned simulation_sent_peak(int64_t from_ms, int64_t until_ms);

/* --- between the parts ----------------------------------------------------------------------- */

/* The loop of the daemon returns at this time at the latest. */
void simulation_run_until(int64_t until_ms);

/* Delivers a signal to the daemon. */
void simulation_signal(int signal_number);

/* The daemon has sent a request. */
void simulation_note_sent(enum operation operation);

#endif
