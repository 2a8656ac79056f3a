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

static int load_all(struct classifier *classifier, const struct checkpoint *checkpoint,
                    struct error *err)
{
    const struct checkpoint_config *c = checkpoint_config(checkpoint);
    struct block *block = &classifier->weights;
    size_t dense_floats = kernels_matrix_floats(KERNELS_STORAGE_F32, c->hidden, c->hidden, NULL);
    size_t output_floats =
        kernels_matrix_floats(KERNELS_STORAGE_F32, c->label_count, c->hidden, NULL);
    (void)block_take(block, dense_floats);
    (void)block_take(block, output_floats);
    int code = block_allocate(block, "the classifier's weights", err);
    if (code != 0) {
        return code;
    }
    code = load_matrix(checkpoint, c->family->head_dense, c->hidden, c->hidden, &classifier->dense,
                       block_take(block, dense_floats), err);
    return code ? code
                : load_matrix(checkpoint, c->family->head_output, c->label_count, c->hidden,
                              &classifier->output, block_take(block, output_floats), err);
}

int classifier_open(struct classifier **classifier, const struct checkpoint *checkpoint,
                    const struct kernels *kernels, struct error *err)
{
    *classifier = NULL;
    struct classifier *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory to load a model");
    }
    made->kernels = kernels;
    made->activation = checkpoint_config(checkpoint)->family->head_activation;
    int code = load_all(made, checkpoint, err);
    if (code != 0) {
        classifier_close(made);
        return code;
    }
    *classifier = made;
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
