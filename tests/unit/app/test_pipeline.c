/* The whole pipeline against a pretended vendor, clock and scorer: no sockets, threads or sleeps.
 *
 * The vendor is a list of utterances with the moment each becomes visible; every answer arrives
 * after a random delay, some fail. One seed is one history, printed when a check fails. */
#include "app/pipeline.h"

#include "base/keyhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CALLS = 6, LINES = 24, QUEUE_MAX = 4096, RUN_MS = 200000 };

struct line {
    int64_t start_ms;
    int64_t end_ms;
    int64_t visible_ms;
    int64_t revised_ms; /* when the final text replaces the first; 0 for never */
    int64_t score;
    int64_t first_score;
    bool customer;
    char text[24];
    char first_text[24];
    unsigned scored[2]; /* how often each revision was asked for */
    bool served[2];
};

struct vendor_call {
    char id[16];
    struct line lines[LINES];
    int64_t ends_ms;
    uint64_t handle;
    struct call_reading last_written;
    unsigned writes;
    unsigned suggestions[8];
    bool closed;
};

struct answer {
    int64_t at_ms;
    struct pipeline_event event;
    struct cxone_result result;
    struct segment segments[LINES * 2];
};

struct world {
    struct pipeline *pipeline;
    struct rand rand;
    struct vendor_call calls[CALLS];
    struct answer *answers[QUEUE_MAX];
    size_t answer_count;
    int64_t now_ms; /* both clocks; event times use it too */
    double fault_share;
    unsigned polls;
    unsigned alerts;
    unsigned recovered;
};

static const int64_t epoch_ms = 1700000000000;

static struct pipeline_options test_options(void)
{
    struct pipeline_options options = {
        .session =
            {
                .cursor = {30000, 180000, 20000},
                .attributes = {.min_interval_ms = 2000,
                               .min_delta = 10000,
                               .denied_wait_ms = 30000,
                               .final_tries_max = 20,
                               .backoff = {250, 30000}},
                .suggestions = {.tries_max = 9, .denied_wait_ms = 30000, .backoff = {250, 30000}},
                .poll_backoff = {250, 30000},
                .poll_active_ms = 1000,
                .poll_idle_ms = 2000,
                .poll_quiet_ms = 5000,
                .poll_floor_ms = 500,
                .active_for_ms = 10000,
                .quiet_after_ms = 60000,
                .lookback_ms = 60000,
                .idle_timeout_ms = 600000,
                .appear_grace_ms = 30000,
                .not_found_max = 2,
                .sweep_after_ms = {5000, 60000},
                .sweep_reach_ms = 600000,
                .interaction_rps = 1,
                .write_attributes = true,
                .send_suggestions = true,
            },
        .calls_max = CALLS + 2,
        .seed = 1,
    };
    mood_policy_default(&options.session.mood);
    return options;
}

static struct call_now world_now(const struct world *world)
{
    return (struct call_now){.mono = {world->now_ms * 1000}, .vendor_ms = epoch_ms + world->now_ms};
}

/* --- the vendor ------------------------------------------------------------------------------ */

static void make_line(struct world *world, struct line *line, int64_t at_ms, int number, bool angry)
{
    struct rand *rand = &world->rand;
    *line = (struct line){.customer = number % 2 == 0};
    line->start_ms = epoch_ms + at_ms;
    line->end_ms = line->start_ms + 1000 + (int64_t)rand_below(rand, 3000);
    line->visible_ms = line->end_ms + 300 + (int64_t)rand_below(rand, 900);
    if (rand_below(rand, 10) == 0) {
        line->visible_ms = line->end_ms + 35000 + (int64_t)rand_below(rand, 5000);
    }
    line->score = (int64_t)rand_below(rand, angry ? 200000 : MOOD_ONE);
    line->first_score = (int64_t)rand_below(rand, MOOD_ONE);
    if (rand_below(rand, 8) == 0) {
        line->revised_ms = line->visible_ms + 2000 + (int64_t)rand_below(rand, 6000);
    }
    (void)snprintf(line->text, sizeof line->text, "final %d", number);
    (void)snprintf(line->first_text, sizeof line->first_text, "first %d", number);
}

static void make_world(struct world *world, uint64_t seed, double fault_share)
{
    struct pipeline_options options = test_options();
    options.seed = seed;
    *world = (struct world){.fault_share = fault_share};
    rand_seed(&world->rand, seed);
    for (int i = 0; i < CALLS; i++) {
        struct vendor_call *call = &world->calls[i];
        (void)snprintf(call->id, sizeof call->id, "call-%d", i);
        int64_t at_ms = -20000;
        for (int n = 0; n < LINES; n++) {
            make_line(world, &call->lines[n], at_ms, n, i % 2 == 0);
            at_ms = call->lines[n].end_ms - epoch_ms + 200 + (int64_t)rand_below(&world->rand, 600);
        }
        call->ends_ms = call->lines[LINES - 1].end_ms - epoch_ms + 1000;
    }
    world->pipeline = pipeline_create(&options);
    assert_non_null(world->pipeline);
}

static struct vendor_call *call_named(struct world *world, const char *id)
{
    for (int i = 0; i < CALLS; i++) {
        if (strcmp(world->calls[i].id, id) == 0) {
            return &world->calls[i];
        }
    }
    fail_msg("no call %s", id);
    return NULL;
}

static bool chance(struct world *world, double share)
{
    return rand_uniform(&world->rand) < share;
}

static struct answer *new_answer(struct world *world, enum pipeline_event_kind kind,
                                 const struct effect *effect)
{
    assert_true(world->answer_count < QUEUE_MAX);
    struct answer *answer = calloc(1, sizeof *answer);
    assert_non_null(answer);
    answer->at_ms = world->now_ms + 5 + (int64_t)rand_below(&world->rand, 200);
    answer->event =
        (struct pipeline_event){.kind = kind, .call = effect->call, .episode = effect->episode};
    answer->result = (struct cxone_result){.outcome = CXONE_OK,
                                           .status = 200,
                                           .retry_after_ms = -1,
                                           .reason = "",
                                           .segments = answer->segments};
    answer->event.result = &answer->result;
    world->answers[world->answer_count++] = answer;
    return answer;
}

static void maybe_fault(struct world *world, struct answer *answer)
{
    if (chance(world, world->fault_share)) {
        bool throttled = chance(world, 0.5);
        answer->result.outcome = throttled ? CXONE_THROTTLED : CXONE_FAILED;
        answer->result.status = throttled ? 429 : 500;
        answer->result.retry_after_ms = throttled ? 1000 : -1;
        answer->result.segment_count = 0;
    }
}

static void add_segment(struct answer *answer, const struct line *line, bool first)
{
    const char *text = first ? line->first_text : line->text;
    answer->segments[answer->result.segment_count++] = (struct segment){
        .start_ms = line->start_ms,
        .end_ms = line->end_ms,
        .speaker = line->customer ? SPEAKER_CUSTOMER : SPEAKER_AGENT,
        .is_final = true,
        .text = text,
        .text_bytes = strlen(text),
    };
}

/* Serves what is visible, sometimes twice and sometimes in another order. */
static void serve_poll(struct world *world, const struct effect *effect)
{
    struct vendor_call *call = call_named(world, effect->interaction_id);
    struct answer *answer = new_answer(world, PIPELINE_POLLED, effect);
    int64_t now_ms = epoch_ms + world->now_ms;
    world->polls++;
    for (int n = 0; n < LINES; n++) {
        struct line *line = &call->lines[n];
        bool first = line->revised_ms > now_ms;
        if (line->visible_ms <= now_ms && line->start_ms >= effect->start_ms) {
            add_segment(answer, line, first);
            if (chance(world, 0.05)) {
                add_segment(answer, line, first);
            }
        }
    }
    size_t count = answer->result.segment_count;
    if (count > 1 && chance(world, 0.2)) {
        size_t a = rand_below(&world->rand, count);
        struct segment moved = answer->segments[a];
        answer->segments[a] = answer->segments[0];
        answer->segments[0] = moved;
    }
    maybe_fault(world, answer);
    for (size_t i = 0; i < answer->result.segment_count; i++) {
        for (int n = 0; n < LINES; n++) {
            struct line *line = &call->lines[n];
            if (answer->segments[i].start_ms == line->start_ms) {
                line->served[answer->segments[i].text == line->text] = true;
            }
        }
    }
    if (answer->result.outcome == CXONE_OK && answer->result.segment_count == 0) {
        answer->result.outcome = CXONE_EMPTY;
    }
}

static void take_score(struct world *world, const struct effect *effect)
{
    struct vendor_call *call = call_named(world, effect->interaction_id);
    struct answer *answer = new_answer(world, PIPELINE_SCORED, effect);
    answer->event.utterance = effect->utterance;
    answer->event.revision = effect->revision;
    answer->event.scorable = true;
    for (int n = 0; n < LINES; n++) {
        struct line *line = &call->lines[n];
        if (effect->segment.start_ms == line->start_ms) {
            bool final = strcmp(effect->segment.text, line->text) == 0;
            line->scored[final]++;
            answer->event.score = final ? line->score : line->first_score;
        }
    }
}

static void take_attributes(struct world *world, const struct effect *effect)
{
    struct vendor_call *call = call_named(world, effect->interaction_id);
    struct answer *answer = new_answer(world, PIPELINE_ATTRIBUTES_DONE, effect);
    maybe_fault(world, answer);
    if (answer->result.outcome == CXONE_OK) {
        call->last_written = effect->reading;
        call->writes++;
    }
}

static void take_suggestion(struct world *world, const struct effect *effect)
{
    struct vendor_call *call = call_named(world, effect->interaction_id);
    struct answer *answer = new_answer(world, PIPELINE_SUGGESTED, effect);
    maybe_fault(world, answer);
    if (answer->result.outcome == CXONE_OK) {
        assert_true(effect->episode < 8);
        call->suggestions[effect->episode]++;
    }
}

static void carry_out(struct world *world, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_POLL:
        serve_poll(world, effect);
        break;
    case EFFECT_SCORE:
        take_score(world, effect);
        break;
    case EFFECT_ATTRIBUTES:
        take_attributes(world, effect);
        break;
    case EFFECT_SUGGEST:
        take_suggestion(world, effect);
        break;
    case EFFECT_NOTE:
        world->alerts += effect->note == NOTE_ALERT_OPENED;
        world->recovered += effect->note == NOTE_ALERT_RECOVERED;
        break;
    case EFFECT_CLOSED:
        call_named(world, effect->interaction_id)->closed = true;
        break;
    case EFFECT_COMMIT:
        break;
    }
}

static void step(struct world *world, const struct pipeline_event *event)
{
    struct effects *effects = pipeline_step(world->pipeline, world_now(world), event);
    assert_false(effects->failed);
    for (size_t i = 0; i < effects->count; i++) {
        carry_out(world, &effects->items[i]);
    }
}

/* --- running it ------------------------------------------------------------------------------ */

static bool deliver_due(struct world *world)
{
    for (size_t i = 0; i < world->answer_count; i++) {
        struct answer *answer = world->answers[i];
        if (answer->at_ms <= world->now_ms) {
            world->answers[i] = world->answers[--world->answer_count];
            step(world, &answer->event);
            free(answer);
            return true;
        }
    }
    return false;
}

static void run_world(struct world *world)
{
    const struct pipeline_event tick = {.kind = PIPELINE_TICK};
    for (world->now_ms = 0; world->now_ms < RUN_MS; world->now_ms += 20) {
        if (world->now_ms % 5000 == 0) {
            for (int i = 0; i < CALLS; i++) {
                bool live = world->now_ms < world->calls[i].ends_ms;
                struct pipeline_event event = {
                    .kind = live ? PIPELINE_CALL_LISTED : PIPELINE_CALL_GONE,
                    .interaction_id = world->calls[i].id,
                    .from_discovery = true,
                    .end_reason = END_REASON_DISCOVERY,
                };
                step(world, &event);
            }
        }
        while (deliver_due(world)) {
        }
        if (world->now_ms * 1000 >= pipeline_next_due(world->pipeline).us) {
            step(world, &tick);
        }
    }
}

static void destroy_world(struct world *world)
{
    for (size_t i = 0; i < world->answer_count; i++) {
        free(world->answers[i]);
    }
    pipeline_destroy(world->pipeline);
}

/* The window rule again, written out plainly: the mean at the newest customer utterance. */
static int64_t expected_mean(const struct vendor_call *call, uint32_t *samples)
{
    int64_t newest = 0;
    for (int n = 0; n < LINES; n++) {
        const struct line *line = &call->lines[n];
        if (line->customer && line->end_ms > newest) {
            newest = line->end_ms;
        }
    }
    int64_t width_ms = 30000;
    for (;; width_ms += 1) { /* widen, a millisecond at a time, to the newest three */
        int64_t sum = 0;
        uint32_t count = 0;
        for (int n = 0; n < LINES; n++) {
            const struct line *line = &call->lines[n];
            if (line->customer && line->end_ms > newest - width_ms) {
                sum += line->score;
                count++;
            }
        }
        if (count >= 3 || width_ms >= 120000) {
            *samples = count;
            return (sum + count / 2) / count;
        }
    }
}

static void check_call(const struct vendor_call *call, uint64_t seed)
{
    for (int n = 0; n < LINES; n++) {
        const struct line *line = &call->lines[n];
        for (int final = 0; final < 2; final++) {
            unsigned wanted = line->customer && line->served[final];
            if (line->scored[final] != wanted) {
                fail_msg("seed %llu %s line %d form %d: scored %u times, not %u",
                         (unsigned long long)seed, call->id, n, final, line->scored[final], wanted);
            }
        }
        if (line->customer && !line->served[1]) {
            fail_msg("seed %llu %s line %d: its final form was never fetched",
                     (unsigned long long)seed, call->id, n);
        }
    }
    uint32_t samples;
    int64_t mean = expected_mean(call, &samples);
    if (call->last_written.score != mean || call->last_written.samples != samples) {
        fail_msg("seed %llu %s: last attribute %lld of %u, not %lld of %u",
                 (unsigned long long)seed, call->id, (long long)call->last_written.score,
                 call->last_written.samples, (long long)mean, samples);
    }
    for (int episode = 0; episode < 8; episode++) {
        assert_true(call->suggestions[episode] <= 1);
    }
    assert_true(call->closed);
}

static void run_seeds(uint64_t first, uint64_t count, double fault_share)
{
    unsigned alerts = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct world *world = malloc(sizeof *world);
        assert_non_null(world);
        make_world(world, seed, fault_share);
        run_world(world);
        for (int i = 0; i < CALLS; i++) {
            check_call(&world->calls[i], seed);
        }
        assert_int_equal(pipeline_calls(world->pipeline), 0);
        alerts += world->alerts;
        destroy_world(world);
        free(world);
    }
    assert_true(alerts > count); /* half of the calls are angry: the check must see alerts */
}

static void nothing_is_lost_or_doubled_without_faults(void **state)
{
    (void)state;
    run_seeds(1, 10, 0);
}

static void nothing_is_lost_or_doubled_with_faults(void **state)
{
    (void)state;
    run_seeds(100, 20, 0.1);
}

static void a_call_that_answers_404_twice_is_over(void **state)
{
    (void)state;
    struct pipeline_options options = test_options();
    struct pipeline *pipeline = pipeline_create(&options);
    struct call_now now = {.mono = {0}, .vendor_ms = epoch_ms};
    struct pipeline_event listed = {.kind = PIPELINE_CALL_LISTED, .interaction_id = "x"};
    pipeline_step(pipeline, now, &listed);
    unsigned polls = 0;
    bool closed = false;
    for (int64_t ms = 0; ms < 120000 && !closed; ms += 100) {
        struct pipeline_event tick = {.kind = PIPELINE_TICK};
        now = (struct call_now){.mono = {ms * 1000}, .vendor_ms = epoch_ms + ms};
        struct effects *effects = pipeline_step(pipeline, now, &tick);
        uint64_t call = 0;
        bool polled = false;
        for (size_t i = 0; i < effects->count; i++) {
            if (effects->items[i].kind == EFFECT_POLL) {
                polled = true;
                call = effects->items[i].call;
            }
            closed |= effects->items[i].kind == EFFECT_CLOSED;
        }
        if (polled) {
            struct cxone_result result = {
                .outcome = CXONE_ENDED, .status = 404, .retry_after_ms = -1, .reason = ""};
            struct pipeline_event event = {
                .kind = PIPELINE_POLLED, .call = call, .result = &result};
            polls++;
            effects = pipeline_step(pipeline, now, &event);
            for (size_t i = 0; i < effects->count; i++) {
                closed |= effects->items[i].kind == EFFECT_CLOSED;
            }
        }
    }
    assert_true(closed);
    assert_true(polls >= 10); /* a new call may take 30 s to appear: patience first */
    pipeline_destroy(pipeline);
}

static void shadow_mode_writes_nothing(void **state)
{
    (void)state;
    struct world *world = malloc(sizeof *world);
    assert_non_null(world);
    make_world(world, 7, 0);
    pipeline_destroy(world->pipeline);
    struct pipeline_options options = test_options();
    options.session.write_attributes = false;
    options.session.send_suggestions = false;
    world->pipeline = pipeline_create(&options);
    run_world(world);
    assert_true(world->alerts > 0);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(world->calls[i].writes, 0);
        assert_true(world->calls[i].closed);
    }
    destroy_world(world);
    free(world);
}

static void an_answer_for_a_closed_call_is_ignored(void **state)
{
    (void)state;
    struct pipeline_options options = test_options();
    struct pipeline *pipeline = pipeline_create(&options);
    struct call_now now = {.mono = {0}, .vendor_ms = epoch_ms};
    struct pipeline_event event = {
        .kind = PIPELINE_SCORED, .call = UINT64_C(7) << 32 | 3, .scorable = true};
    assert_int_equal(pipeline_step(pipeline, now, &event)->count, 0);
    pipeline_destroy(pipeline);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_doubled_without_faults),
        cmocka_unit_test(nothing_is_lost_or_doubled_with_faults),
        cmocka_unit_test(a_call_that_answers_404_twice_is_over),
        cmocka_unit_test(shadow_mode_writes_nothing),
        cmocka_unit_test(an_answer_for_a_closed_call_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
