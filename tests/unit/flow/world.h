/* world.h - a pretended vendor, clock and scorer around a pipeline: no sockets, threads or sleeps.
 *
 * The vendor is a list of utterances with the moment each becomes visible; every answer arrives
 * after a random delay, some fail. One seed is one history.
 *
 * With a store, what must wait until it is kept waits, and the world can end the pipeline at any
 * moment, as kill -9 would, and start another from what was kept. */
#ifndef TESTS_FLOW_WORLD_H
#define TESTS_FLOW_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/keyhash.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 6, LINES = 24, QUEUE_MAX = 4096, HELD_MAX = 4096, RUN_MS = 200000 };

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
    unsigned summaries; /* written */
    struct summary summary;
    bool closed;
};

struct answer {
    struct line *line; /* SCORED: what was asked for */
    bool final;
    int64_t at_ms;
    struct pipeline_event event;
    struct cxone_result result;
    struct segment segments[LINES * 2];
};

/* What waits until it is kept: an effect, or the line that says that an utterance was scored. */
struct waiting {
    struct effect effect;
    char id[16];
    unsigned *scored;
};

struct world {
    struct pipeline *pipeline;
    struct store *store; /* or NULL: nothing waits */
    struct store_batch *batch;
    struct waiting *waiting; /* room for HELD_MAX, when the first comes */
    size_t waiting_count;
    unsigned crashes;
    unsigned unknown; /* suggestions under way in a crash */
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

static inline struct pipeline_options test_options(void)
{
    struct pipeline_options options = plain_options(CALLS + 2);
    options.session.attributes = (struct attribute_limits){.min_interval_ms = 2000,
                                                           .min_delta = 10000,
                                                           .denied_wait_ms = 30000,
                                                           .final_tries_max = 20,
                                                           .backoff = {250, 30000}};
    options.session.suggestions = (struct suggestion_limits){
        .tries_max = 9, .denied_wait_ms = 30000, .backoff = {250, 30000}};
    options.session.write_attributes = true;
    options.session.send_suggestions = true;
    return options;
}

static inline struct call_now world_now(const struct world *world)
{
    return (struct call_now){.mono = {world->now_ms * 1000}, .vendor_ms = epoch_ms + world->now_ms};
}

/* --- the vendor ------------------------------------------------------------------------------ */

static inline void make_line(struct world *world, struct line *line, int64_t at_ms, int number,
                             bool angry)
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

static inline void make_world(struct world *world, uint64_t seed, double fault_share)
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

static inline struct vendor_call *call_named(struct world *world, const char *id)
{
    for (int i = 0; i < CALLS; i++) {
        if (strcmp(world->calls[i].id, id) == 0) {
            return &world->calls[i];
        }
    }
    fail_msg("no call %s", id);
    return NULL;
}

static inline bool chance(struct world *world, double share)
{
    return rand_uniform(&world->rand) < share;
}

static inline struct answer *new_answer(struct world *world, enum pipeline_event_kind kind,
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

static inline void maybe_fault(struct world *world, struct answer *answer)
{
    if (chance(world, world->fault_share)) {
        bool throttled = chance(world, 0.5);
        answer->result.outcome = throttled ? CXONE_THROTTLED : CXONE_FAILED;
        answer->result.status = throttled ? 429 : 500;
        answer->result.retry_after_ms = throttled ? 1000 : -1;
        answer->result.segment_count = 0;
    }
}

static inline void add_segment(struct answer *answer, const struct line *line, bool first)
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
static inline void serve_poll(struct world *world, const struct effect *effect)
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

static inline void take_score(struct world *world, const struct effect *effect)
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
            answer->line = line;
            answer->final = final;
            line->scored[final] += !world->store;
            answer->event.score = final ? line->score : line->first_score;
        }
    }
}

static inline void take_attributes(struct world *world, const struct effect *effect)
{
    struct vendor_call *call = call_named(world, effect->interaction_id);
    struct answer *answer = new_answer(world, PIPELINE_ATTRIBUTES_DONE, effect);
    maybe_fault(world, answer);
    if (answer->result.outcome == CXONE_OK) {
        call->last_written = effect->reading;
        call->writes++;
        if (effect->has_summary) {
            call->summaries++;
            call->summary = effect->summary;
        }
    }
}

static inline void take_suggestion(struct world *world, const struct effect *effect)
{
    struct vendor_call *call = call_named(world, effect->interaction_id);
    struct answer *answer = new_answer(world, PIPELINE_SUGGESTED, effect);
    maybe_fault(world, answer);
    if (answer->result.outcome == CXONE_OK) {
        assert_true(effect->episode < 8);
        call->suggestions[effect->episode]++;
    }
}

static inline void carry_out(struct world *world, const struct effect *effect)
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
    }
}

/* --- the store ------------------------------------------------------------------------------- */

static inline struct waiting *wait_for_store(struct world *world)
{
    if (!world->waiting) {
        world->waiting = calloc(HELD_MAX, sizeof *world->waiting);
    }
    assert_true(world->waiting && world->waiting_count < HELD_MAX);
    struct waiting *waiting = &world->waiting[world->waiting_count++];
    *waiting = (struct waiting){0};
    return waiting;
}

static inline void hold_or_carry_out(struct world *world, const struct effect *effect)
{
    if (world->store && effect->kind == EFFECT_CLOSED) {
        struct store_change change = {.call = effect->kept};
        change.suggestion = effect->kept_suggestion.episode ? &effect->kept_suggestion : NULL;
        assert_true(store_batch_add(world->batch, &change));
    }
    if (!world->store || (effect->kind == EFFECT_POLL && !effect->opening) ||
        effect->kind == EFFECT_SCORE) {
        carry_out(world, effect);
        return;
    }
    struct waiting *waiting = wait_for_store(world);
    (void)snprintf(waiting->id, sizeof waiting->id, "%s", effect->interaction_id);
    waiting->effect = *effect;
}

static inline void commit(struct world *world)
{
    struct error err;
    assert_true(pipeline_save(world->pipeline, world_now(world), world->batch));
    store_submit(world->store, world->batch, (struct wall){epoch_ms + world->now_ms});
    store_wait(world->store);
    assert_ptr_equal(store_collect(world->store, &err), world->batch);
    assert_int_equal(err.code, 0);
    store_batch_clear(world->batch);
}

/* What was waiting is done; after a crash only what the store itself can tell is. */
static inline void release(struct world *world, bool crashed)
{
    for (size_t i = 0; i < world->waiting_count; i++) {
        struct waiting *waiting = &world->waiting[i];
        waiting->effect.interaction_id = waiting->id;
        if (waiting->scored) {
            ++*waiting->scored;
        } else if (!crashed || waiting->effect.kind == EFFECT_CLOSED) {
            carry_out(world, &waiting->effect);
        }
    }
    world->waiting_count = 0;
}

static inline void step(struct world *world, const struct pipeline_event *event)
{
    struct effects *effects = pipeline_step(world->pipeline, world_now(world), event);
    assert_false(effects->failed);
    for (size_t i = 0; i < effects->count; i++) {
        hold_or_carry_out(world, &effects->items[i]);
    }
}

/* --- running it ------------------------------------------------------------------------------ */

static inline bool deliver_due(struct world *world)
{
    for (size_t i = 0; i < world->answer_count; i++) {
        struct answer *answer = world->answers[i];
        if (answer->at_ms <= world->now_ms) {
            world->answers[i] = world->answers[--world->answer_count];
            if (answer->line && world->store) {
                wait_for_store(world)->scored = &answer->line->scored[answer->final];
            }
            step(world, &answer->event);
            free(answer);
            return true;
        }
    }
    return false;
}

static inline void list_calls(struct world *world)
{
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

/* `each` is called before each moment, and may be NULL. */
static inline void run_world(struct world *world, void (*each)(struct world *world))
{
    const struct pipeline_event tick = {.kind = PIPELINE_TICK};
    for (world->now_ms = 0; world->now_ms < RUN_MS; world->now_ms += 20) {
        if (world->now_ms % 5000 == 0) {
            list_calls(world);
        }
        if (each) {
            each(world);
        }
        while (deliver_due(world)) {
        }
        if (world->now_ms * 1000 >= pipeline_next_due(world->pipeline).us) {
            step(world, &tick);
        }
    }
}

static inline void destroy_world(struct world *world)
{
    for (size_t i = 0; i < world->answer_count; i++) {
        free(world->answers[i]);
    }
    free(world->waiting);
    pipeline_destroy(world->pipeline);
}

/* The window rule again, written out plainly: the mean at the newest customer utterance. */
static inline int64_t expected_mean(const struct vendor_call *call, uint32_t *samples)
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

#endif
