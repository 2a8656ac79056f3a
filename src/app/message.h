/* app/message.h - the text of a suggestion, from a template. Pure. */
#ifndef APP_MESSAGE_H
#define APP_MESSAGE_H

#include "base/buf.h"
#include "mood/call.h"

/* Replaces {score}, {trend}, {samples} and {words}; anything else in braces stays as it is. Words
 * that are not held (NULL) are "-". */
void message_fill(const char *text_template, const struct call_reading *reading, const char *words,
                  struct buf *out);

/* Replaces CUES_WORDS_MARK in the message of a rule. */
void message_fill_words(const char *message, const char *words, struct buf *out);

#endif
