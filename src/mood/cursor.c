/* cursor.c - see cursor.h.
 *
 * Sight delays are kept as a histogram with buckets an eighth wider each, from 250 ms to about
 * seven minutes, so an estimate is at most 12.5 % too long and never too short. Each record lets
 * the weight of all earlier ones decay, so an outage is forgotten after some thousand utterances.
 * It does not know single calls: a new call starts with what the others have taught. */
#include "mood/cursor.h"

static const int64_t cursor_first_edge_ms = 250;
static const double cursor_decay = 0.9995; /* half of the weight is gone after 1 386 records */
static const double cursor_tail = 0.001;

static int64_t next_edge_ms(int64_t edge_ms)
{
    return edge_ms + edge_ms / 8;
}

void cursor_delays_init(struct cursor_delays *delays)
{
    *delays = (struct cursor_delays){0};
}

void cursor_delays_record(struct cursor_delays *delays, int64_t delay_ms)
{
    int64_t edge_ms = cursor_first_edge_ms;
    int bucket = 0;
    while (bucket < CURSOR_BUCKETS - 1 && delay_ms > edge_ms) {
        edge_ms = next_edge_ms(edge_ms);
        bucket++;
    }
    double total = 0;
    for (int i = 0; i < CURSOR_BUCKETS; i++) {
        delays->weight[i] = delays->weight[i] * cursor_decay + (i == bucket ? 1.0 : 0.0);
        total += delays->weight[i];
    }
    delays->total = total;
}

int64_t cursor_delays_p999_ms(const struct cursor_delays *delays)
{
    if (delays->total <= 0) {
        return 0;
    }
    int bucket = CURSOR_BUCKETS - 1;
    double above = delays->weight[bucket];
    while (bucket > 0 && above <= delays->total * cursor_tail) {
        bucket--;
        above += delays->weight[bucket];
    }
    int64_t edge_ms = cursor_first_edge_ms;
    for (int i = 0; i < bucket; i++) {
        edge_ms = next_edge_ms(edge_ms);
    }
    return edge_ms;
}

void cursor_init(struct cursor *cursor)
{
    *cursor = (struct cursor){.newest_end_ms = -1, .open_start_ms = -1};
}

int64_t cursor_next_start_ms(struct cursor *cursor, const struct cursor_limits *limits,
                             const struct cursor_delays *delays, int64_t first_ms, struct mono now)
{
    struct mono deep_due = mono_after_ms(cursor->last_deep, limits->deep_interval_ms);
    bool deep = !cursor->deep_asked || mono_reached(now, deep_due);
    if (deep || cursor->newest_end_ms < 0) {
        cursor->last_deep = now;
        cursor->deep_asked = true;
    }
    if (first_ms < 0) {
        first_ms = 0;
    }
    if (cursor->newest_end_ms < 0) {
        return first_ms;
    }
    int64_t overlap_ms = cursor_delays_p999_ms(delays);
    if (overlap_ms < limits->overlap_min_ms) {
        overlap_ms = limits->overlap_min_ms;
    }
    int64_t deepest_ms = cursor->newest_end_ms - limits->overlap_max_ms;
    int64_t start_ms = cursor->newest_end_ms - overlap_ms;
    if (cursor->open_start_ms >= 0 && cursor->open_start_ms < start_ms) {
        start_ms = cursor->open_start_ms;
    }
    if (deep || start_ms < deepest_ms) {
        start_ms = deepest_ms;
    }
    return start_ms > first_ms ? start_ms : first_ms;
}

/* Whether the reply also holds the final that a partial became. */
static bool is_settled(const struct segment *partial, const struct segment *segments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (segments[i].is_final && segments[i].start_ms == partial->start_ms &&
            segments[i].speaker == partial->speaker) {
            return true;
        }
    }
    return false;
}

void cursor_observe(struct cursor *cursor, const struct segment *segments, size_t count)
{
    cursor->open_start_ms = -1;
    for (size_t i = 0; i < count; i++) {
        const struct segment *segment = &segments[i];
        if (segment->is_final) {
            if (segment->end_ms > cursor->newest_end_ms) {
                cursor->newest_end_ms = segment->end_ms;
            }
        } else if (segment->start_ms > 0 &&
                   (cursor->open_start_ms < 0 || segment->start_ms < cursor->open_start_ms) &&
                   !is_settled(segment, segments, count)) {
            cursor->open_start_ms = segment->start_ms;
        }
    }
}

void cursor_bound_newest(struct cursor *cursor, int64_t vendor_ms)
{
    if (cursor->newest_end_ms > vendor_ms) {
        cursor->newest_end_ms = vendor_ms;
    }
}
