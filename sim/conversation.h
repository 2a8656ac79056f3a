/* conversation.h - one conversation as spoken turns with times, read from one line of a source.
 *
 * Pure. Times are milliseconds from the conversation's beginning. Text is normalised: words apart
 * by single spaces, so that a prefix of whole words is a prefix of bytes.
 */
#ifndef SIM_CONVERSATION_H
#define SIM_CONVERSATION_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum conversation_format {
    CONVERSATION_FORMAT_HARPER, /* segments with offset_ms, duration_ms, human_transcript */
    CONVERSATION_FORMAT_CUCOM,  /* turns of role and content, no times */
    CONVERSATION_FORMAT_MS,     /* turns of role and content, no times */
    CONVERSATION_FORMAT_ABCD,   /* pairs of speaker and text, no times */
};

enum conversation_speaker { CONVERSATION_SPEAKER_CUSTOMER, CONVERSATION_SPEAKER_AGENT };

/* Untimed sources are spoken at this pace. */
enum {
    CONVERSATION_WORD_MS = 400, /* 150 words a minute */
    CONVERSATION_TURN_MS_MIN = 400,
    CONVERSATION_GAP_MS = 600,
};

enum { CONVERSATION_NAME_BYTES = 64, CONVERSATION_TURNS_MAX = 2000 };

struct conversation_turn {
    enum conversation_speaker speaker;
    size_t text_at; /* in conversation.text */
    size_t bytes;
    unsigned words; /* at least 1 */
    int64_t start_ms;
    int64_t end_ms; /* > start_ms; the same in a chat */
};

struct conversation {
    char name[CONVERSATION_NAME_BYTES];
    struct conversation_turn *turns; /* by start_ms; at least 1 */
    size_t turn_count;
    char *text; /* all turns' text, one after the other */
};

/* Reads a line of a source file. On success the caller must conversation_done. The error never
 * holds text. */
int conversation_parse(struct conversation *conversation, enum conversation_format format,
                       const char *line, size_t bytes, struct error *err);

/* Accepts a zeroed conversation. */
void conversation_done(struct conversation *conversation);

/* Moves the turns from `turn` on to `rest`, which begins CONVERSATION_GAP_MS before the first of
 * them and has the same name. Both must be conversation_done. */
int conversation_split(struct conversation *conversation, size_t turn, struct conversation *rest,
                       struct error *err);

/* Makes messages of the turns, as in a written chat: each has only the moment at which it was sent,
 * which is when it would have been said to its end. */
void conversation_make_chat(struct conversation *conversation);

/* "customer" or "agent", as the API spells it. */
const char *conversation_speaker_name(enum conversation_speaker speaker);

/* The bytes taken by the first `words` words of a normalised text. */
size_t conversation_prefix(const char *text, size_t bytes, unsigned words);

#endif
