/* nlp/clean.h - what the daemon does to a transcript's text before the model sees it.
 *
 * Removed: speech tags ([noise], [laughter], <unk>, [inaudible 00:12]; at most 40 characters),
 * control and format characters (but for the joiner inside an emoji), a cut-off word's "~". White
 * space runs become one space; ends are trimmed. Nothing else: case and punctuation are the
 * tokenizer's business.
 */
#ifndef NLP_CLEAN_H
#define NLP_CLEAN_H

#include <stddef.h>

/* Writes the cleaned text (never longer than 3 * size bytes, U+FFFD for malformed input) and
 * returns its size; 0 means there is nothing to judge. out must hold 3 * size bytes and may not
 * overlap. */
size_t clean_text(const char *bytes, size_t size, char *out);

#endif
