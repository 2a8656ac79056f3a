/* mood/literal.h - the tutorial's windows and alert rule exactly as its code has them, flaws
 * included, for `undertone replay --compare`. Nothing live uses this.
 *
 * All arithmetic is in IEEE doubles, in the order in which CPython and numpy do it, so that a mean
 * is bit for bit the one the tutorial's classes give (golden.literal). What the code does that one
 * would not expect: the window is cut at a segment's start when it is added but at the poll's clock
 * when it is read; only the oldest added entry is looked at, so an old one behind a newer one
 * stays; the trend is held against the mean of the update before, not of the window before.
 */
#ifndef MOOD_LITERAL_H
#define MOOD_LITERAL_H

#include "mood/call.h"

#include <stdbool.h>
#include <stddef.h>

struct literal_entry {
    double at; /* seconds */
    double score;
};

/* A queue of what was said, in the order of arrival: entries[first .. first + count). */
struct literal_window {
    struct literal_entry *entries;
    size_t first;
    size_t count;
    size_t capacity;
    double previous_mean; /* 0.5 before the first */
};

void literal_window_init(struct literal_window *window);
void literal_window_done(struct literal_window *window); /* accepts a zeroed window */

/* A segment that began at `at` seconds; false without memory. */
bool literal_window_add(struct literal_window *window, double at, double score);

/* The mean at `now` seconds and its trend since the last call of this function. An empty window is
 * 0.5 and stable, and leaves what the next trend is held against as it was. */
double literal_window_read(struct literal_window *window, double now, enum call_trend *trend);

/* numpy.mean of these scores: pairwise summation in blocks of 128 as in numpy's
 * loops_utils.h. count > 0. */
double literal_mean(const struct literal_entry *entries, size_t count);

/* Whether a suggestion is sent. Both times in seconds; `last` is 0 before the first. */
bool literal_suggests(double mean, enum call_trend trend, double now, double last);

#endif
