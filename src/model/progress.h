/* model/progress.h - a progress bar on standard error; nothing where that is no terminal. */
#ifndef MODEL_PROGRESS_H
#define MODEL_PROGRESS_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* borrowed */
    int64_t total;    /* -1: not known */
    int64_t begun_at; /* where a resumed transfer began */
    struct mono begun;
    struct mono shown;
    bool on;
};

void progress_begin(struct progress *progress, const char *what, int64_t begun_at, int64_t total);

/* Redraws at most ten times a second. */
void progress_show(struct progress *progress, int64_t at);

/* Draws the last state and ends the line. */
void progress_end(struct progress *progress, int64_t at);

#endif
