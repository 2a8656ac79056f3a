/* Stamps that lie, finals of no use, ends in the future: and that what counts stays beyond doubt.
 */
#include "sim/schedule.h"

#include "base/buf.h"
#include "base/json.h"
#include "sim/elements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t ORIGIN_MS = 1700000000000;

/* Two speakers by turns, 2 to 9 words each, 0.5 s apart. */
static struct conversation make_conversation(size_t turns)
{
    struct conversation c = {.turn_count = turns};
    struct rand rand;
    struct buf text;
    rand_seed(&rand, 7);
    buf_init(&text, 1 << 24);
    c.turns = calloc(turns, sizeof *c.turns);
    assert_non_null(c.turns);
    int64_t at_ms = 1000;
    for (size_t i = 0; i < turns; i++) {
        struct conversation_turn *turn = &c.turns[i];
        turn->speaker = i % 2 ? CONVERSATION_SPEAKER_AGENT : CONVERSATION_SPEAKER_CUSTOMER;
        turn->words = 2 + (unsigned)rand_below(&rand, 8);
        turn->text_at = text.size;
        for (unsigned w = 0; w < turn->words; w++) {
            buf_printf(&text, "%st%zuw%u", w > 0 ? " " : "", i % 50, w);
        }
        turn->bytes = text.size - turn->text_at;
        turn->start_ms = at_ms;
        turn->end_ms = at_ms + 400 * (int64_t)turn->words;
        at_ms = turn->end_ms + 500;
    }
    c.text = text.bytes;
    return c;
}

static struct timeline make(size_t turns, const struct timeline_disorder *disorder,
                            const struct lifecycle_odds *odds, struct lifecycle *life,
                            uint64_t seed)
{
    struct conversation c = make_conversation(turns);
    struct timeline t;
    struct rand rand;
    rand_seed(&rand, seed);
    if (odds != NULL) {
        lifecycle_plan(life, &c, 0, odds, &rand);
    }
    assert_int_equal(
        timeline_create(&t, &c, odds == NULL ? NULL : life, disorder, seed, ORIGIN_MS, NULL), 0);
    conversation_done(&c);
    return t;
}

static const struct timeline_disorder WILD = {
    .late = 0.2,
    .revised = 0.3,
    .duplicated = 0.2,
    .out_of_order = 0.3,
    .same_millisecond = 0.2,
    .missing_fields = 0.2,
    .unknown_direction = 0.1,
    .past = 0.1,
    .future = 0.2,
    .future_ms = 45000,
    .numeric_strings = 0.3,
    .extra_fields = 0.3,
    .partials = true,
};

static const struct lifecycle_odds HAPPENINGS = {
    .share = {[LIFECYCLE_HELD] = 1,
              [LIFECYCLE_MUTED] = 1,
              [LIFECYCLE_MASKED] = 1,
              [LIFECYCLE_ENDED] = 1},
    .length_ms = {[LIFECYCLE_HELD] = 15000,
                  [LIFECYCLE_MUTED] = 10000,
                  [LIFECYCLE_MASKED] = 20000,
                  [LIFECYCLE_ENDED] = 30000},
};

static void flaws_do_not_move_the_rest(void **unused)
{
    (void)unused;
    struct timeline_disorder calm = {.late = WILD.late, .revised = WILD.revised};
    struct timeline_disorder flawed = calm;
    flawed.missing_fields = flawed.past = flawed.future = 0.5;
    struct timeline a = make(400, &calm, NULL, NULL, 5);
    struct timeline b = make(400, &flawed, NULL, NULL, 5);
    for (size_t i = 0; i < a.count; i++) {
        assert_int_equal(a.utterances[i].late, b.utterances[i].late);
        assert_int_equal(a.utterances[i].start_ms, b.utterances[i].start_ms);
        assert_int_equal(a.utterances[i].flaw, TIMELINE_FLAW_NONE);
    }
    timeline_done(&a);
    timeline_done(&b);
}

static void a_flawed_final_becomes_whole_in_time(void **unused)
{
    (void)unused;
    size_t seen[TIMELINE_FLAWS] = {0};
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct timeline t = make(40, &WILD, NULL, NULL, seed);
        for (size_t i = 0; i < t.count; i++) {
            const struct timeline_utterance *u = &t.utterances[i];
            seen[u->flaw]++;
            if (u->flaw != TIMELINE_FLAW_NONE) {
                assert_in_range(u->forms[0].visible_ms - u->flawed_ms, 2000, 8000);
                assert_true(u->flawed_ms >= u->spoken_end_ms + 300);
            }
            const struct timeline_form *last = &u->forms[u->form_count - 1];
            assert_int_equal(last->bytes, u->bytes);
            assert_int_equal(last->end_ms, u->end_ms);
            assert_true(last->visible_ms <= t.last_end_ms + TIMELINE_LATE_GRACE_MS);
        }
        timeline_done(&t);
    }
    for (int flaw = 0; flaw < TIMELINE_FLAWS; flaw++) {
        assert_true(seen[flaw] > 30);
    }
}

static void a_stamp_in_the_past_is_more_than_an_hour_before_the_call(void **unused)
{
    (void)unused;
    struct timeline_disorder disorder = {.past = 0.5, .out_of_order = 0.5, .duplicated = 0.3};
    struct timeline t = make(200, &disorder, NULL, NULL, 3);
    struct timeline_reply reply = {0};
    size_t seen = 0;
    for (int64_t now_ms = ORIGIN_MS; now_ms < t.last_end_ms + 60000; now_ms += 700) {
        struct timeline_query query = {.now_ms = now_ms,
                                       .since_ms = now_ms - 10000,
                                       .customer = true,
                                       .agent = true,
                                       .finals = true};
        assert_true(timeline_poll(&t, &query, &reply));
        bool whole = false;
        for (size_t i = 0; i < reply.count; i++) {
            const struct timeline_item *item = &reply.items[i];
            if (item->flaw == TIMELINE_FLAW_PAST) {
                assert_true(whole); /* something tells the reader when the call is */
                assert_true(item->end_ms < t.utterances[0].start_ms - 3600000);
                seen++;
            } else {
                whole = true;
                assert_int_equal(item->start_ms, t.utterances[item->n].start_ms);
            }
        }
    }
    assert_true(seen > 100);
    timeline_reply_done(&reply);
    timeline_done(&t);
}

static void who_shares_a_start_has_one_form_and_other_words(void **unused)
{
    (void)unused;
    size_t own = 0, other = 0, points = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct timeline t = make(60, &WILD, NULL, NULL, seed);
        for (size_t i = 0; i < t.count; i++) {
            const struct timeline_utterance *u = &t.utterances[i];
            assert_true(i == 0 || u->start_ms >= t.utterances[i - 1].start_ms);
            assert_true(u->end_ms >= u->start_ms);
            points += u->displaced && u->end_ms == u->start_ms;
            assert_true(!u->displaced || u->form_count == 1);
            for (size_t k = 0; k < i; k++) {
                const struct timeline_utterance *v = &t.utterances[k];
                if (v->start_ms != u->start_ms) {
                    continue;
                }
                if (v->speaker != u->speaker) {
                    other++;
                    continue;
                }
                own++;
                assert_true(u->shared && v->shared);
                assert_true(u->form_count == 1 && v->form_count == 1);
                assert_true(u->moved == 0 && v->moved == 0);
                /* Whoever asks by ends sees the later one only beside the earlier. */
                assert_true(u->end_ms <= v->end_ms);
                assert_false(u->bytes == v->bytes && memcmp(u->text, v->text, u->bytes) == 0);
            }
        }
        timeline_done(&t);
    }
    assert_true(own > 100 && other > 100 && points > 100);
}

static void a_displaced_one_is_seen_only_when_it_was_said(void **unused)
{
    (void)unused;
    struct timeline_disorder disorder = {.same_millisecond = 1, .partials = true};
    struct timeline t = make(30, &disorder, NULL, NULL, 1);
    struct timeline_reply reply = {0};
    size_t displaced = 0;
    for (size_t n = 0; n < t.count; n++) {
        const struct timeline_utterance *u = &t.utterances[n];
        if (!u->displaced) {
            continue;
        }
        displaced++;
        assert_true(u->spoken_end_ms > u->end_ms);
        struct timeline_query query = {
            .now_ms = u->spoken_end_ms, .customer = true, .agent = true, .finals = true};
        assert_true(timeline_poll(&t, &query, &reply));
        for (size_t i = 0; i < reply.count; i++) {
            assert_int_not_equal(reply.items[i].n, n);
        }
    }
    assert_true(displaced > 10);
    timeline_reply_done(&reply);
    timeline_done(&t);
}

static void a_future_end_is_corrected_and_never_hidden_by_a_filter(void **unused)
{
    (void)unused;
    struct timeline_disorder disorder = {.future = 1, .future_ms = 45000};
    struct timeline t = make(30, &disorder, NULL, NULL, 1);
    struct timeline_reply reply = {0};
    for (size_t n = 0; n < t.count; n++) {
        const struct timeline_utterance *u = &t.utterances[n];
        assert_int_equal(u->form_count, 2);
        assert_int_equal(u->forms[0].end_ms, u->end_ms + 45000);
        assert_int_equal(u->forms[1].end_ms, u->end_ms);
        struct timeline_query query = {.now_ms = u->forms[0].visible_ms,
                                       .since_ms = u->end_ms + 44000,
                                       .filter = TIMELINE_FILTER_END_AT_LEAST,
                                       .customer = true,
                                       .agent = true,
                                       .finals = true};
        assert_true(timeline_poll(&t, &query, &reply));
        bool found = false;
        for (size_t i = 0; i < reply.count; i++) {
            found = found || reply.items[i].n == n;
        }
        assert_true(found);
    }
    timeline_reply_done(&reply);
    timeline_done(&t);
}

static void all_forms_are_masked_or_none(void **unused)
{
    (void)unused;
    size_t masked = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct lifecycle life;
        struct timeline t = make(30, &WILD, &HAPPENINGS, &life, seed);
        for (size_t i = 0; i < t.count; i++) {
            const struct timeline_utterance *u = &t.utterances[i];
            masked += u->masked;
            /* A reader may take an end in the future for any time until it is corrected. */
            bool future = u->forms[0].end_ms > u->end_ms;
            assert_false(future &&
                         lifecycle_masks_within(&life, u->end_ms - ORIGIN_MS,
                                                u->forms[1].visible_ms + 5000 - ORIGIN_MS));
            for (unsigned v = 0; v < u->form_count; v++) {
                int64_t since_ms;
                bool inside = lifecycle_at(&life, u->forms[v].end_ms - ORIGIN_MS, &since_ms) ==
                              LIFECYCLE_MASKED;
                assert_int_equal(inside, u->masked);
            }
        }
        timeline_done(&t);
    }
    assert_true(masked > 200);
}

static void finals_keep_their_promise_in_each_part(void **unused)
{
    (void)unused;
    struct timeline_disorder disorder = WILD;
    disorder.late = 1;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct lifecycle life;
        struct timeline t = make(30, &disorder, &HAPPENINGS, &life, seed);
        for (size_t s = 0; s < life.count; s++) {
            int64_t break_ms = ORIGIN_MS + life.spans[s].start_ms;
            for (size_t i = 0; life.spans[s].state == LIFECYCLE_ENDED && i < t.count; i++) {
                const struct timeline_utterance *u = &t.utterances[i];
                /* The break begins 2 s after the last end before it. */
                assert_true(u->spoken_end_ms > break_ms ||
                            u->forms[u->form_count - 1].visible_ms <= break_ms - 2000 + 45000);
            }
        }
        timeline_done(&t);
    }
}

static void overlapping_turns_stay_in_order(void **unused)
{
    (void)unused;
    struct conversation c = make_conversation(300);
    size_t overlaps = 0;
    for (size_t i = 0; i < c.turn_count; i += 5) {
        c.turns[i].speaker = CONVERSATION_SPEAKER_AGENT; /* now some speak twice in a row */
    }
    schedule_overlap(&c, 0.5, 3);
    for (size_t i = 1; i < c.turn_count; i++) {
        const struct conversation_turn *before = &c.turns[i - 1];
        const struct conversation_turn *turn = &c.turns[i];
        assert_true(turn->start_ms > before->start_ms);
        assert_int_equal(turn->end_ms - turn->start_ms, 400 * (int64_t)turn->words);
        assert_true(turn->speaker != before->speaker || turn->start_ms >= before->end_ms);
        overlaps += turn->start_ms < before->end_ms;
    }
    assert_in_range(overlaps, 80, 180);
    conversation_done(&c);
}

static void elements_look_as_their_flaw_says(void **unused)
{
    (void)unused;
    struct timeline_utterance utterance = {.text = "good bye", .bytes = 8};
    struct timeline t = {.utterances = &utterance, .count = 1};
    static const struct {
        enum timeline_flaw flaw;
        const char *field;
    } cases[] = {
        {TIMELINE_FLAW_NO_TEXT, "text"},     {TIMELINE_FLAW_NO_START, "startTime"},
        {TIMELINE_FLAW_NO_END, "endTime"},   {TIMELINE_FLAW_NO_DIRECTION, "direction"},
        {TIMELINE_FLAW_NO_FINAL, "isFinal"},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        struct timeline_item item = {
            .n = 0, .version = 1, .flaw = cases[i / 2].flaw, .bytes = 8, .end_ms = 5};
        struct timeline_reply reply = {.items = &item, .count = 1};
        struct json_writer w;
        struct buf out;
        struct json_document *document;
        utterance.numeric_strings = utterance.extra_fields = i % 2 == 0;
        buf_init(&out, 4096);
        json_writer_init(&w, &out);
        elements_write(&t, &reply, "", &w);
        assert_int_equal(json_parse(out.bytes, out.size, &document, NULL), 0);
        const struct json *element = json_at(json_root(document), 0);
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            enum json_kind kind = json_kind(json_get(element, cases[k].field));
            bool missing = kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL;
            assert_int_equal(missing, k == i / 2);
        }
        if (cases[i / 2].flaw != TIMELINE_FLAW_NO_END) {
            assert_int_equal(json_kind(json_get(element, "endTime")),
                             i % 2 == 0 ? JSON_KIND_STRING : JSON_KIND_INTEGER);
        }
        json_free(document);
        buf_clear(&out);
        json_writer_init(&w, &out);
        json_write_object_begin(&w);
        elements_record(&reply, &w);
        json_write_object_end(&w);
        assert_non_null(strstr(buf_string(&out), "\"finals\":[],\"flawed\":[[0,\"no_"));
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flaws_do_not_move_the_rest),
        cmocka_unit_test(a_flawed_final_becomes_whole_in_time),
        cmocka_unit_test(a_stamp_in_the_past_is_more_than_an_hour_before_the_call),
        cmocka_unit_test(who_shares_a_start_has_one_form_and_other_words),
        cmocka_unit_test(a_displaced_one_is_seen_only_when_it_was_said),
        cmocka_unit_test(a_future_end_is_corrected_and_never_hidden_by_a_filter),
        cmocka_unit_test(all_forms_are_masked_or_none),
        cmocka_unit_test(finals_keep_their_promise_in_each_part),
        cmocka_unit_test(overlapping_turns_stay_in_order),
        cmocka_unit_test(elements_look_as_their_flaw_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
