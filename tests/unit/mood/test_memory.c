/* test_memory.c - a step without memory changes nothing, and can be tried again.
 *
 * The files that allocate are compiled into this program with an allocator that fails on demand;
 * the linker then leaves out the library's own copies of them. */
#include <stdlib.h>

static long allocations_left = -1; /* negative: never fails */

static int may_allocate(void)
{
    if (allocations_left == 0) {
        return 0;
    }
    if (allocations_left > 0) {
        allocations_left--;
    }
    return 1;
}

static void *failing_calloc(size_t count, size_t size)
{
    return may_allocate() ? calloc(count, size) : NULL;
}

static void *failing_realloc(void *block, size_t size)
{
    return may_allocate() ? realloc(block, size) : NULL;
}

#define calloc  failing_calloc
#define realloc failing_realloc
#include "mood/call.c"
#include "mood/call_effects.c"
#include "mood/intake.c"
#include "mood/transcript.c"
#undef calloc
#undef realloc

#include "harness.h"

static void test_create_without_memory_is_null(void **state)
{
    (void)state;
    struct mood_policy policy;
    mood_policy_default(&policy);
    allocations_left = 0;
    struct call *call = call_create(&policy);
    allocations_left = -1;
    assert_null(call);
    call_destroy(call);
}

static bool step_with(struct harness *h, long allocations, const struct call_event *event)
{
    allocations_left = allocations;
    bool done = call_step(h->call, h->now, event, &h->effects);
    allocations_left = -1;
    return done;
}

static void test_a_reply_without_memory_leaves_the_call_as_before(void **state)
{
    (void)state;
    struct segment reply[40];
    for (int64_t i = 0; i < 40; i++) {
        reply[i] = harness_segment(SPEAKER_CUSTOMER, 1000 + i * 1000, 1500 + i * 1000, "words");
    }
    struct call_event event = {
        .kind = CALL_EVENT_REPLY, .segments = reply, .segment_count = 40, .backlog = true};
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 100000);
    long needed = 0;
    while (!step_with(&h, needed, &event)) {
        assert_int_equal(h.effects.count, 0);
        assert_int_equal(call_pending(h.call), 0);
        assert_int_equal(call_counts(h.call)->finals, 0);
        needed++;
        assert_true(needed < 20);
    }
    assert_int_equal(needed, 5); /* three of the plan, the table, the effects */
    assert_int_equal(h.effects.count, 40);
    assert_int_equal(call_counts(h.call)->finals, 40);
    harness_stop(&h);
}

static void test_a_score_without_memory_can_be_given_again(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    harness_at(&h, 10000);
    struct segment segment = harness_segment(SPEAKER_CUSTOMER, 1000, 5000, "words");
    harness_reply(&h, &segment, 1);
    call_effects_done(&h.effects);
    struct call_event event = {.kind = CALL_EVENT_SCORED, .utterance = 0, .score = 250000};
    assert_false(step_with(&h, 0, &event));
    assert_int_equal(call_pending(h.call), 1);
    assert_true(step_with(&h, 1, &event));
    assert_int_equal(harness_reading(&h).score, 250000);
    harness_stop(&h);
}

static void test_destroyers_accept_nothing(void **state)
{
    (void)state;
    struct call_effects effects;
    call_effects_init(&effects);
    call_effects_done(&effects);
    call_effects_done(&effects);
    call_destroy(NULL);
}

static void test_a_record_is_one_cache_line(void **state)
{
    (void)state;
    struct harness h;
    harness_start(&h, NULL);
    size_t empty = call_bytes(h.call);
    assert_true(empty <= 768);
    for (int64_t i = 1; i <= 16; i++) {
        harness_say(&h, i * 5000, 500000);
    }
    assert_int_equal(call_bytes(h.call), empty + 16 * 64);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_without_memory_is_null),
        cmocka_unit_test(test_a_reply_without_memory_leaves_the_call_as_before),
        cmocka_unit_test(test_a_score_without_memory_can_be_given_again),
        cmocka_unit_test(test_destroyers_accept_nothing),
        cmocka_unit_test(test_a_record_is_one_cache_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
