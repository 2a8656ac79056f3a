/* cxone/mapping.h - where in a reply things stand, as data. Pure.
 *
 * Places are JSON pointers (RFC 6901), several for each thing, of which the first that is present
 * counts: so one profile can read a field under each of the names that tenants or versions give it.
 */
#ifndef CXONE_MAPPING_H
#define CXONE_MAPPING_H

#include "cxone/vendor_time.h"

#include <stdbool.h>
#include <stddef.h>

struct json;

enum { CXONE_POINTERS_MAX = 4 };

struct cxone_pointers {
    const char *at[CXONE_POINTERS_MAX + 1]; /* NULL-terminated; borrowed */
};

/* Those from the root of a reply are marked; the others are from its elements. */
struct cxone_mapping {
    struct cxone_pointers segments; /* root: the array of segments */
    struct cxone_pointers text;
    struct cxone_pointers start;
    struct cxone_pointers end;
    struct cxone_pointers direction;
    struct cxone_pointers final;
    struct cxone_pointers id;
    struct cxone_pointers language;   /* a tag: what the utterance is spoken in */
    struct cxone_pointers call_start; /* root: what relative times are relative to */
    enum cxone_time_format time_format;

    struct cxone_pointers contacts; /* root: the array of live interactions */
    struct cxone_pointers contact_id;
    struct cxone_pointers contact_state;
    struct cxone_pointers contact_since; /* epoch ms or ISO 8601 */
    struct cxone_pointers contact_master;
    struct cxone_pointers contact_queue;    /* a text or an integer */
    struct cxone_pointers contact_language; /* a tag */

    struct cxone_pointers token; /* root of the token's reply, as the next three */
    struct cxone_pointers token_lifetime;
    struct cxone_pointers token_refresh;

    struct cxone_pointers tracking; /* root of a suggestion's reply: the vendor's id of it */
};

/* The tutorial's names. */
void cxone_mapping_default(struct cxone_mapping *mapping);

/* The first of the pointers under which there is something other than null, or NULL. */
const struct json *mapping_find(const struct json *value, const struct cxone_pointers *pointers);

#endif
