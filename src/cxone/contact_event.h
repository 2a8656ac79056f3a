/* cxone/contact_event.h - what the vendor's webhook says of one contact: that it began, or that it
 * is over. Pure; who may say so is judged elsewhere. */
#ifndef CXONE_CONTACT_EVENT_H
#define CXONE_CONTACT_EVENT_H

#include "base/error.h"
#include "cxone/mapping.h"
#include "cxone/profile.h"

#include <stddef.h>

enum contact_event_kind {
    CONTACT_EVENT_STARTED,
    CONTACT_EVENT_ENDED,
    CONTACT_EVENT_OTHER, /* well formed, and nothing to us */
};

/* Where in the body things stand, and which names mean what; all borrowed. */
struct contact_event_map {
    struct cxone_pointers kind;
    struct cxone_pointers event_id; /* the same in every delivery of one event */
    struct cxone_pointers contact_id;
    struct cxone_pointers contact_master;
    struct cxone_pointers contact_queue;
    struct cxone_pointers contact_language;
    const char *started[CXONE_NAMES_MAX]; /* NULL-terminated, case ignored */
    const char *ended[CXONE_NAMES_MAX];
};

struct contact_event {
    enum contact_event_kind kind;
    char interaction_id[CXONE_ID_BYTES_MAX + 1]; /* "" for one that is nothing to us */
    char master_id[CXONE_ID_BYTES_MAX + 1];      /* "" where it has none */
    char queue[CXONE_ID_BYTES_MAX + 1];          /* the same */
    char language[CXONE_ID_BYTES_MAX + 1];       /* the same */
    char event_id[CXONE_ID_BYTES_MAX + 1];       /* the same */
};

/* Reads one JSON object. Ids are texts or integers. An event of another kind needs no contact.
 * ERROR_FORMAT for anything else; the message quotes nothing of the body. */
int contact_event_parse(const struct contact_event_map *map, const char *body, size_t body_bytes,
                        struct contact_event *event, struct error *err);

#endif
