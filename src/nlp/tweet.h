/* nlp/tweet.h - the preprocessing that Twitter models were trained with (cardiffnlp's model cards):
 * of the words between single spaces, one that starts with "@" and is longer becomes "@user", one
 * that starts with "http" becomes "http". */
#ifndef NLP_TWEET_H
#define NLP_TWEET_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Replaces what out holds; false when that has no room. */
bool tweet_prepare(struct buf *out, const char *text, size_t size);

#endif
