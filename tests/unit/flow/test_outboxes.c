/* What is owed to the vendor, and when it may leave: attributes and suggestions. */
#include "flow/attribute_outbox.h"
#include "flow/suggestion_outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct attribute_limits attribute_limits = {
    .min_interval_ms = 2000,
    .min_delta = 10000,
    .denied_wait_ms = 30000,
    .final_tries_max = 2,
    .backoff = {0, 0},
};

static const struct suggestion_limits suggestion_limits = {
    .tries_max = 3,
    .denied_wait_ms = 30000,
    .backoff = {0, 0},
};

static struct mono at_ms(int64_t ms)
{
    return (struct mono){ms * 1000};
}

static struct cxone_result outcome(enum cxone_outcome kind, int64_t retry_after_ms)
{
    return (struct cxone_result){.outcome = kind, .retry_after_ms = retry_after_ms, .reason = ""};
}

static struct call_reading reading(int64_t score, enum call_trend trend)
{
    return (struct call_reading){.score = score, .trend = trend, .utterances = 1};
}

static void want(struct attribute_outbox *outbox, int64_t score, enum call_trend trend)
{
    struct call_reading wanted = reading(score, trend);
    attribute_outbox_want(outbox, &wanted);
}

static void write_at(struct attribute_outbox *outbox, int64_t ms, enum cxone_outcome kind)
{
    struct rand rand;
    struct cxone_result result = outcome(kind, -1);
    rand_seed(&rand, 1);
    attribute_outbox_send(outbox, &attribute_limits, at_ms(ms));
    attribute_outbox_done(outbox, &attribute_limits, &result, at_ms(ms), &rand);
}

/* The due time in ms, or -1 when nothing is owed. */
static int64_t owed_at(const struct attribute_outbox *outbox)
{
    struct mono due;
    return attribute_outbox_due(outbox, &attribute_limits, &due) ? due.us / 1000 : -1;
}

static void silence_writes_nothing(void **state)
{
    (void)state;
    struct attribute_outbox outbox = {0};
    assert_int_equal(owed_at(&outbox), -1);
    want(&outbox, 500000, CALL_TREND_STABLE);
    assert_int_equal(owed_at(&outbox), 0);
    write_at(&outbox, 0, CXONE_OK);
    want(&outbox, 500000, CALL_TREND_STABLE);
    assert_int_equal(owed_at(&outbox), -1);
    assert_true(attribute_outbox_settled(&outbox, &attribute_limits));
}

static void readings_within_the_interval_are_coalesced(void **state)
{
    (void)state;
    struct attribute_outbox outbox = {0};
    want(&outbox, 500000, CALL_TREND_STABLE);
    write_at(&outbox, 100, CXONE_OK);
    want(&outbox, 400000, CALL_TREND_STABLE);
    want(&outbox, 300000, CALL_TREND_DECLINING);
    assert_int_equal(owed_at(&outbox), 2100);
    assert_int_equal(attribute_outbox_send(&outbox, &attribute_limits, at_ms(2100))->score, 300000);
}

static void a_newer_reading_during_a_write_is_owed_after_it(void **state)
{
    (void)state;
    struct rand rand;
    struct attribute_outbox outbox = {0};
    struct cxone_result ok = outcome(CXONE_OK, -1);
    rand_seed(&rand, 1);
    want(&outbox, 500000, CALL_TREND_STABLE);
    attribute_outbox_send(&outbox, &attribute_limits, at_ms(0));
    want(&outbox, 300000, CALL_TREND_STABLE);
    assert_int_equal(owed_at(&outbox), -1);
    attribute_outbox_done(&outbox, &attribute_limits, &ok, at_ms(50), &rand);
    assert_int_equal(owed_at(&outbox), 2000);
}

static void a_small_change_waits_for_the_end_of_the_call(void **state)
{
    (void)state;
    struct attribute_outbox outbox = {0};
    want(&outbox, 500000, CALL_TREND_STABLE);
    write_at(&outbox, 0, CXONE_OK);
    want(&outbox, 509999, CALL_TREND_STABLE);
    assert_int_equal(owed_at(&outbox), -1);
    attribute_outbox_finish(&outbox);
    assert_int_equal(owed_at(&outbox), 2000);
}

static void a_change_of_trend_alone_is_written(void **state)
{
    (void)state;
    struct attribute_outbox outbox = {0};
    want(&outbox, 500000, CALL_TREND_STABLE);
    write_at(&outbox, 0, CXONE_OK);
    want(&outbox, 500000, CALL_TREND_IMPROVING);
    assert_int_equal(owed_at(&outbox), 2000);
}

static void retry_after_is_a_lower_bound(void **state)
{
    (void)state;
    struct rand rand;
    struct attribute_outbox outbox = {0};
    struct cxone_result throttled = outcome(CXONE_THROTTLED, 7000);
    rand_seed(&rand, 1);
    want(&outbox, 500000, CALL_TREND_STABLE);
    attribute_outbox_send(&outbox, &attribute_limits, at_ms(0));
    attribute_outbox_done(&outbox, &attribute_limits, &throttled, at_ms(10), &rand);
    assert_int_equal(owed_at(&outbox), 7010);
}

static void the_last_value_is_given_up_after_its_tries(void **state)
{
    (void)state;
    struct attribute_outbox outbox = {0};
    want(&outbox, 500000, CALL_TREND_STABLE);
    attribute_outbox_finish(&outbox);
    write_at(&outbox, 0, CXONE_FAILED);
    assert_false(attribute_outbox_settled(&outbox, &attribute_limits));
    write_at(&outbox, 3000, CXONE_FAILED);
    assert_true(outbox.abandoned);
    assert_true(attribute_outbox_settled(&outbox, &attribute_limits));
}

static void a_call_unknown_for_a_moment_is_written_to_again(void **state)
{
    (void)state;
    struct attribute_outbox outbox = {0};
    want(&outbox, 500000, CALL_TREND_STABLE);
    write_at(&outbox, 0, CXONE_ENDED);
    assert_false(outbox.abandoned);
    assert_int_equal(owed_at(&outbox), 30000);
    attribute_outbox_finish(&outbox);
    write_at(&outbox, 30000, CXONE_ENDED);
    assert_true(outbox.abandoned);
}

static void a_refused_value_is_not_sent_again_but_the_next_is(void **state)
{
    (void)state;
    struct attribute_outbox outbox = {0};
    want(&outbox, 500000, CALL_TREND_STABLE);
    write_at(&outbox, 0, CXONE_REFUSED);
    assert_int_equal(owed_at(&outbox), -1);
    want(&outbox, 100000, CALL_TREND_STABLE);
    assert_int_equal(owed_at(&outbox), 30000);
}

static enum suggestion_state suggest(struct suggestion_outbox *outbox, int64_t ms,
                                     enum cxone_outcome kind, int64_t retry_after_ms)
{
    struct rand rand;
    struct cxone_result result = outcome(kind, retry_after_ms);
    rand_seed(&rand, 1);
    suggestion_outbox_send(outbox);
    return suggestion_outbox_done(outbox, &suggestion_limits, &result, at_ms(ms), &rand);
}

static void an_unknown_outcome_is_never_resent(void **state)
{
    (void)state;
    struct mono due;
    struct suggestion_outbox outbox = {0};
    suggestion_outbox_open(&outbox, 1, at_ms(0));
    assert_true(suggestion_outbox_due(&outbox, &due));
    assert_int_equal(suggest(&outbox, 0, CXONE_UNKNOWN, -1), SUGGESTION_UNKNOWN);
    assert_false(suggestion_outbox_due(&outbox, &due));
    assert_true(suggestion_outbox_settled(&outbox));
}

static void a_sure_failure_is_retried_then_dropped(void **state)
{
    (void)state;
    struct mono due;
    struct suggestion_outbox outbox = {0};
    suggestion_outbox_open(&outbox, 1, at_ms(0));
    assert_int_equal(suggest(&outbox, 0, CXONE_THROTTLED, 4000), SUGGESTION_WAITING);
    assert_true(suggestion_outbox_due(&outbox, &due));
    assert_int_equal(due.us, 4000000);
    assert_int_equal(suggest(&outbox, 4000, CXONE_FAILED, -1), SUGGESTION_WAITING);
    assert_int_equal(suggest(&outbox, 4000, CXONE_FAILED, -1), SUGGESTION_DROPPED);
}

static void a_withdrawn_suggestion_does_not_leave(void **state)
{
    (void)state;
    struct mono due;
    struct suggestion_outbox outbox = {0};
    suggestion_outbox_open(&outbox, 1, at_ms(0));
    assert_true(suggestion_outbox_withdraw(&outbox));
    assert_false(suggestion_outbox_due(&outbox, &due));
    assert_false(suggestion_outbox_withdraw(&outbox));
}

/* An outage of many minutes costs the last value no tries. */
static void what_never_left_costs_no_try(void **state)
{
    (void)state;
    struct rand rand;
    struct attribute_outbox outbox = {0};
    rand_seed(&rand, 1);
    want(&outbox, 300000, CALL_TREND_STABLE);
    attribute_outbox_finish(&outbox);
    for (int64_t ms = 0; ms < 600000; ms += 10000) {
        struct cxone_result result = outcome(CXONE_FAILED, 5000);
        result.blameless = true;
        attribute_outbox_send(&outbox, &attribute_limits, at_ms(ms));
        attribute_outbox_done(&outbox, &attribute_limits, &result, at_ms(ms), &rand);
        assert_in_range(owed_at(&outbox), ms + 5000, ms + 7000);
    }
    write_at(&outbox, 600000, CXONE_OK);
    assert_true(attribute_outbox_settled(&outbox, &attribute_limits));
    assert_false(outbox.abandoned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_writes_nothing),
        cmocka_unit_test(readings_within_the_interval_are_coalesced),
        cmocka_unit_test(a_newer_reading_during_a_write_is_owed_after_it),
        cmocka_unit_test(a_small_change_waits_for_the_end_of_the_call),
        cmocka_unit_test(a_change_of_trend_alone_is_written),
        cmocka_unit_test(retry_after_is_a_lower_bound),
        cmocka_unit_test(the_last_value_is_given_up_after_its_tries),
        cmocka_unit_test(what_never_left_costs_no_try),
        cmocka_unit_test(a_call_unknown_for_a_moment_is_written_to_again),
        cmocka_unit_test(a_refused_value_is_not_sent_again_but_the_next_is),
        cmocka_unit_test(an_unknown_outcome_is_never_resent),
        cmocka_unit_test(a_sure_failure_is_retried_then_dropped),
        cmocka_unit_test(a_withdrawn_suggestion_does_not_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
