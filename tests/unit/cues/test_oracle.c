/* test_oracle.c - random calls, late, revised, duplicated and permuted, against an oracle that
 * keeps every utterance whole and answers each question by reading all of them. It shares no code
 * with the engine: phrases are found with strstr, times compared as docs/RULES.md words them. */
#include "talk.h"

#include "base/rand.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEARD_MAX = 200, RULES = 16, SETTLE_MS = 4000, CALLS = 4000, PERMUTATIONS = 1500 };

static const char rules_yaml[] =
    "settle: 4s\n"
    "rules:\n"
    "- {name: r0, message: m, cooldown: 0s, max_per_call: 1000,"
    " when: {said: {phrases: boss, by: customer, within: 12s}}}\n"
    "- {name: r1, message: m, cooldown: 20s, max_per_call: 2,"
    " when: {said: {phrases: [boss, refund], within: 3 turns}}}\n"
    "- {name: r2, message: m, cooldown: 0s, max_per_call: 1000,"
    " when: {said: {patterns: 'b.ss', within: call}}}\n"
    "- {name: r3, message: m, cooldown: 5s, max_per_call: 3,"
    " when: {repeated: {phrases: refund, by: customer, times: 2, within: 30s}}}\n"
    "- {name: r4, message: m, cooldown: 0s, max_per_call: 1000,"
    " when: {repeated: {phrases: refund, times: 3, within: call}}}\n"
    "- {name: r5, message: m, cooldown: 0s, max_per_call: 1000,"
    " when: {not_said: {phrases: welcome, by: agent, within: 15s}}}\n"
    "- {name: r6, message: m, cooldown: 0s, max_per_call: 1000,"
    " when: {not_said: {phrases: welcome, by: agent, within: 3 turns}}}\n"
    "- {name: r7, message: m, cooldown: 0s, max_per_call: 1000,"
    " when: {not_said: {phrases: welcome, within: call}}}\n"
    "- {name: r8, message: m, cooldown: 0s, max_per_call: 1000,"
    " when: {not_said: {phrases: sorry, by: agent, within: 10s,"
    " after: {phrases: refund, by: customer}}}}\n"
    "- {name: r9, message: m, cooldown: 0s, max_per_call: 1000, when: {silence: 9s}}\n"
    "- {name: r10, message: m, cooldown: 0s, max_per_call: 1000,"
    " when: {talk_over: {longer: 1s, times: 2, within: 40s, by: agent}}}\n"
    "- {name: r11, message: m, cooldown: 0s, max_per_call: 1000,"
    " when: {talk_over: {longer: 500ms, times: 1, within: 10s}}}\n"
    "- {name: r12, message: m, cooldown: 0s, max_per_call: 1000, when: {call_time: 45s}}\n"
    "- {name: r13, message: m, cooldown: 0s, max_per_call: 1000,"
    " when: {mood: {below: 0.4, trend: declining}}}\n"
    "- {name: r14, message: m, cooldown: 0s, max_per_call: 1000, when: {all: [{said: {phrases:"
    " boss, within: 12s}}, {not: {said: {phrases: sorry, by: agent, within: 30s}}}]}}\n"
    "- {name: r15, message: m, cooldown: 0s, max_per_call: 1000, when: {any: [{silence: 20s},"
    " {all: [{call_time: 30s}, {repeated: {phrases: boss, times: 2, within: 4 turns}}]}]}}\n";

static const int64_t cooldowns_ms[RULES] = {0, 20000, 0, 5000};
static const uint32_t most[RULES] = {1000, 2,    1000, 3,    1000, 1000, 1000, 1000,
                                     1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000};

/* --- the oracle --- */

struct heard {
    int64_t begin, end;
    enum cues_speaker speaker;
    char text[64];
    bool served;
};

struct oracle {
    struct heard all[HEARD_MAX];
    size_t count;
    bool held, ended;
    int64_t quiet_from;
    bool holds[RULES];
    uint32_t fired[RULES];
    int64_t fired_at[RULES];
    int64_t now;
    struct cues_mood mood;
};

static int by_time(const void *a, const void *b)
{
    const struct heard *x = a;
    const struct heard *y = b;
    if (x->end != y->end) {
        return x->end < y->end ? -1 : 1;
    }
    if (x->begin != y->begin) {
        return x->begin < y->begin ? -1 : 1;
    }
    return (int)x->speaker - (int)y->speaker;
}

static bool has(const struct heard *heard, const char *word, int by)
{
    return (by == 0 || (int)heard->speaker == by) && strstr(heard->text, word) != NULL;
}

static int64_t newest(const struct oracle *o)
{
    return o->all[o->count - 1].end;
}

static int64_t clock_of(const struct oracle *o)
{
    return newest(o) > o->now - SETTLE_MS ? newest(o) : o->now - SETTLE_MS;
}

static int64_t begun(const struct oracle *o)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < o->count; i++) {
        first = o->all[i].begin < first ? o->all[i].begin : first;
    }
    return first;
}

/* In which of the turns of `by` (0: anybody) utterance i lies, from 1, if it is theirs. */
static int turn_of(const struct oracle *o, size_t i, int by)
{
    int turns = 0;
    for (size_t j = 0; j <= i; j++) {
        bool begins = j == 0 || o->all[j].speaker != o->all[j - 1].speaker;
        turns += begins && (by == 0 || (int)o->all[j].speaker == by) ? 1 : 0;
    }
    return turns;
}

static int said_since(const struct oracle *o, const char *word, int by, int64_t within)
{
    int count = 0;
    for (size_t i = 0; i < o->count; i++) {
        count += has(&o->all[i], word, by) && newest(o) - o->all[i].end < within ? 1 : 0;
    }
    return count;
}

static int said_in_turns(const struct oracle *o, const char *word, int by, int turns)
{
    int count = 0;
    int last = turn_of(o, o->count - 1, 0);
    for (size_t i = 0; i < o->count; i++) {
        count += has(&o->all[i], word, by) && turn_of(o, i, 0) > last - turns ? 1 : 0;
    }
    return count;
}

static bool not_welcomed_in_turns(const struct oracle *o, int turns)
{
    int last = turn_of(o, o->count - 1, CUES_AGENT);
    bool speaking = o->all[o->count - 1].speaker == CUES_AGENT;
    bool said = false;
    for (size_t i = 0; i < o->count; i++) {
        said =
            said || (has(&o->all[i], "welcome", CUES_AGENT) && turn_of(o, i, CUES_AGENT) <= turns);
    }
    return !said && last - (speaking ? 1 : 0) >= turns;
}

static bool not_welcomed_in_time(const struct oracle *o, int64_t within)
{
    for (size_t i = 0; i < o->count; i++) {
        if (has(&o->all[i], "welcome", CUES_AGENT) && o->all[i].begin <= begun(o) + within) {
            return false;
        }
    }
    return clock_of(o) - begun(o) >= within;
}

static bool no_sorry_after_refund(const struct oracle *o, int64_t within)
{
    for (size_t i = 0; i < o->count; i++) {
        int64_t deadline = o->all[i].end + within;
        if (!has(&o->all[i], "refund", CUES_CUSTOMER) || clock_of(o) < deadline ||
            clock_of(o) >= deadline + 60000) {
            continue;
        }
        bool answered = false;
        for (size_t j = 0; j < o->count; j++) {
            answered =
                answered || (has(&o->all[j], "sorry", CUES_AGENT) &&
                             o->all[j].end >= o->all[i].begin && o->all[j].begin <= deadline);
        }
        if (!answered) {
            return true;
        }
    }
    return false;
}

static bool silent(const struct oracle *o, int64_t longer)
{
    int64_t from = newest(o) > o->quiet_from ? newest(o) : o->quiet_from;
    if (o->held) {
        return false;
    }
    if (clock_of(o) - from >= longer) {
        return true;
    }
    if (o->count < 2) {
        return false;
    }
    int64_t before = o->all[o->count - 2].end;
    before = before > o->quiet_from ? before : o->quiet_from;
    return o->all[o->count - 1].begin - before >= longer;
}

static int talk_overs(const struct oracle *o, int by, int64_t longer, int64_t within)
{
    int count = 0;
    for (size_t i = 0; i < o->count; i++) {
        const struct heard *a = &o->all[i];
        bool over = false;
        for (size_t j = 0; j < o->count; j++) {
            const struct heard *b = &o->all[j];
            int64_t shared = (a->end < b->end ? a->end : b->end) - a->begin;
            over = over || (a->speaker != b->speaker && a->speaker != CUES_UNKNOWN &&
                            b->speaker != CUES_UNKNOWN && b->begin <= a->begin && shared >= longer);
        }
        count += over && (by == 0 || (int)a->speaker == by) && newest(o) - a->end < within ? 1 : 0;
    }
    return count;
}

static void answer(const struct oracle *o, bool holds[RULES])
{
    memset(holds, 0, RULES * sizeof *holds);
    if (o->count == 0) {
        return;
    }
    holds[0] = said_since(o, "boss", CUES_CUSTOMER, 12000) > 0;
    holds[1] = said_in_turns(o, "boss", 0, 3) + said_in_turns(o, "refund", 0, 3) > 0;
    holds[2] = said_since(o, "boss", 0, INT64_MAX) + said_since(o, "bass", 0, INT64_MAX) > 0;
    holds[3] = said_since(o, "refund", CUES_CUSTOMER, 30000) >= 2;
    holds[4] = said_since(o, "refund", 0, INT64_MAX) >= 3;
    holds[5] = not_welcomed_in_time(o, 15000);
    holds[6] = not_welcomed_in_turns(o, 3);
    holds[7] = o->ended && said_since(o, "welcome", 0, INT64_MAX) == 0;
    holds[8] = no_sorry_after_refund(o, 10000);
    holds[9] = silent(o, 9000);
    holds[10] = talk_overs(o, CUES_AGENT, 1000, 40000) >= 2;
    holds[11] = talk_overs(o, 0, 500, 10000) >= 1;
    holds[12] = clock_of(o) - begun(o) >= 45000;
    holds[13] = o->mood.known && o->mood.mean < 400000 && o->mood.trend == CUES_DECLINING;
    holds[14] =
        said_since(o, "boss", 0, 12000) > 0 && said_since(o, "sorry", CUES_AGENT, 30000) == 0;
    holds[15] = silent(o, 20000) ||
                (clock_of(o) - begun(o) >= 30000 && said_in_turns(o, "boss", 0, 4) >= 2);
}

/* The rules that fire, as bits. */
static uint32_t advance(struct oracle *o, int64_t now, struct cues_mood mood)
{
    uint32_t fires = 0;
    bool holds[RULES];
    o->now = now;
    o->mood = mood;
    answer(o, holds);
    for (size_t i = 0; i < RULES; i++) {
        bool begins = holds[i] && !o->holds[i];
        o->holds[i] = holds[i];
        if (begins && o->fired[i] < most[i] &&
            (o->fired[i] == 0 || now - o->fired_at[i] >= cooldowns_ms[i])) {
            o->fired[i]++;
            o->fired_at[i] = now;
            fires |= 1u << i;
        }
    }
    return fires;
}

static void take(struct oracle *o, const struct cues_utterance *reply, size_t count)
{
    struct heard *known[HEARD_MAX];
    for (size_t i = 0; i < o->count; i++) {
        o->all[i].served = false;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            const struct cues_utterance *u = &reply[i];
            struct heard *same = NULL;
            struct heard *older = NULL;
            for (size_t j = 0; j < o->count; j++) {
                known[j] = &o->all[j];
                if (known[j]->begin != u->begin_ms || known[j]->speaker != u->speaker) {
                    continue;
                }
                bool equal = known[j]->end == u->end_ms && strcmp(known[j]->text, u->text) == 0;
                same = equal ? known[j] : same;
                older = !equal && !known[j]->served ? known[j] : older;
            }
            if (same) {
                same->served = same->served || pass == 0;
                continue;
            }
            if (pass == 0) {
                continue;
            }
            struct heard *to = older ? older : &o->all[o->count++];
            *to = (struct heard){u->begin_ms, u->end_ms, u->speaker, "", true};
            (void)snprintf(to->text, sizeof to->text, "%s", u->text);
            qsort(o->all, o->count, sizeof *o->all, by_time);
        }
    }
}

/* --- random calls --- */

struct script {
    struct cues_utterance items[64];
    char texts[64][64];
    size_t count;
};

static void write_text(struct rand *rand, char out[64])
{
    static const char *const words[] = {"boss",  "refund", "welcome", "sorry", "hello", "well",
                                        "order", "yes",    "bass",    "the",   "bosses"};
    size_t count = 1 + (size_t)rand_below(rand, 4);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t word = (size_t)rand_below(rand, 10); /* "bosses" would be no "boss" to the engine */
        at += (size_t)snprintf(out + at, 64 - at, "%s%s", i ? " " : "", words[word]);
    }
}

/* Begins are all different, so that who is revised is no matter of taste. */
static void write_script(struct rand *rand, struct script *script)
{
    int64_t at = TALK_EPOCH_MS;
    script->count = 5 + (size_t)rand_below(rand, 30);
    for (size_t i = 0; i < script->count; i++) {
        bool pause = rand_below(rand, 12) == 0;
        at +=
            100 + (int64_t)rand_below(rand, 4000) + (pause ? (int64_t)rand_below(rand, 30000) : 0);
        write_text(rand, script->texts[i]);
        script->items[i] = (struct cues_utterance){
            .begin_ms = at,
            .end_ms = at + 300 + (int64_t)rand_below(rand, 5000),
            .speaker = rand_below(rand, 10) == 0 ? CUES_UNKNOWN
                                                 : (enum cues_speaker)(1 + rand_below(rand, 2)),
            .text = script->texts[i],
            .text_bytes = strlen(script->texts[i]),
        };
    }
}

static struct cues_mood random_mood(struct rand *rand)
{
    return (struct cues_mood){
        .known = rand_below(rand, 4) > 0,
        .mean = (int64_t)rand_below(rand, 1000000),
        .trend = (enum cues_trend)rand_below(rand, 3),
    };
}

static void revise(struct rand *rand, struct script *script, size_t i)
{
    write_text(rand, script->texts[i]);
    script->items[i].text_bytes = strlen(script->texts[i]);
    script->items[i].end_ms = script->items[i].begin_ms + 300 + (int64_t)rand_below(rand, 5000);
}

static void compare(struct talk *talk, struct oracle *oracle, uint64_t call)
{
    uint32_t fired = 0;
    uint32_t expected = advance(oracle, oracle->now, oracle->mood);
    for (size_t i = 0; i < talk->firings.count; i++) {
        fired |= 1u << talk->firings.items[i].rule;
    }
    talk->firings.count = 0;
    for (uint32_t i = 0; i < RULES; i++) {
        if (cues_holds(talk->state, i) != oracle->holds[i] || ((fired ^ expected) >> i & 1) != 0) {
            fail_msg("call %llu, rule %u: holds %d and %d, fires %u and %u",
                     (unsigned long long)call, (unsigned)i, (int)cues_holds(talk->state, i),
                     (int)oracle->holds[i], (unsigned)(fired >> i & 1),
                     (unsigned)(expected >> i & 1));
        }
    }
}

/* One event of a random kind at a random later time. */
static void play_step(struct talk *talk, struct oracle *oracle, struct script *script,
                      struct rand *rand, int64_t *now)
{
    struct cues_utterance reply[8];
    struct cues_event event = {.kind = CUES_TICK};
    *now += (int64_t)rand_below(rand, 6000);
    uint64_t kind = rand_below(rand, 20);
    if (kind < 14) {
        event.kind = CUES_REPLY;
        event.utterances = reply;
        while (event.count < 8 && rand_below(rand, 4) > 0) {
            size_t i = (size_t)rand_below(rand, script->count);
            bool in_reply = false; /* its text is still pointed at */
            for (size_t j = 0; j < event.count; j++) {
                in_reply = in_reply || reply[j].begin_ms == script->items[i].begin_ms;
            }
            if (!in_reply && rand_below(rand, 10) == 0) {
                revise(rand, script, i);
            }
            if (script->items[i].end_ms > *now) {
                *now = script->items[i].end_ms;
            }
            reply[event.count++] = script->items[i];
        }
        take(oracle, reply, event.count);
    } else if (kind == 14 && !oracle->held) {
        event.kind = CUES_HELD;
        oracle->held = true;
    } else if (kind == 15 && oracle->held) {
        event.kind = CUES_RESUMED;
        oracle->held = false;
        oracle->quiet_from = *now;
    }
    event.now_ms = *now;
    talk->mood = random_mood(rand);
    oracle->now = *now;
    oracle->mood = talk->mood;
    talk_step(talk, &event);
}

static void test_random_calls_equal_the_oracle(void **state)
{
    (void)state;
    struct cues_rules *rules = talk_rules(rules_yaml);
    struct rand rand;
    for (uint64_t call = 0; call < CALLS; call++) {
        static struct oracle oracle;
        struct script script;
        rand_seed(&rand, call);
        memset(&oracle, 0, sizeof oracle);
        struct talk talk = {.rules = rules, .state = cues_state_create(rules, talk_key)};
        int64_t now = TALK_EPOCH_MS;
        write_script(&rand, &script);
        for (size_t step = 0; step < 60; step++) {
            play_step(&talk, &oracle, &script, &rand, &now);
            compare(&talk, &oracle, call);
        }
        oracle.ended = true;
        oracle.now = now;
        talk_step(&talk, &(struct cues_event){.kind = CUES_ENDED, .now_ms = now});
        compare(&talk, &oracle, call);
        cues_state_destroy(talk.state);
    }
    cues_release(rules);
}

/* --- permutations --- */

static void test_what_holds_does_not_depend_on_the_order_of_arrival(void **state)
{
    (void)state;
    struct cues_rules *rules = talk_rules(rules_yaml);
    struct rand rand;
    for (uint64_t call = 0; call < PERMUTATIONS; call++) {
        static struct oracle oracle;
        struct script script;
        size_t order[128];
        rand_seed(&rand, 1000000 + call);
        write_script(&rand, &script);
        memset(&oracle, 0, sizeof oracle);
        struct talk talk = {.rules = rules, .state = cues_state_create(rules, talk_key)};
        for (size_t i = 0; i < 2 * script.count; i++) { /* each twice, shuffled */
            size_t j = (size_t)rand_below(&rand, i + 1);
            order[i] = order[j];
            order[j] = i % script.count;
        }
        int64_t now = TALK_EPOCH_MS + 300000;
        for (size_t i = 0; i < 2 * script.count; i++) {
            talk_step(&talk, &(struct cues_event){.kind = CUES_REPLY,
                                                  .utterances = &script.items[order[i]],
                                                  .count = 1,
                                                  .now_ms = now});
        }
        take(&oracle, script.items, script.count);
        oracle.now = now;
        bool holds[RULES];
        answer(&oracle, holds);
        for (uint32_t i = 0; i < RULES; i++) {
            assert_int_equal(cues_holds(talk.state, i), holds[i]);
        }
        assert_int_equal(cues_counts(talk.state)->duplicates, script.count);
        cues_state_destroy(talk.state);
    }
    cues_release(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_calls_equal_the_oracle),
        cmocka_unit_test(test_what_holds_does_not_depend_on_the_order_of_arrival),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
