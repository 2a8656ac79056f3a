/* throttle.c - see throttle.h. A span ends when it is both old and long enough, so that the shares
 * mean as much at two requests a second as at six hundred. */
#include "cxone/throttle.h"

static const double many_share = 1.0 / 12;
static const double some_share = 1.0 / 60;

enum {
    BRIEF_MS = 1000,
    BRIEF_ANSWERS = 30,
    LENGTHY_MS = 10000,
    LENGTHY_ANSWERS = 200,
    LENGTHY_REFUSED = 6,
    STALE_MS = 60000,
};

static void turn(struct throttle_span span[2], int64_t least_ms, unsigned least_answers,
                 struct mono now)
{
    int64_t age_ms = mono_ms_between(span[0].begun, now);
    if ((age_ms >= least_ms && span[0].accepted + span[0].refused >= least_answers) ||
        age_ms >= STALE_MS) {
        span[1] = age_ms < STALE_MS ? span[0] : (struct throttle_span){0};
        span[0] = (struct throttle_span){.begun = now};
    }
}

static void turn_all(struct throttle *throttle, struct mono now)
{
    turn(throttle->brief, BRIEF_MS, BRIEF_ANSWERS, now);
    turn(throttle->lengthy, LENGTHY_MS, LENGTHY_ANSWERS, now);
}

static double share_of(const struct throttle_span span[2])
{
    unsigned refused = span[0].refused + span[1].refused;
    unsigned answers = refused + span[0].accepted + span[1].accepted;
    return answers > 0 ? (double)refused / answers : 0;
}

void throttle_reset(struct throttle *throttle, struct mono now)
{
    *throttle = (struct throttle){.brief = {{.begun = now}}, .lengthy = {{.begun = now}}};
}

void throttle_eased(struct throttle *throttle, struct mono now)
{
    throttle->brief[0] = (struct throttle_span){.begun = now};
    throttle->brief[1] = (struct throttle_span){0};
}

void throttle_accepted(struct throttle *throttle, struct mono now)
{
    turn_all(throttle, now);
    throttle->brief[0].accepted++;
    throttle->lengthy[0].accepted++;
}

static void remember(struct throttle *throttle, uint64_t interaction)
{
    for (size_t i = 0; i < throttle->count; i++) {
        if (throttle->recent[i] == interaction) {
            return;
        }
    }
    if (throttle->count < THROTTLE_DISTINCT) {
        throttle->recent[throttle->count++] = interaction;
    }
}

enum throttle_verdict throttle_refused(struct throttle *throttle, uint64_t interaction,
                                       double *share, struct mono now)
{
    turn_all(throttle, now);
    if (throttle->lengthy[0].refused + throttle->lengthy[1].refused == 0) {
        throttle->count = 0;
    }
    remember(throttle, interaction);
    throttle->brief[0].refused++;
    throttle->lengthy[0].refused++;
    *share = share_of(throttle->brief);
    if (throttle->count < THROTTLE_DISTINCT) {
        return THROTTLE_CHANCE;
    }
    unsigned refused = throttle->brief[0].refused + throttle->brief[1].refused;
    if (refused >= THROTTLE_DISTINCT && *share >= many_share) {
        return THROTTLE_MANY;
    }
    unsigned answers = throttle->lengthy[0].accepted + throttle->lengthy[1].accepted;
    refused = throttle->lengthy[0].refused + throttle->lengthy[1].refused;
    return answers >= LENGTHY_ANSWERS && refused >= LENGTHY_REFUSED &&
                   share_of(throttle->lengthy) >= some_share
               ? THROTTLE_SOME
               : THROTTLE_CHANCE;
}
