/* What happens on the line: silence where it is promised, states that follow each other. */
#include "sim/lifecycle.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Turns of 3 s, 0.5 s apart, by turns. */
static struct conversation make_conversation(size_t turns)
{
    struct conversation c = {.name = "made", .turn_count = turns};
    c.turns = calloc(turns, sizeof *c.turns);
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_non_null(c.turns);
    for (size_t i = 0; i < turns; i++) {
        size_t at = text.size;
        assert_true(buf_printf(&text, "turn %zu", i));
        int64_t start_ms = (int64_t)i * 3500 + 500;
        c.turns[i] = (struct conversation_turn){
            .speaker = i % 2 ? CONVERSATION_SPEAKER_AGENT : CONVERSATION_SPEAKER_CUSTOMER,
            .text_at = at,
            .bytes = text.size - at,
            .words = 2,
            .start_ms = start_ms,
            .end_ms = start_ms + 3000,
        };
    }
    c.text = text.bytes;
    return c;
}

static const struct lifecycle_odds ALL = {
    .share = {[LIFECYCLE_HELD] = 1,
              [LIFECYCLE_MUTED] = 1,
              [LIFECYCLE_MASKED] = 1,
              [LIFECYCLE_ENDED] = 1},
    .length_ms = {[LIFECYCLE_HELD] = 15000,
                  [LIFECYCLE_MUTED] = 10000,
                  [LIFECYCLE_MASKED] = 20000,
                  [LIFECYCLE_ENDED] = 30000},
};

static void plan(struct lifecycle *life, struct conversation *c, int64_t from_ms,
                 const struct lifecycle_odds *odds, uint64_t seed)
{
    struct rand rand;
    rand_seed(&rand, seed);
    lifecycle_plan(life, c, from_ms, odds, &rand);
}

static void without_odds_nothing_happens(void **unused)
{
    (void)unused;
    struct conversation c = make_conversation(20);
    struct lifecycle life;
    plan(&life, &c, 0, &(struct lifecycle_odds){0}, 1);
    int64_t since_ms = 0;
    assert_int_equal(life.count, 0);
    assert_int_equal(c.turns[19].start_ms, 19 * 3500 + 500);
    assert_int_equal(lifecycle_at(&life, 5000, &since_ms), LIFECYCLE_ACTIVE);
    assert_true(since_ms == INT64_MIN);
    assert_true(lifecycle_next(&life, 0) == INT64_MAX);
    conversation_done(&c);
}

static bool is_spoken_in(const struct conversation *c, const struct lifecycle_span *span)
{
    for (size_t i = 0; i < c->turn_count; i++) {
        if (c->turns[i].start_ms < span->end_ms && c->turns[i].end_ms > span->start_ms) {
            return true;
        }
    }
    return false;
}

static void nobody_speaks_on_hold_or_in_a_break(void **unused)
{
    (void)unused;
    size_t seen[LIFECYCLE_STATES] = {0};
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct conversation c = make_conversation(12);
        struct lifecycle life;
        plan(&life, &c, 9000, &ALL, seed);
        for (size_t i = 0; i < life.count; i++) {
            const struct lifecycle_span *span = &life.spans[i];
            seen[span->state]++;
            assert_true(span->start_ms >= 6500 && span->end_ms > span->start_ms);
            assert_true(i == 0 || span->start_ms >= life.spans[i - 1].end_ms);
            if (span->state == LIFECYCLE_HELD || span->state == LIFECYCLE_ENDED) {
                assert_false(is_spoken_in(&c, span));
                assert_int_equal(span->end_ms - span->start_ms,
                                 ALL.length_ms[span->state]); /* nothing may cut these short */
            }
        }
        for (size_t i = 1; i < c.turn_count; i++) {
            assert_true(c.turns[i].start_ms > c.turns[i - 1].start_ms);
            assert_int_equal(c.turns[i].end_ms - c.turns[i].start_ms, 3000);
        }
        conversation_done(&c);
    }
    for (int state = LIFECYCLE_HELD; state < LIFECYCLE_STATES; state++) {
        assert_true(seen[state] > 200);
    }
}

static void masking_is_announced_before_anything_is_said_in_it(void **unused)
{
    (void)unused;
    size_t masked = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct conversation c = make_conversation(12);
        struct lifecycle life;
        plan(&life, &c, 0, &ALL, seed);
        for (size_t i = 0; i < life.count; i++) {
            const struct lifecycle_span *span = &life.spans[i];
            for (size_t t = 0; span->state == LIFECYCLE_MASKED && t < c.turn_count; t++) {
                int64_t after_ms = c.turns[t].end_ms - span->start_ms;
                assert_true(after_ms < 0 || after_ms >= LIFECYCLE_MASK_LEAD_MS);
                masked += after_ms >= 0 && c.turns[t].end_ms < span->end_ms;
            }
        }
        conversation_done(&c);
    }
    assert_true(masked > 300);
}

static void states_are_told_with_their_beginning(void **unused)
{
    (void)unused;
    struct lifecycle life = {
        .spans = {{LIFECYCLE_HELD, 1000, 2000}, {LIFECYCLE_MASKED, 2000, 3000}}, .count = 2};
    static const struct {
        int64_t at_ms;
        enum lifecycle_state state;
        int64_t since_ms;
        int64_t next_ms;
    } cases[] = {
        {999, LIFECYCLE_ACTIVE, INT64_MIN, 1000}, {1000, LIFECYCLE_HELD, 1000, 2000},
        {1999, LIFECYCLE_HELD, 1000, 2000},       {2000, LIFECYCLE_MASKED, 2000, 3000},
        {2999, LIFECYCLE_MASKED, 2000, 3000},     {3000, LIFECYCLE_ACTIVE, 3000, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t since_ms = 0;
        assert_int_equal(lifecycle_at(&life, cases[i].at_ms, &since_ms), cases[i].state);
        assert_true(since_ms == cases[i].since_ms);
        assert_true(lifecycle_next(&life, cases[i].at_ms) == cases[i].next_ms);
    }
    assert_string_equal(lifecycle_state_name(LIFECYCLE_HELD), "held");
    assert_string_equal(lifecycle_state_name(LIFECYCLE_ENDED), "ended");
}

static void moments_are_alike_within_part_and_mask(void **unused)
{
    (void)unused;
    struct lifecycle life = {
        .spans = {{LIFECYCLE_MASKED, 1000, 2000}, {LIFECYCLE_ENDED, 5000, 9000}}, .count = 2};
    assert_true(lifecycle_is_alike(&life, 1000, 1999));
    assert_false(lifecycle_is_alike(&life, 1999, 2000));
    assert_false(lifecycle_is_alike(&life, 999, 1000));
    assert_true(lifecycle_is_alike(&life, 10, 4999));
    assert_false(lifecycle_is_alike(&life, 4999, 9500));
    assert_true(lifecycle_is_joined(&life, 1500, 2500));
    assert_false(lifecycle_is_joined(&life, 9500, 2500));
    assert_true(lifecycle_is_joined(NULL, 9500, 2500));
    assert_true(lifecycle_masks_within(&life, 0, 1000));
    assert_false(lifecycle_masks_within(&life, 0, 999));
    assert_true(lifecycle_masks_within(&life, 1999, 9000));
    assert_false(lifecycle_masks_within(&life, 2000, 9000)); /* a break is no mask */
    assert_false(lifecycle_masks_within(NULL, 0, 9000));
}

static void a_transfer_is_drawn_after_the_entry(void **unused)
{
    (void)unused;
    struct conversation c = make_conversation(10);
    struct rand rand;
    rand_seed(&rand, 4);
    size_t seen[10] = {0};
    for (int i = 0; i < 500; i++) {
        size_t turn = lifecycle_draw_transfer(&c, 11000, 1, &rand);
        assert_in_range(turn, 4, 9); /* turn 3 begins at 11 000 */
        seen[turn]++;
    }
    assert_true(seen[4] > 40 && seen[9] > 40);
    assert_int_equal(lifecycle_draw_transfer(&c, 40000, 1, &rand), 0);
    assert_int_equal(lifecycle_draw_transfer(&c, 0, 0, &rand), 0);
    conversation_done(&c);
}

static void a_split_loses_no_turn(void **unused)
{
    (void)unused;
    struct conversation c = make_conversation(5);
    struct conversation rest;
    assert_int_equal(conversation_split(&c, 2, &rest, NULL), 0);
    assert_int_equal(c.turn_count, 2);
    assert_int_equal(rest.turn_count, 3);
    assert_string_equal(rest.name, "made");
    assert_string_equal(rest.text, "turn 2turn 3turn 4");
    assert_int_equal(rest.turns[0].start_ms, CONVERSATION_GAP_MS);
    assert_int_equal(rest.turns[2].start_ms - rest.turns[0].start_ms, 7000);
    assert_int_equal(rest.turns[2].text_at, 12);
    conversation_done(&c);
    conversation_done(&rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_odds_nothing_happens),
        cmocka_unit_test(nobody_speaks_on_hold_or_in_a_break),
        cmocka_unit_test(masking_is_announced_before_anything_is_said_in_it),
        cmocka_unit_test(states_are_told_with_their_beginning),
        cmocka_unit_test(moments_are_alike_within_part_and_mask),
        cmocka_unit_test(a_transfer_is_drawn_after_the_entry),
        cmocka_unit_test(a_split_loses_no_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
