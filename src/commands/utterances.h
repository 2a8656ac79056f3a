/* commands/utterances.h - utterances from a file, one a line: plain text, or JSON with a "text". */
#ifndef COMMANDS_UTTERANCES_H
#define COMMANDS_UTTERANCES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { UTTERANCES_LINE_BYTES_MAX = 1 << 20 };

struct utterances;

/* path "-" is standard input; gzip is told by its content. The caller must utterances_close. */
int utterances_open(struct utterances **utterances, const char *path, bool is_jsonl,
                    struct error *err);

/* The next utterance, borrowed until the next call: 1 for one, 0 at the end, -1 on failure. Plain
 * lines are given byte for byte; a JSON line must be an object with a string "text". */
int utterances_next(struct utterances *utterances, const char **text, size_t *size,
                    struct error *err);

/* Whether another utterance could be had without waiting for input. */
bool utterances_ready(const struct utterances *utterances);

/* Accepts NULL. */
void utterances_close(struct utterances *utterances);

/* Nothing in it but ASCII white space. */
bool utterances_is_blank(const char *text, size_t size);

#endif
