/* feed_message.c - see feed_message.h.
 *
 * An utterance's time is when its text was made ("createdtimestamp"), which is its end; how long it
 * lasted is told by its words, whose own times count from some beginning that is not said. */
#include "cxone/feed_message.h"

#include "base/json.h"
#include "base/json_write.h"
#include "cxone/transcripts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char suffix[] = "_transcript";

/* ---- reading ---- */

static enum feed_message_kind kind_of(const char *command)
{
    static const struct {
        const char *word;
        enum feed_message_kind kind;
    } words[] = {
        {"CONNECTED", FEED_MESSAGE_CONNECTED},
        {"SUBSCRIBED", FEED_MESSAGE_SUBSCRIBED},
        {"HEARTBEAT_ACK", FEED_MESSAGE_HEARTBEAT_ACK},
        {"MESSAGE", FEED_MESSAGE_SEGMENT},
        {"ERROR", FEED_MESSAGE_ERROR},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(command, words[i].word) == 0) {
            return words[i].kind;
        }
    }
    return FEED_MESSAGE_OTHER;
}

static bool copy_id(const char *text, size_t bytes, char out[CXONE_ID_BYTES_MAX + 1])
{
    if (bytes == 0 || bytes > CXONE_ID_BYTES_MAX || memchr(text, '\0', bytes)) {
        return false;
    }
    memcpy(out, text, bytes);
    out[bytes] = '\0';
    return true;
}

/* "453_transcript" is about contact 453. */
static bool read_topic(const struct json *value, char out[CXONE_ID_BYTES_MAX + 1])
{
    size_t bytes;
    size_t tail = sizeof suffix - 1;
    const char *text = json_as_string(value, &bytes);
    return text && bytes > tail && strcmp(text + bytes - tail, suffix) == 0 &&
           copy_id(text, bytes - tail, out);
}

static bool read_contact(const struct json *data, const struct json *topic,
                         char out[CXONE_ID_BYTES_MAX + 1])
{
    size_t bytes;
    int64_t number;
    const struct json *value = json_get(data, "contactId");
    const char *text = json_as_string(value, &bytes);
    if (text && copy_id(text, bytes, out)) {
        return true;
    }
    if (json_as_integer(value, &number)) {
        (void)snprintf(out, CXONE_ID_BYTES_MAX + 1, "%" PRId64, number);
        return true;
    }
    return read_topic(topic, out);
}

/* From the first word's start to the last one's end; 0 where words do not tell. */
static int64_t spoken_ms(const struct json *data)
{
    int64_t first = INT64_MAX;
    int64_t last = -1;
    const struct json *groups = json_get(data, "words");
    for (size_t i = 0; i < json_size(groups); i++) {
        const struct json *words = json_get(json_at(groups, i), "words");
        for (size_t j = 0; j < json_size(words); j++) {
            const struct json *word = json_at(words, j);
            int64_t start;
            int64_t end;
            if (vendor_time_read(json_get(word, "startTime"), CXONE_TIME_SECONDS_NANOS, 0,
                                 &start) &&
                vendor_time_read(json_get(word, "endTime"), CXONE_TIME_SECONDS_NANOS, 0, &end)) {
                first = start < first ? start : first;
                last = end > last ? end : last;
            }
        }
    }
    return last > first ? last - first : 0;
}

static bool read_final(const struct json *data)
{
    bool is_final = false;
    if (!json_as_boolean(json_get(data, "messageIsCompletedUtterance"), &is_final)) {
        (void)json_as_boolean(json_pointer(data, "/messageMetaData/completeUtterance"), &is_final);
    }
    return is_final;
}

static bool read_segment(const struct json *data, struct segment *segment)
{
    const char *who = json_as_string(json_get(data, "participantId"), NULL);
    segment->text = json_as_string(json_get(data, "messageBody"), &segment->text_bytes);
    segment->is_final = read_final(data);
    segment->speaker = who && strcasecmp(who, "agent") == 0 ? SPEAKER_AGENT : SPEAKER_CUSTOMER;
    if (!who || !segment->text || segment->text_bytes > TRANSCRIPTS_TEXT_BYTES_MAX ||
        !vendor_time_read_any(json_get(data, "createdtimestamp"), &segment->end_ms)) {
        return false;
    }
    int64_t length_ms = spoken_ms(data);
    segment->start_ms = length_ms < segment->end_ms ? segment->end_ms - length_ms : 0;
    return true;
}

static void read_body(const struct json *body, struct feed_message *message)
{
    const struct json *data = json_get(body, "Data");
    const struct json *topic = json_get(body, "Topic");
    const char *type = json_as_string(json_get(body, "MessageType"), NULL);
    if (message->kind == FEED_MESSAGE_SUBSCRIBED) {
        (void)read_topic(json_get(body, "topic"), message->contact_id);
    } else if (message->kind == FEED_MESSAGE_SEGMENT &&
               (!type || strcasecmp(type, "Transcript") != 0 ||
                !read_contact(data, topic, message->contact_id) ||
                !read_segment(data, &message->segment))) {
        message->kind = FEED_MESSAGE_OTHER;
    } else if (message->kind == FEED_MESSAGE_SEGMENT) {
        message->language = json_as_string(json_get(data, "languageCode"), NULL);
    }
}

int feed_message_parse(const char *bytes, size_t size, struct feed_message *message,
                       struct error *err)
{
    *message = (struct feed_message){.kind = FEED_MESSAGE_OTHER};
    int result = json_parse(bytes, size, &message->document, err);
    if (result) {
        return result;
    }
    const struct json *root = json_root(message->document);
    const char *command = json_as_string(json_get(root, "command"), NULL);
    if (!command) {
        feed_message_done(message);
        return error_set(err, ERROR_FORMAT, "a frame without a command");
    }
    message->kind = kind_of(command);
    read_body(json_get(root, "body"), message);
    return 0;
}

void feed_message_done(struct feed_message *message)
{
    json_free(message->document);
    *message = (struct feed_message){0};
}

/* ---- writing ---- */

bool feed_message_write(struct buf *out, const char *command, const char *token,
                        const char *contact_id)
{
    struct json_writer writer;
    char topic[CXONE_ID_BYTES_MAX + sizeof suffix];
    json_writer_init(&writer, out);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "command", command);
    json_write_key(&writer, "headers");
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "sessionToken", token);
    json_write_object_end(&writer);
    json_write_key(&writer, "body");
    json_write_object_begin(&writer);
    if (contact_id) {
        (void)snprintf(topic, sizeof topic, "%s%s", contact_id, suffix);
        json_write_member_text(&writer, "topic", topic);
    }
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    return !out->failed;
}
