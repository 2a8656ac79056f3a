/* commands/bench_serve.h - how long callers wait when utterances come at random: the daemon's own
 * scoring workers (app/score_pool.h) under Poisson arrivals. */
#ifndef COMMANDS_BENCH_SERVE_H
#define COMMANDS_BENCH_SERVE_H

#include "commands/bench.h"

#include <stdint.h>

enum { BENCH_SERVE_LOADS = 4 };

struct bench_serve_load {
    unsigned percent;  /* of the capacity */
    double offered;    /* utterances/s */
    double answered;   /* utterances/s, from the first arrival to the last answer */
    double wait_ms[3]; /* from arrival until a worker takes it: p50, p95, p99 */
    double total_ms[3];
    size_t queued_max;
};

struct bench_serve_figures {
    double capacity; /* utterances/s when all are queued at once */
    uint64_t seed;
    struct bench_serve_load loads[BENCH_SERVE_LOADS]; /* 25, 50, 75 and 90 % */
};

/* Texts are taken in turn, without a cache of results. Each load lasts about that long. */
int bench_serve_measure(const struct scorer *scorer, const struct bench_texts *texts,
                        unsigned threads, unsigned seconds, uint64_t seed,
                        struct bench_serve_figures *figures, struct error *err);

#endif
