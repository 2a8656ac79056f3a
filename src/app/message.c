/* message.c - see message.h. */
#include "app/message.h"

#include "cues/cues.h"
#include "cxone/cxone.h"

#include <string.h>

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

void message_fill(const char *text_template, const struct call_reading *reading, const char *words,
                  struct buf *out)
{
    char score[CXONE_SCORE_BYTES];
    for (const char *at = text_template; *at;) {
        if (begins(at, "{score}")) {
            buf_append_string(out, cxone_format_score(reading->score, score));
            at += strlen("{score}");
        } else if (begins(at, "{trend}")) {
            buf_append_string(out, call_trend_name(reading->trend));
            at += strlen("{trend}");
        } else if (begins(at, "{samples}")) {
            buf_printf(out, "%u", (unsigned)reading->samples);
            at += strlen("{samples}");
        } else if (begins(at, "{words}")) {
            buf_append_string(out, words ? words : "-");
            at += strlen("{words}");
        } else {
            buf_append_char(out, *at++);
        }
    }
}

void message_fill_words(const char *message, const char *words, struct buf *out)
{
    for (const char *at = message; *at; at++) {
        if (begins(at, CUES_WORDS_MARK)) {
            buf_append_string(out, words ? words : "-");
        } else {
            buf_append_char(out, *at);
        }
    }
}
