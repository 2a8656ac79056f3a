/* test_history.c - random calls against an oracle that knows no cleverness (oracle.h).
 *
 * Calls are late, revised, duplicated, shuffled and full of ties. Compared after every event: the
 * effects in order and in full, the reading, what is pending.
 *
 * MOOD_SEED and MOOD_RUNS choose other histories; MOOD_TRACE names a file to which events and
 * effects are written as JSON lines, for twin.py to judge in another language. */
#include "harness.h"
#include "oracle.h"

#include "base/rand.h"
#include "mood/call_save.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRUTH_MAX = 24, PAGES_MAX = SAID_MAX / CALL_PAGE_UTTERANCES + 1 };

/* What a store would hold of the call: the last head, and each page as last written. */
struct kept {
    struct buf head;
    struct buf pages[PAGES_MAX];
};

struct bench {
    struct harness h;
    struct oracle o;
    struct rand rand;
    FILE *trace;
    struct raw truth[TRUTH_MAX];
    int truth_count;
    unsigned asked[SAID_MAX][64]; /* SCORE effects per utterance and revision */
    int bias;                     /* scores of this call: 0 any, 1 low, 2 falling */
    bool restarts;
    unsigned restarted;
    struct kept kept;
    struct call_counts past; /* counted by the processes before */
};

static uint64_t below(struct bench *b, uint64_t bound)
{
    return rand_below(&b->rand, bound);
}

static void compare_effect(const struct call_effect *got, const struct call_effect *want)
{
    assert_int_equal(got->kind, want->kind);
    if (got->kind == CALL_EFFECT_SCORE) {
        assert_int_equal(got->utterance, want->utterance);
        assert_int_equal(got->revision, want->revision);
        assert_int_equal(got->ordinal, want->ordinal);
        return;
    }
    assert_int_equal(got->reading.score, want->reading.score);
    assert_int_equal(got->reading.trend, want->reading.trend);
    assert_int_equal(got->reading.difference, want->reading.difference);
    assert_true(reading_same(&got->reading, &want->reading));
    assert_int_equal(got->episode, want->episode);
    assert_int_equal(got->alert.path, want->alert.path);
    assert_int_equal(got->alert.tier, want->alert.tier);
    assert_int_equal(got->alert.confidence, want->alert.confidence);
    assert_int_equal(got->alert.slope, want->alert.slope);
    assert_int_equal(got->evidence_count, want->evidence_count);
    for (uint32_t i = 0; i < got->evidence_count; i++) {
        assert_int_equal(got->evidence[i].start_ms, want->evidence[i].start_ms);
        assert_int_equal(got->evidence[i].end_ms, want->evidence[i].end_ms);
        assert_int_equal(got->evidence[i].speaker, want->evidence[i].speaker);
        assert_int_equal(got->evidence[i].score, want->evidence[i].score);
        assert_int_equal(got->evidence[i].contribution, want->evidence[i].contribution);
    }
}

static void trace_effect(FILE *out, const struct call_effect *e)
{
    if (e->kind == CALL_EFFECT_SCORE) {
        fprintf(out, "{\"is\":\"score\",\"utterance\":%u,\"revision\":%u,\"ordinal\":%u}",
                e->utterance, e->revision, e->ordinal);
        return;
    }
    static const char *const kinds[] = {
        [CALL_EFFECT_READING] = "reading",     [CALL_EFFECT_ALERT] = "alert",
        [CALL_EFFECT_RAISED] = "raised",       [CALL_EFFECT_REMINDED] = "reminded",
        [CALL_EFFECT_RECOVERED] = "recovered",
    };
    fprintf(out,
            "{\"is\":\"%s\",\"reading\":[%" PRId64 ",\"%s\",%" PRId64 ",%u,%u,%" PRId64 ",%" PRId64
            ",%" PRId64 ",%u]",
            kinds[e->kind], e->reading.score, call_trend_name(e->reading.trend),
            e->reading.difference, e->reading.samples, e->reading.utterances, e->reading.as_of_ms,
            e->reading.sustained, e->reading.score_before, e->reading.samples_before);
    if (e->kind != CALL_EFFECT_READING) {
        fprintf(out,
                ",\"episode\":%u,\"path\":\"%s\",\"tier\":\"%s\",\"sure\":[%" PRId64 ",%" PRId64
                "]",
                e->episode, call_alert_path_name(e->alert.path), call_tier_name(e->alert.tier),
                e->alert.confidence, e->alert.slope);
    }
    if (e->kind != CALL_EFFECT_READING && e->kind != CALL_EFFECT_RECOVERED) {
        fprintf(out, ",\"evidence\":[");
        for (uint32_t i = 0; i < e->evidence_count; i++) {
            fprintf(out, "%s[%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "]", i ? "," : "",
                    e->evidence[i].start_ms, e->evidence[i].end_ms, e->evidence[i].score,
                    e->evidence[i].contribution);
        }
        fprintf(out, "]");
    }
    fprintf(out, "}");
}

static void trace_event(struct bench *b, const struct call_event *event, const struct raw *reply)
{
    static const char *const kinds[] = {
        [CALL_EVENT_REPLY] = "reply",
        [CALL_EVENT_SCORED] = "scored",
        [CALL_EVENT_UNSCORABLE] = "unscorable",
        [CALL_EVENT_DELIVERED] = "delivered",
        [CALL_EVENT_TICK] = "tick",
        [CALL_EVENT_ENDED] = "ended",
    };
    fprintf(b->trace, "{\"event\":\"%s\",\"mono_us\":%" PRId64 ",\"vendor_ms\":%" PRId64,
            kinds[event->kind], b->h.now.mono.us, b->h.now.vendor_ms);
    if (event->kind == CALL_EVENT_REPLY) {
        fprintf(b->trace, ",\"backlog\":%s,\"segments\":[", event->backlog ? "true" : "false");
        for (size_t i = 0; i < event->segment_count; i++) {
            fprintf(b->trace, "%s[%d,\"%s\",%" PRId64 ",%" PRId64 ",\"%s\"]", i ? "," : "",
                    reply[i].id, speaker_name(reply[i].speaker), reply[i].start_ms, reply[i].end_ms,
                    texts[reply[i].text]);
        }
        fprintf(b->trace, "]");
    } else {
        fprintf(b->trace, ",\"utterance\":%u,\"revision\":%u,\"score\":%" PRId64 ",\"episode\":%u",
                event->utterance, event->revision, event->score, event->episode);
    }
    fprintf(b->trace, ",\"effects\":[");
    for (size_t i = 0; i < b->h.effects.count; i++) {
        fprintf(b->trace, "%s", i ? "," : "");
        trace_effect(b->trace, &b->h.effects.items[i]);
    }
    fprintf(b->trace, "]}\n");
}

/* Runs the event through the call; the oracle has already said what it wants. */
static void compare_step(struct bench *b, const struct call_event *event, const struct raw *reply)
{
    harness_step(&b->h, event);
    if (b->trace) {
        trace_event(b, event, reply);
    }
    assert_int_equal(b->h.effects.count, b->o.wanted_count);
    for (size_t i = 0; i < b->o.wanted_count; i++) {
        const struct call_effect *got = &b->h.effects.items[i];
        compare_effect(got, &b->o.wanted[i]);
        if (got->kind == CALL_EFFECT_SCORE) {
            assert_int_equal(b->asked[got->utterance][got->revision]++, 0);
        }
    }
    struct call_reading reading;
    assert_int_equal(call_reading(b->h.call, &reading), b->o.has_published);
    assert_true(!b->o.has_published || reading_same(&reading, &b->o.published));
    assert_int_equal(call_episode_open(b->h.call), b->o.open ? b->o.episode : 0);
    uint32_t pending = 0;
    for (int i = 0; i < b->o.count; i++) {
        pending += b->o.said[i].pending;
    }
    assert_int_equal(call_pending(b->h.call), pending);
    b->o.wanted_count = 0;
}

static void compare_counts(const struct bench *b)
{
    const struct call_counts *got = call_counts(b->h.call);
    const struct call_counts *past = &b->past;
    assert_int_equal(past->finals + got->finals, b->o.counts.finals);
    assert_int_equal(past->agent + got->agent, b->o.counts.agent);
    assert_int_equal(past->unknown_speaker + got->unknown_speaker, b->o.counts.unknown_speaker);
    assert_int_equal(past->duplicates + got->duplicates, b->o.counts.duplicates);
    assert_int_equal(past->revisions + got->revisions, b->o.counts.revisions);
    assert_int_equal(past->quarantined + got->quarantined, b->o.counts.quarantined);
    assert_int_equal(past->unscorable + got->unscorable, b->o.counts.unscorable);
    assert_int_equal(got->folded, 0);
}

/* --- restarts -------------------------------------------------------------------------------- */

static void save(struct bench *b)
{
    struct call_pages pages = call_save_pages(b->h.call);
    assert_true(pages.end <= PAGES_MAX);
    buf_clear(&b->kept.head);
    call_save_head(b->h.call, b->h.now, &b->kept.head);
    assert_false(b->kept.head.failed);
    for (uint32_t i = pages.unsaved; i < pages.end; i++) {
        buf_clear(&b->kept.pages[i]);
        call_save_page(b->h.call, i, &b->kept.pages[i]);
        assert_false(b->kept.pages[i].failed);
    }
    call_save_done(b->h.call);
}

static void restore(struct bench *b)
{
    struct call_page pages[PAGES_MAX];
    size_t count = 0;
    struct error err;
    for (uint32_t i = 0; i < PAGES_MAX; i++) {
        if (b->kept.pages[i].size > 0) {
            pages[count++] = (struct call_page){i, b->kept.pages[i].bytes, b->kept.pages[i].size};
        }
    }
    call_destroy(b->h.call);
    b->h.call = call_restore(&b->o.policy, b->h.now, b->kept.head.bytes, b->kept.head.size, pages,
                             count, &err);
    if (!b->h.call) {
        fail_msg("%s", err.message);
    }
}

static void note_past(struct bench *b)
{
    const struct call_counts *got = call_counts(b->h.call);
    b->past.finals += got->finals;
    b->past.agent += got->agent;
    b->past.unknown_speaker += got->unknown_speaker;
    b->past.duplicates += got->duplicates;
    b->past.revisions += got->revisions;
    b->past.quarantined += got->quarantined;
    b->past.unscorable += got->unscorable;
}

/* What was not answered is served again, and asked for as the same form of the same utterance;
 * nothing else comes of it. */
static void serve_unanswered(struct bench *b, bool backlog)
{
    struct segment segments[SAID_MAX];
    const struct said *wanted[SAID_MAX];
    char ids[SAID_MAX][16];
    size_t count = 0;
    for (int i = 0; i < b->o.count; i++) {
        const struct said *said = &b->o.said[i];
        if (!said->pending || said->backlog != backlog) {
            continue;
        }
        (void)snprintf(ids[count], sizeof ids[count], "u%d", said->raw.id);
        segments[count] = (struct segment){
            .start_ms = said->raw.start_ms,
            .end_ms = said->raw.end_ms,
            .speaker = said->raw.speaker,
            .is_final = true,
            .id = said->raw.id ? ids[count] : NULL,
            .id_bytes = said->raw.id ? strlen(ids[count]) : 0,
            .text = texts[said->raw.text],
            .text_bytes = 1,
        };
        wanted[count++] = said;
    }
    harness_step(&b->h, &(struct call_event){.kind = CALL_EVENT_REPLY,
                                             .segments = segments,
                                             .segment_count = count,
                                             .backlog = backlog});
    assert_int_equal(b->h.effects.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct call_effect *got = &b->h.effects.items[i];
        assert_int_equal(got->kind, CALL_EFFECT_SCORE);
        assert_int_equal(got->utterance, wanted[i]->number);
        assert_int_equal(got->revision, wanted[i]->revision);
        assert_int_equal(got->ordinal, wanted[i]->ordinal);
    }
}

static void maybe_restart(struct bench *b)
{
    if (!b->restarts || below(b, 3)) {
        return;
    }
    save(b);
    if (below(b, 2)) {
        return;
    }
    note_past(b);
    restore(b);
    serve_unanswered(b, true);
    serve_unanswered(b, false);
    b->restarted++;
}

static struct raw invent(struct bench *b, int index, int64_t at_ms)
{
    static const enum speaker speakers[] = {SPEAKER_CUSTOMER, SPEAKER_CUSTOMER, SPEAKER_CUSTOMER,
                                            SPEAKER_CUSTOMER, SPEAKER_AGENT,    SPEAKER_UNKNOWN};
    struct raw raw = {
        .speaker = speakers[below(b, 6)],
        .start_ms = EPOCH + at_ms,
        .end_ms = EPOCH + at_ms + 500 * (int64_t)below(b, 12),
        .text = (int)below(b, TEXTS),
    };
    if (index > 0 && below(b, 6) == 0) { /* a second final of the same key */
        raw.speaker = b->truth[index - 1].speaker;
        raw.start_ms = b->truth[index - 1].start_ms;
    }
    switch (below(b, 60)) {
    case 0:
        raw.end_ms = raw.start_ms - 1000;
        break;
    case 1:
        raw.end_ms = raw.start_ms + 40000;
        break;
    case 2:
        raw.start_ms = 0;
        break;
    case 3:
        raw.end_ms = EPOCH - 3700000;
        raw.start_ms = raw.end_ms - 1000;
        break;
    case 4:
        raw.end_ms += 200000000;
        break;
    default:
        break;
    }
    return raw;
}

static void invent_truth(struct bench *b)
{
    static const int64_t paces[] = {1000, 3000, 8000, 20000, 45000};
    int64_t pace = paces[below(b, 5)];
    bool has_ids = below(b, 4) == 0;
    int64_t at_ms = 1000;
    b->truth_count = 1 + (int)below(b, TRUTH_MAX);
    for (int i = 0; i < b->truth_count; i++) {
        b->truth[i] = invent(b, i, at_ms);
        b->truth[i].id = has_ids ? 1 + i - (i > 0 && below(b, 8) == 0) : 0;
        at_ms += 500 * (int64_t)below(b, (uint64_t)(2 * pace / 500));
    }
}

static int64_t invent_score(struct bench *b, uint32_t number)
{
    int64_t score = (int64_t)below(b, 21) * 50000;
    if (b->bias == 1) {
        score = (int64_t)below(b, 9) * 50000;
    } else if (b->bias == 2) {
        score = 800000 - (int64_t)number * 60000 + (int64_t)below(b, 3) * 10000;
    } else if (below(b, 3) == 0) {
        score = (int64_t)below(b, MOOD_ONE + 1);
    }
    return score < 0 ? 0 : score;
}

static void do_reply(struct bench *b, int visible, bool backlog)
{
    struct raw reply[REPLY_MAX];
    struct segment segments[REPLY_MAX];
    char ids[REPLY_MAX][16];
    int count = 0;
    for (int i = 0; i < visible; i++) {
        if (below(b, 12) == 0) { /* the vendor changes its mind */
            b->truth[i].text = (int)below(b, TEXTS);
            b->truth[i].end_ms += 500 * ((int64_t)below(b, 5) - 1);
        }
        int copies = below(b, 5) == 0 ? 0 : below(b, 12) == 0 ? 2 : 1;
        for (; copies > 0; copies--) {
            reply[count++] = b->truth[i];
        }
    }
    for (int i = count - 1; i > 0 && below(b, 2); i--) {
        int j = (int)below(b, (uint64_t)i + 1);
        struct raw swap = reply[i];
        reply[i] = reply[j];
        reply[j] = swap;
    }
    for (int i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "u%d", reply[i].id);
        segments[i] = (struct segment){
            .start_ms = reply[i].start_ms,
            .end_ms = reply[i].end_ms,
            .speaker = reply[i].speaker,
            .is_final = true,
            .id = reply[i].id ? ids[i] : NULL,
            .id_bytes = reply[i].id ? strlen(ids[i]) : 0,
            .text = texts[reply[i].text],
            .text_bytes = 1,
        };
    }
    oracle_reply(&b->o, reply, count, backlog, b->h.now);
    compare_step(b,
                 &(struct call_event){.kind = CALL_EVENT_REPLY,
                                      .segments = segments,
                                      .segment_count = (size_t)count,
                                      .backlog = backlog},
                 reply);
}

static void do_answer(struct bench *b, uint32_t number, uint32_t revision)
{
    struct call_event event = {
        .kind = below(b, 15) ? CALL_EVENT_SCORED : CALL_EVENT_UNSCORABLE,
        .utterance = number,
        .revision = revision,
        .score = invent_score(b, number),
    };
    oracle_answer(&b->o, number, revision, event.kind == CALL_EVENT_SCORED, event.score, b->h.now);
    compare_step(b, &event, NULL);
}

static void do_some_answers(struct bench *b, bool all)
{
    int start = b->o.count ? (int)below(b, (uint64_t)b->o.count) : 0;
    for (int i = 0; i < b->o.count; i++) {
        const struct said *said = &b->o.said[(start + i) % b->o.count];
        if (said->pending && (all || below(b, 3))) {
            do_answer(b, said->number, said->revision);
        } else if (below(b, 20) == 0) { /* an answer to another form, or a second one */
            do_answer(b, said->number, (uint32_t)below(b, said->revision + 2));
        }
    }
}

static void do_tick(struct bench *b)
{
    settle(&b->o, b->h.now, false);
    compare_step(b, &(struct call_event){.kind = CALL_EVENT_TICK}, NULL);
}

static void do_delivered(struct bench *b)
{
    uint32_t episode = (uint32_t)below(b, b->o.episode + 2);
    if (episode > 0 && episode == b->o.episode && !b->o.delivered) {
        b->o.delivered = true;
        b->o.cooling_us = b->h.now.mono.us;
    }
    compare_step(b, &(struct call_event){.kind = CALL_EVENT_DELIVERED, .episode = episode}, NULL);
}

static void do_ended(struct bench *b)
{
    struct call_reading reading;
    struct set current;
    struct set previous;
    if (take_reading(&b->o, &reading, &current, &previous)) {
        b->o.published = reading;
        b->o.has_published = true;
    }
    if (b->o.has_published) {
        want(&b->o, CALL_EFFECT_READING)->reading = b->o.published;
    }
    compare_step(b, &(struct call_event){.kind = CALL_EVENT_ENDED}, NULL);
    compare_step(b, &(struct call_event){.kind = CALL_EVENT_TICK}, NULL);
}

/* Another call hears only the final forms, in order of their ends, and must agree. */
static void replay_in_order(const struct bench *b)
{
    struct harness h;
    harness_start(&h, &b->o.policy);
    h.now = b->h.now;
    bool done[SAID_MAX] = {false};
    for (int n = 0; n < b->o.count; n++) {
        int next = -1;
        for (int i = 0; i < b->o.count; i++) {
            if (!done[i] && (next < 0 || b->o.said[i].end_ms < b->o.said[next].end_ms)) {
                next = i;
            }
        }
        done[next] = true;
        const struct said *said = &b->o.said[next];
        char id[16]; /* keys were settled already: each is its own utterance here */
        (void)snprintf(id, sizeof id, "%d", next);
        struct segment segment = {
            .start_ms = said->raw.start_ms < said->end_ms ? said->raw.start_ms : said->end_ms,
            .end_ms = said->end_ms,
            .speaker = said->raw.speaker,
            .is_final = true,
            .id = id,
            .id_bytes = strlen(id),
        };
        harness_reply(&h, &segment, 1);
        if (said->has_score) {
            harness_score(&h, h.asked.utterance, 0, said->score);
        }
    }
    struct call_reading reading;
    bool has_reading = call_reading(h.call, &reading);
    struct call_reading expected;
    struct set current;
    struct set previous;
    assert_int_equal(has_reading, take_reading(&b->o, &expected, &current, &previous));
    assert_true(!has_reading || reading_same(&reading, &expected));
    harness_stop(&h);
}

static void invent_policy(struct bench *b, bool alerts)
{
    struct mood_policy *policy = &b->o.policy;
    mood_policy_default(policy);
    if (!alerts) {
        policy->alert_below = 0;
    }
    if (below(b, 4) == 0) {
        policy->window_ms = 5000;
        policy->window_widest_ms = 20000;
        policy->window_utterances = 1 + (uint32_t)below(b, 4);
        policy->samples_min = 1 + (uint32_t)below(b, 3);
        policy->sustained_limit = 300000;
        policy->recover_hold_ms = 1000 * (int64_t)below(b, 5);
        policy->cooldown_ms = 1000 * (int64_t)below(b, 10);
        policy->lateness_ms = 1000 * (int64_t)below(b, 60);
    }
    if (below(b, 3) == 0) {
        policy->weighting = MOOD_WEIGHTING_DURATION;
    }
    if (below(b, 2) == 0) {
        policy->trend_confidence = (int64_t)below(b, MOOD_ONE);
        policy->confirm_below = (int64_t)below(b, MOOD_ONE);
        policy->confirm_of = 1 + (uint32_t)below(b, MOOD_CONFIRM_MAX);
        policy->confirm_count = (uint32_t)below(b, policy->confirm_of < 4 ? policy->confirm_of : 4);
        policy->calm_share = (int64_t)below(b, MOOD_ONE / 2);
        policy->defer_above = (int64_t)below(b, MOOD_ONE + 1);
        policy->supervisor_limit = (int64_t)below(b, 2 * MOOD_ONE);
        policy->remind_ms = 1000 * (int64_t)below(b, 40);
    }
}

static void start_bench(struct bench *b, uint64_t seed)
{
    rand_seed(&b->rand, seed);
    buf_init(&b->kept.head, 4096);
    for (int i = 0; i < PAGES_MAX; i++) {
        buf_init(&b->kept.pages[i], CALL_PAGE_BYTES_MAX);
    }
}

static void stop_bench(struct bench *b)
{
    harness_stop(&b->h);
    buf_done(&b->kept.head);
    for (int i = 0; i < PAGES_MAX; i++) {
        buf_done(&b->kept.pages[i]);
    }
    free(b);
}

enum { WITH_ALERTS = 1, WITH_RESTARTS = 2 };

static unsigned run_history(uint64_t seed, unsigned with, FILE *trace)
{
    bool alerts = with & WITH_ALERTS;
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    start_bench(b, seed);
    b->restarts = with & WITH_RESTARTS;
    b->trace = trace;
    invent_policy(b, alerts);
    harness_start(&b->h, &b->o.policy);
    if (trace) {
        const struct mood_policy *p = &b->o.policy;
        fprintf(trace,
                "{\"event\":\"start\",\"window_ms\":%" PRId64 ",\"window_widest_ms\":%" PRId64
                ",\"window_utterances\":%u,\"samples_min\":%u,\"alert_below\":%" PRId64
                ",\"sustained_limit\":%" PRId64 ",\"recover_hold_ms\":%" PRId64
                ",\"cooldown_ms\":%" PRId64 ",\"lateness_ms\":%" PRId64 ",\"weighting\":%d"
                ",\"trend_confidence\":%" PRId64 ",\"confirm_below\":%" PRId64
                ",\"confirm_of\":%u,\"confirm_count\":%u,\"calm_share\":%" PRId64
                ",\"defer_above\":%" PRId64 ",\"supervisor_limit\":%" PRId64
                ",\"remind_ms\":%" PRId64 "}\n",
                p->window_ms, p->window_widest_ms, p->window_utterances, p->samples_min,
                p->alert_below, p->sustained_limit, p->recover_hold_ms, p->cooldown_ms,
                p->lateness_ms, p->weighting == MOOD_WEIGHTING_DURATION, p->trend_confidence,
                p->confirm_below, p->confirm_of, p->confirm_count, p->calm_share, p->defer_above,
                p->supervisor_limit, p->remind_ms);
    }
    b->bias = (int)below(b, 3);
    invent_truth(b);
    int64_t lag_ms = below(b, 3) == 0 ? (int64_t)below(b, 90000) : 1000;
    bool backlog = below(b, 4) == 0;
    int visible = 0;
    int64_t at_ms = 0;
    while (visible < b->truth_count) {
        int more = 1 + (int)below(b, 4);
        visible = visible + more < b->truth_count ? visible + more : b->truth_count;
        int64_t said_ms = b->truth[visible - 1].start_ms - EPOCH + lag_ms;
        at_ms = said_ms > at_ms && said_ms < 3600000 ? said_ms : at_ms + 1000;
        harness_at(&b->h, at_ms);
        do_reply(b, visible, backlog && visible <= b->truth_count / 2);
        maybe_restart(b);
        do_some_answers(b, false);
        maybe_restart(b);
        for (uint64_t ticks = below(b, 4); ticks > 0; ticks--) {
            at_ms += 1000 * (int64_t)below(b, 6);
            harness_at(&b->h, at_ms);
            do_tick(b);
        }
        if (below(b, 4) == 0) {
            do_delivered(b);
        }
    }
    do_some_answers(b, true);
    compare_counts(b);
    if (!alerts) {
        replay_in_order(b);
    }
    do_ended(b);
    unsigned found = b->restarts ? b->restarted : b->o.episode;
    stop_bench(b);
    return found;
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_random_calls_agree_with_the_oracle(void **state)
{
    (void)state;
    uint64_t seed = setting("MOOD_SEED", 20261124);
    uint64_t runs = setting("MOOD_RUNS", 4000);
    const char *path = getenv("MOOD_TRACE");
    FILE *trace = path ? fopen(path, "w") : NULL;
    unsigned opened = 0;
    for (uint64_t i = 0; i < runs; i++) {
        opened += run_history(rand_mix(seed + i), WITH_ALERTS, trace);
    }
    if (trace) {
        assert_int_equal(fclose(trace), 0);
    }
    assert_true(opened > runs / 20); /* otherwise the histories prove nothing about alerts */
}

static void test_any_order_ends_as_an_in_order_replay(void **state)
{
    (void)state;
    uint64_t seed = setting("MOOD_SEED", 42);
    for (uint64_t i = 0; i < setting("MOOD_RUNS", 2000); i++) {
        (void)run_history(rand_mix(seed + i), 0, NULL);
    }
}

/* The oracle knows nothing of restarts. */
static void test_a_restored_call_is_as_if_nothing_had_been(void **state)
{
    (void)state;
    uint64_t seed = setting("MOOD_SEED", 7);
    uint64_t runs = setting("MOOD_RUNS", 4000);
    unsigned restarted = 0;
    for (uint64_t i = 0; i < runs; i++) {
        unsigned with = i % 4 ? WITH_ALERTS | WITH_RESTARTS : WITH_RESTARTS;
        restarted += run_history(rand_mix(seed + i), with, NULL);
    }
    assert_true(restarted > runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_calls_agree_with_the_oracle),
        cmocka_unit_test(test_any_order_ends_as_an_in_order_replay),
        cmocka_unit_test(test_a_restored_call_is_as_if_nothing_had_been),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
