/* flow/poll_schedule.h - how long each call waits for its next poll, when the quota is shared.
 * Pure.
 *
 * A poll fetches everything new, so what a poll saves is waiting. Polled every T_i, a call with
 * lambda_i utterances a second and weight w_i costs w_i lambda_i T_i / 2 of weighted waiting a
 * second; the least sum within a given number of polls a second has every T_i proportional to
 * 1 / sqrt(w_i lambda_i). In the form of an index (after Olston and Pandey, WWW 2008, with waiting
 * in the place of staleness): call i is due when
 *
 *     w_i lambda_i tau_i^2 / 2 >= theta        tau_i: time since its last poll
 *
 * lambda_i is learnt per call; theta, one number for all, is set each second so that the polls
 * wanted are 95 % of the quota left for them.
 *
 * Bounds: never sooner than floor_ms; never later than max_ms, the promise, unless even that is
 * more than the quota gives: then the promise is stretched for all alike, and `degraded` says so.
 * While quota is plentiful, theta rests at its least value and each call is polled at the pace of
 * its state or sooner.
 */
#ifndef FLOW_POLL_SCHEDULE_H
#define FLOW_POLL_SCHEDULE_H

#include "base/clock.h"
#include "base/rand.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum poll_schedule_risk {
    POLL_SCHEDULE_CALM,
    POLL_SCHEDULE_LOW,   /* the mean is low, or declines: weight 4 */
    POLL_SCHEDULE_ALERT, /* an alert is open, did it recover?: weight 8 */
};

enum poll_schedule_state {
    POLL_SCHEDULE_ACTIVE, /* someone spoke just now */
    POLL_SCHEDULE_IDLE,
    POLL_SCHEDULE_QUIET,
    POLL_SCHEDULE_STATES, /* their number */
};

enum { POLL_SCHEDULE_STEPS = 88 }; /* of w lambda, eight an octave from 0.01 up */

struct poll_schedule_limits {
    int64_t floor_ms;                      /* least interval */
    int64_t pace_ms[POLL_SCHEDULE_STATES]; /* greatest interval while quota is plentiful */
    int64_t max_ms;                        /* greatest interval promised */
};

/* What all calls share. Read it freely; only the functions below change it. */
struct poll_schedule {
    struct poll_schedule_limits limits;
    double theta;         /* weighted utterance-seconds */
    double demand_rps;    /* polls a second the calls want at this theta */
    double left_rps;      /* of the quota, for polls */
    double theta_planned; /* greatest under which a call may have been told its interval */
    double trim;          /* more is planned by this, as it comes later than planned */
    double stretch;       /* the promise is max_ms times this; 1: it is kept */
    bool degraded;
    bool learnt; /* the quota is */
    size_t calls;
    size_t calls_steered; /* when theta was last set */
    double others_rps;    /* writes and retries, smoothed */
    unsigned others;      /* since `measured` */
    struct mono measured;
    struct mono strained; /* the last time the promise was not to be kept */
    struct mono ramp;     /* the next new call's first poll is not before this */
    uint32_t wanting[POLL_SCHEDULE_STATES][POLL_SCHEDULE_STEPS]; /* calls, by state and w lambda */
};

/* One call's part. */
struct poll_schedule_call {
    double heard;     /* utterances, fading with a half-life of 30 s */
    double watched_s; /* time they were heard in, fading alike */
    struct mono learnt;
    unsigned empty; /* polls in a row that brought nothing */
    bool joined;
    uint8_t state; /* where in `wanting` it is counted */
    uint8_t step;
};

/* What a call's session knows. */
struct poll_schedule_need {
    enum poll_schedule_risk risk;
    enum poll_schedule_state state;
    bool young; /* followed for less than a minute: weight 2 */
    bool held;  /* on hold, where nobody is heard: as little urgent as can be */
};

void poll_schedule_init(struct poll_schedule *schedule, const struct poll_schedule_limits *limits,
                        double quota_rps, struct mono now);

/* Other limits from now on; calls under way keep the poll that they wait for. */
void poll_schedule_set_limits(struct poll_schedule *schedule,
                              const struct poll_schedule_limits *limits);

/* The call takes part from now on. Returns its first poll's time: calls that come together are
 * spread over the active pace and then their number / left_rps; an urgent one does not queue behind
 * the rest. */
struct mono poll_schedule_join(struct poll_schedule *schedule, struct poll_schedule_call *call,
                               bool urgent, struct rand *rand, struct mono now);

/* It needs no more polls; no-op if it takes no part. */
void poll_schedule_leave(struct poll_schedule *schedule, struct poll_schedule_call *call);

/* A poll brought this many utterances not heard before. */
void poll_schedule_learn(struct poll_schedule_call *call, unsigned utterances, struct mono now);

/* Utterances a second, as learnt: Gamma prior of 2 in 8 s, never under 0.02. */
double poll_schedule_rate(const struct poll_schedule_call *call);

/* Milliseconds from the last poll of a call that takes part to its next, with +-10 % of jitter,
 * within the bounds. */
int64_t poll_schedule_interval_ms(struct poll_schedule *schedule, struct poll_schedule_call *call,
                                  const struct poll_schedule_need *need, struct rand *rand);

/* Whether the quota is no longer what was configured, but what the vendor turned out to take. */
void poll_schedule_set_learnt(struct poll_schedule *schedule, bool learnt);

/* Whether theta has fallen so far that calls should be told their intervals anew, which they get to
 * hear in this turn: those under way were told for a quota that was scarcer by half. */
bool poll_schedule_take_plenty(struct poll_schedule *schedule);

/* The promise as it stands. */
int64_t poll_schedule_longest_ms(const struct poll_schedule *schedule);

/* A request was made that no interval counts, a write or a retry: it comes out of the polls' part.
 */
void poll_schedule_count_other(struct poll_schedule *schedule);

/* Sets theta, if a second has passed or many calls have come; call it often. quota_rps is what the
 * vendor gives now, waiting how many requests could not be sent yet. */
void poll_schedule_steer(struct poll_schedule *schedule, double quota_rps, unsigned waiting,
                         struct mono now);

#endif
