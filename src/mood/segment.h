/* mood/segment.h - the vocabulary: one piece of a transcript as the vendor serves it. */
#ifndef MOOD_SEGMENT_H
#define MOOD_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum speaker { SPEAKER_UNKNOWN, SPEAKER_CUSTOMER, SPEAKER_AGENT };

/* Strings are borrowed from whoever made the segment, for as long as that owner says. */
struct segment {
    int64_t start_ms; /* vendor clock, epoch milliseconds */
    int64_t end_ms;
    enum speaker speaker;
    bool is_final;
    const char *id; /* the vendor's own id of the utterance, or NULL */
    size_t id_bytes;
    const char *text;
    size_t text_bytes;
};

const char *speaker_name(enum speaker speaker); /* "customer", "agent", "unknown" */

#endif
