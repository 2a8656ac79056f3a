/* call_pace.c - see call_pace.h. */
#include "cxone/call_pace.h"

static const double cut_share = 0.7;
static const double keep_share = 0.9; /* of the edge */
static const double edge_share = 0.95;
static const double edge_cut_most = 0.85;
static const double above_proven = 1.15;
static const double least_share = 0.05; /* of the configured pace */
static const double to_edge_s = 40;

/* One that waited this many times what it had to was not refused for that. */
static const double slow_factor = 1.4;

/* A pace is proven by so many requests without a refusal; a bucket may have helped with some. */
enum { PLACES = 8 };

enum { RUN = 10, RUN_BUCKET = 2, PROVEN_MS = 60000, DOUBT_MS = 10000 };

/* Beyond the edge, the pace keeps so near to what is really made use of. */
static const double over_proven = 1.4;

/* A cut so long ago, without another since, says nothing. */
enum { FORGET_MS = 600000 };

/* Refusals in a hundred answers that are worth a cut. */
static const double worth_share = 0.01;

/* Of all refusals lately; the client's quota refuses those that are far from their pace as well. */
static const double suspect_share = 0.75;
enum { SPAN_MS = 2000, SPAN_ANSWERS = 100, SPAN_MS_MAX = 30000, WORTH_REFUSED = 5 };

void call_pace_init(struct call_pace *pace, double configured_rps, struct mono now)
{
    *pace = (struct call_pace){
        .configured_rps = configured_rps, .rate_rps = configured_rps, .span = now};
}

static double seconds_between(struct mono from, struct mono until)
{
    return (double)mono_ms_between(from, until) / 1e3;
}

static void turn(struct call_pace *pace, struct mono now)
{
    int64_t age_ms = mono_ms_between(pace->span, now);
    if ((age_ms >= SPAN_MS && pace->answers[0] >= SPAN_ANSWERS) || age_ms >= SPAN_MS_MAX) {
        pace->answers[1] = pace->answers[0];
        pace->refused[1] = pace->refused[0];
        pace->others[1] = pace->others[0];
        pace->others[0] = 0;
        pace->answers[0] = 0;
        pace->refused[0] = 0;
        pace->span = now;
        pace->suspect_count = pace->refused[1] > 0 ? pace->suspect_count : 0;
    }
}

static void forget_suspects(struct call_pace *pace, struct mono now)
{
    pace->suspect_count = 0;
    pace->answers[0] = pace->answers[1] = 0;
    pace->refused[0] = pace->refused[1] = 0;
    pace->others[0] = pace->others[1] = 0;
    pace->span = now;
}

/* Where the call is remembered, or the place for it: one of a few, free or longest unheard of. */
static struct call_pace_slot *find(struct call_pace *pace, uint64_t interaction)
{
    struct call_pace_slot *oldest = &pace->slots[interaction % CALL_PACE_SLOTS];
    for (uint64_t i = 0; i < PLACES; i++) {
        struct call_pace_slot *slot = &pace->slots[(interaction + i) % CALL_PACE_SLOTS];
        if (slot->interaction == interaction) {
            return slot;
        }
        oldest = slot->accepted.us < oldest->accepted.us ? slot : oldest;
    }
    return oldest;
}

static void note_accepted(struct call_pace *pace, struct call_pace_slot *slot, uint64_t interaction,
                          struct mono sent, struct mono now)
{
    if (slot->interaction != interaction) {
        *slot = (struct call_pace_slot){.interaction = interaction};
    }
    slot->accepted = sent;
    if (slot->run_count == 0) {
        slot->run = sent;
    }
    if (slot->run_count++ < RUN) {
        return;
    }
    double proven_rps = (RUN - RUN_BUCKET) / (seconds_between(slot->run, sent) + 1e-3);
    bool is_old = mono_ms_between(pace->proven, now) >= PROVEN_MS;
    if (is_old || proven_rps >= pace->proven_rps) {
        pace->proven_rps = proven_rps;
        pace->proven = now;
    }
    slot->run = sent;
    slot->run_count = 1;
}

static bool is_proof_fresh(const struct call_pace *pace, struct mono now)
{
    return pace->proven_rps > 0 && mono_ms_between(pace->proven, now) < PROVEN_MS;
}

/* Whether the call was asked about as often as it might be: only then its own quota may be why. */
static bool is_at_pace(const struct call_pace *pace, const struct call_pace_slot *slot,
                       uint64_t interaction, struct mono sent)
{
    return slot->interaction == interaction &&
           seconds_between(slot->accepted, sent) * pace->rate_rps <= slow_factor;
}

/* And whether that can be, because no other call has been asked as often without a refusal. */
static bool is_suspect(const struct call_pace *pace, const struct call_pace_slot *slot,
                       struct mono sent, struct mono now)
{
    return !is_proof_fresh(pace, now) ||
           seconds_between(slot->accepted, sent) * pace->proven_rps < 1;
}

static void remember(struct call_pace *pace, uint64_t interaction)
{
    for (size_t i = 0; i < pace->suspect_count; i++) {
        if (pace->suspects[i] == interaction) {
            return;
        }
    }
    if (pace->suspect_count < CALL_PACE_DISTINCT) {
        pace->suspects[pace->suspect_count++] = interaction;
    }
}

/* What was sent before the calls had come down to this pace says nothing of it. */
static bool is_settled(const struct call_pace *pace, struct mono sent)
{
    return !pace->curbed || seconds_between(pace->cut, sent) * pace->rate_rps >= 1;
}

/* A little above what some call has kept up, as that was told with caution, but below the pace that
 * was refused. Buckets hide an edge for a while, so the pace may be far beyond it by now. */
static double find_edge(const struct call_pace *pace, struct mono now)
{
    bool is_at_edge = pace->curbed && pace->rate_rps >= edge_share * pace->edge_rps;
    double most_rps = pace->rate_rps * (is_at_edge ? edge_share : edge_cut_most);
    double least_rps = pace->rate_rps * cut_share;
    double rps = is_at_edge ? most_rps : least_rps;
    if (is_proof_fresh(pace, now)) {
        rps = pace->proven_rps * above_proven;
        rps = rps < most_rps ? rps : most_rps;
        rps = rps > least_rps ? rps : least_rps;
    }
    return rps;
}

static void cut(struct call_pace *pace, struct mono now)
{
    double least_rps = pace->configured_rps * least_share;
    pace->before_rps = pace->rate_rps;
    pace->doubts = 0;
    pace->edge_rps = find_edge(pace, now);
    pace->rate_rps = pace->edge_rps * keep_share;
    pace->rate_rps = pace->rate_rps > least_rps ? pace->rate_rps : least_rps;
    pace->curbed = true;
    pace->cut = now;
    forget_suspects(pace, now);
}

/* Calls are refused at a pace that others kept up, just after that was lessened: it was not why. */
static void doubt(struct call_pace *pace, struct mono now)
{
    bool is_soon = pace->curbed && mono_ms_between(pace->cut, now) < DOUBT_MS;
    pace->doubts = is_soon ? pace->doubts + 1 : 0;
    if (pace->doubts == CALL_PACE_DISTINCT) {
        pace->rate_rps = pace->before_rps;
        pace->edge_rps = pace->before_rps;
        pace->curbed = pace->before_rps < pace->configured_rps;
    }
}

static enum call_pace_verdict judge_refusal(struct call_pace *pace, struct call_pace_slot *slot,
                                            uint64_t interaction, struct mono sent, struct mono now)
{
    bool at_pace = is_at_pace(pace, slot, interaction, sent);
    bool suspect = at_pace && is_suspect(pace, slot, sent, now);
    if (slot->interaction == interaction) {
        slot->run_count = 0;
    }
    if (at_pace && !suspect) {
        doubt(pace, now);
    }
    if (!suspect) {
        pace->others[0]++;
        return CALL_PACE_OTHER;
    }
    if (!is_settled(pace, sent)) {
        return CALL_PACE_SUSPECT;
    }
    remember(pace, interaction);
    pace->refused[0]++;
    double refused = pace->refused[0] + pace->refused[1];
    if (pace->suspect_count < CALL_PACE_DISTINCT || refused < WORTH_REFUSED ||
        refused < worth_share * (pace->answers[0] + pace->answers[1]) ||
        refused < suspect_share * (refused + pace->others[0] + pace->others[1])) {
        return CALL_PACE_SUSPECT;
    }
    cut(pace, now);
    return CALL_PACE_CUT;
}

enum call_pace_verdict call_pace_answered(struct call_pace *pace, uint64_t interaction,
                                          struct mono sent, bool refused, struct mono now)
{
    struct call_pace_slot *slot = find(pace, interaction);
    if (pace->configured_rps <= 0) {
        return refused ? CALL_PACE_OTHER : CALL_PACE_FINE;
    }
    turn(pace, now);
    pace->answers[0]++;
    if (refused) {
        return judge_refusal(pace, slot, interaction, sent, now);
    }
    note_accepted(pace, slot, interaction, sent, now);
    return CALL_PACE_FINE;
}

bool call_pace_grow(struct call_pace *pace, struct mono now)
{
    if (!pace->curbed) {
        return false;
    }
    double from_edge = seconds_between(pace->cut, now) / to_edge_s - 1;
    double rps = pace->edge_rps * (1 + (1 - keep_share) * from_edge * from_edge * from_edge);
    double used_rps = pace->proven_rps * over_proven;
    double most_rps = used_rps > pace->edge_rps ? used_rps : pace->edge_rps;
    double least_rps = pace->configured_rps * least_share;
    rps = rps < most_rps ? rps : most_rps;
    pace->rate_rps = rps > least_rps ? rps : least_rps;
    if (rps >= pace->configured_rps || mono_ms_between(pace->cut, now) >= FORGET_MS) {
        pace->rate_rps = pace->configured_rps;
        pace->curbed = false;
        return true;
    }
    return false;
}
