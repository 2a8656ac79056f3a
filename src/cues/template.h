/* cues/template.h - message texts with variables in braces: "{rule}: {count} times in {minutes}
 * min". "{{" and "}}" stand for the braces themselves. */
#ifndef CUES_TEMPLATE_H
#define CUES_TEMPLATE_H

#include "base/buf.h"
#include "base/error.h"
#include "cues/cues.h"

/* ERROR_CONFIG with what is wrong and what may stand in braces. */
int template_check(const char *text, struct error *err);

/* Appends the checked text with its variables filled in. A mood that is not known is "-". */
void template_fill(const char *text, const char *rule, const char *queue,
                   const struct cues_firing *firing, struct buf *out);

#endif
