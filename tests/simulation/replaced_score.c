/* replaced_score.c - app/score_pool.h and model/model_choice.h with a model that reads the score
 * out of the text, after a while. The queue is served by two pretended workers, oldest first. */
#include "app/score_pool.h"
#include "model/model_choice.h"

#include "ledger.h"
#include "vendor.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { WORKERS = 2 };

struct job {
    struct job *next;
    struct score_pool *pool;
    struct score_ticket ticket;
    int64_t queued_us;
    int32_t score;
    char id[64];
};

struct score_pool {
    score_answer_fn *on_answer;
    void *user;
    struct job *first;
    struct job **end;
    struct job *busy[WORKERS];
    struct world_event *events[WORKERS];
    size_t queued;
};

static void take_next(struct score_pool *pool);

static void answer(struct score_pool *pool, size_t worker)
{
    struct job *job = pool->busy[worker];
    int64_t waited_us = world_now_us() - job->queued_us;
    pool->busy[worker] = NULL;
    pool->events[worker] = NULL;
    pool->queued--;
    struct score_answer done = {
        .ticket = job->ticket,
        .scorable = job->score != BLANK,
        .score = job->score,
        .token_count = 4,
        .waited_us = waited_us,
        .scored_us = 1000,
    };
    take_next(pool);
    pool->on_answer(pool->user, &done);
    free(job);
}

static void on_first_done(void *user)
{
    answer(user, 0);
}

static void on_second_done(void *user)
{
    answer(user, 1);
}

static void take_next(struct score_pool *pool)
{
    for (size_t i = 0; i < WORKERS && pool->first; i++) {
        if (!pool->busy[i]) {
            const struct fault *slow = plan_in_force(the_vendor->plan, FAULT_SCORER_SLOW);
            int64_t takes_us = world_between(200, 6000);
            takes_us += slow ? world_between(0, slow->value) * 1000 : 0;
            pool->busy[i] = pool->first;
            pool->first = pool->first->next;
            if (!pool->first) {
                pool->end = &pool->first;
            }
            pool->events[i] = world_after_us(takes_us, i ? on_second_done : on_first_done, pool);
        }
    }
}

int score_pool_create(struct score_pool **pool, struct loop *loop,
                      const struct score_pool_options *options, score_answer_fn *on_answer,
                      void *user, struct error *err)
{
    (void)loop;
    (void)options;
    *pool = calloc(1, sizeof **pool);
    if (!*pool) {
        return error_set(err, ERROR_MEMORY, "no memory for a scorer");
    }
    (*pool)->end = &(*pool)->first;
    (*pool)->on_answer = on_answer;
    (*pool)->user = user;
    return 0;
}

bool score_pool_submit(struct score_pool *pool, const struct score_ticket *ticket, const char *text,
                       size_t text_bytes)
{
    struct job *job = calloc(1, sizeof *job);
    size_t id_bytes = strlen(ticket->interaction_id);
    if (!job || id_bytes >= sizeof job->id) {
        abort();
    }
    (void)text_bytes; /* the texts end with a NUL in the document that holds them */
    *job = (struct job){.pool = pool, .ticket = *ticket, .queued_us = world_now_us()};
    memcpy(job->id, ticket->interaction_id, id_bytes + 1);
    job->ticket.interaction_id = job->id;
    job->score = ledger_note_asked(ticket, text);
    *pool->end = job;
    pool->end = &job->next;
    pool->queued++;
    take_next(pool);
    return true;
}

size_t score_pool_queued(const struct score_pool *pool)
{
    return pool->queued;
}

int64_t score_pool_oldest_wait_ms(struct score_pool *pool, struct mono now)
{
    return pool->first ? (now.us - pool->first->queued_us) / 1000 : 0;
}

void score_pool_destroy(struct score_pool *pool)
{
    if (!pool) {
        return;
    }
    for (size_t i = 0; i < WORKERS; i++) {
        world_cancel(pool->events[i]);
        free(pool->busy[i]);
    }
    while (pool->first) {
        struct job *job = pool->first;
        pool->first = job->next;
        free(job);
    }
    free(pool);
}

/* --- the model ------------------------------------------------------------------------------- */

int model_choice_make(struct model_choice *choice, const struct model_choice_options *options,
                      struct error *err)
{
    (void)options;
    (void)err;
    *choice = (struct model_choice){0};
    return 0;
}

void model_choice_free(struct model_choice *choice)
{
    (void)choice;
}
