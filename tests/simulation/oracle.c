/* oracle.c - see oracle.h. Plain loops over a sorted list; exact integers where a limit decides. */
#include "oracle.h"

#include <stdlib.h>

enum {
    WINDOW_MS = 30000,
    WIDEST_MS = 120000,
    THIN = 3,
    SAMPLES_LEAST = 2,
    ENTER = 50000,
    LEAVE = 30000,
};

struct span {
    size_t from; /* [from, to) */
    size_t to;
    int64_t sum;
    int64_t count;
    int thin;
};

static int by_end(const void *left, const void *right)
{
    const struct judged *a = left;
    const struct judged *b = right;
    return (a->end_ms > b->end_ms) - (a->end_ms < b->end_ms);
}

/* The window that ends at t. */
static struct span span_at(const struct judged *judged, size_t count, int64_t t)
{
    struct span span = {0};
    while (count > 0 && judged[count - 1].end_ms > t) {
        count--;
    }
    span.to = count;
    span.from = count;
    while (span.from > 0 && judged[span.from - 1].end_ms > t - WINDOW_MS) {
        span.from--;
    }
    span.thin = span.to - span.from < THIN;
    while (
        span.thin && span.from > 0 && judged[span.from - 1].end_ms > t - WIDEST_MS &&
        (span.to - span.from < THIN || judged[span.from - 1].end_ms == judged[span.from].end_ms)) {
        span.from--;
    }
    for (size_t i = span.from; i < span.to; i++) {
        span.sum += judged[i].score;
        span.count++;
    }
    return span;
}

enum { STABLE, IMPROVING, DECLINING };

static int next_trend(int trend, const struct span *now, const struct span *before)
{
    if (now->count < SAMPLES_LEAST || before->count < SAMPLES_LEAST) {
        return STABLE;
    }
    int64_t difference = now->sum * before->count - before->sum * now->count;
    int64_t unit = now->count * before->count;
    if (difference > ENTER * unit) {
        return IMPROVING;
    }
    if (difference < -ENTER * unit) {
        return DECLINING;
    }
    if ((trend == IMPROVING && difference >= LEAVE * unit) ||
        (trend == DECLINING && difference <= -LEAVE * unit)) {
        return trend;
    }
    return STABLE;
}

void oracle_judge(struct judged *judged, size_t count, struct verdict *verdict)
{
    static const char *const names[] = {"stable", "improving", "declining"};
    int trend = STABLE;
    *verdict = (struct verdict){.trend = names[STABLE], .count = (uint32_t)count};
    qsort(judged, count, sizeof *judged, by_end);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && judged[i + 1].end_ms == judged[i].end_ms) {
            continue; /* once for each distinct end */
        }
        struct span now = span_at(judged, i + 1, judged[i].end_ms);
        int64_t t = now.thin ? judged[now.from].end_ms - 1 : judged[i].end_ms - WINDOW_MS;
        struct span before = span_at(judged, i + 1, t);
        trend = next_trend(trend, &now, &before);
        verdict->mean = (double)now.sum / (double)now.count;
    }
    verdict->trend = names[trend];
}
