/* test_lifecycle.c - calls that are held, masked, transferred, that end and come back: the pipeline
 * against a pretended vendor whose list says so every five seconds. No sockets, threads or sleeps.
 *
 * Each test is a script: who says what when, and what the list says. Answers come one step (100 ms)
 * after they are asked for. */
#include "options.h"

#include "base/keyhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINES_MAX = 128, CALLS_MAX = 4, ANSWERS_MAX = 512, SENT_MAX = 32, STEP_MS = 100 };

static const int64_t epoch_ms = 1700000000000;

struct line {
    int call;
    int64_t start_ms; /* of the script, as are all times here but where it says vendor clock */
    int64_t end_ms;
    int64_t visible_ms;
    int64_t score;
    unsigned scored;
    unsigned masked;
    unsigned withdrawn;
};

struct call_script {
    const char *id;
    const char *master;
    struct store_call kept;
    bool is_kept;
    bool on_list;
    struct call_reading written;
    unsigned writes;
    unsigned opened;
    unsigned returned;
    unsigned closed;
    unsigned alerts;
    unsigned dropped;
    unsigned polls;
    int64_t asked_from_ms; /* by the last poll */
    char transferred_from[STORE_ID_BYTES];
};

struct sent {
    int call;
    uint32_t episode;
    int64_t at_ms;
};

struct answer {
    struct pipeline_event event;
    struct cxone_result result;
    struct segment segments[LINES_MAX];
};

struct world {
    struct pipeline *pipeline;
    struct line lines[LINES_MAX];
    int line_count;
    struct call_script calls[CALLS_MAX];
    int call_count;
    struct answer *answers[ANSWERS_MAX];
    size_t answer_count;
    struct sent sent[SENT_MAX];
    size_t sent_count;
    int64_t now_ms;
    int64_t no_attributes_until_ms;  /* writes fail before */
    int64_t no_suggestions_until_ms; /* the same */
    int slow_call;                   /* whose suggestions fail, or -1 for all */
};

static struct pipeline_options default_options(void)
{
    struct pipeline_options options = plain_options(CALLS_MAX);
    options.session.interaction_rps = 0;
    options.session.attributes = (struct attribute_limits){.min_interval_ms = 2000,
                                                           .min_delta = 1,
                                                           .denied_wait_ms = 30000,
                                                           .final_tries_max = 20,
                                                           .backoff = {250, 2000}};
    options.session.suggestions = (struct suggestion_limits){
        .tries_max = 1000, .denied_wait_ms = 30000, .backoff = {250, 1000}};
    options.session.write_attributes = true;
    options.session.send_suggestions = true;
    return options;
}

static struct world *make_world(const struct pipeline_options *options)
{
    struct pipeline_options defaults = default_options();
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->pipeline = pipeline_create(options ? options : &defaults);
    assert_non_null(world->pipeline);
    world->slow_call = -1;
    return world;
}

static void destroy_world(struct world *world)
{
    for (size_t i = 0; i < world->answer_count; i++) {
        free(world->answers[i]);
    }
    pipeline_destroy(world->pipeline);
    free(world);
}

static int add_call(struct world *world, const char *id, const char *master)
{
    world->calls[world->call_count] = (struct call_script){.id = id, .master = master};
    return world->call_count++;
}

static struct line *say(struct world *world, int call, int64_t end_ms, int64_t score)
{
    assert_true(world->line_count < LINES_MAX);
    struct line *line = &world->lines[world->line_count++];
    *line = (struct line){.call = call,
                          .start_ms = end_ms - 2000,
                          .end_ms = end_ms,
                          .visible_ms = end_ms + 800,
                          .score = score};
    return line;
}

/* Calm for 30 s and miserable for 30 s: an alert. */
static void sink(struct world *world, int call, int64_t from_ms)
{
    for (int i = 1; i <= 6; i++) {
        say(world, call, from_ms + i * 5000, 900000);
    }
    for (int i = 7; i <= 12; i++) {
        say(world, call, from_ms + i * 5000, 20000);
    }
}

static int call_named(const struct world *world, const char *id)
{
    for (int i = 0; i < world->call_count; i++) {
        if (strcmp(world->calls[i].id, id) == 0) {
            return i;
        }
    }
    fail_msg("no call %s", id);
    return -1;
}

/* --- the vendor ------------------------------------------------------------------------------ */

static struct answer *new_answer(struct world *world, enum pipeline_event_kind kind,
                                 const struct effect *effect)
{
    assert_true(world->answer_count < ANSWERS_MAX);
    struct answer *answer = calloc(1, sizeof *answer);
    assert_non_null(answer);
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

static void serve_poll(struct world *world, int call, const struct effect *effect)
{
    struct answer *answer = new_answer(world, PIPELINE_POLLED, effect);
    world->calls[call].polls++;
    world->calls[call].asked_from_ms = effect->start_ms - epoch_ms;
    for (int i = 0; i < world->line_count; i++) {
        const struct line *line = &world->lines[i];
        if (line->call == call && line->visible_ms <= world->now_ms &&
            epoch_ms + line->start_ms >= effect->start_ms) {
            answer->segments[answer->result.segment_count++] = (struct segment){
                .start_ms = epoch_ms + line->start_ms,
                .end_ms = epoch_ms + line->end_ms,
                .speaker = SPEAKER_CUSTOMER,
                .is_final = true,
                .text = "words",
                .text_bytes = 5,
            };
        }
    }
    if (answer->result.segment_count == 0) {
        answer->result.outcome = CXONE_EMPTY;
    }
}

static struct line *line_of(struct world *world, int call, const struct segment *segment)
{
    for (int i = 0; i < world->line_count; i++) {
        struct line *line = &world->lines[i];
        if (line->call == call && epoch_ms + line->start_ms == segment->start_ms) {
            return line;
        }
    }
    fail_msg("nobody said that");
    return NULL;
}

static void take_score(struct world *world, int call, const struct effect *effect)
{
    struct line *line = line_of(world, call, &effect->segment);
    struct answer *answer = new_answer(world, PIPELINE_SCORED, effect);
    answer->event.utterance = effect->utterance;
    answer->event.revision = effect->revision;
    answer->event.scorable = true;
    answer->event.score = line->score;
    line->scored++;
}

static void fail_with_500(struct answer *answer)
{
    answer->result.outcome = CXONE_FAILED;
    answer->result.status = 500;
}

static void take_attributes(struct world *world, int call, const struct effect *effect)
{
    struct answer *answer = new_answer(world, PIPELINE_ATTRIBUTES_DONE, effect);
    if (world->now_ms < world->no_attributes_until_ms) {
        fail_with_500(answer);
        return;
    }
    world->calls[call].written = effect->reading;
    world->calls[call].writes++;
}

static void take_suggestion(struct world *world, int call, const struct effect *effect)
{
    struct answer *answer = new_answer(world, PIPELINE_SUGGESTED, effect);
    bool slow = world->slow_call < 0 || world->slow_call == call;
    if (slow && world->now_ms < world->no_suggestions_until_ms) {
        fail_with_500(answer);
        return;
    }
    assert_true(world->sent_count < SENT_MAX);
    world->sent[world->sent_count++] = (struct sent){call, effect->episode, world->now_ms};
}

static void take_note(struct world *world, int at, const struct effect *effect)
{
    struct call_script *call = &world->calls[at];
    call->opened += effect->note == NOTE_CALL_OPENED;
    call->returned += effect->note == NOTE_CALL_RETURNED;
    call->alerts += effect->note == NOTE_ALERT_OPENED;
    call->dropped +=
        effect->note == NOTE_SUGGESTION && effect->suggestion_state == SUGGESTION_DROPPED;
    if (effect->note == NOTE_CALL_OPENED && effect->transferred_from) {
        (void)snprintf(call->transferred_from, STORE_ID_BYTES, "%s", effect->transferred_from);
    }
    if (effect->note == NOTE_UTTERANCE_MASKED) {
        struct line *line = line_of(world, at, &effect->segment);
        assert_null(effect->segment.text);
        line->masked++;
        line->withdrawn += effect->withdrawn;
    }
}

static void carry_out(struct world *world, const struct effect *effect)
{
    int call = call_named(world, effect->interaction_id);
    switch (effect->kind) {
    case EFFECT_POLL:
        serve_poll(world, call, effect);
        break;
    case EFFECT_SCORE:
        take_score(world, call, effect);
        break;
    case EFFECT_ATTRIBUTES:
        take_attributes(world, call, effect);
        break;
    case EFFECT_SUGGEST:
        take_suggestion(world, call, effect);
        break;
    case EFFECT_NOTE:
        take_note(world, call, effect);
        break;
    case EFFECT_CLOSED:
        world->calls[call].closed++;
        world->calls[call].kept = effect->kept;
        world->calls[call].is_kept = true;
        break;
    }
}

static void step(struct world *world, const struct pipeline_event *event)
{
    struct call_now now = {.mono = {world->now_ms * 1000}, .vendor_ms = epoch_ms + world->now_ms};
    struct effects *effects = pipeline_step(world->pipeline, now, event);
    assert_false(effects->failed);
    for (size_t i = 0; i < effects->count; i++) {
        carry_out(world, &effects->items[i]);
    }
}

/* The list names the call, in this state since then (-1: it does not say). */
static void list_call(struct world *world, int at, enum cxone_call_state state, int64_t since_ms)
{
    struct call_script *call = &world->calls[at];
    step(world,
         &(struct pipeline_event){
             .kind = PIPELINE_CALL_LISTED,
             .interaction_id = call->id,
             .resume = call->is_kept ? &call->kept : NULL,
             .from_discovery = true,
             .listing = {state, since_ms < 0 ? -1 : epoch_ms + since_ms, epoch_ms + world->now_ms},
             .master_id = call->master,
         });
    call->on_list = true;
}

/* The list no longer names it. */
static void drop_call(struct world *world, int at)
{
    step(world, &(struct pipeline_event){.kind = PIPELINE_CALL_GONE,
                                         .interaction_id = world->calls[at].id,
                                         .end_reason = END_REASON_DISCOVERY});
    world->calls[at].on_list = false;
}

/* Lets the time pass up to there. Calls on the list are not listed again by this. */
static void run_to(struct world *world, int64_t until_ms)
{
    const struct pipeline_event tick = {.kind = PIPELINE_TICK};
    for (; world->now_ms < until_ms; world->now_ms += STEP_MS) {
        size_t due = world->answer_count;
        struct answer *answers[ANSWERS_MAX];
        memcpy(answers, world->answers, due * sizeof *answers);
        world->answer_count = 0;
        for (size_t i = 0; i < due; i++) {
            step(world, &answers[i]->event);
            free(answers[i]);
        }
        step(world, &tick);
    }
}

static void check_scored_once(const struct world *world)
{
    for (int i = 0; i < world->line_count; i++) {
        if (world->lines[i].scored != 1) {
            fail_msg("line %d, which ended at %d, was scored %u times", i,
                     (int)world->lines[i].end_ms, world->lines[i].scored);
        }
    }
}

static struct session_view view_of(const struct world *world, int call)
{
    struct session_view view;
    size_t position = 0;
    while (pipeline_next(world->pipeline, &position, &view)) {
        if (strcmp(view.interaction_id, world->calls[call].id) == 0) {
            return view;
        }
    }
    fail_msg("%s is not followed", world->calls[call].id);
    return view;
}

/* --- ending and reappearing ------------------------------------------------------------------ */

static void a_call_that_is_back_before_it_closed_goes_on(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    for (int i = 1; i <= 16; i++) {
        say(world, a, i * 5000, 500000);
    }
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 30000);
    drop_call(world, a);
    run_to(world, 50000); /* one sweep was made */
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    assert_int_equal(world->calls[a].returned, 1);
    run_to(world, 90000);
    check_scored_once(world);
    assert_int_equal(world->calls[a].opened, 1);
    assert_int_equal(world->calls[a].closed, 0);
    assert_int_equal(view_of(world, a).reading.utterances, 16);
    drop_call(world, a); /* and it can end again, with both sweeps */
    run_to(world, 90000 + 62000);
    assert_int_equal(world->calls[a].closed, 1);
    destroy_world(world);
}

static void a_closed_call_that_reappears_goes_on_behind_its_last_words(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    sink(world, a, 0); /* ends at 60 s: the first alert */
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 63000);
    assert_int_equal(world->sent_count, 1);
    drop_call(world, a);
    run_to(world, 130000);
    assert_int_equal(world->calls[a].closed, 1);
    assert_int_equal(pipeline_calls(world->pipeline), 0);

    say(world, a, 140000, 900000); /* spoken while nobody listened, longer ago than the lookback */
    struct line *across = say(world, a, 61500, 900000);
    across->start_ms = 59000; /* began before the last words ended, and ended after them */
    across->visible_ms = 131000;
    sink(world, a, 180000);
    run_to(world, 220000);
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 250000);
    check_scored_once(world);
    assert_int_equal(world->calls[a].opened, 2);
    assert_int_equal(world->calls[a].written.utterances, 14); /* a history of its own */
    assert_int_equal(world->sent_count, 2);
    assert_int_equal(world->sent[0].episode, 1);
    assert_int_equal(world->sent[1].episode, 2);
    destroy_world(world);
}

/* What was said before it was first followed is not asked for because it came back. */
static void a_short_call_that_reappears_is_not_read_from_before_it_was_followed(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    say(world, a, 20000, 500000);
    say(world, a, 101000, 500000);
    run_to(world, 100000);
    list_call(world, a, CXONE_CALL_ACTIVE, 0); /* from 40 s on */
    run_to(world, 105000);
    drop_call(world, a);
    run_to(world, 170000);
    assert_int_equal(world->calls[a].closed, 1);
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 172000);
    assert_int_equal(world->calls[a].opened, 2);
    assert_int_equal(world->calls[a].asked_from_ms, 71000);
    destroy_world(world);
}

/* --- masking --------------------------------------------------------------------------------- */

static void what_is_said_while_masked_is_not_scored_and_does_not_count(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    say(world, a, 5000, 800000);
    say(world, a, 9000, 600000);
    struct line *early = say(world, a, 12500, 0); /* scored before the list of 15 s can say so */
    struct line *card = say(world, a, 17000, 0);
    struct line *late = say(world, a, 19000, 0);
    late->visible_ms = 40000;
    struct line *after = say(world, a, 23000, 700000); /* before the list of 25 s says it is over */
    say(world, a, 30000, 500000);

    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 15000);
    assert_int_equal(early->scored, 1);
    assert_int_equal(world->calls[a].written.utterances, 3);
    list_call(world, a, CXONE_CALL_MASKED, 11000);
    assert_int_equal(early->withdrawn, 1);
    assert_int_equal(view_of(world, a).reading.utterances, 2);
    assert_int_equal(view_of(world, a).state, CXONE_CALL_MASKED);
    run_to(world, 20000);
    assert_int_equal(world->calls[a].written.utterances, 2); /* and the vendor is told */
    assert_int_equal(world->calls[a].written.score, 700000);
    list_call(world, a, CXONE_CALL_MASKED, 11000);
    run_to(world, 25000);
    assert_int_equal(after->scored, 0);
    list_call(world, a, CXONE_CALL_ACTIVE, 21000);
    assert_int_equal(view_of(world, a).state, CXONE_CALL_ACTIVE);
    run_to(world, 50000);
    assert_int_equal(after->scored, 1);
    assert_int_equal(card->scored, 0);
    assert_int_equal(card->masked, 1);
    assert_int_equal(late->scored, 0);
    assert_int_equal(late->masked, 1);
    assert_int_equal(early->masked, 1);
    assert_int_equal(world->calls[a].written.utterances, 4);
    assert_int_equal(world->calls[a].written.score, 650000);
    destroy_world(world);
}

static void a_mask_without_a_beginning_began_when_the_call_was_last_seen_without(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    struct line *before = say(world, a, 9900, 800000);
    struct line *between = say(world, a, 10000, 600000);
    struct line *lifted = say(world, a, 19900, 600000);
    struct line *over = say(world, a, 20000, 600000);
    before->start_ms = 7000;
    lifted->start_ms = 17000;
    list_call(world, a, CXONE_CALL_ACTIVE, -1);
    run_to(world, 10000);
    list_call(world, a, CXONE_CALL_MUTED, -1); /* not masked either */
    run_to(world, 15000);
    list_call(world, a, CXONE_CALL_MASKED, -1);
    list_call(world, a, CXONE_CALL_UNSAID, -1); /* says nothing new */
    run_to(world, 20000);
    list_call(world, a, CXONE_CALL_ACTIVE, -1);
    run_to(world, 40000);
    assert_int_equal(before->scored - before->withdrawn, 1);
    assert_int_equal(between->scored - between->withdrawn, 0);
    assert_int_equal(lifted->scored, 0);
    assert_int_equal(over->scored, 1);
    assert_int_equal(view_of(world, a).reading.utterances, 2);
    destroy_world(world);
}

/* The vendor's clock is known by whole seconds only: its "now" may lie a little after ours. */
static void a_mask_that_seems_to_begin_in_a_moment_hides_nothing_before_it(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    struct line *before = say(world, a, 15600, 800000);
    struct line *inside = say(world, a, 15700, 600000);
    inside->start_ms = 13000;
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 15000);
    list_call(world, a, CXONE_CALL_MASKED, 15700);
    run_to(world, 30000);
    assert_int_equal(before->scored - before->withdrawn, 1);
    assert_int_equal(inside->scored, 0);
    destroy_world(world);
}

/* A beginning that no clock can explain hides what is said from now on. */
static void a_mask_that_begins_tomorrow_begins_now(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    struct line *inside = say(world, a, 15700, 600000);
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 15000);
    list_call(world, a, CXONE_CALL_MASKED, 24 * 3600 * 1000);
    run_to(world, 30000);
    assert_int_equal(inside->scored, 0);
    destroy_world(world);
}

static void a_call_first_seen_masked_without_a_beginning_was_always_so(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    run_to(world, 30000);
    struct line *history = say(world, a, 5000, 800000);
    list_call(world, a, CXONE_CALL_MASKED, -1);
    run_to(world, 40000);
    assert_int_equal(history->scored, 0);
    assert_int_equal(history->masked, 1);
    assert_int_equal(world->calls[a].writes, 0);
    destroy_world(world);
}

static void what_rests_on_masked_words_and_has_not_left_stays_here(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    world->no_attributes_until_ms = 66000;
    world->no_suggestions_until_ms = 66000;
    sink(world, a, 0);
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 65000);
    assert_int_equal(world->calls[a].alerts, 1);
    list_call(world, a, CXONE_CALL_MASKED, 1000);
    assert_int_equal(world->calls[a].dropped, 1);
    assert_false(view_of(world, a).has_reading);
    run_to(world, 100000);
    assert_int_equal(world->calls[a].writes, 0);
    assert_int_equal(world->sent_count, 0);
    destroy_world(world);
}

static void with_a_hold_the_list_comes_before_the_scorer(void **state)
{
    (void)state;
    struct pipeline_options options = default_options();
    options.session.mask_hold_ms = 6000;
    struct world *world = make_world(&options);
    int a = add_call(world, "a", NULL);
    for (int i = 1; i <= 40; i++) {
        say(world, a, i * 2500, 500000);
    }
    for (int64_t at = 0; at < 150000; at += 5000) {
        bool masked = at > 31000 && at < 61000;
        list_call(world, a, masked ? CXONE_CALL_MASKED : CXONE_CALL_ACTIVE,
                  masked       ? 31000
                  : at < 31000 ? 0
                               : 61000);
        run_to(world, at + 5000);
    }
    for (int i = 0; i < world->line_count; i++) {
        const struct line *line = &world->lines[i];
        bool masked = line->end_ms >= 31000 && line->end_ms < 61000;
        assert_int_equal(line->scored, !masked);
        assert_int_equal(line->withdrawn, 0);
    }
    assert_int_equal(view_of(world, a).reading.utterances, 28);
    destroy_world(world);
}

static void a_call_that_ends_owes_nothing_to_the_hold(void **state)
{
    (void)state;
    struct pipeline_options options = default_options();
    options.session.mask_hold_ms = 30000;
    struct world *world = make_world(&options);
    int a = add_call(world, "a", NULL);
    for (int i = 1; i <= 8; i++) {
        say(world, a, i * 5000, 500000);
    }
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 42000);
    drop_call(world, a);
    run_to(world, 49000);
    check_scored_once(world);
    destroy_world(world);
}

/* --- hold ------------------------------------------------------------------------------------ */

static void a_held_call_is_polled_seldom_and_raises_no_alert(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    sink(world, a, 0);
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 30000);
    list_call(world, a, CXONE_CALL_HELD, 29000);
    assert_int_equal(view_of(world, a).state, CXONE_CALL_HELD);
    run_to(world, 36000); /* what was under way is over */
    unsigned polls = world->calls[a].polls;
    run_to(world, 66000);
    polls = world->calls[a].polls - polls;
    assert_true(polls >= 5 && polls <= 7); /* every 5 s, +-10 % */
    assert_int_equal(world->calls[a].alerts, 0);
    polls = world->calls[a].polls;
    list_call(world, a, CXONE_CALL_ACTIVE, 65000);
    assert_int_equal(world->calls[a].alerts, 1);
    run_to(world, 66200);
    assert_true(world->calls[a].polls > polls); /* at once */
    polls = world->calls[a].polls;
    run_to(world, 74000);
    assert_true(world->calls[a].polls - polls >= 6); /* silence on hold was not idleness */
    destroy_world(world);
}

static void a_held_call_does_not_end_for_being_silent(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    list_call(world, a, CXONE_CALL_HELD, 0);
    run_to(world, 1200000); /* twice the idle timeout */
    assert_true(view_of(world, a).live);
    list_call(world, a, CXONE_CALL_ACTIVE, 1199000);
    run_to(world, 1260000);
    assert_true(view_of(world, a).live);
    destroy_world(world);
}

/* --- transfer -------------------------------------------------------------------------------- */

static void a_transferred_call_has_its_own_mood_and_the_same_cooldown(void **state)
{
    (void)state;
    struct pipeline_options options = default_options();
    options.session.mood.cooldown_ms = 90000;
    struct world *world = make_world(&options);
    int a = add_call(world, "a", "m");
    int b = add_call(world, "b", "m");
    sink(world, a, 0);
    sink(world, b, 62000); /* miserable from 97 s on */
    for (int i = 1; i < 20; i++) {
        say(world, b, 122000 + i * 2500, 20000);
    }
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 62000);
    assert_int_equal(world->sent_count, 1);
    int64_t first_ms = world->sent[0].at_ms;
    drop_call(world, a);
    list_call(world, b, CXONE_CALL_ACTIVE, 0);
    assert_string_equal(world->calls[b].transferred_from, "a");
    assert_string_equal(view_of(world, b).transferred_from, "a");
    run_to(world, 70000);
    assert_int_equal(view_of(world, b).reading.utterances, 1);
    run_to(world, 130000);
    assert_int_equal(world->calls[a].closed, 1);
    assert_int_equal(world->calls[b].alerts, 0); /* it would have had one by now */
    run_to(world, 170000);
    assert_int_equal(world->calls[b].alerts, 1);
    assert_int_equal(world->sent_count, 2);
    assert_int_equal(world->sent[1].call, b);
    assert_int_equal(world->sent[1].episode, 1);
    assert_true(world->sent[1].at_ms >= first_ms + 90000);
    destroy_world(world);
}

static void without_a_master_a_new_call_is_nobodys_transfer(void **state)
{
    (void)state;
    struct pipeline_options options = default_options();
    options.session.mood.cooldown_ms = 90000;
    struct world *world = make_world(&options);
    int a = add_call(world, "a", "m");
    int b = add_call(world, "b", NULL);
    sink(world, a, 0);
    sink(world, b, 62000);
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 62000);
    list_call(world, b, CXONE_CALL_ACTIVE, 0);
    run_to(world, 130000);
    assert_string_equal(world->calls[b].transferred_from, "");
    assert_int_equal(world->calls[b].alerts, 1); /* the control of the test before */
    destroy_world(world);
}

static void a_waiting_suggestion_waits_out_the_cooldown_of_one_delivered_elsewhere(void **state)
{
    (void)state;
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    int b = add_call(world, "b", NULL);
    sink(world, a, 0);
    sink(world, b, 100);
    world->no_suggestions_until_ms = 62000;
    world->slow_call = b;
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    list_call(world, b, CXONE_CALL_ACTIVE, 0);
    world->calls[a].master = "m"; /* the master is named late */
    world->calls[b].master = "m";
    run_to(world, 10000);
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    list_call(world, b, CXONE_CALL_ACTIVE, 0);
    run_to(world, 90000);
    assert_int_equal(world->calls[b].alerts, 1);
    assert_int_equal(world->sent_count, 2);
    assert_int_equal(world->sent[0].call, a);
    assert_true(world->sent[1].at_ms >= world->sent[0].at_ms + 15000);
    destroy_world(world);
}

static void a_new_master_takes_the_cooldown_along(void **state)
{
    (void)state;
    struct pipeline_options options = default_options();
    options.session.mood.cooldown_ms = 90000;
    struct world *world = make_world(&options);
    int a = add_call(world, "a", "m");
    int b = add_call(world, "b", "n");
    sink(world, a, 0);
    sink(world, b, 62000);
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    run_to(world, 62000);
    assert_int_equal(world->sent_count, 1);
    world->calls[a].master = "n";
    list_call(world, a, CXONE_CALL_ACTIVE, 0);
    list_call(world, b, CXONE_CALL_ACTIVE, 0);
    assert_string_equal(world->calls[b].transferred_from, "a");
    run_to(world, 130000);
    assert_int_equal(world->calls[b].alerts, 0);
    destroy_world(world);
}

/* --- at random ------------------------------------------------------------------------------- */

struct mask_script {
    int64_t from_ms;
    int64_t to_ms;
};

static bool lies_in(const struct mask_script *masks, int count, int64_t ms)
{
    for (int i = 0; i < count; i++) {
        if (ms >= masks[i].from_ms && ms < masks[i].to_ms) {
            return true;
        }
    }
    return false;
}

/* One call of 160 s with a few masks and holds; the list tells of them at its pace. */
static void check_random_call(uint64_t seed)
{
    enum { MASKS = 3 };
    struct rand rand;
    struct mask_script masks[MASKS];
    struct world *world = make_world(NULL);
    int a = add_call(world, "a", NULL);
    rand_seed(&rand, seed);
    for (int64_t at = 3000; at < 160000; at += 2600 + (int64_t)rand_below(&rand, 3000)) {
        struct line *line = say(world, a, at, (int64_t)rand_below(&rand, MOOD_ONE));
        line->visible_ms = at + 300 + (int64_t)rand_below(&rand, 9000);
    }
    for (int i = 0; i < MASKS; i++) {
        masks[i].from_ms = 10000 + i * 50000 + (int64_t)rand_below(&rand, 20000);
        masks[i].to_ms = masks[i].from_ms + 6000 + (int64_t)rand_below(&rand, 20000);
    }
    int64_t since_ms = 0;
    enum cxone_call_state before = CXONE_CALL_ACTIVE;
    for (int64_t at = 0; at < 165000; at += 5000) {
        bool masked = lies_in(masks, MASKS, at);
        enum cxone_call_state state = masked ? CXONE_CALL_MASKED : CXONE_CALL_ACTIVE;
        for (int i = 0; i < MASKS; i++) {
            if (at >= masks[i].from_ms) {
                since_ms = at >= masks[i].to_ms ? masks[i].to_ms : masks[i].from_ms;
            }
        }
        if (state != CXONE_CALL_MASKED && before != CXONE_CALL_MASKED &&
            rand_below(&rand, 5) == 0) {
            state = CXONE_CALL_HELD;
        }
        unsigned told[LINES_MAX];
        list_call(world, a, state, since_ms);
        for (int i = 0; i < world->line_count; i++) {
            told[i] = world->lines[i].scored;
        }
        run_to(world, at + 5000);
        for (int i = 0; i < world->line_count; i++) {
            if (masked && world->lines[i].end_ms >= since_ms && world->lines[i].scored != told[i]) {
                fail_msg("seed %d: line %d was scored after the list said masked", (int)seed, i);
            }
        }
        before = state;
    }
    drop_call(world, a);
    run_to(world, 235000);
    int64_t sum = 0;
    uint32_t count = 0;
    for (int i = 0; i < world->line_count; i++) {
        const struct line *line = &world->lines[i];
        bool masked = lies_in(masks, MASKS, line->end_ms);
        if (line->masked > 1 || (masked ? line->masked != 1 || line->scored > 1
                                        : line->scored != 1 || line->withdrawn > 0)) {
            fail_msg("seed %d: line %d %s masked: told %u times, scored %u, withdrawn %u",
                     (int)seed, i, masked ? "is" : "is not", line->masked, line->scored,
                     line->withdrawn);
        }
        count += !masked;
        sum += masked ? 0 : line->score;
    }
    assert_true(sum > 0);
    assert_int_equal(world->calls[a].written.utterances, count);
    assert_int_equal(world->calls[a].closed, 1);
    destroy_world(world);
}

static void random_masks_hide_all_that_they_cover_and_nothing_else(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        check_random_call(seed);
    }
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_is_back_before_it_closed_goes_on),
        cmocka_unit_test(a_closed_call_that_reappears_goes_on_behind_its_last_words),
        cmocka_unit_test(a_short_call_that_reappears_is_not_read_from_before_it_was_followed),
        cmocka_unit_test(what_is_said_while_masked_is_not_scored_and_does_not_count),
        cmocka_unit_test(a_mask_without_a_beginning_began_when_the_call_was_last_seen_without),
        cmocka_unit_test(a_mask_that_seems_to_begin_in_a_moment_hides_nothing_before_it),
        cmocka_unit_test(a_mask_that_begins_tomorrow_begins_now),
        cmocka_unit_test(a_call_first_seen_masked_without_a_beginning_was_always_so),
        cmocka_unit_test(what_rests_on_masked_words_and_has_not_left_stays_here),
        cmocka_unit_test(with_a_hold_the_list_comes_before_the_scorer),
        cmocka_unit_test(a_call_that_ends_owes_nothing_to_the_hold),
        cmocka_unit_test(a_held_call_is_polled_seldom_and_raises_no_alert),
        cmocka_unit_test(a_held_call_does_not_end_for_being_silent),
        cmocka_unit_test(a_transferred_call_has_its_own_mood_and_the_same_cooldown),
        cmocka_unit_test(without_a_master_a_new_call_is_nobodys_transfer),
        cmocka_unit_test(a_waiting_suggestion_waits_out_the_cooldown_of_one_delivered_elsewhere),
        cmocka_unit_test(a_new_master_takes_the_cooldown_along),
        cmocka_unit_test(random_masks_hide_all_that_they_cover_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
