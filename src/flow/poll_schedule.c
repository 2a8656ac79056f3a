/* poll_schedule.c - see poll_schedule.h.
 *
 * How many polls a given theta makes is known without asking the calls one by one: they are counted
 * by state and by w lambda in steps of an eighth of an octave. So theta is found by bisection once
 * a second, at a cost that does not grow with the calls. An integral controller on the intervals
 * under way would lag behind them by up to max_ms, and overshoot by as much after each change. */
#include "flow/poll_schedule.h"

#include <math.h>

/* Of lambda: what is believed of a call before anything is heard, and how fast it fades. */
static const double prior_utterances = 2;
static const double prior_s = 8;
static const double half_life_s = 30;
static const double rate_min = 0.02;
static const double rate_max = 2;

static const double weight_max = 8;
static const double step_first = 0.01; /* least of w lambda: rate_min, repeatedly silent */
static const double steps_an_octave = 8;
enum { EMPTY_REPEATED = 3 };

/* After a reply with something in it: the next turn is not over sooner. */
static const double turn_gap_s = 1.5;

static const double target = 0.95;
static const double jitter = 0.1;
static const double others_fade_s = 10;

/* What waits should be sent in this time, at this cost to the polls at most: more would swing, as
 * the polls under way follow theta by up to an interval. */
static const double drain_s = 5;
static const double drain_share_max = 0.15;

/* Of the quota: kept for token, discovery and the like; never taken from the polls. */
static const double control_rps = 1;
static const double control_share = 0.1;
static const double polls_share_min = 0.2;

/* Of the polls' part: what keeping the promise may take. Were it all, every call would wait its
 * turn of a round-robin and those at risk no less; so nobody waits twice that turn, and the rest is
 * for whoever should be seen sooner. */
static const double promise_share = 0.52;

/* A quota that is known has a margin to its target. Of one that is being learnt nothing should go
 * unused, but calls come to their polls a little later than planned. So as long as next to nothing
 * waits, a little more is planned, within bounds. */
static const double trim_max = 1.25;
static const double trim_more = 1.01; /* a second */
static const double trim_less = 0.97;
static const double trim_waiting_s = 0.1;

/* Theta is as the square of the interval: then calls are told anew. */
static const double plenty_factor = 2;

enum { MEASURE_MS = 1000, RESTORED_AFTER_MS = 10000, BISECTIONS = 40 };

static double seconds(int64_t ms)
{
    return (double)ms / 1e3;
}

static double bounded(double value, double low, double high)
{
    return value < low ? low : (value > high ? high : value);
}

/* --- what all share -------------------------------------------------------------------------- */

/* At this theta a call with the prior's rate and weight 1 is polled at the active pace. */
static double theta_min(const struct poll_schedule *schedule)
{
    double pace_s = seconds(schedule->limits.pace_ms[POLL_SCHEDULE_ACTIVE]);
    return prior_utterances / prior_s * pace_s * pace_s / 2;
}

/* At this one even the most urgent call waits for the promise. */
static double theta_max(const struct poll_schedule *schedule)
{
    double longest_s = seconds(poll_schedule_longest_ms(schedule));
    return weight_max * rate_max * longest_s * longest_s / 2;
}

/* The interval of a call, jitter apart. The state's pace holds while quota is plentiful and gives
 * way quickly as it is not. */
static double interval_s(const struct poll_schedule *schedule, double theta,
                         enum poll_schedule_state state, double urgency, double least_s)
{
    double wait_s = sqrt(2 * theta / urgency);
    double pace_s = seconds(schedule->limits.pace_ms[state]) * theta / theta_min(schedule);
    wait_s = wait_s > least_s ? wait_s : least_s;
    wait_s = wait_s < pace_s ? wait_s : pace_s;
    return bounded(wait_s, seconds(schedule->limits.floor_ms),
                   seconds(poll_schedule_longest_ms(schedule)));
}

static double demand_rps(const struct poll_schedule *schedule, double theta)
{
    /* Where the promise cuts off the later half of the jitter, the mean is a little sooner. */
    double longest_s = seconds(poll_schedule_longest_ms(schedule)) * (1 - jitter / 4);
    double sum = 0;
    for (int state = 0; state < POLL_SCHEDULE_STATES; state++) {
        for (int step = 0; step < POLL_SCHEDULE_STEPS; step++) {
            if (schedule->wanting[state][step] > 0) {
                double urgency = step_first * exp2((step + 0.5) / steps_an_octave);
                double wait_s =
                    interval_s(schedule, theta, (enum poll_schedule_state)state, urgency, 0);
                sum += schedule->wanting[state][step] / (wait_s < longest_s ? wait_s : longest_s);
            }
        }
    }
    return sum;
}

/* Bisects the logarithm: demand falls as theta grows. What waits is a matter of seconds: it moves
 * theta, but not the promise. */
static void solve_theta(struct poll_schedule *schedule, unsigned waiting)
{
    double low = theta_min(schedule);
    double high = theta_max(schedule);
    double drained_rps = schedule->left_rps - waiting / drain_s;
    double least_rps = schedule->left_rps * (1 - drain_share_max);
    double wanted_rps =
        target * schedule->trim * (drained_rps > least_rps ? drained_rps : least_rps);
    if (demand_rps(schedule, low) <= wanted_rps) {
        high = low;
    }
    for (int i = 0; i < BISECTIONS && high > low * 1.001; i++) {
        double middle = sqrt(low * high);
        if (demand_rps(schedule, middle) > wanted_rps) {
            low = middle;
        } else {
            high = middle;
        }
    }
    schedule->theta = high;
    schedule->demand_rps = demand_rps(schedule, high);
}

static double left_for_polls(const struct poll_schedule *schedule, double quota_rps)
{
    double control = quota_rps * control_share;
    control = control < control_rps ? control : control_rps;
    double left = quota_rps - control - schedule->others_rps;
    return left > quota_rps * polls_share_min ? left : quota_rps * polls_share_min;
}

static void weigh_promise(struct poll_schedule *schedule, struct mono now)
{
    double kept_rps = (double)schedule->calls / seconds(schedule->limits.max_ms);
    double strain = kept_rps / (schedule->left_rps * promise_share);
    schedule->stretch = strain > 1 ? strain : 1;
    if (strain > 1) {
        schedule->degraded = true;
        schedule->strained = now;
    } else if (mono_ms_between(schedule->strained, now) >= RESTORED_AFTER_MS) {
        schedule->degraded = false;
    }
}

void poll_schedule_set_limits(struct poll_schedule *schedule,
                              const struct poll_schedule_limits *limits)
{
    schedule->limits = *limits;
    if (schedule->limits.max_ms < limits->floor_ms) {
        schedule->limits.max_ms = limits->floor_ms;
    }
}

void poll_schedule_init(struct poll_schedule *schedule, const struct poll_schedule_limits *limits,
                        double quota_rps, struct mono now)
{
    *schedule = (struct poll_schedule){
        .stretch = 1,
        .trim = 1,
        .measured = now,
        .strained = now,
        .ramp = now,
    };
    poll_schedule_set_limits(schedule, limits);
    schedule->left_rps = left_for_polls(schedule, quota_rps);
    schedule->theta = theta_min(schedule);
}

void poll_schedule_set_learnt(struct poll_schedule *schedule, bool learnt)
{
    schedule->learnt = learnt;
}

bool poll_schedule_take_plenty(struct poll_schedule *schedule)
{
    bool is_plenty = schedule->theta * plenty_factor < schedule->theta_planned;
    if (is_plenty || schedule->theta > schedule->theta_planned) {
        schedule->theta_planned = schedule->theta;
    }
    return is_plenty;
}

int64_t poll_schedule_longest_ms(const struct poll_schedule *schedule)
{
    return (int64_t)((double)schedule->limits.max_ms * schedule->stretch);
}

void poll_schedule_count_other(struct poll_schedule *schedule)
{
    schedule->others++;
}

static void trim(struct poll_schedule *schedule, unsigned waiting)
{
    bool is_scarce = schedule->learnt && schedule->theta > theta_min(schedule);
    bool is_idle = waiting < 1 + schedule->left_rps * trim_waiting_s;
    schedule->trim =
        bounded(schedule->trim * (is_scarce && is_idle ? trim_more : trim_less), 1, trim_max);
}

void poll_schedule_steer(struct poll_schedule *schedule, double quota_rps, unsigned waiting,
                         struct mono now)
{
    int64_t elapsed_ms = mono_ms_between(schedule->measured, now);
    bool many_more = schedule->calls > schedule->calls_steered + schedule->calls_steered / 4 + 8;
    if (elapsed_ms < MEASURE_MS && !many_more) {
        return;
    }
    if (elapsed_ms >= MEASURE_MS) {
        double elapsed_s = seconds(elapsed_ms);
        double fresh = 1 - exp(-elapsed_s / others_fade_s);
        schedule->others_rps += fresh * (schedule->others / elapsed_s - schedule->others_rps);
        schedule->others = 0;
        schedule->measured = now;
        trim(schedule, waiting);
    }
    schedule->calls_steered = schedule->calls;
    schedule->left_rps = left_for_polls(schedule, quota_rps);
    weigh_promise(schedule, now);
    solve_theta(schedule, waiting);
}

/* --- one call -------------------------------------------------------------------------------- */

static void count_in(struct poll_schedule *schedule, struct poll_schedule_call *call,
                     enum poll_schedule_state state, double urgency)
{
    double step = log2(urgency / step_first) * steps_an_octave;
    call->state = (uint8_t)state;
    call->step = (uint8_t)bounded(step, 0, POLL_SCHEDULE_STEPS - 1);
    schedule->wanting[call->state][call->step]++;
}

static void count_out(struct poll_schedule *schedule, const struct poll_schedule_call *call)
{
    schedule->wanting[call->state][call->step]--;
}

static double urgency_of(const struct poll_schedule_call *call,
                         const struct poll_schedule_need *need)
{
    double rate = poll_schedule_rate(call);
    if (need->held) {
        return step_first;
    }
    switch (need->risk) {
    case POLL_SCHEDULE_ALERT:
        return weight_max * rate;
    case POLL_SCHEDULE_LOW:
        return 4 * rate;
    case POLL_SCHEDULE_CALM:
        break;
    }
    return (need->young ? 2 : 1) * (call->empty >= EMPTY_REPEATED ? 0.5 : 1) * rate;
}

struct mono poll_schedule_join(struct poll_schedule *schedule, struct poll_schedule_call *call,
                               bool urgent, struct rand *rand, struct mono now)
{
    static const struct poll_schedule_need fresh = {.young = true};
    int64_t spread_ms =
        urgent ? schedule->limits.floor_ms : schedule->limits.pace_ms[POLL_SCHEDULE_ACTIVE];
    struct mono ramp = schedule->ramp.us > now.us ? schedule->ramp : now;
    struct mono first = urgent ? now : ramp;
    *call = (struct poll_schedule_call){.learnt = now, .joined = true};
    count_in(schedule, call, fresh.state, urgency_of(call, &fresh));
    schedule->calls++;
    schedule->ramp.us = ramp.us + (int64_t)(1e6 / schedule->left_rps);
    first.us += (int64_t)rand_below(rand, (uint64_t)spread_ms * 1000 + 1);
    return first;
}

void poll_schedule_leave(struct poll_schedule *schedule, struct poll_schedule_call *call)
{
    if (call->joined) {
        count_out(schedule, call);
        schedule->calls--;
        call->joined = false;
    }
}

void poll_schedule_learn(struct poll_schedule_call *call, unsigned utterances, struct mono now)
{
    double kept = exp2(-seconds(mono_ms_between(call->learnt, now)) / half_life_s);
    call->heard = call->heard * kept + utterances;
    /* The integral of what is kept, so that a steady rate is learnt without bias. */
    call->watched_s = call->watched_s * kept + (1 - kept) * half_life_s / log(2);
    call->learnt = now;
    call->empty = utterances > 0 ? 0 : call->empty + 1;
}

double poll_schedule_rate(const struct poll_schedule_call *call)
{
    return bounded((prior_utterances + call->heard) / (prior_s + call->watched_s), rate_min,
                   rate_max);
}

int64_t poll_schedule_interval_ms(struct poll_schedule *schedule, struct poll_schedule_call *call,
                                  const struct poll_schedule_need *need, struct rand *rand)
{
    bool turn_began = need->risk == POLL_SCHEDULE_CALM && !need->held && call->empty == 0;
    double urgency = urgency_of(call, need);
    double wait_s =
        interval_s(schedule, schedule->theta, need->state, urgency, turn_began ? turn_gap_s : 0);
    count_out(schedule, call);
    count_in(schedule, call, need->state, urgency);
    wait_s *= 1 - jitter + 2 * jitter * rand_uniform(rand);
    return (int64_t)(bounded(wait_s, seconds(schedule->limits.floor_ms),
                             seconds(poll_schedule_longest_ms(schedule))) *
                     1e3);
}
