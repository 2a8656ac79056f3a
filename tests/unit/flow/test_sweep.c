/* test_sweep.c - what is still asked of a call that is over: through outages, and back to where no
 * poll has been. Found by simulation (docs/SIMULATION.md). No sockets, threads or sleeps. */
#include "options.h"

#include "base/keyhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE_MS = 60000 };

static const int64_t epoch_ms = 1700000000000;
static const int64_t heard_ms = 1700000001000; /* end of the one utterance */

struct call_script {
    struct pipeline *pipeline;
    int64_t now_ms;
    unsigned polls;
    bool unsent;           /* what fails did not even leave */
    int64_t asked_from_ms; /* by the last poll */
    bool closed;
};

static struct call_script begin(void)
{
    struct pipeline_options options = plain_options(2);
    options.session.attributes = (struct attribute_limits){
        .min_interval_ms = 2000, .final_tries_max = 20, .backoff = {250, 30000}};
    struct call_script script = {.pipeline = pipeline_create(&options)};
    assert_non_null(script.pipeline);
    return script;
}

static struct call_now now_of(const struct call_script *script)
{
    return (struct call_now){.mono = {script->now_ms * 1000},
                             .vendor_ms = epoch_ms + script->now_ms};
}

/* Answers each poll at once: an agent has spoken at the beginning, or with this failure. */
static void run_for(struct call_script *script, int64_t ms, enum cxone_outcome outcome)
{
    const struct segment heard = {.start_ms = heard_ms - 900,
                                  .end_ms = heard_ms,
                                  .speaker = SPEAKER_AGENT,
                                  .is_final = true,
                                  .text = "hello",
                                  .text_bytes = 5};
    const struct cxone_result result = {.outcome = outcome,
                                        .retry_after_ms = script->unsent ? 5000 : -1,
                                        .blameless = script->unsent,
                                        .reason = "",
                                        .segments = &heard,
                                        .segment_count = outcome == CXONE_OK};
    const struct pipeline_event tick = {.kind = PIPELINE_TICK};
    for (int64_t until_ms = script->now_ms + ms; script->now_ms < until_ms; script->now_ms += 100) {
        struct effects *effects = pipeline_step(script->pipeline, now_of(script), &tick);
        uint64_t polled = 0;
        for (size_t i = 0; i < effects->count; i++) {
            const struct effect *effect = &effects->items[i];
            script->closed = script->closed || effect->kind == EFFECT_CLOSED;
            if (effect->kind == EFFECT_POLL) {
                polled = effect->call + 1;
                script->polls++;
                script->asked_from_ms = effect->start_ms;
            }
        }
        if (polled) {
            struct pipeline_event event = {
                .kind = PIPELINE_POLLED, .call = polled - 1, .result = &result};
            effects = pipeline_step(script->pipeline, now_of(script), &event);
            for (size_t i = 0; i < effects->count; i++) {
                script->closed = script->closed || effects->items[i].kind == EFFECT_CLOSED;
            }
        }
    }
}

static void list(struct call_script *script)
{
    struct pipeline_event event = {
        .kind = PIPELINE_CALL_LISTED, .interaction_id = "a", .from_discovery = true};
    pipeline_step(script->pipeline, now_of(script), &event);
}

static void end(struct call_script *script)
{
    struct pipeline_event event = {
        .kind = PIPELINE_CALL_GONE, .interaction_id = "a", .end_reason = END_REASON_DISCOVERY};
    pipeline_step(script->pipeline, now_of(script), &event);
}

static void a_call_that_ends_in_an_outage_is_swept_after_it(void **state)
{
    (void)state;
    struct call_script script = begin();
    list(&script);
    run_for(&script, MINUTE_MS, CXONE_OK);
    run_for(&script, 30 * MINUTE_MS, CXONE_FAILED);
    end(&script);
    run_for(&script, 60 * MINUTE_MS, CXONE_FAILED);
    assert_false(script.closed);
    run_for(&script, 2 * MINUTE_MS, CXONE_OK);
    assert_true(script.closed);
    /* Not ten minutes back, but to before the last words that were read. */
    assert_true(script.asked_from_ms <= heard_ms);
    pipeline_destroy(script.pipeline);
}

static void a_sweep_that_never_succeeds_ends_after_hours(void **state)
{
    (void)state;
    struct call_script script = begin();
    list(&script);
    run_for(&script, MINUTE_MS, CXONE_OK);
    end(&script);
    run_for(&script, 5 * 60 * MINUTE_MS, CXONE_FAILED);
    assert_true(script.closed);
    pipeline_destroy(script.pipeline);
}

static void what_was_never_allowed_is_not_waited_for_long(void **state)
{
    (void)state;
    struct call_script script = begin();
    list(&script);
    run_for(&script, MINUTE_MS, CXONE_DENIED);
    end(&script);
    run_for(&script, 2 * MINUTE_MS, CXONE_DENIED);
    assert_false(script.closed);
    run_for(&script, 12 * MINUTE_MS, CXONE_DENIED);
    assert_true(script.closed);
    pipeline_destroy(script.pipeline);
}

static void a_denial_that_passes_costs_no_words(void **state)
{
    (void)state;
    struct call_script script = begin();
    list(&script);
    run_for(&script, MINUTE_MS, CXONE_OK);
    end(&script);
    run_for(&script, 5 * MINUTE_MS, CXONE_DENIED);
    assert_false(script.closed);
    unsigned polls = script.polls;
    run_for(&script, 2 * MINUTE_MS, CXONE_OK);
    assert_true(script.closed);
    assert_true(script.polls > polls);
    pipeline_destroy(script.pipeline);
}

/* However long nothing could be sent, a call asks again soon after it can. */
static void what_never_left_is_asked_again_at_once(void **state)
{
    (void)state;
    struct call_script script = begin();
    list(&script);
    run_for(&script, MINUTE_MS, CXONE_OK);
    script.unsent = true;
    run_for(&script, 10 * MINUTE_MS, CXONE_FAILED);
    unsigned polls = script.polls;
    run_for(&script, 7100, CXONE_FAILED);
    assert_true(script.polls > polls);
    pipeline_destroy(script.pipeline);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_ends_in_an_outage_is_swept_after_it),
        cmocka_unit_test(a_sweep_that_never_succeeds_ends_after_hours),
        cmocka_unit_test(what_was_never_allowed_is_not_waited_for_long),
        cmocka_unit_test(a_denial_that_passes_costs_no_words),
        cmocka_unit_test(what_never_left_is_asked_again_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
