/* literal.c - see literal.h. Every comparison is as strict, every operation in the order, as in the
 * tutorial; nothing here is an opinion. */
#include "mood/literal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double window_seconds = 30.0;
static const double trend_step = 0.05;
static const double suggest_below = 0.35;
static const double suggest_pause_seconds = 15.0;

void literal_window_init(struct literal_window *window)
{
    *window = (struct literal_window){.previous_mean = 0.5};
}

void literal_window_done(struct literal_window *window)
{
    free(window->entries);
    literal_window_init(window);
}

static bool make_room(struct literal_window *window)
{
    if (window->first + window->count < window->capacity) {
        return true;
    }
    if (window->first > window->count) {
        memmove(window->entries, window->entries + window->first,
                window->count * sizeof *window->entries);
        window->first = 0;
        return true;
    }
    if (window->capacity > SIZE_MAX / 2 / sizeof *window->entries) {
        return false;
    }
    size_t capacity = window->capacity ? window->capacity * 2 : 32;
    struct literal_entry *entries = realloc(window->entries, capacity * sizeof *entries);
    if (!entries) {
        return false;
    }
    window->entries = entries;
    window->capacity = capacity;
    return true;
}

static void prune(struct literal_window *window, double now)
{
    double cutoff = now - window_seconds;
    while (window->count > 0 && window->entries[window->first].at < cutoff) {
        window->first++;
        window->count--;
    }
}

bool literal_window_add(struct literal_window *window, double at, double score)
{
    if (!make_room(window)) {
        return false;
    }
    window->entries[window->first + window->count] = (struct literal_entry){at, score};
    window->count++;
    prune(window, at);
    return true;
}

/* Fewer than 8 are added in order; up to 128 in eight lanes; more are halved at a multiple of 8. */
static double pairwise_sum(const struct literal_entry *entries, size_t count)
{
    enum { LANES = 8, BLOCK = 128 };
    double sum = 0.0;
    if (count > BLOCK) {
        size_t half = count / 2;
        half -= half % LANES;
        return pairwise_sum(entries, half) + pairwise_sum(entries + half, count - half);
    }
    size_t at = 0;
    if (count >= LANES) {
        double lanes[LANES] = {0};
        for (; at + LANES <= count; at += LANES) {
            for (size_t lane = 0; lane < LANES; lane++) {
                lanes[lane] += entries[at + lane].score;
            }
        }
        sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
              ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    }
    for (; at < count; at++) {
        sum += entries[at].score;
    }
    return sum;
}

double literal_mean(const struct literal_entry *entries, size_t count)
{
    return pairwise_sum(entries, count) / (double)count;
}

double literal_window_read(struct literal_window *window, double now, enum call_trend *trend)
{
    *trend = CALL_TREND_STABLE;
    prune(window, now);
    if (window->count == 0) {
        return 0.5;
    }
    double mean = literal_mean(window->entries + window->first, window->count);
    double difference = mean - window->previous_mean;
    if (difference > trend_step) {
        *trend = CALL_TREND_IMPROVING;
    } else if (difference < -trend_step) {
        *trend = CALL_TREND_DECLINING;
    }
    window->previous_mean = mean;
    return mean;
}

bool literal_suggests(double mean, enum call_trend trend, double now, double last)
{
    return mean < suggest_below && trend == CALL_TREND_DECLINING &&
           now - last > suggest_pause_seconds;
}
