/* line_pool.c - see line_pool.h. A ring of blocks, each in one of three states; its owner follows
 * from the state, so one mutex held for a few assignments is all the sharing there is:
 *
 *     FREE (reader fills) -> FULL (a worker takes the oldest) -> DONE (reader writes it) -> FREE
 */
#include "commands/line_pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES_MAX = 4 << 20, OUT_BYTES_MAX = 64 << 20 };

enum block_state { BLOCK_FREE, BLOCK_FULL, BLOCK_DONE };

struct block {
    enum block_state state;
    struct buf bytes; /* the texts, one behind the other */
    size_t ends[LINE_POOL_BLOCK_TEXTS];
    size_t count;
    struct buf out;
    int result;
    struct error err;
};

struct line_pool {
    struct utterances *utterances;
    line_pool_work_fn *work;
    pthread_mutex_t mutex;
    pthread_cond_t full;
    pthread_cond_t done;
    struct block *blocks;
    size_t block_count;
    size_t filled;  /* blocks ever filled; the next goes to filled % block_count */
    size_t taken;   /* of those, taken by a worker */
    size_t written; /* of those, written out: reader only */
    bool stopping;
};

struct thread {
    struct line_pool *pool;
    void *worker;
    pthread_t handle;
};

/* --- workers --- */

static void work_block(struct line_pool *pool, void *worker, struct block *block)
{
    struct scorer_text texts[LINE_POOL_BLOCK_TEXTS];
    size_t start = 0;
    for (size_t i = 0; i < block->count; i++) {
        texts[i] = (struct scorer_text){buf_string(&block->bytes) + start, block->ends[i] - start};
        start = block->ends[i];
    }
    block->result = pool->work(worker, texts, block->count, &block->out, &block->err);
    if (!block->result && block->out.failed) {
        block->result = error_set(&block->err, ERROR_MEMORY, "no memory for the answers");
    }
}

static void *thread_main(void *argument)
{
    struct thread *thread = argument;
    struct line_pool *pool = thread->pool;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->taken == pool->filled && !pool->stopping) {
            pthread_cond_wait(&pool->full, &pool->mutex);
        }
        if (pool->stopping) {
            break;
        }
        struct block *block = &pool->blocks[pool->taken++ % pool->block_count];
        pthread_mutex_unlock(&pool->mutex);
        work_block(pool, thread->worker, block);
        pthread_mutex_lock(&pool->mutex);
        block->state = BLOCK_DONE;
        pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

/* --- reader --- */

/* Writes the oldest unwritten block, waiting for it. */
static int write_oldest(struct line_pool *pool, struct error *err)
{
    struct block *block = &pool->blocks[pool->written % pool->block_count];
    pthread_mutex_lock(&pool->mutex);
    while (block->state != BLOCK_DONE) {
        pthread_cond_wait(&pool->done, &pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    pool->written++;
    block->state = BLOCK_FREE;
    if (block->result) {
        *err = block->err;
        return block->result;
    }
    if (fwrite(buf_string(&block->out), 1, block->out.size, stdout) != block->out.size) {
        return error_set(err, ERROR_IO, "cannot write to standard output");
    }
    return 0;
}

static int write_all(struct line_pool *pool, struct error *err)
{
    int result = 0;
    while (pool->written < pool->filled && !result) {
        result = write_oldest(pool, err);
    }
    (void)fflush(stdout);
    return result;
}

/* Gathers utterances until the block is full or the input pauses; 1 to go on, 0 at the end of the
 * input, -1 on failure. What was gathered before the end or failure counts. */
static int fill_block(struct line_pool *pool, struct block *block, struct error *err)
{
    buf_clear(&block->bytes);
    buf_clear(&block->out);
    block->count = 0;
    int got = 1;
    while (got == 1 && block->count < LINE_POOL_BLOCK_TEXTS &&
           block->bytes.size < BLOCK_BYTES_MAX / 2 &&
           (block->count == 0 || utterances_ready(pool->utterances))) {
        const char *text;
        size_t size;
        got = utterances_next(pool->utterances, &text, &size, err);
        if (got == 1 && !buf_append(&block->bytes, text, size)) {
            error_set(err, ERROR_MEMORY, "no memory for the input");
            got = -1;
        }
        if (got == 1) {
            block->ends[block->count++] = block->bytes.size;
        }
    }
    return got;
}

static int read_and_write(struct line_pool *pool, struct error *err)
{
    struct error read_err = {0};
    int got = 1;
    int result = 0;
    while (got == 1 && !result) {
        if (pool->filled - pool->written == pool->block_count) {
            result = write_oldest(pool, err);
        } else if (pool->filled > pool->written && !utterances_ready(pool->utterances)) {
            result = write_all(pool, err);
        }
        struct block *block = &pool->blocks[pool->filled % pool->block_count];
        got = result ? 0 : fill_block(pool, block, &read_err);
        if (!result && block->count > 0) {
            pthread_mutex_lock(&pool->mutex);
            block->state = BLOCK_FULL;
            pool->filled++;
            pthread_cond_signal(&pool->full);
            pthread_mutex_unlock(&pool->mutex);
        }
    }
    result = result ? result : write_all(pool, err);
    if (!result && got < 0) {
        *err = read_err;
        result = (int)read_err.code;
    }
    return result;
}

/* --- the whole --- */

static int run_threads(struct line_pool *pool, struct thread *threads, unsigned count,
                       struct error *err)
{
    unsigned started = 0;
    int result = 0;
    for (; started < count && !result; started++) {
        int failure =
            pthread_create(&threads[started].handle, NULL, thread_main, &threads[started]);
        if (failure) {
            result = error_set(err, ERROR_MEMORY, "cannot start a thread: %s", strerror(failure));
            break;
        }
    }
    result = result ? result : read_and_write(pool, err);
    pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->full);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(threads[i].handle, NULL);
    }
    return result;
}

int line_pool_run(struct utterances *utterances, line_pool_work_fn *work, void *const *workers,
                  unsigned worker_count, struct error *err)
{
    struct line_pool pool = {.utterances = utterances,
                             .work = work,
                             .mutex = PTHREAD_MUTEX_INITIALIZER,
                             .full = PTHREAD_COND_INITIALIZER,
                             .done = PTHREAD_COND_INITIALIZER,
                             .block_count = (size_t)worker_count * 2};
    struct thread threads[LINE_POOL_THREADS_MAX];
    pool.blocks = calloc(pool.block_count, sizeof *pool.blocks);
    if (!pool.blocks) {
        return error_set(err, ERROR_MEMORY, "no memory for the input");
    }
    for (size_t i = 0; i < pool.block_count; i++) {
        buf_init(&pool.blocks[i].bytes, BLOCK_BYTES_MAX);
        buf_init(&pool.blocks[i].out, OUT_BYTES_MAX);
    }
    for (unsigned i = 0; i < worker_count; i++) {
        threads[i] = (struct thread){.pool = &pool, .worker = workers[i]};
    }
    int result = run_threads(&pool, threads, worker_count, err);
    for (size_t i = 0; i < pool.block_count; i++) {
        buf_done(&pool.blocks[i].bytes);
        buf_done(&pool.blocks[i].out);
    }
    free(pool.blocks);
    return result;
}
