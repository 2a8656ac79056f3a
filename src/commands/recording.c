/* recording.c - see recording.h. A line is read as a transcript reply of one segment, so that
 * replay and the daemon cannot disagree about what a segment is. */
#include "commands/recording.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void recording_init(struct recording *recording)
{
    *recording = (struct recording){0};
    map_init(&recording->calls, RECORDING_LINES_MAX);
}

void recording_done(struct recording *recording)
{
    for (size_t i = 0; i < recording->count; i++) {
        transcripts_done(&recording->lines[i].parsed);
    }
    free(recording->lines);
    map_done(&recording->calls);
    recording_init(recording);
}

static struct recording_line *append(struct recording *recording)
{
    if (recording->count == recording->capacity) {
        size_t capacity = recording->capacity ? recording->capacity * 2 : 256;
        struct recording_line *lines = realloc(recording->lines, capacity * sizeof *lines);
        if (!lines) {
            return NULL;
        }
        recording->lines = lines;
        recording->capacity = capacity;
    }
    struct recording_line *line = &recording->lines[recording->count];
    *line = (struct recording_line){.sequence = recording->count};
    recording->count++;
    return line;
}

/* The number of a call, given out by first appearance; false without memory. The map holds the
 * number plus one, because it cannot hold NULL. */
static bool number_call(struct recording *recording, const char *id, size_t *call)
{
    void *known = map_get(&recording->calls, id, strlen(id));
    if (known) {
        *call = (size_t)(uintptr_t)known - 1;
        return true;
    }
    *call = recording->call_count;
    if (!map_put(&recording->calls, id, strlen(id), (void *)(uintptr_t)(*call + 1))) {
        return false;
    }
    recording->call_count++;
    return true;
}

/* Beyond what any clock shows, and far from what arithmetic on times could overflow. */
static int64_t bound_time(int64_t ms)
{
    const int64_t bound = INT64_C(1) << 53;
    return ms > bound ? bound : ms < -bound ? -bound : ms;
}

/* What a replay needs besides the segment. */
static int take_extras(const struct json *element, struct recording_line *line, struct error *err)
{
    const struct json *visible = json_get(element, "visible");
    const struct json *source = json_get(element, "source");
    line->visible_ms = bound_time(recording_segment(line)->end_ms) + RECORDING_DELAY_MS;
    if (json_kind(visible) != JSON_KIND_ABSENT) {
        if (!json_as_integer(visible, &line->visible_ms)) {
            return error_set(err, ERROR_FORMAT, "\"visible\" is not in whole milliseconds");
        }
        line->visible_ms = bound_time(line->visible_ms);
    }
    if (json_kind(source) != JSON_KIND_ABSENT) {
        line->source = json_as_string(source, NULL);
        if (!line->source) {
            return error_set(err, ERROR_FORMAT, "\"source\" is not a text");
        }
    }
    return 0;
}

/* Reads one line into a segment; the error does not yet name the place. */
static int parse_line(const char *text, size_t size, const struct cxone_profile *profile,
                      struct recording_line *line, struct error *err)
{
    struct buf body;
    buf_init(&body, RECORDING_LINE_BYTES_MAX + 2);
    buf_append_char(&body, '[');
    buf_append(&body, text, size);
    buf_append_char(&body, ']');
    int result = body.failed
                     ? error_set(err, ERROR_MEMORY, "no memory for the recording")
                     : transcripts_parse(profile, NULL, body.bytes, body.size, &line->parsed, err);
    buf_done(&body);
    if (result) {
        return result;
    }
    size_t elements;
    const struct json *element = json_at(transcripts_last_root(&line->parsed, &elements), 0);
    line->interaction_id = json_as_string(json_get(element, "interactionId"), NULL);
    if (json_kind(element) != JSON_KIND_OBJECT || elements != 1) {
        return error_set(err, ERROR_FORMAT, "not one JSON object");
    }
    if (!line->interaction_id || !*line->interaction_id) {
        return error_set(err, ERROR_FORMAT, "no \"interactionId\" text");
    }
    if (line->parsed.count != 1) {
        return error_set(err, ERROR_FORMAT,
                         "\"text\", \"startTime\", \"endTime\" (whole milliseconds) or "
                         "\"isFinal\" is missing or unusable");
    }
    return take_extras(element, line, err);
}

/* Takes one line, or passes over a malformed one. */
static int take_line(struct recording *recording, const char *path, const char *text, size_t size,
                     const struct cxone_profile *profile, bool skip_bad, struct error *err)
{
    struct recording_line *line = append(recording);
    if (!line) {
        return error_set(err, ERROR_MEMORY, "no memory for the recording");
    }
    line->source = path;
    int result = parse_line(text, size, profile, line, err);
    if (!result && !number_call(recording, line->interaction_id, &line->call)) {
        result = error_set(err, ERROR_MEMORY, "no memory for the recording");
    }
    if (result) {
        transcripts_done(&line->parsed);
        recording->count--;
    }
    if (result == ERROR_FORMAT && skip_bad) {
        recording->skipped++;
        return 0;
    }
    return result;
}

int recording_add(struct recording *recording, const char *source, const char *line, size_t size,
                  const struct cxone_profile *profile, struct error *err)
{
    if (recording->count == RECORDING_LINES_MAX) {
        return error_set(err, ERROR_LIMIT, "more than %d lines", RECORDING_LINES_MAX);
    }
    return take_line(recording, source, line, size, profile, false, err);
}

int recording_read(struct recording *recording, const char *path,
                   const struct cxone_profile *profile, bool skip_bad, struct error *err)
{
    struct lines *lines;
    const char *text;
    size_t size;
    int result = lines_open(&lines, path, RECORDING_LINE_BYTES_MAX, err);
    if (result) {
        return result;
    }
    int got = 0;
    while (!result && (got = lines_next(lines, &text, &size, err)) == 1) {
        result = recording->count < RECORDING_LINES_MAX
                     ? take_line(recording, path, text, size, profile, skip_bad, err)
                     : error_set(err, ERROR_LIMIT, "more than %d lines", RECORDING_LINES_MAX);
        if (result) {
            error_wrap(err, "%s:%zu", path, lines_number(lines));
        }
    }
    lines_close(lines);
    return got < 0 ? (int)err->code : result;
}

static int compare(const void *left, const void *right)
{
    const struct recording_line *a = left;
    const struct recording_line *b = right;
    int64_t end_a = recording_segment(a)->end_ms;
    int64_t end_b = recording_segment(b)->end_ms;
    if (a->call != b->call) {
        return a->call < b->call ? -1 : 1;
    }
    if (a->visible_ms != b->visible_ms) {
        return a->visible_ms < b->visible_ms ? -1 : 1;
    }
    if (end_a != end_b) {
        return end_a < end_b ? -1 : 1;
    }
    return a->sequence < b->sequence ? -1 : 1;
}

void recording_sort(struct recording *recording)
{
    if (recording->count > 1) {
        qsort(recording->lines, recording->count, sizeof *recording->lines, compare);
    }
}

int64_t recording_call_span(const struct recording *recording, size_t first, size_t *next)
{
    int64_t start_ms = INT64_MAX;
    size_t at = first;
    for (; at < recording->count && recording->lines[at].call == recording->lines[first].call;
         at++) {
        int64_t its_ms = recording_segment(&recording->lines[at])->start_ms;
        start_ms = its_ms < start_ms ? its_ms : start_ms;
    }
    *next = at;
    return start_ms;
}
