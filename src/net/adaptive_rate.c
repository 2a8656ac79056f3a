/* adaptive_rate.c - see adaptive_rate.h. While curbed, the rate is at most twice what is really
 * sent: an allowance that nobody uses proves nothing about what the server would take. But without
 * another refusal it never falls below what the cut left, however little there is to send: it would
 * follow the demand down, and the demand it. A pause is left out of what was sent, or each would be
 * followed by a crawl. A rare refusal below the edge does not move it, or chance ones would drag it
 * down. */
#include "net/adaptive_rate.h"

static const double keep_share = 0.85;  /* of the edge, after a cut */
static const double edge_share = 0.95;  /* of it, from where on one refusal is enough */
static const double least_taken = 0.25; /* a cut at once to less than this would be a guess */
static const double least_rps = 0.5;
static const double over_measured = 2;
static const double used_share = 0.8; /* of the rate: below, what was sent counts, not the rate */
static const double fresh_share = 0.8;
static const double doubling = 0.69; /* a second */

/* From the cut back to the edge: this many requests, within bounds. */
static const double requests_to_edge = 120;
static const double to_edge_min_s = 6;
static const double to_edge_max_s = 40;

/* Beyond the edge, so that a quota which is back is found out soon. */
static const double steeper = 4;

/* What a server's bucket may hold: so many seconds of the edge, and a few. */
static const double bucket_s = 0.5;
static const double bucket_least = 2;

enum { SPAN_MS = 500, SPAN_MS_MAX = 4000, SPAN_REQUESTS = 8 };

/* A cut so long ago, without a refusal since, says nothing. */
enum { FORGET_MS = 300000 };

void adaptive_rate_init(struct adaptive_rate *rate, double configured_rps, struct mono now)
{
    *rate = (struct adaptive_rate){
        .configured_rps = configured_rps,
        .rate_rps = configured_rps,
        .span = now,
    };
}

static void measure(struct adaptive_rate *rate, struct mono now)
{
    int64_t elapsed_ms = mono_ms_between(rate->span, now);
    if (elapsed_ms < SPAN_MS || (rate->sent < SPAN_REQUESTS && elapsed_ms < SPAN_MS_MAX)) {
        return;
    }
    double elapsed_s = (double)elapsed_ms / 1e3;
    double beyond = rate->sent - rate->edge_rps * elapsed_s;
    rate->measured_rps += fresh_share * (rate->sent / elapsed_s - rate->measured_rps);
    rate->beyond = rate->beyond + beyond > 0 ? rate->beyond + beyond : 0;
    rate->sent = 0;
    rate->span = now;
}

void adaptive_rate_count(struct adaptive_rate *rate, struct mono now)
{
    measure(rate, now);
    rate->sent++;
    rate->sent_since_cut++;
}

static double between(double value, double low, double high)
{
    value = value < high ? value : high;
    return value > low ? value : low;
}

bool adaptive_rate_is_at_edge(const struct adaptive_rate *rate)
{
    return rate->curbed && rate->rate_rps >= edge_share * rate->edge_rps;
}

bool adaptive_rate_is_stale(const struct adaptive_rate *rate, struct mono sent)
{
    return rate->curbed && sent.us <= rate->cut.us;
}

static double used_rps(const struct adaptive_rate *rate)
{
    bool is_used = rate->measured_rps <= 0 || rate->measured_rps > used_share * rate->rate_rps;
    return is_used ? rate->rate_rps : rate->measured_rps;
}

static void fall_back(struct adaptive_rate *rate, double edge_rps, struct mono from)
{
    rate->edge_rps = between(edge_rps, least_rps, rate->configured_rps);
    rate->rate_rps = between(rate->edge_rps * keep_share, least_rps, rate->configured_rps);
    rate->beyond = 0;
    rate->doubles = false;
    rate->curbed = true;
    rate->cut = from;
    rate->span = from;
    rate->sent = 0;
    rate->sent_since_cut = 0;
}

void adaptive_rate_ease(struct adaptive_rate *rate, bool often, struct mono now)
{
    measure(rate, now);
    double edge_rps = used_rps(rate);
    bool is_chance = !often && rate->sent_since_cut >= requests_to_edge &&
                     adaptive_rate_is_at_edge(rate) && edge_rps < rate->edge_rps;
    fall_back(rate, is_chance ? rate->edge_rps : edge_rps, now);
    rate->guessed = false;
}

void adaptive_rate_cut(struct adaptive_rate *rate, double refused_share, struct mono resume,
                       struct mono now)
{
    measure(rate, now);
    fall_back(rate, used_rps(rate) * between(1 - refused_share, least_taken, 1),
              resume.us > now.us ? resume : now);
    rate->guessed = true;
}

static double curve_rps(const struct adaptive_rate *rate, struct mono now)
{
    double to_edge_s = between(requests_to_edge / rate->edge_rps, to_edge_min_s, to_edge_max_s);
    to_edge_s = rate->guessed ? to_edge_min_s : to_edge_s;
    double from_edge = (double)mono_ms_between(rate->cut, now) / 1e3 / to_edge_s - 1;
    double steepness = from_edge > 0 ? steeper : 1;
    return rate->edge_rps * (1 + (1 - keep_share) * steepness * from_edge * from_edge * from_edge);
}

static double doubled_rps(struct adaptive_rate *rate, struct mono now)
{
    double elapsed_s = (double)mono_ms_between(rate->grown, now) / 1e3;
    rate->grown = now;
    return rate->rate_rps * (1 + doubling * (elapsed_s < 1 ? elapsed_s : 1));
}

bool adaptive_rate_accepted(struct adaptive_rate *rate, struct mono now)
{
    if (!rate->curbed || now.us < rate->cut.us) {
        return false;
    }
    measure(rate, now);
    if (!rate->doubles && rate->beyond > rate->edge_rps * bucket_s + bucket_least) {
        rate->doubles = true;
        rate->grown = now;
    }
    double rps = rate->doubles ? doubled_rps(rate, now) : curve_rps(rate, now);
    double most_rps = rate->measured_rps > 0 ? over_measured * rate->measured_rps : rps;
    double cut_rps = rate->edge_rps * keep_share;
    most_rps = most_rps > cut_rps ? most_rps : cut_rps;
    rps = rps < most_rps ? rps : most_rps;
    if (rps >= rate->configured_rps || mono_ms_between(rate->cut, now) >= FORGET_MS) {
        rate->rate_rps = rate->configured_rps;
        rate->curbed = false;
        return true;
    }
    rate->rate_rps = between(rps, least_rps, rate->configured_rps);
    return false;
}
