/* conversation.c - reads one conversation from one line of a source (see conversation.h).
 *
 * Each format only says where speaker, text and times stand; reading words, pacing and order are
 * shared. Turns without words and events that nobody speaks are skipped. It does not open files:
 * corpus.c does.
 */
#include "sim/conversation.h"

#include "base/buf.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_BYTES_MAX = 1 << 20 };

static const int64_t OFFSET_MS_MAX = 24 * 3600 * 1000;

const char *conversation_speaker_name(enum conversation_speaker speaker)
{
    return speaker == CONVERSATION_SPEAKER_AGENT ? "agent" : "customer";
}

size_t conversation_prefix(const char *text, size_t bytes, unsigned words)
{
    size_t end = 0;
    for (unsigned word = 0; word < words && end < bytes; word++) {
        const char *space = memchr(text + end + 1, ' ', bytes - end - 1);
        end = space == NULL ? bytes : (size_t)(space - text);
    }
    return end;
}

/* False for somebody who is not on the line, such as an "action" of the system. */
static bool speaker_parse(const char *role, enum conversation_speaker *speaker)
{
    static const struct {
        const char *role;
        enum conversation_speaker speaker;
    } known[] = {
        {"agent", CONVERSATION_SPEAKER_AGENT},
        {"customer", CONVERSATION_SPEAKER_CUSTOMER},
        {"caller", CONVERSATION_SPEAKER_CUSTOMER},
        {"user", CONVERSATION_SPEAKER_CUSTOMER},
    };
    for (size_t i = 0; role != NULL && i < sizeof known / sizeof known[0]; i++) {
        if (strcasecmp(role, known[i].role) == 0) {
            *speaker = known[i].speaker;
            return true;
        }
    }
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Appends the words of `text`, apart by single spaces; returns how many there were. */
static unsigned append_words(struct buf *out, const char *text, size_t bytes)
{
    unsigned words = 0;
    size_t at = 0;
    while (at < bytes) {
        size_t begin = at;
        while (at < bytes && !is_space(text[at])) {
            at++;
        }
        if (at > begin) {
            if (words > 0) {
                buf_append_char(out, ' ');
            }
            buf_append(out, text + begin, at - begin);
            words++;
        } else {
            at++;
        }
    }
    return words;
}

/* What one format says about one of its entries. */
struct entry {
    const char *role;
    const char *text;
    size_t bytes;
    bool timed;
    int64_t start_ms;
    int64_t duration_ms;
};

static const struct json *format_entries(enum conversation_format format, const struct json *root)
{
    switch (format) {
    case CONVERSATION_FORMAT_HARPER:
        return json_get(root, "segments");
    case CONVERSATION_FORMAT_ABCD:
        return json_get(root, "original");
    case CONVERSATION_FORMAT_CUCOM:
    case CONVERSATION_FORMAT_MS:
        break;
    }
    return json_get(root, "turns");
}

static void format_name(enum conversation_format format, const struct json *root, char *out)
{
    static const char *const keys[] = {
        [CONVERSATION_FORMAT_HARPER] = "sid",
        [CONVERSATION_FORMAT_CUCOM] = "id",
        [CONVERSATION_FORMAT_MS] = "ConversationId",
        [CONVERSATION_FORMAT_ABCD] = "convo_id",
    };
    const struct json *value = json_get(root, keys[format]);
    int64_t number;
    if (json_as_integer(value, &number)) {
        snprintf(out, CONVERSATION_NAME_BYTES, "%" PRId64, number);
    } else {
        const char *text = json_as_string(value, NULL);
        snprintf(out, CONVERSATION_NAME_BYTES, "%s", text != NULL ? text : "");
    }
}

static struct entry format_entry(enum conversation_format format, const struct json *value)
{
    struct entry entry = {0};
    switch (format) {
    case CONVERSATION_FORMAT_HARPER:
        entry.role = json_as_string(json_get(value, "speaker_role"), NULL);
        entry.text = json_as_string(json_get(value, "human_transcript"), &entry.bytes);
        entry.timed = true;
        if (!json_as_integer(json_get(value, "offset_ms"), &entry.start_ms) ||
            !json_as_integer(json_get(value, "duration_ms"), &entry.duration_ms)) {
            entry.start_ms = -1;
        }
        break;
    case CONVERSATION_FORMAT_CUCOM:
        entry.role = json_as_string(json_get(value, "role"), NULL);
        entry.text = json_as_string(json_get(value, "content"), &entry.bytes);
        break;
    case CONVERSATION_FORMAT_MS:
        entry.role = json_as_string(json_get(value, "speaker"), NULL);
        entry.text = json_as_string(json_get(value, "text"), &entry.bytes);
        break;
    case CONVERSATION_FORMAT_ABCD:
        entry.role = json_as_string(json_at(value, 0), NULL);
        entry.text = json_as_string(json_at(value, 1), &entry.bytes);
        break;
    }
    return entry;
}

/* Adds a turn unless nobody speaks in it; *free_ms is when an untimed speaker may begin. */
static int add_turn(struct conversation *conversation, const struct entry *entry, struct buf *text,
                    int64_t *free_ms, struct error *err)
{
    struct conversation_turn turn = {.text_at = text->size};
    if (entry->role == NULL || entry->text == NULL) {
        return error_set(err, ERROR_FORMAT, "a turn has no speaker or no text");
    }
    if (!speaker_parse(entry->role, &turn.speaker)) {
        return 0;
    }
    turn.words = append_words(text, entry->text, entry->bytes);
    turn.bytes = text->size - turn.text_at;
    if (turn.words == 0) {
        return 0;
    }
    int64_t duration_ms = entry->duration_ms;
    turn.start_ms = entry->start_ms;
    if (!entry->timed) {
        duration_ms = (int64_t)turn.words * CONVERSATION_WORD_MS;
        duration_ms =
            duration_ms < CONVERSATION_TURN_MS_MIN ? CONVERSATION_TURN_MS_MIN : duration_ms;
        turn.start_ms = *free_ms;
    } else if (turn.start_ms < 0 || duration_ms <= 0 || turn.start_ms > OFFSET_MS_MAX ||
               duration_ms > OFFSET_MS_MAX) {
        return error_set(err, ERROR_FORMAT, "a turn has no usable offset_ms and duration_ms");
    }
    turn.end_ms = turn.start_ms + duration_ms;
    *free_ms = turn.end_ms + CONVERSATION_GAP_MS;
    conversation->turns[conversation->turn_count++] = turn;
    return 0;
}

static int turn_compare(const void *left, const void *right)
{
    const struct conversation_turn *a = left;
    const struct conversation_turn *b = right;
    if (a->start_ms != b->start_ms) {
        return a->start_ms < b->start_ms ? -1 : 1;
    }
    return a->text_at < b->text_at ? -1 : a->text_at > b->text_at;
}

/* The API has no utterance id, so readers know an utterance by speaker and start: two of one
 * speaker must not start together. Pushing the later one keeps the order by start. */
static void separate_starts(struct conversation *conversation)
{
    int64_t last_ms[2] = {-1, -1};
    for (size_t i = 0; i < conversation->turn_count; i++) {
        struct conversation_turn *turn = &conversation->turns[i];
        if (turn->start_ms <= last_ms[turn->speaker]) {
            turn->start_ms = last_ms[turn->speaker] + 1;
            turn->end_ms = turn->end_ms > turn->start_ms ? turn->end_ms : turn->start_ms + 1;
        }
        last_ms[turn->speaker] = turn->start_ms;
    }
    qsort(conversation->turns, conversation->turn_count, sizeof *conversation->turns, turn_compare);
}

void conversation_make_chat(struct conversation *conversation)
{
    int64_t last_ms[2] = {-1, -1};
    for (size_t i = 0; i < conversation->turn_count; i++) {
        conversation->turns[i].start_ms = conversation->turns[i].end_ms;
    }
    qsort(conversation->turns, conversation->turn_count, sizeof *conversation->turns, turn_compare);
    for (size_t i = 0; i < conversation->turn_count; i++) {
        struct conversation_turn *turn = &conversation->turns[i];
        if (turn->start_ms <= last_ms[turn->speaker]) {
            turn->start_ms = last_ms[turn->speaker] + 1;
            turn->end_ms = turn->start_ms;
        }
        last_ms[turn->speaker] = turn->start_ms;
    }
    qsort(conversation->turns, conversation->turn_count, sizeof *conversation->turns, turn_compare);
}

static int read_turns(struct conversation *conversation, enum conversation_format format,
                      const struct json *root, struct error *err)
{
    const struct json *entries = format_entries(format, root);
    size_t count = json_size(entries);
    if (json_kind(entries) != JSON_KIND_ARRAY || count == 0) {
        return error_set(err, ERROR_FORMAT, "the conversation has no list of turns");
    }
    if (count > CONVERSATION_TURNS_MAX) {
        return error_set(err, ERROR_LIMIT, "the conversation has more than %d turns",
                         CONVERSATION_TURNS_MAX);
    }
    conversation->turns = calloc(count, sizeof *conversation->turns);
    if (conversation->turns == NULL) {
        return error_set(err, ERROR_MEMORY, "no memory for a conversation");
    }
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    int64_t free_ms = CONVERSATION_GAP_MS;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct entry entry = format_entry(format, json_at(entries, i));
        rc = add_turn(conversation, &entry, &text, &free_ms, err);
    }
    if (rc == 0 && text.failed) {
        rc = error_set(err, ERROR_LIMIT, "the conversation's text passes 1 MiB");
    }
    if (rc == 0 && conversation->turn_count == 0) {
        rc = error_set(err, ERROR_FORMAT, "nobody speaks in the conversation");
    }
    conversation->text = text.bytes; /* the buffer's memory moves into the conversation */
    return rc;
}

int conversation_parse(struct conversation *conversation, enum conversation_format format,
                       const char *line, size_t bytes, struct error *err)
{
    *conversation = (struct conversation){0};
    struct json_document *document;
    int rc = json_parse(line, bytes, &document, err);
    if (rc != 0) {
        return rc;
    }
    const struct json *root = json_root(document);
    format_name(format, root, conversation->name);
    rc = read_turns(conversation, format, root, err);
    if (rc == 0) {
        qsort(conversation->turns, conversation->turn_count, sizeof *conversation->turns,
              turn_compare);
        separate_starts(conversation);
    } else {
        conversation_done(conversation);
    }
    json_free(document);
    return rc;
}

void conversation_done(struct conversation *conversation)
{
    free(conversation->turns);
    free(conversation->text);
    *conversation = (struct conversation){0};
}

int conversation_split(struct conversation *conversation, size_t turn, struct conversation *rest,
                       struct error *err)
{
    size_t count = conversation->turn_count - turn;
    const struct conversation_turn *first = &conversation->turns[turn];
    *rest = (struct conversation){.turn_count = count};
    memcpy(rest->name, conversation->name, sizeof rest->name);
    size_t text_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        text_bytes += first[i].bytes;
    }
    rest->turns = calloc(count, sizeof *rest->turns);
    rest->text = malloc(text_bytes + 1);
    if (rest->turns == NULL || rest->text == NULL) {
        conversation_done(rest);
        return error_set(err, ERROR_MEMORY, "no memory for a conversation");
    }
    int64_t origin_ms = first->start_ms - CONVERSATION_GAP_MS;
    size_t text_at = 0;
    for (size_t i = 0; i < count; i++) {
        rest->turns[i] = first[i];
        rest->turns[i].start_ms -= origin_ms;
        rest->turns[i].end_ms -= origin_ms;
        rest->turns[i].text_at = text_at;
        memcpy(rest->text + text_at, conversation->text + first[i].text_at, first[i].bytes);
        text_at += first[i].bytes;
    }
    rest->text[text_at] = '\0';
    conversation->turn_count = turn;
    return 0;
}
