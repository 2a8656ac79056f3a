/* base/language.h - language tags (BCP 47), as far as it takes to tell whether a model knows what a
 * call is spoken in. Pure.
 *
 * Two tags name one language if their first subtags are the same: a model of "en" knows "en-AU",
 * one of "pt-BR" knows "pt". Of a tag that says nothing ("und", "mul") nothing follows. */
#ifndef BASE_LANGUAGE_H
#define BASE_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 5646, section 4.4.1, lets implementations stop at 35 characters. */
enum { LANGUAGE_BYTES = 36, LANGUAGE_SET_MAX = 16 };

/* Copies a tag, '_' written as '-'. False, and "", for what is no tag, or one that names no
 * language. */
bool language_read(const char *text, char out[LANGUAGE_BYTES]);

struct language_set {
    char tags[LANGUAGE_SET_MAX][LANGUAGE_BYTES];
    size_t count;
    bool all; /* every language: "multi" was added */
};

/* Adds a tag, or "multi". False for what is neither, or for want of room. */
bool language_set_add(struct language_set *set, const char *text);

/* Whether texts in this language ("": unknown) can be judged: all can by an empty set. */
bool language_set_knows(const struct language_set *set, const char *tag);

/* Whether what a set can judge, in this language ("": unknown), is sure to be in the language of
 * tag: it says so itself, or the set holds nothing else. */
bool language_is(const struct language_set *set, const char *language, const char *tag);

#endif
