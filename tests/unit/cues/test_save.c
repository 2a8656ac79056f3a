/* test_save.c - a state that was saved and read back, or moved to another rule set, goes on like
 * one that was not; and bytes that are not a state are refused. */
#include "talk.h"

#include "base/rand.h"

#include <stdio.h>

enum { SAVED_BYTES_MAX = 1 << 16 };

static const char first_yaml[] =
    "settle: 4s\n"
    "rules:\n"
    "- {name: a, message: m, cooldown: 20s, max_per_call: 2,"
    " when: {said: {phrases: boss, by: customer, within: 12s}}}\n"
    "- {name: b, message: m, cooldown: 0s, when: {repeated: {phrases: refund, times: 3}}}\n"
    "- {name: c, message: m, cooldown: 0s, when: {not_said: {phrases: welcome, by: agent, within: 3"
    " turns}}}\n"
    "- {name: d, message: m, cooldown: 0s, when: {not_said: {phrases: sorry, within: 20s}}}\n"
    "- {name: e, message: m, cooldown: 0s, when: {silence: 9s}}\n";

/* The same rules in another order, with one more before them. */
static const char second_yaml[] =
    "settle: 4s\n"
    "rules:\n"
    "- {name: new, message: m, when: {said: {phrases: [order, yes], within: call}}}\n"
    "- {name: e, message: m, cooldown: 0s, when: {silence: 9s}}\n"
    "- {name: d, message: m, cooldown: 0s, when: {not_said: {phrases: sorry, within: 20s}}}\n"
    "- {name: c, message: m, cooldown: 0s, when: {not_said: {phrases: welcome, by: agent, within: 3"
    " turns}}}\n"
    "- {name: b, message: m, cooldown: 0s, when: {repeated: {phrases: refund, times: 3}}}\n"
    "- {name: a, message: m, cooldown: 20s, max_per_call: 2,"
    " when: {said: {phrases: boss, by: customer, within: 12s}}}\n";

static void say_something(struct talk *talk, struct rand *rand, double at_s)
{
    static const char *const texts[] = {"the boss", "a refund", "welcome", "sorry", "order", "hm"};
    talk_say(talk, (enum cues_speaker)(1 + rand_below(rand, 2)), at_s,
             texts[rand_below(rand, sizeof texts / sizeof *texts)]);
}

/* Saves, reads back under `rules`, and goes on with what was read. */
static void pass_through_bytes(struct talk *talk, struct cues_rules *rules)
{
    struct buf bytes;
    struct error err = {0};
    buf_init(&bytes, SAVED_BYTES_MAX);
    cues_save(talk->state, &bytes);
    assert_false(bytes.failed);
    struct unpack in = unpack_from(bytes.bytes, bytes.size);
    struct cues_state *restored = cues_restore(rules, talk_key, &in, &err);
    if (!restored || in.left != 0) {
        fail_msg("%s", err.message);
    }
    cues_state_destroy(talk->state);
    talk->state = restored;
    buf_done(&bytes);
}

static uint32_t fired_names(struct talk *talk)
{
    uint32_t names = 0;
    for (size_t i = 0; i < talk->firings.count; i++) {
        const char *name = cues_rule_name(talk->rules, talk->firings.items[i].rule);
        names |= strcmp(name, "new") == 0 ? 0 : 1u << (name[0] - 'a');
    }
    talk->firings.count = 0;
    return names;
}

/* Two equal calls, of which one is treated in some way at every step. */
static void compare_with_untouched(void (*treat)(struct talk *), uint64_t seed, bool swap)
{
    struct talk plain;
    struct talk treated;
    struct rand rand;
    talk_begin(&plain, first_yaml);
    talk_begin(&treated, first_yaml);
    struct cues_rules *rules[2] = {treated.rules, talk_rules(second_yaml)};
    rand_seed(&rand, seed);
    for (int step = 0; step < 30; step++) {
        double at_s = 5 + 4 * step + (double)rand_below(&rand, 4);
        struct rand twin = rand;
        say_something(&plain, &rand, at_s);
        say_something(&treated, &twin, at_s);
        assert_int_equal(fired_names(&plain), fired_names(&treated));
        treated.rules = swap ? rules[step % 2] : treated.rules;
        treat(&treated);
        talk_event(&plain, CUES_TICK, at_s + 14);
        talk_event(&treated, CUES_TICK, at_s + 14);
        assert_int_equal(fired_names(&plain), fired_names(&treated));
    }
    treated.rules = rules[0];
    cues_release(rules[1]);
    talk_end(&treated);
    talk_end(&plain);
}

static void save_and_restore(struct talk *talk)
{
    pass_through_bytes(talk, talk->rules);
}

static void leave_alone(struct talk *talk)
{
    (void)talk;
}

static void test_a_saved_call_goes_on_as_it_was(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        compare_with_untouched(save_and_restore, seed, false);
    }
}

static void test_a_call_goes_on_under_a_new_rule_set(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        compare_with_untouched(leave_alone, seed, true);
        compare_with_untouched(save_and_restore, seed, true);
    }
}

static void test_what_is_saved_is_bounded_and_counts_what_it_drops(void **state)
{
    (void)state;
    struct talk t;
    struct buf bytes;
    buf_init(&bytes, SAVED_BYTES_MAX);
    talk_begin(&t, first_yaml);
    talk_say(&t, CUES_CUSTOMER, 3, "a refund");
    talk_say(&t, CUES_CUSTOMER, 6, "a refund");
    for (int i = 0; i < 100; i++) {
        talk_say(&t, CUES_AGENT, 9 + 3 * i, "hm");
    }
    cues_save(t.state, &bytes);
    assert_true(bytes.size < 2048);
    pass_through_bytes(&t, t.rules);
    t.firings.count = 0;
    talk_say(&t, CUES_CUSTOMER, 312, "a refund");
    assert_int_equal(fired_names(&t), 1u << 1);
    assert_true(cues_state_bytes(t.state) < 16384);
    buf_done(&bytes);
    talk_end(&t);
}

static void test_bytes_that_are_no_state_are_refused(void **state)
{
    (void)state;
    struct talk t;
    struct buf bytes;
    struct rand rand;
    struct error err;
    rand_seed(&rand, 7);
    buf_init(&bytes, SAVED_BYTES_MAX);
    talk_begin(&t, first_yaml);
    for (int i = 0; i < 20; i++) {
        say_something(&t, &rand, 3 + 3 * i);
    }
    cues_save(t.state, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        struct unpack in = unpack_from(bytes.bytes, size);
        assert_null(cues_restore(t.rules, talk_key, &in, &err));
    }
    for (int round = 0; round < 20000; round++) { /* refused or taken, but never out of bounds */
        char copy[4096];
        assert_true(bytes.size <= sizeof copy);
        memcpy(copy, bytes.bytes, bytes.size);
        copy[rand_below(&rand, bytes.size)] ^= (char)(1 + rand_below(&rand, 255));
        struct unpack in = unpack_from(copy, bytes.size);
        struct talk odd = {.rules = t.rules, .state = cues_restore(t.rules, talk_key, &in, &err)};
        if (odd.state) {
            talk_say(&odd, CUES_CUSTOMER, 100, "the boss");
            (void)cues_due(odd.state);
            cues_state_destroy(odd.state);
        }
    }
    bytes.bytes[0] = 9;
    struct unpack in = unpack_from(bytes.bytes, bytes.size);
    assert_null(cues_restore(t.rules, talk_key, &in, &err));
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    buf_done(&bytes);
    talk_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_saved_call_goes_on_as_it_was),
        cmocka_unit_test(test_a_call_goes_on_under_a_new_rule_set),
        cmocka_unit_test(test_what_is_saved_is_bounded_and_counts_what_it_drops),
        cmocka_unit_test(test_bytes_that_are_no_state_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
