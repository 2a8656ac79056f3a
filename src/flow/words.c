/* words.c - see words.h. Entries are few, so they are searched one by one; the same words come with
 * nearly every poll and are told by hash, so that nothing is redacted twice. Redaction is strict:
 * any number of three digits or more goes, because evidence needs none. */
#include "flow/words.h"

#include "base/utf8.h"
#include "redact/redact.h"

#include <stdlib.h>
#include <string.h>

enum {
    ANSWER_MS = 30000,      /* a question is answered within this, */
    OVERLAP_MS = 2000,      /* or while it is still being asked */
    LOOKED_AT_BYTES = 4096, /* of an utterance */
};

struct entry {
    int64_t start_ms;
    int64_t end_ms;
    enum speaker speaker;
    uint32_t asks;     /* what it asks the other side for, as bits of enum redact_kind */
    uint32_t expected; /* what had been asked for when it was redacted */
    uint64_t hash;     /* of the text as it was served */
    char *text;        /* owned; NULL: withheld */
};

struct words {
    unsigned char key[KEYHASH_SHORT_KEY_BYTES];
    int64_t keep_ms;
    struct entry entries[WORDS_ENTRIES_MAX]; /* in the order they came */
    size_t count;
    size_t bytes;
};

struct words *words_create(const unsigned char key[KEYHASH_SHORT_KEY_BYTES], int64_t keep_ms)
{
    struct words *words = calloc(1, sizeof *words);
    if (words) {
        memcpy(words->key, key, sizeof words->key);
        words->keep_ms = keep_ms;
    }
    return words;
}

static void wipe_text(struct words *words, struct entry *entry)
{
    if (entry->text) {
        size_t bytes = strlen(entry->text) + 1;
        keyhash_wipe(entry->text, bytes);
        free(entry->text);
        entry->text = NULL;
        words->bytes -= bytes;
    }
}

static void remove_entry(struct words *words, size_t index)
{
    wipe_text(words, &words->entries[index]);
    words->count--;
    memmove(&words->entries[index], &words->entries[index + 1],
            (words->count - index) * sizeof words->entries[0]);
}

void words_destroy(struct words *words)
{
    if (words) {
        words_wipe(words, INT64_MIN, INT64_MAX);
        free(words);
    }
}

void words_wipe(struct words *words, int64_t from_ms, int64_t to_ms)
{
    for (size_t i = words->count; i-- > 0;) {
        if (words->entries[i].end_ms >= from_ms && words->entries[i].end_ms <= to_ms) {
            remove_entry(words, i);
        }
    }
}

/* --- questions and answers ------------------------------------------------------------------- */

static bool may_answer(const struct entry *question, int64_t start_ms)
{
    return start_ms >= question->end_ms - OVERLAP_MS && start_ms <= question->end_ms + ANSWER_MS;
}

static uint32_t expected_at(const struct words *words, int64_t start_ms)
{
    uint32_t expected = 0;
    for (size_t i = 0; i < words->count; i++) {
        expected |= may_answer(&words->entries[i], start_ms) ? words->entries[i].asks : 0;
    }
    return expected;
}

/* Answers that were redacted without this question. */
static void withhold_answers(struct words *words, const struct entry *question)
{
    for (size_t i = 0; i < words->count; i++) {
        struct entry *answer = &words->entries[i];
        if (may_answer(question, answer->start_ms) && (question->asks & ~answer->expected) != 0) {
            wipe_text(words, answer);
        }
    }
}

/* --- taking in ------------------------------------------------------------------------------- */

static bool is_known(const struct words *words, const struct entry *entry)
{
    for (size_t i = 0; i < words->count; i++) {
        const struct entry *known = &words->entries[i];
        if (known->hash == entry->hash && known->start_ms == entry->start_ms &&
            known->end_ms == entry->end_ms && known->speaker == entry->speaker) {
            return true;
        }
    }
    return false;
}

/* A copy of exactly its size, cut between characters. NULL without memory. */
static char *cut(const struct buf *text, size_t *bytes)
{
    static const char more[] = "\xE2\x80\xA6"; /* three dots */
    bool whole = text->size <= WORDS_BYTES_MAX;
    size_t size = whole ? text->size : WORDS_BYTES_MAX - (sizeof more - 1);
    while (!whole && size > 0 && ((unsigned char)text->bytes[size] & 0xC0) == 0x80) {
        size--;
    }
    *bytes = size + (whole ? 1 : sizeof more);
    char *copy = malloc(*bytes);
    if (copy) {
        memcpy(copy, buf_string(text), size);
        memcpy(copy + size, whole ? "" : more, *bytes - size);
    }
    return copy;
}

/* False without memory. */
static bool redact(struct words *words, struct entry *entry, const struct segment *segment)
{
    const struct redact_options options = {.strict = true, .expected = entry->expected};
    size_t looked_at =
        segment->text_bytes < LOOKED_AT_BYTES ? segment->text_bytes : LOOKED_AT_BYTES;
    struct buf out;
    size_t bytes = 0;
    buf_init(&out, (size_t)LOOKED_AT_BYTES * 8);
    bool good = redact_text(segment->text, looked_at, &options, &out, NULL);
    entry->text = good ? cut(&out, &bytes) : NULL;
    words->bytes += entry->text ? bytes : 0;
    if (out.bytes) {
        keyhash_wipe(out.bytes, out.size);
    }
    buf_done(&out);
    return entry->text != NULL;
}

static size_t oldest(const struct words *words)
{
    size_t found = 0;
    for (size_t i = 1; i < words->count; i++) {
        if (words->entries[i].end_ms < words->entries[found].end_ms) {
            found = i;
        }
    }
    return found;
}

static bool take(struct words *words, const struct segment *segment)
{
    struct entry entry = {
        .start_ms = segment->start_ms,
        .end_ms = segment->end_ms,
        .speaker = segment->speaker,
        .hash = keyhash_short(words->key, segment->text, segment->text_bytes),
    };
    if (is_known(words, &entry)) {
        return true;
    }
    if (words->count == WORDS_ENTRIES_MAX) {
        size_t at = oldest(words);
        if (words->entries[at].end_ms > entry.end_ms) {
            return true; /* older than all that is held */
        }
        remove_entry(words, at);
    }
    entry.expected = expected_at(words, entry.start_ms);
    entry.asks =
        redact_expect(segment->text, segment->text_bytes < LOOKED_AT_BYTES ? segment->text_bytes
                                                                           : LOOKED_AT_BYTES);
    withhold_answers(words, &entry);
    bool good = redact(words, &entry, segment);
    words->entries[words->count++] = entry;
    return good;
}

static void forget_old(struct words *words)
{
    int64_t newest_ms = INT64_MIN;
    for (size_t i = 0; i < words->count; i++) {
        int64_t end_ms = words->entries[i].end_ms;
        newest_ms = end_ms > newest_ms ? end_ms : newest_ms;
    }
    if (words->count > 0) {
        words_wipe(words, INT64_MIN, newest_ms - words->keep_ms - 1);
    }
}

bool words_take(struct words *words, const struct call *call, const struct segment *segments,
                size_t count)
{
    bool good = true;
    /* Questions first: in a reply they may stand behind their answers. */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            bool by_agent = segments[i].speaker == SPEAKER_AGENT;
            bool masked = call && call_masks(call, segments[i].end_ms);
            if (segments[i].is_final && !masked && by_agent == (pass == 0)) {
                good = take(words, &segments[i]) && good;
            }
        }
    }
    forget_old(words);
    return good;
}

/* --- looking --------------------------------------------------------------------------------- */

const char *words_find(const struct words *words, enum speaker speaker, int64_t start_ms,
                       int64_t end_ms)
{
    for (size_t i = words ? words->count : 0; i-- > 0;) {
        const struct entry *entry = &words->entries[i];
        if (entry->start_ms == start_ms && entry->end_ms == end_ms && entry->speaker == speaker) {
            return entry->text;
        }
    }
    return NULL;
}

size_t words_bytes(const struct words *words)
{
    return words ? words->bytes : 0;
}
