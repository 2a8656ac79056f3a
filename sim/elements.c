/* elements.c - see elements.h. What an element looks like depends on its utterance alone, so that
 * it looks the same in every reply. */
#include "sim/elements.h"

#include <inttypes.h>
#include <stdio.h>

static void write_time(struct json_writer *w, const char *key, int64_t ms, bool as_text)
{
    char text[24];
    json_write_key(w, key);
    if (as_text) {
        snprintf(text, sizeof text, "%" PRId64, ms);
        json_write_cstring(w, text);
    } else {
        json_write_integer(w, ms);
    }
}

/* What other versions of a vendor's API may add. No id: readers would know utterances by it. */
static void write_extra(struct json_writer *w)
{
    json_write_key(w, "channelTag");
    json_write_null(w);
    json_write_key(w, "words");
    json_write_array_begin(w);
    json_write_object_begin(w);
    json_write_member_text(w, "word", "\xF0\x9F\x93\x9E");
    json_write_member_number(w, "confidence", 0.875, 15);
    json_write_key(w, "startTime");
    json_write_object_begin(w);
    json_write_member_integer(w, "seconds", 1);
    json_write_object_end(w);
    json_write_object_end(w);
    json_write_array_end(w);
}

/* Writes the key with null, or nothing: a missing field may be either. */
static void write_missing(struct json_writer *w, const char *key, uint32_t n)
{
    if (n % 2 == 0) {
        json_write_key(w, key);
        json_write_null(w);
    }
}

static void write_direction(struct json_writer *w, const struct timeline_utterance *utterance,
                            const struct timeline_item *item)
{
    static const char *const unknown[] = {"supervisor", "", "IVR"};
    if (item->flaw == TIMELINE_FLAW_NO_DIRECTION) {
        write_missing(w, "direction", item->n);
        return;
    }
    json_write_member_text(w, "direction",
                           item->flaw == TIMELINE_FLAW_UNKNOWN_DIRECTION
                               ? unknown[item->n % 3]
                               : conversation_speaker_name(utterance->speaker));
}

static void write_element(struct json_writer *w, const struct timeline_utterance *utterance,
                          const struct timeline_item *item, const char *language)
{
    json_write_object_begin(w);
    if (language[0] != '\0' || utterance->extra_fields) {
        json_write_member_text(w, "languageCode", language[0] != '\0' ? language : "en-US");
    }
    if (utterance->extra_fields) {
        write_extra(w);
    }
    if (item->flaw == TIMELINE_FLAW_NO_TEXT) {
        write_missing(w, "text", item->n);
    } else {
        json_write_key(w, "text");
        json_write_string(w, utterance->text, item->bytes);
    }
    if (item->flaw == TIMELINE_FLAW_NO_START) {
        write_missing(w, "startTime", item->n);
    } else {
        write_time(w, "startTime", item->start_ms, utterance->numeric_strings);
    }
    if (item->flaw == TIMELINE_FLAW_NO_END) {
        write_missing(w, "endTime", item->n);
    } else {
        write_time(w, "endTime", item->end_ms, utterance->numeric_strings);
    }
    write_direction(w, utterance, item);
    if (item->flaw == TIMELINE_FLAW_NO_FINAL) {
        write_missing(w, "isFinal", item->n);
    } else {
        json_write_member_boolean(w, "isFinal", item->version > 0);
    }
    json_write_object_end(w);
}

void elements_write(const struct timeline *timeline, const struct timeline_reply *reply,
                    const char *language, struct json_writer *writer)
{
    json_write_array_begin(writer);
    for (size_t i = 0; i < reply->count; i++) {
        const struct timeline_item *item = &reply->items[i];
        write_element(writer, &timeline->utterances[item->n], item, language);
    }
    json_write_array_end(writer);
}

void elements_record(const struct timeline_reply *reply, struct json_writer *writer)
{
    int64_t partials = 0;
    json_write_key(writer, "finals");
    json_write_array_begin(writer);
    for (size_t i = 0; i < reply->count; i++) {
        const struct timeline_item *item = &reply->items[i];
        partials += item->version == 0;
        if (item->version > 0 && item->flaw == TIMELINE_FLAW_NONE && !item->repeated) {
            json_write_array_begin(writer);
            json_write_integer(writer, item->n);
            json_write_integer(writer, item->version);
            json_write_array_end(writer);
        }
    }
    json_write_array_end(writer);
    json_write_key(writer, "flawed");
    json_write_array_begin(writer);
    for (size_t i = 0; i < reply->count; i++) {
        const struct timeline_item *item = &reply->items[i];
        if (item->flaw != TIMELINE_FLAW_NONE && !item->repeated) {
            json_write_array_begin(writer);
            json_write_integer(writer, item->n);
            json_write_cstring(writer, timeline_flaw_name(item->flaw));
            json_write_array_end(writer);
        }
    }
    json_write_array_end(writer);
    json_write_member_integer(writer, "partials", partials);
}
