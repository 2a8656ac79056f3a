/* nlp/encoder_internal.h - what an encoder consists of; for encoder.c, which runs it, and
 * encoder_load.c, which makes it. */
#ifndef NLP_ENCODER_INTERNAL_H
#define NLP_ENCODER_INTERNAL_H

#include "nlp/block.h"
#include "nlp/encoder.h"
#include "nlp/outliers.h"

#include <stdbool.h>

struct norm {
    float *gain;
    float *bias;
    float *shrink;            /* int8 only, like the next */
    struct outliers outliers; /* among the columns that this norm makes */
};

struct layer {
    struct kernels_matrix query;     /* [hidden x hidden] */
    struct kernels_matrix key_value; /* [2 hidden x hidden]: keys, then values */
    struct kernels_matrix attention_output;
    struct kernels_matrix ffn_input;
    struct kernels_matrix ffn_output;
    struct norm attention_norm;
    struct norm ffn_norm;
};

struct encoder {
    struct checkpoint_config config;
    const struct kernels *kernels;
    enum kernels_epilogue epilogue; /* the activation, or SET where it takes a pass of its own */
    size_t head_width;
    enum kernels_storage storage; /* of all linear layers */
    struct block norms;
    struct block weights;
    struct layer *layers;
    float *positions; /* [position_count x hidden], type 0 included */
    struct norm embeddings_norm;
    unsigned char *words; /* [vocab_count x hidden] as the checkpoint stores them */
    bool words_are_mapped;
    enum tensor_dtype words_dtype;
};

#endif
