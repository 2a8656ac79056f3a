/* score_pool.c - see score_pool.h. One mutex guards the queue and the list of finished jobs; it is
 * held for a few pointer moves, never while scoring. */
#include "app/score_pool.h"

#include "base/keyhash.h"
#include "nlp/clean.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_JOBS_MAX = 64 };

struct job {
    struct job *next;
    struct score_ticket ticket;
    struct score_answer answer;
    struct mono submitted;
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
    const struct scorer *scorer;
    struct loop_wakeup *wakeup;
    score_answer_fn *on_answer;
    void *user;
    size_t batch_tokens;
    struct worker *workers;
    unsigned worker_count;
    size_t unanswered; /* loop thread only */

    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct job_list live;    /* spoken just now: taken first */
    struct job_list backlog; /* history of calls joined midway */
    struct job_list finished;
    bool stopping;
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

static void free_job(struct job *job)
{
    keyhash_wipe(job->bytes, job->text_bytes * 4); /* transcript text does not linger in the heap */
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

/* Takes what is queued, up to the budget; 0 when stopping. */
static size_t take_batch(struct score_pool *pool, struct job **jobs)
{
    size_t count = 0;
    size_t tokens = 0;
    pthread_mutex_lock(&pool->mutex);
    while (!next_queue(pool)->first && !pool->stopping) {
        pthread_cond_wait(&pool->work, &pool->mutex);
    }
    for (struct job *next = next_queue(pool)->first;
         !pool->stopping && next && count < BATCH_JOBS_MAX &&
         (count == 0 || tokens + estimated_tokens(next) <= pool->batch_tokens);
         next = next_queue(pool)->first) {
        jobs[count] = list_take(next_queue(pool));
        tokens += estimated_tokens(jobs[count]);
        count++;
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

static void answer_job(struct job *job, const struct scorer_result *result, const char *failure)
{
    job->answer.scorable = result != NULL;
    job->answer.failure = failure;
    if (result) {
        job->answer.score = (int64_t)llround(result->score * 1e6);
        job->answer.token_count = result->token_count;
    }
}

static void score_batch(struct worker *worker, struct job **jobs, size_t count)
{
    struct scorer_text texts[BATCH_JOBS_MAX];
    struct scorer_result results[BATCH_JOBS_MAX];
    struct job *scored[BATCH_JOBS_MAX];
    size_t text_count = 0;
    struct error err;
    struct mono begun = clock_mono();
    for (size_t i = 0; i < count; i++) {
        struct job *job = jobs[i];
        job->answer.waited_us = begun.us - job->submitted.us;
        job->clean_bytes = clean_text(job->text, job->text_bytes, job->clean);
        if (job->clean_bytes == 0) {
            answer_job(job, NULL, NULL);
            continue;
        }
        scored[text_count] = job;
        texts[text_count++] = (struct scorer_text){job->clean, job->clean_bytes};
    }
    bool failed = text_count > 0 && scorer_run(worker->pool->scorer, worker->scratch, texts,
                                               text_count, SCORER_LONG_CHUNK, results, &err) != 0;
    int64_t scored_us = clock_mono().us - begun.us;
    for (size_t i = 0; i < text_count; i++) {
        answer_job(scored[i], failed ? NULL : &results[i], failed ? "the scorer failed" : NULL);
        scored[i]->answer.scored_us = scored_us;
    }
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct job *jobs[BATCH_JOBS_MAX];
    for (;;) {
        size_t count = take_batch(worker->pool, jobs);
        if (count == 0) {
            return NULL;
        }
        score_batch(worker, jobs, count);
        give_back(worker->pool, jobs, count);
    }
}

/* --- loop thread ----------------------------------------------------------------------------- */

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
        free_job(job);
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
    struct job *job = malloc(sizeof *job + text_bytes * 4 + id_bytes);
    if (!job) {
        return false;
    }
    *job = (struct job){.ticket = *ticket, .text_bytes = text_bytes, .submitted = clock_mono()};
    job->text = job->bytes;
    job->clean = job->bytes + text_bytes;
    char *id = job->bytes + text_bytes * 4;
    memcpy(job->text, text, text_bytes);
    memcpy(id, ticket->interaction_id, id_bytes);
    job->ticket.interaction_id = id;
    pool->unanswered++;
    pthread_mutex_lock(&pool->mutex);
    list_append(job->ticket.backlog ? &pool->backlog : &pool->live, job);
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    return true;
}

size_t score_pool_queued(const struct score_pool *pool)
{
    return pool->unanswered;
}

static int start_workers(struct score_pool *pool, struct error *err)
{
    for (unsigned i = 0; i < pool->worker_count; i++) {
        struct worker *worker = &pool->workers[i];
        worker->pool = pool;
        int result = scorer_scratch_create(pool->scorer, pool->batch_tokens, &worker->scratch, err);
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

int score_pool_create(struct score_pool **pool, struct loop *loop, const struct scorer *scorer,
                      unsigned threads, size_t batch_tokens, score_answer_fn *on_answer, void *user,
                      struct error *err)
{
    *pool = NULL;
    struct score_pool *created = calloc(1, sizeof *created);
    struct worker *workers = calloc(threads ? threads : 1, sizeof *workers);
    if (!created || !workers) {
        free(created);
        free(workers);
        return error_set(err, ERROR_MEMORY, "no memory for the scoring workers");
    }
    created->scorer = scorer;
    created->on_answer = on_answer;
    created->user = user;
    created->batch_tokens = batch_tokens;
    created->workers = workers;
    created->worker_count = threads ? threads : 1;
    list_init(&created->live);
    list_init(&created->backlog);
    list_init(&created->finished);
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
        scorer_scratch_destroy(pool->workers[i].scratch);
    }
    loop_wakeup_destroy(pool->wakeup);
    list_free(&pool->live);
    list_free(&pool->backlog);
    list_free(&pool->finished);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->workers);
    free(pool);
}
