/* bench_serve.c - see bench_serve.h. Arrivals are an open loop: when each text comes is drawn
 * beforehand and does not wait for answers, and waiting is counted from that moment, so that a
 * sender which fell behind flatters nothing. The timer of the loop ticks by milliseconds; what came
 * between two ticks is submitted at the later one, which adds up to a millisecond to every wait. */
#include "commands/bench_serve.h"

#include "app/score_pool.h"
#include "base/rand.h"
#include "net/loop.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    BATCH_TOKENS = 512, /* model.batch_tokens as it comes */
    ARRIVALS_MAX = 1 << 20,
    CAPACITY_TEXTS_LEAST = 512,
};

static const unsigned percents[BENCH_SERVE_LOADS] = {25, 50, 75, 90};
static const double quantiles[3] = {0.5, 0.95, 0.99};

struct serving {
    const struct bench_texts *texts;
    struct loop *loop;
    struct loop_timer *timer;
    struct score_pool *pool;
    struct mono begun;
    int64_t *arrivals_us; /* since begun */
    double *wait_ms;      /* at first only until submission */
    double *total_ms;
    size_t count;
    size_t sent;
    size_t answered;
    size_t queued_max;
    bool failed;
};

static void stop_when_done(struct serving *serving)
{
    if (serving->failed || serving->answered == serving->count) {
        loop_timer_stop(serving->timer);
        loop_stop(serving->loop);
    }
}

static void take_answer(void *user, const struct score_answer *answer)
{
    struct serving *serving = user;
    size_t at = answer->ticket.utterance;
    int64_t total_us = clock_mono().us - serving->begun.us - serving->arrivals_us[at];
    serving->failed = serving->failed || answer->failure != NULL;
    serving->wait_ms[at] += (double)answer->waited_us / 1e3;
    serving->total_ms[at] = (double)total_us / 1e3;
    serving->answered++;
    stop_when_done(serving);
}

static void send_due(void *user)
{
    struct serving *serving = user;
    for (; serving->sent < serving->count; serving->sent++) {
        int64_t late_us = clock_mono().us - serving->begun.us - serving->arrivals_us[serving->sent];
        if (late_us < 0) {
            break;
        }
        const struct scorer_text *text =
            &serving->texts->items[serving->sent % serving->texts->count];
        const struct score_ticket ticket = {.utterance = (uint32_t)serving->sent,
                                            .interaction_id = ""};
        serving->wait_ms[serving->sent] = (double)late_us / 1e3;
        if (!score_pool_submit(serving->pool, &ticket, text->bytes, text->size)) {
            serving->failed = true;
            break;
        }
    }
    size_t queued = score_pool_queued(serving->pool);
    serving->queued_max = queued > serving->queued_max ? queued : serving->queued_max;
    stop_when_done(serving);
}

/* Exponential gaps of that mean rate; rate 0: all at once. */
static void draw_arrivals(struct serving *serving, double rate, struct rand *rand)
{
    double at_us = 0;
    for (size_t i = 0; i < serving->count; i++) {
        at_us += rate > 0 ? -log(1 - rand_uniform(rand)) / rate * 1e6 : 0;
        serving->arrivals_us[i] = (int64_t)at_us;
    }
}

/* Serves count texts and returns how many were answered a second; 0 with an error. */
static double serve(struct serving *serving, size_t count, double rate, struct rand *rand,
                    struct error *err)
{
    serving->count = count;
    serving->sent = 0;
    serving->answered = 0;
    serving->queued_max = 0;
    draw_arrivals(serving, rate, rand);
    serving->begun = clock_mono();
    loop_timer_start(serving->timer, 0, 1);
    loop_run(serving->loop);
    if (serving->failed) {
        (void)error_set(err, ERROR_INTERNAL, "the scorer failed while being measured");
        return 0;
    }
    int64_t us = clock_mono().us - serving->begun.us;
    return (double)count / ((double)(us > 0 ? us : 1) / 1e6);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* By nearest rank. */
static void take_quantiles(double *values, size_t count, double out[3])
{
    qsort(values, count, sizeof *values, compare_doubles);
    for (size_t i = 0; i < 3; i++) {
        size_t rank = (size_t)ceil(quantiles[i] * (double)count);
        out[i] = values[rank > 0 ? rank - 1 : 0];
    }
}

static size_t within(double count, size_t least)
{
    return count < (double)least ? least : count > ARRIVALS_MAX ? ARRIVALS_MAX : (size_t)count;
}

static int measure(struct serving *serving, unsigned seconds, struct bench_serve_figures *figures,
                   struct error *err)
{
    struct rand rand;
    rand_seed(&rand, figures->seed);
    size_t count = CAPACITY_TEXTS_LEAST;
    for (unsigned i = 0; i < 2; i++) { /* the first warms up and says how many fill the time */
        figures->capacity = serve(serving, count, 0, &rand, err);
        count = within(figures->capacity * seconds / 2, CAPACITY_TEXTS_LEAST);
    }
    for (size_t i = 0; i < BENCH_SERVE_LOADS && figures->capacity > 0; i++) {
        struct bench_serve_load *load = &figures->loads[i];
        load->percent = percents[i];
        load->offered = figures->capacity * percents[i] / 100;
        count = within(load->offered * seconds, 1);
        load->answered = serve(serving, count, load->offered, &rand, err);
        load->queued_max = serving->queued_max;
        take_quantiles(serving->wait_ms, count, load->wait_ms);
        take_quantiles(serving->total_ms, count, load->total_ms);
    }
    return serving->failed ? (int)ERROR_INTERNAL : 0;
}

int bench_serve_measure(const struct scorer *scorer, const struct bench_texts *texts,
                        unsigned threads, unsigned seconds, uint64_t seed,
                        struct bench_serve_figures *figures, struct error *err)
{
    const struct score_pool_options options = {
        .scorer = scorer, .threads = threads, .batch_tokens = BATCH_TOKENS};
    struct serving serving = {
        .texts = texts,
        .arrivals_us = malloc(ARRIVALS_MAX * sizeof *serving.arrivals_us),
        .wait_ms = malloc(ARRIVALS_MAX * sizeof *serving.wait_ms),
        .total_ms = malloc(ARRIVALS_MAX * sizeof *serving.total_ms),
    };
    *figures = (struct bench_serve_figures){.seed = seed};
    int result = serving.arrivals_us && serving.wait_ms && serving.total_ms
                     ? loop_create(&serving.loop, err)
                     : error_set(err, ERROR_MEMORY, "no memory to measure");
    result =
        result ? result : loop_timer_create(serving.loop, send_due, &serving, &serving.timer, err);
    result = result ? result
                    : score_pool_create(&serving.pool, serving.loop, &options, take_answer,
                                        &serving, err);
    result = result ? result : measure(&serving, seconds, figures, err);
    score_pool_destroy(serving.pool);
    loop_timer_destroy(serving.timer);
    loop_destroy(serving.loop);
    free(serving.arrivals_us);
    free(serving.wait_ms);
    free(serving.total_ms);
    return result;
}
