/* classifier.c - see classifier.h. Always in float32: one row a text, too little to save on. */
#include "nlp/classifier.h"

#include "nlp/activation.h"
#include "nlp/block.h"

#include <stdlib.h>

struct classifier {
    const struct kernels *kernels;
    enum checkpoint_activation activation;
    struct block weights;
    struct kernels_matrix dense;  /* [hidden x hidden] */
    struct kernels_matrix output; /* [label_count x hidden] */
};

static int load_matrix(const struct checkpoint *checkpoint, const char *name, size_t outputs,
                       size_t inputs, struct kernels_matrix *matrix, float *memory,
                       struct error *err)
{
    float *weights = malloc(outputs * inputs * sizeof *weights);
    float *bias = malloc(outputs * sizeof *bias);
    int code = weights && bias ? 0 : error_set(err, ERROR_MEMORY, "no memory to load a model");
    code = code ? code
                : checkpoint_read_weight(checkpoint, CHECKPOINT_NO_LAYER, name, outputs, inputs,
                                         weights, err);
    code = code ? code
                : checkpoint_read_bias(checkpoint, CHECKPOINT_NO_LAYER, name, outputs, bias, err);
    if (code == 0) {
        kernels_matrix_init(matrix, KERNELS_STORAGE_F32, outputs, inputs, NULL, memory);
        kernels_matrix_set_rows(matrix, 0, outputs, weights, bias);
    }
    free(weights);
    free(bias);
    return code;
}

/* Once to measure, once in memory. */
static void place_all(struct classifier *classifier, const struct checkpoint_config *c,
                      float **dense, float **output)
{
    *dense = block_take(&classifier->weights,
                        kernels_matrix_floats(KERNELS_STORAGE_F32, c->hidden, c->hidden, NULL));
    *output =
        block_take(&classifier->weights,
                   kernels_matrix_floats(KERNELS_STORAGE_F32, c->label_count, c->hidden, NULL));
}

static int load_all(struct classifier *classifier, const struct checkpoint *checkpoint,
                    struct error *err)
{
    const struct checkpoint_config *c = checkpoint_config(checkpoint);
    float *dense;
    float *output;
    place_all(classifier, c, &dense, &output);
    int code = block_allocate(&classifier->weights, "the classifier's weights", err);
    if (code != 0) {
        return code;
    }
    place_all(classifier, c, &dense, &output);
    code = load_matrix(checkpoint, c->family->head_dense, c->hidden, c->hidden, &classifier->dense,
                       dense, err);
    return code ? code
                : load_matrix(checkpoint, c->family->head_output, c->label_count, c->hidden,
                              &classifier->output, output, err);
}

static struct classifier *make(const struct checkpoint_config *config,
                               const struct kernels *kernels, struct error *err)
{
    struct classifier *made = calloc(1, sizeof *made);
    if (!made) {
        (void)error_set(err, ERROR_MEMORY, "no memory to load a model");
        return NULL;
    }
    made->kernels = kernels;
    made->activation = config->family->head_activation;
    return made;
}

int classifier_open(struct classifier **classifier, const struct checkpoint *checkpoint,
                    const struct kernels *kernels, struct error *err)
{
    *classifier = NULL;
    struct classifier *made = make(checkpoint_config(checkpoint), kernels, err);
    if (!made) {
        return ERROR_MEMORY;
    }
    int code = load_all(made, checkpoint, err);
    if (code != 0) {
        classifier_close(made);
        return code;
    }
    *classifier = made;
    return 0;
}

void classifier_pack(const struct classifier *classifier, struct packed *packed)
{
    block_pack(&classifier->weights, packed);
}

int classifier_unpack(struct classifier **classifier, const struct checkpoint_config *config,
                      const struct kernels *kernels, struct packed *packed, struct error *err)
{
    *classifier = make(config, kernels, err);
    if (!*classifier) {
        return ERROR_MEMORY;
    }
    float *dense;
    float *output;
    place_all(*classifier, config, &dense, &output);
    if (block_map(&(*classifier)->weights, packed)) {
        place_all(*classifier, config, &dense, &output);
        kernels_matrix_place(&(*classifier)->dense, KERNELS_STORAGE_F32, config->hidden,
                             config->hidden, NULL, dense);
        kernels_matrix_place(&(*classifier)->output, KERNELS_STORAGE_F32, config->label_count,
                             config->hidden, NULL, output);
    }
    return 0;
}

void classifier_close(struct classifier *classifier)
{
    if (classifier) {
        block_done(&classifier->weights);
        free(classifier);
    }
}

size_t classifier_weight_bytes(const struct classifier *classifier)
{
    return block_bytes(&classifier->weights);
}

size_t classifier_scratch_floats(const struct classifier *classifier, size_t count)
{
    return count * classifier->dense.outputs;
}

void classifier_run(const struct classifier *classifier, const float *first, size_t count,
                    float *scratch, float *logits)
{
    const struct kernels *k = classifier->kernels;
    size_t hidden = classifier->dense.outputs;
    size_t labels = classifier->output.outputs;
    k->linear(&classifier->dense, KERNELS_EPILOGUE_SET, first, hidden, count, scratch, hidden);
    activation_apply(classifier->activation, scratch, count * hidden);
    k->linear(&classifier->output, KERNELS_EPILOGUE_SET, scratch, hidden, count, logits, labels);
}
