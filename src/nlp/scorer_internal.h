/* nlp/scorer_internal.h - what a scorer consists of; for scorer.c, which runs it, and
 * scorer_load.c, which makes it. */
#ifndef NLP_SCORER_INTERNAL_H
#define NLP_SCORER_INTERNAL_H

#include "nlp/checkpoint.h"
#include "nlp/classifier.h"
#include "nlp/encoder.h"
#include "nlp/packed.h"
#include "nlp/scorer.h"
#include "nlp/tokenizer.h"

struct scorer {
    struct packed *packed;     /* what the parts lie in; NULL when they were read */
    struct error packed_fault; /* why not; ERROR_NONE when none was named */
    uint64_t source;           /* model_source_sum of the files */
    bool has_source;
    const struct kernels *kernels;
    enum encoder_precision precision;
    struct tokenizer *tokenizer;
    struct encoder *encoder;
    struct classifier *classifier;
    struct tokenizer_frame frame;
    size_t tokens_max;
    struct checkpoint_config config;
};

#endif
