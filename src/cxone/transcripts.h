/* cxone/transcripts.h - reading transcript replies into segments. Pure. */
#ifndef CXONE_TRANSCRIPTS_H
#define CXONE_TRANSCRIPTS_H

#include "base/error.h"
#include "cxone/profile.h"
#include "mood/segment.h"

#include <stddef.h>

struct json;
struct transcripts_page;

enum { TRANSCRIPTS_TEXT_BYTES_MAX = 64 * 1024 };

/* Owns what the segments' strings point into. */
struct transcripts {
    struct transcripts_page *pages; /* the bodies, the newest first */
    struct segment *segments;       /* in reply order */
    size_t count;
    size_t elements;      /* in the array, good or bad; of all pages together */
    size_t quarantined;   /* left out: no usable text or times, or past REPLY_ELEMENTS_MAX */
    size_t missing_final; /* without isFinal */
    const char *language; /* of the customer's last segment that says one, or NULL */
};

/* By default a bare JSON array of {text, startTime, endTime, direction, isFinal, id?}; the
 * profile's mapping says where else these may stand and in which form times are. Each element is
 * judged alone: a bad one is counted and left out. ERROR_FORMAT if there is no such array. On
 * success the caller must transcripts_done; on failure there is nothing to free. */
int transcripts_parse(const struct cxone_profile *profile, const char *content_type,
                      const char *body, size_t body_bytes, struct transcripts *transcripts,
                      struct error *err);

/* The same for a further page: `transcripts` is zeroed or holds the pages before. */
int transcripts_add(const struct cxone_profile *profile, const char *content_type, const char *body,
                    size_t body_bytes, struct transcripts *transcripts, struct error *err);

/* The root of the page added last, and how many elements it had. */
const struct json *transcripts_last_root(const struct transcripts *transcripts, size_t *elements);

/* Who is meant by a word for a speaker; case is ignored. */
enum speaker transcripts_speaker(const struct cxone_profile *profile, const char *word);

/* Accepts a zeroed object. */
void transcripts_done(struct transcripts *transcripts);

#endif
