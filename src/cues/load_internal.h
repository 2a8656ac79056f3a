/* cues/load_internal.h - a rules file being read: load.c (the file and its rules), load_condition.c
 * (what a rule asks) and load_family.c (phrases and patterns). */
#ifndef CUES_LOAD_INTERNAL_H
#define CUES_LOAD_INTERNAL_H

#include "cues/cues_internal.h"
#include "cues/node.h"

struct load {
    struct node_file file;
    const struct node *lists; /* or NULL */
    struct cues_rules *rules; /* being filled */
};

int load_no_memory(struct error *err);

/* A copy that is the caller's; NULL without memory. */
char *load_copy(const char *text);

/* Makes room for one more zeroed element of an array; NULL without memory, the array as before. */
void *load_grow(void *items, size_t count, size_t element_bytes);

/* What a rule asks, as a condition of the rules; its number in *out. */
int load_condition(struct load *load, const struct node *when, size_t depth, uint32_t *out,
                   struct error *err);

/* The family that a mapping with list, phrases, patterns, match_case and by describes; its number
 * in *out. Other keys are left to the caller. */
int load_family(struct load *load, const struct node *map, uint32_t *out, struct error *err);

/* Reads `by`; anybody where it is not given. */
int load_by(const struct load *load, const struct node *map, enum cues_speaker *out,
            struct error *err);

#endif
