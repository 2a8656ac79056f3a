/* app/score_pool.h - the scoring workers: text in, score out, in no particular order.
 *
 * What was asked before is answered from a cache of results, before tokenizing. Where the model
 * fails on a batch, each text is tried alone, and what still fails is judged by the lexicon and
 * marked degraded; without one, or in another language, it is a failure, never a made-up neutral.
 *
 * Submitting and answering happen on the loop thread; between them a job belongs to exactly one
 * worker. A worker takes whatever is queued when it is free, up to a token budget, and scores it as
 * one ragged batch, so batches form by themselves under load and cost nothing without it. What was
 * spoken just now goes before the history of calls that were joined midway. Workers with nothing to
 * take help one that has, until something is queued: a lone utterance is answered by all cores.
 *
 * A model that cannot keep up costs precision, not time: what has waited past the deadline is
 * judged by the lexicon and marked, unless it is history, in another language, or the cache knows
 * it.
 *
 * Bounded: the daemon stops polling when score_pool_queued passes its mark, so the queue holds at
 * most that many jobs plus what the polls already in flight bring (their bodies are capped).
 */
#ifndef APP_SCORE_POOL_H
#define APP_SCORE_POOL_H

#include "base/clock.h"
#include "base/error.h"
#include "net/loop.h"
#include "nlp/lexicon.h"
#include "nlp/result_cache.h"
#include "nlp/scorer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct score_pool;

/* What comes back with the answer; the pool only carries it. */
struct score_ticket {
    uint64_t call;
    uint32_t utterance;
    uint32_t revision;
    uint32_t ordinal;
    int64_t start_ms;
    int64_t end_ms;
    bool backlog;               /* scored only when nothing spoken just now waits */
    bool english;               /* as the lexicon is, which stands in for a model only there */
    const char *interaction_id; /* copied on submit; borrowed in the answer */
};

struct score_answer {
    struct score_ticket ticket;
    bool scorable;        /* false: blank after cleaning, or the scorer failed */
    int64_t score;        /* fixed point, 1 000 000 is 1.0 */
    uint32_t token_count; /* 0 when judged by the lexicon */
    bool degraded;        /* not judged by the model that was asked for */
    bool late;            /* because it had waited past the deadline */
    int64_t waited_us;    /* in the queue */
    int64_t scored_us;    /* in the batch it was part of */
    const char *failure;  /* for logs, or NULL */
};

typedef void score_answer_fn(void *user, const struct score_answer *answer);

struct score_pool_options {
    const struct scorer *scorer;   /* NULL: the lexicon judges everything */
    const struct lexicon *lexicon; /* what the scorer fails on goes here; NULL: it is a failure */
    struct result_cache *cache;    /* this scorer's; NULL: none */
    bool degraded;                 /* the scorer is not the one that was asked for */
    unsigned threads;              /* 0: one */
    size_t batch_tokens;
    int64_t deadline_ms; /* of a wait for the model; 0: none */
};

/* Starts the workers over what options point to, which must outlive the pool. */
int score_pool_create(struct score_pool **pool, struct loop *loop,
                      const struct score_pool_options *options, score_answer_fn *on_answer,
                      void *user, struct error *err);

/* Queues a copy of the text. False without memory. The answer comes later, exactly once, unless the
 * pool is destroyed first. */
bool score_pool_submit(struct score_pool *pool, const struct score_ticket *ticket, const char *text,
                       size_t text_bytes);

size_t score_pool_queued(const struct score_pool *pool); /* submitted and not answered */

/* How long the oldest utterance no worker has taken yet waits; 0 when none does. */
int64_t score_pool_oldest_wait_ms(struct score_pool *pool, struct mono now);

/* Waits for the batch each worker is in, then frees; unanswered jobs are forgotten. Accepts NULL.
 */
void score_pool_destroy(struct score_pool *pool);

#endif
