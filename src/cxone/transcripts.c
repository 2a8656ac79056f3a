/* transcripts.c - see transcripts.h.
 *
 * One malformed utterance must not cost the hundred good ones beside it, so the array is checked
 * once and its elements one by one. Nothing is guessed: a time that is no whole number of
 * milliseconds, or an isFinal that is no boolean, quarantines the element. Order, duplicates and
 * revisions are the caller's business. */
#include "cxone/transcripts.h"

#include "base/json.h"
#include "cxone/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INTEGER_ID_BYTES = 24 };

static bool name_is_listed(const char *name, const char *const names[CXONE_NAMES_MAX])
{
    for (size_t i = 0; i < CXONE_NAMES_MAX && names[i]; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum speaker read_speaker(const struct cxone_profile *profile, const struct json *element)
{
    const char *direction = json_as_string(json_get(element, "direction"), NULL);
    if (!direction) {
        return SPEAKER_UNKNOWN;
    }
    if (name_is_listed(direction, profile->customer_names)) {
        return SPEAKER_CUSTOMER;
    }
    return name_is_listed(direction, profile->agent_names) ? SPEAKER_AGENT : SPEAKER_UNKNOWN;
}

static bool read_time(const struct json *value, int64_t *out)
{
    size_t bytes;
    const char *text = json_as_string(value, &bytes);
    bool is_number = text ? reply_parse_integer(text, bytes, out) : json_as_integer(value, out);
    return is_number && *out >= 0;
}

static bool read_text(const struct json *element, struct segment *segment)
{
    segment->text = json_as_string(json_get(element, "text"), &segment->text_bytes);
    return segment->text && segment->text_bytes <= TRANSCRIPTS_TEXT_BYTES_MAX;
}

static bool read_final(const struct cxone_profile *profile, const struct json *element,
                       struct transcripts *transcripts, struct segment *segment)
{
    const struct json *value = json_get(element, "isFinal");
    enum json_kind kind = json_kind(value);
    if (kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL) {
        segment->is_final = profile->assume_final;
        transcripts->missing_final++;
        return true;
    }
    return json_as_boolean(value, &segment->is_final);
}

/* An integer id needs text of its own: `ids` has room for one per element. */
static bool read_integer_id(const struct json *value, size_t index, struct transcripts *transcripts,
                            struct segment *segment)
{
    int64_t number;
    if (!json_as_integer(value, &number)) {
        return true;
    }
    if (!transcripts->ids) {
        transcripts->ids = calloc(transcripts->elements, INTEGER_ID_BYTES);
    }
    if (!transcripts->ids) {
        return false;
    }
    char *text = transcripts->ids + index * INTEGER_ID_BYTES;
    int bytes = snprintf(text, INTEGER_ID_BYTES, "%" PRId64, number);
    segment->id = text;
    segment->id_bytes = (size_t)bytes;
    return true;
}

/* False only without memory: an id of the wrong type or length is no id. */
static bool read_id(const struct json *element, size_t index, struct transcripts *transcripts,
                    struct segment *segment)
{
    static const char *const keys[] = {"id", "segmentId", "utteranceId"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !segment->id; i++) {
        const struct json *value = json_get(element, keys[i]);
        size_t bytes;
        const char *text = json_as_string(value, &bytes);
        if (text && bytes > 0 && bytes <= CXONE_ID_BYTES_MAX) {
            segment->id = text;
            segment->id_bytes = bytes;
        } else if (!read_integer_id(value, index, transcripts, segment)) {
            return false;
        }
    }
    return true;
}

static bool read_element(const struct cxone_profile *profile, size_t index,
                         struct transcripts *transcripts)
{
    const struct json *element = json_at(json_root(transcripts->document), index);
    struct segment segment = {.speaker = read_speaker(profile, element)};
    bool usable = json_kind(element) == JSON_KIND_OBJECT && read_text(element, &segment) &&
                  read_time(json_get(element, "startTime"), &segment.start_ms) &&
                  read_time(json_get(element, "endTime"), &segment.end_ms) &&
                  read_final(profile, element, transcripts, &segment);
    if (!usable) {
        transcripts->quarantined++;
        return true;
    }
    if (!read_id(element, index, transcripts, &segment)) {
        return false;
    }
    transcripts->segments[transcripts->count++] = segment;
    return true;
}

static int read_elements(const struct cxone_profile *profile, struct transcripts *transcripts,
                         struct error *err)
{
    const struct json *root = json_root(transcripts->document);
    size_t elements = json_size(root);
    if (json_kind(root) != JSON_KIND_ARRAY) {
        return error_set(err, ERROR_FORMAT, "a JSON array of segments was promised");
    }
    if (elements > REPLY_ELEMENTS_MAX) {
        transcripts->quarantined = elements - REPLY_ELEMENTS_MAX;
        elements = REPLY_ELEMENTS_MAX;
    }
    transcripts->elements = elements;
    transcripts->segments = calloc(elements + 1, sizeof *transcripts->segments);
    if (!transcripts->segments) {
        return error_set(err, ERROR_MEMORY, "no memory for %zu segments", elements);
    }
    for (size_t i = 0; i < elements; i++) {
        if (!read_element(profile, i, transcripts)) {
            return error_set(err, ERROR_MEMORY, "no memory for segment ids");
        }
    }
    return 0;
}

int transcripts_parse(const struct cxone_profile *profile, const char *content_type,
                      const char *body, size_t body_bytes, struct transcripts *transcripts,
                      struct error *err)
{
    *transcripts = (struct transcripts){0};
    int result = reply_check_json(content_type, body, body_bytes, err);
    if (!result) {
        result = json_parse(body, body_bytes, &transcripts->document, err);
    }
    if (!result) {
        result = read_elements(profile, transcripts, err);
    }
    if (result) {
        transcripts_done(transcripts);
    }
    return result;
}

void transcripts_done(struct transcripts *transcripts)
{
    json_free(transcripts->document);
    free(transcripts->segments);
    free(transcripts->ids);
    *transcripts = (struct transcripts){0};
}
