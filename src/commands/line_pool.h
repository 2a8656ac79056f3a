/* commands/line_pool.h - utterances through worker threads, answers in the order of the input.
 *
 * The calling thread reads blocks of utterances and writes finished blocks; workers turn a block
 * into text. Memory is bounded by two blocks a worker. When the input pauses, what was read is
 * answered before waiting on: a live pipe gets each line back at once.
 */
#ifndef COMMANDS_LINE_POOL_H
#define COMMANDS_LINE_POOL_H

#include "base/buf.h"
#include "base/error.h"
#include "commands/utterances.h"
#include "nlp/scorer.h"

#include <stddef.h>

enum { LINE_POOL_BLOCK_TEXTS = 64, LINE_POOL_THREADS_MAX = 64 };

/* Appends the answers to one block's texts, one line each. Called on a worker's thread with that
 * worker's own context; 0, or an error that ends the run. */
typedef int line_pool_work_fn(void *worker, const struct scorer_text *texts, size_t count,
                              struct buf *out, struct error *err);

/* Reads until the end, writing to standard output. On failure everything before the failed block or
 * input line has been written. workers[0 .. worker_count) are the contexts. */
int line_pool_run(struct utterances *utterances, line_pool_work_fn *work, void *const *workers,
                  unsigned worker_count, struct error *err);

#endif
