/* bench.c - see bench.h.
 *
 * Rates are the best of interleaved rounds and times are medians, as bench/peers.py has them, since
 * a shared machine only ever disturbs downwards. The peak is measured right before and right after,
 * so that a machine that slowed down meanwhile shows. One text at a time is scored by the first
 * thread with the help of the others, as in the daemon when nothing else waits.
 */
#include "commands/bench.h"

#include "base/clock.h"
#include "commands/bench_team.h"
#include "commands/utterances.h"
#include "nlp/kernels/cpu.h"
#include "nlp/kernels/kernels.h"
#include "nlp/kernels/peak.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PEAK_ROUNDS = 4, TIMINGS = 21, PEAK_MS = 250 };
enum { BATCH_TOKENS = 512, BATCH_TOKENS_LEAST = 96, BATCH_TEXTS_MAX = 64 };

/* --- the utterances --- */

static bool is_jsonl(const char *path)
{
    return strstr(path, ".jsonl") != NULL;
}

static bool append_text(struct bench_texts *texts, const char *text, size_t size)
{
    char *copy = malloc(size);
    if (!copy) {
        return false;
    }
    memcpy(copy, text, size);
    texts->items[texts->count++] = (struct scorer_text){copy, size};
    return true;
}

static int read_texts(struct bench_texts *texts, const char *path, size_t count_max,
                      struct error *err)
{
    struct utterances *utterances;
    const char *text;
    size_t size;
    int got = 0;
    int result = utterances_open(&utterances, path, is_jsonl(path), err);
    if (result) {
        return result;
    }
    while (!result && texts->count < count_max &&
           (got = utterances_next(utterances, &text, &size, err)) == 1) {
        if (!utterances_is_blank(text, size) && !append_text(texts, text, size)) {
            result = error_set(err, ERROR_MEMORY, "no memory for the utterances");
        }
    }
    utterances_close(utterances);
    if (!result && got < 0) {
        result = (int)err->code;
    }
    if (!result && texts->count == 0) {
        result = error_set(err, ERROR_IO, "%s holds no utterances", path);
    }
    return result;
}

int bench_texts_read(struct bench_texts *texts, const char *path, size_t count_max,
                     const struct scorer *scorer, struct error *err)
{
    struct scorer_scratch *scratch = NULL;
    *texts = (struct bench_texts){.items = calloc(BENCH_TEXTS_MAX, sizeof *texts->items),
                                  .tokens = calloc(BENCH_TEXTS_MAX, sizeof *texts->tokens)};
    int result = texts->items && texts->tokens
                     ? scorer_scratch_create(scorer, 0, &scratch, err)
                     : error_set(err, ERROR_MEMORY, "no memory for the utterances");
    result = result ? result : read_texts(texts, path, count_max, err);
    for (size_t i = 0; i < texts->count && !result; i++) {
        texts->tokens[i] =
            scorer_tokens(scorer, scratch, texts->items[i], SCORER_LONG_TRUNCATE, NULL, 0);
    }
    scorer_scratch_destroy(scratch);
    return result;
}

void bench_texts_done(struct bench_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        free((void *)(uintptr_t)texts->items[i].bytes);
    }
    free(texts->items);
    free(texts->tokens);
    *texts = (struct bench_texts){0};
}

/* --- one measure --- */

struct span {
    size_t first;
    size_t count;
};

struct bench {
    const struct scorer *scorer;
    struct bench_team *team;
    unsigned threads;
    struct scorer_scratch *scratch[BENCH_TEAM_MAX];
    struct scorer_result results[BENCH_TEAM_MAX][BATCH_TEXTS_MAX];
    const struct bench_texts *texts;    /* in the order being measured */
    struct bench_texts sorted;          /* the same by length; strings borrowed */
    struct span spans[BENCH_TEXTS_MAX]; /* micro-batches of `stream` */
    size_t span_count;
    atomic_size_t span_next;
    struct span batch; /* of pad8, sorted32 */
    void (*helped)(struct bench *bench);
    struct scorer_text timed;
    double times[TIMINGS];
    atomic_bool failed;
    const struct peak *peak;
    size_t peak_rounds;
    float peak_sink[BENCH_TEAM_MAX];
};

static void score_span(struct bench *bench, unsigned member, struct span span)
{
    struct error err;
    while (span.count > 0) {
        size_t count = span.count < BATCH_TEXTS_MAX ? span.count : BATCH_TEXTS_MAX;
        if (scorer_run(bench->scorer, bench->scratch[member], bench->texts->items + span.first,
                       count, SCORER_LONG_TRUNCATE, bench->results[member], &err)) {
            atomic_store(&bench->failed, true);
        }
        span = (struct span){span.first + count, span.count - count};
    }
}

/* A member's share of the batch: neighbouring texts, about equally many tokens for each member. */
static void score_share(void *user, unsigned member)
{
    struct bench *bench = user;
    const size_t *tokens = bench->texts->tokens + bench->batch.first;
    size_t total = 0;
    for (size_t i = 0; i < bench->batch.count; i++) {
        total += tokens[i];
    }
    size_t before = 0;
    struct span share = {bench->batch.first, 0};
    for (size_t i = 0; i < bench->batch.count; i++) {
        size_t middle = before + tokens[i] / 2;
        size_t owner = middle * bench->threads / total;
        share.first += owner < member ? 1 : 0;
        share.count += owner == member ? 1 : 0;
        before += tokens[i];
    }
    score_span(bench, member, share);
}

static void score_stream(void *user, unsigned member)
{
    struct bench *bench = user;
    for (size_t at = atomic_fetch_add(&bench->span_next, 1); at < bench->span_count;
         at = atomic_fetch_add(&bench->span_next, 1)) {
        score_span(bench, member, bench->spans[at]);
    }
}

static double seconds_since(struct mono start)
{
    int64_t us = clock_mono().us - start.us;
    return (double)(us > 0 ? us : 1) / 1e6;
}

/* Does task in the first member while the others help its scorer. */
static void with_help(void *user, unsigned member)
{
    struct bench *bench = user;
    if (member > 0) {
        scorer_help(bench->scratch[member], bench->scratch[0], NULL);
        return;
    }
    bench->helped(bench);
    scorer_dismiss(bench->scratch[0]);
}

static void run_with_help(struct bench *bench, void (*task)(struct bench *bench))
{
    bench->helped = task;
    scorer_invite(bench->scratch[0]);
    bench_team_run(bench->team, with_help, bench);
}

static void score_each(struct bench *bench)
{
    for (size_t i = 0; i < bench->texts->count; i++) {
        score_span(bench, 0, (struct span){i, 1});
    }
}

static double rate_single(struct bench *bench)
{
    struct mono start = clock_mono();
    run_with_help(bench, score_each);
    return (double)bench->texts->count / seconds_since(start);
}

static double rate_batches(struct bench *bench, const struct bench_texts *texts, size_t size)
{
    const struct bench_texts *before = bench->texts;
    bench->texts = texts;
    struct mono start = clock_mono();
    for (size_t at = 0; at < texts->count; at += size) {
        size_t left = texts->count - at;
        bench->batch = (struct span){at, left < size ? left : size};
        bench_team_run(bench->team, score_share, bench);
    }
    bench->texts = before;
    return (double)texts->count / seconds_since(start);
}

static double rate_stream(struct bench *bench)
{
    atomic_store(&bench->span_next, 0);
    struct mono start = clock_mono();
    bench_team_run(bench->team, score_stream, bench);
    return (double)bench->texts->count / seconds_since(start);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void time_runs(struct bench *bench)
{
    for (size_t i = 0; i < TIMINGS; i++) {
        struct mono start = clock_mono();
        struct error err;
        if (scorer_run(bench->scorer, bench->scratch[0], &bench->timed, 1, SCORER_LONG_TRUNCATE,
                       bench->results[0], &err)) {
            atomic_store(&bench->failed, true);
        }
        bench->times[i] = seconds_since(start) * 1e3;
    }
}

/* A text of exactly that many tokens: one common word, over and over. */
static int time_text(struct bench *bench, size_t tokens, double *median_ms, struct error *err)
{
    static const char word[] = "time ";
    char bytes[64 * sizeof word];
    size_t size = 0;
    for (size_t i = 0; i + 2 < tokens; i++, size += sizeof word - 1) {
        memcpy(bytes + size, word, sizeof word - 1);
    }
    const struct scorer_text text = {bytes, size - 1};
    size_t got = scorer_tokens(bench->scorer, bench->scratch[0], text, SCORER_LONG_CHUNK, NULL, 0);
    if (got != tokens) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "this model's tokenizer makes %zu tokens of the text meant to have %zu",
                         got, tokens);
    }
    bench->timed = text;
    run_with_help(bench, time_runs);
    qsort(bench->times, TIMINGS, sizeof bench->times[0], compare_doubles);
    *median_ms = bench->times[TIMINGS / 2];
    return 0;
}

/* --- the machine's peak --- */

static void run_peak(void *user, unsigned member)
{
    struct bench *bench = user;
    bench->peak_sink[member] = bench->peak->run(bench->peak_rounds);
}

static double measure_peak(struct bench *bench)
{
    double best = 0;
    double elapsed = 0;
    bench->peak_rounds = 1000;
    for (int i = 0; i < PEAK_ROUNDS || elapsed < PEAK_MS / 2e3; i++) {
        struct mono start = clock_mono();
        bench_team_run(bench->team, run_peak, bench);
        elapsed = seconds_since(start);
        double done = bench->peak->multiply_adds * (double)bench->peak_rounds * bench->threads;
        double rate = 2 * done / elapsed / 1e9;
        best = rate > best ? rate : best;
        if (elapsed < PEAK_MS / 2e3) {
            bench->peak_rounds *= 4;
        }
    }
    return best;
}

/* --- all measures --- */

struct by_length {
    size_t tokens;
    size_t index;
};

static int compare_lengths(const void *left, const void *right)
{
    const struct by_length *a = left;
    const struct by_length *b = right;
    if (a->tokens != b->tokens) {
        return a->tokens < b->tokens ? -1 : 1;
    }
    return a->index < b->index ? -1 : 1;
}

static int sort_texts(struct bench *bench, struct error *err)
{
    const struct bench_texts *texts = bench->texts;
    struct by_length *order = calloc(texts->count, sizeof *order);
    bench->sorted = (struct bench_texts){.items = calloc(texts->count, sizeof *texts->items),
                                         .tokens = calloc(texts->count, sizeof *texts->tokens),
                                         .count = texts->count};
    int result = 0;
    if (!order || !bench->sorted.items || !bench->sorted.tokens) {
        result = error_set(err, ERROR_MEMORY, "no memory for the utterances");
    }
    for (size_t i = 0; i < texts->count && !result; i++) {
        order[i] = (struct by_length){texts->tokens[i], i};
    }
    if (!result) {
        qsort(order, texts->count, sizeof *order, compare_lengths);
    }
    for (size_t i = 0; i < texts->count && !result; i++) {
        bench->sorted.items[i] = texts->items[order[i].index];
        bench->sorted.tokens[i] = order[i].tokens;
    }
    free(order);
    return result;
}

/* Cuts the texts, in their order, into micro-batches of a token budget. Towards the end they become
 * smaller, so that all threads finish together: a stream that goes on has no end to wait at. */
static void cut_stream(struct bench *bench)
{
    size_t left = 0;
    for (size_t i = 0; i < bench->texts->count; i++) {
        left += bench->texts->tokens[i];
    }
    size_t tokens = 0;
    size_t budget = 0;
    struct span span = {0, 0};
    for (size_t i = 0; i < bench->texts->count; i++) {
        size_t more = bench->texts->tokens[i];
        if (span.count > 0 && (tokens + more > budget || span.count == BATCH_TEXTS_MAX)) {
            bench->spans[bench->span_count++] = span;
            span = (struct span){i, 0};
            tokens = 0;
        }
        if (span.count == 0) {
            size_t share = left / (2 * bench->threads);
            budget = share < BATCH_TOKENS ? share : BATCH_TOKENS;
            budget = budget > BATCH_TOKENS_LEAST ? budget : BATCH_TOKENS_LEAST;
        }
        span.count++;
        tokens += more;
        left -= more;
    }
    bench->spans[bench->span_count++] = span;
}

static void keep_best(double *best, double value)
{
    *best = value > *best ? value : *best;
}

static int run_measures(struct bench *bench, unsigned rounds, struct bench_figures *figures,
                        struct error *err)
{
    figures->peak_before = measure_peak(bench);
    for (unsigned round = 0; round < rounds; round++) {
        keep_best(&figures->single, rate_single(bench));
        keep_best(&figures->pad8, rate_batches(bench, bench->texts, 8));
        keep_best(&figures->sorted32, rate_batches(bench, &bench->sorted, 32));
        keep_best(&figures->stream, rate_stream(bench));
    }
    int result = time_text(bench, 8, &figures->ms8, err);
    result = result ? result : time_text(bench, 24, &figures->ms24, err);
    result = result ? result : time_text(bench, 64, &figures->ms64, err);
    figures->peak_after = measure_peak(bench);
    if (!result && atomic_load(&bench->failed)) {
        result = error_set(err, ERROR_INTERNAL, "the scorer failed while being measured");
    }
    return result;
}

static void sum_up(const struct bench *bench, struct bench_figures *figures)
{
    double tokens = 0;
    double multiply_adds = 0;
    for (size_t i = 0; i < bench->texts->count; i++) {
        tokens += (double)bench->texts->tokens[i];
        multiply_adds += scorer_multiply_adds(bench->scorer, bench->texts->tokens[i]);
    }
    double count = (double)bench->texts->count;
    figures->mean_tokens = tokens / count;
    figures->stream_rate = figures->stream * 2 * multiply_adds / count / 1e9;
}

/* The peak of the products and instructions that the scorer's kernels use. */
static int choose_peak(struct bench *bench, struct error *err)
{
    const char *precision = scorer_precision_name(bench->scorer);
    enum peak_products products = strcmp(precision, "int8") == 0   ? PEAK_PRODUCTS_INT8
                                  : strcmp(precision, "bf16") == 0 ? PEAK_PRODUCTS_BF16
                                                                   : PEAK_PRODUCTS_FP32;
    const struct kernels *kernels;
    int result = kernels_find(scorer_kernels_name(bench->scorer), cpu_flags(), &kernels, err);
    if (!result) {
        bench->peak = peak_select(kernels->cpu_flags, products);
    }
    return result;
}

int bench_measure(const struct scorer *scorer, const struct bench_texts *texts, unsigned threads,
                  unsigned rounds, struct bench_figures *figures, struct error *err)
{
    struct bench *bench = calloc(1, sizeof *bench);
    *figures = (struct bench_figures){0};
    if (!bench) {
        return error_set(err, ERROR_MEMORY, "no memory to measure");
    }
    bench->scorer = scorer;
    bench->texts = texts;
    bench->threads = threads;
    int result = choose_peak(bench, err);
    result = result ? result : sort_texts(bench, err);
    for (unsigned i = 0; i < threads && !result; i++) {
        result = scorer_scratch_create(scorer, BATCH_TOKENS, &bench->scratch[i], err);
    }
    result = result ? result : bench_team_create(&bench->team, threads, err);
    if (!result) {
        cut_stream(bench);
        result = run_measures(bench, rounds, figures, err);
        sum_up(bench, figures);
    }
    bench_team_destroy(bench->team);
    for (unsigned i = 0; i < threads; i++) {
        scorer_scratch_destroy(bench->scratch[i]);
    }
    free(bench->sorted.items);
    free(bench->sorted.tokens);
    free(bench);
    return result;
}
