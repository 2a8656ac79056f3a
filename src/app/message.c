/* message.c - see message.h. */
#include "app/message.h"

#include "cxone/cxone.h"

#include <string.h>

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

void message_fill(const char *text_template, const struct call_reading *reading, struct buf *out)
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
        } else {
            buf_append_char(out, *at++);
        }
    }
}
