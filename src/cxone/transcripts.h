/* cxone/transcripts.h - reading a transcript reply into segments. Pure. */
#ifndef CXONE_TRANSCRIPTS_H
#define CXONE_TRANSCRIPTS_H

#include "base/error.h"
#include "cxone/profile.h"
#include "mood/segment.h"

#include <stddef.h>

struct json_document;

enum { TRANSCRIPTS_TEXT_BYTES_MAX = 64 * 1024 };

/* Owns what the segments' strings point into. */
struct transcripts {
    struct json_document *document;
    struct segment *segments; /* in reply order */
    size_t count;
    size_t elements;      /* in the array, good or bad */
    size_t quarantined;   /* left out: no usable text or times, or past REPLY_ELEMENTS_MAX */
    size_t missing_final; /* without isFinal */
    char *ids;            /* text of ids that came as integers */
};

/* A bare JSON array of {text, startTime, endTime, direction, isFinal, id?}. Each element is judged
 * alone: a bad one is counted and left out. ERROR_FORMAT if the body is not such an array. On
 * success the caller must transcripts_done; on failure there is nothing to free. */
int transcripts_parse(const struct cxone_profile *profile, const char *content_type,
                      const char *body, size_t body_bytes, struct transcripts *transcripts,
                      struct error *err);

/* Accepts a zeroed object. */
void transcripts_done(struct transcripts *transcripts);

#endif
