/* nlp/lexicon.h - a score from a list of opinion words: what is left when no model can be used.
 *
 * Far worse than any model, and always to be marked as degraded; but it needs a few hundred
 * kilobytes and cannot fail. Each word of the list counts for its side, or for the other one when
 * one of the three words before it, back to the last comma or the like, negates ("not a good
 * idea", "I don't really love it").
 *
 * The score is (p + 1/2) / (p + n + 1) for p good and n bad words: the estimate of a share under
 * Jeffreys' prior, so that one word is not yet certainty. A text of two words or more without any
 * listed word is 0.5, as factual speech is neutral; a single unlisted word ("okay", "Tuesday") says
 * too little to be called neutral and is not judged.
 */
#ifndef NLP_LEXICON_H
#define NLP_LEXICON_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct lexicon;

/* Reads positive-words.txt and negative-words.txt of a directory: a word a line, lower case, in
 * UTF-8. A word in both lists counts in neither. */
int lexicon_open(struct lexicon **lexicon, const char *directory, struct error *err);
void lexicon_close(struct lexicon *lexicon); /* accepts NULL */

/* From any thread, allocates nothing. False when the text says too little. */
bool lexicon_score(const struct lexicon *lexicon, const char *bytes, size_t size, double *score);

#endif
