/* wallboard_items.c - the board's items as JSON, the tail of the list of changes at a time. Member
 * names are those of docs/WALLBOARD.md. See wallboard.h. */
#include "app/wallboard_internal.h"

#include "base/json_write.h"

static void write_fixed(struct json_writer *writer, const char *key, int64_t fixed)
{
    json_write_member_number(writer, key, (double)fixed / MOOD_ONE, 4);
}

static void write_reading(struct json_writer *writer, const struct call_reading *reading)
{
    write_fixed(writer, "score", reading->score);
    json_write_member_text(writer, "trend", call_trend_name(reading->trend));
    write_fixed(writer, "difference", reading->difference);
    json_write_member_integer(writer, "samples", reading->samples);
    write_fixed(writer, "score_before", reading->score_before);
    json_write_member_integer(writer, "samples_before", reading->samples_before);
    json_write_member_integer(writer, "utterances", reading->utterances);
    json_write_member_integer(writer, "as_of_ms", reading->as_of_ms);
}

static void write_points(struct json_writer *writer, const struct wallboard_call *call,
                         uint64_t after)
{
    json_write_key(writer, "points");
    json_write_array_begin(writer);
    for (size_t i = 0; i < call->point_count; i++) {
        const struct wallboard_point *point = &call->points[i];
        if (point->revision > after) {
            json_write_array_begin(writer);
            json_write_integer(writer, point->as_of_ms);
            json_write_number(writer, (double)point->score / MOOD_ONE, 4);
            json_write_array_end(writer);
        }
    }
    json_write_array_end(writer);
}

static void write_call(struct json_writer *writer, const struct wallboard_call *call,
                       uint64_t after)
{
    json_write_member_text(writer, "kind", "call");
    json_write_member_text(writer, "id", call->id);
    json_write_member_boolean(writer, "live", call->live);
    json_write_member_text(writer, "state", cxone_call_state_name(call->state));
    json_write_member_text(writer, "transferred_from", call->transferred_from);
    json_write_member_text(writer, "queue", call->queue);
    json_write_member_text(writer, "language", call->language);
    json_write_member_boolean(writer, "judged", call->judged);
    json_write_member_integer(writer, "followed_ms", call->followed_ms);
    json_write_member_integer(writer, "late_ms", call->late_ms);
    json_write_member_text(writer, "attributes", attribute_state_name(call->attributes));
    json_write_member_integer(writer, "alert", call->alert ? (int64_t)call->alert->number : 0);
    json_write_member_boolean(writer, "has_reading", call->has_reading);
    if (call->has_reading) {
        write_reading(writer, &call->reading);
    }
    write_points(writer, call, after);
}

static void write_words(struct json_writer *writer, const struct wallboard_alert *alert,
                        const char *words)
{
    if (alert->shows_words) {
        json_write_member_text(writer, "words", words);
    }
}

static void write_said(struct json_writer *writer, const struct wallboard_alert *alert)
{
    if (alert->rule[0] && alert->said.end_ms > 0) {
        json_write_key(writer, "said");
        json_write_object_begin(writer);
        json_write_member_integer(writer, "start_ms", alert->said.start_ms);
        json_write_member_integer(writer, "end_ms", alert->said.end_ms);
        json_write_member_text(writer, "speaker", speaker_name(alert->said.speaker));
        write_words(writer, alert, alert->said_words);
        json_write_object_end(writer);
    }
}

static void write_evidence(struct json_writer *writer, const struct wallboard_alert *alert)
{
    json_write_key(writer, "evidence");
    json_write_array_begin(writer);
    for (uint32_t i = 0; i < alert->evidence_count; i++) {
        const struct call_evidence *evidence = &alert->evidence[i];
        json_write_object_begin(writer);
        json_write_member_integer(writer, "start_ms", evidence->start_ms);
        json_write_member_integer(writer, "end_ms", evidence->end_ms);
        json_write_member_text(writer, "speaker", speaker_name(evidence->speaker));
        write_fixed(writer, "score", evidence->score);
        write_fixed(writer, "contribution", evidence->contribution);
        write_words(writer, alert, alert->words[i]);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

static void write_alert(struct json_writer *writer, const struct wallboard_alert *alert)
{
    json_write_member_text(writer, "kind", "alert");
    json_write_member_integer(writer, "number", (int64_t)alert->number);
    json_write_member_text(writer, "id", alert->id);
    json_write_member_integer(writer, "episode", alert->episode);
    json_write_member_text(writer, "path", call_alert_path_name(alert->alert.path));
    json_write_member_text(writer, "tier", call_tier_name(alert->alert.tier));
    write_fixed(writer, "confidence", alert->alert.confidence);
    json_write_member_integer(writer, "opened_ms", alert->opened_ms);
    json_write_member_integer(writer, "closed_ms", alert->closed_ms);
    json_write_member_boolean(writer, "recovered", alert->recovered);
    json_write_member_text(writer, "suggestion", suggestion_state_name(alert->suggestion));
    json_write_member_text(writer, "rule", alert->rule);
    json_write_member_text(writer, "feedback", alert->feedback ? alert->feedback : "");
    write_reading(writer, &alert->reading);
    write_evidence(writer, alert);
    write_said(writer, alert);
}

static void write_item(struct json_writer *writer, const struct wallboard_item *item,
                       uint64_t after)
{
    json_write_object_begin(writer);
    switch (item->kind) {
    case WALLBOARD_CALL:
        write_call(writer, (const struct wallboard_call *)item, after);
        break;
    case WALLBOARD_ALERT:
        write_alert(writer, (const struct wallboard_alert *)item);
        break;
    case WALLBOARD_GONE:
        json_write_member_text(writer, "kind", "gone");
        json_write_member_text(writer, "id", ((const struct wallboard_gone *)item)->id);
        break;
    }
    json_write_object_end(writer);
}

/* The oldest item that changed after a revision. From the end, because most readers are close. */
static const struct wallboard_item *first_after(const struct wallboard *board, uint64_t revision)
{
    if (revision == 0) {
        return board->oldest;
    }
    const struct wallboard_item *first = NULL;
    for (const struct wallboard_item *item = board->newest; item && item->revision > revision;
         item = item->older) {
        first = item;
    }
    return first;
}

uint64_t wallboard_revision(const struct wallboard *board)
{
    return board->revision;
}

bool wallboard_remembers(const struct wallboard *board, uint64_t revision)
{
    return revision == 0 || (revision >= board->forgotten && revision <= board->revision);
}

bool wallboard_write_items(const struct wallboard *board, uint64_t *revision, size_t bytes,
                           struct buf *out)
{
    struct json_writer writer;
    uint64_t after = *revision;
    size_t begun = out->size;
    json_writer_init(&writer, out);
    json_write_array_begin(&writer);
    const struct wallboard_item *item = first_after(board, after);
    for (; item && out->size - begun < bytes; item = item->newer) {
        if (after > 0 || item->kind != WALLBOARD_GONE) {
            write_item(&writer, item, after);
        }
        *revision = item->revision;
    }
    json_write_array_end(&writer);
    if (!item) {
        *revision = board->revision;
    }
    return item != NULL;
}
