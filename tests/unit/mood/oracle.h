/* oracle.h - a judgement of calls that knows no cleverness.
 *
 * It keeps a plain list in order of arrival, compares raw fields where the room compares hashes,
 * and recomputes everything from nothing after each event, in quadratic time or worse. What it
 * wants of a step is in `wanted`. It folds nothing away. */
#ifndef TESTS_MOOD_ORACLE_H
#define TESTS_MOOD_ORACLE_H

#include "harness.h"

enum { SAID_MAX = 64, REPLY_MAX = 64, WANTED_MAX = 80, TEXTS = 3 };

static const char *const texts[TEXTS] = {"a", "b", "c"};

struct raw {
    int id; /* the vendor's own id, or 0 */
    enum speaker speaker;
    int64_t start_ms;
    int64_t end_ms;
    int text;
};

struct said {
    struct raw raw;
    int64_t end_ms; /* as judged */
    uint32_t number;
    uint32_t ordinal;
    uint32_t revision;
    bool pending;
    bool backlog;
    bool has_score;
    int64_t score;
};

struct oracle {
    struct mood_policy policy;
    struct said said[SAID_MAX];
    int count;
    int64_t first_start_ms;
    int64_t newest_ms;
    int64_t newest_since_us;
    int64_t origin_ms;
    struct call_reading published;
    bool has_published;
    uint32_t episode;
    bool open;
    bool delivered;
    bool above;
    int64_t above_since_ms;
    int64_t cooling_us;
    struct call_alert alert;
    int64_t told_ms;
    struct call_counts counts;
    struct call_effect wanted[WANTED_MAX];
    size_t wanted_count;
};

static int64_t round_away(int64_t dividend, int64_t divisor)
{
    int64_t size = dividend < 0 ? -dividend : dividend;
    int64_t rounded = (2 * size + divisor) / (2 * divisor);
    return dividend < 0 ? -rounded : rounded;
}

static bool counts(const struct said *said)
{
    return said->has_score && said->raw.speaker == SPEAKER_CUSTOMER;
}

struct set {
    int64_t sum; /* weighted */
    int64_t weight;
    int64_t count;
    bool widened;
    int64_t oldest_ms;
};

static int64_t weight_of(const struct oracle *o, const struct said *said)
{
    int64_t seconds = (said->end_ms - said->raw.start_ms) / 1000;
    if (o->policy.weighting == MOOD_WEIGHTING_NONE || seconds < 1) {
        return 1;
    }
    return seconds > 30 ? 30 : seconds;
}

static struct set between(const struct oracle *o, int64_t after_ms, int64_t to_ms)
{
    struct set set = {.oldest_ms = INT64_MAX};
    for (int i = 0; i < o->count; i++) {
        const struct said *said = &o->said[i];
        if (counts(said) && said->end_ms > after_ms && said->end_ms <= to_ms) {
            set.sum += said->score * weight_of(o, said);
            set.weight += weight_of(o, said);
            set.count++;
            if (said->end_ms < set.oldest_ms) {
                set.oldest_ms = said->end_ms;
            }
        }
    }
    return set;
}

/* Takes in one older event time after the other until there are enough. */
static struct set window(const struct oracle *o, int64_t t)
{
    struct set set = between(o, t - o->policy.window_ms, t);
    if (set.count >= (int64_t)o->policy.window_utterances) {
        return set;
    }
    int64_t floor_ms = t - o->policy.window_widest_ms;
    for (;;) {
        int64_t next = INT64_MIN;
        int64_t bound = set.count > 0 ? set.oldest_ms : t - o->policy.window_ms + 1;
        for (int i = 0; i < o->count; i++) {
            int64_t end_ms = o->said[i].end_ms;
            if (counts(&o->said[i]) && end_ms < bound && end_ms > floor_ms && end_ms > next) {
                next = end_ms;
            }
        }
        if (set.count >= (int64_t)o->policy.window_utterances || next == INT64_MIN) {
            set.widened = true;
            return set;
        }
        set = between(o, next - 1, t);
    }
}

static struct set window_previous(const struct oracle *o, int64_t t, const struct set *current)
{
    return window(o, current->widened ? current->oldest_ms - 1 : t - o->policy.window_ms);
}

static enum call_trend trend_step(const struct oracle *o, enum call_trend trend, int64_t t)
{
    struct set c = window(o, t);
    struct set p = window_previous(o, t, &c);
    int64_t least = (int64_t)o->policy.samples_min;
    if (c.count < least || p.count < least) {
        return CALL_TREND_STABLE;
    }
    int64_t gap = c.sum * p.weight - p.sum * c.weight;
    int64_t unit = c.weight * p.weight;
    if (gap > o->policy.trend_enter * unit) {
        return CALL_TREND_IMPROVING;
    }
    if (-gap > o->policy.trend_enter * unit) {
        return CALL_TREND_DECLINING;
    }
    if (trend == CALL_TREND_IMPROVING && gap >= o->policy.trend_leave * unit) {
        return trend;
    }
    if (trend == CALL_TREND_DECLINING && -gap >= o->policy.trend_leave * unit) {
        return trend;
    }
    return CALL_TREND_STABLE;
}

/* The next judged utterance in order (end, score) after this one; list position breaks ties. */
static int following(const struct oracle *o, int after)
{
    int best = -1;
    for (int i = 0; i < o->count; i++) {
        const struct said *s = &o->said[i];
        const struct said *a = after >= 0 ? &o->said[after] : NULL;
        if (!counts(s) ||
            (a && (s->end_ms < a->end_ms || (s->end_ms == a->end_ms && s->score < a->score) ||
                   (s->end_ms == a->end_ms && s->score == a->score && i <= after)))) {
            continue;
        }
        const struct said *b = best >= 0 ? &o->said[best] : NULL;
        if (!b || s->end_ms < b->end_ms || (s->end_ms == b->end_ms && s->score < b->score)) {
            best = i;
        }
    }
    return best;
}

static bool take_reading(const struct oracle *o, struct call_reading *reading, struct set *current,
                         struct set *previous)
{
    int64_t sustained = 0;
    uint32_t total = 0;
    int last = -1;
    enum call_trend trend = CALL_TREND_STABLE;
    for (int i = following(o, -1); i >= 0; i = following(o, i)) {
        if (last >= 0 && o->said[last].end_ms != o->said[i].end_ms) {
            trend = trend_step(o, trend, o->said[last].end_ms);
        }
        if (o->said[i].end_ms > o->origin_ms) {
            sustained += o->policy.sustained_reference - o->said[i].score;
            sustained = sustained < 0 ? 0 : sustained;
        }
        total++;
        last = i;
    }
    if (last < 0) {
        return false;
    }
    int64_t t = o->said[last].end_ms;
    trend = trend_step(o, trend, t);
    *current = window(o, t);
    *previous = window_previous(o, t, current);
    int64_t least = (int64_t)o->policy.samples_min;
    bool thick = current->count >= least && previous->count >= least;
    memset(reading, 0, sizeof *reading);
    reading->score = round_away(current->sum, current->weight);
    reading->trend = trend;
    reading->difference =
        thick ? round_away(current->sum * previous->weight - previous->sum * current->weight,
                           current->weight * previous->weight)
              : 0;
    reading->samples = (uint32_t)current->count;
    reading->utterances = total;
    reading->as_of_ms = t;
    reading->sustained = sustained;
    reading->score_before = previous->count > 0 ? round_away(previous->sum, previous->weight) : 0;
    reading->samples_before = (uint32_t)previous->count;
    return true;
}

static bool reading_same(const struct call_reading *a, const struct call_reading *b)
{
    return a->score == b->score && a->trend == b->trend && a->difference == b->difference &&
           a->samples == b->samples && a->utterances == b->utterances &&
           a->as_of_ms == b->as_of_ms && a->sustained == b->sustained &&
           a->score_before == b->score_before && a->samples_before == b->samples_before;
}

static struct call_effect *want(struct oracle *o, enum call_effect_kind kind)
{
    struct call_effect *effect = &o->wanted[o->wanted_count++];
    memset(effect, 0, sizeof *effect);
    effect->kind = kind;
    return effect;
}

static void note_newest(struct oracle *o, struct call_now now)
{
    int64_t newest = 0;
    for (int i = 0; i < o->count; i++) {
        if (counts(&o->said[i]) && o->said[i].end_ms > newest) {
            newest = o->said[i].end_ms;
        }
    }
    if (newest > 0 && newest != o->newest_ms) {
        o->newest_ms = newest;
        o->newest_since_us = now.mono.us;
    }
}

/* How many orders of `count` values with `ups` later and higher ones among those before them have k
 * inversions: partitions of k into at most `ups` parts of at most `count`, by Pascal's rule. */
static int64_t box(int64_t ups, int64_t count, int64_t k)
{
    static int64_t known[16][16][106]; /* plus one; 0 is not known yet */
    if (k == 0) {
        return 1;
    }
    if (k < 0 || ups == 0 || count == 0) {
        return 0;
    }
    if (known[ups][count][k] == 0) {
        known[ups][count][k] = 1 + box(ups, count - 1, k) + box(ups - 1, count, k - count);
    }
    return known[ups][count][k] - 1;
}

struct points {
    int64_t at_ms[15];
    int64_t score[15];
    int count;
};

/* The newest fifteen from this time on, oldest first. */
static struct points points_from(const struct oracle *o, int64_t from_ms)
{
    struct points p = {.count = 0};
    for (int i = following(o, -1); i >= 0; i = following(o, i)) {
        if (o->said[i].end_ms < from_ms) {
            continue;
        }
        if (p.count == 15) {
            for (int j = 1; j < 15; j++) {
                p.at_ms[j - 1] = p.at_ms[j];
                p.score[j - 1] = p.score[j];
            }
            p.count--;
        }
        p.at_ms[p.count] = o->said[i].end_ms;
        p.score[p.count++] = o->said[i].score;
    }
    return p;
}

/* The values are put in from the lowest to the highest, each group of ties at once. */
static int64_t oracle_falling(const struct points *p)
{
    int64_t orders[106] = {1};
    int64_t placed = 0;
    int inversions = 0;
    if (p->count < 2) {
        return 0;
    }
    for (int i = 0; i < p->count; i++) {
        for (int j = 0; j < i; j++) {
            inversions += p->score[i] < p->score[j];
        }
    }
    for (int64_t last = -1;;) {
        int64_t next = INT64_MAX;
        int64_t tied = 0;
        for (int i = 0; i < p->count; i++) {
            next = p->score[i] > last && p->score[i] < next ? p->score[i] : next;
        }
        for (int i = 0; i < p->count; i++) {
            tied += p->score[i] == next;
        }
        if (tied == 0) {
            break;
        }
        int64_t more[106] = {0};
        for (int a = 0; a < 106; a++) {
            for (int b = 0; a + b < 106 && orders[a] > 0; b++) {
                more[a + b] += orders[a] * box(tied, placed, b);
            }
        }
        memcpy(orders, more, sizeof orders);
        placed += tied;
        last = next;
    }
    int64_t total = 0;
    int64_t fewer = 0;
    for (int a = 0; a < 106; a++) {
        total += orders[a];
        fewer += a < inversions ? orders[a] : 0;
    }
    return round_away(fewer * MOOD_ONE, total);
}

static int64_t oracle_slope(const struct points *p)
{
    int64_t slopes[105];
    int count = 0;
    for (int i = 0; i < p->count; i++) {
        for (int j = i + 1; j < p->count; j++) {
            if (p->at_ms[j] == p->at_ms[i]) {
                continue;
            }
            int64_t slope =
                round_away((p->score[j] - p->score[i]) * 60000, p->at_ms[j] - p->at_ms[i]);
            int place = count++;
            for (; place > 0 && slopes[place - 1] > slope; place--) {
                slopes[place] = slopes[place - 1];
            }
            slopes[place] = slope;
        }
    }
    return count ? round_away(slopes[(count - 1) / 2] + slopes[count / 2], 2) : 0;
}

static int64_t oracle_power(int64_t base, int exponent)
{
    return exponent == 0 ? MOOD_ONE : round_away(oracle_power(base, exponent - 1) * base, MOOD_ONE);
}

/* Looks at the newest; whether they confirm, and how surely. */
static bool oracle_confirms(const struct oracle *o, int64_t *confidence)
{
    int64_t newest[MOOD_CONFIRM_MAX];
    int count = 0;
    for (int i = following(o, -1); i >= 0; i = following(o, i)) {
        if (count == (int)o->policy.confirm_of) {
            for (int j = 1; j < count; j++) {
                newest[j - 1] = newest[j];
            }
            count--;
        }
        newest[count++] = o->said[i].score;
    }
    int low = 0;
    for (int i = 0; i < count; i++) {
        low += newest[i] < o->policy.confirm_below;
    }
    *confidence = 0;
    for (int i = 0; i < low; i++) {
        int64_t choose = 1;
        for (int j = 0; j < i; j++) {
            choose = choose * (count - j) / (j + 1);
        }
        *confidence +=
            choose * round_away(oracle_power(o->policy.calm_share, i) *
                                    oracle_power(MOOD_ONE - o->policy.calm_share, count - i),
                                MOOD_ONE);
    }
    *confidence = *confidence > MOOD_ONE ? MOOD_ONE : *confidence;
    return low >= (int)o->policy.confirm_count && newest[count - 1] <= o->policy.defer_above;
}

static void want_evidence(const struct oracle *o, struct call_effect *effect,
                          const struct set *current, const struct set *previous)
{
    bool taken[SAID_MAX] = {false};
    bool declining = o->alert.path == CALL_ALERT_DECLINING && previous->count > 0;
    int64_t sum = declining ? previous->sum : o->policy.sustained_reference;
    int64_t of = declining ? previous->weight : 1;
    while (effect->evidence_count < CALL_EVIDENCE_MAX) {
        int best = -1;
        for (int i = 0; i < o->count; i++) {
            const struct said *s = &o->said[i];
            if (taken[i] || !counts(s) || s->end_ms < current->oldest_ms ||
                s->end_ms > effect->reading.as_of_ms) {
                continue;
            }
            const struct said *b = best >= 0 ? &o->said[best] : NULL;
            int64_t pull = weight_of(o, s) * (s->score * of - sum);
            int64_t most = b ? weight_of(o, b) * (b->score * of - sum) : 0;
            if (!b || pull < most || (pull == most && s->end_ms < b->end_ms) ||
                (pull == most && s->end_ms == b->end_ms && s->score < b->score) ||
                (pull == most && s->end_ms == b->end_ms && s->score == b->score &&
                 s->raw.start_ms < b->raw.start_ms)) {
                best = i;
            }
        }
        if (best < 0) {
            return;
        }
        taken[best] = true;
        effect->evidence[effect->evidence_count++] = (struct call_evidence){
            .start_ms = o->said[best].raw.start_ms,
            .end_ms = o->said[best].end_ms,
            .speaker = SPEAKER_CUSTOMER,
            .score = o->said[best].score,
            .contribution =
                round_away(weight_of(o, &o->said[best]) * (o->said[best].score * of - sum),
                           of * current->weight),
        };
    }
}

static void judge_low(struct oracle *o, const struct call_reading *reading,
                      const struct set *current, const struct set *previous, int64_t event_now)
{
    bool raise =
        o->alert.tier == CALL_TIER_AGENT && reading->sustained > o->policy.supervisor_limit;
    bool remind = o->policy.remind_ms > 0 && event_now - o->told_ms >= o->policy.remind_ms;
    if (current->sum >= o->policy.alert_below * current->weight || !(raise || remind)) {
        return;
    }
    o->told_ms = event_now;
    o->alert.tier = raise ? CALL_TIER_SUPERVISOR : o->alert.tier;
    struct call_effect *effect = want(o, raise ? CALL_EFFECT_RAISED : CALL_EFFECT_REMINDED);
    effect->reading = *reading;
    effect->episode = o->episode;
    effect->alert = o->alert;
    want_evidence(o, effect, current, previous);
}

static void judge_open(struct oracle *o, struct call_now now, const struct call_reading *reading,
                       const struct set *current, const struct set *previous)
{
    int64_t event_now = o->newest_ms + (now.mono.us - o->newest_since_us) / 1000;
    if (current->sum <= o->policy.recover_above * current->weight) {
        o->above = false;
        judge_low(o, reading, current, previous, event_now);
        return;
    }
    if (!o->above) {
        o->above = true;
        o->above_since_ms = reading->as_of_ms;
    }
    if (event_now - o->above_since_ms >= o->policy.recover_hold_ms) {
        o->open = false;
        struct call_effect *effect = want(o, CALL_EFFECT_RECOVERED);
        effect->reading = *reading;
        effect->episode = o->episode;
        effect->alert = o->alert;
        o->origin_ms = reading->as_of_ms;
    }
}

static void judge(struct oracle *o, struct call_now now, const struct call_reading *reading,
                  const struct set *current, const struct set *previous)
{
    for (int i = 0; i < o->count; i++) {
        if (o->said[i].pending && o->said[i].raw.speaker == SPEAKER_CUSTOMER &&
            o->said[i].end_ms <= reading->as_of_ms) {
            return;
        }
    }
    if (o->open) {
        judge_open(o, now, reading, current, previous);
        return;
    }
    bool cooling = o->episode > 0 && now.mono.us < o->cooling_us + o->policy.cooldown_ms * 1000;
    struct points points =
        points_from(o, previous->count > 0 ? previous->oldest_ms : current->oldest_ms);
    int64_t falling = oracle_falling(&points);
    int64_t confirmed;
    bool confirms = oracle_confirms(o, &confirmed);
    bool declining =
        reading->trend == CALL_TREND_DECLINING && falling >= o->policy.trend_confidence;
    if (cooling || current->count < (int64_t)o->policy.samples_min ||
        reading->as_of_ms < now.vendor_ms - o->policy.lateness_ms ||
        current->sum >= o->policy.alert_below * current->weight || !confirms ||
        !(declining || reading->sustained > o->policy.sustained_limit)) {
        return;
    }
    o->open = true;
    o->above = false;
    o->delivered = false;
    o->episode++;
    o->cooling_us = now.mono.us;
    o->told_ms = reading->as_of_ms;
    o->alert = (struct call_alert){
        .path = declining ? CALL_ALERT_DECLINING : CALL_ALERT_SUSTAINED_LOW,
        .tier = reading->sustained > o->policy.supervisor_limit ? CALL_TIER_SUPERVISOR
                                                                : CALL_TIER_AGENT,
        .confidence = declining ? falling : confirmed,
        .slope = oracle_slope(&points),
    };
    struct call_effect *effect = want(o, CALL_EFFECT_ALERT);
    effect->reading = *reading;
    effect->episode = o->episode;
    effect->alert = o->alert;
    want_evidence(o, effect, current, previous);
}

static bool backlog_waits(const struct oracle *o)
{
    for (int i = 0; i < o->count; i++) {
        if (o->said[i].pending && o->said[i].backlog) {
            return true;
        }
    }
    return false;
}

static void settle(struct oracle *o, struct call_now now, bool publish)
{
    struct call_reading reading;
    struct set current;
    struct set previous;
    if (backlog_waits(o) || !take_reading(o, &reading, &current, &previous)) {
        return;
    }
    if (publish && (!o->has_published || !reading_same(&reading, &o->published))) {
        o->published = reading;
        o->has_published = true;
        want(o, CALL_EFFECT_READING)->reading = reading;
    }
    judge(o, now, &reading, &current, &previous);
}

static bool same_key(const struct raw *a, const struct raw *b)
{
    if (a->id || b->id) {
        return a->id == b->id;
    }
    return a->speaker == b->speaker && a->start_ms == b->start_ms;
}

static bool same_form(const struct raw *a, const struct raw *b)
{
    return same_key(a, b) && a->end_ms == b->end_ms && a->text == b->text;
}

static bool usable(struct oracle *o, const struct raw *raw, int64_t vendor_ms, int64_t *end_ms)
{
    int64_t end = raw->end_ms > raw->start_ms ? raw->end_ms : raw->start_ms;
    if (raw->start_ms <= 0 || raw->end_ms <= 0 || end > vendor_ms + 86400000 ||
        (o->first_start_ms > 0 && end < o->first_start_ms - 3600000)) {
        return false;
    }
    int64_t latest = vendor_ms + o->policy.future_tolerance_ms;
    *end_ms = end < latest ? end : latest;
    if (o->first_start_ms == 0 || raw->start_ms < o->first_start_ms) {
        o->first_start_ms = raw->start_ms;
    }
    return true;
}

static void ask(struct oracle *o, struct said *said, bool backlog)
{
    said->pending = said->raw.speaker == SPEAKER_CUSTOMER;
    said->backlog = said->pending && backlog;
    said->has_score = said->has_score && said->pending; /* what turns out the agent's has none */
    if (said->pending) {
        struct call_effect *effect = want(o, CALL_EFFECT_SCORE);
        effect->utterance = said->number;
        effect->revision = said->revision;
        effect->ordinal = said->ordinal;
    }
}

static int to_revise(const struct oracle *o, const struct raw *reply, const bool *fit, int count,
                     const bool *taken, int known, const struct raw *raw)
{
    int lowest = -1;
    for (int k = 0; k < known; k++) {
        bool held = taken[k] || !same_key(&o->said[k].raw, raw);
        for (int i = 0; i < count && !held; i++) {
            held = fit[i] && same_form(&reply[i], &o->said[k].raw);
        }
        if (!held && (lowest < 0 || o->said[k].ordinal < o->said[lowest].ordinal)) {
            lowest = k;
        }
    }
    return lowest;
}

static void oracle_reply(struct oracle *o, const struct raw *reply, int count, bool backlog,
                         struct call_now now)
{
    int64_t ends[REPLY_MAX];
    bool fit[REPLY_MAX];
    bool repeated[REPLY_MAX] = {false};
    struct raw forms[SAID_MAX]; /* as known before the reply */
    bool taken[SAID_MAX] = {false};
    int known = o->count;
    struct oracle before = *o;
    for (int i = 0; i < count; i++) {
        fit[i] = usable(o, &reply[i], now.vendor_ms, &ends[i]);
        o->counts.quarantined += !fit[i];
    }
    for (int k = 0; k < known; k++) {
        forms[k] = o->said[k].raw;
    }
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < known; k++) {
            repeated[i] = repeated[i] || same_form(&forms[k], &reply[i]);
        }
        for (int j = 0; j < i; j++) {
            repeated[i] = repeated[i] || (fit[j] && same_form(&reply[j], &reply[i]));
        }
    }
    for (int i = 0; i < count; i++) {
        if (!fit[i]) {
            continue;
        }
        if (repeated[i]) {
            o->counts.duplicates++;
            continue;
        }
        int k = to_revise(&before, reply, fit, count, taken, known, &reply[i]);
        struct said *said = &o->said[k >= 0 ? k : o->count];
        if (k >= 0) {
            taken[k] = true;
            o->counts.revisions++;
            said->revision++;
            said->raw = reply[i];
            said->end_ms = ends[i];
            ask(o, said, backlog || (said->pending && said->backlog));
            continue;
        }
        assert_true(o->count < SAID_MAX);
        memset(said, 0, sizeof *said);
        for (int j = 0; j < o->count; j++) {
            if (same_key(&o->said[j].raw, &reply[i]) && o->said[j].ordinal >= said->ordinal) {
                said->ordinal = o->said[j].ordinal + 1;
            }
        }
        said->raw = reply[i];
        said->end_ms = ends[i];
        said->number = (uint32_t)o->count++;
        o->counts.finals += reply[i].speaker == SPEAKER_CUSTOMER;
        o->counts.agent += reply[i].speaker == SPEAKER_AGENT;
        o->counts.unknown_speaker += reply[i].speaker == SPEAKER_UNKNOWN;
        ask(o, said, backlog);
    }
    note_newest(o, now);
}

static void oracle_answer(struct oracle *o, uint32_t number, uint32_t revision, bool scorable,
                          int64_t score, struct call_now now)
{
    if (number >= (uint32_t)o->count || !o->said[number].pending ||
        o->said[number].revision != revision) {
        return;
    }
    struct said *said = &o->said[number];
    said->pending = false;
    said->has_score = scorable;
    said->score = score;
    o->counts.unscorable += !scorable;
    note_newest(o, now);
    settle(o, now, true);
}

#endif
