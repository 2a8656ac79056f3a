/* commands/bench.h - how fast the engine scores on this machine, in figures that compare with other
 * engines': the same names for the same measures. */
#ifndef COMMANDS_BENCH_H
#define COMMANDS_BENCH_H

#include "nlp/scorer.h"

struct bench_texts {
    struct scorer_text *items; /* bytes owned */
    size_t *tokens;            /* of each, cut to the model's length */
    size_t count;
};

enum { BENCH_TEXTS_MAX = 4096 };

struct bench_figures {
    double mean_tokens;
    double single;   /* utterances/s, one after the other, each by all threads */
    double pad8;     /* in batches of 8, each split among the threads */
    double sorted32; /* sorted by length, in batches of 32, likewise */
    double stream;   /* in micro-batches of a token budget, each thread taking the next */
    double ms8;      /* median time of one text of exactly 8 tokens */
    double ms24;
    double ms64;
    double peak_before; /* multiply-adds counted as two, 10^9 a second, all threads */
    double peak_after;
    double stream_rate; /* what `stream` executed, in the same unit */
};

/* Reads utterances (plain lines, or {"text"} lines if the name says .jsonl) and counts tokens.
 * Blank ones are left out, and those past count_max, which is at most BENCH_TEXTS_MAX. */
int bench_texts_read(struct bench_texts *texts, const char *path, size_t count_max,
                     const struct scorer *scorer, struct error *err);
void bench_texts_done(struct bench_texts *texts); /* accepts zeroed texts */

/* Takes some seconds. Best of the rounds for rates, the median for times. */
int bench_measure(const struct scorer *scorer, const struct bench_texts *texts, unsigned threads,
                  unsigned rounds, struct bench_figures *figures, struct error *err);

#endif
