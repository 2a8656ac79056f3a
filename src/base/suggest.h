/* base/suggest.h - "did you mean": the known word nearest to a mistyped one. Pure. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_WORD_BYTES_MAX = 64 };

/* How many single-character edits (insert, delete, replace, swap two neighbours) turn one word into
 * the other; words longer than SUGGEST_WORD_BYTES_MAX count as infinitely far ((size_t)-1). */
size_t suggest_distance(const char *left, const char *right);

/* Collects the best candidate: start with a zeroed struct, offer every known word, read `word`
 * (NULL when none is near enough to be a plausible slip: a third of its length, at least 2). */
struct suggest {
    const char *word; /* borrowed from the offers */
    size_t distance;
};

void suggest_offer(struct suggest *best, const char *typed, const char *known);

#endif
