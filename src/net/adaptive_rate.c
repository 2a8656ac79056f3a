/* adaptive_rate.c - see adaptive_rate.h. While curbed, the rate is at most twice what is really
 * sent: an allowance that nobody uses proves nothing about what the server would take. But without
 * another refusal it never falls below what the cut left, however little there is to send: it would
 * follow the demand down, and the demand it. A pause is left out of what was sent, or each would be
 * followed by a crawl. */
#include "net/adaptive_rate.h"

static const double keep_share = 0.7;
static const double growth = 0.4; /* requests a second, per cubed second */
static const double least_rps = 0.5;
static const double over_measured = 2;
static const double fresh_share = 0.8;

enum { SPAN_MS = 500 };

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
    if (elapsed_ms >= SPAN_MS) {
        double fresh_rps = rate->sent / ((double)elapsed_ms / 1e3);
        rate->measured_rps += fresh_share * (fresh_rps - rate->measured_rps);
        rate->sent = 0;
        rate->span = now;
    }
}

void adaptive_rate_count(struct adaptive_rate *rate, struct mono now)
{
    measure(rate, now);
    rate->sent++;
}

/* Newton's steps from above, where they cannot overshoot. This room links no mathematics library.
 */
static double cube_root(double cube)
{
    double root = cube > 1 ? cube : 1;
    double better = (2 * root + cube / (root * root)) / 3;
    while (better < root) {
        root = better;
        better = (2 * root + cube / (root * root)) / 3;
    }
    return root;
}

static double between(double value, double low, double high)
{
    value = value < high ? value : high;
    return value > low ? value : low;
}

bool adaptive_rate_refused(struct adaptive_rate *rate, struct mono sent, struct mono resume,
                           struct mono now)
{
    if (rate->curbed && sent.us <= rate->cut.us) {
        return false;
    }
    measure(rate, now);
    double w_max_rps = rate->rate_rps;
    if (rate->measured_rps > 0 && rate->measured_rps < w_max_rps) {
        w_max_rps = rate->measured_rps;
    }
    rate->w_max_rps = w_max_rps;
    rate->rate_rps = between(w_max_rps * keep_share, least_rps, rate->configured_rps);
    rate->curbed = true;
    rate->cut = resume.us > now.us ? resume : now;
    rate->span = rate->cut;
    rate->sent = 0;
    return true;
}

bool adaptive_rate_accepted(struct adaptive_rate *rate, struct mono now)
{
    if (!rate->curbed || now.us < rate->cut.us) {
        return false;
    }
    measure(rate, now);
    double since_s = (double)mono_ms_between(rate->cut, now) / 1e3;
    double knee_s = cube_root(rate->w_max_rps * (1 - keep_share) / growth);
    double from_knee_s = since_s - knee_s;
    double curve_rps = growth * from_knee_s * from_knee_s * from_knee_s + rate->w_max_rps;
    if (curve_rps >= rate->configured_rps) {
        rate->rate_rps = rate->configured_rps;
        rate->curbed = false;
        return true;
    }
    double most_rps = over_measured * rate->measured_rps;
    double cut_rps = rate->w_max_rps * keep_share;
    most_rps = most_rps > cut_rps ? most_rps : cut_rps;
    rate->rate_rps =
        between(curve_rps < most_rps ? curve_rps : most_rps, least_rps, rate->configured_rps);
    return false;
}
