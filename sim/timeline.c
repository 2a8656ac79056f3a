/* timeline.c - the view of one poll on a call's schedule (see timeline.h).
 *
 * A poll finds its range by binary search: on starts, or, for filters on the end, on the running
 * maximum of ends, which is monotone although ends are not. Nothing here knows the time or the
 * network.
 */
#include "sim/timeline.h"

#include "sim/schedule.h"

#include <stdlib.h>
#include <string.h>

static const int64_t PAST_MS =
    3660000; /* the hour by which a stamp is out of the question, and more */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

const char *timeline_flaw_name(enum timeline_flaw flaw)
{
    static const char *const names[TIMELINE_FLAWS] = {
        [TIMELINE_FLAW_NONE] = "none",
        [TIMELINE_FLAW_NO_TEXT] = "no_text",
        [TIMELINE_FLAW_NO_START] = "no_start",
        [TIMELINE_FLAW_NO_END] = "no_end",
        [TIMELINE_FLAW_NO_DIRECTION] = "no_direction",
        [TIMELINE_FLAW_NO_FINAL] = "no_final",
        [TIMELINE_FLAW_UNKNOWN_DIRECTION] = "unknown_direction",
        [TIMELINE_FLAW_PAST] = "past",
    };
    return names[flaw];
}

static int event_compare(const void *left, const void *right)
{
    const struct timeline_event *a = left;
    const struct timeline_event *b = right;
    if (a->visible_ms != b->visible_ms) {
        return a->visible_ms < b->visible_ms ? -1 : 1;
    }
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    return a->version < b->version ? -1 : a->version > b->version;
}

static void list_events(struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++) {
        const struct timeline_utterance *utterance = &timeline->utterances[i];
        for (unsigned v = 0; v < utterance->form_count; v++) {
            timeline->events[timeline->event_count++] = (struct timeline_event){
                utterance->forms[v].visible_ms, (uint32_t)i, (uint32_t)v + 1};
        }
    }
    qsort(timeline->events, timeline->event_count, sizeof *timeline->events, event_compare);
}

static void note_ends(struct timeline *timeline)
{
    int64_t end_max_ms = INT64_MIN;
    for (size_t i = 0; i < timeline->count; i++) {
        const struct timeline_utterance *utterance = &timeline->utterances[i];
        for (unsigned v = 0; v < utterance->form_count; v++) {
            int64_t end_ms = utterance->forms[v].end_ms;
            end_max_ms = end_ms > end_max_ms ? end_ms : end_max_ms;
        }
        timeline->end_max_ms[i] = end_max_ms;
    }
    int64_t length_ms = timeline->last_end_ms - timeline->utterances[0].start_ms;
    timeline->past_shift_ms = length_ms + PAST_MS;
}

int timeline_create(struct timeline *timeline, struct conversation *conversation,
                    const struct lifecycle *lifecycle, const struct timeline_disorder *disorder,
                    uint64_t seed, int64_t origin_ms, struct error *err)
{
    *timeline = (struct timeline){.partials = disorder->partials};
    size_t count = conversation->turn_count;
    timeline->utterances = calloc(count, sizeof *timeline->utterances);
    timeline->end_max_ms = calloc(count, sizeof *timeline->end_max_ms);
    timeline->events = calloc(count, TIMELINE_FORMS_MAX * sizeof *timeline->events);
    if (timeline->utterances == NULL || timeline->end_max_ms == NULL || timeline->events == NULL) {
        timeline_done(timeline);
        return error_set(err, ERROR_MEMORY, "no memory for a call");
    }
    timeline->text = conversation->text;
    conversation->text = NULL;
    timeline->count = count;
    timeline->last_end_ms = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        const struct conversation_turn *turn = &conversation->turns[i];
        int64_t end_ms = origin_ms + turn->end_ms;
        timeline->last_end_ms = end_ms > timeline->last_end_ms ? end_ms : timeline->last_end_ms;
        timeline->utterances[i] = (struct timeline_utterance){
            .speaker = turn->speaker,
            .text = timeline->text + turn->text_at,
            .bytes = turn->bytes,
            .words = turn->words,
            .start_ms = origin_ms + turn->start_ms,
            .end_ms = end_ms,
            .spoken_end_ms = end_ms,
        };
    }
    struct schedule_plan plan = {timeline, lifecycle, disorder, seed, origin_ms};
    schedule_make(&plan);
    note_ends(timeline);
    list_events(timeline);
    return 0;
}

void timeline_done(struct timeline *timeline)
{
    free(timeline->utterances);
    free(timeline->end_max_ms);
    free(timeline->events);
    free(timeline->text);
    *timeline = (struct timeline){0};
}

int64_t timeline_ended_ms(const struct timeline *timeline)
{
    return timeline->last_end_ms + LIFECYCLE_ENDED_MS;
}

static bool passes(enum timeline_filter filter, int64_t start_ms, int64_t end_ms, int64_t since_ms)
{
    switch (filter) {
    case TIMELINE_FILTER_START_AT_LEAST:
        return start_ms >= since_ms;
    case TIMELINE_FILTER_START_AFTER:
        return start_ms > since_ms;
    case TIMELINE_FILTER_END_AT_LEAST:
        return end_ms >= since_ms;
    case TIMELINE_FILTER_END_AFTER:
        break;
    }
    return end_ms > since_ms;
}

/* The first utterance that can pass: all before it start, or end, too early. */
static size_t find_first(const struct timeline *timeline, const struct timeline_query *query)
{
    bool by_start = query->filter == TIMELINE_FILTER_START_AT_LEAST ||
                    query->filter == TIMELINE_FILTER_START_AFTER;
    size_t low = 0;
    size_t high = timeline->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t at_ms =
            by_start ? timeline->utterances[middle].start_ms : timeline->end_max_ms[middle];
        if (at_ms < query->since_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool view_final(const struct timeline_utterance *utterance, int64_t now_ms,
                       struct timeline_item *item)
{
    for (unsigned v = utterance->form_count; v > 0; v--) {
        const struct timeline_form *form = &utterance->forms[v - 1];
        if (form->visible_ms <= now_ms) {
            item->version = v;
            item->bytes = form->bytes;
            item->end_ms = form->end_ms;
            return true;
        }
    }
    if (utterance->flaw != TIMELINE_FLAW_NONE && utterance->flawed_ms <= now_ms) {
        item->version = 1;
        item->flaw = utterance->flaw;
        item->bytes = utterance->forms[0].bytes;
        item->end_ms = utterance->forms[0].end_ms;
        return true;
    }
    return false;
}

static bool view_partial(const struct timeline_utterance *utterance, int64_t now_ms,
                         struct timeline_item *item)
{
    int64_t duration_ms = utterance->end_ms - utterance->start_ms;
    if (utterance->displaced) {
        return false;
    }
    int64_t spoken_ms = earlier(now_ms - utterance->start_ms, duration_ms);
    int64_t words = spoken_ms * (int64_t)utterance->words / duration_ms;
    if (words <= 0) {
        return false;
    }
    item->bytes = conversation_prefix(utterance->text, utterance->bytes, (unsigned)words);
    item->end_ms = utterance->start_ms + words * duration_ms / (int64_t)utterance->words;
    return true;
}

/* What is to be seen of one utterance now; false for nothing. */
static bool view(const struct timeline *timeline, const struct timeline_query *query, size_t n,
                 struct timeline_item *item)
{
    const struct timeline_utterance *utterance = &timeline->utterances[n];
    bool customer = utterance->speaker == CONVERSATION_SPEAKER_CUSTOMER;
    if (customer ? !query->customer : !query->agent) {
        return false;
    }
    *item = (struct timeline_item){.n = (uint32_t)n, .start_ms = utterance->start_ms};
    if (view_final(utterance, query->now_ms, item)) {
        return query->finals;
    }
    return timeline->partials && view_partial(utterance, query->now_ms, item);
}

static bool reply_add(struct timeline_reply *reply, struct timeline_item item)
{
    if (reply->count == reply->capacity) {
        size_t capacity = reply->capacity == 0 ? 64 : reply->capacity * 2;
        struct timeline_item *items = realloc(reply->items, capacity * sizeof *items);
        if (items == NULL) {
            return false;
        }
        reply->items = items;
        reply->capacity = capacity;
    }
    reply->items[reply->count++] = item;
    return true;
}

static void disturb_order(const struct timeline *timeline, struct timeline_reply *reply)
{
    for (size_t i = 1; i < reply->count; i++) {
        struct timeline_item item = reply->items[i];
        size_t moved = timeline->utterances[item.n].moved;
        if (moved > 0 && !item.repeated) {
            size_t to = moved < i ? i - moved : 0;
            memmove(&reply->items[to + 1], &reply->items[to], (i - to) * sizeof item);
            reply->items[to] = item;
        }
    }
}

/* Stamps what is shown in the past, and leaves it out where nothing whole stands before it. */
static void stamp_past(const struct timeline *timeline, struct timeline_reply *reply)
{
    bool whole_seen = false;
    size_t kept = 0;
    for (size_t i = 0; i < reply->count; i++) {
        struct timeline_item item = reply->items[i];
        whole_seen = whole_seen || (item.version > 0 && item.flaw == TIMELINE_FLAW_NONE);
        if (item.flaw == TIMELINE_FLAW_PAST) {
            item.start_ms -= timeline->past_shift_ms;
            item.end_ms -= timeline->past_shift_ms;
        }
        if (item.flaw != TIMELINE_FLAW_PAST || whole_seen) {
            reply->items[kept++] = item;
        }
    }
    reply->count = kept;
}

bool timeline_poll(const struct timeline *timeline, const struct timeline_query *query,
                   struct timeline_reply *reply)
{
    reply->count = 0;
    for (size_t n = find_first(timeline, query); n < timeline->count; n++) {
        const struct timeline_utterance *utterance = &timeline->utterances[n];
        if (utterance->start_ms > query->now_ms) {
            break;
        }
        struct timeline_item item;
        if (!view(timeline, query, n, &item) ||
            !passes(query->filter, utterance->start_ms, item.end_ms, query->since_ms)) {
            continue;
        }
        if (!reply_add(reply, item)) {
            return false;
        }
        if (item.version > 0 && utterance->duplicated) {
            item.repeated = true;
            if (!reply_add(reply, item)) {
                return false;
            }
        }
    }
    disturb_order(timeline, reply);
    stamp_past(timeline, reply);
    return true;
}

void timeline_reply_done(struct timeline_reply *reply)
{
    free(reply->items);
    *reply = (struct timeline_reply){0};
}
