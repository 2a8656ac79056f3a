/* The schedule of a call and the view of a poll, against the rules in sim/README.md. */
#include "sim/timeline.h"

#include "base/buf.h"
#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t ORIGIN_MS = 1700000000000;

/* Two speakers by turns, each of 1 to 12 words, often inside the one before: then ends are not in
 * order. */
static struct conversation make_conversation(size_t turns, uint64_t seed)
{
    struct conversation c = {.turn_count = turns};
    struct rand rand;
    rand_seed(&rand, seed);
    struct buf text;
    buf_init(&text, 1 << 24);
    c.turns = calloc(turns, sizeof *c.turns);
    assert_non_null(c.turns);
    int64_t at_ms = 1000;
    for (size_t i = 0; i < turns; i++) {
        struct conversation_turn *turn = &c.turns[i];
        turn->speaker = i % 2 ? CONVERSATION_SPEAKER_AGENT : CONVERSATION_SPEAKER_CUSTOMER;
        turn->words = 1 + (unsigned)rand_below(&rand, 12);
        turn->text_at = text.size;
        for (unsigned w = 0; w < turn->words; w++) {
            buf_printf(&text, "%sw%u", w > 0 ? " " : "", w);
        }
        turn->bytes = text.size - turn->text_at;
        turn->start_ms = at_ms;
        turn->end_ms = at_ms + 400 * (int64_t)turn->words;
        int64_t inside_ms = (int64_t)rand_below(&rand, 5000);
        at_ms = inside_ms < turn->end_ms - at_ms ? turn->end_ms - inside_ms : at_ms + 1;
    }
    c.text = text.bytes;
    return c;
}

static struct timeline make_timeline(size_t turns, const struct timeline_disorder *disorder,
                                     uint64_t seed)
{
    struct conversation c = make_conversation(turns, 7);
    struct timeline t;
    assert_int_equal(timeline_create(&t, &c, NULL, disorder, seed, ORIGIN_MS, NULL), 0);
    conversation_done(&c);
    return t;
}

static const struct timeline_disorder CALM = {.partials = true};
static const struct timeline_disorder WILD = {
    .late = 0.2, .revised = 0.3, .duplicated = 0.25, .out_of_order = 0.3, .partials = true};

static struct timeline_query everything(int64_t now_ms)
{
    return (struct timeline_query){
        .now_ms = now_ms, .customer = true, .agent = true, .finals = true};
}

static void the_same_seed_gives_the_same_schedule(void **unused)
{
    (void)unused;
    struct timeline a = make_timeline(300, &WILD, 42);
    struct timeline b = make_timeline(300, &WILD, 42);
    struct timeline other = make_timeline(300, &WILD, 43);
    size_t differences = 0;
    assert_int_equal(a.event_count, b.event_count);
    for (size_t i = 0; i < a.event_count; i++) {
        assert_int_equal(a.events[i].visible_ms, b.events[i].visible_ms);
        assert_int_equal(a.events[i].n, b.events[i].n);
        assert_int_equal(a.events[i].version, b.events[i].version);
    }
    for (size_t i = 0; i < a.count; i++) {
        assert_int_equal(a.utterances[i].moved, b.utterances[i].moved);
        assert_int_equal(a.utterances[i].duplicated, b.utterances[i].duplicated);
        differences +=
            a.utterances[i].forms[0].visible_ms != other.utterances[i].forms[0].visible_ms;
    }
    assert_true(differences > 200);
    timeline_done(&a);
    timeline_done(&b);
    timeline_done(&other);
}

static void one_share_does_not_move_anothers_choice(void **unused)
{
    (void)unused;
    struct timeline_disorder only_late = {.late = WILD.late};
    struct timeline a = make_timeline(500, &WILD, 5);
    struct timeline b = make_timeline(500, &only_late, 5);
    for (size_t i = 0; i < a.count; i++) {
        assert_int_equal(a.utterances[i].late, b.utterances[i].late);
    }
    timeline_done(&a);
    timeline_done(&b);
}

static void assert_share(size_t count, size_t of, double share)
{
    double found = (double)count / (double)of;
    /* Five standard deviations of a binomial share at 8000 draws are below 0.03. */
    assert_true(found > share - 0.03 && found < share + 0.03);
}

static void shares_are_near_their_targets(void **unused)
{
    (void)unused;
    struct timeline t = make_timeline(8000, &WILD, 9);
    size_t late = 0, revised = 0, long_enough = 0, duplicated = 0, moved = 0;
    for (size_t i = 0; i < t.count; i++) {
        const struct timeline_utterance *u = &t.utterances[i];
        late += u->late;
        long_enough += u->words >= 3;
        revised += u->form_count == 2;
        assert_true(u->form_count == 1 || u->words >= 3);
        duplicated += u->duplicated;
        moved += u->moved > 0;
    }
    assert_share(late, t.count, WILD.late);
    assert_share(revised, long_enough, WILD.revised);
    assert_share(duplicated, t.count, WILD.duplicated);
    assert_share(moved, t.count, WILD.out_of_order);
    timeline_done(&t);
}

static void finals_come_when_promised(void **unused)
{
    (void)unused;
    /* 40 turns last about a minute, so that the cap at the call's end matters. */
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct timeline t = make_timeline(40, &WILD, seed);
        for (size_t i = 0; i < t.count; i++) {
            const struct timeline_utterance *u = &t.utterances[i];
            int64_t after_ms = u->forms[0].visible_ms - u->end_ms;
            if (u->late) {
                assert_in_range(after_ms, 35000, 120000);
            } else {
                assert_in_range(after_ms, 300, 1200);
            }
            const struct timeline_form *last = &u->forms[u->form_count - 1];
            assert_true(last->visible_ms <= t.last_end_ms + 45000);
            assert_int_equal(last->bytes, u->bytes);
            assert_int_equal(last->end_ms, u->end_ms);
            if (u->form_count == 2) {
                assert_in_range(last->visible_ms - u->forms[0].visible_ms, 2000, 8000);
            }
        }
        assert_int_equal(timeline_ended_ms(&t), t.last_end_ms + 2000);
        timeline_done(&t);
    }
}

static void a_revised_form_lacks_the_last_word(void **unused)
{
    (void)unused;
    struct timeline_disorder all = {.revised = 1};
    struct timeline t = make_timeline(400, &all, 3);
    size_t shorter = 0, revised = 0;
    for (size_t i = 0; i < t.count; i++) {
        const struct timeline_utterance *u = &t.utterances[i];
        if (u->words < 3) {
            assert_int_equal(u->form_count, 1);
            continue;
        }
        revised++;
        assert_int_equal(u->form_count, 2);
        const char *space = u->text + u->bytes;
        while (*--space != ' ') {
        }
        assert_int_equal(u->forms[0].bytes, space - u->text);
        int64_t cut_ms = u->end_ms - u->forms[0].end_ms;
        assert_true(cut_ms == 0 || cut_ms == 200);
        shorter += cut_ms == 200;
    }
    assert_true(shorter > revised / 3 && shorter < revised * 2 / 3);

    /* A poll between the two forms sees the first, one after them the second, never both. */
    const struct timeline_utterance *u = &t.utterances[0];
    size_t n = 0;
    while (u[n].form_count < 2) {
        n++;
    }
    struct timeline_reply reply = {0};
    for (unsigned v = 1; v <= 2; v++) {
        struct timeline_query query = everything(u[n].forms[v - 1].visible_ms);
        query.since_ms = u[n].start_ms;
        assert_true(timeline_poll(&t, &query, &reply));
        size_t seen = 0;
        for (size_t i = 0; i < reply.count; i++) {
            if (reply.items[i].n == n) {
                assert_int_equal(reply.items[i].version, v);
                seen++;
            }
        }
        assert_int_equal(seen, 1);
    }
    timeline_reply_done(&reply);
    timeline_done(&t);
}

static void partials_grow_word_by_word(void **unused)
{
    (void)unused;
    struct timeline t = make_timeline(1, &CALM, 1);
    const struct timeline_utterance *u = &t.utterances[0];
    struct timeline_reply reply = {0};
    size_t bytes_before = 0;
    for (int64_t now = u->start_ms; now < u->forms[0].visible_ms; now += 50) {
        struct timeline_query query = everything(now);
        assert_true(timeline_poll(&t, &query, &reply));
        /* make_conversation speaks a word each 400 ms. */
        int64_t words = (now - u->start_ms) / 400;
        words = words > (int64_t)u->words ? (int64_t)u->words : words;
        assert_int_equal(reply.count, words > 0 ? 1 : 0);
        if (words > 0) {
            assert_int_equal(reply.items[0].version, 0);
            assert_true(reply.items[0].bytes >= bytes_before);
            bytes_before = reply.items[0].bytes;
            assert_int_equal(bytes_before, 3 * words - 1); /* "w0 w1 ..." */
            assert_int_equal(reply.items[0].end_ms, u->start_ms + 400 * words);
        }
        query.finals = false;
        assert_true(timeline_poll(&t, &query, &reply));
        assert_int_equal(reply.count, words > 0 ? 1 : 0);
    }
    assert_int_equal(bytes_before, u->bytes);
    struct timeline_query query = everything(u->forms[0].visible_ms);
    assert_true(timeline_poll(&t, &query, &reply));
    assert_int_equal(reply.count, 1);
    assert_int_equal(reply.items[0].version, 1);
    query.finals = false;
    assert_true(timeline_poll(&t, &query, &reply));
    assert_int_equal(reply.count, 0);
    timeline_reply_done(&reply);
    timeline_done(&t);
}

static void without_partials_only_finals_are_seen(void **unused)
{
    (void)unused;
    struct timeline_disorder silent = {.late = 1};
    struct timeline t = make_timeline(30, &silent, 2);
    struct timeline_query query = everything(t.utterances[10].end_ms);
    struct timeline_reply reply = {0};
    assert_true(timeline_poll(&t, &query, &reply));
    assert_int_equal(reply.count, 0);
    timeline_reply_done(&reply);
    timeline_done(&t);
}

/* What must be in a reply, found by looking at every utterance. Returns whether it is there. */
static bool expected(const struct timeline *t, const struct timeline_query *query, size_t n,
                     struct timeline_item *item)
{
    const struct timeline_utterance *u = &t->utterances[n];
    *item = (struct timeline_item){.n = (uint32_t)n, .end_ms = u->end_ms, .bytes = u->bytes};
    for (unsigned v = 0; v < u->form_count; v++) {
        if (u->forms[v].visible_ms <= query->now_ms) {
            item->version = v + 1;
            item->end_ms = u->forms[v].end_ms;
        }
    }
    if (item->version == 0) {
        int64_t words = (query->now_ms - u->start_ms) / 400;
        words = words > (int64_t)u->words ? (int64_t)u->words : words;
        if (query->now_ms < u->start_ms || words == 0) {
            return false;
        }
        item->end_ms = u->start_ms + 400 * words;
    }
    bool customer = u->speaker == CONVERSATION_SPEAKER_CUSTOMER;
    if (!(customer ? query->customer : query->agent) || (item->version > 0 && !query->finals)) {
        return false;
    }
    switch (query->filter) {
    case TIMELINE_FILTER_START_AT_LEAST:
        return u->start_ms >= query->since_ms;
    case TIMELINE_FILTER_START_AFTER:
        return u->start_ms > query->since_ms;
    case TIMELINE_FILTER_END_AT_LEAST:
        return item->end_ms >= query->since_ms;
    case TIMELINE_FILTER_END_AFTER:
        return item->end_ms > query->since_ms;
    }
    return false;
}

static void check_poll(const struct timeline *t, const struct timeline_query *query,
                       struct timeline_reply *reply)
{
    assert_true(timeline_poll(t, query, reply));
    size_t copies = 0;
    for (size_t n = 0; n < t->count; n++) {
        struct timeline_item item;
        size_t wanted = 0;
        if (expected(t, query, n, &item)) {
            wanted = item.version > 0 && t->utterances[n].duplicated ? 2 : 1;
        }
        size_t found = 0;
        for (size_t i = 0; i < reply->count; i++) {
            if (reply->items[i].n == n) {
                found++;
                assert_int_equal(reply->items[i].version, item.version);
                assert_int_equal(reply->items[i].end_ms, item.end_ms);
            }
        }
        assert_int_equal(found, wanted);
        copies += wanted;
    }
    assert_int_equal(reply->count, copies);
}

static void every_filter_selects_what_it_says(void **unused)
{
    (void)unused;
    struct timeline t = make_timeline(60, &WILD, 11);
    struct timeline_reply reply = {0};
    struct rand rand;
    rand_seed(&rand, 1);
    for (unsigned filter = 0; filter < 4; filter++) {
        for (int round = 0; round < 300; round++) {
            const struct timeline_utterance *u = &t.utterances[rand_below(&rand, t.count)];
            struct timeline_query query = everything(
                ORIGIN_MS + (int64_t)rand_below(&rand, (uint64_t)(t.last_end_ms - ORIGIN_MS)));
            /* Exactly on a start or an end, where > and >= differ, and beside it. */
            query.since_ms = (round % 2 ? u->start_ms : u->end_ms) + (round % 3) - 1;
            query.filter = (enum timeline_filter)filter;
            query.customer = round % 5 != 0;
            query.agent = round % 7 != 0;
            query.finals = round % 11 != 0;
            check_poll(&t, &query, &reply);
        }
    }
    timeline_reply_done(&reply);
    timeline_done(&t);
}

static void a_zero_start_time_gives_all_history(void **unused)
{
    (void)unused;
    struct timeline t = make_timeline(60, &CALM, 11);
    struct timeline_reply reply = {0};
    struct timeline_query query = everything(t.last_end_ms + 45000);
    for (unsigned filter = 0; filter < 4; filter++) {
        query.filter = (enum timeline_filter)filter;
        assert_true(timeline_poll(&t, &query, &reply));
        assert_int_equal(reply.count, 60);
        for (size_t i = 0; i < reply.count; i++) {
            assert_int_equal(reply.items[i].n, i);
        }
    }
    timeline_reply_done(&reply);
    timeline_done(&t);
}

static void moved_elements_stand_too_early(void **unused)
{
    (void)unused;
    struct timeline_disorder disorder = {.out_of_order = 0.1};
    struct timeline t = make_timeline(1000, &disorder, 4);
    struct timeline_reply reply = {0};
    struct timeline_query query = everything(t.last_end_ms + 45000);
    assert_true(timeline_poll(&t, &query, &reply));
    assert_int_equal(reply.count, 1000);
    size_t early = 0;
    for (size_t i = 0; i < reply.count; i++) {
        size_t n = reply.items[i].n;
        early += n > i && t.utterances[n].moved > 0;
        assert_true(n <= i + 3);
    }
    assert_true(early > 70 && early < 130);
    timeline_reply_done(&reply);
    timeline_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_schedule),
        cmocka_unit_test(one_share_does_not_move_anothers_choice),
        cmocka_unit_test(shares_are_near_their_targets),
        cmocka_unit_test(finals_come_when_promised),
        cmocka_unit_test(a_revised_form_lacks_the_last_word),
        cmocka_unit_test(partials_grow_word_by_word),
        cmocka_unit_test(without_partials_only_finals_are_seen),
        cmocka_unit_test(every_filter_selects_what_it_says),
        cmocka_unit_test(a_zero_start_time_gives_all_history),
        cmocka_unit_test(moved_elements_stand_too_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
