/* nlp/unigram_normalizer.h - normalizes a text for a Unigram model, segment by segment.
 *
 * A compiled map first (charsmap.h), then steps in the order of the file. A text longer than a
 * segment is cut before a single space between ASCII words, where no step looks across, or, when
 * there is none, just anywhere.
 */
#ifndef NLP_UNIGRAM_NORMALIZER_H
#define NLP_UNIGRAM_NORMALIZER_H

#include "nlp/charsmap.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    UNIGRAM_NORMALIZER_STEPS_MAX = 8,
    UNIGRAM_NORMALIZER_CONTENT_MAX = 4,
    UNIGRAM_NORMALIZER_SEGMENT_BYTES = 64 * 1024,
    /* collapsing makes at most 4 bytes of 2 */
    UNIGRAM_NORMALIZER_TEXT_BYTES = 2 * UNIGRAM_NORMALIZER_SEGMENT_BYTES,
};

enum unigram_normalizer_kind {
    UNIGRAM_NORMALIZER_KIND_STRIP,    /* white space at the ends of the text */
    UNIGRAM_NORMALIZER_KIND_COLLAPSE, /* two or more spaces become content */
};

struct unigram_normalizer_step {
    enum unigram_normalizer_kind kind;
    bool left;                                    /* strip */
    bool right;                                   /* strip */
    char content[UNIGRAM_NORMALIZER_CONTENT_MAX]; /* collapse */
    size_t content_size;
};

struct unigram_normalizer {
    struct charsmap map;
    struct unigram_normalizer_step steps[UNIGRAM_NORMALIZER_STEPS_MAX]; /* one collapse at most */
    size_t step_count;
};

struct unigram_normalizer_scratch {
    struct charsmap_reader reader;
    bool began;          /* a segment was made */
    bool is_torn;        /* the segment begins where the text was cut anywhere */
    bool ends_torn;      /* and so will the next one */
    bool lost_its_start; /* white space was stripped from the start of the segment */
    char mapped[UNIGRAM_NORMALIZER_SEGMENT_BYTES + CHARSMAP_OUT_MAX];
    char collapsed[UNIGRAM_NORMALIZER_TEXT_BYTES + 2 * CHARSMAP_OUT_MAX];
    const char *text; /* the segment, in one of the two */
    size_t size;
};

/* Begins a text; bytes is borrowed until the last segment was made. */
void unigram_normalizer_start(struct unigram_normalizer_scratch *scratch, const char *bytes,
                              size_t size);

/* Makes the next segment, in scratch->text, which may be empty. False when the text is done. */
bool unigram_normalizer_next(const struct unigram_normalizer *normalizer,
                             struct unigram_normalizer_scratch *scratch);

#endif
