/* score_pool.c - see score_pool.h. One mutex guards the queue and the list of finished jobs; it is
 * held for a few pointer moves, never while scoring. */
#include "app/score_pool.h"

#include "base/keyhash.h"
#include "nlp/clean.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_JOBS_MAX = 64,
    COMMON_BYTES = 2048,  /* of a job's bytes: 500 bytes of text, more than most utterances have */
    SPARE_JOBS_MAX = 128, /* of that size, kept for the next to come */
};

struct job {
    struct job *next;
    struct score_ticket ticket;
    struct score_answer answer;
    struct mono submitted;
    size_t capacity; /* of bytes */
    size_t text_bytes;
    size_t clean_bytes;
    char *text;  /* points into bytes */
    char *clean; /* points into bytes: room for 3 * text_bytes */
    char bytes[];
};

struct job_list {
    struct job *first;
    struct job **end;
};

struct worker {
    struct score_pool *pool;
    pthread_t thread;
    bool started;
    struct scorer_scratch *scratch;
};

struct score_pool {
    struct score_pool_options options;
    struct loop_wakeup *wakeup;
    score_answer_fn *on_answer;
    void *user;
    struct worker *workers;
    unsigned worker_count;
    size_t unanswered; /* loop thread only, as are the next two */
    struct job *spare; /* answered, wiped, of COMMON_BYTES */
    unsigned spare_count;

    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct job_list live;    /* spoken just now: taken first */
    struct job_list backlog; /* history of calls joined midway */
    struct job_list finished;
    unsigned idle;           /* workers without work */
    struct worker *leader;   /* whoever asked for help, until its batch is done */
    unsigned helpers_wanted; /* and has not got yet */
    bool stopping;
    atomic_bool has_work; /* queued: helpers have better to do; changed under the mutex */
};

static void list_init(struct job_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_append(struct job_list *list, struct job *job)
{
    job->next = NULL;
    *list->end = job;
    list->end = &job->next;
}

static struct job *list_take(struct job_list *list)
{
    struct job *job = list->first;
    if (job) {
        list->first = job->next;
        if (!list->first) {
            list->end = &list->first;
        }
    }
    return job;
}

/* Transcript text does not linger in the heap. */
static void wipe_job(struct job *job)
{
    keyhash_wipe(job->bytes, job->text_bytes * 4);
}

static void free_job(struct job *job)
{
    wipe_job(job);
    free(job);
}

static void list_free(struct job_list *list)
{
    for (struct job *job = list_take(list); job; job = list_take(list)) {
        free_job(job);
    }
}

/* --- worker ---------------------------------------------------------------------------------- */

/* About four bytes make a token in English; the budget need not be exact. */
static size_t estimated_tokens(const struct job *job)
{
    return job->text_bytes / 4 + 3;
}

static struct job_list *next_queue(struct score_pool *pool)
{
    return pool->live.first ? &pool->live : &pool->backlog;
}

/* Waits for something to score; meanwhile lends its thread to a worker that asked for help. */
static void await_work(struct worker *worker)
{
    struct score_pool *pool = worker->pool;
    while (!next_queue(pool)->first && !pool->stopping) {
        if (pool->helpers_wanted > 0) {
            struct worker *leader = pool->leader;
            pool->helpers_wanted--;
            pthread_mutex_unlock(&pool->mutex);
            scorer_help(worker->scratch, leader->scratch, &pool->has_work);
            pthread_mutex_lock(&pool->mutex);
            continue;
        }
        pool->idle++;
        pthread_cond_wait(&pool->work, &pool->mutex);
        pool->idle--;
    }
}

/* Asks idle workers for help with a batch that leaves nothing else to do. The mutex is held. */
static void ask_for_help(struct worker *worker)
{
    enum { HELPERS_MAX = 3 }; /* short texts fall into few parts */
    struct score_pool *pool = worker->pool;
    if (pool->idle == 0 || pool->leader || next_queue(pool)->first || !pool->options.scorer) {
        return;
    }
    pool->leader = worker;
    pool->helpers_wanted = pool->idle < HELPERS_MAX ? pool->idle : HELPERS_MAX;
    scorer_invite(worker->scratch);
    for (unsigned i = 0; i < pool->helpers_wanted; i++) {
        pthread_cond_signal(&pool->work);
    }
}

static void dismiss_help(struct worker *worker)
{
    struct score_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->mutex);
    bool leads = pool->leader == worker;
    if (leads) {
        pool->leader = NULL;
        pool->helpers_wanted = 0;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (leads) {
        scorer_dismiss(worker->scratch);
    }
}

/* Takes what is queued, up to the budget; 0 when stopping. */
static size_t take_batch(struct worker *worker, struct job **jobs)
{
    struct score_pool *pool = worker->pool;
    size_t count = 0;
    size_t tokens = 0;
    pthread_mutex_lock(&pool->mutex);
    await_work(worker);
    for (struct job *next = next_queue(pool)->first;
         !pool->stopping && next && count < BATCH_JOBS_MAX &&
         (count == 0 || tokens + estimated_tokens(next) <= pool->options.batch_tokens);
         next = next_queue(pool)->first) {
        jobs[count] = list_take(next_queue(pool));
        tokens += estimated_tokens(jobs[count]);
        count++;
    }
    atomic_store(&pool->has_work, next_queue(pool)->first != NULL);
    if (count > 0) {
        ask_for_help(worker);
    }
    pthread_mutex_unlock(&pool->mutex);
    return count;
}

static void give_back(struct score_pool *pool, struct job **jobs, size_t count)
{
    pthread_mutex_lock(&pool->mutex);
    for (size_t i = 0; i < count; i++) {
        list_append(&pool->finished, jobs[i]);
    }
    pthread_mutex_unlock(&pool->mutex);
    loop_wakeup_signal(pool->wakeup);
}

static void answer_job(struct job *job, const struct scorer_result *result)
{
    job->answer.scorable = true;
    job->answer.score = (int64_t)llround(result->score * 1e6);
    job->answer.token_count = result->token_count;
}

/* Beside a model for other languages a list of English words would find them all neutral. */
static bool lexicon_stands_in(const struct score_pool_options *options, const struct job *job)
{
    return options->lexicon && (job->ticket.english || !options->scorer);
}

static void answer_by_lexicon(const struct score_pool *pool, struct job *job)
{
    double score;
    if (!lexicon_stands_in(&pool->options, job)) {
        job->answer.failure = "the scorer failed";
    } else if (lexicon_score(pool->options.lexicon, job->clean, job->clean_bytes, &score)) {
        job->answer.scorable = true;
        job->answer.score = (int64_t)llround(score * 1e6);
        job->answer.degraded = true;
    }
}

/* Texts for the model, gathered from a batch. */
struct asked {
    size_t count;
    struct job *jobs[BATCH_JOBS_MAX];
    struct result_cache_key keys[BATCH_JOBS_MAX]; /* with a cache */
    struct scorer_text texts[BATCH_JOBS_MAX];
    struct scorer_result results[BATCH_JOBS_MAX];
};

/* Only what was spoken just now is worth less when it comes late. */
static bool is_late(const struct score_pool_options *options, const struct job *job)
{
    return options->deadline_ms > 0 && lexicon_stands_in(options, job) && !job->ticket.backlog &&
           job->answer.waited_us > options->deadline_ms * 1000;
}

static void gather_job(const struct score_pool *pool, struct job *job, struct asked *asked)
{
    struct result_cache *cache = pool->options.cache;
    struct result_cache_key key = {0};
    struct scorer_result known;
    job->clean_bytes = clean_text(job->text, job->text_bytes, job->clean);
    if (job->clean_bytes == 0) {
        return; /* the answer stays: nothing to judge */
    }
    if (!pool->options.scorer) {
        answer_by_lexicon(pool, job);
        return;
    }
    if (cache) {
        key = result_cache_key(cache, job->clean, job->clean_bytes);
        if (result_cache_find(cache, key, &known)) {
            answer_job(job, &known);
            job->answer.degraded = pool->options.degraded;
            return;
        }
    }
    if (is_late(&pool->options, job)) {
        job->answer.late = true;
        answer_by_lexicon(pool, job);
        return;
    }
    asked->jobs[asked->count] = job;
    asked->keys[asked->count] = key;
    asked->texts[asked->count++] = (struct scorer_text){job->clean, job->clean_bytes};
}

/* Answers the texts from first to before end, which went to the model in one run. */
static bool run_model(struct worker *worker, struct asked *asked, size_t first, size_t end)
{
    const struct score_pool_options *options = &worker->pool->options;
    struct error err;
    if (scorer_run(options->scorer, worker->scratch, asked->texts + first, end - first,
                   SCORER_LONG_CHUNK, asked->results + first, &err) != 0) {
        return false;
    }
    for (size_t i = first; i < end; i++) {
        answer_job(asked->jobs[i], &asked->results[i]);
        asked->jobs[i]->answer.degraded = options->degraded;
        if (options->cache) {
            result_cache_put(options->cache, asked->keys[i], &asked->results[i]);
        }
    }
    return true;
}

static void score_batch(struct worker *worker, struct job **jobs, size_t count)
{
    struct asked asked;
    struct mono begun = clock_mono();
    asked.count = 0;
    for (size_t i = 0; i < count; i++) {
        jobs[i]->answer.waited_us = begun.us - jobs[i]->submitted.us;
        gather_job(worker->pool, jobs[i], &asked);
    }
    if (asked.count > 0 && !run_model(worker, &asked, 0, asked.count)) {
        for (size_t i = 0; i < asked.count; i++) { /* one bad text must not cost its batch-mates */
            if (!run_model(worker, &asked, i, i + 1)) {
                answer_by_lexicon(worker->pool, asked.jobs[i]);
            }
        }
    }
    int64_t scored_us = clock_mono().us - begun.us;
    for (size_t i = 0; i < count; i++) {
        jobs[i]->answer.scored_us = scored_us;
    }
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct job *jobs[BATCH_JOBS_MAX];
    for (;;) {
        size_t count = take_batch(worker, jobs);
        if (count == 0) {
            return NULL;
        }
        score_batch(worker, jobs, count);
        dismiss_help(worker);
        give_back(worker->pool, jobs, count);
    }
}

/* --- loop thread ----------------------------------------------------------------------------- */

/* Once as many jobs were made as are under way at a time, the allocator is left alone. */
static struct job *make_job(struct score_pool *pool, size_t bytes)
{
    struct job *job = pool->spare;
    if (bytes <= COMMON_BYTES && job) {
        pool->spare = job->next;
        pool->spare_count--;
        return job;
    }
    size_t capacity = bytes <= COMMON_BYTES ? COMMON_BYTES : bytes;
    job = malloc(sizeof *job + capacity);
    if (job) {
        job->capacity = capacity;
    }
    return job;
}

static void keep_job(struct score_pool *pool, struct job *job)
{
    if (job->capacity != COMMON_BYTES || pool->spare_count == SPARE_JOBS_MAX) {
        free_job(job);
        return;
    }
    wipe_job(job);
    job->next = pool->spare;
    pool->spare = job;
    pool->spare_count++;
}

static void deliver_finished(void *user)
{
    struct score_pool *pool = user;
    pthread_mutex_lock(&pool->mutex);
    struct job *job = pool->finished.first;
    list_init(&pool->finished);
    pthread_mutex_unlock(&pool->mutex);
    while (job) {
        struct job *next = job->next;
        job->answer.ticket = job->ticket;
        pool->unanswered--;
        pool->on_answer(pool->user, &job->answer);
        keep_job(pool, job);
        job = next;
    }
}

bool score_pool_submit(struct score_pool *pool, const struct score_ticket *ticket, const char *text,
                       size_t text_bytes)
{
    size_t id_bytes = strlen(ticket->interaction_id) + 1;
    if (text_bytes > (SIZE_MAX - sizeof(struct job) - id_bytes) / 4) {
        return false;
    }
    struct job *job = make_job(pool, text_bytes * 4 + id_bytes);
    if (!job) {
        return false;
    }
    *job = (struct job){.ticket = *ticket,
                        .capacity = job->capacity,
                        .text_bytes = text_bytes,
                        .submitted = clock_mono()};
    job->text = job->bytes;
    job->clean = job->bytes + text_bytes;
    char *id = job->bytes + text_bytes * 4;
    memcpy(job->text, text, text_bytes);
    memcpy(id, ticket->interaction_id, id_bytes);
    job->ticket.interaction_id = id;
    pool->unanswered++;
    pthread_mutex_lock(&pool->mutex);
    list_append(job->ticket.backlog ? &pool->backlog : &pool->live, job);
    atomic_store(&pool->has_work, true);
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    return true;
}

size_t score_pool_queued(const struct score_pool *pool)
{
    return pool->unanswered;
}

int64_t score_pool_oldest_wait_ms(struct score_pool *pool, struct mono now)
{
    int64_t oldest_ms = 0;
    pthread_mutex_lock(&pool->mutex);
    const struct job *first[] = {pool->live.first, pool->backlog.first};
    for (int i = 0; i < 2; i++) {
        int64_t wait_ms = first[i] ? mono_ms_between(first[i]->submitted, now) : 0;
        oldest_ms = wait_ms > oldest_ms ? wait_ms : oldest_ms;
    }
    pthread_mutex_unlock(&pool->mutex);
    return oldest_ms;
}

static int start_workers(struct score_pool *pool, struct error *err)
{
    for (unsigned i = 0; i < pool->worker_count; i++) {
        struct worker *worker = &pool->workers[i];
        const struct score_pool_options *options = &pool->options;
        worker->pool = pool;
        int result = options->scorer ? scorer_scratch_create(options->scorer, options->batch_tokens,
                                                             &worker->scratch, err)
                                     : 0;
        if (result) {
            return result;
        }
        int failed = pthread_create(&worker->thread, NULL, worker_main, worker);
        if (failed) {
            return error_set(err, ERROR_MEMORY, "cannot start a scoring thread: %s",
                             strerror(failed));
        }
        worker->started = true;
    }
    return 0;
}

int score_pool_create(struct score_pool **pool, struct loop *loop,
                      const struct score_pool_options *options, score_answer_fn *on_answer,
                      void *user, struct error *err)
{
    unsigned threads = options->threads ? options->threads : 1;
    *pool = NULL;
    struct score_pool *created = calloc(1, sizeof *created);
    struct worker *workers = calloc(threads, sizeof *workers);
    if (!created || !workers) {
        free(created);
        free(workers);
        return error_set(err, ERROR_MEMORY, "no memory for the scoring workers");
    }
    created->options = *options;
    created->on_answer = on_answer;
    created->user = user;
    created->workers = workers;
    created->worker_count = threads;
    list_init(&created->live);
    list_init(&created->backlog);
    list_init(&created->finished);
    atomic_init(&created->has_work, false);
    pthread_mutex_init(&created->mutex, NULL);
    pthread_cond_init(&created->work, NULL);
    int result = loop_wakeup_create(loop, deliver_finished, created, &created->wakeup, err);
    if (!result) {
        result = start_workers(created, err);
    }
    if (result) {
        score_pool_destroy(created);
        return result;
    }
    *pool = created;
    return 0;
}

void score_pool_destroy(struct score_pool *pool)
{
    if (!pool) {
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->worker_count; i++) {
        if (pool->workers[i].started) {
            pthread_join(pool->workers[i].thread, NULL);
        }
    }
    for (unsigned i = 0; i < pool->worker_count; i++) {
        scorer_scratch_destroy(pool->workers[i].scratch); /* until now another might help in it */
    }
    loop_wakeup_destroy(pool->wakeup);
    list_free(&pool->live);
    list_free(&pool->backlog);
    list_free(&pool->finished);
    for (struct job *job = pool->spare, *next; job; job = next) {
        next = job->next;
        free(job);
    }
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->workers);
    free(pool);
}
