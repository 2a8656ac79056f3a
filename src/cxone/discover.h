/* cxone/discover.h - reading the list of live interactions. Pure. */
#ifndef CXONE_DISCOVER_H
#define CXONE_DISCOVER_H

#include "base/error.h"
#include "cxone/cxone.h"

#include <stddef.h>

struct json;
struct discover_page;

enum { DISCOVER_INTEGER_ID_BYTES = 24 };

/* Owns what the entries' ids point into. */
struct discover {
    struct discover_page *pages; /* the bodies, the newest first */
    struct cxone_active *active;
    size_t count;
    size_t elements;       /* of all pages together */
    size_t quarantined;    /* no usable id, or past REPLY_ELEMENTS_MAX */
    size_t unknown_states; /* live elements whose state has a name we do not know */
};

/* By default a bare array of {"interactionId", "state", "stateSince", "masterInteractionId",
 * "queue", "language"}, all but the first optional; the mapping says where else these may stand. An
 * id or a queue is a string or an integer (real contact ids are). A state is one of "active",
 * "held", "muted", "masked", "ended" or a synonym, case ignored; its time is in epoch milliseconds
 * or ISO 8601. What cannot be understood of all but the id is left out: the call is followed
 * without it. Otherwise as transcripts_parse. */
int discover_parse(const struct cxone_mapping *map, const char *content_type, const char *body,
                   size_t body_bytes, struct discover *discover, struct error *err);

/* The same for a further page: `discover` is zeroed or holds the pages before. */
int discover_add(const struct cxone_mapping *map, const char *content_type, const char *body,
                 size_t body_bytes, struct discover *discover, struct error *err);

/* An id, which the vendor writes as text or as an integer; NULL if it cannot be used. The text
 * lasts as long as the value and integer_text. */
const char *discover_read_id(const struct json *value,
                             char integer_text[DISCOVER_INTEGER_ID_BYTES]);

/* What names a queue or a language: the same without the rules of addresses, NULL for none or one
 * that is too long. Without integer_text an integer is none. */
const char *discover_read_name(const struct json *value, char *integer_text);

/* The root of the page added last, and how many elements it had. */
const struct json *discover_last_root(const struct discover *discover, size_t *elements);

/* Accepts a zeroed object. */
void discover_done(struct discover *discover);

#endif
