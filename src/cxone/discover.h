/* cxone/discover.h - reading the list of live interactions. Pure. */
#ifndef CXONE_DISCOVER_H
#define CXONE_DISCOVER_H

#include "base/error.h"
#include "cxone/cxone.h"

#include <stddef.h>

struct json_document;

/* Owns what the entries' ids point into. */
struct discover {
    struct json_document *document;
    struct cxone_active *active;
    size_t count;
    size_t elements;
    size_t quarantined;    /* no usable id, or past REPLY_ELEMENTS_MAX */
    size_t unknown_states; /* live elements whose state has a name we do not know */
    char *ids;             /* text of ids that came as integers */
};

/* A bare array of {"interactionId", "state", "stateSince", "masterInteractionId"}, all but the
 * first optional. An id is a string or an integer (real contact ids are). A state is one of
 * "active", "held", "muted", "masked", "ended" or a synonym, case ignored; stateSince is in epoch
 * milliseconds. What cannot be understood of a state, its time or its master is left out: the call
 * is followed without it. Otherwise as transcripts_parse. */
int discover_parse(const char *content_type, const char *body, size_t body_bytes,
                   struct discover *discover, struct error *err);

/* Accepts a zeroed object. */
void discover_done(struct discover *discover);

#endif
