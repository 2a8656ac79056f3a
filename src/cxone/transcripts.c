/* transcripts.c - see transcripts.h.
 *
 * One malformed utterance must not cost the hundred good ones beside it, so the array is checked
 * once and its elements one by one. Nothing is guessed: a time not in the form promised, or an
 * isFinal that is no boolean, quarantines the element. Order, duplicates and revisions are the
 * caller's business. */
#include "cxone/transcripts.h"

#include "base/json.h"
#include "cxone/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INTEGER_ID_BYTES = 24 };

struct transcripts_page {
    struct transcripts_page *before;
    struct json_document *document;
    const struct json *array;
    size_t elements;
    int64_t call_start_ms;
    char *ids; /* text of ids that came as integers, INTEGER_ID_BYTES for each element */
};

static bool name_is_listed(const char *name, const char *const names[CXONE_NAMES_MAX])
{
    for (size_t i = 0; i < CXONE_NAMES_MAX && names[i]; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum speaker transcripts_speaker(const struct cxone_profile *profile, const char *word)
{
    if (name_is_listed(word, profile->customer_names)) {
        return SPEAKER_CUSTOMER;
    }
    return name_is_listed(word, profile->agent_names) ? SPEAKER_AGENT : SPEAKER_UNKNOWN;
}

static enum speaker read_speaker(const struct cxone_profile *profile, const struct json *element)
{
    const char *word = json_as_string(mapping_find(element, &profile->map.direction), NULL);
    return word ? transcripts_speaker(profile, word) : SPEAKER_UNKNOWN;
}

static bool read_times(const struct cxone_mapping *map, const struct transcripts_page *page,
                       const struct json *element, struct segment *segment)
{
    return vendor_time_read(mapping_find(element, &map->start), map->time_format,
                            page->call_start_ms, &segment->start_ms) &&
           vendor_time_read(mapping_find(element, &map->end), map->time_format, page->call_start_ms,
                            &segment->end_ms);
}

static bool read_text(const struct cxone_mapping *map, const struct json *element,
                      struct segment *segment)
{
    segment->text = json_as_string(mapping_find(element, &map->text), &segment->text_bytes);
    return segment->text && segment->text_bytes <= TRANSCRIPTS_TEXT_BYTES_MAX;
}

static bool read_final(const struct cxone_profile *profile, const struct json *element,
                       struct transcripts *transcripts, struct segment *segment)
{
    const struct json *value = mapping_find(element, &profile->map.final);
    if (!value) {
        segment->is_final = profile->assume_final;
        transcripts->missing_final++;
        return true;
    }
    return json_as_boolean(value, &segment->is_final);
}

/* An integer id needs text of its own: `ids` has room for one per element. */
static bool read_integer_id(const struct json *value, size_t index, struct transcripts_page *page,
                            struct segment *segment)
{
    int64_t number;
    if (!json_as_integer(value, &number)) {
        return true;
    }
    if (!page->ids) {
        page->ids = calloc(page->elements, INTEGER_ID_BYTES);
    }
    if (!page->ids) {
        return false;
    }
    char *text = page->ids + index * INTEGER_ID_BYTES;
    int bytes = snprintf(text, INTEGER_ID_BYTES, "%" PRId64, number);
    segment->id = text;
    segment->id_bytes = (size_t)bytes;
    return true;
}

/* A reply tells the language of its call by the newest words of the customer. */
static void read_language(const struct cxone_mapping *map, const struct json *element,
                          const struct segment *segment, struct transcripts *transcripts)
{
    const char *language = json_as_string(mapping_find(element, &map->language), NULL);
    if (language && segment->speaker == SPEAKER_CUSTOMER) {
        transcripts->language = language;
    }
}

/* False only without memory: an id of the wrong type or length is no id. */
static bool read_id(const struct cxone_mapping *map, const struct json *element, size_t index,
                    struct transcripts_page *page, struct segment *segment)
{
    for (size_t i = 0; i < CXONE_POINTERS_MAX && map->id.at[i] && !segment->id; i++) {
        const struct json *value = json_pointer(element, map->id.at[i]);
        size_t bytes;
        const char *text = json_as_string(value, &bytes);
        if (text && bytes > 0 && bytes <= CXONE_ID_BYTES_MAX) {
            segment->id = text;
            segment->id_bytes = bytes;
        } else if (!read_integer_id(value, index, page, segment)) {
            return false;
        }
    }
    return true;
}

static bool read_element(const struct cxone_profile *profile, size_t index,
                         struct transcripts_page *page, struct transcripts *transcripts)
{
    const struct cxone_mapping *map = &profile->map;
    const struct json *element = json_at(page->array, index);
    struct segment segment = {.speaker = read_speaker(profile, element)};
    bool usable = json_kind(element) == JSON_KIND_OBJECT && read_text(map, element, &segment) &&
                  read_times(map, page, element, &segment) &&
                  read_final(profile, element, transcripts, &segment);
    if (!usable) {
        transcripts->quarantined++;
        return true;
    }
    if (!read_id(map, element, index, page, &segment)) {
        return false;
    }
    read_language(map, element, &segment, transcripts);
    transcripts->segments[transcripts->count++] = segment;
    return true;
}

/* Finds the array, and the call's start where times count from it. */
static int open_page(const struct cxone_mapping *map, struct transcripts_page *page,
                     struct transcripts *transcripts, struct error *err)
{
    const struct json *root = json_root(page->document);
    size_t room = REPLY_ELEMENTS_MAX - transcripts->elements;
    page->array = mapping_find(root, &map->segments);
    if (json_kind(page->array) != JSON_KIND_ARRAY) {
        return error_set(err, ERROR_FORMAT, "a JSON array of segments was promised");
    }
    page->elements = json_size(page->array);
    if (page->elements > room) {
        transcripts->quarantined += page->elements - room;
        page->elements = room;
    }
    if (page->elements > 0 && vendor_time_is_relative(map->time_format) &&
        !vendor_time_read_any(mapping_find(root, &map->call_start), &page->call_start_ms)) {
        return error_set(err, ERROR_FORMAT,
                         "the start of the call, from which its times count, is not at "
                         "map.call_start");
    }
    return 0;
}

static int read_page(const struct cxone_profile *profile, struct transcripts_page *page,
                     struct transcripts *transcripts, struct error *err)
{
    int result = open_page(&profile->map, page, transcripts, err);
    if (result) {
        return result;
    }
    size_t elements = transcripts->elements + page->elements;
    struct segment *segments =
        realloc(transcripts->segments, (elements + 1) * sizeof *transcripts->segments);
    if (!segments) {
        return error_set(err, ERROR_MEMORY, "no memory for %zu segments", elements);
    }
    transcripts->segments = segments;
    transcripts->elements = elements;
    for (size_t i = 0; i < page->elements; i++) {
        if (!read_element(profile, i, page, transcripts)) {
            return error_set(err, ERROR_MEMORY, "no memory for segment ids");
        }
    }
    return 0;
}

int transcripts_add(const struct cxone_profile *profile, const char *content_type, const char *body,
                    size_t body_bytes, struct transcripts *transcripts, struct error *err)
{
    struct transcripts_page *page = NULL;
    int result = reply_check_json(content_type, body, body_bytes, err);
    if (!result) {
        page = calloc(1, sizeof *page);
        result = page ? 0 : error_set(err, ERROR_MEMORY, "no memory for a transcript");
    }
    if (!result) {
        page->before = transcripts->pages;
        transcripts->pages = page;
        result = json_parse(body, body_bytes, &page->document, err);
    }
    if (!result) {
        result = read_page(profile, page, transcripts, err);
    }
    if (result) {
        transcripts_done(transcripts);
    }
    return result;
}

int transcripts_parse(const struct cxone_profile *profile, const char *content_type,
                      const char *body, size_t body_bytes, struct transcripts *transcripts,
                      struct error *err)
{
    *transcripts = (struct transcripts){0};
    return transcripts_add(profile, content_type, body, body_bytes, transcripts, err);
}

const struct json *transcripts_last_root(const struct transcripts *transcripts, size_t *elements)
{
    const struct transcripts_page *page = transcripts->pages;
    *elements = page ? json_size(page->array) : 0;
    return page ? json_root(page->document) : NULL;
}

void transcripts_done(struct transcripts *transcripts)
{
    struct transcripts_page *before;
    for (struct transcripts_page *page = transcripts->pages; page; page = before) {
        before = page->before;
        json_free(page->document);
        free(page->ids);
        free(page);
    }
    free(transcripts->segments);
    *transcripts = (struct transcripts){0};
}
