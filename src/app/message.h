/* app/message.h - the text of a suggestion, from a template. Pure. */
#ifndef APP_MESSAGE_H
#define APP_MESSAGE_H

#include "base/buf.h"
#include "mood/call.h"

/* Replaces {score}, {trend} and {samples}; anything else in braces stays as it is. */
void message_fill(const char *text_template, const struct call_reading *reading, struct buf *out);

#endif
