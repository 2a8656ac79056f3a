/* cues/lists.h - lists of phrases that come with the program, in English. A rules file may use one
 * by its name, and replaces it by giving a list of the same name. */
#ifndef CUES_LISTS_H
#define CUES_LISTS_H

#include <stddef.h>

/* The list's phrases, NULL-ended; NULL if there is none of that name. */
const char *const *lists_find(const char *name);

/* Name number `index`, or NULL past the last. */
const char *lists_name(size_t index);

#endif
