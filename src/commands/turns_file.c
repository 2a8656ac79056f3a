/* turns_file.c - see turns_file.h. Each turn is written as one of our own lines and read back by
 * the recording's parser: there is one idea of what a segment is. */
#include "commands/turns_file.h"

#include "base/json.h"
#include "base/json_write.h"
#include "base/lines.h"
#include "base/utf8.h"
#include "config/wire.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 64 << 20, WORDS_A_MINUTE = 150, PAUSE_MS = 600, TURNS_MAX = 100000 };

/* Calls begin an hour apart, so that none can be taken for part of another. */
static const int64_t begin_ms = 1765000000000;
static const int64_t apart_ms = 3600000;

struct reading {
    struct recording *recording;
    struct turns_labels *labels;
    const char *path;
    struct config config;
    struct cxone_options cxone;
    /* of the call being read */
    const char *id;
    const char *source;
    int64_t start_ms;
    int64_t at_ms; /* where speech without times has got to, from the start */
};

bool turns_format_find(const char *name, enum turns_format *format)
{
    static const char *const names[] = {
        [TURNS_LINES] = "lines",
        [TURNS_LABELS] = "labels",
        [TURNS_CONTACT_LENS] = "contact-lens",
        [TURNS_AZURE] = "azure",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *format = (enum turns_format)i;
            return true;
        }
    }
    return false;
}

void turns_labels_done(struct turns_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        free(labels->items[i].moods);
    }
    free(labels->items);
    *labels = (struct turns_labels){0};
}

static int no_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "no memory for the recording");
}

static void begin_call(struct reading *reading, const char *id, const char *source)
{
    reading->id = id;
    reading->source = source ? source : reading->path;
    reading->start_ms = begin_ms + (int64_t)reading->recording->call_count * apart_ms;
    reading->at_ms = 0;
}

static int64_t count_words(const char *text, size_t size)
{
    int64_t words = 0;
    bool inside = false;
    for (size_t i = 0; i < size; i++) {
        bool space = text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r');
        words += !space && !inside;
        inside = !space;
    }
    return words;
}

static void put_text(struct json_writer *writer, const char *key, const char *text, size_t size)
{
    json_write_key(writer, key);
    json_write_string(writer, text, size);
}

/* A turn from start to end, or, with end < 0, as long as its words take. */
static int add_turn(struct reading *reading, bool customer, const struct json *text,
                    int64_t start_ms, int64_t end_ms, struct error *err)
{
    size_t size;
    const char *bytes = json_as_string(text, &size);
    if (!bytes) {
        return error_set(err, ERROR_FORMAT, "call %s: a turn has no text", reading->id);
    }
    if (end_ms < 0) {
        int64_t words = count_words(bytes, size);
        start_ms = reading->at_ms;
        end_ms = start_ms + (words > 0 ? words : 1) * 60000 / WORDS_A_MINUTE;
    }
    reading->at_ms = end_ms + PAUSE_MS;
    const char *direction = customer ? "customer" : "agent";
    struct json_writer writer;
    struct buf line;
    buf_init(&line, RECORDING_LINE_BYTES_MAX);
    json_writer_init(&writer, &line);
    json_write_object_begin(&writer);
    put_text(&writer, "interactionId", reading->id, strlen(reading->id));
    put_text(&writer, "source", reading->source, strlen(reading->source));
    put_text(&writer, "direction", direction, strlen(direction));
    put_text(&writer, "text", bytes, size);
    json_write_member_integer(&writer, "startTime", reading->start_ms + start_ms);
    json_write_member_integer(&writer, "endTime", reading->start_ms + end_ms);
    json_write_member_boolean(&writer, "isFinal", true);
    json_write_object_end(&writer);
    int result = line.failed ? no_memory(err)
                             : recording_add(reading->recording, reading->path, line.bytes,
                                             line.size, &reading->cxone.profile, err);
    buf_done(&line);
    return result;
}

static bool says(const struct json *value, const char *word)
{
    const char *text = json_as_string(value, NULL);
    return text && strcmp(text, word) == 0;
}

/* --- labelled calls -------------------------------------------------------------------------- */

/* A label of the i-th reader; a single one is everybody's. */
static const struct json *of_reader(const struct json *value, size_t reader)
{
    return json_kind(value) == JSON_KIND_ARRAY ? json_at(value, reader) : value;
}

static size_t count_readers(const struct json *value)
{
    return json_kind(value) == JSON_KIND_ARRAY ? json_size(value) : 1;
}

static signed char sign_of_moods(const struct json *moods)
{
    int sign = TURN_MOOD_NONE;
    for (size_t i = 0; i < count_readers(moods); i++) {
        int64_t mood;
        if (!json_as_integer(of_reader(moods, i), &mood)) {
            return TURN_MOOD_NONE;
        }
        int its = (mood > 0) - (mood < 0);
        if (i > 0 && its != sign) {
            return TURN_MOOD_NONE;
        }
        sign = its;
    }
    return (signed char)sign;
}

/* The ordinal of the customer's turn with this "i", or TURN_NOT_LABELLED. */
static int32_t ordinal_of(const struct json *turns, int64_t wanted)
{
    int32_t ordinal = -1;
    for (size_t i = 0; i < json_size(turns); i++) {
        const struct json *turn = json_at(turns, i);
        int64_t index;
        if (!says(json_get(turn, "role"), "customer")) {
            continue;
        }
        ordinal++;
        if (json_as_integer(json_get(turn, "i"), &index) && index == wanted) {
            return ordinal;
        }
    }
    return TURN_NOT_LABELLED;
}

static void take_alert(struct turns_label *label, const struct json *value,
                       const struct json *turns)
{
    size_t readers = count_readers(value);
    size_t named = 0;
    for (size_t i = 0; i < readers; i++) {
        int64_t index;
        if (!json_as_integer(of_reader(value, i), &index)) {
            continue;
        }
        int32_t ordinal = ordinal_of(turns, index);
        label->alert_first =
            named == 0 || ordinal < label->alert_first ? ordinal : label->alert_first;
        label->alert_last = ordinal > label->alert_last ? ordinal : label->alert_last;
        named++;
    }
    label->wanted = named == readers && label->alert_first >= 0;
    label->agreed = named == readers || named == 0;
}

static void take_rest(struct turns_label *label, const struct json *call, const struct json *turns)
{
    const struct json *recovered = json_get(call, "recovered");
    const struct json *supervisor = json_get(call, "supervisor");
    label->supervisor = count_readers(supervisor) > 0;
    for (size_t i = 0; i < count_readers(supervisor); i++) {
        bool its = false;
        label->supervisor =
            json_as_boolean(of_reader(supervisor, i), &its) && its && label->supervisor;
    }
    for (size_t i = 0; i < count_readers(recovered); i++) {
        int64_t index;
        if (!json_as_integer(of_reader(recovered, i), &index)) {
            label->recovered = TURN_NOT_LABELLED;
            return;
        }
        int32_t ordinal = ordinal_of(turns, index);
        label->recovered = ordinal > label->recovered ? ordinal : label->recovered;
    }
}

static struct turns_label *append_label(struct turns_labels *labels, size_t turns)
{
    if (labels->count == labels->capacity) {
        size_t capacity = labels->capacity ? labels->capacity * 2 : 64;
        struct turns_label *items = realloc(labels->items, capacity * sizeof *items);
        if (!items) {
            return NULL;
        }
        labels->items = items;
        labels->capacity = capacity;
    }
    struct turns_label *label = &labels->items[labels->count];
    *label = (struct turns_label){.alert_first = TURN_NOT_LABELLED,
                                  .alert_last = TURN_NOT_LABELLED,
                                  .recovered = TURN_NOT_LABELLED,
                                  .moods = calloc(turns ? turns : 1, sizeof *label->moods)};
    labels->count += label->moods != NULL;
    return label->moods ? label : NULL;
}

static int read_labelled(struct reading *reading, const struct json *call, struct error *err)
{
    const struct json *turns = json_get(call, "turns");
    const char *id = json_as_string(json_get(call, "call"), NULL);
    if (!id || !*id || json_kind(turns) != JSON_KIND_ARRAY || json_size(turns) > TURNS_MAX) {
        return error_set(err, ERROR_FORMAT, "no \"call\" text with \"turns\"");
    }
    struct turns_label *label = append_label(reading->labels, json_size(turns));
    if (!label) {
        return no_memory(err);
    }
    begin_call(reading, id, json_as_string(json_get(call, "source"), NULL));
    label->call = reading->recording->call_count;
    take_alert(label, json_get(call, "alert"), turns);
    take_rest(label, call, turns);
    int result = 0;
    for (size_t i = 0; i < json_size(turns) && !result; i++) {
        const struct json *turn = json_at(turns, i);
        bool customer = says(json_get(turn, "role"), "customer");
        int64_t start_ms = 0;
        int64_t end_ms = -1;
        if (customer) {
            label->moods[label->turn_count++] = sign_of_moods(json_get(turn, "mood"));
        }
        if (!json_as_integer(json_get(turn, "start"), &start_ms) ||
            !json_as_integer(json_get(turn, "end"), &end_ms)) {
            end_ms = -1;
        }
        result = add_turn(reading, customer, json_get(turn, "text"), start_ms, end_ms, err);
    }
    return result;
}

/* --- vendors' documents ---------------------------------------------------------------------- */

static int64_t milliseconds(const struct json *seconds)
{
    double value;
    const double longest = 1e9;
    return json_as_number(seconds, &value) && value >= 0 && value < longest
               ? (int64_t)(value * 1000 + 0.5)
               : -1;
}

/* The sample of post-call analytics names its speakers apart from the segments. */
static bool is_customer(const struct json *root, const struct json *segment)
{
    const struct json *labels = json_pointer(root, "/ConversationAnalytics/SpeakerLabels");
    const char *speaker = json_as_string(json_get(segment, "SegmentSpeaker"), NULL);
    for (size_t i = 0; speaker && i < json_size(labels); i++) {
        const struct json *label = json_at(labels, i);
        if (says(json_get(label, "Speaker"), speaker)) {
            return says(json_get(label, "DisplayText"), "Customer");
        }
    }
    return false;
}

static int read_contact_lens(struct reading *reading, const struct json *root, struct error *err)
{
    const struct json *list = json_get(root, "Transcript");
    const struct json *segments = json_get(root, "SpeechSegments");
    const char *id = json_as_string(json_pointer(root, "/CustomerMetadata/ContactId"), NULL);
    bool sample = json_kind(list) != JSON_KIND_ARRAY;
    list = sample ? segments : list;
    if (json_kind(list) != JSON_KIND_ARRAY) {
        return error_set(err, ERROR_FORMAT, "no \"Transcript\" and no \"SpeechSegments\"");
    }
    begin_call(reading, id ? id : "contact-lens", NULL);
    int result = 0;
    for (size_t i = 0; i < json_size(list) && !result; i++) {
        const struct json *turn = json_at(list, i);
        bool customer =
            sample ? is_customer(root, turn) : says(json_get(turn, "ParticipantId"), "CUSTOMER");
        int64_t start_ms = milliseconds(json_get(turn, "SegmentStartTime"));
        int64_t end_ms = milliseconds(json_get(turn, "SegmentEndTime"));
        if (!sample) {
            (void)json_as_integer(json_get(turn, "BeginOffsetMillis"), &start_ms);
            (void)json_as_integer(json_get(turn, "EndOffsetMillis"), &end_ms);
        }
        const struct json *text = json_get(turn, sample ? "DisplayText" : "Content");
        result = add_turn(reading, customer, text, start_ms, start_ms < 0 ? -1 : end_ms, err);
    }
    return result;
}

static int read_azure(struct reading *reading, const struct json *root, struct error *err)
{
    const struct json *calls = json_pointer(root, "/analysisInput/conversations");
    if (json_kind(calls) != JSON_KIND_ARRAY) {
        return error_set(err, ERROR_FORMAT, "no \"analysisInput\" with \"conversations\"");
    }
    int result = 0;
    for (size_t i = 0; i < json_size(calls) && !result; i++) {
        const struct json *turns = json_get(json_at(calls, i), "conversationItems");
        const char *id = json_as_string(json_get(json_at(calls, i), "id"), NULL);
        begin_call(reading, id ? id : "azure", NULL);
        for (size_t j = 0; j < json_size(turns) && !result; j++) {
            const struct json *turn = json_at(turns, j);
            bool customer = says(json_get(turn, "participantId"), "Customer") ||
                            says(json_get(turn, "role"), "customer");
            result = add_turn(reading, customer, json_get(turn, "text"), 0, -1, err);
        }
    }
    return result;
}

/* --- files ----------------------------------------------------------------------------------- */

static int read_document(struct reading *reading, const char *bytes, size_t size,
                         enum turns_format format, struct error *err)
{
    struct json_document *document;
    int result = json_parse(bytes, size, &document, err);
    if (result) {
        return result;
    }
    const struct json *root = json_root(document);
    switch (format) {
    case TURNS_LABELS:
        result = read_labelled(reading, root, err);
        break;
    case TURNS_CONTACT_LENS:
        result = read_contact_lens(reading, root, err);
        break;
    case TURNS_AZURE:
        result = read_azure(reading, root, err);
        break;
    case TURNS_LINES:
        break;
    }
    json_free(document);
    return result;
}

static int read_lines(struct reading *reading, struct error *err)
{
    struct lines *lines;
    const char *line;
    size_t size;
    int result = lines_open(&lines, reading->path, RECORDING_LINE_BYTES_MAX, err);
    if (result) {
        return result;
    }
    int got = 0;
    while (!result && (got = lines_next(lines, &line, &size, err)) == 1) {
        result = read_document(reading, line, size, TURNS_LABELS, err);
        if (result) {
            error_wrap(err, "%s:%zu", reading->path, lines_number(lines));
        }
    }
    lines_close(lines);
    return got < 0 ? (int)err->code : result;
}

static int read_whole(struct reading *reading, enum turns_format format, struct error *err)
{
    char *bytes;
    size_t size;
    int result = lines_read_file(reading->path, FILE_BYTES_MAX, &bytes, &size, err);
    if (result) {
        return result;
    }
    result = read_document(reading, bytes, size, format, err);
    free(bytes);
    if (result) {
        error_wrap(err, "%s", reading->path);
    }
    return result;
}

int turns_file_read(struct recording *recording, struct turns_labels *labels, const char *path,
                    enum turns_format format, struct error *err)
{
    static const char *const no_environment[] = {NULL};
    struct reading reading = {.recording = recording, .labels = labels, .path = path};
    const struct config_sources defaults = {.environment = no_environment};
    int result = config_load(&reading.config, &defaults, err);
    if (result) {
        return result;
    }
    wire_cxone(&reading.config, 0, &reading.cxone);
    result = format == TURNS_LABELS ? read_lines(&reading, err) : read_whole(&reading, format, err);
    config_free(&reading.config);
    return result;
}
